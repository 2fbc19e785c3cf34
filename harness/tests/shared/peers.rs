//! The peers of the workspace that are built, as processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqmtls::peer::manifest::Manifest;
use reqmtls::peer::{RunningPeer, build};
use reqmtls_peer_rustls::Rustls;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The peers that every machine can build, started. One that is not built is named, and fails if it is required.
pub(crate) async fn peers() -> Vec<RunningPeer> {
    let root = root();
    let all = Manifest::load_all(&root.join("peers")).unwrap();
    let mut running = Vec::new();
    for manifest in all.iter().filter(|it| it.unpackaged().is_none()) {
        running.extend(start(&root, manifest).await);
    }
    running
}

async fn start(root: &Path, manifest: &Manifest) -> Option<RunningPeer> {
    let name = &manifest.name;
    if manifest.in_process {
        return Some(RunningPeer::in_process(name, Arc::new(Rustls::new())));
    }
    if build::built(root, manifest).is_none() {
        let is_required = std::env::var_os("REQMTLS_REQUIRE_PROGRAMS").is_some();
        assert!(!is_required, "peer {name} is not built");
        eprintln!("skipped: peer {name} is not built");
        return None;
    }
    // What is built may be older than its source.
    let program = build::build(root, manifest, |_| {}).await;
    let program = program.unwrap_or_else(|error| panic!("{name}: {error}"));
    let started = RunningPeer::process(name, &program).await;
    Some(started.unwrap_or_else(|error| panic!("{name}: {error}")))
}

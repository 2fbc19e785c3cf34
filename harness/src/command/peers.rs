//! `reqmtls peers`: what there is to run against.

use std::io::{self, Write};
use std::path::Path;

use reqmtls_contract::{Description, Peer, Provenance};
use reqmtls_peer_rustls::Rustls;

use super::EXIT_PEER;
use crate::peer::manifest::Manifest;
use crate::peer::{RunningPeer, build};

/// Lists every peer: how it is built, what that needs, what it is and can do.
pub(super) fn obey(root: &Path) -> anyhow::Result<u8> {
    let manifests = Manifest::load_all(&root.join("peers"))?;
    let mut out = io::stdout().lock();
    let mut code = 0;
    for manifest in &manifests {
        let how = match (&manifest.package, &manifest.program) {
            _ if manifest.in_process => "compiled into the harness".to_owned(),
            (Some(package), _) => format!("cargo package {package}, static"),
            (_, program) => format!(
                "program {}",
                program.as_deref().unwrap_or(Path::new("")).display()
            ),
        };
        writeln!(out, "{}: {how}", manifest.name)?;
        for step in &manifest.prepare {
            writeln!(out, "  first: {}", step.command.join(" "))?;
        }
        for tool in &manifest.tools {
            let state = if tool.is_present() {
                "present"
            } else {
                "missing"
            };
            writeln!(
                out,
                "  needs {}: {state} (Debian package {})",
                tool.name(),
                tool.package
            )?;
            if state == "missing" {
                code = EXIT_PEER;
            }
        }
        let description = if manifest.in_process {
            Some(Rustls::new().describe())
        } else {
            describe_built(root, manifest)
        };
        match description {
            Some(description) => {
                writeln!(out, "  library: {}", description.library)?;
                for provenance in Provenance::ALL {
                    let of = description
                        .capabilities
                        .iter()
                        .filter(|(_, it)| it == provenance);
                    let names: Vec<_> = of.map(|(name, _)| name).collect();
                    if !names.is_empty() {
                        writeln!(out, "  {provenance}: {}", names.join(" "))?;
                    }
                }
            }
            None => writeln!(out, "  not built yet: reqmtls run builds it")?,
        }
    }
    Ok(code)
}

/// Asks a peer that is already built; building one takes minutes and is for `run`.
fn describe_built(root: &Path, manifest: &Manifest) -> Option<Description> {
    let program = build::built(root, manifest)?;
    let runtime = tokio::runtime::Runtime::new().ok()?;
    runtime.block_on(async {
        let peer = RunningPeer::process(&manifest.name, &program).await.ok()?;
        let description = peer.description.clone();
        peer.stop().await;
        Some(description)
    })
}

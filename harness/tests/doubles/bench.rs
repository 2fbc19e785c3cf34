//! The command line between the honest rustls peer, which is called `rustls`, and a double, which is
//! called `double`.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use assert_cmd::Command;
use reqmtls_contract::{Peer, serve};
use tokio::net::TcpListener;

pub(crate) const REFUSED: &str = "request-mtls/set/absent/require-on-flag";
pub(crate) const AUTHENTICATED: &str = "request-mtls/set/present/require-on-flag";
pub(crate) const UNAUTHENTICATED: &str = "request-mtls/set/absent/request-on-flag";

/// Nothing is wrong, but the transcripts of a double are new.
pub(crate) const FINDINGS: i32 = 1;
pub(crate) const BROKEN_PEER: i32 = 3;

/// The pairings of a double with the honest peer, and the double's end in each.
const PAIRINGS: [(&str, &str); 2] = [("double--rustls", "client"), ("rustls--double", "server")];

/// Serves a peer for as long as the test's process lives.
pub(crate) fn start(peer: Arc<dyn Peer>) -> SocketAddr {
    background(|listener| async move { serve(peer, listener, false).await.unwrap() })
}

/// Runs a server on a port of its own for as long as the test's process lives.
pub(crate) fn background<F: Future>(
    server: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            server(listener).await;
        });
    });
    receiver.recv().unwrap()
}

/// What a run left behind.
pub(crate) struct Ran {
    code: i32,
    err: String,
}

/// Runs cases on every pairing of rustls and the double, all at once.
pub(crate) fn run(double: SocketAddr, cases: &[&str]) -> Ran {
    run_jobs(double, cases, "32")
}

/// The same, one cell after the other.
pub(crate) fn run_in_sequence(double: SocketAddr, cases: &[&str]) -> Ran {
    run_jobs(double, cases, "1")
}

fn run_jobs(double: SocketAddr, cases: &[&str], jobs: &str) -> Ran {
    let root = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for folder in ["scenarios", "peers/rustls", "peers/double"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    for file in ["scenarios/request-mtls.toml", "peers/rustls/peer.toml"] {
        fs::copy(workspace.join(file), root.path().join(file)).unwrap();
    }
    let folder = root.path().join("peers/double");
    fs::write(
        folder.join("peer.toml"),
        "name = \"double\"\nprogram = \"run\"\n",
    )
    .unwrap();
    let line = format!("{{\"reqmtls\":2,\"listening\":\"{double}\"}}");
    fs::write(folder.join("run"), format!("#!/bin/sh\necho '{line}'\n")).unwrap();
    fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    command.arg("--root").arg(root.path()).arg("run");
    command.args(cases).args(["--jobs", jobs]);
    command.args(["--mode", "process", "--timeout", "1", "--verbose"]);
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The run ended with this code and these counts, and says nothing against the honest pairing.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32, counts: &str) -> &Self {
        let err = &self.err;
        assert_eq!(self.code, code, "{err}");
        assert!(err.contains(counts), "expected {counts:?} in\n{err}");
        let is_honest =
            |line: &&str| line.contains("rustls--rustls") && !line.ends_with(": conforms");
        let honest = err.lines().filter(is_honest);
        assert_eq!(
            honest.count(),
            0,
            "the honest pairing is not touched:\n{err}"
        );
        self
    }

    /// These words stand somewhere.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(
            self.err.contains(words),
            "expected {words:?} in\n{}",
            self.err
        );
        self
    }

    /// What others wrote without end is not repeated without end.
    #[track_caller]
    pub(crate) fn is_short(&self) {
        let longest = self.err.lines().map(str::len).max();
        assert!(longest < Some(2000), "got a line of {longest:?} octets");
    }

    /// These words stand against an end in a pairing.
    #[track_caller]
    pub(crate) fn says_of(&self, pairing: &str, words: &str) -> &Self {
        let mut lines = self.err.lines();
        assert!(
            lines.any(|line| line.contains(pairing) && line.contains(words)),
            "expected {words:?} of {pairing} in\n{}",
            self.err
        );
        self
    }

    /// In both roles, the double's end is named with these words.
    #[track_caller]
    pub(crate) fn names_the_double(&self, words: &str) -> &Self {
        for (pairing, side) in PAIRINGS {
            self.says_of(pairing, &format!("{side}: {words}"));
        }
        self
    }
}

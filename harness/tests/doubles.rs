//! Peers that break or lie, each in one way: they cost their own cells only, and are caught and named.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use assert_cmd::Command;
use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Description, Endpoint, Hex, Job, Outcome, Peer, PrepareError, Stream, serve,
};
use reqmtls_peer_rustls::Rustls;

/// What a double does to the report of an honest connection.
type Cheat = fn(&mut ConnectionReport);

/// The rustls peer, with one thing wrong.
struct Double {
    inner: Rustls,
    /// Never speaks, not even TLS.
    hangs: bool,
    cheat: Cheat,
}

struct Cheating {
    inner: Arc<dyn Endpoint>,
    hangs: bool,
    cheat: Cheat,
}

impl Peer for Double {
    fn describe(&self) -> Description {
        self.inner.describe()
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let inner = self.inner.prepare(job)?;
        Ok(Arc::new(Cheating {
            inner,
            hangs: self.hangs,
            cheat: self.cheat,
        }))
    }
}

#[async_trait]
impl Endpoint for Cheating {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.inner.run(connection, stream, report).await;
        (self.cheat)(report);
    }
}

/// Serves a double for as long as the test's process lives.
fn start(hangs: bool, cheat: Cheat) -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let double = Double {
                inner: Rustls::new(),
                hangs,
                cheat,
            };
            serve(Arc::new(double), listener, false).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Runs one case on every pairing of rustls and the double; exit code and stderr.
fn run(address: SocketAddr, case: &str) -> (i32, String) {
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
    let line = format!("{{\"reqmtls\":1,\"listening\":\"{address}\"}}");
    fs::write(folder.join("run"), format!("#!/bin/sh\necho '{line}'\n")).unwrap();
    fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    command.arg("--root").arg(root.path()).args([
        "run",
        case,
        "--mode",
        "process",
        "--timeout",
        "1",
    ]);
    let output = command.output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

const REFUSED: &str = "request-mtls/set/absent/require-on-flag";
const AUTHENTICATED: &str = "request-mtls/set/present/require-on-flag";
const UNAUTHENTICATED: &str = "request-mtls/set/absent/request-on-flag";

#[track_caller]
fn assert_caught(case: &str, cheat: Cheat, code: i32, words: &str) {
    let (got, err) = run(start(false, cheat), case);
    assert!(err.contains(words), "expected {words:?} in\n{err}");
    assert_eq!(got, code, "{err}");
    let honest = err.lines().filter(|line| line.contains("rustls--rustls"));
    assert_eq!(
        honest.count(),
        0,
        "the honest pairing is not touched:\n{err}"
    );
}

#[test]
fn an_honest_double_is_caught_at_nothing() {
    let (code, err) = run(start(false, |_| {}), AUTHENTICATED);
    assert_eq!(code, 1, "new transcripts only: {err}");
    assert!(err.contains("4 cells: 4 conforms"), "{err}");
}

#[test]
fn a_peer_that_hangs_costs_its_own_cells() {
    let (code, err) = run(start(true, |_| {}), AUTHENTICATED);
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("4 cells: 1 conforms, 0 deviates, 0 unsupported, 3 failed"),
        "{err}"
    );
    assert!(err.contains("the deadline of 1000 ms passed"), "{err}");
}

#[test]
fn a_client_that_denies_the_flag_is_caught() {
    let cheat: Cheat = |report| report.tls_flags_sent = None;
    assert_caught(
        AUTHENTICATED,
        cheat,
        1,
        "client: got a report of tls_flags_sent none, expected 0b00",
    );
}

#[test]
fn a_client_that_claims_another_flag_is_caught() {
    let cheat: Cheat = |report| {
        if report.tls_flags_sent.is_some() {
            report.tls_flags_sent = Some(Hex(vec![1, 1]));
        }
    };
    assert_caught(
        AUTHENTICATED,
        cheat,
        1,
        "client: got a report of tls_flags_sent 0101",
    );
}

#[test]
fn an_end_that_names_another_alert_is_caught() {
    let cheat: Cheat = |report| {
        if report.alert_received.is_some() {
            report.alert_received = Some(42);
        }
    };
    assert_caught(
        REFUSED,
        cheat,
        1,
        "client: got a report of alert_received 42, expected 116, as on the wire",
    );
}

#[test]
fn an_end_that_claims_to_have_completed_is_caught() {
    let cheat: Cheat = |report| report.outcome = Outcome::Completed;
    assert_caught(
        REFUSED,
        cheat,
        1,
        "got a report of outcome completed, expected refused, as on the wire",
    );
}

#[test]
fn a_server_that_claims_an_authenticated_client_is_caught() {
    let cheat: Cheat = |report| report.peer_certificate = Some(Hex(vec![7; 32]));
    assert_caught(
        UNAUTHENTICATED,
        cheat,
        1,
        "server: got a report of peer_certificate 0707",
    );
}

#[test]
fn an_end_without_key_log_fails_its_cells() {
    let cheat: Cheat = |report| report.key_log.clear();
    assert_caught(AUTHENTICATED, cheat, 3, "handed over no key log lines");
}

#[test]
fn a_garbled_key_log_fails_its_cells() {
    let cheat: Cheat = |report| report.key_log = vec!["CLIENT_RANDOM zz".to_owned()];
    assert_caught(AUTHENTICATED, cheat, 3, "'s key log: key log line 1");
}

#[test]
fn secrets_of_another_connection_are_caught() {
    let cheat: Cheat = |report| {
        for line in &mut report.key_log {
            let head = line.rsplit_once(' ').unwrap().0.to_owned();
            *line = format!("{head} {}", "ab".repeat(48));
        }
    };
    assert_caught(
        AUTHENTICATED,
        cheat,
        3,
        "a key log that does not decrypt the connection",
    );
}

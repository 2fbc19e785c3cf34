//! The rustls peer with one thing wrong at one end: in what it does, or in what it reports.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Description, Endpoint, Hex, Job, Outcome, Peer, PrepareError, Stream,
};
use reqmtls_peer_rustls::Rustls;

use crate::bench::{
    AUTHENTICATED, BROKEN_PEER, FINDINGS, REFUSED, Ran, UNAUTHENTICATED, run, run_in_sequence,
    start,
};

/// The `extension_data` that the cases with the flag ask for: flag 80 alone.
const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// What a double does to the report of an honest connection.
type Cheat = Arc<dyn Fn(&mut ConnectionReport) + Send + Sync>;

/// The rustls peer, with one thing wrong.
struct Double {
    inner: Rustls,
    /// Never speaks, not even TLS.
    hangs: bool,
    /// What it makes of the job before it does it.
    mishears: fn(&mut Job),
    cheat: Cheat,
}

impl Double {
    fn honest() -> Self {
        Self {
            inner: Rustls::new(),
            hangs: false,
            mishears: |_| {},
            cheat: Arc::new(|_| {}),
        }
    }

    fn cheating(cheat: impl Fn(&mut ConnectionReport) + Send + Sync + 'static) -> Self {
        Self {
            cheat: Arc::new(cheat),
            ..Self::honest()
        }
    }

    fn run(self, case: &str) -> Ran {
        run(start(Arc::new(self)), &[case])
    }
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

    fn prepare(&self, mut job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        (self.mishears)(&mut job);
        Ok(Arc::new(Cheating {
            inner: self.inner.prepare(job)?,
            hangs: self.hangs,
            cheat: Arc::clone(&self.cheat),
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

#[test]
fn an_honest_double_is_caught_at_nothing() {
    let ran = Double::honest().run(AUTHENTICATED);
    ran.ended(FINDINGS, "4 cells: 4 conforms");
}

#[test]
fn a_peer_that_hangs_costs_its_own_cells() {
    let double = Double {
        hangs: true,
        ..Double::honest()
    };
    double
        .run(AUTHENTICATED)
        .ended(
            BROKEN_PEER,
            "4 cells: 1 conforms, 0 deviates, 0 unsupported, 3 failed",
        )
        .says("the deadline of 1000 ms passed");
}

#[test]
fn a_client_that_denies_the_flag_is_caught() {
    Double::cheating(|report| report.tls_flags_sent = None)
        .run(AUTHENTICATED)
        .ended(FINDINGS, "4 cells: 2 conforms, 2 deviates")
        .says_of(
            "double--rustls",
            "client: client reported tls_flags_sent none; expected 0b00",
        );
}

#[test]
fn a_client_that_claims_another_flag_is_caught() {
    let double = Double::cheating(|report| {
        if report.tls_flags_sent.is_some() {
            report.tls_flags_sent = Some(Hex(vec![1, 1]));
        }
    });
    double
        .run(AUTHENTICATED)
        .ended(FINDINGS, "4 cells: 2 conforms, 2 deviates")
        .says_of(
            "double--rustls",
            "client: client reported tls_flags_sent 0101; expected 0b00",
        );
}

#[test]
fn a_client_that_claims_a_flag_that_it_did_not_send_is_caught() {
    let double = Double {
        mishears: |job| job.setup.tls_flags = None,
        ..Double::cheating(|report| {
            if report.tls_flags_received.is_none() {
                report.tls_flags_sent = Some(Hex(FLAG_80.to_vec()));
            }
        })
    };
    double
        .run(AUTHENTICATED)
        .ended(FINDINGS, "4 cells: 2 conforms, 2 deviates")
        .says_of(
            "double--rustls",
            "client: client reported tls_flags_sent 0b0000000000000000000001; expected none, as on the wire",
        );
}

#[test]
fn an_end_that_names_another_alert_is_caught() {
    let double = Double::cheating(|report| {
        if report.alert_received.is_some() {
            report.alert_received = Some(42);
        }
    });
    double
        .run(REFUSED)
        .ended(FINDINGS, "4 cells: 2 conforms, 2 deviates")
        .says_of(
            "double--rustls",
            "client: client reported alert_received 42; expected 116, as on the wire",
        );
}

#[test]
fn an_end_that_claims_to_have_completed_is_caught() {
    Double::cheating(|report| report.outcome = Outcome::Completed)
        .run(REFUSED)
        .ended(FINDINGS, "4 cells: 1 conforms, 3 deviates")
        .says_of(
            "double--rustls",
            "client: client reported outcome completed; expected refused, as on the wire",
        )
        .says_of(
            "rustls--double",
            "server: server reported outcome completed; expected refused, as on the wire",
        );
}

#[test]
fn a_server_that_claims_an_authenticated_client_is_caught() {
    Double::cheating(|report| report.peer_certificate = Some(Hex(vec![7; 32])))
        .run(UNAUTHENTICATED)
        .ended(FINDINGS, "4 cells: 1 conforms, 3 deviates")
        .says_of(
            "rustls--double",
            "server: server reported peer_certificate 0707",
        );
}

#[test]
fn an_end_without_key_log_fails_its_cells() {
    Double::cheating(|report| report.key_log.clear())
        .run(AUTHENTICATED)
        .ended(
            BROKEN_PEER,
            "4 cells: 1 conforms, 0 deviates, 0 unsupported, 3 failed",
        )
        .says_of("double--rustls", "the client handed over no key log lines")
        .says_of("rustls--double", "the server handed over no key log lines");
}

#[test]
fn a_garbled_key_log_fails_its_cells() {
    Double::cheating(|report| report.key_log = vec!["CLIENT_RANDOM zz".to_owned()])
        .run(AUTHENTICATED)
        .ended(
            BROKEN_PEER,
            "4 cells: 1 conforms, 0 deviates, 0 unsupported, 3 failed",
        )
        .says_of("double--rustls", "the client's key log: key log line 1")
        .says_of("rustls--double", "the server's key log: key log line 1");
}

#[test]
fn made_up_secrets_are_caught() {
    let double = Double::cheating(|report| {
        for line in &mut report.key_log {
            let head = line.rsplit_once(' ').unwrap().0.to_owned();
            *line = format!("{head} {}", "ab".repeat(48));
        }
    });
    double
        .run(AUTHENTICATED)
        .ended(BROKEN_PEER, "4 cells: 1 conforms")
        .names_the_double("a key log that does not decrypt the connection");
}

/// What the double's first connection logs is what it hands over for all that follow.
#[test]
fn secrets_of_another_connection_are_caught() {
    let first = Mutex::new(None::<Vec<String>>);
    let double = Double::cheating(move |report| {
        let mut first = first.lock().unwrap();
        report.key_log = first.get_or_insert(report.key_log.clone()).clone();
    });
    // Where both ends lie nothing opens the connection, where one does the other's secrets do.
    run_in_sequence(start(Arc::new(double)), &[AUTHENTICATED, REFUSED])
        .ended(
            BROKEN_PEER,
            "8 cells: 3 conforms, 3 deviates, 0 unsupported, 2 failed",
        )
        .names_the_double(
            "a key log of another connection; expected the secrets of this connection alone",
        )
        .says_of(
            "double--double",
            "no secret CLIENT_HANDSHAKE_TRAFFIC_SECRET for this connection",
        );
}

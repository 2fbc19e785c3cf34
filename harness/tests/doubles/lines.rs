//! An honest peer behind something that passes the contract's lines on and changes one.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqmtls_peer_rustls::Rustls;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::bench::{
    AUTHENTICATED, BROKEN_PEER, FINDINGS, REFUSED, Ran, UNAUTHENTICATED, background, run,
    run_in_sequence, start,
};

const ALL_FAILED: &str = "4 cells: 1 conforms, 0 deviates, 0 unsupported, 3 failed";

/// What a double does where the honest peer replies.
enum Act {
    /// Passes the reply on.
    Honest,
    /// Writes this instead.
    Write(String),
    /// Writes this instead and closes the connection.
    WriteAndClose(String),
    /// Writes nothing.
    Silence,
}

impl Act {
    fn reply(reply: &Value) -> Self {
        Self::Write(format!("{reply}\n"))
    }

    fn close() -> Self {
        Self::WriteAndClose(String::new())
    }
}

/// One line of the harness and what the honest peer replies to it.
struct Exchange {
    /// Which of the double's connections it is on.
    connection: usize,
    /// The line: an ask, or the opening of a TLS connection.
    ask: Value,
    /// The reply, as written.
    honest: String,
}

impl Exchange {
    fn is(&self, ask: &str) -> bool {
        self.ask["ask"] == ask || self.ask["open"] == ask
    }

    /// Whether it is about a job of this case, whose id starts with the case's.
    fn is_about(&self, case: &str) -> bool {
        let job = &self.ask["job"];
        let id = job.as_str().or(job["id"].as_str());
        id.is_some_and(|id| id.starts_with(&format!("{case} ")))
    }

    fn is_probe(&self) -> bool {
        self.ask["job"]["setup"]["no-such-capability"] == true
    }

    /// The honest reply, changed.
    fn changed(&self, change: impl FnOnce(&mut Value)) -> Act {
        let mut reply = serde_json::from_str(&self.honest).unwrap();
        change(&mut reply);
        Act::reply(&reply)
    }
}

type Lie = dyn Fn(&Exchange) -> Act + Send + Sync;

/// Serves a double for as long as the test's process lives.
fn double(lie: impl Fn(&Exchange) -> Act + Send + Sync + 'static) -> SocketAddr {
    let inner = start(Arc::new(Rustls::new()));
    let lie: Arc<Lie> = Arc::new(lie);
    background(move |listener| accept(listener, inner, lie))
}

/// A double that lies in its replies to one ask alone.
fn lying_to(ask: &'static str, lie: impl Fn(&Exchange) -> Act + Send + Sync + 'static) -> Ran {
    let address = double(move |it| {
        if it.is(ask) && !it.is_probe() {
            lie(it)
        } else {
            Act::Honest
        }
    });
    run(address, &[AUTHENTICATED])
}

async fn accept(listener: TcpListener, inner: SocketAddr, lie: Arc<Lie>) {
    for connection in 0.. {
        let (harness, _) = listener.accept().await.unwrap();
        let lie = Arc::clone(&lie);
        tokio::spawn(async move {
            // What the harness does when it is lied to is the test's to look at, not this task's.
            drop(pass_on(connection, harness, inner, &*lie).await);
        });
    }
}

async fn pass_on(
    connection: usize,
    harness: TcpStream,
    inner: SocketAddr,
    lie: &Lie,
) -> io::Result<()> {
    let mut harness = BufReader::new(harness);
    let mut peer = BufReader::new(TcpStream::connect(inner).await?);
    let mut first = true;
    loop {
        let mut asked = String::new();
        if harness.read_line(&mut asked).await? == 0 {
            return Ok(());
        }
        peer.write_all(asked.as_bytes()).await?;
        let ask: Value = serde_json::from_str(&asked)?;
        if std::mem::take(&mut first) && ask["open"] == "control" {
            continue;
        }
        let mut honest = String::new();
        peer.read_line(&mut honest).await?;
        let exchange = Exchange {
            connection,
            ask,
            honest,
        };
        match lie(&exchange) {
            Act::Honest => harness.write_all(exchange.honest.as_bytes()).await?,
            Act::Write(text) => harness.write_all(text.as_bytes()).await?,
            Act::WriteAndClose(text) => {
                harness.write_all(text.as_bytes()).await?;
                drop(harness);
                if exchange.is("tls") {
                    return Ok(());
                }
                // The job lives on: only the connection is gone.
                return std::future::pending().await;
            }
            Act::Silence if exchange.is("tls") => return std::future::pending().await,
            Act::Silence => {}
        }
        if exchange.is("tls") {
            copy_bidirectional(&mut harness, &mut peer).await?;
            return Ok(());
        }
    }
}

#[test]
fn an_honest_double_is_caught_at_nothing() {
    run(double(|_| Act::Honest), &[AUTHENTICATED, REFUSED]).ended(FINDINGS, "8 cells: 8 conforms");
}

#[test]
fn a_peer_that_prepares_what_does_not_exist_is_not_started() {
    let address = double(|it| {
        if it.is_probe() {
            Act::reply(&json!({ "reply": "prepared" }))
        } else {
            Act::Honest
        }
    });
    run(address, &[AUTHENTICATED])
        .ended(BROKEN_PEER, "1 cell: 1 conforms")
        .says(
            "peer double: not started: got {\"reply\":\"prepared\"} in reply to a job with the \
             unknown setup key \"no-such-capability\", expected unsupported with the capability \
             \"setup.no-such-capability\"",
        );
}

#[test]
fn a_peer_that_names_another_capability_than_the_one_that_it_lacks_is_not_started() {
    let address = double(|it| {
        if it.is_probe() {
            Act::reply(&json!({ "reply": "unsupported", "capability": "client" }))
        } else {
            Act::Honest
        }
    });
    run(address, &[AUTHENTICATED])
        .ended(BROKEN_PEER, "1 cell: 1 conforms")
        .says("peer double: not started: got {\"reply\":\"unsupported\",\"capability\":\"client\"}")
        .says("expected unsupported with the capability \"setup.no-such-capability\"");
}

#[test]
fn a_peer_that_answers_an_unknown_capability_with_an_error_is_not_started() {
    let address = double(|it| {
        if it.is_probe() {
            Act::reply(&json!({ "reply": "error", "message": "what?" }))
        } else {
            Act::Honest
        }
    });
    run(address, &[AUTHENTICATED])
        .ended(BROKEN_PEER, "1 cell: 1 conforms")
        .says("peer double: not started: got {\"reply\":\"error\",\"message\":\"what?\"} in reply");
}

#[test]
fn a_peer_of_another_version_is_not_started() {
    lying_to("describe", |it| {
        it.changed(|reply| reply["reqmtls"] = json!(3))
    })
    .ended(BROKEN_PEER, "1 cell: 1 conforms")
    .says("peer double: not started: the peer speaks version 3 of the contract, expected 2");
}

#[test]
fn a_peer_that_prepares_what_it_does_not_claim_is_caught() {
    const LACKING: [&str; 2] = ["client.tls-flags", "server.policy.require-on-flag"];
    lying_to("describe", |it| {
        it.changed(|reply| {
            let capabilities = reply["capabilities"].as_object_mut().unwrap();
            capabilities.retain(|name, _| !LACKING.contains(&name.as_str()));
        })
    })
    .ended(BROKEN_PEER, ALL_FAILED)
    .says_of(
        "double--rustls",
        "client: got prepared for a job that needs client.tls-flags, expected unsupported: its \
         description lacks it",
    )
    .says_of(
        "rustls--double",
        "server: got prepared for a job that needs server.policy.require-on-flag, expected \
         unsupported: its description lacks it",
    );
}

#[test]
fn a_peer_that_refuses_what_it_claims_is_caught() {
    lying_to("prepare", |_| {
        Act::reply(&json!({ "reply": "unsupported", "capability": "version.tls1.3" }))
    })
    .ended(BROKEN_PEER, ALL_FAILED)
    .names_the_double(
        "got unsupported for version.tls1.3, expected prepared: its description has it",
    );
}

#[test]
fn a_peer_that_prepares_twice_is_caught() {
    lying_to("prepare", |it| Act::Write(it.honest.repeat(2)))
        .ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double(
            "got \"{\\\"reply\\\":\\\"prepared\\\"}\" after the reply to prepare, expected one \
             reply to each ask",
        );
}

#[test]
fn a_peer_that_closes_when_it_has_prepared_is_caught() {
    lying_to("prepare", |it| Act::WriteAndClose(it.honest.clone()))
        .ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double("the peer closed the connection instead of replying to report");
}

#[test]
fn a_peer_that_never_replies_costs_its_own_cells() {
    const SILENCES: [(&str, &str, &str); 3] = [
        (AUTHENTICATED, "prepare", "preparing the ends"),
        (UNAUTHENTICATED, "tls", "opening a connection"),
        (REFUSED, "report", "collecting the reports"),
    ];
    let address = double(|it| {
        let mut silences = SILENCES.iter();
        if silences.any(|(case, ask, _)| it.is(ask) && it.is_about(case)) {
            Act::Silence
        } else {
            Act::Honest
        }
    });
    let ran = run(address, &SILENCES.map(|(case, _, _)| case));
    ran.ended(
        BROKEN_PEER,
        "12 cells: 3 conforms, 0 deviates, 0 unsupported, 9 failed",
    );
    for (case, _, stage) in SILENCES {
        let words = |side| {
            format!("while {stage}: the deadline of 1000 ms passed, and the {side} had not replied")
        };
        ran.says_of(&format!("{case} double--rustls"), &words("client"))
            .says_of(&format!("{case} rustls--double"), &words("server"));
    }
}

/// The first report stays out: the connection where it did is asked nothing more, and others serve.
#[test]
fn a_connection_that_is_owed_a_report_is_not_used_again() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let address = double(move |it| {
        let mut asked = log.lock().unwrap();
        let first = asked.iter().all(|(_, report)| !report);
        asked.push((it.connection, it.is("report")));
        if first && it.is("report") {
            Act::Silence
        } else {
            Act::Honest
        }
    });
    run_in_sequence(address, &[AUTHENTICATED, REFUSED])
        .ended(
            BROKEN_PEER,
            "8 cells: 7 conforms, 0 deviates, 0 unsupported, 1 failed",
        )
        .says("had not replied");
    let asked = asked.lock().unwrap();
    let silent = asked.iter().position(|(_, report)| *report).unwrap();
    let connection = asked[silent].0;
    let again = asked[silent + 1..].iter();
    assert_eq!(again.filter(|(on, _)| *on == connection).count(), 0);
}

#[test]
fn a_peer_that_reports_twice_is_caught() {
    lying_to("report", |it| Act::Write(it.honest.repeat(2)))
        .ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double("got \"{\\\"reply\\\":\\\"report\\\",\\\"connections\\\"")
        .says("after the reply to report, expected one reply to each ask");
}

#[test]
fn a_peer_that_does_not_know_its_own_job_is_caught() {
    lying_to("report", |_| {
        Act::reply(&json!({ "reply": "error", "message": "got unknown job \"other\"" }))
    })
    .ended(BROKEN_PEER, ALL_FAILED)
    .names_the_double("the peer replied with the error: got unknown job \"other\"");
}

#[test]
fn a_peer_that_closes_instead_of_reporting_is_caught() {
    lying_to("report", |_| Act::close())
        .ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double("the peer closed the connection instead of replying to report");
}

#[test]
fn a_report_of_too_few_connections_is_caught() {
    lying_to("report", |it| {
        it.changed(|reply| reply["connections"] = json!([]))
    })
    .ended(BROKEN_PEER, ALL_FAILED)
    .names_the_double("got 0 connections in a report, expected 1");
}

#[test]
fn a_report_of_too_many_connections_is_caught() {
    lying_to("report", |it| {
        it.changed(|reply| {
            let connections = reply["connections"].as_array_mut().unwrap();
            connections.push(connections[0].clone());
        })
    })
    .ended(BROKEN_PEER, ALL_FAILED)
    .names_the_double("got 2 connections in a report, expected 1");
}

#[test]
fn a_report_of_a_megabyte_or_of_many_lines_is_caught_and_not_repeated() {
    let ran = lying_to("report", |it| {
        it.changed(|reply| reply["connections"][0]["tls_flags_sent"] = json!("00".repeat(1 << 20)))
    });
    ran.ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double("got tls_flags_sent of 1048576 octets in a report, expected at most 512");
    ran.is_short();
    let line = format!("SOME_SECRET {} {}", "00".repeat(32), "00".repeat(32));
    lying_to("report", move |it| {
        it.changed(|reply| reply["connections"][0]["key_log"] = json!(vec![&line; 10_000]))
    })
    .ended(BROKEN_PEER, ALL_FAILED)
    .names_the_double("got key_log of 10000 lines in a report, expected at most 64");
}

#[test]
fn garbage_instead_of_a_report_is_caught() {
    lying_to("report", |_| Act::Write("all went well\n".to_owned()))
        .ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double("got \"all went well\", expected a line of the contract");
    lying_to("report", |_| Act::Write("[".repeat(100_000) + "\n"))
        .ended(BROKEN_PEER, ALL_FAILED)
        .says("[[[[\", expected a line of the contract: ");
}

#[test]
fn garbage_instead_of_an_open_connection_is_caught() {
    lying_to("tls", |_| Act::Write("hello\n".to_owned()))
        .ended(BROKEN_PEER, ALL_FAILED)
        .says("while opening a connection")
        .names_the_double("got \"hello\", expected a line of the contract");
}

#[test]
fn an_end_that_closes_before_it_reads_is_caught() {
    lying_to("tls", |it| Act::WriteAndClose(it.honest.clone()))
        .ended(BROKEN_PEER, ALL_FAILED)
        .names_the_double(
            "got a TLS connection closed before any octet was sent, expected a handshake or an \
             alert (it reports broken: ",
        );
}

//! From what a job left behind to transcripts and judgements.

use reqmtls_contract::{ConnectionReport, Outcome as Reported};

use crate::cell::Evidence;
use crate::conformance::check::{self, Verdict, View};
use crate::conformance::{Facts, Finding, Judged, Outcome, judge, misreports};
use crate::event::Connection;
use crate::scenario::{self, Case};
use crate::setup::{Common, Setups};
use reqmtls_observer::{Epoch, KeyLog, KeyLogDifference, Recording, Side, Transcript};

/// What is found in the connections of one job.
#[derive(Debug, Default)]
pub struct Found {
    /// The connections, in sequence.
    pub connections: Vec<Connection>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// The requirements that the misbehaving end was caught breaking.
    pub caught: Vec<&'static str>,
    /// What keeps the job from being judged.
    pub broken: Vec<String>,
}

/// Judges one job of a case.
#[must_use]
pub fn conclude(case: &Case, common: &Common, setups: &Setups, evidence: Vec<Evidence>) -> Found {
    let mut found = Found::default();
    let last = evidence.len().saturating_sub(1);
    for (number, evidence) in (0..).zip(evidence) {
        let before = found.connections.last().map(|connection| &connection.facts);
        let (transcript, mut findings) = observe(&evidence, &mut found.broken);
        let facts = Facts::of(&transcript, before);
        let Evidence {
            recording,
            client,
            server,
        } = evidence;
        let ends = [
            (Side::Client, &setups.told.client, &client),
            (Side::Server, &setups.told.server, &server),
        ];
        found
            .broken
            .extend(breakage(&facts, &transcript, &client, &server));
        for (side, setup, report) in ends {
            findings.extend(misreports(&facts, side, setup, report));
        }
        let rulings = check::rule(&View {
            transcript: &transcript,
            connection: number,
            client: check::End {
                setup: &setups.judged.client,
                report: &client,
            },
            server: check::End {
                setup: &setups.judged.server,
                report: &server,
            },
            flag: common.flag,
            revision: common.revision,
        });
        if number as usize == last {
            let judged = Judged {
                facts: &facts,
                transcript: &transcript,
                flag: common.flag,
            };
            // A broken requirement says more exactly what an expectation of the same end would.
            let blamed = |side| rulings.iter().any(|ruling| ruling.is_broken_by(side));
            let judged = judge(&case.expected, judged).into_iter();
            found
                .findings
                .extend(judged.filter(|finding| !blamed(finding.side)));
        } else if facts.outcome != Outcome::Completed {
            found.findings.push(not_completed(number, &facts));
        }
        for ruling in &rulings {
            let Verdict::Broken { side, expected } = &ruling.verdict else {
                continue;
            };
            if misbehaves(case, *side) {
                found.caught.push(ruling.requirement.id);
            } else {
                findings.push(Finding {
                    requirements: vec![ruling.requirement.id],
                    side: *side,
                    message: ruling.message.clone(),
                    got: ruling.got.clone(),
                    expected: expected.clone(),
                    known: None,
                });
            }
        }
        found.findings.append(&mut findings);
        found.connections.push(Connection {
            label: label(setups, number, last),
            text: transcript.text(common.flag),
            facts,
            rulings,
            transcript,
            recording,
            client_report: client,
            server_report: server,
        });
    }
    found.caught.sort_unstable();
    found.caught.dedup();
    found
}

/// Whether a side of a case breaks rules.
#[must_use]
pub fn misbehaves(case: &Case, side: Side) -> bool {
    case.misbehaving.contains(&match side {
        Side::Client => scenario::End::Client,
        Side::Server => scenario::End::Server,
    })
}

/// Where the misbehaving end was caught at other things than the scenario says: the harness's
/// fault, or the scenario's.
#[must_use]
pub fn caught_otherwise(case: &Case, caught: &[&'static str]) -> Option<String> {
    let mut expected = case.expected.breaks.clone();
    expected.sort_unstable();
    let list = |ids: &[&str]| match ids {
        [] => "nothing".to_owned(),
        ids => ids.join(", "),
    };
    (expected != caught).then(|| {
        format!(
            "the misbehaving end was caught at {}, expected {}",
            list(caught),
            list(&expected)
        )
    })
}

fn label(setups: &Setups, number: u32, last: usize) -> String {
    match setups.sweep {
        Some(flag) => format!("flag {flag}"),
        None if last > 0 => format!("connection {number}"),
        None => String::new(),
    }
}

fn not_completed(number: u32, facts: &Facts) -> Finding {
    let (side, got) = match facts.alert {
        Some((side, alert)) => (side, format!("{alert} in connection {number}")),
        None => (
            Side::Server,
            format!("no orderly end of connection {number}"),
        ),
    };
    Finding {
        requirements: Vec::new(),
        side,
        message: None,
        got,
        expected: "a completed connection before the last".to_owned(),
        known: None,
    }
}

/// What the recording or the ends show to be broken rather than wrong.
fn breakage(
    facts: &Facts,
    transcript: &Transcript,
    client: &ConnectionReport,
    server: &ConnectionReport,
) -> Vec<String> {
    let mut broken: Vec<_> = transcript.defects.iter().map(ToString::to_string).collect();
    // An end that says that TLS ended it, without alert, has judged: that is a result.
    let judged = [client, server]
        .iter()
        .any(|report| report.outcome == Reported::Refused);
    if facts.outcome == Outcome::Broken && !judged {
        let said = [(Side::Client, client), (Side::Server, server)];
        let said = said.iter().filter_map(|(side, report)| {
            Some(format!("{}: {}", side.name(), report.error.as_deref()?))
        });
        let said: Vec<_> = said.collect();
        broken.push(format!(
            "the connection ended without alert or orderly close ({})",
            said.join("; ")
        ));
    }
    broken
}

/// Decrypts with what both ends' key logs say together, and holds the two against each other.
fn observe(evidence: &Evidence, broken: &mut Vec<String>) -> (Transcript, Vec<Finding>) {
    let recording = &evidence.recording;
    let reports = [
        (Side::Client, &evidence.client),
        (Side::Server, &evidence.server),
    ];
    let mut logs = reports.map(|(side, report)| {
        KeyLog::parse(&report.key_log.join("\n")).unwrap_or_else(|error| {
            broken.push(format!("the {}'s key log: {error}", side.name()));
            KeyLog::default()
        })
    });
    let random = Transcript::observe(recording, &KeyLog::default()).client_random;
    let [client, server] = &mut logs;
    let differing = random.map_or_else(Vec::new, |random| KeyLog::compare(client, server, random));
    let findings = foreign_secrets(recording, client, server, &differing);
    if !findings.is_empty() && findings.iter().all(|finding| finding.side == Side::Client) {
        std::mem::swap(client, server);
    }
    let mut log = std::mem::take(client);
    log.merge(server);
    let transcript = Transcript::observe(recording, &log);
    for (side, report) in reports {
        // An end that never came to encrypt has no secrets to tell.
        let mut entries = transcript.entries.iter();
        let encrypts = entries.any(|entry| entry.from == side && entry.epoch != Epoch::Plaintext);
        let undecrypted = !transcript.defects.is_empty();
        if report.key_log.is_empty() && (encrypts || undecrypted) {
            broken.push(format!("the {} handed over no key log lines", side.name()));
        }
    }
    (transcript, findings)
}

/// A finding for each secret that an end hands over and that is not this connection's.
fn foreign_secrets(
    recording: &Recording,
    client: &KeyLog,
    server: &KeyLog,
    differing: &[KeyLogDifference],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    // An end that gave up earlier knows fewer secrets: no contradiction.
    let contradictions = differing
        .iter()
        .filter(|difference| matches!(difference, KeyLogDifference::Secret { .. }));
    for difference in contradictions {
        // The secret that decrypts the recording is the true one.
        let reads = |log: &KeyLog| Transcript::observe(recording, log).defects.is_empty();
        let liars = [(Side::Client, reads(client)), (Side::Server, reads(server))];
        for (side, _) in liars.into_iter().filter(|(_, reads)| !reads) {
            findings.push(Finding {
                requirements: Vec::new(),
                side,
                message: None,
                got: format!("a key log that does not decrypt the connection ({difference})"),
                expected: "the secrets of this connection".to_owned(),
                known: None,
            });
        }
    }
    findings
}

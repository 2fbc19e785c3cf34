//! Whether connections are what the documents, the scenario and the contract ask for.
//!
//! The same judging serves a cell, a probe of somebody's server, a client that connects to ours, and a
//! capture: they differ only in their [`Knowledge`].

pub mod check;
mod evidence;
mod expectation;
mod expected;
mod facts;
mod finding;
mod knowledge;
mod misreport;
mod recorded;
pub mod requirement;
mod ruling;

pub(crate) use self::check::alert_name;
pub use self::evidence::Evidence;
pub use self::expected::{Expected, Requested};
pub use self::facts::Facts;
pub use self::finding::{Conformance, Finding, Party};
pub use self::knowledge::{EndKnowledge, Knowledge, Psk};
pub use self::recorded::{Numbering, Recorded};
pub use self::ruling::{Ruling, Verdict};

use reqmtls_contract::Outcome;
use reqmtls_observer::Transcript;
use reqmtls_vocabulary::Side;

use self::check::View;
use self::requirement::Id;

/// What is found in the connections of one job.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// The connections, in sequence.
    pub connections: Vec<Connection>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// The requirements that a misbehaving end was caught violating.
    pub caught: Vec<Id>,
    /// What keeps the job from being judged. With any, the rest is worth nothing.
    pub failures: Vec<String>,
}

/// One connection, judged.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What passed.
    pub transcript: Transcript,
    /// What is known beyond that.
    pub knowledge: Knowledge,
    /// What the transcript shows, in short.
    pub facts: Facts,
    /// What each requirement that applies says.
    pub rulings: Vec<Ruling>,
}

impl Connection {
    /// Judges a connection by what is known of it; nothing is held against reports. `before` is the connection of the
    /// same ends before it.
    #[must_use]
    pub fn judged(transcript: Transcript, knowledge: Knowledge, before: Option<&Facts>) -> Self {
        let view = View::new(&transcript, &knowledge);
        let facts = Facts::of(&view, before);
        let rulings = check::rule(&view);
        Self {
            transcript,
            knowledge,
            facts,
            rulings,
        }
    }
}

/// One connection, and what its ends report held against it.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What passed.
    pub transcript: Transcript,
    /// What is known beyond that, the server's report included.
    pub knowledge: Knowledge,
    /// What the transcript shows, in short.
    pub facts: Facts,
    /// Every point in which a report contradicts the wire.
    pub misreports: Vec<Finding>,
    /// What keeps the connection from being judged.
    pub failures: Vec<String>,
}

/// Reads one connection, and holds the reports of its ends against it. `before` is the connection of the same job
/// before it.
#[must_use]
pub fn observe(knowledge: Knowledge, evidence: &Evidence, before: Option<&Facts>) -> Observed {
    observe_and(knowledge, evidence, before, |_, _| ()).0
}

/// The same, and what `then` says of the connection.
fn observe_and<T>(
    knowledge: Knowledge,
    evidence: &Evidence,
    before: Option<&Facts>,
    then: impl FnOnce(&View<'_>, &Facts) -> T,
) -> (Observed, T) {
    let knowledge = knowledge.with_server_report(&evidence.server);
    let mut failures = Vec::new();
    let (transcript, mut misreports, logs) = evidence.observe(&mut failures);
    let view = View::new(&transcript, &knowledge);
    let facts = Facts::of(&view, before);
    failures.extend(evidence.failure(&facts, &transcript));
    for (side, log) in Side::BOTH.into_iter().zip(&logs) {
        let report = evidence.report(side);
        misreports.extend(misreport::misreports(&view, &facts, side, report, log));
    }
    let said = then(&view, &facts);
    let observed = Observed {
        transcript,
        knowledge,
        facts,
        misreports,
        failures,
    };
    (observed, said)
}

/// Judges the connections of one job: each by every requirement that applies and by what its ends report, the
/// last one also by what the scenario expects. Connections before it have to complete.
#[must_use]
pub fn judge(expected: &Expected, job: Vec<(Knowledge, &Evidence)>) -> Judged {
    let mut judged = Judged::default();
    let last = job.len().saturating_sub(1);
    for (number, (knowledge, evidence)) in job.into_iter().enumerate() {
        let before = judged
            .connections
            .last()
            .map(|connection| &connection.facts);
        let (observed, (rulings, unmet)) =
            observe_and(knowledge, evidence, before, |view, facts| {
                let unmet = if number == last {
                    expectation::unmet(expected, facts, view)
                } else if facts.outcome == Outcome::Completed {
                    Vec::new()
                } else {
                    vec![expectation::not_completed(number, view)]
                };
                (check::rule(view), unmet)
            });
        let Observed {
            transcript,
            knowledge,
            facts,
            misreports: mut findings,
            failures,
        } = observed;
        judged.failures.extend(failures);
        // A violated requirement says more exactly what an expectation of the same end would.
        let is_said = |finding: &Finding| {
            let blamed = |side| rulings.iter().any(|ruling| ruling.is_violated_by(side));
            number == last && finding.party.side().is_some_and(blamed)
        };
        findings.extend(unmet.into_iter().filter(|finding| !is_said(finding)));
        for finding in rulings.iter().filter_map(Ruling::finding) {
            match finding.party.side() {
                Some(side) if knowledge.end(side).misbehaves => {
                    judged.caught.extend(finding.requirements);
                }
                _ => findings.push(finding),
            }
        }
        for finding in &mut findings {
            finding.provenance = finding
                .party
                .side()
                .and_then(|side| knowledge.end(side).provenance);
        }
        judged.findings.append(&mut findings);
        judged.connections.push(Connection {
            transcript,
            knowledge,
            facts,
            rulings,
        });
    }
    judged.caught.sort_unstable();
    judged.caught.dedup();
    judged
}

/// Where the misbehaving end was caught at other things than the scenario says: the harness's fault, or the
/// scenario's.
#[must_use]
pub fn caught_otherwise(expected: &Expected, caught: &[Id]) -> Option<String> {
    let mut wanted = expected.violates.clone();
    wanted.sort_unstable();
    let list = |ids: &[Id]| match ids {
        [] => "nothing".to_owned(),
        ids => ids.iter().map(Id::to_string).collect::<Vec<_>>().join(", "),
    };
    (wanted != caught).then(|| {
        format!(
            "the misbehaving end was caught at {}, expected {}",
            list(caught),
            list(&wanted)
        )
    })
}

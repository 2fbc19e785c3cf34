//! What a probe found, as one JSON document.

use std::net::SocketAddr;

use reqmtls_contract::{Hex, Revision};
use serde::Serialize;

use super::findings::Grouped;
use super::{
    Connected, Judged, LeftOut, Plan, Played, Probed, Seen, Starttls, Verdict, Whose, grouped,
};
use crate::judge::Connection;
use crate::judge::requirement::Id;

/// The version of the document's form. It grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What a probe found.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// [`SCHEMA`].
    schema: u32,
    /// The version of this program.
    reqmtls: &'static str,
    target: Target<'a>,
    revision: Revision,
    flag: u16,
    extension: u16,
    /// Whether the server implements `tls_flags`: as the user says, or as what it does shows.
    server_knows_flags: Option<bool>,
    /// What the server does.
    verdict: &'a Verdict,
    /// The same in words.
    sentences: Vec<String>,
    /// What it violates, and where documents disagree.
    findings: Vec<Grouped>,
    cases: Vec<Case<'a>>,
    /// What was left out, and why.
    left_out: &'a [LeftOut],
    /// Why the probe stopped before its end, if it did.
    stopped: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Target<'a> {
    /// As it was given.
    given: &'a str,
    address: SocketAddr,
    server_name: &'a str,
    alpn: Vec<String>,
    starttls: Option<Starttls>,
    /// Whose the certificate is that was presented.
    certificate: Whose,
}

/// One client, and its connections.
#[derive(Debug, Serialize)]
struct Case<'a> {
    id: &'a str,
    connections: Vec<One<'a>>,
}

#[derive(Debug, Serialize)]
struct One<'a> {
    /// The `extension_data` of `tls_flags` in each ClientHello.
    tls_flags: Vec<Option<Hex>>,
    #[serde(flatten)]
    seen: &'a Seen,
    /// The first line that the server answered, with what is not printable escaped.
    answer: Option<&'a str>,
    /// What the client reports to have ended it.
    error: Option<&'a str>,
    milliseconds: u64,
    /// The requirements that the server violated.
    violated: Vec<Id>,
    /// What passed, in the order of arrival, line by line.
    transcript: Vec<String>,
}

impl<'a> Document<'a> {
    /// Makes the document. `given` is the target as the user wrote it.
    #[must_use]
    pub fn of(
        given: &'a str,
        certificate: Whose,
        plan: &'a Plan,
        probed: &'a Probed,
        judged: &'a Judged,
    ) -> Self {
        let alpn = plan.alpn.iter();
        let target = Target {
            given,
            address: plan.address,
            server_name: &plan.server_name,
            alpn: alpn
                .map(|it| String::from_utf8_lossy(it).into_owned())
                .collect(),
            starttls: plan.starttls,
            certificate,
        };
        let cases = probed.played.iter().zip(&judged.connections);
        Self {
            schema: SCHEMA,
            reqmtls: env!("CARGO_PKG_VERSION"),
            target,
            revision: plan.material.revision,
            flag: plan.material.flag,
            extension: plan.material.extension,
            server_knows_flags: judged.knows_flags,
            verdict: &judged.verdict,
            sentences: judged.verdict.sentences(),
            findings: grouped(probed, judged),
            cases: cases.map(|(played, judged)| case(played, judged)).collect(),
            left_out: &probed.left_out,
            stopped: probed.stopped.as_deref(),
        }
    }
}

fn case<'a>(played: &'a Played, judged: &'a [Connection]) -> Case<'a> {
    let connections = played.connections.iter().zip(judged);
    Case {
        id: &played.play.id,
        connections: connections
            .map(|(connected, judged)| one(connected, judged))
            .collect(),
    }
}

fn one<'a>(connected: &'a Connected, judged: &'a Connection) -> One<'a> {
    let codepoints = judged.knowledge.codepoints();
    let text = connected.transcript.text_by_arrival(codepoints);
    let flags = judged.facts.tls_flags.iter();
    let violated = judged
        .rulings
        .iter()
        .filter(|ruling| ruling.is_violated_by(reqmtls_vocabulary::Side::Server));
    let mut violated: Vec<_> = violated.map(|ruling| ruling.requirement).collect();
    violated.dedup();
    One {
        tls_flags: flags.map(|it| it.clone().map(Hex)).collect(),
        seen: &connected.seen,
        answer: connected.answer.as_deref(),
        error: connected.error.as_deref(),
        milliseconds: u64::try_from(connected.took.as_millis()).unwrap_or(u64::MAX),
        violated,
        transcript: text.lines().map(str::to_owned).collect(),
    }
}

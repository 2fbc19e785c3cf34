//! What is judged, as JSON: one object for each connection.

use std::net::SocketAddr;

use reqmtls_contract::Provenance;
use serde::Serialize;

use crate::judge::requirement::{Id, Level};
use crate::judge::{Knowledge, Party, Recorded, Ruling, Verdict};

/// One connection.
#[derive(Serialize)]
pub(in crate::command) struct Line<'a> {
    /// The capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// The name of the connection.
    connection: &'a str,
    client: SocketAddr,
    server: SocketAddr,
    /// By what it was judged.
    knowledge: &'a Knowledge,
    /// The transcript in the order of arrival, line by line.
    pub(in crate::command) transcript: Vec<String>,
    /// Whether all of it could be read.
    whole: bool,
    rulings: Vec<Judgement<'a>>,
}

/// What one requirement says.
#[derive(Serialize)]
struct Judgement<'a> {
    id: Id,
    level: Level,
    side: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<Provenance>,
    verdict: &'static str,
    /// The line of the transcript that shows it.
    message: Option<&'a str>,
    got: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Id>,
}

impl<'a> Line<'a> {
    pub(in crate::command) fn of(
        file: Option<&'a str>,
        recorded: &'a Recorded,
        rulings: &'a [Ruling],
    ) -> Self {
        let codepoints = recorded.knowledge.codepoints();
        let text = recorded.transcript.text_by_arrival(codepoints);
        Self {
            file,
            connection: &recorded.name,
            client: recorded.client,
            server: recorded.server,
            knowledge: &recorded.knowledge,
            transcript: text.lines().map(str::to_owned).collect(),
            whole: recorded.is_whole(),
            rulings: rulings.iter().map(Judgement::of).collect(),
        }
    }
}

impl<'a> Judgement<'a> {
    fn of(ruling: &'a Ruling) -> Self {
        let (verdict, expected, pulled) = match &ruling.verdict {
            Verdict::Satisfied => ("satisfied", None, None),
            Verdict::Informational => ("informational", None, None),
            Verdict::Violated { expected } => ("violated", Some(expected.as_str()), None),
            Verdict::Tension { follows, against } => ("tension", None, Some((*follows, *against))),
        };
        Self {
            id: ruling.requirement,
            level: ruling.requirement.get().level,
            side: ruling.party,
            provenance: ruling.provenance,
            verdict,
            message: ruling.message.as_deref(),
            got: &ruling.got,
            expected,
            follows: pulled.map(|(follows, _)| follows),
            against: pulled.map(|(_, against)| against),
        }
    }
}

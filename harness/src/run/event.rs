//! What happens in a run, as one type; every report consumes it, and no stage prints.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use reqmtls_contract::{ConnectionReport, Description, Provenance, Revision};
use reqmtls_observer::{Flight, Recording};
use reqmtls_vocabulary::{Side, words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shard::Sharded;
use crate::judge::requirement::Id;
use crate::judge::{Conformance, Facts, Finding, Knowledge, Ruling};
use crate::peer::Mode;
use crate::scenario::CaseId;

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// A run starts.
    Started(Started),
    /// Something that a reader should know before the results.
    Notice(String),
    /// A peer's build wrote a line.
    Building {
        /// The peer.
        peer: String,
        /// The line.
        line: String,
    },
    /// A peer is up.
    Up(Peer),
    /// A peer is not there: its columns are not built.
    Missing(Missing),
    /// A peer ended, or did not answer any more and was ended: the cells that it was in fail.
    Lost(Lost),
    /// All peers that will come are up. Cells of those that were up before may have ended before.
    Cells {
        /// How many cells there are in all.
        count: usize,
    },
    /// A cell ended.
    Cell(Box<Cell>, Vec<Trace>),
    /// The run was interrupted: no further cell starts.
    Interrupted,
    /// The run ended.
    Ended(Ended),
}

/// What a run is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// When it started, in seconds since 1970.
    pub time: f64,
    /// The number of the extension `tls_flags`.
    pub extension: u16,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision of the request mTLS flag.
    pub revision: Revision,
    /// Which shard of a run it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharded: Option<Sharded>,
}

/// A peer that takes part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peer {
    /// Its name, as it stands in pairings.
    pub name: String,
    /// Where it runs.
    pub mode: Mode,
    /// What it says that it is.
    pub description: Description,
    /// The folder of its program, which it shares with other versions or libraries behind it.
    pub family: String,
    /// What it is beside its library, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What of ours stands in front of the library, where provenance is `glue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue: Option<String>,
    /// What of ours changes the library, where provenance is `patch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
}

/// A peer that is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// The peer.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A peer that was lost while cells ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// The peer.
    pub name: String,
    /// What was seen: exit status, last words.
    pub reason: String,
    /// How often it may still be started again in this run.
    pub restarts: u32,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// When, in seconds since 1970.
    pub time: f64,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Known deviations that no longer occur.
    pub stale: Vec<String>,
    /// Where the time went.
    pub timings: Timings,
}

/// Where the time of a run went. Cells run while further peers are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timings {
    /// From the start until every peer was built and started that will be.
    pub peers: Duration,
    /// From the start of the first cell to the end of the last one.
    pub cells: Duration,
    /// Ending peers.
    pub stop: Duration,
}

/// Everything that one cell produced, but for octets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The case.
    pub case: CaseId,
    /// Who was client.
    pub client: Player,
    /// Who was server.
    pub server: Player,
    /// Whether it conforms.
    pub conformance: Conformance,
    /// How its transcript stands to the accepted one; absent where nothing was judged, or nothing is accepted of anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// The accepted transcript, where this one differs from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// What is not as it should be, in any of several runs; of a failed cell nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The requirements that the misbehaving end was caught violating.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caught: Vec<Id>,
    /// Why it is `unsupported` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its connections, in sequence; of those of a sweep that are alike, the first.
    pub connections: Vec<Connection>,
    /// What it showed where it ran several times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// What a cell showed in several runs of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeats {
    /// How often it ran.
    pub runs: u32,
    /// What differed in conformance, transcript or findings, in the order in which it was first seen: one, if nothing
    /// varies.
    pub seen: Vec<Seen>,
    /// How many runs showed yet something else, of which not all is remembered.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub beyond: u32,
}

/// How many different things that a cell showed are remembered.
const MOST_SEEN: usize = 32;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What one or several runs of a cell showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// In how many runs.
    pub runs: u32,
    /// Whether the cell conformed.
    pub conformance: Conformance,
    /// Its transcript.
    pub text: String,
    /// What was not as it should be, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

impl Repeats {
    /// Adds a run. Whether it showed something that is new, and remembered.
    pub(super) fn add(&mut self, cell: &Cell) -> bool {
        self.runs += 1;
        let (conformance, text) = (cell.conformance, cell.text());
        let findings: Vec<_> = cell.findings.iter().map(Finding::said).collect();
        let alike =
            |it: &Seen| it.conformance == conformance && it.text == text && it.findings == findings;
        match self.seen.iter().position(alike) {
            Some(place) => self.seen[place].runs += 1,
            None if self.seen.len() == MOST_SEEN => self.beyond += 1,
            None => {
                self.seen.push(Seen {
                    runs: 1,
                    conformance,
                    text,
                    findings,
                });
                return true;
            }
        }
        false
    }

    /// Whether not all runs were alike.
    #[must_use]
    pub fn vary(&self) -> bool {
        self.seen.len() > 1
    }
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.beyond > 0 { "more than " } else { "" };
        write!(
            f,
            "{more}{} distinct results in {} runs (",
            self.seen.len(),
            self.runs
        )?;
        for (place, seen) in self.seen.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", seen.runs, seen.conformance)?;
        }
        f.write_str("); result.jsonl has them")
    }
}

/// One end of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Player {
    /// The peer's name.
    pub peer: String,
    /// Whose behaviour it shows.
    pub provenance: Provenance,
    /// Whether it breaks rules on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub misbehaves: bool,
}

/// The name of an end that breaks rules on purpose.
pub const MISBEHAVING: &str = "misbehaving";

impl Player {
    /// Its name in pairings: who breaks rules on purpose is named after that.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.misbehaves {
            MISBEHAVING
        } else {
            &self.peer
        }
    }
}

words! {
    /// How a cell's transcript stands to the accepted one.
    pub enum Drift {
        /// It is the accepted one.
        Same = "same",
        /// It differs.
        Changed = "changed",
        /// None has been accepted.
        New = "new",
    }
}

/// Why a cell was not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A peer lacks a capability that the case needs.
    Unsupported {
        /// Which end.
        side: Side,
        /// What it lacks.
        capability: String,
    },
    /// The harness or a peer broke: in which ways.
    Failed(Vec<String>),
    /// That end's peer had been lost too often, and was not started for this cell.
    Gone(Side),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { side, capability } => write!(f, "the {side} lacks {capability}"),
            Self::Failed(failures) => f.write_str(&failures.join("; ")),
            Self::Gone(side) => write!(f, "the {side}'s peer had been lost too often before"),
        }
    }
}

/// One connection of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// What tells it from others of its cell.
    pub label: Label,
    /// The transcript as text.
    pub text: String,
    /// Whether it completed without authentication although the server's policy requires a certificate of this
    /// client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypassed: bool,
    /// What the wire shows, in short; absent where it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// What each requirement that applies says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rulings: Vec<Ruling>,
    /// How many flights of the handshake there were up to the one with the client's CertificateVerify, if it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flights_to_proof: Option<usize>,
    /// Maximal runs of octets of one side, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flights: Vec<Flight>,
    /// What the client reported, without its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_report: Option<ConnectionReport>,
    /// What the server reported, without its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_report: Option<ConnectionReport>,
}

/// What tells a connection from others of its cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// It is the only one.
    Only,
    /// Its number, the first being 0.
    Number(u32),
    /// The flags that ClientHello set alone, in connections that are alike.
    Flags(Vec<RangeInclusive<u16>>),
}

impl Label {
    /// Adds a flag, higher than those before.
    pub(super) fn add(&mut self, flag: u16) {
        let Self::Flags(ranges) = self else { return };
        match ranges.last_mut() {
            Some(last) if last.end().checked_add(1) == Some(flag) => *last = *last.start()..=flag,
            _ => ranges.push(flag..=flag),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only => Ok(()),
            Self::Number(number) => write!(f, "connection {number}"),
            Self::Flags(ranges) => {
                let range = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
                    (start, end) if start == end => start.to_string(),
                    (start, end) => format!("{start}-{end}"),
                };
                let ranges: Vec<_> = ranges.iter().map(range).collect();
                write!(f, "flag {}", ranges.join(","))
            }
        }
    }
}

/// The octets of one connection and the secrets that open them, for a capture.
#[derive(Debug)]
pub struct Trace {
    /// The case, the pairing, and what tells the connection from others of its cell.
    pub name: String,
    /// What passed.
    pub recording: Recording,
    /// Key log lines of both ends.
    pub key_log: Vec<String>,
    /// What was known of the connection beyond its octets; absent where it could not be judged.
    pub knowledge: Option<Knowledge>,
}

impl Cell {
    /// An end.
    #[must_use]
    pub fn player(&self, side: Side) -> &Player {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// What the wire shows of the last connection, by which a cell is judged.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        self.connections.last()?.facts.as_ref()
    }

    /// What the requirements say of its connections.
    pub fn rulings(&self) -> impl Iterator<Item = &Ruling> {
        self.connections
            .iter()
            .flat_map(|connection| &connection.rulings)
    }

    /// `client--server`.
    #[must_use]
    pub fn pairing(&self) -> String {
        format!("{}--{}", self.client.label(), self.server.label())
    }

    /// The transcripts of its connections, under their labels where there are several.
    #[must_use]
    pub fn text(&self) -> String {
        let labelled = |connection: &Connection| match &connection.label {
            Label::Only => connection.text.clone(),
            label => format!("-- {label}\n{}", connection.text),
        };
        self.connections.iter().map(labelled).collect()
    }

    /// Its text as it is accepted: `tls_flags` has one number there, whichever the run was with.
    #[must_use]
    pub fn comparable(&self, extension: u16) -> String {
        let named = format!("tls_flags(0x{extension:04x})=");
        self.text().replace(&named, "tls_flags=")
    }

    /// Whether it came to a judgement.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        matches!(
            self.conformance,
            Conformance::Conforms | Conformance::Deviates
        )
    }

    /// Whether it has a finding that makes it deviate and is not known.
    #[must_use]
    pub fn deviates_newly(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.counts() && finding.known.is_none())
    }
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_sweep_are_ranges() {
        let mut label = Label::Flags(vec![0..=0]);
        for flag in [1, 2, 5, 6, 9, 80] {
            label.add(flag);
        }
        assert_eq!(label.to_string(), "flag 0-2,5-6,9,80");
    }
}

//! What happens in a run, as one type; every reporter consumes it, and no stage prints.

use std::time::{Duration, SystemTime};

use reqmtls_contract::{ConnectionReport, Description, Revision};
use serde::Serialize;

use crate::conformance::check::Ruling;
use crate::conformance::{Conformance, Facts, Finding};
use crate::peer::Mode;
use crate::snapshot::Drift;
use reqmtls_observer::{Recording, Side, Transcript};

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
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
    Missing {
        /// The peer.
        peer: String,
        /// Why.
        reason: String,
    },
    /// All peers that will come are up, and cells start.
    Cells {
        /// How many.
        count: usize,
    },
    /// A cell ended.
    Cell(Box<CellResult>),
    /// The run was interrupted: no further cell starts.
    Interrupted,
}

/// A peer that took part.
#[derive(Clone, Debug, Serialize)]
pub struct Peer {
    /// Its name, as it stands in pairings.
    pub name: String,
    /// Where it ran.
    pub mode: Mode,
    /// What it said it is.
    #[serde(flatten)]
    pub description: Description,
}

/// Everything that one cell produced.
#[derive(Debug, Serialize)]
pub struct CellResult {
    /// The scenario.
    pub scenario: String,
    /// The case's id within the run: scenario and values.
    pub case: String,
    /// The ends that broke rules on purpose.
    pub misbehaving: Vec<Side>,
    /// The peer that was client.
    pub client: String,
    /// The peer that was server.
    pub server: String,
    /// Whether it conforms.
    pub conformance: Conformance,
    /// How it stands to the accepted transcript; `None` where there is no transcript.
    pub drift: Option<Drift>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// The requirements that the misbehaving end was caught breaking.
    pub caught: Vec<&'static str>,
    /// Why it is `unsupported` or `failed`.
    pub reason: Option<String>,
    /// The transcripts of its connections as text.
    pub text: String,
    /// Its connections, in sequence; of those of a sweep that are alike, the first.
    pub connections: Vec<Connection>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// What one connection of a cell produced.
#[derive(Debug, Serialize)]
pub struct Connection {
    /// What tells it from others of its cell; empty where it is the only one.
    pub label: String,
    /// What the wire shows, in short.
    pub facts: Facts,
    /// What each requirement that applies says.
    pub rulings: Vec<Ruling>,
    /// The transcript as text.
    pub text: String,
    /// The transcript.
    pub transcript: Transcript,
    /// The bytes.
    pub recording: Recording,
    /// What the client said.
    pub client_report: ConnectionReport,
    /// What the server said.
    pub server_report: ConnectionReport,
}

impl CellResult {
    /// What the wire shows of the last connection, by which a cell is judged.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        self.connections.last().map(|connection| &connection.facts)
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
        pairing(&self.client, &self.server)
    }
}

/// The name of a pairing.
#[must_use]
pub fn pairing(client: &str, server: &str) -> String {
    format!("{client}--{server}")
}

/// Where the time of a run went.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timings {
    /// Building peers.
    pub build: Duration,
    /// Starting peers.
    pub start: Duration,
    /// Running cells.
    pub cells: Duration,
    /// Ending peers.
    pub stop: Duration,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    /// When it started.
    pub started: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision of the request mTLS flag.
    pub revision: Revision,
    /// The peers that took part, in the order of columns.
    pub peers: Vec<Peer>,
    /// The peers that are not there, with the reason.
    pub missing: Vec<(String, String)>,
    /// The cells, in the order of scenarios, cases and pairings.
    pub cells: Vec<CellResult>,
    /// Known deviations that no longer occur.
    pub stale: Vec<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Where the time went.
    pub timings: Timings,
}

impl Run {
    /// How many cells have this conformance.
    #[must_use]
    pub fn count(&self, conformance: Conformance) -> usize {
        self.cells
            .iter()
            .filter(|cell| cell.conformance == conformance)
            .count()
    }

    /// How many cells deviate in a way that is not known.
    #[must_use]
    pub fn count_unknown(&self) -> usize {
        let unknown =
            |cell: &&CellResult| cell.findings.iter().any(|finding| finding.known.is_none());
        let deviating = |cell: &&CellResult| cell.conformance == Conformance::Deviates;
        self.cells.iter().filter(deviating).filter(unknown).count()
    }

    /// How many cells have this drift.
    #[must_use]
    pub fn count_drift(&self, drift: Drift) -> usize {
        self.cells
            .iter()
            .filter(|cell| cell.drift == Some(drift))
            .count()
    }
}

//! What a scenario is once it is read: cases, and what is expected of each.

use super::{Alert, Policy, Settings, choice::choices};

/// One file under `scenarios/`.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its ending.
    pub id: String,
    /// What it shows, in one line.
    pub title: String,
    /// More about it.
    pub about: Option<String>,
    /// The document that it tests.
    pub document: String,
    /// The revisions of the flag under which it holds; at least one.
    pub revisions: Vec<Revision>,
    /// The axes that it varies, in the order of the file.
    pub axes: Vec<&'static str>,
    /// Every point of its axes that is not excluded; the last axis varies fastest.
    pub cases: Vec<Case>,
    /// The points that are.
    pub excluded: Vec<Excluded>,
}

/// One point of a scenario's axes.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's id and the values of its axes, with `/` between.
    pub id: String,
    /// The value of every axis.
    pub settings: Settings,
    /// What the scenario expects.
    pub expected: Expected,
}

/// One point of a scenario's axes that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// What would be the case's id.
    pub id: String,
    /// Why it is left out.
    pub reason: String,
}

/// What a scenario expects of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether the server sends CertificateRequest in the main handshake.
    pub certificate_request: bool,
    /// How the connection ends.
    pub outcome: Outcome,
    /// The alerts by which it may end, by number; empty unless it is refused.
    pub alerts: Vec<Alert>,
    /// Whether the server authenticates the client.
    pub authenticated: bool,
    /// The requirements from which that follows.
    pub because: Vec<&'static str>,
    /// What the file remarks.
    pub notes: Vec<String>,
    /// The lines of the file, from 1, at which the expectations stand.
    pub lines: Vec<usize>,
}

choices! {
    /// How a connection is expected to end.
    pub enum Outcome {
        /// With answer and orderly close.
        Completed = "completed",
        /// With a fatal alert of the server.
        Refused = "refused",
    }
}

choices! {
    /// A revision of the request mTLS flag.
    pub enum Revision {
        /// The draft's revisions -00 to -02, where the flag is a hint.
        Rm = "rm",
        /// The editor's copy of June 2025, where the server acknowledges the flag.
        Rca = "rca",
    }
}

impl Policy {
    /// Whether it asks only the clients that set the flag.
    #[must_use]
    pub fn is_on_flag(self) -> bool {
        matches!(self, Self::RequestOnFlag | Self::RequireOnFlag)
    }
}

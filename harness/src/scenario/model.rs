//! What a scenario is once it is read: cases, and what is expected of each.

use reqmtls_contract::Revision;

use super::{Alert, End, Settings, choice::choices};

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
    /// The end that breaks rules, if one does. It is always the in-tree rustls implementation.
    pub misbehaving: Option<End>,
    /// The axes that it varies, in the order of the file.
    pub axes: Vec<&'static str>,
    /// Every point of its axes that is not excluded; the last axis varies fastest.
    pub cases: Vec<Case>,
    /// The points that are.
    pub excluded: Vec<Excluded>,
}

impl Scenario {
    /// Whether it holds under a revision.
    #[must_use]
    pub fn is_of(&self, revision: Revision) -> bool {
        self.revisions.contains(&revision)
    }
}

/// One point of a scenario's axes.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's id and the values of its axes, with `/` between.
    pub id: String,
    /// The end that breaks rules, if one does.
    pub misbehaving: Option<End>,
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

/// What a scenario expects of a case's last connection; connections before it have to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether the server sends CertificateRequest in the main handshake.
    pub certificate_request: Requested,
    /// How the connection may end.
    pub outcomes: Vec<Outcome>,
    /// The alerts by which it may end, by number; empty unless it may be refused.
    pub alerts: Vec<Alert>,
    /// The end that may refuse.
    pub refused_by: End,
    /// Whether the server authenticates the client, if that is determined.
    pub authenticated: Option<bool>,
    /// Whether the connection resumes a session, if that is determined.
    pub resumed: Option<bool>,
    /// The requirements that the misbehaving end breaks, and that the harness has to catch it at.
    pub breaks: Vec<&'static str>,
    /// The requirements from which that follows.
    pub because: Vec<&'static str>,
    /// What the file remarks.
    pub notes: Vec<String>,
    /// The lines of the file, from 1, at which the expectations stand.
    pub lines: Vec<usize>,
}

impl Expected {
    /// Whether the connection may end in this way.
    #[must_use]
    pub fn allows(&self, outcome: Outcome) -> bool {
        self.outcomes.contains(&outcome)
    }
}

choices! {
    /// Whether CertificateRequest is expected in the main handshake.
    pub enum Requested {
        /// It is not.
        No = "no",
        /// It is.
        Yes = "yes",
        /// If and only if ClientHello sets the request flag.
        OnFlag = "on-flag",
        /// It may be there or not.
        Any = "any",
    }
}

choices! {
    /// How a connection is expected to end.
    pub enum Outcome {
        /// With answer and orderly close.
        Completed = "completed",
        /// With a fatal alert.
        Refused = "refused",
    }
}

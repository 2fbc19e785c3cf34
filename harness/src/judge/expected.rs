//! What a scenario expects of a connection.

use reqmtls_contract::Outcome;
use reqmtls_vocabulary::{AlertDescription, Side, words};

use super::requirement::Id;

/// What a scenario expects of a case's last connection; connections before it have to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether the server sends CertificateRequest in the main handshake.
    pub certificate_request: Requested,
    /// How the connection may end.
    pub outcomes: Vec<Outcome>,
    /// The alerts by which it may end, by number; empty unless it may be refused.
    pub alerts: Vec<AlertDescription>,
    /// The end that may refuse.
    pub refused_by: Side,
    /// Whether the server authenticates the client, if that is determined.
    pub authenticated: Option<bool>,
    /// Whether the connection resumes a session, if that is determined.
    pub resumed: Option<bool>,
    /// The requirements that misbehaving ends violate, and that the harness has to catch them at.
    pub violates: Vec<Id>,
    /// The requirements from which that follows.
    pub because: Vec<Id>,
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

words! {
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

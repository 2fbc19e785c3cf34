//! What is not as it should be, and whether a cell conforms.

use std::fmt;

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::{Side, words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::Id;

words! {
    /// Whether a cell conforms; never changed from one to another once found.
    pub enum Conformance {
        /// Everything is as the documents, the scenario and the contract expect.
        Conforms = "conforms",
        /// There are findings.
        Deviates = "deviates",
        /// A peer says that it cannot do what the case needs.
        Unsupported = "unsupported",
        /// The harness or a peer broke, or nothing better is proven.
        Failed = "failed",
    }
}

words! {
    /// Who is at fault, or whose choice an observation is.
    pub enum Party {
        /// The end that sends ClientHello.
        Client = "client",
        /// The end that answers it.
        Server = "server",
        /// The documents, which leave a gap or contradict each other.
        Documents = "documents",
    }
}

impl Party {
    /// The side, if it is one.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Self::Client => Some(Side::Client),
            Self::Server => Some(Side::Server),
            Self::Documents => None,
        }
    }
}

impl From<Side> for Party {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

/// Something that is not as it should be, with the message that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The requirements that are violated, or that the expectation cites; empty for a report that
    /// contradicts the wire.
    pub requirements: Vec<Id>,
    /// Who is at fault.
    pub party: Party,
    /// Whose behaviour it is, if a side is at fault and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// The line of the transcript that shows it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What was observed.
    pub got: String,
    /// What was expected.
    pub expected: String,
    /// Whether it is our conclusion alone, drawn about an unmodified library: reported, and no deviation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// Why it is so, if it is listed among the known deviations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

impl Finding {
    /// A report that contradicts the wire.
    pub(super) fn of_report(side: Side, got: String, expected: String) -> Self {
        Self {
            requirements: Vec::new(),
            party: side.into(),
            provenance: None,
            message: None,
            got,
            expected,
            inferred: false,
            known: None,
        }
    }

    /// Who is at fault, and for what.
    #[must_use]
    pub fn said(&self) -> String {
        format!("{}: {self}", self.party)
    }

    /// Whether it makes a cell deviate: it is an end's fault, and more than our conclusion about a library.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.party.side().is_some() && !self.inferred
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}", self.got, self.expected)?;
        if self.requirements.is_empty() {
            f.write_str(" (peer contract)")?;
        } else {
            let ids: Vec<_> = self.requirements.iter().map(ToString::to_string).collect();
            write!(f, " ({})", ids.join(", "))?;
        }
        self.known
            .as_ref()
            .map_or(Ok(()), |known| write!(f, "; known: {known}"))
    }
}

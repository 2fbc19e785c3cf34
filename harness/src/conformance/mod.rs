//! Whether a cell's transcript is what the documents ask for.

pub mod check;
mod expectation;
mod facts;
pub mod known;
mod misreport;
pub mod requirement;

use std::fmt;

use serde::Serialize;

pub use self::expectation::{Judged, judge};
pub use self::facts::{Facts, Outcome};
pub use self::misreport::misreports;

use reqmtls_observer::Side;

/// Whether a cell conforms; never changed from one to another once found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Conformance {
    /// Everything is as the scenario and the contract expect.
    Conforms,
    /// There are findings.
    Deviates,
    /// A peer says that it cannot do what the case needs.
    Unsupported,
    /// The harness or a peer broke, or nothing better is proven.
    #[default]
    Failed,
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Conforms => "conforms",
            Self::Deviates => "deviates",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
        })
    }
}

/// Something that is not as it should be, with the message that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The requirements that are broken, or that the expectation cites; empty for a report that
    /// contradicts the wire.
    pub requirements: Vec<&'static str>,
    /// The end at fault.
    pub side: Side,
    /// The line of the transcript that shows it, if one does.
    pub message: Option<String>,
    /// What was got.
    pub got: String,
    /// What was expected.
    pub expected: String,
    /// Why it is so, if it is listed among the known deviations.
    pub known: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: got {}, expected {}",
            self.side.name(),
            self.got,
            self.expected
        )?;
        if self.requirements.is_empty() {
            f.write_str(" (peer contract)")?;
        } else {
            write!(f, " ({})", self.requirements.join(", "))?;
        }
        self.known
            .as_ref()
            .map_or(Ok(()), |known| write!(f, "; known: {known}"))
    }
}

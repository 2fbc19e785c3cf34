//! Interface of the checks.
use reqmtls_contract::{ConnectionReport, Revision, Setup};
use serde::Serialize;

use super::requirement::Requirement;
use crate::wire::{Side, Transcript};

/// One connection as the checks see it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What the wire shows.
    pub transcript: &'a Transcript,
    /// Which of the job's connections it is.
    pub connection: u32,
    /// The client.
    pub client: End<'a>,
    /// The server.
    pub server: End<'a>,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision.
    pub revision: Revision,
}

/// One end.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// What it was told.
    pub setup: &'a Setup,
    /// What it says.
    pub report: &'a ConnectionReport,
}

/// What one requirement says of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// The requirement.
    #[serde(serialize_with = "id")]
    pub requirement: &'static Requirement,
    /// How.
    pub verdict: Verdict,
    /// The line.
    pub message: Option<String>,
    /// Got.
    pub got: String,
}

fn id<S: serde::Serializer>(
    requirement: &&'static Requirement,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(requirement.id)
}

/// How a requirement stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// Kept.
    Kept(Side),
    /// Told.
    Told(Option<Side>),
    /// Broken.
    Broken {
        /// By whom.
        side: Side,
        /// What would be right.
        expected: String,
    },
    /// Tension.
    Tension {
        /// Followed.
        follows: &'static str,
        /// Not.
        against: &'static str,
    },
}

/// Rules.
#[must_use]
pub fn rule(_view: &View<'_>) -> Vec<Ruling> {
    Vec::new()
}

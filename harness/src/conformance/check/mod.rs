//! What each requirement says of one connection.
//!
//! A check is a small pure function over a [`View`]. It tells nothing where its requirement does not
//! apply: RM applies under revision `rm` and RCA under `rca`, TF and TLS under both. What a
//! receiver has to answer applies to a receiver that knows `tls_flags`, in TLS 1.3, to the first
//! message that calls for an answer; to a receiver that does not know it, it is one more unknown extension.
//!
//! MAY, SHOULD and SHOULD NOT are told and never broken. A statement without a key word is broken
//! where it defines something: a format (TF-1, TF-2), a place (TF-9, RM-4), what a receiver passes
//! over (TF-8, TLS-11), or what an end was set up to do (RM-5). RM-2 only explains, and is told.

mod answer;
mod authentication;
mod closure;
mod extensions;
mod offence;
mod rca;
mod rm;
mod table;
#[cfg(test)]
mod tests;
mod tf;
mod unknown;
mod view;

use std::fmt;

use reqmtls_contract as contract;
use serde::{Serialize, Serializer};

use super::requirement::{self, Document, Requirement};
use reqmtls_observer::{AlertDescription, Entry, Side, TlsFlagsError, Transcript};

pub use self::table::{CHECKS, Check};

/// One connection as the checks see it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What passed.
    pub transcript: &'a Transcript,
    /// The end that sends ClientHello.
    pub client: End<'a>,
    /// The end that answers it.
    pub server: End<'a>,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision of the request mTLS flag that the connection is judged by.
    pub revision: contract::Revision,
    /// The number of the connection within its job: 1 offers the session of 0.
    pub connection: u32,
}

/// The alerts that answer malformed `tls_flags`, each with the requirement that demands it.
pub(crate) fn answers(error: TlsFlagsError) -> &'static [(AlertDescription, &'static str)] {
    offence::Fault::from(error).demands()
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// What it was told to do.
    pub setup: &'a contract::Setup,
    /// What it says that it did.
    pub report: &'a contract::ConnectionReport,
}

/// What one requirement says of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// The requirement.
    #[serde(serialize_with = "id")]
    pub requirement: &'static Requirement,
    /// What it says.
    pub verdict: Verdict,
    /// The line of the transcript that shows it, if one does.
    pub message: Option<String>,
    /// What was got, in a few words.
    pub got: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference to the field"
)]
fn id<S: Serializer>(requirement: &&Requirement, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(requirement.id)
}

/// What a requirement says of what an end did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// This side could have broken it and did not.
    Kept(Side),
    /// What was done, by this side if it is about one, where the requirement leaves the choice or
    /// names no alert; never a failure.
    Told(Option<Side>),
    /// This side broke it.
    Broken {
        /// The side at fault.
        side: Side,
        /// What would be right.
        expected: String,
    },
    /// Two requirements want different things.
    Tension {
        /// The id of the one that was followed.
        follows: &'static str,
        /// The id of the other one.
        against: &'static str,
    },
}

impl Ruling {
    /// Whether it blames this side.
    #[must_use]
    pub fn is_broken_by(&self, by: Side) -> bool {
        matches!(self.verdict, Verdict::Broken { side, .. } if side == by)
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, got) = (self.requirement.id, &self.got);
        match &self.verdict {
            Verdict::Kept(side) => write!(f, "{id} kept by the {}: {got}", side.name()),
            Verdict::Told(_) => write!(f, "{id}: {got}"),
            Verdict::Broken { side, expected } => write!(
                f,
                "{id} broken by the {}: got {got}, expected {expected}",
                side.name()
            ),
            Verdict::Tension { follows, against } => {
                write!(f, "{id}: {got} follows {follows} against {against}")
            }
        }
    }
}

/// Every ruling of the requirements that apply, in the order of the table.
#[must_use]
pub fn rule(view: &View<'_>) -> Vec<Ruling> {
    applicable(view.revision)
        .flat_map(|requirement| {
            let shown = match table::find(requirement.id) {
                Some(Check::Observed(check)) => check(view),
                Some(Check::Unobservable(_)) | None => Vec::new(),
            };
            shown.into_iter().map(move |shown| Ruling {
                requirement,
                verdict: shown.verdict,
                message: shown.message,
                got: shown.got,
            })
        })
        .collect()
}

/// The requirements that apply under a revision, in the order of the table.
pub fn applicable(revision: contract::Revision) -> impl Iterator<Item = &'static Requirement> {
    let all = requirement::all().iter();
    all.filter(move |requirement| applies(requirement.document, revision))
}

fn applies(document: Document, revision: contract::Revision) -> bool {
    match document {
        Document::Rm => revision == contract::Revision::Rm,
        Document::Rca => revision == contract::Revision::Rca,
        Document::Tf | Document::Tls => true,
    }
}

/// What a check finds: a [`Ruling`] that does not yet name its requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    verdict: Verdict,
    message: Option<String>,
    got: String,
}

impl Shown {
    fn kept(view: &View<'_>, side: Side, entry: &Entry, got: impl Into<String>) -> Self {
        Self::of(view, Verdict::Kept(side), Some(entry), got)
    }

    fn told(view: &View<'_>, side: Side, entry: &Entry, got: impl Into<String>) -> Self {
        Self::of(view, Verdict::Told(Some(side)), Some(entry), got)
    }

    fn broken(
        view: &View<'_>,
        side: Side,
        entry: &Entry,
        got: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let expected = expected.into();
        Self::of(view, Verdict::Broken { side, expected }, Some(entry), got)
    }

    fn of(
        view: &View<'_>,
        verdict: Verdict,
        entry: Option<&Entry>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            verdict,
            message: entry.and_then(|entry| view.transcript.line(entry, view.flag)),
            got: got.into(),
        }
    }
}

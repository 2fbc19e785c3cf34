//! What each requirement says of one connection.
//!
//! A check is a small pure function over a [`View`]. It says nothing where its requirement does not apply,
//! and nothing where the view does not have what it needs. Which check is whose stands in the requirements'
//! table.

mod answer;
pub(super) mod authentication;
pub(super) mod closure;
pub(super) mod extensions;
mod offence;
pub(super) mod pending;
pub(super) mod rca;
pub(super) mod rm;
pub(super) mod tf;
pub(super) mod unknown;
mod view;

use reqmtls_observer::{AlertDescription, Entry, Side, TlsFlagsError, Transcript};

use super::finding::Party;
use super::knowledge::Knowledge;
use super::requirement::{Check, Id, applicable};
use super::ruling::{Ruling, Verdict};

/// One connection as the checks see it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What passed.
    pub transcript: &'a Transcript,
    /// What is known beyond that.
    pub knowledge: &'a Knowledge,
}

/// The alerts that answer malformed `tls_flags`, each with the requirement that demands it.
pub(crate) fn answers(error: TlsFlagsError) -> &'static [(AlertDescription, &'static str)] {
    offence::Fault::from(error).demands()
}

/// Every ruling of the requirements that apply, in the order of the table.
#[must_use]
pub fn rule(view: &View<'_>) -> Vec<Ruling> {
    applicable(view.knowledge.revision)
        .flat_map(|requirement| {
            let shown = match requirement.check {
                Check::Observed(check) => check(view),
                Check::Unobservable(_) => Vec::new(),
            };
            shown.into_iter().map(move |shown| Ruling {
                requirement: requirement.into(),
                party: shown.party,
                provenance: shown
                    .party
                    .side()
                    .and_then(|side| view.knowledge.end(side).provenance),
                verdict: shown.verdict,
                message: shown.message,
                got: shown.got,
            })
        })
        .collect()
}

/// What a check finds: a [`Ruling`] that does not yet name its requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    party: Party,
    verdict: Verdict,
    message: Option<String>,
    got: String,
}

impl Shown {
    fn satisfied(view: &View<'_>, side: Side, entry: &Entry, got: impl Into<String>) -> Self {
        Self::of(view, side, Verdict::Satisfied, Some(entry), got)
    }

    fn informational(view: &View<'_>, side: Side, entry: &Entry, got: impl Into<String>) -> Self {
        Self::of(view, side, Verdict::Informational, Some(entry), got)
    }

    fn violated(
        view: &View<'_>,
        side: Side,
        entry: &Entry,
        got: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let expected = expected.into();
        Self::of(view, side, Verdict::Violated { expected }, Some(entry), got)
    }

    fn of(
        view: &View<'_>,
        party: impl Into<Party>,
        verdict: Verdict,
        entry: Option<&Entry>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            party: party.into(),
            verdict,
            message: entry.and_then(|entry| view.transcript.line(entry, view.knowledge.flag)),
            got: got.into(),
        }
    }
}

/// Of two requirements that want different things, by their ids, the first was followed.
fn tension(follows: &str, against: &str) -> Verdict {
    let find = |id| Id::find(id).expect("an id of the table");
    Verdict::Tension {
        follows: find(follows),
        against: find(against),
    }
}

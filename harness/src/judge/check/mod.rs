//! What each requirement says of one connection.
//!
//! A check is a small pure function over a [`View`]. It says nothing where its requirement does not apply,
//! and nothing where the view does not have what it needs. Which check is whose stands in the requirements'
//! table.

pub(super) mod alerts;
mod answer;
pub(super) mod certificate;
pub(super) mod extensions;
mod index;
mod malformed;
mod offence;
pub(super) mod rca;
pub(super) mod refusal;
pub(super) mod request;
pub(super) mod rm;
mod specified;
pub(super) mod tf;
pub(super) mod unknown;
mod view;

#[cfg(test)]
mod tests;

use reqmtls_observer::{AlertDescription, Entry, Side, TlsFlagsError};

use super::finding::Party;
use super::requirement::{Check, Id, applicable};
use super::ruling::{Ruling, Verdict};

pub(crate) use self::answer::name as alert_name;
pub(in crate::judge) use self::extensions::is_changed_after_retry;
pub use self::view::View;
pub(in crate::judge) use self::view::{Chain, chain};

/// The alerts that answer malformed `tls_flags`, each with the requirement that demands it.
#[must_use]
pub fn answers(error: TlsFlagsError) -> &'static [(AlertDescription, &'static str)] {
    malformed::demands(error)
}

/// The check of a requirement that is a demand on the receiver of something wrong, and nothing else.
pub(in crate::judge) mod demand {
    use super::answer::held;
    use super::{Shown, View};

    macro_rules! demands {
        ($($name:ident = $id:literal,)*) => {$(
            #[doc = concat!("What the receivers did for which ", $id, " names an alert.")]
            pub(in crate::judge) fn $name(view: &View<'_>) -> Vec<Shown> {
                held(view, $id)
            }
        )*};
    }

    demands! {
        tf_3 = "TF-3",
        tf_4 = "TF-4",
        tf_7 = "TF-7",
        rca_6 = "RCA-6",
        rca_7 = "RCA-7",
        rca_8 = "RCA-8",
        tls_6 = "TLS-6",
        tls_18 = "TLS-18",
        tls_19 = "TLS-19",
    }
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
            message: entry.and_then(|entry| view.line(entry)),
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

//! Examples: for every requirement and every side that it binds, a connection of each kind.

use std::collections::BTreeSet;

use super::scene::Scene;
use super::{authentication, closure, extensions, flags, rca, receivers, rm};
use crate::judge::finding::Party;
use crate::judge::requirement::{self, Check, Id};
use crate::judge::ruling::{Ruling, Verdict};

/// What a requirement says of a party in an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Satisfied,
    Informational,
    Violated,
    /// Nothing: it does not apply, or is not to be judged.
    Silent,
    /// It was followed against another one.
    Follows(&'static str),
    /// The other one was followed against it.
    Yields(&'static str),
}

/// A connection, and what one requirement says of one party in it.
pub(super) struct Example {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
    pub(super) party: Party,
    pub(super) kind: Kind,
    pub(super) scene: fn() -> Scene,
}

/// Declares examples, each as a test whose name is a sentence, and all of them as data.
macro_rules! examples {
    ($($name:ident: $id:literal $party:ident $kind:expr => $scene:expr;)*) => {
        pub(super) const EXAMPLES: &[Example] = &[$(Example {
            name: stringify!($name),
            id: $id,
            party: Party::$party,
            kind: $kind,
            scene: || $scene,
        },)*];

        $(#[test]
        fn $name() {
            crate::judge::check::tests::examples::hold(EXAMPLES, stringify!($name));
        })*
    };
}
pub(super) use examples;

/// Checks the example of that name.
pub(super) fn hold(examples: &[Example], name: &str) {
    let example = examples
        .iter()
        .find(|example| example.name == name)
        .unwrap();
    let rulings = (example.scene)().rulings_of(example.id);
    let of_party: Vec<_> = rulings
        .iter()
        .filter(|ruling| ruling.party == example.party)
        .collect();
    let texts: Vec<_> = rulings.iter().map(ToString::to_string).collect();
    let is_shown = |kind| of_party.iter().any(|ruling| is(ruling, example.id, kind));
    let is_as_declared = match example.kind {
        Kind::Silent => of_party.is_empty(),
        Kind::Violated => is_shown(Kind::Violated),
        kind => is_shown(kind) && !is_shown(Kind::Violated),
    };
    assert!(
        is_as_declared,
        "got {texts:#?}, expected {:?}",
        example.kind
    );
}

fn is(ruling: &Ruling, id: &str, kind: Kind) -> bool {
    match (&ruling.verdict, kind) {
        (Verdict::Satisfied, Kind::Satisfied)
        | (Verdict::Informational, Kind::Informational)
        | (Verdict::Violated { .. }, Kind::Violated) => true,
        (Verdict::Tension { follows, against }, Kind::Follows(other)) => {
            (follows.as_str(), against.as_str()) == (id, other)
        }
        (Verdict::Tension { follows, against }, Kind::Yields(other)) => {
            (follows.as_str(), against.as_str()) == (other, id)
        }
        _ => false,
    }
}

fn all() -> impl Iterator<Item = &'static Example> {
    let families = [
        rm::EXAMPLES,
        rca::EXAMPLES,
        flags::EXAMPLES,
        receivers::EXAMPLES,
        authentication::EXAMPLES,
        extensions::EXAMPLES,
        closure::EXAMPLES,
    ];
    families.into_iter().flatten()
}

const CLIENT: &[Party] = &[Party::Client];
const SERVER: &[Party] = &[Party::Server];
const BOTH: &[Party] = &[Party::Client, Party::Server];

/// Requirements of which no connection shows a violation by these parties, and why.
const NEVER_VIOLATED: &[(&str, &[Party], &str)] = &[
    ("RM-1", SERVER, "a permission"),
    ("RM-2", SERVER, "an explanation"),
    (
        "RM-3",
        SERVER,
        "a permission; what it does not permit violates TLS-4",
    ),
    ("RCA-2", SERVER, "a permission"),
    (
        "RCA-4",
        CLIENT,
        "a recommendation, and what a client anticipates is not to be seen",
    ),
    ("RCA-10", CLIENT, "a recommendation"),
    (
        "RCA-11",
        CLIENT,
        "an explanation; who does not follow it follows RCA-3",
    ),
    (
        "TF-9",
        CLIENT,
        "the version is not known in ClientHello, and Certificate of TLS 1.2 has no extensions",
    ),
    (
        "TF-11",
        BOTH,
        "a recommendation, and which flags require acknowledgement is not known",
    ),
    (
        "TF-12",
        BOTH,
        "another response is an unsolicited flag and violates TF-6",
    ),
];

/// What requirements pull against, and the sides at which they do.
const TENSIONS: &[(&str, &str, &[Party])] = &[
    ("RM-3", "TLS-4", SERVER),
    ("RCA-1", "TF-11", SERVER),
    ("RCA-11", "RCA-3", CLIENT),
    ("TF-4", "TLS-17", BOTH),
    ("TF-4", "TLS-18", BOTH),
    ("TF-3", "TLS-7", BOTH),
    ("TF-4", "TLS-7", BOTH),
    ("TF-7", "TLS-7", BOTH),
    ("TLS-8", "TLS-7", BOTH),
    ("TLS-19", "TLS-7", CLIENT),
    ("TLS-19", "TLS-17", CLIENT),
    ("TLS-19", "TLS-18", CLIENT),
    ("RCA-7", "TLS-7", CLIENT),
    ("RCA-8", "TLS-7", SERVER),
    ("TLS-17", "TLS-7", BOTH),
    ("TLS-18", "TLS-7", BOTH),
];

/// Pairs of which the second is never seen to be followed against the first, and why.
const ONE_WAY: &[(&str, &str, &str)] = &[(
    "RCA-11",
    "RCA-3",
    "a client that sends Certificate satisfies RCA-3, and RCA-11 only permits to end",
)];

fn parties(row: &requirement::Requirement) -> Vec<Party> {
    match row.binds {
        [] => vec![Party::Documents],
        sides => sides.iter().copied().map(Party::from).collect(),
    }
}

#[test]
fn every_requirement_has_examples_of_every_kind_for_every_side_that_it_binds() {
    let has = |id: &str, party, wanted: &dyn Fn(Kind) -> bool| {
        all().any(|it| it.id == id && it.party == party && wanted(it.kind))
    };
    let mut missing = Vec::new();
    for row in requirement::all() {
        let is_observed = matches!(row.check, Check::Observed(_));
        for party in parties(row).into_iter().filter(|_| is_observed) {
            let mut need = |what: &str, is_there: bool| {
                if !is_there {
                    missing.push(format!("{} {party}: {what}", row.id));
                }
            };
            need("silent", has(row.id, party, &|kind| kind == Kind::Silent));
            let is_exempt = NEVER_VIOLATED
                .iter()
                .any(|it| it.0 == row.id && it.1.contains(&party));
            let is_violated = has(row.id, party, &|kind| kind == Kind::Violated);
            need("violated", is_violated != is_exempt);
            let satisfies = |kind| {
                matches!(
                    kind,
                    Kind::Satisfied | Kind::Informational | Kind::Follows(_)
                )
            };
            need(
                "satisfied",
                party == Party::Documents || has(row.id, party, &satisfies),
            );
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_tension_has_examples_of_both_choices_in_the_rows_of_both_requirements() {
    let mut missing = Vec::new();
    for (first, second, parties) in TENSIONS {
        for party in *parties {
            for (id, other) in [(*first, *second), (*second, *first)] {
                let is_one_way = ONE_WAY
                    .iter()
                    .any(|(one, two, _)| (one, two) == (first, second));
                let kinds = match (is_one_way, id == *first) {
                    (false, _) => vec![Kind::Follows(other), Kind::Yields(other)],
                    (true, true) => vec![Kind::Follows(other)],
                    (true, false) => vec![Kind::Yields(other)],
                };
                for kind in kinds {
                    let is_wanted =
                        |it: &Example| it.id == id && it.party == *party && it.kind == kind;
                    if !all().any(is_wanted) {
                        missing.push(format!("{id} {party}: {kind:?}"));
                    }
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_tension_that_an_example_shows_is_listed() {
    let mut unlisted = BTreeSet::new();
    for example in all() {
        for ruling in (example.scene)().rulings() {
            let Verdict::Tension { follows, against } = ruling.verdict else {
                continue;
            };
            let pair = |one: Id, other: Id| {
                TENSIONS.iter().any(|(first, second, parties)| {
                    (one.as_str(), other.as_str()) == (*first, *second)
                        && parties.contains(&ruling.party)
                })
            };
            if !pair(follows, against) && !pair(against, follows) {
                unlisted.insert(format!("{follows} {against} {}", ruling.party));
            }
        }
    }
    assert_eq!(unlisted, BTreeSet::new());
}

#[test]
fn no_ruling_names_a_party_that_the_requirement_does_not_bind_unless_it_reports() {
    for example in all() {
        for ruling in (example.scene)().rulings() {
            let binds = parties(ruling.requirement.get()).contains(&ruling.party);
            let reports = ruling.verdict == Verdict::Informational;
            assert!(binds || reports, "{}: {ruling}", example.name);
        }
    }
}

#[test]
fn exceptions_name_requirements_that_there_are() {
    let listed = NEVER_VIOLATED.iter().map(|(id, ..)| *id);
    for (first, second, reason) in ONE_WAY {
        let is_pair = |it: &&(&str, &str, &[Party])| (it.0, it.1) == (*first, *second);
        assert!(
            TENSIONS.iter().any(|it| is_pair(&it)),
            "{first} {second}: {reason}"
        );
    }
    let pulling = TENSIONS
        .iter()
        .flat_map(|(first, second, _)| [*first, *second]);
    for id in listed.chain(pulling) {
        assert!(Id::find(id).is_some(), "{id}");
    }
    assert!(
        NEVER_VIOLATED
            .iter()
            .all(|(_, parties, reason)| !parties.is_empty() && !reason.is_empty())
    );
}

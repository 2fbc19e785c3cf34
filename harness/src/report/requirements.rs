//! `requirements.md`: by which cases each requirement is exercised. Holds nothing that differs from run to run.

use std::fmt::Write;

use reqmtls_contract::Revision;

use crate::conformance::check::{CHECKS, Check, Verdict, applicable};
use crate::conformance::requirement::{Document, Requirement};
use crate::event::{CellResult, Run};

/// Why no end here can be made to break a requirement, for those of which that is so.
const UNBREAKABLE: &[(&str, &str)] = &[
    ("RM-1", FREE),
    ("RM-2", FREE),
    ("RM-3", FREE),
    ("RCA-2", FREE),
    ("RCA-3", NO_SEAM),
    ("RCA-4", "SHOULD NOT: told, and never a failure"),
    ("TF-8", "no end here refuses flags that it does not know"),
    ("TLS-1", NO_SEAM),
    ("TLS-2", NO_SEAM),
    ("TLS-3", NO_SEAM),
    ("TLS-4", FREE),
    ("TLS-5", FREE),
    (
        "TLS-6",
        "no end here accepts a signature that does not verify",
    ),
    ("TLS-10", NO_SEAM),
    ("TLS-12", NO_SEAM),
];
const FREE: &str = "both choices are right: told, and never a failure";
const NO_SEAM: &str = "the seam edits extensions, and neither adds messages nor leaves them out";

/// How often a requirement was met and broken in a run.
#[derive(Debug, Default)]
struct Count<'a> {
    kept: Vec<&'a CellResult>,
    told: Vec<&'a CellResult>,
    caught: Vec<&'a CellResult>,
    deviating: Vec<&'a CellResult>,
}

impl<'a> Count<'a> {
    fn of(run: &'a Run, id: &str) -> Self {
        let mut count = Self::default();
        for cell in &run.cells {
            let verdicts = || {
                let of = cell.rulings().filter(|ruling| ruling.requirement.id == id);
                of.map(|ruling| &ruling.verdict)
            };
            let is = |wanted: fn(&Verdict) -> bool| verdicts().any(wanted);
            let broken_by = |misbehaving: bool| {
                verdicts().any(|verdict| match verdict {
                    Verdict::Broken { side, .. } => cell.misbehaving.contains(side) == misbehaving,
                    _ => false,
                })
            };
            let lists = [
                (&mut count.kept, is(|it| matches!(it, Verdict::Kept(_)))),
                (
                    &mut count.told,
                    is(|it| matches!(it, Verdict::Told(_) | Verdict::Tension { .. })),
                ),
                (&mut count.caught, broken_by(true)),
                (&mut count.deviating, broken_by(false)),
            ];
            for (list, holds) in lists {
                if holds {
                    list.push(cell);
                }
            }
        }
        count
    }
}

/// The table of a run.
#[must_use]
pub fn requirements(run: &Run) -> String {
    let mut text = String::from("# Which cases exercise which requirement\n\n");
    text.push_str(
        "Written by `reqmtls run`; `cargo test` holds it against a run of its own. *Kept*: cells in which an end \
         could have broken it and did not. *Told*: cells in which a choice was made that is free, or two documents \
         pull apart. *Caught*: cells in which the misbehaving end broke it on purpose, and was found to. *Deviating*: \
         cells in which a real stack broke it. Each number stands before one of its cases.\n\n",
    );
    text.push_str("| id | level | kept | told | caught | deviating | never broken, and why |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for requirement in rows(run) {
        let count = Count::of(run, requirement.id);
        let cells = [&count.kept, &count.told, &count.caught, &count.deviating].map(|cells| {
            cells.first().map_or("–".to_owned(), |cell| {
                format!("{} `{}`", cells.len(), cell.case)
            })
        });
        let why = why(requirement, &count).unwrap_or("");
        // A String takes whatever is written to it.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {why} |",
            requirement.id,
            requirement.level,
            cells.join(" | ")
        );
    }
    text
}

/// Every requirement that a run neither exercises nor says why it cannot, and every reason that is no
/// longer true.
#[must_use]
pub fn unexercised(run: &Run) -> Vec<String> {
    let mut lacking = Vec::new();
    for requirement in rows(run) {
        let count = Count::of(run, requirement.id);
        let id = requirement.id;
        let broken = !count.caught.is_empty() || !count.deviating.is_empty();
        let met = !count.kept.is_empty() || !count.told.is_empty();
        let observable = !matches!(check(id), Some(Check::Unobservable(_)));
        if observable && !met {
            lacking.push(format!("{id} is met by no case"));
        }
        match (broken, unbreakable(id)) {
            (false, None) if observable => lacking.push(format!("{id} is broken by no case")),
            (true, Some(_)) if !count.caught.is_empty() => {
                lacking.push(format!("{id} is said to be unbreakable and is broken"));
            }
            _ => {}
        }
    }
    lacking
}

/// The requirements of a run's table: what holds under both revisions stands in that of the drafts.
fn rows(run: &Run) -> impl Iterator<Item = &'static Requirement> {
    let revision = run.revision;
    let shown = move |requirement: &&Requirement| {
        revision == Revision::Draft02 || requirement.document == Document::Rca
    };
    applicable(revision).filter(shown)
}

fn why(requirement: &Requirement, count: &Count<'_>) -> Option<&'static str> {
    if let Some(Check::Unobservable(why)) = check(requirement.id) {
        return Some(why);
    }
    let broken = !count.caught.is_empty() || !count.deviating.is_empty();
    unbreakable(requirement.id).filter(|_| !broken)
}

fn check(id: &str) -> Option<Check> {
    let found = CHECKS.iter().find(|(other, _)| *other == id);
    found.map(|(_, check)| *check)
}

fn unbreakable(id: &str) -> Option<&'static str> {
    let found = UNBREAKABLE.iter().find(|(other, _)| *other == id);
    found.map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::requirement;

    #[test]
    fn reasons_are_of_requirements_that_there_are() {
        for (id, _) in UNBREAKABLE {
            assert!(requirement::find(id).is_some(), "{id}");
        }
    }
}

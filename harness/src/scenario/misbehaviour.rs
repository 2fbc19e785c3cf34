//! Ends that misbehave: what a file declares of them, compared with what its cases make them do.

use std::collections::HashSet;

use indexmap::IndexMap;
use reqmtls_contract::Revision;
use reqmtls_vocabulary::Side;

use super::CaseId;
use super::coverage::named;
use super::diagnostic::{Mistake, Place};
use super::expectation::Expect;
use super::file::File;
use super::reader::At;
use crate::judge::requirement::{self, Id};

/// What the cases so far show.
#[derive(Default)]
pub(super) struct Misbehaviour {
    /// Cases in which an end misbehaves that the file does not declare.
    undeclared: IndexMap<Side, Vec<CaseId>>,
    /// Ends that it declares, and that misbehave in a case.
    confirmed: HashSet<Side>,
    /// Requirements that no misbehaving end of a case can violate, and where they stand.
    unbound: IndexMap<(Id, Place), Vec<CaseId>>,
}

impl Misbehaviour {
    /// Adds a case in which these ends misbehave.
    pub(super) fn add(&mut self, file: &File, case: &CaseId, misbehaving: &[Side]) {
        for side in misbehaving {
            if file.misbehaving.iter().any(|at| at.value == *side) {
                self.confirmed.insert(*side);
            } else {
                self.undeclared.entry(*side).or_default().push(case.clone());
            }
        }
    }

    /// Adds an expectation that matches such a case.
    pub(super) fn add_expectation(&mut self, expect: &Expect, case: &CaseId, misbehaving: &[Side]) {
        for At { value: id, place } in &expect.violates {
            let binds = id.get().binds;
            if !binds.iter().any(|side| misbehaving.contains(side)) {
                let key = (*id, place.clone());
                self.unbound.entry(key).or_default().push(case.clone());
            }
        }
    }

    pub(super) fn mistakes(self, file: &File) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (side, cases) in self.undeclared {
            let message = format!("the {side} misbehaves in {}", named(&cases));
            let label = format!("expected that `misbehaving` names the {side}");
            mistakes.push(Mistake::new(message, file.axes.place.clone(), label));
        }
        for At { value: side, place } in &file.misbehaving {
            if !self.confirmed.contains(side) {
                let message = format!("the {side} misbehaves in no case");
                let label = "expected a value by which it does, in [axes] or [setup]";
                mistakes.push(Mistake::new(message, place.clone(), label));
            }
        }
        for ((id, place), cases) in self.unbound {
            let message = format!("no misbehaving end can violate `{id}` in {}", named(&cases));
            let label = match id.get().binds {
                [] => "it binds no end".to_owned(),
                sides => {
                    let sides: Vec<_> = sides.iter().map(|side| format!("the {side}")).collect();
                    format!("it binds {}", sides.join(" and "))
                }
            };
            mistakes.push(Mistake::new(message, place, label));
        }
        mistakes.extend(inapplicable(file));
        mistakes
    }
}

/// Requirements that do not apply under the file's revisions. What follows has to follow from one that applies
/// under one of them; what is violated has to apply under each.
fn inapplicable(file: &File) -> Vec<Mistake> {
    // The revisions under which a requirement does not apply.
    let outside = |id: Id| {
        let applies = |revision: Revision| {
            let mut rows = requirement::applicable(revision);
            rows.any(|row| row.id == id.as_str())
        };
        let revisions = file.revisions.iter();
        let outside = revisions.filter(|revision| !applies(**revision));
        outside.map(|it| it.as_str()).collect::<Vec<_>>()
    };
    let mut mistakes = Vec::new();
    for expect in &file.expect {
        let because = expect.because.iter().map(|at| (at, file.revisions.len()));
        let violates = expect.violates.iter().map(|at| (at, 1));
        for (At { value, place }, too_many) in because.chain(violates) {
            let outside = outside(*value);
            if outside.len() >= too_many {
                let message = format!("`{value}` does not apply under {}", outside.join(" and "));
                let label =
                    "expected a requirement of a document that this file's revision follows";
                mistakes.push(Mistake::new(message, place.clone(), label));
            }
        }
    }
    mistakes
}

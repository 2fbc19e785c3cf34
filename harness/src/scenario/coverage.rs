//! Whether expectations and exclusions fit the cases: each matches one, and none lacks what it needs.

use indexmap::IndexMap;

use super::diagnostic::Mistake;
use super::expand::meets;
use super::file::File;
use super::merge::Gap;
use super::{CaseId, Settings};

/// How many cases an error names.
const NAMED: usize = 3;

/// Which expectations and exclusions have matched a case.
pub(super) struct Used {
    expect: Vec<bool>,
    exclude: Vec<bool>,
}

impl Used {
    pub(super) fn none(file: &File) -> Self {
        Self {
            expect: vec![false; file.expect.len()],
            exclude: vec![false; file.exclude.len()],
        }
    }

    /// The reason of the first exclusion that matches, which alone is used.
    pub(super) fn exclusion(&mut self, file: &File, settings: &Settings) -> Option<String> {
        let mut all = file.exclude.iter().zip(&mut self.exclude);
        let (exclude, used) = all.find(|(exclude, _)| meets(settings, &exclude.when))?;
        *used = true;
        Some(exclude.reason.clone())
    }

    /// The numbers of the expectations that match.
    pub(super) fn expectations(&mut self, file: &File, settings: &Settings) -> Vec<usize> {
        let mut matching = Vec::new();
        for (number, expect) in file.expect.iter().enumerate() {
            if meets(settings, &expect.when) {
                self.expect[number] = true;
                matching.push(number);
            }
        }
        matching
    }

    /// What matches nothing. Conditions name values that there are, so that only exclusions can cause it.
    pub(super) fn mistakes(&self, file: &File) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (expect, used) in file.expect.iter().zip(&self.expect) {
            if !used {
                let label = "every case that it matches is excluded";
                let message = "this expectation matches no case";
                mistakes.push(Mistake::new(message, expect.place.clone(), label));
            }
        }
        for (exclude, used) in file.exclude.iter().zip(&self.exclude) {
            if !used {
                let label = "every case that it matches is excluded before";
                let message = "this exclusion matches no case";
                mistakes.push(Mistake::new(message, exclude.place.clone(), label));
            }
        }
        mistakes
    }
}

/// Why cases have no whole expectation, each reason with its cases.
#[derive(Default)]
pub(super) struct Gaps(IndexMap<Gap, Vec<CaseId>>);

impl Gaps {
    pub(super) fn add(&mut self, case: &CaseId, found: Vec<Gap>) {
        for gap in found {
            self.0.entry(gap).or_default().push(case.clone());
        }
    }

    pub(super) fn mistakes(self, file: &File) -> Vec<Mistake> {
        let mistake = |(gap, cases): (Gap, Vec<CaseId>)| {
            let cases = named(&cases);
            match gap {
                Gap::Uncovered(fields) => {
                    let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
                    let message = format!("no expectation gives {} for {cases}", fields.join(", "));
                    let label = "the expectations have to cover every case of these axes";
                    Mistake::new(message, file.axes.place.clone(), label)
                }
                Gap::Contradiction(field, first, second) => {
                    let message = format!("two expectations differ in `{field}` for {cases}");
                    Mistake::new(message, second, "another value here").and(first, "one value here")
                }
                Gap::Impossible(what, first, second) => {
                    let message = format!("{what} for {cases}: an impossible combination");
                    Mistake::new(message, first, "this").and(second, "and this")
                }
            }
        };
        self.0.into_iter().map(mistake).collect()
    }
}

/// The first few, and how many more there are.
pub(super) fn named(cases: &[CaseId]) -> String {
    let first: Vec<_> = cases.iter().take(NAMED).map(CaseId::as_str).collect();
    let first = first.join(", ");
    match cases.len().saturating_sub(NAMED) {
        0 => first,
        rest => format!("{first} and {rest} more"),
    }
}

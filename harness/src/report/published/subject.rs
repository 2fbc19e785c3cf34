//! What a run is of: its scenarios and peers, in the order of rows and columns.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use reqmtls_contract::Revision;

use super::notes::Notes;
use super::page::counted;
use crate::program::{Results, statements};
use crate::scenario::{AXES, Axis, Case, CaseId, Scenario};

/// What the published results are about.
#[derive(Debug)]
pub struct Subject {
    revision: Revision,
    scenarios: Vec<Scenario>,
    peers: Vec<String>,
    notes: Notes,
    programs: String,
    /// How many programs that is about, and whom they met.
    met: String,
    numbers: HashMap<CaseId, usize>,
    /// By the number of a case, the places of its scenario and of itself there.
    places: Vec<(usize, usize)>,
}

impl Subject {
    /// Of the scenarios of a revision, and peers in the order of columns.
    #[must_use]
    pub fn new(
        revision: Revision,
        scenarios: Vec<Scenario>,
        peers: Vec<String>,
        notes: Notes,
    ) -> Self {
        let cases = scenarios.iter().flat_map(|scenario| &scenario.cases);
        let numbers = cases.map(|case| case.id.clone()).zip(0..).collect();
        let sizes = scenarios.iter().map(|scenario| scenario.cases.len());
        let places = (0..).zip(sizes);
        let places = places.flat_map(|(at, size)| (0..size).map(move |case| (at, case)));
        Self {
            places: places.collect(),
            revision,
            scenarios,
            peers,
            notes,
            programs: String::new(),
            met: String::new(),
            numbers,
        }
    }

    /// The same, with what real programs do by a `programs.json`, if there is one.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn with_programs(self, path: &Path) -> io::Result<Self> {
        let (programs, met) = match Results::read(path) {
            Ok(results) => {
                let count = counted(results.programs.len(), "program");
                let met = format!("{count} against the reference ({})", results.reference);
                (statements(&results), met)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
            Err(error) => {
                let text = format!("{}: {error}", path.display());
                return Err(io::Error::new(error.kind(), text));
            }
        };
        Ok(Self {
            programs,
            met,
            ..self
        })
    }

    /// What real programs do, as a list in Markdown.
    pub(super) fn programs(&self) -> &str {
        &self.programs
    }

    /// How many programs that is about, and whom they met.
    pub(super) fn met(&self) -> &str {
        &self.met
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    pub(super) fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// Every case, in the order of their numbers.
    pub(super) fn cases(&self) -> impl Iterator<Item = &Case> {
        self.scenarios.iter().flat_map(|scenario| &scenario.cases)
    }

    /// The number of a case.
    pub(super) fn number(&self, case: &CaseId) -> Option<usize> {
        self.numbers.get(case).copied()
    }

    /// The case of a number.
    pub(super) fn case(&self, number: usize) -> &Case {
        let (scenario, case) = self.places[number];
        &self.scenarios[scenario].cases[case]
    }

    /// The scenario of the case of a number.
    pub(super) fn scenario(&self, number: usize) -> &Scenario {
        &self.scenarios[self.places[number].0]
    }

    /// The number of the case with the well-formed value, if a case has one.
    pub(super) fn control(&self, number: usize) -> Option<usize> {
        self.number(self.case(number).control.as_ref()?)
    }

    /// The place of a peer among columns; who is not known comes last.
    pub(super) fn place(&self, peer: &str) -> usize {
        let place = self.peers.iter().position(|name| name == peer);
        place.unwrap_or(self.peers.len())
    }

    /// The cases with these values, and with the default of every other axis.
    pub(super) fn find(&self, values: &[(&str, &str)]) -> Vec<usize> {
        let is_wanted = |case: &Case| {
            AXES.iter().all(|axis: &Axis| {
                let value = case.settings.get(axis).map(|value| value.name);
                let wanted = values.iter().find(|(name, _)| *name == axis.name);
                let wanted = wanted.map_or(axis.default().name, |(_, value)| value);
                value == Some(wanted)
            })
        };
        (0..)
            .zip(self.cases())
            .filter(|(_, case)| !case.self_test && is_wanted(case))
            .map(|(number, _)| number)
            .collect()
    }
}

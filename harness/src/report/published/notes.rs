//! What a run cannot know of its results: which questions matter most, and why implementations differ.
//! `scenarios/published.toml`.

use std::fs;
use std::io;
use std::path::Path;

use reqmtls_vocabulary::Side;
use serde::Deserialize;
use thiserror::Error;

use crate::judge::requirement::{self, Id};
use crate::scenario::{CaseId, PUBLISHED, Scenario, Selector};

/// What the file lists.
#[derive(Debug, Default)]
pub struct Notes {
    pub(super) headlines: Vec<Headline>,
    pub(super) differences: Vec<Difference>,
}

/// A question that the results begin with.
#[derive(Debug)]
pub(super) struct Headline {
    pub(super) question: String,
    /// The head of its column in the table of all peers, if it has one there.
    pub(super) short: Option<String>,
    pub(super) side: Side,
    pub(super) pattern: String,
    cases: Selector,
}

/// Why implementations differ in some cases, though each may.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) side: Side,
    pub(super) permits: Vec<Id>,
    pub(super) sections: Vec<String>,
    pub(super) explanation: String,
    /// The peers that it speaks of; none: all of them.
    peers: Vec<String>,
    pub(super) reference: Option<String>,
    pub(super) patterns: Vec<String>,
    cases: Vec<Selector>,
}

/// What is wrong with the file.
#[derive(Debug, Error)]
#[error("{file}: {what}")]
pub struct NotesError {
    file: String,
    what: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    headline: Vec<HeadlineEntry>,
    #[serde(default)]
    difference: Vec<DifferenceEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadlineEntry {
    question: String,
    short: Option<String>,
    cases: String,
    side: Side,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DifferenceEntry {
    cases: Vec<String>,
    side: Side,
    #[serde(default)]
    permits: Vec<String>,
    #[serde(default)]
    sections: Vec<String>,
    explanation: String,
    #[serde(default)]
    peers: Vec<String>,
    reference: Option<String>,
}

impl Headline {
    pub(super) fn matches(&self, case: &CaseId) -> bool {
        self.cases.matches(case)
    }
}

impl Difference {
    pub(super) fn matches(&self, case: &CaseId, side: Side) -> bool {
        self.side == side && self.cases.iter().any(|selector| selector.matches(case))
    }

    /// Whether it explains what this peer does.
    pub(super) fn is_about(&self, peer: &str) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|name| name == peer)
    }

    /// The explanation, with where it can be read.
    pub(super) fn why(&self) -> String {
        let reference = self.reference.as_deref();
        let reference = reference.map_or_else(String::new, |it| format!(" ({it})"));
        format!("{}{reference}", self.explanation)
    }
}

impl Notes {
    /// Reads the file; where there is none, nothing is noted. `scenarios` are those of every revision.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or names a case or a requirement that there is not.
    pub fn load(path: &Path, scenarios: &[Scenario]) -> Result<Self, NotesError> {
        let error = |what: String| NotesError {
            file: path.display().to_string(),
            what,
        };
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, scenarios).map_err(error),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(other) => Err(error(format!("cannot be read: {other}"))),
        }
    }

    /// Those that are part of the program.
    ///
    /// # Errors
    ///
    /// None that a program has which was tested.
    pub fn built_in(scenarios: &[Scenario]) -> Result<Self, NotesError> {
        let text = include_str!("../../../../scenarios/published.toml");
        Self::parse(text, scenarios).map_err(|what| NotesError {
            file: PUBLISHED.to_owned(),
            what,
        })
    }

    pub(super) fn parse(text: &str, scenarios: &[Scenario]) -> Result<Self, String> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
        let headlines = (1..).zip(file.headline).map(|(number, entry)| {
            let cases = Selector::parse(&entry.cases, scenarios)
                .map_err(|error| format!("[[headline]] number {number}: {error}"))?;
            Ok(Headline {
                question: entry.question,
                short: entry.short,
                side: entry.side,
                pattern: entry.cases,
                cases,
            })
        });
        let differences = (1..).zip(file.difference).map(|(number, entry)| {
            Difference::of(entry, scenarios)
                .map_err(|what| format!("[[difference]] number {number}: {what}"))
        });
        Ok(Self {
            headlines: headlines.collect::<Result<_, String>>()?,
            differences: differences.collect::<Result<_, String>>()?,
        })
    }
}

impl Difference {
    fn of(entry: DifferenceEntry, scenarios: &[Scenario]) -> Result<Self, String> {
        if entry.cases.is_empty() {
            return Err("got no cases, expected at least one".to_owned());
        }
        if entry.permits.is_empty() && entry.sections.is_empty() {
            return Err("expected what permits it, in `permits` or `sections`".to_owned());
        }
        let permits = entry.permits.iter().map(|id| {
            Id::find(id).ok_or_else(|| {
                let near = requirement::nearest(id).map_or("an id", |near| near.id);
                format!("got requirement {id:?}, expected {near}")
            })
        });
        let cases = entry
            .cases
            .iter()
            .map(|pattern| Selector::parse(pattern, scenarios).map_err(|error| error.to_string()));
        Ok(Self {
            side: entry.side,
            permits: permits.collect::<Result<_, _>>()?,
            sections: entry.sections,
            explanation: entry.explanation,
            peers: entry.peers,
            reference: entry.reference,
            cases: cases.collect::<Result<_, _>>()?,
            patterns: entry.cases,
        })
    }
}

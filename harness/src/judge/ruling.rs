//! What one requirement says of one connection.

use std::fmt;

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Party};
use super::requirement::{Id, Level};

/// What one requirement says of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ruling {
    /// The requirement.
    pub requirement: Id,
    /// Who did it.
    pub party: Party,
    /// Whose behaviour it shows, if a side did it and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// What the requirement says of it.
    pub verdict: Verdict,
    /// The line of the transcript that shows it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What was observed, in a few words.
    pub got: String,
}

/// What a requirement says of what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It could have been violated and was not.
    Satisfied,
    /// The requirement leaves the choice: reported, never a failure.
    Informational,
    /// It was violated.
    Violated {
        /// What would be right.
        expected: String,
    },
    /// Another requirement wants something else: one of the two was followed.
    Tension {
        /// The one that was followed.
        follows: Id,
        /// The other one.
        against: Id,
    },
}

impl Ruling {
    /// Whether it blames this side.
    #[must_use]
    pub fn is_violated_by(&self, side: Side) -> bool {
        matches!(self.verdict, Verdict::Violated { .. }) && self.party == side.into()
    }

    /// What it finds wrong, if it does.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let Verdict::Violated { expected } = &self.verdict else {
            return None;
        };
        let is_inference = self.requirement.get().level == Level::Inference;
        Some(Finding {
            requirements: vec![self.requirement],
            party: self.party,
            provenance: self.provenance,
            message: self.message.clone(),
            got: self.got.clone(),
            expected: expected.clone(),
            inferred: is_inference && self.provenance == Some(Provenance::Library),
            known: None,
        })
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requirement,
            party,
            got,
            ..
        } = self;
        let of = self
            .provenance
            .map_or_else(String::new, |it| format!(" ({it})"));
        match &self.verdict {
            Verdict::Satisfied => write!(f, "{requirement} satisfied, {party}{of}: {got}"),
            Verdict::Informational => write!(f, "{requirement} informational, {party}{of}: {got}"),
            Verdict::Violated { expected } => {
                write!(
                    f,
                    "{requirement} violated, {party}{of}: {got}; expected {expected}"
                )
            }
            Verdict::Tension { follows, against } => {
                write!(
                    f,
                    "{requirement}, {party}{of}: {got}, as {follows} says; {against} says otherwise"
                )
            }
        }
    }
}

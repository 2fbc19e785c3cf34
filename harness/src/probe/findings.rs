//! Findings, each once with its cases.

use reqmtls_vocabulary::Side;
use serde::Serialize;

use super::{Judged, Probed};
use crate::judge::requirement::Id;
use crate::judge::{Ruling, Verdict};

/// What a requirement says alike of several cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grouped {
    /// The ruling, as of the first of them.
    #[serde(flatten)]
    pub ruling: Ruling,
    /// The cases.
    pub cases: Vec<String>,
}

impl Grouped {
    /// The requirement.
    #[must_use]
    pub fn requirement(&self) -> Id {
        self.ruling.requirement
    }

    /// Whether the server violates it.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        matches!(self.ruling.verdict, Verdict::Violated { .. })
    }
}

/// What the server violates, and where it follows one document against another: each once.
#[must_use]
pub fn grouped(probed: &Probed, judged: &Judged) -> Vec<Grouped> {
    let mut groups: Vec<Grouped> = Vec::new();
    for (played, connections) in probed.played.iter().zip(&judged.connections) {
        for ruling in connections.iter().flat_map(|it| &it.rulings) {
            let says = !matches!(ruling.verdict, Verdict::Satisfied | Verdict::Informational);
            // Of the client only this program is to blame, and where it breaks rules on purpose nobody.
            if !says || ruling.party == Side::Client.into() {
                continue;
            }
            let is_same = |it: &&mut Grouped| {
                let other = &it.ruling;
                // Between two requirements, each of the two says the same.
                let is_tension = matches!(ruling.verdict, Verdict::Tension { .. });
                (is_tension || other.requirement == ruling.requirement)
                    && (other.party, &other.verdict, &other.got)
                        == (ruling.party, &ruling.verdict, &ruling.got)
            };
            match groups.iter_mut().find(is_same) {
                Some(group) if group.cases.contains(&played.play.id) => {}
                Some(group) => group.cases.push(played.play.id.clone()),
                None => groups.push(Grouped {
                    ruling: ruling.clone(),
                    cases: vec![played.play.id.clone()],
                }),
            }
        }
    }
    groups.sort_by_key(|group| !group.is_violated());
    groups
}

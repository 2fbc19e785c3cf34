//! What several expectations say of one case.

use super::diagnostic::Place;
use super::expectation::Expect;
use super::reader::At;
use reqmtls_contract::Outcome;
use reqmtls_vocabulary::{AlertDescription, Side};

use crate::judge::requirement::Id;
use crate::judge::{Expected, Requested};

/// Why the expectations of a case do not make one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Gap {
    /// Fields that no expectation gives.
    Uncovered(Vec<&'static str>),
    /// A field that has two values, and where.
    Contradiction(&'static str, Place, Place),
    /// Two values that do not go together, and where.
    Impossible(&'static str, Place, Place),
}

/// What the expectations so far say of one case.
#[derive(Default)]
pub(super) struct Merge {
    certificate_request: Option<At<Requested>>,
    outcomes: Option<At<Vec<Outcome>>>,
    alerts: Option<At<Vec<AlertDescription>>>,
    refused_by: Option<At<Side>>,
    authenticated: Option<At<Option<bool>>>,
    resumed: Option<At<bool>>,
    violates: Vec<Id>,
    because: Vec<Id>,
    notes: Vec<String>,
    lines: Vec<usize>,
    gaps: Vec<Gap>,
}

impl Merge {
    /// Adds an expectation that stands at that line.
    pub(super) fn add(&mut self, expect: &Expect, line: usize) {
        let found = [
            put(
                "certificate_request",
                &mut self.certificate_request,
                expect.certificate_request.as_ref(),
            ),
            put("outcome", &mut self.outcomes, expect.outcomes.as_ref()),
            put("alert", &mut self.alerts, expect.alerts.as_ref()),
            put(
                "refused_by",
                &mut self.refused_by,
                expect.refused_by.as_ref(),
            ),
            put(
                "authenticated",
                &mut self.authenticated,
                expect.authenticated.as_ref(),
            ),
            put("resumed", &mut self.resumed, expect.resumed.as_ref()),
        ];
        self.gaps.extend(found.into_iter().flatten());
        add_ids(&mut self.because, &expect.because);
        add_ids(&mut self.violates, &expect.violates);
        self.notes.extend(expect.note.clone());
        self.lines.push(line);
    }

    /// The merged expectation, or why there is none.
    ///
    /// A refused client is not authenticated, whether or not an expectation says so, and it is the
    /// server that refuses unless an expectation says otherwise.
    pub(super) fn finish(mut self) -> Result<Expected, Vec<Gap>> {
        self.impossible();
        // What is missing beside a contradiction follows from it.
        if !self.gaps.is_empty() {
            return Err(self.gaps);
        }
        let may = |wanted| {
            let outcomes = self.outcomes.as_ref();
            outcomes.map(|at| at.value.contains(&wanted))
        };
        let (may_complete, may_refuse) = (may(Outcome::Completed), may(Outcome::Refused));
        let alerts = match self.alerts {
            Some(at) => Some(at.value),
            None => (may_refuse != Some(true)).then(Vec::new),
        };
        let authenticated = match self.authenticated {
            Some(at) => Some(at.value),
            None => (may_complete == Some(false)).then_some(Some(false)),
        };
        match (
            self.certificate_request,
            self.outcomes,
            alerts,
            authenticated,
        ) {
            (Some(certificate_request), Some(outcomes), Some(alerts), Some(authenticated)) => {
                Ok(Expected {
                    certificate_request: certificate_request.value,
                    outcomes: outcomes.value,
                    alerts,
                    refused_by: self.refused_by.map_or(Side::Server, |at| at.value),
                    authenticated,
                    resumed: self.resumed.map(|at| at.value),
                    violates: self.violates,
                    because: self.because,
                    notes: self.notes,
                    lines: self.lines,
                })
            }
            (certificate_request, outcomes, alerts, authenticated) => {
                let fields = [
                    ("certificate_request", certificate_request.is_none()),
                    ("outcome", outcomes.is_none()),
                    ("alert", alerts.is_none()),
                    ("authenticated", authenticated.is_none()),
                ];
                let lacking = fields.into_iter().filter(|(_, lacking)| *lacking);
                Err(vec![Gap::Uncovered(
                    lacking.map(|(field, _)| field).collect(),
                )])
            }
        }
    }

    fn impossible(&mut self) {
        let Some(outcomes) = &self.outcomes else {
            return;
        };
        match (&outcomes.value[..], &self.alerts, &self.authenticated) {
            ([Outcome::Completed], Some(alerts), _) => self.gaps.push(Gap::Impossible(
                "an alert and a completed connection",
                alerts.place.clone(),
                outcomes.place.clone(),
            )),
            (
                [Outcome::Refused],
                _,
                Some(At {
                    value: Some(true),
                    place,
                }),
            ) => {
                self.gaps.push(Gap::Impossible(
                    "an authenticated client and a refused connection",
                    place.clone(),
                    outcomes.place.clone(),
                ));
            }
            _ => {}
        }
    }
}

fn add_ids(all: &mut Vec<Id>, more: &[At<Id>]) {
    for At { value, .. } in more {
        if !all.contains(value) {
            all.push(*value);
        }
    }
}

fn put<T: Clone + PartialEq>(
    field: &'static str,
    slot: &mut Option<At<T>>,
    more: Option<&At<T>>,
) -> Option<Gap> {
    let more = more?;
    match slot {
        None => {
            *slot = Some(more.clone());
            None
        }
        Some(before) if before.value == more.value => None,
        Some(before) => Some(Gap::Contradiction(
            field,
            before.place.clone(),
            more.place.clone(),
        )),
    }
}

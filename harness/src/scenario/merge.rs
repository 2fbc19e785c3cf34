//! What several expectations say of one case.

use super::diagnostic::Place;
use super::file::Expect;
use super::reader::At;
use super::{Alert, Expected, Outcome};

/// What keeps the expectations of a case from being one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Gap {
    /// Fields of which nothing is said.
    Uncovered(Vec<&'static str>),
    /// A field that has two values, and where.
    Contradiction(&'static str, Place, Place),
    /// Two values that do not go together, and where.
    Impossible(&'static str, Place, Place),
}

/// What the expectations so far say of one case.
#[derive(Default)]
pub(super) struct Merge {
    certificate_request: Option<At<bool>>,
    outcome: Option<At<Outcome>>,
    alerts: Option<At<Vec<Alert>>>,
    authenticated: Option<At<bool>>,
    because: Vec<&'static str>,
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
            put("outcome", &mut self.outcome, expect.outcome.as_ref()),
            put("alert", &mut self.alerts, expect.alerts.as_ref()),
            put(
                "authenticated",
                &mut self.authenticated,
                expect.authenticated.as_ref(),
            ),
        ];
        self.gaps.extend(found.into_iter().flatten());
        for id in &expect.because {
            if !self.because.contains(id) {
                self.because.push(id);
            }
        }
        self.notes.extend(expect.note.clone());
        self.lines.push(line);
    }

    /// The merged expectation, or what keeps it from being one.
    ///
    /// A refused client is not authenticated, whether or not an expectation says so.
    pub(super) fn finish(mut self) -> Result<Expected, Vec<Gap>> {
        self.impossible();
        // A contradiction explains what is missing or odd beside it.
        if !self.gaps.is_empty() {
            return Err(self.gaps);
        }
        let refused = self.outcome.as_ref().map(|at| at.value == Outcome::Refused);
        let alerts = match self.alerts {
            Some(at) => Some(at.value),
            None => (refused != Some(true)).then(Vec::new),
        };
        let authenticated = match self.authenticated {
            Some(at) => Some(at.value),
            None => (refused == Some(true)).then_some(false),
        };
        match (
            self.certificate_request,
            self.outcome,
            alerts,
            authenticated,
        ) {
            (Some(certificate_request), Some(outcome), Some(alerts), Some(authenticated)) => {
                Ok(Expected {
                    certificate_request: certificate_request.value,
                    outcome: outcome.value,
                    alerts,
                    authenticated,
                    because: self.because,
                    notes: self.notes,
                    lines: self.lines,
                })
            }
            (certificate_request, outcome, alerts, authenticated) => {
                let fields = [
                    ("certificate_request", certificate_request.is_none()),
                    ("outcome", outcome.is_none()),
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
        let Some(outcome) = &self.outcome else {
            return;
        };
        match (outcome.value, &self.alerts, &self.authenticated) {
            (Outcome::Completed, Some(alerts), _) => self.gaps.push(Gap::Impossible(
                "an alert and a completed connection",
                alerts.place.clone(),
                outcome.place.clone(),
            )),
            (Outcome::Refused, _, Some(At { value: true, place })) => {
                self.gaps.push(Gap::Impossible(
                    "an authenticated client and a refused connection",
                    place.clone(),
                    outcome.place.clone(),
                ));
            }
            _ => {}
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

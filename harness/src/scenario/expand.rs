//! From axes to cases, each with what is expected of it.

use std::ops::Range;
use std::path::Path;

use super::axis::Settings;
use super::choice::Word;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::file::{At, Choices, Expect, File};
use super::{Alert, Case, Expected, Outcome, Scenario};

/// How many uncovered cases an error names.
const NAMED: usize = 3;

/// Expands a file to its scenario.
pub(super) fn expand(
    id: &str,
    path: &Path,
    text: &str,
    file: &File,
) -> Result<Scenario, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut cases = Vec::new();
    let mut uncovered: Vec<String> = Vec::new();
    let mut lacking: Vec<&str> = Vec::new();
    let mut used = vec![false; file.expect.len()];
    for point in points(&file.axes) {
        let mut settings = Settings::default();
        let fixed = file
            .setup
            .iter()
            .filter_map(|(axis, values)| Some((axis.name, values.first()?.name)));
        let varied = file
            .axes
            .iter()
            .zip(&point)
            .map(|((axis, _), value)| (axis.name, value.name));
        for (axis, value) in fixed.chain(varied) {
            // Both names come from the registry.
            debug_assert_eq!(settings.set(axis, value), Some(()));
            settings.set(axis, value);
        }
        let values: Vec<_> = point.iter().map(|value| value.name).collect();
        let id_of_case = format!("{id}/{}", values.join("/"));
        let matching = file
            .expect
            .iter()
            .enumerate()
            .filter(|(_, expect)| matches(expect, &settings));
        let mut merge = Merge::default();
        for (index, expect) in matching {
            used[index] = true;
            merge.add(expect);
        }
        for (field, first, second) in std::mem::take(&mut merge.contradictions) {
            let message =
                format!("two expectations contradict each other: {field} of {id_of_case}");
            let label = "and here is another value";
            let second = Some((second, "here is one value"));
            diagnostics.push(Diagnostic::at(path, text, &message, first, label, second));
        }
        match merge.finish() {
            Ok(expected) => cases.push(Case {
                scenario: id.to_owned(),
                id: id_of_case,
                settings,
                expected,
            }),
            Err(fields) => {
                uncovered.push(id_of_case);
                lacking.extend(
                    fields
                        .into_iter()
                        .filter(|field| !lacking.contains(field))
                        .collect::<Vec<_>>(),
                );
            }
        }
    }
    if !uncovered.is_empty() {
        diagnostics.push(not_covered(path, text, &uncovered, &lacking));
    }
    for (expect, _) in file.expect.iter().zip(used).filter(|(_, used)| !used) {
        let label = "expected conditions that some case meets";
        diagnostics.push(Diagnostic::at(
            path,
            text,
            "this expectation matches no case",
            expect.place.clone(),
            label,
            None,
        ));
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    Ok(Scenario {
        id: id.to_owned(),
        title: file.title.clone(),
        document: file.document.clone(),
        axes: file.axes.iter().map(|(axis, _)| axis.name).collect(),
        cases,
    })
}

fn not_covered(path: &Path, text: &str, cases: &[String], lacking: &[&str]) -> Diagnostic {
    let named = cases
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let rest = cases.len().saturating_sub(NAMED);
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    let message = format!(
        "no expectation says {} of {named}{more}",
        lacking.join(", ")
    );
    let place = text.find("[[expect]]").unwrap_or(0);
    let label = "expected that the expectations cover every case";
    Diagnostic::at(path, text, &message, place..place + 10, label, None)
}

/// Every combination of the axes' values; the last axis varies fastest.
fn points(axes: &[Choices]) -> Vec<Vec<&'static Word>> {
    axes.iter().fold(vec![Vec::new()], |points, (_, values)| {
        let extend = |point: Vec<&'static Word>| {
            values.iter().map(move |value| {
                let mut point = point.clone();
                point.push(value);
                point
            })
        };
        points.into_iter().flat_map(extend).collect()
    })
}

fn matches(expect: &Expect, settings: &Settings) -> bool {
    expect.when.iter().all(|(axis, values)| {
        settings
            .get(axis.name)
            .is_some_and(|value| values.contains(&value))
    })
}

/// What several expectations say of one case.
#[derive(Default)]
struct Merge {
    certificate_request: Option<At<bool>>,
    outcome: Option<At<Outcome>>,
    alerts: Option<At<Vec<Alert>>>,
    authenticated: Option<At<bool>>,
    because: Vec<&'static str>,
    /// Field, and the two places.
    contradictions: Vec<(&'static str, Range<usize>, Range<usize>)>,
}

impl Merge {
    fn add(&mut self, expect: &Expect) {
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
        self.contradictions.extend(found.into_iter().flatten());
        for id in &expect.because {
            if !self.because.contains(id) {
                self.because.push(id);
            }
        }
    }

    /// The merged expectation, or the fields that nothing determines.
    fn finish(self) -> Result<Expected, Vec<&'static str>> {
        let refused = self
            .outcome
            .as_ref()
            .is_some_and(|at| at.value == Outcome::Refused);
        let alerts = match (self.alerts, refused) {
            (Some(at), _) => Some(at.value),
            (None, true) => None,
            (None, false) => Some(Vec::new()),
        };
        match (
            self.certificate_request,
            self.outcome,
            alerts,
            self.authenticated,
        ) {
            (Some(certificate_request), Some(outcome), Some(alerts), Some(authenticated)) => {
                Ok(Expected {
                    certificate_request: certificate_request.value,
                    outcome: outcome.value,
                    alerts,
                    authenticated: authenticated.value,
                    because: self.because,
                })
            }
            (certificate_request, outcome, alerts, authenticated) => {
                let fields = [
                    ("certificate_request", certificate_request.is_none()),
                    ("outcome", outcome.is_none()),
                    ("alert", alerts.is_none()),
                    ("authenticated", authenticated.is_none()),
                ];
                Err(fields
                    .into_iter()
                    .filter(|(_, lacks)| *lacks)
                    .map(|(field, _)| field)
                    .collect())
            }
        }
    }
}

fn put<T: Clone + PartialEq>(
    field: &'static str,
    slot: &mut Option<At<T>>,
    more: Option<&At<T>>,
) -> Option<(&'static str, Range<usize>, Range<usize>)> {
    let more = more?;
    match slot {
        None => {
            *slot = Some(more.clone());
            None
        }
        Some(before) if before.value == more.value => None,
        Some(before) => Some((field, more.place.clone(), before.place.clone())),
    }
}

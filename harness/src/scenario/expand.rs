//! From axes to cases, each with what is expected of it.

use std::collections::HashSet;

use super::coverage::{Gaps, Used};
use super::diagnostic::{Diagnostic, Diagnostics, Mistake, Source};
use super::effect;
use super::expectation::Expect;
use super::file::{Choices, File};
use super::merge::Merge;
use super::misbehaviour::Misbehaviour;
use super::reader::At;
use super::{Case, CaseId, Excluded, Scenario, Settings, Value};

/// The most cases of one scenario. More are taken for a mistake.
const MOST: usize = 10_000;

/// A combination of the axes' values.
pub(super) struct Point {
    pub(super) id: CaseId,
    pub(super) settings: Settings,
    /// The case that [`Case::control`] names, if the scenario has it.
    control: Option<CaseId>,
}

/// Expands a file to its scenario.
pub(super) fn expand(
    id: &str,
    self_test: bool,
    source: Source<'_>,
    file: &File,
) -> Result<Scenario, Diagnostics> {
    let axes = &file.axes.value;
    let sizes = axes.iter().map(|at| at.value.1.len());
    let size = sizes.fold(1_usize, usize::saturating_mul);
    if size > MOST {
        let message = format!("these axes make {size} cases, expected at most {MOST}");
        let mistake = Mistake::new(message, file.axes.place.clone(), "their values multiply");
        return Err(mistake.in_source(&source).into());
    }
    let mut used = Used::none(file);
    let mut included = Vec::new();
    let mut excluded = Vec::new();
    for point in points(id, file) {
        match used.exclusion(file, &point.settings) {
            Some(reason) => excluded.push(Excluded {
                id: point.id,
                reason,
            }),
            None => included.push(point),
        }
    }
    if included.is_empty() {
        let message = "every case is excluded, expected at least one that is not";
        return Err(Diagnostic::of_file(source.path, message).into());
    }
    let line = |expect: &Expect| source.position(expect.place.start).0;
    let lines: Vec<_> = file.expect.iter().map(line).collect();
    let mut gaps = Gaps::default();
    let mut misbehaviour = Misbehaviour::default();
    let mut cases = Vec::new();
    for point in &included {
        let misbehaving = point.settings.misbehaving();
        misbehaviour.add(file, &point.id, &misbehaving);
        let mut merge = Merge::default();
        for number in used.expectations(file, &point.settings) {
            let expect = &file.expect[number];
            misbehaviour.add_expectation(expect, &point.id, &misbehaving);
            merge.add(expect, lines[number]);
        }
        match merge.finish() {
            Ok(expected) => cases.push(Case {
                id: point.id.clone(),
                misbehaving,
                pairings: file.pairings,
                sweep: file.sweep.is_some(),
                self_test,
                control: point.control.clone(),
                settings: point.settings.clone(),
                expected,
            }),
            Err(found) => gaps.add(&point.id, found),
        }
    }
    let mut mistakes = gaps.mistakes(file);
    mistakes.extend(used.mistakes(file));
    mistakes.extend(misbehaviour.mistakes(file));
    mistakes.extend(effect::mistakes(file, &included));
    if !mistakes.is_empty() {
        let mut wrong = Diagnostics::default();
        for mistake in mistakes {
            wrong.push(mistake.in_source(&source));
        }
        return Err(wrong);
    }
    // An excluded case controls nothing.
    let ids: HashSet<_> = cases.iter().map(|case| case.id.clone()).collect();
    for case in &mut cases {
        case.control.take_if(|control| !ids.contains(control));
    }
    Ok(Scenario {
        id: id.to_owned(),
        title: file.title.clone(),
        about: file.about.clone(),
        document: file.document,
        revisions: file.revisions.clone(),
        misbehaving: file.misbehaving.iter().map(|at| at.value).collect(),
        pairings: file.pairings,
        self_test,
        axes: axes.iter().map(|at| at.value.0).collect(),
        cases,
        excluded,
    })
}

/// Every combination of the axes' values; the last axis varies fastest.
fn points<'f>(scenario: &'f str, file: &'f File) -> impl Iterator<Item = Point> + 'f {
    let axes = &file.axes.value;
    let values = axes.iter().fold(vec![Vec::new()], |points, axis| {
        let extend = |point: Vec<&'static Value>| {
            axis.value.1.iter().map(move |value| {
                let mut point = point.clone();
                point.push(*value);
                point
            })
        };
        points.into_iter().flat_map(extend).collect()
    });
    let mut fixed = Settings::default();
    for (axis, value) in &file.setup {
        fixed.set(axis.value, value);
    }
    values.into_iter().map(move |values| {
        let mut settings = fixed.clone();
        for (axis, value) in axes.iter().zip(&values) {
            settings.set(axis.value.0, value);
        }
        let id = CaseId::new(scenario, values.iter().map(|value| value.name));
        let control = control(scenario, axes, &values);
        Point {
            control: Some(control).filter(|control| *control != id),
            id,
            settings,
        }
    })
}

/// The id with the well-formed value in place of every edited one.
fn control(scenario: &str, varied: &[At<Choices>], values: &[&'static Value]) -> CaseId {
    let well_formed = |(at, value): (&At<Choices>, &&'static Value)| {
        let axis = at.value.0;
        if axis.name.ends_with(".edit.value") {
            axis.default().name
        } else {
            value.name
        }
    };
    CaseId::new(scenario, varied.iter().zip(values).map(well_formed))
}

/// Whether a case meets a condition.
pub(super) fn meets(settings: &Settings, when: &[Choices]) -> bool {
    let meets = |(axis, values): &Choices| {
        let value = settings.get(axis);
        value.is_some_and(|value| values.contains(&value))
    };
    when.iter().all(meets)
}

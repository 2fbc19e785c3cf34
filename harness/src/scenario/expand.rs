//! From axes to cases, each with what is expected of it.

use indexmap::IndexMap;

use super::diagnostic::{Diagnostic, Diagnostics, Mistake, Source};
use super::file::{Choices, Expect, File};
use super::merge::{Gap, Merge};
use super::{Case, CaseId, Excluded, Scenario, Settings, Value};
use reqmtls_vocabulary::Side;

/// How many cases an error names.
const NAMED: usize = 3;
/// The most cases of one scenario; more are a slip of the pen.
const MOST: usize = 10_000;

/// Expands a file to its scenario.
pub(super) fn expand(
    id: &str,
    self_test: bool,
    source: Source<'_>,
    file: &File,
) -> Result<Scenario, Diagnostics> {
    let axes = &file.axes.value;
    let sizes = axes.iter().map(|(_, values)| values.len());
    let size = sizes.fold(1_usize, usize::saturating_mul);
    if size > MOST {
        let message = format!("these axes make {size} cases, expected at most {MOST}");
        let mistake = Mistake::new(message, file.axes.place.clone(), "their values multiply");
        return Err(mistake.in_source(&source).into());
    }
    let mut cases = Vec::new();
    let mut excluded = Vec::new();
    let mut used = Used::none(file);
    let mut gaps = Gaps::default();
    let mut misbehaviour = Misbehaviour::default();
    for point in points(axes) {
        let case = CaseId::new(id, point.iter().map(|value| value.name));
        let settings = settings(file, &point);
        if let Some(reason) = used.exclusion(file, &settings) {
            excluded.push(Excluded { id: case, reason });
            continue;
        }
        let mut merge = Merge::default();
        for expect in used.expectations(file, &settings) {
            let (line, _) = source.position(expect.place.start);
            merge.add(expect, line);
        }
        misbehaviour.hold(file, &case, &settings);
        match merge.finish() {
            Ok(expected) => cases.push(Case {
                id: case,
                misbehaving: file.misbehaving.iter().map(|at| at.value).collect(),
                pairings: file.pairings,
                sweep: file.sweep,
                self_test,
                control: control(id, axes, &point),
                settings,
                expected,
            }),
            Err(found) => gaps.add(&case, found),
        }
    }
    let mut wrong = Diagnostics::default();
    let nothing_left = excluded.len() == size;
    let mistakes = gaps.mistakes(file).chain(used.mistakes(file, nothing_left));
    for mistake in mistakes.chain(misbehaviour.mistakes(file)) {
        wrong.push(mistake.in_source(&source));
    }
    if nothing_left && wrong.is_empty() {
        let message = "every case is excluded, expected at least one that is not";
        wrong.push(Diagnostic::of_file(source.path, message));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    // An excluded case controls nothing.
    let ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
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
        axes: axes.iter().map(|(axis, _)| *axis).collect(),
        cases,
        excluded,
    })
}

/// Every combination of the axes' values; the last axis varies fastest.
fn points(axes: &[Choices]) -> Vec<Vec<&'static Value>> {
    axes.iter().fold(vec![Vec::new()], |points, (_, values)| {
        let extend = |point: Vec<&'static Value>| {
            values.iter().map(move |value| {
                let mut point = point.clone();
                point.push(value);
                point
            })
        };
        points.into_iter().flat_map(extend).collect()
    })
}

/// The case with a well-formed value in place of an edited one.
fn control(id: &str, axes: &[Choices], point: &[&'static Value]) -> Option<CaseId> {
    let well_formed = |((axis, _), value): (&Choices, &&'static Value)| {
        let is_value = axis.name.ends_with(".edit.value");
        if is_value {
            axis.default().name
        } else {
            value.name
        }
    };
    let control = CaseId::new(id, axes.iter().zip(point).map(well_formed));
    let own = CaseId::new(id, point.iter().map(|value| value.name));
    (control != own).then_some(control)
}

fn settings(file: &File, point: &[&'static Value]) -> Settings {
    let mut settings = Settings::default();
    let fixed = file.setup.iter().map(|(axis, value)| (*axis, *value));
    let axes = file.axes.value.iter().zip(point);
    let varied = axes.map(|((axis, _), value)| (*axis, *value));
    for (axis, value) in fixed.chain(varied) {
        settings.set(axis, value);
    }
    settings
}

fn meets(settings: &Settings, when: &[Choices]) -> bool {
    let meets = |(axis, values): &Choices| {
        let value = settings.get(axis);
        value.is_some_and(|value| values.contains(&value))
    };
    when.iter().all(meets)
}

/// Which expectations and exclusions have matched a case.
struct Used {
    expect: Vec<bool>,
    exclude: Vec<bool>,
}

impl Used {
    fn none(file: &File) -> Self {
        Self {
            expect: vec![false; file.expect.len()],
            exclude: vec![false; file.exclude.len()],
        }
    }

    /// The reason of the first exclusion that matches, which alone is used.
    fn exclusion(&mut self, file: &File, settings: &Settings) -> Option<String> {
        let mut all = file.exclude.iter().zip(&mut self.exclude);
        let (exclude, used) = all.find(|(exclude, _)| meets(settings, &exclude.when))?;
        *used = true;
        Some(exclude.reason.clone())
    }

    fn expectations<'f>(&mut self, file: &'f File, settings: &Settings) -> Vec<&'f Expect> {
        let mut matching = Vec::new();
        for (expect, used) in file.expect.iter().zip(&mut self.expect) {
            if meets(settings, &expect.when) {
                *used = true;
                matching.push(expect);
            }
        }
        matching
    }

    /// What is of no use. Conditions name what is there, so only exclusions can bring that about.
    fn mistakes(&self, file: &File, nothing_left: bool) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (expect, used) in file.expect.iter().zip(&self.expect) {
            // With no case left, that this one has none is no news.
            if !used && !nothing_left {
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

/// What is said of ends that break rules, held against what the cases need.
#[derive(Default)]
struct Misbehaviour {
    /// Cases in which an end has to break rules that is not said to.
    unsaid: IndexMap<Side, Vec<String>>,
    /// Ends that are said to, and that a case needs.
    needed: Vec<Side>,
}

impl Misbehaviour {
    fn hold(&mut self, file: &File, case: &CaseId, settings: &Settings) {
        for end in settings.misbehaving() {
            if file.misbehaving.iter().any(|said| said.value == end) {
                self.needed.push(end);
            } else {
                self.unsaid.entry(end).or_default().push(case.to_string());
            }
        }
    }

    fn mistakes(self, file: &File) -> Vec<Mistake> {
        let unsaid = self.unsaid.into_iter().map(|(end, cases)| {
            let message = format!("the {end} breaks rules in {}", named(&cases));
            let label = format!("expected `misbehaving = \"{end}\"` in this file");
            Mistake::new(message, file.axes.place.clone(), label)
        });
        let mut mistakes: Vec<_> = unsaid.collect();
        let mut said = file.misbehaving.iter();
        if let Some(said) = said.find(|said| !self.needed.contains(&said.value)) {
            let message = format!("no case has a {} that breaks rules", said.value);
            let label = "expected an axis or [setup] by which it does";
            mistakes.push(Mistake::new(message, said.place.clone(), label));
        }
        mistakes
    }
}

/// What keeps cases from being expected anything, each gap with its cases.
#[derive(Default)]
struct Gaps(IndexMap<Gap, Vec<String>>);

impl Gaps {
    fn add(&mut self, case: &CaseId, found: Vec<Gap>) {
        for gap in found {
            self.0.entry(gap).or_default().push(case.to_string());
        }
    }

    fn mistakes(self, file: &File) -> impl Iterator<Item = Mistake> {
        self.0.into_iter().map(|(gap, cases)| {
            let cases = named(&cases);
            match gap {
                Gap::Uncovered(fields) => {
                    let message = format!("no expectation says {} of {cases}", fields.join(", "));
                    let label = "expected that the expectations cover every case of these axes";
                    Mistake::new(message, file.axes.place.clone(), label)
                }
                Gap::Contradiction(field, first, second) => {
                    let message = format!("two expectations differ in `{field}` of {cases}");
                    Mistake::new(message, second, "here it is another")
                        .and(first, "here it is one value")
                }
                Gap::Impossible(what, first, second) => {
                    let message = format!("{what} for {cases}: an impossible combination");
                    Mistake::new(message, first, "this").and(second, "and this")
                }
            }
        })
    }
}

/// The first few, and how many more there are.
fn named(cases: &[String]) -> String {
    let first = cases[..cases.len().min(NAMED)].join(", ");
    match cases.len().saturating_sub(NAMED) {
        0 => first,
        rest => format!("{first} and {rest} more"),
    }
}

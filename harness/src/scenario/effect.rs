//! Whether what a file varies and sets makes a difference: what has no effect is a mistake.

use std::collections::HashMap;

use indexmap::IndexMap;
use reqmtls_contract::Revision;

use super::coverage::named;
use super::diagnostic::{Mistake, Place};
use super::draft::{Material, Setups};
use super::expand::Point;
use super::file::File;
use super::{Axis, CaseId, Settings, Value};

/// What has no effect in any of these cases, of which there is at least one.
pub(super) fn mistakes(file: &File, cases: &[Point]) -> Vec<Mistake> {
    let mut mistakes = needs(file, cases);
    mistakes.extend(sweep(file, cases));
    mistakes.extend(keys(file, cases));
    // A value without effect is reported once, by the more exact message.
    if !mistakes.is_empty() {
        return mistakes;
    }
    for revision in &file.revisions {
        let material = Material::nominal(*revision);
        let mut mistakes = values(file, cases, &material);
        mistakes.extend(pairs(file, cases, &material));
        if !mistakes.is_empty() {
            return mistakes;
        }
    }
    Vec::new()
}

/// Axes that need another one, which has its default in every case.
fn needs(file: &File, cases: &[Point]) -> Vec<Mistake> {
    let unmet = |(axis, place): (&'static Axis, &Place)| {
        let need = axis.needs.as_ref()?;
        let other = Axis::find(need.axis)?;
        let is_default = |case: &Point| case.settings.get(other) == Some(other.default());
        cases.iter().all(is_default).then(|| {
            let message = format!("`{}` needs `{}`", axis.name, need.axis);
            Mistake::new(message, place.clone(), need.without)
        })
    };
    let varied = file.axes.value.iter().map(|at| (at.value.0, &at.place));
    let fixed = file.setup.iter().map(|(at, _)| (at.value, &at.place));
    varied.chain(fixed).filter_map(unmet).collect()
}

/// A sweep with nothing to go through.
fn sweep(file: &File, cases: &[Point]) -> Option<Mistake> {
    let place = file.sweep.as_ref()?;
    let material = Material::nominal(Revision::Draft02);
    let lacking = cases
        .iter()
        .filter(|case| !Setups::of(&case.settings, &material).can_sweep());
    let lacking: Vec<_> = lacking.map(|case| case.id.clone()).collect();
    (!lacking.is_empty()).then(|| {
        let message = "`sweep` needs `client.edit.message`".to_owned();
        let label = "expected an edit that puts `tls_flags` into ClientHello, in every case";
        let mistake = Mistake::new(message, place.clone(), label);
        mistake.note(format!("there is none in {}", named(&lacking)))
    })
}

/// Certificates of the client that there are not with the case's keys.
fn keys(file: &File, cases: &[Point]) -> Option<Mistake> {
    let material = Material::nominal(Revision::Draft02);
    let lacks = |case: &&Point| {
        let client = Setups::of(&case.settings, &material).declared.client;
        let valid = &material.certificates.valid(client.keys).client;
        let is_other = client.identity.is_some_and(|it| it != *valid);
        client.keys.is_some() && is_other
    };
    let lacking: Vec<_> = cases.iter().filter(lacks).map(|it| it.id.clone()).collect();
    let varied = file.axes.value.iter().map(|at| (at.value.0, &at.place));
    let fixed = file.setup.iter().map(|(at, _)| (at.value, &at.place));
    let mut places = varied.chain(fixed);
    let (_, place) = places.find(|(axis, _)| axis.name == "client.certificate")?;
    (!lacking.is_empty()).then(|| {
        let message = "`client.certificate` with a defect needs `keys` = `p256`";
        let label = "expected `absent`, `present` or `bad-signature` with other keys";
        let mistake = Mistake::new(message.to_owned(), place.clone(), label);
        mistake.note(format!("there is none for {}", named(&lacking)))
    })
}

/// Values that every case has, and with which every case is the same as with the axis' default.
fn values(file: &File, cases: &[Point], material: &Material) -> Vec<Mistake> {
    let fixed = file
        .setup
        .iter()
        .map(|(at, value)| (at.value, *value, &at.place));
    let varied = file
        .axes
        .value
        .iter()
        .filter_map(|at| match at.value.1[..] {
            [value] => Some((at.value.0, value, &at.place)),
            _ => None,
        });
    let without_effect = |(axis, value, _): &(&'static Axis, &'static Value, &Place)| {
        *value != axis.default()
            && cases.iter().all(|case| {
                let mut without = case.settings.clone();
                without.set(axis, axis.default());
                setups(file, &without, material) == setups(file, &case.settings, material)
            })
    };
    let mistake = |(axis, value, place): (&'static Axis, &'static Value, &Place)| {
        let message = format!("`{}` = `{}` has no effect", axis.name, value.name);
        let default = axis.default().name;
        let label = format!("in every case the same as `{default}`, the default");
        Mistake::new(message, place.clone(), label)
    };
    let all = fixed.chain(varied);
    all.filter(without_effect).map(mistake).collect()
}

/// Cases that are the same as one before.
fn pairs(file: &File, cases: &[Point], material: &Material) -> Vec<Mistake> {
    let mut seen: HashMap<String, &Point> = HashMap::new();
    let mut found: IndexMap<Vec<&'static str>, Vec<(&CaseId, &CaseId)>> = IndexMap::new();
    for case in cases {
        // All of a setup but its private keys, each of which has a certificate of its own.
        let all = format!("{:?}", setups(file, &case.settings, material));
        let before = *seen.entry(all).or_insert(case);
        if before.id != case.id {
            let axes = file.axes.value.iter().map(|at| at.value.0);
            let differ = axes.filter(|axis| before.settings.get(axis) != case.settings.get(axis));
            let differ = differ.map(|axis| axis.name).collect();
            let pairs = found.entry(differ).or_default();
            pairs.push((&before.id, &case.id));
        }
    }
    let mistake = |(axes, pairs): (Vec<&str>, Vec<(&CaseId, &CaseId)>)| {
        let (first, second) = pairs[0];
        let more = match pairs.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more such pairs"),
        };
        let axes: Vec<_> = axes.iter().map(|axis| format!("`{axis}`")).collect();
        let message = format!("{first} and {second} have the same setups{more}");
        let label = format!("{} makes no difference between them", axes.join(" with "));
        let mistake = Mistake::new(message, file.axes.place.clone(), label);
        mistake.note("[[exclude]] leaves out one of them, with the reason")
    };
    found.into_iter().map(mistake).collect()
}

/// The setups of a case's jobs; of a sweep, those of the first.
fn setups(file: &File, settings: &Settings, material: &Material) -> Setups {
    let setups = Setups::of(settings, material);
    if file.sweep.is_some() {
        setups.sweeping(0)
    } else {
        setups
    }
}

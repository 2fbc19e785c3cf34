//! Cases that are alike, as few patterns: `absent/{request,require}/*`.

use super::subject::Subject;
use crate::scenario::{CaseId, Scenario};

/// Values of each axis.
type Block<'a> = Vec<Vec<&'a str>>;

/// The values of these cases of one scenario, folded: two blocks that differ in one axis become one.
pub(super) fn patterns(scenario: &Scenario, cases: &[&CaseId]) -> Vec<String> {
    let mut blocks: Vec<Block<'_>> = cases
        .iter()
        .map(|case| case.segments().skip(1).map(|value| vec![value]).collect())
        .collect();
    // From the last axis, which varies fastest: so blocks stay in the order of rows.
    for axis in (0..scenario.axes.len()).rev() {
        let mut folded: Vec<Block<'_>> = Vec::new();
        for block in blocks {
            let is_alike = |other: &&mut Block<'_>| {
                (0..block.len()).all(|at| at == axis || other[at] == block[at])
            };
            match folded.iter_mut().find(is_alike) {
                Some(other) => {
                    for value in &block[axis] {
                        if !other[axis].contains(value) {
                            other[axis].push(value);
                        }
                    }
                }
                None => folded.push(block),
            }
        }
        blocks = folded;
    }
    blocks.iter().map(|block| text(scenario, block)).collect()
}

/// Every value of an axis that the scenario has is `*`, as in selections; of a single one the name.
fn text(scenario: &Scenario, block: &Block<'_>) -> String {
    let part = |(at, values): (usize, &Vec<&str>)| {
        let mut all: Vec<&str> = scenario
            .cases
            .iter()
            .filter_map(|case| case.id.segments().nth(at + 1))
            .collect();
        all.sort_unstable();
        all.dedup();
        match values[..] {
            [one] => one.to_owned(),
            _ if values.len() == all.len() => "*".to_owned(),
            _ => format!("{{{}}}", values.join(",")),
        }
    };
    let parts: Vec<_> = block.iter().enumerate().map(part).collect();
    parts.join("/")
}

/// The cases of these numbers, as patterns behind the ids of their scenarios.
pub(super) fn cases(subject: &Subject, numbers: &[usize]) -> String {
    let mut parts = Vec::new();
    for scenario in subject.scenarios() {
        let ids: Vec<&CaseId> = numbers
            .iter()
            .map(|number| &subject.case(*number).id)
            .filter(|id| id.scenario() == scenario.id)
            .collect();
        let patterns = patterns(scenario, &ids);
        parts.extend(
            patterns
                .iter()
                .map(|pattern| format!("`{}/{pattern}`", scenario.id)),
        );
    }
    parts.join(", ")
}

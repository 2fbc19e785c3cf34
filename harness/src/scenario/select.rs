//! Which cases a run takes.

use thiserror::Error;

use super::Scenario;
use super::nearest::nearest;

/// The first segments of cases' ids; `*` stands for any one segment.
#[derive(Clone, Debug)]
pub struct Selector(Vec<String>);

/// A selector that selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no case matches {pattern:?}; {}", hint(.near.as_deref()))]
pub struct SelectorError {
    /// What was asked for.
    pub pattern: String,
    /// The nearest case.
    pub near: Option<String>,
}

fn hint(near: Option<&str>) -> String {
    near.map_or_else(
        || "`reqmtls list` shows them all".to_owned(),
        |near| format!("did you mean {near:?}?"),
    )
}

impl Selector {
    /// Reads a pattern, which must match a case of the scenarios.
    pub fn parse(pattern: &str, scenarios: &[Scenario]) -> Result<Self, SelectorError> {
        let selector = Self(
            pattern
                .trim_matches('/')
                .split('/')
                .map(str::to_owned)
                .collect(),
        );
        let ids = || {
            scenarios
                .iter()
                .flat_map(|scenario| &scenario.cases)
                .map(|case| case.id.as_str())
        };
        if ids().any(|id| selector.matches(id)) {
            return Ok(selector);
        }
        let segments = selector.0.len();
        let prefixes: Vec<_> = ids()
            .map(|id| id.split('/').take(segments).collect::<Vec<_>>().join("/"))
            .collect();
        let near = nearest(pattern, prefixes.iter().map(String::as_str)).map(str::to_owned);
        Err(SelectorError {
            pattern: pattern.to_owned(),
            near,
        })
    }

    /// Whether a case's id starts with the segments.
    #[must_use]
    pub fn matches(&self, id: &str) -> bool {
        let mut segments = id.split('/');
        self.0.iter().all(|wanted| {
            segments
                .next()
                .is_some_and(|got| wanted == "*" || wanted == got)
        })
    }
}

//! Which cases a run takes.

use thiserror::Error;

use super::nearest::nearest;
use super::{CaseId, Scenario};

/// The first segments of cases' ids; `*` stands for any one segment.
#[derive(Clone, Debug)]
pub struct Selector(Vec<String>);

/// A selector that selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no case matches {pattern:?}; {}", hint(pattern, near.as_deref()))]
pub struct SelectorError {
    /// What was asked for.
    pub pattern: String,
    /// The nearest case.
    pub near: Option<String>,
}

fn hint(pattern: &str, near: Option<&str>) -> String {
    let partial = |segment: &str| segment.contains('*') && segment != "*";
    match near {
        _ if pattern.split('/').any(partial) => "`*` stands for a whole segment".to_owned(),
        Some(near) => format!("did you mean {near:?}?"),
        None => "`reqmtls list` shows them all".to_owned(),
    }
}

impl Selector {
    /// Reads a pattern.
    #[must_use]
    pub fn of(pattern: &str) -> Self {
        let segments = pattern.trim_matches('/').split('/');
        Self(segments.map(str::to_owned).collect())
    }

    /// Reads a pattern, which must match a case of the scenarios.
    pub fn parse(pattern: &str, scenarios: &[Scenario]) -> Result<Self, SelectorError> {
        let cases = scenarios.iter().flat_map(|scenario| &scenario.cases);
        Self::among(pattern, cases.map(|case| &case.id))
    }

    /// Reads a pattern, which must match one of these.
    pub fn among<'a>(
        pattern: &str,
        ids: impl Iterator<Item = &'a CaseId> + Clone,
    ) -> Result<Self, SelectorError> {
        let selector = Self::of(pattern);
        if ids.clone().any(|id| selector.matches(id)) {
            return Ok(selector);
        }
        let like_pattern = |id: &CaseId| {
            let wanted = selector.0.iter();
            let pairs = wanted.zip(id.segments());
            let segments = pairs.map(|(wanted, got)| if wanted == "*" { "*" } else { got });
            segments.collect::<Vec<_>>().join("/")
        };
        let prefixes: Vec<_> = ids.map(like_pattern).collect();
        let near = nearest(pattern, prefixes.iter().map(String::as_str)).map(str::to_owned);
        Err(SelectorError {
            pattern: pattern.to_owned(),
            near,
        })
    }

    /// Whether a case's id starts with the segments.
    #[must_use]
    pub fn matches(&self, id: &CaseId) -> bool {
        let mut segments = id.segments();
        self.0.iter().all(|wanted| {
            segments
                .next()
                .is_some_and(|got| wanted == "*" || wanted == got)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::parse;

    fn scenarios() -> Vec<Scenario> {
        let text = include_str!("../../../scenarios/request-mtls.toml");
        vec![parse(Path::new("request-mtls.toml"), text).unwrap()]
    }

    fn selected(pattern: &str) -> usize {
        let scenarios = scenarios();
        let selector = Selector::parse(pattern, &scenarios).unwrap();
        let cases = scenarios.iter().flat_map(|scenario| &scenario.cases);
        cases.filter(|case| selector.matches(&case.id)).count()
    }

    fn reported(pattern: &str) -> String {
        Selector::parse(pattern, &scenarios())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn selects_by_first_segments() {
        assert_eq!(selected("request-mtls"), 30);
        assert_eq!(selected("request-mtls/set"), 10);
        assert_eq!(selected("request-mtls/set/absent/require"), 1);
    }

    #[test]
    fn a_star_is_any_one_segment() {
        assert_eq!(selected("*"), 30);
        assert_eq!(selected("*/*/absent"), 15);
        assert_eq!(selected("request-mtls/*/*/require-on-flag"), 6);
    }

    #[test]
    fn part_of_a_segment_selects_nothing() {
        assert_eq!(
            reported("request-mtls/se"),
            r#"no case matches "request-mtls/se"; did you mean "request-mtls/set"?"#
        );
        assert_eq!(
            reported("request-*"),
            r#"no case matches "request-*"; `*` stands for a whole segment"#
        );
    }

    #[test]
    fn names_the_nearest_pattern_or_where_to_look() {
        assert_eq!(
            reported("*/*/abzent"),
            r#"no case matches "*/*/abzent"; did you mean "*/*/absent"?"#
        );
        assert_eq!(
            reported("tls12"),
            r#"no case matches "tls12"; `reqmtls list` shows them all"#
        );
    }
}

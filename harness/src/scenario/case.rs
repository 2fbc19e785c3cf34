//! Scenarios as they are after reading: cases, and what is expected of each.

use std::fmt;
use std::sync::Arc;

use reqmtls_contract::Revision;
use reqmtls_vocabulary::{Side, words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::{MAX_FLAG, Material, Setups};
use super::{Axis, Settings};
use crate::judge::Expected;
use crate::judge::requirement::Document;

/// The id of a case: the scenario's id and the values of its axes, with `/` between.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct CaseId(Arc<str>);

impl CaseId {
    pub(super) fn new<'a>(scenario: &'a str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let segments: Vec<_> = [scenario].into_iter().chain(values).collect();
        Self(segments.join("/").into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scenario's id.
    #[must_use]
    pub fn scenario(&self) -> &str {
        self.0
            .split_once('/')
            .map_or(&self.0, |(scenario, _)| scenario)
    }

    /// The values, without the scenario's id.
    #[must_use]
    pub fn values(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, values)| values)
    }

    /// The scenario's id, then each value.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

words! {
    /// Who runs against whom.
    pub enum Pairings {
        /// Each client against each server: for what depends on both ends.
        Every = "every",
        /// Each peer once as client and once as server against the reference: for what one end does.
        WithReference = "with-reference",
    }
}

/// One file under `scenarios/`.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its ending.
    pub id: String,
    /// What it shows, in one line.
    pub title: String,
    /// More about it.
    pub about: Option<String>,
    /// The document that it tests.
    pub document: Document,
    /// The revisions of the flag under which it holds; at least one.
    pub revisions: Vec<Revision>,
    /// The ends that deliberately misbehave in at least one case.
    pub misbehaving: Vec<Side>,
    /// Who runs against whom.
    pub pairings: Pairings,
    /// Whether it tests the harness, with ends that are deliberately misconfigured. It stays out of the published
    /// matrix.
    pub self_test: bool,
    /// The axes that it varies, in the order of the file.
    pub axes: Vec<&'static Axis>,
    /// Every point of its axes that is not excluded; the last axis varies fastest.
    pub cases: Vec<Case>,
    /// The points that are.
    pub excluded: Vec<Excluded>,
}

impl Scenario {
    /// Whether it holds under a revision.
    #[must_use]
    pub fn is_of(&self, revision: Revision) -> bool {
        self.revisions.contains(&revision)
    }
}

/// One point of a scenario's axes.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The ends that deliberately misbehave, as the values have it.
    pub misbehaving: Vec<Side>,
    /// Who runs against whom.
    pub pairings: Pairings,
    /// Whether it goes through every flag, a connection each.
    pub sweep: bool,
    /// Whether it tests the harness.
    pub self_test: bool,
    /// The case that differs from it only in that the edited value is well formed. What both show is no answer
    /// to the malformed value.
    pub control: Option<CaseId>,
    /// The value of every axis.
    pub settings: Settings,
    /// What the scenario expects.
    pub expected: Expected,
}

impl Case {
    /// Whether an end deliberately misbehaves.
    #[must_use]
    pub fn misbehaves(&self, side: Side) -> bool {
        self.misbehaving.contains(&side)
    }

    /// The setups of its jobs: one, or one for each flag of a sweep, which are those of the first 32 octets and of the
    /// last one that there can be.
    pub fn jobs(&self, material: &Material) -> impl Iterator<Item = Setups> + use<> {
        let setups = Setups::of(&self.settings, material);
        let (swept, only) = if self.sweep {
            (Some(setups), None)
        } else {
            (None, Some(setups))
        };
        let flags = (0..256).chain(MAX_FLAG - 7..=MAX_FLAG);
        let swept = swept.into_iter();
        let swept = swept.flat_map(move |it| flags.clone().map(move |flag| it.sweeping(flag)));
        only.into_iter().chain(swept)
    }
}

/// One point of a scenario's axes that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// What would be the case's id.
    pub id: CaseId,
    /// Why it is left out.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_scenario_and_values() {
        let id = CaseId::new("request-mtls", ["set", "absent"]);
        assert_eq!(id.to_string(), "request-mtls/set/absent");
        assert_eq!((id.scenario(), id.values()), ("request-mtls", "set/absent"));
        assert_eq!(id.segments().count(), 3);
    }
}

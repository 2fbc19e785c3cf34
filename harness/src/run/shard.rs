//! A shard of a run: cells, chosen by what they are alone, so that a case that comes or goes moves no other.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plan::Plan;
use crate::scenario::CaseId;

/// Which one of how many shards. Each cell of a run is in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Shard {
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// Whether a cell is in it.
    #[must_use]
    pub fn has(self, case: &CaseId, client: &str, server: &str) -> bool {
        let digest = Sha256::digest(format!("{case} {client}--{server}"));
        let start = digest.iter().take(8);
        let hash = start.fold(0, |hash, octet| hash << 8 | u64::from(*octet));
        hash % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Number 0 is the last one: there are schedulers that count their tasks from 0.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| {
            let (number, of): (u32, u32) = (number.parse().ok()?, of.parse().ok()?);
            (of > 0 && number <= of).then_some(Self {
                number: if number == 0 { of } else { number },
                of,
            })
        });
        parts.ok_or_else(|| format!("got {text}, expected I/N such as 2/8, I from 1 to N"))
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What shards have to have in common to be of one run, peers aside, and which one this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sharded {
    /// Which one.
    pub shard: Shard,
    /// The version of the harness.
    pub harness: String,
    /// A digest of the cases, of what is expected of each, and of who was to play.
    pub selection: String,
    /// Whether some peers were not to play (`--client`, `--server`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub narrowed: bool,
}

impl Sharded {
    /// What a plan says of itself, if it is of a shard.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let shard = plan.shard?;
        let mut selection = Sha256::new();
        for case in &plan.cases {
            let values: Vec<_> = case.settings.iter().map(|(_, value)| value.name).collect();
            selection.update(format!("{} {values:?} {:?} ", case.id, case.pairings));
            selection.update(format!("{:?} {}\n", case.expected, case.sweep));
        }
        let players = (&plan.clients, &plan.servers, plan.pairings, plan.repeat);
        selection.update(format!("{players:?}"));
        Some(Self {
            shard,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            selection: hex::encode(&selection.finalize()[..8]),
            narrowed: plan.narrowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str) -> CaseId {
        serde_json::from_value(id.into()).unwrap()
    }

    #[test]
    fn a_shard_is_one_of_those_that_there_are() {
        let shard = |text: &str| text.parse().map(|it: Shard| it.to_string());
        assert_eq!(shard("2/3").as_deref(), Ok("2/3"));
        assert_eq!(shard("0/3").as_deref(), Ok("3/3"));
        for wrong in ["", "3", "4/3", "0/0", "-1/3", "1/3/3"] {
            let expected = format!("got {wrong}, expected I/N such as 2/8, I from 1 to N");
            assert_eq!(shard(wrong), Err(expected));
        }
    }

    #[test]
    fn each_cell_is_in_one_shard_and_none_is_much_larger_than_another() {
        let mut sizes = [0; 4];
        for number in 0..4000 {
            let case = case(&format!("some/{number}"));
            let has = |number: u32| Shard { number, of: 4 }.has(&case, "a", "b");
            let of: Vec<_> = (1..=4).filter(|number| has(*number)).collect();
            assert_eq!(of.len(), 1);
            sizes[of[0] as usize - 1] += 1;
        }
        assert!(sizes.iter().all(|it| (900..1100).contains(it)), "{sizes:?}");
    }

    #[test]
    fn a_cell_stays_in_its_shard_from_version_to_version() {
        let case = case("request-mtls/set/absent/require");
        let number = (1..=8).find(|number| {
            let shard = Shard {
                number: *number,
                of: 8,
            };
            shard.has(&case, "openssl", "rustls")
        });
        assert_eq!(number, Some(2));
    }
}

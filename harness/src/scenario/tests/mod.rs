//! Scenarios as they are after reading.

mod committed;
mod expansion;
mod limits;
mod page;
mod properties;

use std::path::{Path, PathBuf};

use super::{Case, Scenario, load_dir, parse};

const CORE: &str = include_str!("../../../../scenarios/request-mtls.toml");
const SOUND: &str = include_str!("../mistakes/sound.toml");

/// The folder of the committed scenarios.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn committed() -> Vec<Scenario> {
    load_dir(&folder()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The scenario of that text, as `some.toml`.
fn some(text: &str) -> Scenario {
    parse(Path::new("some.toml"), text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The case with these values.
fn case<'s>(scenario: &'s Scenario, values: &str) -> &'s Case {
    let mut cases = scenario.cases.iter();
    cases
        .find(|case| case.id.values() == values)
        .expect("a case with these values")
}

/// The value of an axis in a case.
fn value(case: &Case, axis: &str) -> &'static str {
    let axis = super::Axis::find(axis).expect("an axis");
    case.settings.get(axis).expect("a value").name
}

//! `scenarios/README.md` and the tutorial: their examples are read.

use std::fs;

use super::super::{KNOWN_DEVIATIONS, Known, Pairings};
use super::*;

const PAGE: &str = include_str!("../../../../scenarios/README.md");
const TUTORIAL: &str = include_str!("../../../../docs/add-a-scenario.md");

/// The one example in TOML of a page.
fn example(page: &'static str) -> &'static str {
    let blocks = page.split("```toml\n").skip(1);
    let examples = blocks.map(|block| block.split_once("```").expect("an end of the example").0);
    let [example] = examples.collect::<Vec<_>>()[..] else {
        panic!("expected one example in TOML");
    };
    example
}

#[test]
fn shows_a_complete_scenario() {
    let scenario = parse(Path::new("require-on-flag.toml"), example(TUTORIAL))
        .unwrap_or_else(|it| panic!("{it}"));
    let ids: Vec<_> = scenario.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "require-on-flag/unset/absent",
            "require-on-flag/set/absent",
            "require-on-flag/set/present",
        ]
    );
    assert_eq!(scenario.pairings, Pairings::WithReference);
}

#[test]
fn shows_a_known_deviation() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(KNOWN_DEVIATIONS), example(PAGE)).unwrap();
    let peers = [(folder.path(), vec!["openssl"])].into();
    let known = Known::load(&peers, &committed()).unwrap();
    assert_eq!(known.len(), 1);
}

//! `scenarios/README.md`: its examples are read, and its tables are complete.

use std::fs;

use super::super::expectation::{EXCLUDE_KEYS, EXPECT_KEYS};
use super::super::file::KEYS;
use super::super::{KNOWN_DEVIATIONS, Known, Pairings};
use super::*;

const PAGE: &str = include_str!("../../../../scenarios/README.md");

/// The examples in TOML: those of known deviations, and the scenarios.
fn examples() -> (Vec<&'static str>, Vec<&'static str>) {
    let blocks = PAGE.split("```toml\n").skip(1);
    let examples = blocks.map(|block| block.split_once("```").expect("an end of the example").0);
    examples.partition(|example| example.contains("[[deviation]]"))
}

#[test]
fn shows_a_complete_scenario() {
    let (_, scenarios) = examples();
    let [text] = scenarios[..] else {
        panic!("got {} scenarios, expected one", scenarios.len());
    };
    let scenario =
        parse(Path::new("require-on-flag.toml"), text).unwrap_or_else(|it| panic!("{it}"));
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
    let (deviations, _) = examples();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(KNOWN_DEVIATIONS), deviations.concat()).unwrap();
    let peers = [(folder.path(), vec!["openssl"])].into();
    let known = Known::load(&peers, &committed()).unwrap();
    assert_eq!(known.len(), 1);
}

/// The keys of a table of the page, in its order.
fn keys_of_table(head: &str) -> Vec<&'static str> {
    let (_, table) = PAGE.split_once(head).expect("the table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cell = |row: &'static str| row.trim_start_matches("| `").split('`').next();
    rows.filter_map(cell).collect()
}

#[test]
fn lists_every_key_and_no_other() {
    assert_eq!(keys_of_table("| key | | value |"), KEYS);
    assert_eq!(
        keys_of_table("| key of `[[expect]]` | | value |"),
        EXPECT_KEYS
    );
    assert_eq!(
        keys_of_table("| key of `[[exclude]]` | | value |"),
        EXCLUDE_KEYS
    );
}

#[test]
fn links_lead_to_what_is_there() {
    let links = PAGE.split("](").skip(1);
    let links: Vec<_> = links.filter_map(|rest| rest.split(')').next()).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(folder().join(link).exists(), "{link}");
    }
}

//! What is reported of a mistake, in full: one test for each kind.

mod coverage;
mod effect;
mod misbehaviour;
mod shapes;
mod words;

use std::path::Path;

use super::parse;

/// A scenario without a mistake.
const SOUND: &str = include_str!("sound.toml");

#[test]
fn the_scenario_without_a_mistake_is_read() {
    let scenario = parse(Path::new("some.toml"), SOUND).unwrap();
    assert_eq!(scenario.cases.len(), 4);
}

/// What is reported of that text.
fn reported(text: &str) -> String {
    match parse(Path::new("some.toml"), text) {
        Ok(scenario) => panic!("got {} cases, expected mistakes", scenario.cases.len()),
        Err(wrong) => wrong.to_string(),
    }
}

/// What is reported of the scenario once `from` is `to`.
fn changed(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "{from}");
    reported(&SOUND.replacen(from, to, 1))
}

/// What is reported of the scenario with these lines before it and this setup in place of its own.
fn set(head: &str, setup: &str) -> String {
    let text = SOUND.replacen("cipher = \"default\"", setup, 1);
    reported(&format!("{head}{text}"))
}

/// What is reported of the scenario with more at its end.
fn with(more: &str) -> String {
    reported(&format!("{SOUND}{more}"))
}

#[track_caller]
fn assert_reported(reported: &str, expected: &str) {
    assert!(
        reported == expected.trim(),
        "got\n{reported}\nexpected{expected}"
    );
}

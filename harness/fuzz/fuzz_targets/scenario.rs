//! Any text is a scenario or gets diagnostics that render and point into it.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use reqmtls::scenario::{Diagnostic, Scenario, parse};

fuzz_target!(|text: &str| {
    match parse(Path::new("some.toml"), text) {
        Ok(scenario) => is_whole(&scenario, text),
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics.iter() {
                points_into(diagnostic, text);
            }
        }
    }
});

fn is_whole(scenario: &Scenario, text: &str) {
    assert!(!scenario.cases.is_empty());
    let mut ids = BTreeSet::new();
    for case in &scenario.cases {
        assert!(ids.insert(&case.id), "{} twice", case.id);
        assert_eq!(case.id.scenario(), "some");
        assert_eq!(case.id.segments().count(), scenario.axes.len() + 1);
        let expected = &case.expected;
        assert!(!expected.because.is_empty() && !expected.lines.is_empty());
        let lines = 1..=text.split('\n').count();
        assert!(expected.lines.iter().all(|line| lines.contains(line)));
        let declared = |side| scenario.misbehaving.contains(side);
        assert!(case.misbehaving.iter().all(declared));
    }
    let controls = scenario
        .cases
        .iter()
        .filter_map(|case| case.control.as_ref());
    for control in controls {
        assert!(ids.contains(control), "no {control}");
    }
    for excluded in &scenario.excluded {
        assert!(ids.insert(&excluded.id), "{} twice", excluded.id);
    }
}

fn points_into(diagnostic: &Diagnostic, text: &str) {
    let (rendered, message) = (diagnostic.to_string(), diagnostic.message());
    assert_eq!(diagnostic.file(), "some.toml");
    assert!(!message.trim().is_empty());
    assert!(!message.chars().any(char::is_control), "{message:?}");
    assert!(rendered.contains(message), "{rendered}");
    let control = rendered.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "{rendered:?}");
    if let Some((line, column)) = diagnostic.position() {
        let in_line = text.split('\n').nth(line - 1).expect("a line of the text");
        assert!(
            (1..=in_line.chars().count() + 1).contains(&column),
            "{rendered}"
        );
    }
}

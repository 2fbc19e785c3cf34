//! Scenarios of the greatest size.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::super::Axis;
use super::*;

/// A scenario with this many values of each axis, all misbehaving.
fn scenario_of(varied: &[(&str, usize)]) -> String {
    let mut text = "title = \"Many cases\"\ndocument = \"RFC 9846\"\nmisbehaving = \"client\"\n\
                    [setup]\n\"client.edit.message\" = \"client-hello\"\n[axes]\n"
        .to_owned();
    for (name, count) in varied {
        let axis = Axis::find(name).expect("an axis");
        let values: Vec<_> = axis.values[..*count]
            .iter()
            .map(|value| value.name)
            .collect();
        writeln!(text, "{name:?} = {values:?}").unwrap();
    }
    text.push_str(
        "[[expect]]\ncertificate_request = \"any\"\noutcome = \"completed\"\n\
         authenticated = \"any\"\nbecause = [\"TLS-2\"]\n",
    );
    text
}

#[test]
fn ten_thousand_cases_expand_in_a_moment() {
    let text = scenario_of(&[
        ("client.edit.value", 10),
        ("client.certificate", 5),
        ("client.groups", 5),
        ("server.groups", 5),
        ("cipher", 4),
        ("server.early-data", 2),
    ]);
    let start = Instant::now();
    let scenario = some(&text);
    let elapsed = start.elapsed();
    eprintln!("ELAPSED {elapsed:?}");
    assert_eq!(scenario.cases.len(), 10_000);
    let controlled = scenario.cases.iter().filter(|case| case.control.is_some());
    assert_eq!(controlled.count(), 9_000);
    // A second on an idle machine; a search in all cases for each of them takes far longer than this.
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
}

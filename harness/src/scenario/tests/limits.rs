//! The greatest number of cases.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::super::Axis;
use super::*;

/// A scenario with the first so many values of each axis, the last of them first: the worst order for controls,
/// which have the first value.
fn scenario_of(varied: &[(&str, usize)]) -> String {
    let mut text = "title = \"Many cases\"\ndocument = \"RFC 9846\"\nmisbehaving = \"client\"\n\
                    [setup]\n\"client.edit.message\" = \"client-hello\"\n[axes]\n"
        .to_owned();
    for (name, count) in varied {
        let axis = Axis::find(name).expect("an axis");
        let values = axis.values[..*count].iter().rev();
        let values: Vec<_> = values.map(|value| value.name).collect();
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
    assert_eq!(scenario.cases.len(), 10_000);
    let controlled = scenario.cases.iter().filter(|case| case.control.is_some());
    assert_eq!(controlled.count(), 9_000);
    // It takes less than a second here. This leaves room for a busy machine, and none for costly searches.
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
}

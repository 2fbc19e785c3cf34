//! Faults of peers.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use pulldown_cmark::{Event, Parser, Tag};
use serde_json::Value;

use crate::bench::{Bench, OTHER, STRUCK, example};

/// The pairings of the faulty peer.
const PAIRINGS: [&str; 3] = ["faulty--rustls", "rustls--faulty", "faulty--faulty"];

/// Exit code of a run in which a peer broke.
const BROKEN: Option<i32> = Some(3);

/// Each fault, and words of the one line that names it; none where the peer goes on.
const FAULTS: [(&str, &str); 13] = [
    (
        "dies preparing",
        "peer faulty was lost: it ended (exit status: 7); its last words: first / out of \\u{1b}[31m<script>",
    ),
    (
        "dies relaying",
        "peer faulty was lost: it ended (signal: 6 (SIGABRT)",
    ),
    (
        "dies reporting",
        "peer faulty was lost: it ended (exit status: 7)",
    ),
    (
        "stops",
        "peer faulty was lost: it did not answer within 1000 ms after the deadline of a cell and was killed",
    ),
    ("hangs", ""),
    ("sends octets without end", ""),
    ("sends empty records without end", ""),
    ("sends alerts without end", ""),
    ("closes at once", ""),
    ("half-closes", ""),
    ("resets", ""),
    ("speaks in escapes", ""),
    ("", ""),
];

/// What a connection without end is cut by.
const LIMITS: [(&str, &str); 3] = [
    (
        "sends octets without end",
        "a connection of more than 4194304 octets",
    ),
    (
        "sends empty records without end",
        "a connection of more than 8192 records of one side",
    ),
    (
        "sends alerts without end",
        "a connection of more than 8192 records of one side",
    ),
];

#[test]
fn a_fault_costs_the_cells_that_it_touches_and_no_other() {
    for (fault, words) in FAULTS {
        let bench = Bench::new(fault);
        // One after the other: who dies is in one cell alone.
        let ran = bench.run(&["--jobs", "1"]);
        println!("{fault}: {:?}\n{}", ran.code, ran.err);
        ran.costs_only_what_it_touches();
        for pairing in PAIRINGS {
            let (conformance, reason) = ran.cell(STRUCK, pairing);
            let expected = if fault.is_empty() {
                "conforms"
            } else {
                "failed"
            };
            assert_eq!(conformance, expected, "{fault}: {pairing}: {reason}");
            assert!(reason.len() < 2000, "{fault}: {pairing}: {reason}");
        }
        if let Some(limit) = LIMITS
            .iter()
            .find_map(|(of, limit)| (*of == fault).then_some(limit))
        {
            assert_eq!(ran.count(limit), PAIRINGS.len(), "{fault}:\n{}", ran.err);
        }
        let lost = if words.is_empty() { 0 } else { PAIRINGS.len() };
        assert_eq!(ran.count("was lost:"), lost, "{fault}:\n{}", ran.err);
        ran.says(words);
        assert!(!ran.err.contains('\x1b') && !ran.err.contains('\u{202e}'));
        let code = if fault.is_empty() { Some(1) } else { BROKEN };
        assert_eq!(ran.code, code, "{fault}:\n{}", ran.err);
    }
}

/// Not where an alert is sent: tokio-rustls 0.26.6 tries one write of it (src/common/mod.rs, `read_io`).
#[test]
fn a_handshake_octet_by_octet_costs_nothing() {
    let ran = Bench::of("writes octet by octet", OTHER).run(&[]);
    ran.says("8 cells: 8 conforms");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

#[test]
fn a_peer_that_is_lost_too_often_is_not_started_again_and_the_rest_is_one_line() {
    let bench = Bench::of("dies preparing", "request-mtls");
    // Every case begins so.
    let manifest = bench.root().join("peers/faulty/peer.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(
        &manifest,
        text.replace("dies preparing", "dies preparing anything"),
    )
    .unwrap();
    let ran = bench.run(&["--jobs", "1"]);
    assert_eq!(ran.count("was lost:"), 4, "{}", ran.err);
    ran.says("it is started again, at most 3 more times");
    ran.says("it is not started again");
    ran.says("failed: 2 cells without peer faulty, which is gone");
    assert_eq!(ran.count("failed: request-mtls"), 4, "{}", ran.err);
    for case in [STRUCK, OTHER] {
        assert_eq!(ran.cell(case, "rustls--rustls").0, "conforms");
        for pairing in PAIRINGS {
            assert_eq!(ran.cell(case, pairing).0, "failed");
        }
    }
    assert_eq!(ran.code, BROKEN);
}

#[test]
fn many_cells_at_once_lose_no_more_than_those_that_were_in_it() {
    let bench = Bench::new("dies relaying");
    let ran = bench.run_as(&["request-mtls", "--mode", "process", "--jobs", "4"]);
    let failed = ran.cells.iter().filter(|(_, _, it, _)| it == "failed");
    // Three deaths, and at most three other cells in each.
    assert!((3..=12).contains(&failed.count()), "{}", ran.err);
    assert_eq!(ran.cells.len(), 120, "{}", ran.err);
}

#[test]
fn a_peer_that_does_not_start_is_named_with_its_last_words() {
    let ran = Bench::new("does not start").run(&[]);
    ran.says("peer faulty: not started: ");
    ran.says("it ended (exit status: 7); its last words: no \\u{1b}[31m<script>");
    assert_eq!((ran.code, ran.cells.len()), (BROKEN, 2), "{}", ran.err);
}

#[test]
fn a_line_without_end_is_cut_off_and_a_log_without_end_is_let_go() {
    for fault in ["writes a line without end", "writes deep JSON"] {
        let ran = Bench::new(fault).run(&[]);
        ran.says("peer faulty: not started: ");
        assert!(ran.err.len() < 4000, "{}", ran.err);
    }
    let ran = Bench::new("logs without end").run(&[]);
    ran.costs_only_what_it_touches();
    assert!(ran.err.len() < 4000, "{}", ran.err);
}

#[test]
fn what_others_wrote_is_interpreted_in_no_report() {
    let bench = Bench::new("speaks in escapes");
    bench.run(&[]);
    let mut read = 0;
    for entry in fs::read_dir(bench.root().join("results/latest")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "md") {
            let text = fs::read_to_string(&path).unwrap();
            for words in ["<script", "https://hostile", "\x1b", "\u{202e}"] {
                assert!(
                    !text.contains(words),
                    "{words:?} in {}:\n{text}",
                    path.display()
                );
            }
            let leads_there = |event| matches!(event, Event::Start(Tag::Link { dest_url, .. }) if &*dest_url == "hostile");
            assert!(!Parser::new(&text).any(leads_there), "{text}");
            read += usize::from(text.contains("alert(1)"));
        }
    }
    assert!(read > 0, "no report repeats the peer's words");
}

#[test]
fn a_cell_that_shows_two_things_in_several_runs_is_reported_and_no_pass() {
    let ran = Bench::new("varies").run(&["--repeat", "6", "--jobs", "1"]);
    // A client leaves the flag out in every third job.
    for pairing in ["faulty--rustls", "faulty--faulty"] {
        ran.says(&format!(
            "varies: {STRUCK} {pairing}: 2 distinct results in 6 runs ("
        ));
        assert_eq!(ran.cell(STRUCK, pairing).0, "deviates");
    }
    ran.says("repeated: 8 cells, of which 2 vary");
    assert_eq!(ran.count("varies: "), 2, "{}", ran.err);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

#[test]
fn what_only_some_runs_misreport_varies_and_is_a_finding_of_the_cell() {
    let bench = Bench::new("misreports");
    let ran = bench.run(&["--repeat", "6", "--jobs", "1"]);
    // It always misreports that it resumed, and as client in every third job also an alert.
    ran.says("repeated: 8 cells, of which 2 vary");
    let latest = bench.root().join("results/latest");
    let summary = fs::read_to_string(latest.join("summary.md")).unwrap();
    let result = fs::read_to_string(latest.join("result.jsonl")).unwrap();
    for pairing in ["faulty--rustls", "faulty--faulty"] {
        let varies =
            format!("{STRUCK} {pairing}: 2 distinct results in 6 runs (4 deviates, 2 deviates)");
        ran.says(&format!("varies: {varies}"));
        assert!(summary.contains(&format!("* {varies}")), "{summary}");
    }
    ran.says("client reported alert_sent 42; expected none, as on the wire");
    for line in result.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (cell, client) = (&line["cell"], &line["cell"]["client"]["peer"]);
        if cell["case"] == STRUCK && client == "faulty" {
            let findings = cell["findings"].as_array().unwrap();
            let of_client = findings.iter().filter(|it| it["party"] == "client");
            assert_eq!(of_client.count(), 2, "{cell:#}");
            let seen = cell["repeats"]["seen"].as_array().unwrap();
            let texts = |it: &Value| it["findings"].as_array().unwrap().len();
            assert_eq!(texts(&seen[0]) + 1, texts(&seen[1]), "{cell:#}");
        }
    }
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

#[test]
fn junit_has_what_varies_as_failures_of_a_suite_of_its_own() {
    let bench = Bench::new("varies");
    let read = || {
        let path = bench.root().join("results/latest/junit.xml");
        let text = fs::read_to_string(path).unwrap();
        quick_junit::Report::deserialize_from_str(&text).unwrap()
    };
    let varying = |report: &quick_junit::Report| {
        let mut suites = report.test_suites.iter();
        suites
            .find(|suite| suite.name.as_str() == "varying cells")
            .cloned()
    };
    bench.run(&["--repeat", "6", "--jobs", "1"]);
    let suite = varying(&read()).unwrap();
    assert_eq!((suite.tests, suite.failures, suite.errors), (2, 2, 0));
    let names = suite.test_cases.iter().map(|case| case.name.as_str());
    let names: std::collections::BTreeSet<_> = names.map(str::to_owned).collect();
    let expected = ["faulty--faulty", "faulty--rustls"].map(|it| format!("{STRUCK} {it}"));
    assert_eq!(names, expected.into());
    for case in &suite.test_cases {
        let quick_junit::TestCaseStatus::NonSuccess {
            kind, message, ty, ..
        } = &case.status
        else {
            panic!("{case:?}")
        };
        assert_eq!(*kind, quick_junit::NonSuccessKind::Failure);
        assert_eq!(ty.as_deref(), Some("varies"));
        let message = message.as_deref().unwrap();
        assert!(
            message.starts_with("2 distinct results in 6 runs ("),
            "{message}"
        );
    }
    // In one run of each, the same peer varies in nothing.
    bench.run(&["--repeat", "1", "--jobs", "1"]);
    assert_eq!(varying(&read()), None);
}

#[test]
fn no_cell_fails_because_of_how_many_run_at_once() {
    let ran = Bench::new("").run_as(&["request-mtls", "--mode", "process", "--jobs", "256"]);
    ran.says("120 cells: 120 conforms");
}

#[test]
fn cells_of_peers_that_are_up_wait_for_no_other() {
    let bench = Bench::new("");
    let gate = bench.root().join("gate");
    let made = Command::new("mkfifo").arg(&gate).status().unwrap();
    assert!(made.success());
    // Starts once the gate is open.
    let program = bench.root().join("peers/faulty/run");
    let [from, to] = [&gate, &example()].map(|path| path.display().to_string());
    fs::write(
        &program,
        format!("#!/bin/sh\nread -r _ <{from}\nexec {to} \"$@\"\n"),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut run = bench.command(&[STRUCK, "--mode", "process", "--format", "json"]);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut run = run.spawn().unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut next = |keys: [&str; 2]| {
        let line = lines.find(|line| keys.iter().any(|key| line.get(key).is_some()));
        line.expect("a line of that kind")
    };
    // How many cells there are is known once all are up.
    let cell = next(["cell", "cells"]);
    assert_eq!(cell["cell"]["client"]["peer"], "rustls");
    assert_eq!(cell["cell"]["server"]["peer"], "rustls");
    // For reading too: then it opens even where nobody reads any more.
    let mut gate = fs::OpenOptions::new();
    let mut gate = gate.read(true).write(true).open(from).unwrap();
    gate.write_all(b"open\n").unwrap();
    assert_eq!(next(["cells", "ended"])["cells"], 4);
    let rest: Vec<_> = lines.filter(|line| line.get("cell").is_some()).collect();
    assert_eq!(rest.len(), 3);
    // Nobody has accepted these transcripts.
    assert_eq!(run.wait().unwrap().code(), Some(1));
}

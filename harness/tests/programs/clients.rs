//! Clients that most machines have, in each case.

use std::process::Command;

use reqmtls::program::{CASES, Outcome, Results, chapter};
use serde_json::Value;

use crate::{copy, is_there, programs, root};

/// What a program that asks nobody shows in each case: the case, the outcome, and each connection.
fn shows(name: &str, expected: &str) {
    if !is_there(name) {
        return;
    }
    let root = copy();
    let (code, out, err) = programs(root.path(), &[name]);
    assert_eq!(code, 0, "{out}{err}");
    let lines = out
        .lines()
        .filter(|line| !line.trim_start().starts_with('"'));
    let lines: Vec<_> = lines.skip(1).map(str::trim_start).collect();
    assert_eq!(lines.join("\n"), expected.trim(), "{out}");
    let capture = root
        .path()
        .join("results/latest/programs")
        .join(format!("{name}.pcapng"));
    let judged = Command::new(env!("CARGO_BIN_EXE_reqmtls"))
        .args(["judge", "--json"])
        .arg(capture)
        .output()
        .unwrap();
    let judged = String::from_utf8(judged.stdout).unwrap();
    let connections: Vec<Value> = judged
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(connections.len(), CASES.len(), "{judged}");
    assert!(
        connections
            .iter()
            .all(|connection| connection["whole"] == true),
        "{judged}"
    );
    assert!(!root.path().join("results/programs.md").exists());
}

/// Of the programs whose library sends a certificate whatever authorities are named.
const ANY_AUTHORITY: &str = "
never/none: completed, exit code 0
not asked, answered
request/none: completed, exit code 0
asked, empty Certificate, answered
require/none: failed, exit code EXIT
asked, empty Certificate, refused certificate_required(116)
request-on-flag/none: completed, exit code 0
not asked, answered
request/fits: completed, exit code 0
asked, certificate, answered
require/fits: completed, exit code 0
asked, certificate, answered
request-on-flag/fits: completed, exit code 0
not asked, answered
request/other: failed, exit code EXIT
asked, certificate, refused unknown_ca(48)
request/other/no-authority-named: completed, exit code 0
asked, certificate, answered
";

#[test]
fn curl_sends_an_empty_certificate_and_none_on_the_flag() {
    shows("curl", &ANY_AUTHORITY.replace("EXIT", "56"));
}

#[test]
fn python_does_as_curl_does() {
    shows("python-urllib", &ANY_AUTHORITY.replace("EXIT", "1"));
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let (code, _, err) = programs(&root(), &["curll"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("got program \"curll\", did you mean curl?"),
        "{err}"
    );
}

#[test]
fn a_program_that_the_machine_lacks_is_named_with_its_package() {
    let root = copy();
    let manifest = root.path().join("peers/programs/curl.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(
        &manifest,
        text.replace("program = \"curl\"", "program = \"no-such-curl\""),
    )
    .unwrap();
    let (code, _, err) = programs(root.path(), &["curl"]);
    assert_eq!(code, 3);
    assert_eq!(
        err.trim(),
        "missing: curl: no-such-curl: not found (Debian package curl)"
    );
}

fn published() -> Results {
    let text = std::fs::read_to_string(root().join("results/programs.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_published_chapter_is_that_of_the_published_results() {
    let text = std::fs::read_to_string(root().join("results/programs.md")).unwrap();
    assert!(
        text == chapter(&published()),
        "results/programs.md is not what results/programs.json gives; `reqmtls programs` writes both"
    );
}

/// What README.md says of programs.
#[test]
fn on_the_flag_every_published_program_completes_and_none_is_asked() {
    let results = published();
    assert!(results.programs.len() >= 10);
    for program in &results.programs {
        let on_flag = program
            .cells
            .iter()
            .filter(|cell| cell.case.policy.is_on_flag());
        for cell in on_flag {
            assert_eq!(cell.outcome, Outcome::Completed, "{}", program.title);
            assert!(
                !cell.connections.iter().any(|it| it.asked),
                "{}",
                program.title
            );
        }
    }
}

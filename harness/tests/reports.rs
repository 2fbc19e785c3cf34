//! Reports as their consumers read them, and the commands that make and compare them.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// A root with the core scenario and the in-process peer alone.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (from, to) in [
        ("scenarios/request-mtls.toml", "scenarios/request-mtls.toml"),
        ("peers/rustls/peer.toml", "peers/rustls/peer.toml"),
    ] {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(here.join(from), to).unwrap();
    }
    root
}

fn reqmtls(root: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let command = command.env_remove("GITHUB_ACTIONS");
    let output = command.arg("--root").arg(root).args(arguments);
    let output = output.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_accepted_is_what_the_next_run_is_held_against() {
    let root = root();
    let latest = root.path().join("results/latest");
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    let junit = fs::read_to_string(latest.join("junit.xml")).unwrap();
    assert!(
        junit.contains(r#"tests="30" skipped="0" errors="0" failures="30""#),
        "{junit}"
    );
    let (code, out, err) = reqmtls(root.path(), &["accept", "request-mtls/set"]);
    assert_eq!((code, &*out), (0, "accepted: 10 transcripts\n"), "{err}");
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("transcripts: 10 same, 0 changed, 20 new"),
        "{err}"
    );
    let (code, out, err) = reqmtls(root.path(), &["accept"]);
    assert_eq!((code, &*out), (0, "accepted: 20 transcripts\n"), "{err}");
    let (code, out, _) = reqmtls(root.path(), &["accept"]);
    assert_eq!(
        (code, &*out),
        (4, "accepted: 0 transcripts\n"),
        "nothing is left"
    );
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 0, "{err}");
    // What another end would show is a change, and has the accepted transcript beside it.
    let path = root.path().join("results/snapshots/request-mtls.snap");
    let snapshot = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        snapshot.replace("certificate_required(116)", "bad_certificate(42)"),
    )
    .unwrap();
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    let page = fs::read_to_string(latest.join("index.html")).unwrap();
    assert!(
        page.contains("fatal bad_certificate(42)"),
        "the accepted transcript stands in the page"
    );
}

#[test]
fn reports_are_the_same_when_they_are_rendered_again() {
    let root = root();
    let latest = root.path().join("results/latest");
    reqmtls(root.path(), &["run"]);
    let names = [
        "matrix.md",
        "requirements.md",
        "index.html",
        "matrix.svg",
        "junit.xml",
        "interop.json",
        "summary.md",
    ];
    let again = root.path().join("again");
    let to = again.to_str().unwrap();
    let (code, _, err) = reqmtls(root.path(), &["report", "--to", to]);
    assert_eq!(code, 0, "{err}");
    for name in names {
        let (one, other) = (
            fs::read(latest.join(name)).unwrap(),
            fs::read(again.join(name)).unwrap(),
        );
        assert!(!one.is_empty() && one == other, "{name} differs");
    }
    let (code, _, err) = reqmtls(root.path(), &["report", "nowhere.jsonl"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("nowhere.jsonl"), "{err}");
}

#[test]
fn two_runs_differ_where_their_cells_do() {
    let root = root();
    let result = root.path().join("results/latest/result.jsonl");
    reqmtls(root.path(), &["run"]);
    let before = root.path().join("before.jsonl");
    fs::copy(&result, &before).unwrap();
    let (before, result) = (before.to_str().unwrap(), result.to_str().unwrap());
    let (code, out, err) = reqmtls(root.path(), &["diff", before, result]);
    assert_eq!(
        (code, &*out),
        (0, "0 cells changed, 0 only before, 0 only after\n"),
        "{err}"
    );
    reqmtls(root.path(), &["run", "request-mtls/set", "--flag", "5"]);
    let (code, out, _) = reqmtls(root.path(), &["diff", before, result, "--json"]);
    assert_eq!(code, 1, "{out}");
    let difference: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(difference["gone"].as_array().unwrap().len(), 20, "{out}");
    assert_eq!(difference["new"].as_array().unwrap().len(), 0, "{out}");
}

#[test]
fn the_runner_of_quic_finds_a_result_for_each_client_and_server() {
    let root = root();
    reqmtls(root.path(), &["run"]);
    let text = fs::read_to_string(root.path().join("results/latest/interop.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let count = |key: &str| file[key].as_array().unwrap().len();
    assert_eq!(count("results"), count("clients") * count("servers"));
    assert_eq!(count("measurements"), count("results"));
    assert_eq!(file["results"][0][0]["abbr"], "request-mtls");
    assert_eq!(file["results"][0][0]["result"], "succeeded");
    assert!(file["tests"]["request-mtls"]["desc"].is_string());
}

#[test]
fn findings_are_annotations_where_github_reads_them() {
    let root = root();
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let command = command.env("GITHUB_ACTIONS", "true").arg("--root");
    let output = command.arg(root.path()).arg("run").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Thirty new transcripts of one pairing and scenario are one thing to say.
    assert_eq!(text.lines().count(), 1, "{text}");
    let begin = "::error file=scenarios/request-mtls.toml,line=1::request-mtls/";
    assert!(text.starts_with(begin), "{text}");
    let summary = fs::read_to_string(root.path().join("results/latest/summary.md")).unwrap();
    assert!(
        summary.contains("| 30 | 30 | 0 | 0 | 0 | 0 | 30 |"),
        "{summary}"
    );
}

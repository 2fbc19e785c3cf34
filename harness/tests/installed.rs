//! The program where there is no checkout: it brings scenarios and the reference along.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "shared/session.rs"]
#[expect(dead_code, reason = "what is written is looked at here, not kept")]
mod session;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use session::Folder;

const CASE: &str = "request-mtls/set/absent/require-on-flag";

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("reqmtls"));
    command
        .current_dir(folder.path())
        .env_remove("GITHUB_ACTIONS");
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Exit code, stdout and stderr.
fn reqmtls(folder: &Folder, arguments: &[&str]) -> (i32, String, String) {
    let output = command(folder, arguments).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn every_case_runs_and_what_was_accepted_is_held_against() {
    let folder = Folder::new();
    let (code, listed, err) = reqmtls(&folder, &["list", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("built-in scenarios"), "{err}");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let scenarios = listed["scenarios"].as_array().unwrap();
    let cases = scenarios
        .iter()
        .flat_map(|it| it["cases"].as_array().unwrap());
    let cells: usize = cases
        .map(|case| case["pairings"].as_array().unwrap().len())
        .sum();
    let (code, _, err) = reqmtls(&folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("no accepted transcripts"), "{err}");
    assert!(err.contains(&format!("{cells} cells:")), "{err}");
    let of_results = fs::read_dir(folder.path().join("results")).unwrap().count();
    assert_eq!(of_results, 1, "a run leaves latest/ alone");
    let (code, _, err) = reqmtls(&folder, &["explain", CASE, "rustls--rustls"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = reqmtls(&folder, &["accept", CASE]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = reqmtls(&folder, &["run", CASE]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1 same, 0 changed, 0 new"), "{err}");
    let snapshot = folder.path().join("results/snapshots/request-mtls.snap");
    let text = fs::read_to_string(&snapshot).unwrap();
    fs::write(&snapshot, text.replace("(116)", "(42)")).unwrap();
    let (code, _, err) = reqmtls(&folder, &["run", CASE]);
    assert_eq!(code, 1, "{err}");
    // The last run had that case alone.
    let other = CASE.replace("absent", "present");
    let (code, out, err) = reqmtls(&folder, &["explain", &other, "rustls--rustls"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("\nrun: last-whole\n"), "{out}");
}

#[test]
fn peers_are_checked_and_captures_judged_and_decoded() {
    let folder = Folder::new();
    let (code, out, err) = reqmtls(&folder, &["peers"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("rustls: compiled into the harness\n"),
        "{out}"
    );
    // An example that `cargo test` builds: without a fault to play it follows the contract.
    let peer = assert_cmd::cargo::cargo_bin("reqmtls").with_file_name("examples/double");
    let mut command = command(
        &folder,
        &["check-peer", peer.to_str().unwrap(), "--only", "SIGTERM"],
    );
    let checked = command.env("REQMTLS_DOUBLE", "").output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let capture = workspace().join("harness/tests/fixtures/authenticated.pcapng");
    let capture = capture.to_str().unwrap();
    for arguments in [
        ["judge", capture],
        ["decode", capture],
        ["decode", "010203"],
    ] {
        let (code, out, err) = reqmtls(&folder, &arguments);
        assert!(
            code < 2 && !out.is_empty(),
            "{arguments:?}: {code} {out}{err}"
        );
    }
}

/// A server that ends with its scope.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn what_is_served_is_probed() {
    let folder = Folder::new();
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--policy",
        "require-on-flag",
    ];
    let mut command = command(&folder, &arguments);
    let mut serving = Serving(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let err = BufReader::new(serving.0.stderr.take().unwrap());
    let mut lines = err.lines().map(Result::unwrap);
    let address = lines.find_map(|line| {
        let (_, port) = line.split_once("https://localhost:")?;
        Some(format!("127.0.0.1:{}", port.trim_end_matches('/')))
    });
    let address = address.expect("a line with the address");
    // What it writes is read, so that it is not held up.
    std::thread::spawn(move || lines.for_each(drop));
    let mut out = serving.0.stdout.take().unwrap();
    std::thread::spawn(move || drop(out.read_to_end(&mut Vec::new())));
    let (code, out, err) = reqmtls(&folder, &["probe", &address, "request-mtls"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("asks only on the flag"), "{out}");
}

#[test]
fn schemas_are_those_of_the_checkout() {
    let folder = Folder::new();
    for (subject, file) in [
        ("scenario", "scenarios/scenario.schema.json"),
        ("result", "results/result.schema.json"),
    ] {
        let (code, out, err) = reqmtls(&folder, &["schema", subject]);
        assert_eq!(code, 0, "{err}");
        assert!(
            out == fs::read_to_string(workspace().join(file)).unwrap(),
            "{subject}"
        );
    }
}

#[test]
fn bash_takes_the_completions() {
    let folder = Folder::new();
    let (code, script, err) = reqmtls(&folder, &["completions", "bash"]);
    assert_eq!(code, 0, "{err}");
    fs::write(folder.path().join("completions"), script).unwrap();
    // What the shell would offer behind `reqmtls check`.
    let offer = "source ./completions && COMP_WORDS=(reqmtls check) COMP_CWORD=1 && _reqmtls reqmtls check reqmtls && echo ${COMPREPLY[@]}";
    for arguments in [&["-n", "completions"][..], &["-c", offer]] {
        let bash = Command::new("bash")
            .args(arguments)
            .current_dir(folder.path())
            .output();
        let bash = bash.unwrap();
        let text = String::from_utf8_lossy(&bash.stderr);
        assert!(bash.status.success(), "{text}");
        if arguments[0] == "-c" {
            assert_eq!(
                String::from_utf8_lossy(&bash.stdout),
                "check-peer\n",
                "{text}"
            );
        }
    }
}

#[test]
fn the_manual_has_every_subcommand_and_a_page_for_each() {
    let folder = Folder::new();
    let (_, help, _) = reqmtls(&folder, &["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let names = commands.lines().filter(is_name);
    let names: Vec<_> = names
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 10, "{help}");
    let (code, page, err) = reqmtls(&folder, &["man"]);
    assert_eq!(code, 0, "{err}");
    for name in names {
        let escaped = name.replace('-', "\\-");
        assert!(
            page.contains(&format!("reqmtls\\-{escaped}(1)")),
            "{name} in {page}"
        );
        let (code, own, err) = reqmtls(&folder, &["man", name]);
        assert_eq!(code, 0, "{err}");
        assert!(own.contains(&format!(".TH reqmtls-{name} 1")), "{own}");
    }
    let (code, _, err) = reqmtls(&folder, &["man", "runn"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("got \"runn\", expected one of run, list, "),
        "{err}"
    );
}

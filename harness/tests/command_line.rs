//! The program as a user meets it: exit codes, and what stands where.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assert_cmd::Command;

/// A root with these scenario files and the in-process peer alone.
fn root(scenarios: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("scenarios")).unwrap();
    fs::create_dir_all(root.path().join("peers/rustls")).unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/rustls/peer.toml");
    fs::copy(manifest, root.path().join("peers/rustls/peer.toml")).unwrap();
    for (name, text) in scenarios {
        fs::write(root.path().join("scenarios").join(name), text).unwrap();
    }
    root
}

fn core() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/request-mtls.toml");
    fs::read_to_string(path).unwrap()
}

fn reqmtls(root: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let output = command
        .arg("--root")
        .arg(root)
        .args(arguments)
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_first_run_finds_new_transcripts_and_says_so_by_exit_code_1() {
    let root = root(&[("request-mtls.toml", &core())]);
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    let counts = "30 cells: 30 conforms, 0 deviates, 0 unsupported, 0 failed, transcripts: 0 same, 0 changed, 30 new";
    assert!(err.contains(counts), "{err}");
    let capture = root.path().join("results/latest/run.pcapng");
    let (code, decoded, err) = reqmtls(root.path(), &["decode", capture.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let refusals = decoded.matches("fatal certificate_required(116)").count();
    assert_eq!(refusals, 4, "{decoded}");
    let mode = fs::metadata(&capture).unwrap().permissions().mode();
    assert_eq!(
        mode & 0o077,
        0,
        "the secrets of a run are their owner's alone"
    );
    let result = fs::read_to_string(root.path().join("results/latest/result.jsonl")).unwrap();
    assert!(!result.contains("TRAFFIC_SECRET"));
    let lines = result
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines[0]["run"]["started"]["extension"], 62);
    let is_cell = |line: &&serde_json::Value| {
        line["cell"]["case"] == "request-mtls/set/absent/require-on-flag"
    };
    let cell = &lines.iter().find(is_cell).unwrap()["cell"];
    assert_eq!(
        cell["server"],
        serde_json::json!({ "peer": "rustls", "provenance": "reference" })
    );
    let connection = &cell["connections"][0];
    assert_eq!(
        connection["facts"]["alert"][1]["description"], 116,
        "{cell}"
    );
    let text = connection["text"].as_str().unwrap().trim_end();
    assert!(text.ends_with("fatal certificate_required(116)"), "{cell}");
}

#[test]
fn an_expectation_that_the_wire_does_not_meet_is_a_finding() {
    let text = core().replace(
        "certificate_request = true\nbecause = [\"RM-2\", \"TLS-1\", \"TLS-13\"]",
        "certificate_request = false\nbecause = [\"RM-2\", \"TLS-1\", \"TLS-13\"]",
    );
    let root = root(&[("request-mtls.toml", &text)]);
    let (code, _, err) = reqmtls(root.path(), &["run", "request-mtls/unset/present/request"]);
    assert_eq!(code, 1, "{err}");
    let finding = "server: CertificateRequest; expected no CertificateRequest (RM-2, TLS-1, TLS-13, TLS-2, TLS-3) [library]";
    assert!(err.contains(finding), "{err}");
}

#[test]
fn another_flag_number_works_as_well() {
    let root = root(&[("request-mtls.toml", &core())]);
    for flag in ["0", "2039"] {
        let (_, _, err) = reqmtls(root.path(), &["run", "--flag", flag]);
        assert!(err.contains("30 conforms"), "{err}");
    }
}

#[test]
fn the_number_of_the_deployed_extension_works_as_well() {
    let root = root(&[("request-mtls.toml", &core())]);
    let (_, _, err) = reqmtls(root.path(), &["run", "--extension", "0xfe01"]);
    assert!(err.contains("30 conforms"), "{err}");
    let (code, _, err) = reqmtls(root.path(), &["run", "--extension", "0xfe0100"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("expected a number from 0 to 65535 such as 62 or 0xfe01"),
        "{err}"
    );
    let (code, _, err) = reqmtls(root.path(), &["run", "--extension", "10"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("got 10, which is supported_groups, expected a number"),
        "{err}"
    );
}

#[test]
fn another_number_of_the_extension_is_no_drift() {
    let root = root(&[("request-mtls.toml", &core())]);
    let case = "request-mtls/set/absent";
    let accepted = ["run", case, "--extension", "0xfe01"];
    reqmtls(root.path(), &accepted);
    let (code, out, err) = reqmtls(root.path(), &["accept"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "accepted: 5 transcripts\n"),
        "{err}"
    );
    for arguments in [&["run", case][..], &accepted] {
        let (code, _, err) = reqmtls(root.path(), arguments);
        assert_eq!(code, 0, "{err}");
        assert!(
            err.contains("transcripts: 5 same, 0 changed, 0 new"),
            "{err}"
        );
    }
}

#[test]
fn a_library_of_another_version_than_the_accepted_one_is_named() {
    let root = root(&[("request-mtls.toml", &core())]);
    let case = ["run", "request-mtls/set/absent/never"];
    reqmtls(root.path(), &case);
    reqmtls(root.path(), &["accept"]);
    let says = "peer rustls: the accepted transcripts are of another version, rustls 0.0.1";
    assert!(!reqmtls(root.path(), &case).2.contains("another version"));
    let path = root.path().join("results/snapshots/libraries.json");
    fs::write(&path, r#"{"rustls": "rustls 0.0.1"}"#).unwrap();
    let (code, _, err) = reqmtls(root.path(), &case);
    assert!(code == 0 && err.contains(says), "{code} {err}");
    // A few transcripts are no reason to call all of this version.
    let more = ["run", "request-mtls/set/absent"];
    reqmtls(root.path(), &more);
    reqmtls(root.path(), &["accept"]);
    fs::write(&path, r#"{"rustls": "rustls 0.0.1"}"#).unwrap();
    reqmtls(root.path(), &case);
    reqmtls(root.path(), &["accept"]);
    assert!(reqmtls(root.path(), &case).2.contains(says));
    reqmtls(root.path(), &more);
    reqmtls(root.path(), &["accept"]);
    assert!(!reqmtls(root.path(), &case).2.contains("another version"));
}

#[test]
fn bad_usage_is_exit_code_2() {
    let root = root(&[("request-mtls.toml", &core())]);
    for arguments in [
        &["runn"][..],
        &["run", "--jobs", "0"],
        &["run", "--client", "opnssl"],
        &["run", "request-mtls/sett"],
    ] {
        let (code, out, err) = reqmtls(root.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
    }
    let (_, _, err) = reqmtls(root.path(), &["run", "request-mtls/sett"]);
    assert!(err.contains("did you mean \"request-mtls/set\"?"), "{err}");
}

#[test]
fn a_broken_scenario_is_exit_code_2_and_runs_nothing() {
    let root = root(&[
        ("request-mtls.toml", &core()),
        ("broken.toml", "title = 1\n"),
    ]);
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 2);
    assert!(err.contains("broken.toml:1:9"), "{err}");
    assert!(!root.path().join("results").exists());
}

#[test]
fn a_snapshot_that_cannot_be_used_is_exit_code_2_and_runs_nothing() {
    let root = root(&[("request-mtls.toml", &core())]);
    let folder = root.path().join("results/snapshots");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("request-mtls.snap"), "C  ClientHello\n").unwrap();
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("request-mtls.snap: line 1: got \"C  ClientHello\""),
        "{err}"
    );
    assert!(!err.contains("peer rustls"), "{err}");
}

#[test]
fn results_that_cannot_be_written_are_noticed_before_the_run() {
    let root = root(&[("request-mtls.toml", &core())]);
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let (code, _, err) = reqmtls(root.path(), &["run", "--results", file.to_str().unwrap()]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.starts_with("error: cannot write ") && err.contains("file/latest"),
        "{err}"
    );
    assert!(!err.contains("peer rustls"), "{err}");
}

#[test]
fn a_relative_root_is_as_good() {
    let root = root(&[("request-mtls.toml", &core())]);
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let arguments = ["--root", ".", "list", "request-mtls/set"];
    let output = command
        .current_dir(root.path())
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_case_of_the_other_revision_is_named_with_it() {
    let root = root(&[("request-mtls.toml", &core())]);
    let arguments = ["list", "request-mtls/set", "--revision", "editors-copy"];
    let (code, _, err) = reqmtls(root.path(), &arguments);
    assert_eq!(code, 2);
    assert!(err.contains("--revision draft-02 has some"), "{err}");
}

#[test]
fn a_folder_without_scenarios_is_exit_code_2() {
    let root = root(&[]);
    let (code, _, err) = reqmtls(root.path(), &["list"]);
    assert_eq!(code, 2);
    assert!(err.contains("no scenario here"), "{err}");
}

#[test]
fn a_peer_that_ends_at_once_costs_its_own_cells_and_exit_code_3() {
    let root = root(&[("request-mtls.toml", &core())]);
    let folder = root.path().join("peers/short");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("peer.toml"),
        "name = \"short\"\nprogram = \"run\"\n",
    )
    .unwrap();
    fs::write(folder.join("run"), "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let (code, _, err) = reqmtls(root.path(), &["run", "--mode", "process"]);
    assert_eq!(code, 3);
    assert!(err.contains("peer short: not started"), "{err}");
    assert!(err.contains("30 cells: 30 conforms"), "{err}");
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let root = root(&[("request-mtls.toml", &core())]);
    let folder = root.path().join("peers/other");
    fs::create_dir(&folder).unwrap();
    let manifest = "name = \"other\"\nprogram = \"run\"\n[[tool]]\nprogram = \"no-such-tool\"\npackage = \"its-package\"\n";
    fs::write(folder.join("peer.toml"), manifest).unwrap();
    let (code, _, err) = reqmtls(root.path(), &["run", "--mode", "process"]);
    assert_eq!(code, 3);
    assert!(
        err.contains("not built: missing no-such-tool (Debian package its-package)"),
        "{err}"
    );
}

#[test]
fn the_list_says_what_would_run() {
    let root = root(&[("request-mtls.toml", &core())]);
    let (code, out, _) = reqmtls(root.path(), &["list", "request-mtls/*/absent/require"]);
    assert_eq!(code, 0);
    assert!(out.contains("  request-mtls/set/absent/require\n"), "{out}");
    assert!(out.ends_with("would run: 3 cases, 3 cells\n"), "{out}");
}

#[test]
fn a_cell_of_the_last_run_is_explained() {
    let root = root(&[("request-mtls.toml", &core())]);
    let case = "request-mtls/set/absent/require-on-flag";
    let (_, _, err) = reqmtls(root.path(), &["explain", case, "rustls--rustls"]);
    let expected = format!("; `reqmtls run {case}` makes one");
    assert!(err.contains(&expected), "{err}");
    reqmtls(root.path(), &["run", case]);
    let (code, out, err) = reqmtls(root.path(), &["explain", case, "rustls--rustls"]);
    assert_eq!(code, 0, "{err}");
    for line in [
        "conformance: conforms, transcript: new",
        "  C  ClientHello           tls_flags={request_mtls}",
        "  [inference] RM-5 satisfied, server (reference): CertificateRequest to a client that set the flag",
        "  [MAY] TLS-4, server (reference): server sent certificate_required(116), as TLS-4 says; RM-3 says otherwise",
        "no transcript of it has been accepted",
        "alone: reqmtls run request-mtls/set/absent/require-on-flag --client rustls --server rustls",
    ] {
        assert!(
            out.lines().any(|got| got == line),
            "expected {line:?} in\n{out}"
        );
    }
    assert!(
        out.contains("\nthe client reports: refused, error "),
        "{out}"
    );
    assert!(!out.contains("TRAFFIC_SECRET"), "{out}");
    let (code, pairings, _) = reqmtls(root.path(), &["explain", case]);
    let listed = "rustls--rustls  conforms     new      last\n";
    assert_eq!((code, pairings.as_str()), (0, listed));
    let (code, _, err) = reqmtls(root.path(), &["explain", case, "rustls-rustls"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("expected one that the last run has: rustls--rustls"),
        "{err}"
    );
    let misspelt = case.replace("require-", "reqire-");
    let (code, _, err) = reqmtls(root.path(), &["explain", &misspelt, "rustls--rustls"]);
    assert_eq!(code, 2);
    assert!(err.contains(&format!("did you mean {case:?}?")), "{err}");
}

#[test]
fn a_case_is_explained_by_any_pattern_that_matches_it_alone() {
    let root = root(&[("request-mtls.toml", &core())]);
    reqmtls(root.path(), &["run"]);
    let explain = |pattern: &str| reqmtls(root.path(), &["explain", pattern, "rustls--rustls"]);
    let (code, out, err) = explain("*/set/absent/require");
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("request-mtls/set/absent/require on rustls--rustls\n"),
        "{out}"
    );
    let (code, out, err) = explain("request-mtls/*/absent/require");
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    let named = "error: got \"request-mtls/*/absent/require\", which matches 3 cases, expected one:\n  \
        request-mtls/set/absent/require\n  request-mtls/unmodified/absent/require\n  \
        request-mtls/unset/absent/require\n";
    assert_eq!(err, named);
    let (_, _, err) = explain("request-mtls");
    assert_eq!(err.lines().count(), 22, "{err}");
    assert!(err.ends_with("\n  and 10 more\n"), "{err}");
    // What the last run has one case of is meant.
    reqmtls(root.path(), &["run", "request-mtls/set/absent/never"]);
    let (code, out, err) = explain("request-mtls");
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("request-mtls/set/absent/never on rustls--rustls\nrun: last\n"),
        "{out}"
    );
}

#[test]
fn the_command_that_runs_a_cell_alone_has_the_numbers_of_its_run() {
    let root = root(&[("request-mtls.toml", &core())]);
    let case = "request-mtls/set/absent/never";
    let numbers = ["--flag", "5", "--extension", "0xfe01"];
    reqmtls(root.path(), &[&["run", case], &numbers[..]].concat());
    let (code, out, err) = reqmtls(root.path(), &["explain", case, "rustls--rustls"]);
    assert_eq!(code, 0, "{err}");
    let alone = out.lines().find_map(|line| line.strip_prefix("alone: "));
    let expected =
        format!("reqmtls run --flag 5 --extension 0xfe01 {case} --client rustls --server rustls");
    assert_eq!(alone, Some(&*expected), "{out}");
    for report in ["summary.md", "index.html"] {
        let path = root.path().join("results/latest").join(report);
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(" --flag 5 --extension 0xfe01"), "{report}");
    }
    // It is a command: what it prints runs that cell, and nothing is another than it was.
    reqmtls(root.path(), &["accept"]);
    let arguments: Vec<&str> = expected.split(' ').skip(1).collect();
    let (code, _, err) = reqmtls(root.path(), &arguments);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1 cell: 1 conforms"), "{err}");
    let (_, out, _) = reqmtls(root.path(), &["explain", case, "rustls--rustls"]);
    assert!(
        out.contains("\nthe transcript is the accepted one\n"),
        "{out}"
    );
}

/// What a run of a cell that has changed, and its explanation, write under these variables.
fn colored(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut all = String::new();
    let case = "request-mtls/set/absent/never";
    for command in [&["run", case][..], &["explain", case, "rustls--rustls"]] {
        let mut program = Command::cargo_bin("reqmtls").unwrap();
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS"] {
            program.env_remove(name);
        }
        let program = program.envs(variables.iter().copied());
        let program = program.arg("--root").arg(root).args(command);
        let output = program.args(arguments).output().unwrap();
        for octets in [output.stdout, output.stderr] {
            all.push_str(&String::from_utf8(octets).unwrap());
        }
    }
    all
}

#[test]
fn colors_are_there_when_they_are_asked_for_and_never_the_only_sign() {
    let root = root(&[("request-mtls.toml", &core())]);
    let folder = root.path().join("results/snapshots");
    fs::create_dir_all(&folder).unwrap();
    let accepted = "# set/absent/never\n## rustls--rustls\nS  HelloRetryRequest\n";
    fs::write(folder.join("request-mtls.snap"), accepted).unwrap();
    // Times and what certificates' lengths make of octets differ from run to run.
    let alike = |text: &str| -> Vec<String> {
        let lines = text.lines();
        let lines = lines.filter(|line| !line.starts_with("time: ") && !line.contains(" octets "));
        let plain = lines.map(|line| anstream::adapter::strip_str(line).to_string());
        plain.filter(|line| !line.contains("reports: ")).collect()
    };
    let force = [("CLICOLOR_FORCE", "1")];
    let plain = colored(root.path(), &[], &[]);
    assert!(!plain.contains('\x1b'), "{plain}");
    for (arguments, variables) in [
        (&["--color", "always"][..], &[][..]),
        (&[], &force),
        (&["--color", "always"], &[("NO_COLOR", "1")]),
    ] {
        let text = colored(root.path(), arguments, variables);
        for word in ["changed", "conforms"] {
            let painted = text.split("\x1b[").any(|part| {
                let text = part.split_once('m').map(|(_, text)| text);
                text.is_some_and(|text| text.contains(word))
            });
            assert!(painted, "{arguments:?} {variables:?}: {word}: {text:?}");
        }
        assert_eq!(alike(&text), alike(&plain));
    }
    for (arguments, variables) in [
        (&["--color", "never"][..], &force[..]),
        (&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
        (&["--color", "auto"], &[]),
    ] {
        let text = colored(root.path(), arguments, variables);
        assert!(
            !text.contains('\x1b'),
            "{arguments:?} {variables:?}: {text:?}"
        );
    }
}

#[test]
fn the_first_difference_from_the_accepted_transcript_is_explained() {
    let root = root(&[("request-mtls.toml", &core())]);
    let folder = root.path().join("results/snapshots");
    fs::create_dir_all(&folder).unwrap();
    let accepted = "# set/absent/never\n## rustls--rustls\nC  ClientHello           tls_flags={request_mtls}\nS  HelloRetryRequest\n";
    fs::write(folder.join("request-mtls.snap"), accepted).unwrap();
    let case = "request-mtls/set/absent/never";
    let (code, _, err) = reqmtls(root.path(), &["run", case]);
    assert_eq!(code, 1, "{err}");
    let expected = "line 2\n  accepted: S  HelloRetryRequest\n  got:      S  ServerHello\n";
    let (_, out, _) = reqmtls(root.path(), &["explain", case, "rustls--rustls"]);
    assert!(out.contains(expected), "{out}");
    let changed = format!("changed: {case} rustls--rustls: {expected}");
    assert!(err.contains(&changed), "{err}");
}

fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .join(name);
    fs::read_to_string(path).unwrap()
}

const DEVIATION: &str = r#"
[[deviation]]
side = "client"
versions = ">=0.23"
requirement = "TLS-7"
cases = ["unsolicited/unmodified/certificate"]
reason = "it sends another alert"
reference = "the source"
"#;

/// A root with the deviation of rustls in Certificate, and what is known of it.
fn with_known(known: &str) -> tempfile::TempDir {
    let root = root(&[("unsolicited.toml", &scenario("unsolicited.toml"))]);
    fs::write(
        root.path().join("peers/rustls/known-deviations.toml"),
        known,
    )
    .unwrap();
    root
}

#[test]
fn a_known_deviation_is_shown_and_is_no_unknown_one() {
    let run = ["run", "unsolicited/unmodified/certificate/request"];
    let finding = "client: ";
    let (_, _, known) = reqmtls(with_known(DEVIATION).path(), &run);
    assert!(known.contains(finding), "{known}");
    assert!(
        known.contains("known: it sends another alert (the source)"),
        "{known}"
    );
    let (_, _, unknown) = reqmtls(with_known("").path(), &run);
    assert!(unknown.contains(finding), "{unknown}");
    assert!(!unknown.contains("known:"), "{unknown}");
}

#[test]
fn a_known_deviation_that_no_longer_occurs_is_reported() {
    let known = DEVIATION.replace("/certificate", "/server-hello");
    let run = ["run", "unsolicited/unmodified/server-hello/request"];
    let (code, _, err) = reqmtls(with_known(&known).path(), &run);
    assert_eq!(code, 1, "{err}");
    let expected = "known deviation of rustls from TLS-7 no longer occurs in unsolicited/unmodified/server-hello/request";
    assert!(err.contains(expected), "{err}");
}

#[test]
fn a_known_deviation_of_another_version_does_not_count() {
    let known = DEVIATION.replace(">=0.23", "<0.23");
    let run = ["run", "unsolicited/unmodified/certificate/request"];
    let (_, _, err) = reqmtls(with_known(&known).path(), &run);
    assert!(!err.contains("known:"), "{err}");
    assert!(!err.contains("no longer occurs"), "{err}");
}

#[test]
fn a_known_deviation_of_no_case_is_bad_usage() {
    let known = DEVIATION.replace("unmodified/certificate", "unmodified/certifikate");
    let (code, _, err) = reqmtls(with_known(&known).path(), &["run"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("no case matches \"unsolicited/unmodified/certifikate\"; did you mean"),
        "{err}"
    );
}

#[test]
fn another_alert_than_expected_is_a_finding() {
    let expected = r#"alert = ["certificate_required", "general_error"]"#;
    let text = core().replace(expected, r#"alert = ["bad_certificate"]"#);
    let root = root(&[("request-mtls.toml", &text)]);
    let run = ["run", "request-mtls/unset/absent/require"];
    let (code, _, err) = reqmtls(root.path(), &run);
    assert_eq!(code, 1, "{err}");
    let finding = "server: server sent certificate_required(116); expected alert bad_certificate(42) from the server";
    assert!(err.contains(finding), "{err}");
}

#[test]
fn a_misbehaving_end_has_to_be_caught_at_what_the_scenario_says() {
    let run = ["run", "encoding/all-zero/unmodified/never"];
    let sound = scenario("encoding.toml");
    let (_, _, err) = reqmtls(root(&[("encoding.toml", &sound)]).path(), &run);
    assert!(err.contains("1 cell: 1 conforms"), "{err}");
    let other = sound.replacen("violates = [\"TF-2\"]", "violates = [\"TF-1\"]", 1);
    let (code, _, err) = reqmtls(root(&[("encoding.toml", &other)]).path(), &run);
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("the misbehaving end was caught at TF-2, expected TF-1"),
        "{err}"
    );
}

//! The program as a user meets it: exit codes, and what stands where.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
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
    let (code, out, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("20 cells: 20 conforms, 0 deviates, 0 unsupported, 0 failed, transcripts: 0 same, 0 changed, 20 new"), "{err}");
    assert!(
        out.starts_with("# Who asks whom for a certificate"),
        "{out}"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(root.path().join("results/latest/result.json")).unwrap())
            .unwrap();
    let cell = &json["scenarios"]["request-mtls"]["cases"]["request-mtls/set/absent/require-on-flag"]
        ["rustls--rustls"];
    assert_eq!(cell["facts"]["alert"][1]["description"], 116, "{cell}");
    assert!(
        cell["text"]
            .as_str()
            .unwrap()
            .trim_end()
            .ends_with("fatal certificate_required(116)"),
        "{cell}"
    );
}

#[test]
fn an_expectation_that_the_wire_does_not_meet_is_a_finding() {
    let text = core().replace(
        "certificate_request = true\nbecause = [\"RM-2\", \"TLS-1\"]",
        "certificate_request = false\nbecause = [\"RM-2\", \"TLS-1\"]",
    );
    let root = root(&[("request-mtls.toml", &text)]);
    let (code, out, err) = reqmtls(root.path(), &["run", "request-mtls/unset/present/request"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("server: got CertificateRequest, expected none (RM-2, TLS-1, TLS-2, TLS-3)"),
        "{err}"
    );
    assert!(out.contains("`S  {CertificateRequest}`"), "{out}");
}

#[test]
fn another_flag_number_works_as_well() {
    let root = root(&[("request-mtls.toml", &core())]);
    for flag in ["0", "2039"] {
        let (_, _, err) = reqmtls(root.path(), &["run", "--flag", flag]);
        assert!(err.contains("20 conforms"), "{err}");
    }
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
fn a_folder_without_scenarios_is_exit_code_2() {
    let root = root(&[]);
    let (code, _, err) = reqmtls(root.path(), &["list"]);
    assert_eq!(code, 2);
    assert!(err.contains("no scenario here"), "{err}");
}

#[test]
fn a_peer_that_ends_at_once_costs_its_own_cells_and_exit_code_3() {
    use std::os::unix::fs::PermissionsExt;
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
    assert!(err.contains("20 cells: 20 conforms"), "{err}");
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let root = root(&[("request-mtls.toml", &core())]);
    let folder = root.path().join("peers/other");
    fs::create_dir(&folder).unwrap();
    let manifest = "name = \"other\"\nprogram = \"run\"\n[[tool]]\nprogram = \"no-such-tool\"\npackage = \"its-package\"\n";
    fs::write(folder.join("peer.toml"), manifest).unwrap();
    let (code, out, err) = reqmtls(root.path(), &["run", "--mode", "process"]);
    assert_eq!(code, 3);
    assert!(
        err.contains("not built: missing no-such-tool (Debian package its-package)"),
        "{err}"
    );
    assert!(
        out.contains("| rustls → other | other → rustls | other → other |"),
        "{out}"
    );
    assert!(
        out.contains("| unset / absent / never | ·~ | – | – | – |"),
        "{out}"
    );
    assert!(
        out.contains("| other | not built: missing no-such-tool (Debian package its-package) |"),
        "{out}"
    );
}

#[test]
fn the_list_says_what_would_run() {
    let root = root(&[("request-mtls.toml", &core())]);
    let (code, out, _) = reqmtls(root.path(), &["list", "request-mtls/*/absent/require"]);
    assert_eq!(code, 0);
    assert!(out.contains("  request-mtls/set/absent/require\n"), "{out}");
    assert!(
        out.ends_with("would run: 2 cases on 1 pairings, 2 cells\n"),
        "{out}"
    );
}

//! Servers that people run and Debian has, under each policy: `reqmtls programs NAME` says what the machine shows.

use std::path::{Path, PathBuf};
use std::process::Command;

const OFF: &str = "asks nobody for a certificate, neither with the flag nor without";
const OPTIONAL: &str =
    "asks every client, with the flag and without; goes on with clients without certificate";
const REQUIRED: &str = "asks every client, with the flag and without; refuses clients without certificate by \
                        certificate_required(116)";
const IGNORES: &str = "malformed flags: ignores them, as a server that does not know the extension does; flags that \
                       are not assigned change nothing";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A root with the manifests alone, so that results of the workspace stay as they are.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().join("peers/programs");
    std::fs::create_dir_all(&to).unwrap();
    std::fs::create_dir_all(copy.path().join("scenarios")).unwrap();
    for entry in std::fs::read_dir(root().join("peers/programs")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    copy
}

fn programs(root: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_reqmtls"))
        .arg("--root")
        .arg(root)
        .arg("programs")
        .args(arguments)
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Whether the machine has what a server needs. Where it has not that is said, and fails if it is required.
fn is_there(name: &str) -> bool {
    let (_, listed, _) = programs(&root(), &["--list", name]);
    let missing = listed.split_once(": missing ");
    if let Some((_, missing)) = missing {
        let is_required = std::env::var_os("REQMTLS_REQUIRE_PROGRAMS").is_some();
        assert!(!is_required, "{name} is missing: {missing}");
        eprintln!("skipped: {name} is missing: {missing}");
    }
    missing.is_none()
}

/// The first sentence under each policy, and in each the second.
fn shows(name: &str, expected: &[(&str, &str)]) {
    if !is_there(name) {
        return;
    }
    let root = copy();
    let (code, out, err) = programs(root.path(), &[name]);
    assert_eq!(code, Some(0), "{out}{err}");
    let mut lines = out.lines().skip(1).map(str::trim_start).peekable();
    for (policy, first) in expected {
        let mut next = || lines.next().unwrap_or_default();
        assert_eq!(
            (next(), next(), next()),
            (*policy, *first, IGNORES),
            "{out}"
        );
        let is_policy = |line: &&str| expected.iter().any(|(policy, _)| policy == line);
        while lines.next_if(|line| !is_policy(line)).is_some() {}
    }
    assert_eq!(lines.next(), None, "{out}");
}

/// A test for each server: what it shows under off, optional and required.
macro_rules! servers {
    ($($test:ident: $name:literal, $expected:expr;)+) => {$(
        #[test]
        fn $test() {
            shows($name, &$expected);
        }
    )+};
}

const ALL: [(&str, &str); 3] = [("off", OFF), ("optional", OPTIONAL), ("required", REQUIRED)];

servers! {
    apache: "apache", ALL;
    haproxy: "haproxy", ALL;
    lighttpd: "lighttpd", ALL;
    stunnel: "stunnel", ALL;
    openssl_s_server: "openssl-s-server", ALL;
    python_ssl: "python-ssl", ALL;
    node_https: "node-https-server", ALL;
    mosquitto: "mosquitto", [("off", OFF), ("required", REQUIRED)];
    postgresql: "postgresql", [("off", OFF), ("optional", OPTIONAL)];
    // It completes TLS and answers HTTP 400.
    nginx: "nginx", [("off", OFF), ("optional", OPTIONAL), ("required", OPTIONAL)];
    caddy: "caddy", [
        ("off", OFF),
        ("optional", OPTIONAL),
        (
            "required",
            "asks every client, with the flag and without; refuses clients without certificate by bad_certificate(42)",
        ),
    ];
}

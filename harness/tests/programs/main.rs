//! `reqmtls programs` on programs that Debian has; one that is absent is named.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod clients;
mod servers;

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A root with the manifests alone, so that results of the workspace stay as they are.
pub(crate) fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let (from, to) = (
        root().join("peers/programs"),
        copy.path().join("peers/programs"),
    );
    std::fs::create_dir_all(&to).unwrap();
    std::fs::create_dir_all(copy.path().join("scenarios")).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    copy
}

/// Runs these programs; what is written, and the exit code.
pub(crate) fn programs(root: &Path, names: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reqmtls"));
    let output = command
        .arg("--root")
        .arg(root)
        .arg("programs")
        .args(names)
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Whether the machine has what a program needs. Where it has not that is said, and fails if it is required.
pub(crate) fn is_there(name: &str) -> bool {
    let (_, listed, _) = programs(&root(), &["--list", name]);
    let missing = listed.split_once(": missing ");
    if let Some((_, missing)) = missing {
        let required = std::env::var_os("REQMTLS_REQUIRE_PROGRAMS").is_some();
        assert!(!required, "{name} is missing: {missing}");
        eprintln!("skipped: {name} is missing: {missing}");
    }
    missing.is_none()
}

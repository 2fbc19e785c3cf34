//! Commands as a user types them, with what they write and their exit codes, for snapshots.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// A folder to run in, so that files have names and no paths.
pub(crate) struct Folder(tempfile::TempDir);

/// Commands and what they wrote.
#[derive(Default)]
pub(crate) struct Session(pub(crate) String);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Session {
    /// Runs a subcommand; its exit code.
    pub(crate) fn run(
        &mut self,
        subcommand: &str,
        folder: &Folder,
        arguments: &[&str],
        stdin: &[u8],
    ) -> i32 {
        let output = Command::cargo_bin("reqmtls")
            .unwrap()
            .current_dir(folder.path())
            .arg(subcommand)
            .args(arguments)
            .write_stdin(stdin)
            .output()
            .unwrap();
        let shown: Vec<_> = arguments.iter().map(|word| shown(word)).collect();
        let code = output.status.code().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|written| String::from_utf8(written).unwrap());
        writeln!(
            self.0,
            "$ reqmtls {subcommand} {}\n{out}{err}=> {code}\n",
            shown.join(" ")
        )
        .unwrap();
        code
    }
}

/// A word as a shell would want it.
fn shown(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '\n']) {
        format!("{word:?}")
    } else {
        word.to_owned()
    }
}

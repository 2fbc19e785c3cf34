//! tshark as a program.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// With this variable set, a missing tshark is a failure.
const REQUIRE: &str = "REQMTLS_REQUIRE_TSHARK";

/// The most time that one call may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// A tshark that answers.
pub(crate) struct Tshark {
    /// The first line of what it says of itself.
    pub(crate) version: String,
}

/// Says something on stderr, past the test runner, which keeps what a passing test prints.
pub(crate) fn aloud(text: &str) {
    // A stderr that is closed must not fail a test.
    drop(writeln!(std::io::stderr(), "tshark: {text}"));
}

/// The tshark of this machine; without one says why the test is skipped, or fails if it must not be.
pub(crate) async fn tshark() -> Option<Tshark> {
    match call(["--version"], None).await {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Some(Tshark {
                version: text.lines().next().unwrap_or_default().to_owned(),
            })
        }
        Err(error) => {
            assert!(
                std::env::var_os(REQUIRE).is_none(),
                "tshark cannot be run ({error}), and {REQUIRE} is set"
            );
            aloud(&format!(
                "SKIPPED: it cannot be run ({error}); with {REQUIRE} set this would be a failure"
            ));
            None
        }
    }
}

impl Tshark {
    /// What it makes of a capture, as JSON. `settings` is a folder without settings.
    pub(crate) async fn read(&self, capture: &Path, settings: &Path) -> Vec<u8> {
        let mut arguments: Vec<&OsStr> = vec!["-r".as_ref(), capture.as_os_str()];
        arguments.extend(
            [
                "-n",
                "-Y",
                "tls",
                "-T",
                "json",
                "--no-duplicate-keys",
                "-J",
                "tcp tls",
            ]
            .map(OsStr::new),
        );
        let output = call(arguments, Some(settings)).await;
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.version));
        output.stdout
    }
}

async fn call<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
    settings: Option<&Path>,
) -> Result<Output, String> {
    let mut command = Command::new("tshark");
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(folder) = settings {
        // A person's own settings could name other ports, or other secrets.
        command.env("WIRESHARK_CONFIG_DIR", folder);
    }
    let output = tokio::time::timeout(DEADLINE, command.output()).await;
    let output = output.map_err(|_| format!("it took more than {} s", DEADLINE.as_secs()))?;
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", output.status, said.trim()))
}

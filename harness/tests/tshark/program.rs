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
const DEADLINE: Duration = Duration::from_mins(2);

/// A tshark that answers.
pub(crate) struct Tshark {
    /// The first line of its own version text.
    pub(crate) version: String,
}

/// Writes to stderr, past the test runner, which hides what a passing test prints.
pub(crate) fn aloud(text: &str) {
    // A stderr that is closed must not fail a test.
    drop(writeln!(std::io::stderr(), "tshark: {text}"));
}

/// The tshark of this machine; without one reports why the test is skipped, or fails if it must not be.
pub(crate) async fn tshark() -> Option<Tshark> {
    match finish(command(["--version"])).await {
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
    /// Writes what it makes of a capture into a file, as JSON. `settings` is a folder without settings.
    pub(crate) async fn read(&self, capture: &Path, settings: &Path, json: &Path) {
        let mut arguments: Vec<&OsStr> = vec!["-r".as_ref(), capture.as_os_str()];
        let options = [
            "-n",
            "-Y",
            "tls",
            "-T",
            "json",
            "--no-duplicate-keys",
            "-J",
            "tcp tls",
        ];
        arguments.extend(options.map(OsStr::new));
        let file = std::fs::File::create(json).unwrap();
        let mut command = command(arguments);
        // A person's own settings could name other ports, or other secrets.
        command.env("WIRESHARK_CONFIG_DIR", settings).stdout(file);
        let outcome = finish(command).await;
        outcome.unwrap_or_else(|error| panic!("{}: {error}", self.version));
    }
}

fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("tshark");
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The output of a command, if it ended well and in time.
async fn finish(mut command: Command) -> Result<Output, String> {
    let child = command.spawn().map_err(|error| error.to_string())?;
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
    let output = output.map_err(|_| format!("it took more than {} s", DEADLINE.as_secs()))?;
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", output.status, error.trim()))
}

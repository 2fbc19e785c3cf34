//! Commands of a build, and how they are run.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::setpriority_pgrp;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::BuildError;
use crate::peer::group::Group;

/// How many lines of a failed command's output an error keeps.
pub(super) const TAIL: usize = 20;

/// The most octets of a line that are kept.
const LINE: usize = 4096;

/// How long stderr is still read once the command has ended: what it started may hold it open.
const GONE: Duration = Duration::from_secs(1);

/// Cargo, free of what an outer cargo has put into the environment.
pub(super) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_outer = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST");
        if of_outer
            || [
                "CARGO_ENCODED_RUSTFLAGS",
                "RUSTC_WORKSPACE_WRAPPER",
                "CARGO_TARGET_DIR",
            ]
            .contains(&&*text)
        {
            command.env_remove(&name);
        }
    }
    command
}

pub(super) async fn host_target() -> Result<String, BuildError> {
    let output = Command::new("rustc").arg("-vV").output().await;
    let output = output.map_err(|error| BuildError::Target(format!("rustc -vV: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| BuildError::Target(format!("rustc -vV wrote {text:?}")))
}

/// The names of the packages of a workspace.
pub(super) async fn members(root: &Path) -> Result<Vec<String>, BuildError> {
    let name = "cargo metadata";
    let mut command = cargo();
    command.args(["metadata", "--locked", "--no-deps", "--format-version", "1"]);
    command.current_dir(root).kill_on_drop(true);
    let output = command.output().await.map_err(start(name))?;
    if !output.status.success() {
        return Err(BuildError::Failed {
            command: name.to_owned(),
            status: output.status,
            tail: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| start(name)(io::Error::from(error)))?;
    Ok(metadata.packages.into_iter().map(|it| it.name).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

/// A command with all that it starts, which ends when nobody waits for it any more.
struct Step {
    child: Child,
    group: Group,
}

impl Step {
    /// Starts a command that writes to what is locked.
    fn start(command: &mut Command, lock: &File) -> io::Result<Self> {
        let lock = lock.try_clone()?;
        // A group of its own: Ctrl-C is the harness's, which ends it in order.
        let child = command.stdin(Stdio::null()).process_group(0).spawn()?;
        let group = Group::of_build(&child, lock)?;
        Ok(Self { child, group })
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.group.end(&mut self.child);
    }
}

/// Runs a command that writes to what is locked, hands on each line that it writes, and keeps the last of them for an
/// error.
pub(super) async fn run(
    mut command: Command,
    name: &str,
    lock: &File,
    progress: &mut impl FnMut(&str),
) -> Result<(), BuildError> {
    let start = start(name);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut step = Step::start(&mut command, lock).map_err(&start)?;
    // Cells that run meanwhile have deadlines, and this has none. It may have ended by itself.
    let _ = setpriority_pgrp(Some(step.group.leader), 10);
    let stderr = step.child.stderr.take().map(BufReader::new);
    let mut tail = VecDeque::with_capacity(TAIL);
    let status = {
        let mut read = pin!(async {
            let Some(mut stderr) = stderr else { return };
            // What cannot be read says nothing; how the command ends does.
            while let Ok(Some(line)) = line(&mut stderr).await {
                progress(&line);
                if tail.len() == TAIL {
                    tail.pop_front();
                }
                tail.push_back(line);
            }
        });
        tokio::select! {
            () = &mut read => step.child.wait().await,
            status = step.child.wait() => {
                drop(timeout(GONE, read).await);
                status
            }
        }
    };
    let status = status.map_err(&start)?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        command: name.to_owned(),
        status,
        tail: Vec::from(tail).join("\n"),
    })
}

/// The next line, whatever its octets are; of one that is too long the start.
async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let (mut line, mut is_cut) = (Vec::new(), false);
    loop {
        let octets = from.fill_buf().await?;
        let ends = octets.iter().position(|octet| *octet == b'\n');
        if octets.is_empty() && line.is_empty() {
            return Ok(None);
        }
        let part = &octets[..ends.unwrap_or(octets.len())];
        let kept = part.len().min(LINE - line.len());
        line.extend_from_slice(&part[..kept]);
        is_cut |= kept < part.len();
        let is_whole = ends.is_some() || octets.is_empty();
        let used = part.len() + usize::from(ends.is_some());
        from.consume(used);
        if is_whole {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches('\r');
            return Ok(Some(format!("{text}{}", if is_cut { "…" } else { "" })));
        }
    }
}

/// Runs a command that writes to what is locked, and whose output is for whoever asked for it.
pub(super) async fn show(mut command: Command, name: &str, lock: &File) -> Result<(), BuildError> {
    let start = start(name);
    let mut step = Step::start(&mut command, lock).map_err(&start)?;
    let status = step.child.wait().await.map_err(&start)?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        command: name.to_owned(),
        status,
        tail: "they stand above".to_owned(),
    })
}

pub(super) fn start(name: &str) -> impl Fn(io::Error) -> BuildError + use<> {
    let command = name.to_owned();
    move |source| BuildError::Start {
        command: command.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(script: &str) -> (Result<(), BuildError>, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let lock = tempfile::tempfile().unwrap();
        let mut lines = Vec::new();
        let mut progress = |line: &str| lines.push(line.to_owned());
        let outcome = run(command, "sh", &lock, &mut progress);
        let outcome = timeout(Duration::from_secs(20), outcome).await.unwrap();
        (outcome, lines)
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_or_no_text_is_no_fault_of_the_build() {
        let script = r"{ printf 'one\r\n\n\377\n'; head -c 1000000 /dev/zero | tr '\0' x; printf '\nlast'; } >&2";
        let (outcome, lines) = lines(script).await;
        outcome.unwrap();
        let long = format!("{}…", "x".repeat(LINE));
        assert_eq!(lines, ["one", "", "\u{fffd}", &long, "last"]);
    }

    #[tokio::test]
    async fn a_failed_command_has_its_last_lines() {
        let (outcome, lines) = lines("seq 30 >&2; exit 7").await;
        assert_eq!(lines.len(), 30);
        let Err(BuildError::Failed { status, tail, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(status.code(), Some(7));
        assert!(tail.starts_with("11\n") && tail.ends_with("\n30"), "{tail}");
    }

    #[tokio::test]
    async fn who_holds_stderr_when_the_command_has_ended_is_not_waited_for() {
        // It leaves the group, so that only its end would close the pipe: after what the test waits for.
        let (outcome, _) = lines("setsid sleep 30 &").await;
        outcome.unwrap();
    }
}

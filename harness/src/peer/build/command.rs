//! Commands of a build, and how they are run.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, setpriority_process};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::BuildError;

/// How many lines of a failed command's output an error keeps.
const TAIL: usize = 20;

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
        .map_err(|error| start(name)(std::io::Error::from(error)))?;
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

/// Runs a command, hands on each line that it writes, and keeps the last of them for an error.
pub(super) async fn run(
    mut command: Command,
    name: &str,
    progress: &mut impl FnMut(&str),
) -> Result<(), BuildError> {
    let start = start(name);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(&start)?;
    // Cells that run meanwhile have deadlines, and this has none.
    if let Some(id) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // It may have ended by itself.
        let _ = setpriority_process(Some(id), 10);
    }
    let mut tail = VecDeque::with_capacity(TAIL);
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await.map_err(&start)? {
            progress(&line);
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        }
    }
    let status = child.wait().await.map_err(&start)?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        command: name.to_owned(),
        status,
        tail: Vec::from(tail).join("\n"),
    })
}

/// Runs a command whose output is for whoever asked for it.
pub(super) async fn show(mut command: Command, name: &str) -> Result<(), BuildError> {
    let start = start(name);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let status = command.status().await.map_err(&start)?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        command: name.to_owned(),
        status,
        tail: "they stand above".to_owned(),
    })
}

fn start(name: &str) -> impl Fn(std::io::Error) -> BuildError {
    let command = name.to_owned();
    move |source| BuildError::Start {
        command: command.clone(),
        source,
    }
}

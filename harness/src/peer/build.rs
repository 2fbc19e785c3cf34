//! Builds what a peer is made of: its tools looked for, its steps run, its package compiled static.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::manifest::{Manifest, Tool};

/// How many lines of a failed command's output an error keeps.
const TAIL: usize = 20;

/// Why a peer could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The machine lacks tools.
    #[error("missing {}", list(.0))]
    MissingTools(Vec<Tool>),
    /// A command could not be started.
    #[error("cannot start {command}: {source}")]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A command failed.
    #[error("{command} failed ({status}); its last lines:\n{tail}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        tail: String,
    },
    /// Everything went well, but there is no program.
    #[error("{0} was not built, though the build succeeded")]
    NoProgram(PathBuf),
    /// The harness was compiled for a machine that cargo cannot be asked for.
    #[error("cannot tell the host's target: {0}")]
    Target(String),
}

fn list(tools: &[Tool]) -> String {
    let names: Vec<_> = tools
        .iter()
        .map(|tool| format!("{} (Debian package {})", tool.name(), tool.package))
        .collect();
    names.join(", ")
}

/// Builds a peer's program unless it is current, and says where it is.
///
/// The build is static and of its own folder below `target/`, so that neither the flags nor the lock
/// of an ordinary build get in its way.
pub async fn build(
    root: &Path,
    manifest: &Manifest,
    mut progress: impl FnMut(&str),
) -> Result<PathBuf, BuildError> {
    let missing: Vec<_> = manifest
        .tools
        .iter()
        .filter(|tool| !tool.is_present())
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(BuildError::MissingTools(missing));
    }
    let target = root.join("target").join("peers");
    let out = target.join("prepare").join(&manifest.name);
    let fill = |text: &str| text.replace("{out}", &out.to_string_lossy());
    let mut env: BTreeMap<_, _> = manifest
        .env
        .iter()
        .map(|(name, value)| (name.clone(), fill(value)))
        .collect();
    for step in &manifest.prepare {
        let words: Vec<_> = step.command.iter().map(|word| fill(word)).collect();
        let [program, arguments @ ..] = words.as_slice() else {
            continue;
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&manifest.folder)
            .envs(&env);
        run(command, &words.join(" "), &mut progress).await?;
        env.extend(
            step.env
                .iter()
                .map(|(name, value)| (name.clone(), fill(value))),
        );
    }
    let program = match (&manifest.package, &manifest.program) {
        (Some(package), _) => {
            let host = host_target().await?;
            let mut command = cargo();
            command.args([
                "build",
                "--release",
                "--locked",
                "--package",
                package,
                "--target",
                &host,
                "--target-dir",
            ]);
            command
                .arg(&target)
                .current_dir(root)
                .envs(&env)
                .env("RUSTFLAGS", "-C target-feature=+crt-static");
            run(
                command,
                &format!("cargo build --package {package}"),
                &mut progress,
            )
            .await?;
            target.join(host).join("release").join(package)
        }
        (None, program) => manifest
            .folder
            .join(program.as_deref().unwrap_or(Path::new(""))),
    };
    if program.is_file() {
        Ok(program)
    } else {
        Err(BuildError::NoProgram(program))
    }
}

/// Where a peer's program is, if it is built already; it may be older than its source.
#[must_use]
pub fn built(root: &Path, manifest: &Manifest) -> Option<PathBuf> {
    let Some(package) = &manifest.package else {
        return manifest
            .program
            .as_ref()
            .map(|program| manifest.folder.join(program))
            .filter(|path| path.is_file());
    };
    // One folder for each target that was built for; a machine builds for its own.
    let targets = std::fs::read_dir(root.join("target").join("peers")).ok()?;
    let mut programs =
        targets.filter_map(|entry| Some(entry.ok()?.path().join("release").join(package)));
    programs.find(|path| path.is_file())
}

/// Cargo, free of what an outer cargo has put into the environment.
fn cargo() -> Command {
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

async fn host_target() -> Result<String, BuildError> {
    let output = Command::new("rustc").arg("-vV").output().await;
    let output = output.map_err(|error| BuildError::Target(format!("rustc -vV: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| BuildError::Target(format!("rustc -vV wrote {text:?}")))
}

/// Runs a command, hands on each line that it writes, and keeps the last of them for an error.
async fn run(
    mut command: Command,
    name: &str,
    progress: &mut impl FnMut(&str),
) -> Result<(), BuildError> {
    let start = |source| BuildError::Start {
        command: name.to_owned(),
        source,
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(start)?;
    let mut tail = std::collections::VecDeque::with_capacity(TAIL);
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await.map_err(start)? {
            progress(&line);
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        }
    }
    let status = child.wait().await.map_err(start)?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Failed {
        command: name.to_owned(),
        status,
        tail: Vec::from(tail).join("\n"),
    })
}

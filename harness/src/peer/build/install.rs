//! What peers and programs need of the machine, installed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::geteuid;
use thiserror::Error;
use tokio::process::Command;
use tokio::time::timeout;

use super::BuildError;
use super::command::{TAIL, start};
use crate::peer::tool::Tool;

/// How long apt-get is waited for.
const PATIENCE: Duration = Duration::from_mins(30);

/// The most octets of what it wrote that are looked at.
const MOST: u64 = 64 << 10;

/// The command, but for the package: with it in a session of its own, neither Ctrl-C nor the end of the terminal
/// reaches it; sudo, which may ask for a password, stays where it can. One that an earlier run has begun is waited for.
const APT_GET: [&str; 8] = [
    "setsid",
    "--wait",
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-q",
    "-o",
    "DPkg::Lock::Timeout=600",
];

/// Why what is missing was not installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// The machine has another package manager than the one that is known here.
    #[error("no apt-get on this machine; missing, by Debian's package names: {0}")]
    Elsewhere(String),
    /// It did not install them.
    #[error(transparent)]
    Command(#[from] BuildError),
    /// It takes too long.
    #[error("{command} has not ended within {} min, and goes on", .patience.as_secs() / 60)]
    Deadline {
        /// The command.
        command: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It did, but what they should bring is still not there.
    #[error("installed, and still missing: {0}")]
    Still(String),
}

/// The Debian packages of these that this machine lacks.
#[must_use]
pub fn missing<'a>(tools: impl IntoIterator<Item = &'a Tool>) -> Vec<String> {
    let mut packages: Vec<_> = tools
        .into_iter()
        .filter(|tool| !tool.is_present())
        .filter_map(|tool| tool.package.clone())
        .collect();
    packages.sort();
    packages.dedup();
    packages
}

/// Installs those of these that this machine lacks, and says what that was.
pub async fn install(tools: &[&Tool]) -> Result<Vec<String>, InstallError> {
    let packages = missing(tools.iter().copied());
    if packages.is_empty() {
        return Ok(packages);
    }
    let has_apt = Command::new("apt-get")
        .arg("--version")
        .output()
        .await
        .is_ok();
    if !has_apt {
        return Err(InstallError::Elsewhere(packages.join(" ")));
    }
    apt_get(&["update"]).await?;
    let names = packages.iter().map(String::as_str);
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(names);
    apt_get(&arguments).await?;
    match missing(tools.iter().copied()) {
        still if still.is_empty() => Ok(packages),
        still => Err(InstallError::Still(still.join(" "))),
    }
}

/// Says what [`install`] is about to do.
#[must_use]
pub fn installing(packages: &[String]) -> String {
    format!(
        "installing {}: apt-get goes on to its end, also when this is interrupted",
        packages.join(" ")
    )
}

/// Runs apt-get. Whoever ceases to wait leaves it running: what it has begun would have to be mended by hand.
async fn apt_get(arguments: &[&str]) -> Result<(), InstallError> {
    let name = format!("apt-get {}", arguments.join(" "));
    let start = start(&name);
    let sudo = (!geteuid().is_root()).then_some("sudo");
    let mut words = sudo.into_iter().chain(APT_GET);
    let mut command = Command::new(words.next().unwrap_or_default());
    // A file, which outlives the harness: the end of a pipe would be that of its scripts.
    let output = tempfile::tempfile().map_err(&start)?;
    command
        .args(words)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output.try_clone().map_err(&start)?);
    let mut child = command.spawn().map_err(&start)?;
    let Ok(status) = timeout(PATIENCE, child.wait()).await else {
        return Err(InstallError::Deadline {
            command: name,
            patience: PATIENCE,
        });
    };
    let status = status.map_err(&start)?;
    if status.success() {
        return Ok(());
    }
    Err(InstallError::Command(BuildError::Failed {
        command: name,
        status,
        tail: last_lines(output).map_err(&start)?,
    }))
}

fn last_lines(mut file: File) -> io::Result<String> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut octets = Vec::new();
    file.take(MOST).read_to_end(&mut octets)?;
    let text = String::from_utf8_lossy(&octets);
    let lines: Vec<_> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(TAIL)..].join("\n"))
}

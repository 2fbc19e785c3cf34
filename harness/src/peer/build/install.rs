//! What peers and programs need of the machine, installed.

use rustix::process::geteuid;
use thiserror::Error;
use tokio::process::Command;

use super::BuildError;
use super::command::run;
use crate::peer::tool::Tool;

/// Why what is missing was not installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// The machine has another package manager than the one that is known here.
    #[error("no apt-get on this machine; missing, by Debian's package names: {0}")]
    Elsewhere(String),
    /// It did not install them.
    #[error(transparent)]
    Command(#[from] BuildError),
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
    let refresh = ["-q", "update"].map(str::to_owned).to_vec();
    let mut fetch = ["-q", "install", "-y", "--no-install-recommends"]
        .map(str::to_owned)
        .to_vec();
    fetch.extend(packages.iter().cloned());
    for arguments in [refresh, fetch] {
        let name = format!("apt-get {}", arguments.join(" "));
        run(apt_get(&arguments), &name, &mut |_| {}).await?;
    }
    match missing(tools.iter().copied()) {
        still if still.is_empty() => Ok(packages),
        still => Err(InstallError::Still(still.join(" "))),
    }
}

fn apt_get(arguments: &[String]) -> Command {
    let mut command = if geteuid().is_root() {
        Command::new("env")
    } else {
        let mut command = Command::new("sudo");
        command.arg("env");
        command
    };
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments);
    command
}

//! A peer as a process of this machine.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use super::StartError;
use super::image::Program;

/// How long a peer may take to listen, and to end once nothing holds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The line that a peer writes to stdout when it listens.
#[derive(Deserialize)]
struct Listening {
    listening: SocketAddr,
}

/// A child process; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    pub(super) async fn start(program: &Program) -> Result<Self, StartError> {
        let mut child = program
            .command()
            .args(["--listen", "127.0.0.1:0", "--held"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            // A group of its own: Ctrl-C is the harness's, which ends its peers in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| StartError::Spawn {
                program: program.path.display().to_string(),
                source,
            })?;
        let stdout = child.stdout.take().map(BufReader::new);
        let line = async {
            let mut line = String::new();
            if let Some(mut stdout) = stdout {
                stdout.read_line(&mut line).await?;
            }
            std::io::Result::Ok(line)
        };
        let line = timeout(PATIENCE, line)
            .await
            .map_err(|_| StartError::Deadline(PATIENCE))?;
        let line = line.map_err(|error| StartError::Listening(error.to_string()))?;
        let Listening { listening } = serde_json::from_str(&line).map_err(|error| {
            StartError::Listening(format!("got {:?}: {error}", line.trim_end()))
        })?;
        Ok(Self {
            child,
            address: listening,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the end that letting go of it brings about; kills what does not end.
    pub(super) async fn stop(mut self) {
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            eprintln!("warning: a peer did not end when it was let go; killed");
            drop(self.child.kill().await);
        }
    }
}

//! A peer as a process of this machine.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::StartError;
use super::group::Group;
use super::image::Program;
use super::plain::{LastWords, plain};

/// How long a peer may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a process that was killed, or has closed its connections, may take to be gone.
const GONE: Duration = Duration::from_secs(1);

/// The most octets of the line that says where a peer listens.
const MOST: u64 = 4096;

/// The line that a peer writes to stdout when it listens.
#[derive(Deserialize)]
struct Listening {
    listening: SocketAddr,
}

/// Reads the line that a peer writes to stdout when it listens.
pub(super) fn listening(line: &str) -> Result<SocketAddr, String> {
    let read: Result<Listening, _> = serde_json::from_str(line);
    match read {
        Ok(Listening { listening }) => Ok(listening),
        Err(error) => Err(plain(&format!("got {:?}: {error}", plain(line)))),
    }
}

/// A child process with all that it started; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Group,
    address: SocketAddr,
    last_words: LastWords,
    /// Reads stderr to its end.
    listener: Option<JoinHandle<std::io::Result<()>>>,
}

impl Process {
    pub(super) async fn start(program: &Program) -> Result<Self, StartError> {
        Self::spawn(program.command(), &program.path.display().to_string()).await
    }

    async fn spawn(mut command: Command, program: &str) -> Result<Self, StartError> {
        let unstarted = |source| StartError::Spawn {
            program: program.to_owned(),
            source,
        };
        let child = command
            .args(["--listen", "127.0.0.1:0", "--held"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C is the harness's, which ends its peers in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(unstarted)?;
        let mut process = Self {
            group: Group::of(&child, None).map_err(unstarted)?,
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            last_words: LastWords::default(),
            listener: None,
        };
        if let Some(stderr) = process.child.stderr.take() {
            let last_words = process.last_words.clone();
            let listen = async move { last_words.listen(stderr).await };
            process.listener = Some(tokio::spawn(listen));
        }
        let stdout = process.child.stdout.take();
        let line = async {
            let mut line = String::new();
            if let Some(stdout) = stdout {
                BufReader::new(stdout.take(MOST))
                    .read_line(&mut line)
                    .await?;
            }
            std::io::Result::Ok(line)
        };
        let line = timeout(PATIENCE, line)
            .await
            .map_err(|_| StartError::Deadline(PATIENCE))?;
        let read = line
            .map_err(|error| error.to_string())
            .and_then(|line| listening(&line));
        match read {
            Ok(address) => process.address = address,
            Err(error) => {
                let end = process.end().await;
                return Err(StartError::Listening(format!("{error}; {end}")));
            }
        }
        Ok(process)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How a process ended that has nothing open any more; what has not ended is killed.
    pub(super) async fn end(&mut self) -> String {
        let ended = match timeout(GONE, self.child.wait()).await {
            Ok(Ok(status)) => format!("it ended ({status})"),
            Ok(Err(error)) => format!("it ended ({error})"),
            Err(_) => "it closed its connections without ending and was killed".to_owned(),
        };
        ended + &self.cut_off().await
    }

    /// Kills it, and says its last words.
    pub(super) async fn cut_off(&mut self) -> String {
        self.kill().await;
        if let Some(listener) = &mut self.listener {
            // What it started may have left its group and hold stderr open.
            drop(timeout(GONE, listener).await);
        }
        self.last_words.text()
    }

    /// Waits for the end that letting go of it brings about, and kills what does not end. Whether it ended by itself.
    pub(super) async fn stop(mut self, patience: Duration) -> bool {
        let ended = timeout(patience, self.child.wait()).await.is_ok();
        self.kill().await;
        ended
    }

    async fn kill(&mut self) {
        self.group.kill();
        // What cannot be killed cannot be waited for either.
        drop(timeout(GONE, self.child.wait()).await);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use super::*;

    async fn start(script: &str) -> Result<Process, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let started = Process::spawn(command, "sh").await;
        started.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut() {
        let error = start("tr '\\0' x </dev/zero").await.unwrap_err();
        assert!(error.len() < 1000 && error.contains("xxx…"), "{error}");
    }

    #[tokio::test]
    async fn a_peer_that_ends_at_once_is_named_with_its_status_and_last_words() {
        let error = start("printf 'no \\033[31mport' >&2; exit 7")
            .await
            .unwrap_err();
        assert!(
            error.ends_with("it ended (exit status: 7); its last words: no \\u{1b}[31mport"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn what_a_peer_started_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let script = format!(
            "mkfifo {0}; (echo up; exec sleep 600) >{0} & echo '{{\"listening\":\"127.0.0.1:1\"}}'; wait",
            pipe.display()
        );
        let process = start(&script).await.unwrap();
        let (says, up) = tokio::sync::oneshot::channel();
        let reader = tokio::task::spawn_blocking(move || {
            let mut lines = std::io::BufReader::new(std::fs::File::open(pipe).unwrap()).lines();
            says.send(lines.next().unwrap().unwrap()).unwrap();
            lines.count()
        });
        assert_eq!(up.await.unwrap(), "up");
        drop(process);
        // The pipe ends when nobody has it open for writing.
        assert_eq!(timeout(PATIENCE, reader).await.unwrap().unwrap(), 0);
    }
}

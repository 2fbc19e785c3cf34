//! A program in a folder of its own: started, given a deadline, and ended with all that it started.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::peer::group::Group;

/// The most octets that are read of each of its streams; what follows is thrown away.
const MOST_OUTPUT: usize = 256 << 10;

/// How long its streams may stay open once all that it started was ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often what is left of a cell is looked for.
const MOST_ROUNDS: usize = 100;

/// The variable by which a process is known to be of a cell, with the cell's mark.
const MARK: &str = "REQMTLS_CELL";

/// How a program is started.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) command: &'a [String],
    pub(super) env: &'a BTreeMap<String, String>,
    /// Where it runs, and where its home is.
    pub(super) folder: &'a Path,
    pub(super) input: &'a str,
    /// A word that no other cell has.
    pub(super) mark: &'a str,
    pub(super) deadline: Duration,
}

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its exit code; `None` if it was still there at its deadline.
    pub(super) exit: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Start<'_> {
    /// Runs it until it ends, or until its deadline.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub(super) async fn run(self) -> io::Result<Ended> {
        let mut child = self.spawn()?;
        let started = Started::of(&child, self.mark)?;
        let stdin = child.stdin.take();
        let input = self.input.as_bytes().to_vec();
        // It stays open until the program has ended: some end with their input.
        let feed = async move {
            let mut stdin = stdin?;
            // A program that does not read its input needs none.
            drop(stdin.write_all(&input).await);
            drop(stdin.flush().await);
            Some(stdin)
        };
        let stdout = tokio::spawn(collect(child.stdout.take()));
        let stderr = tokio::spawn(collect(child.stderr.take()));
        let run = async {
            let (stdin, status) = tokio::join!(feed, child.wait());
            drop(stdin);
            status
        };
        let exit = match timeout(self.deadline, run).await {
            Ok(status) => Some(code(status?)),
            Err(_) => None,
        };
        drop(started);
        // Reaped, so that nothing is left of it.
        drop(child.kill().await);
        Ok(Ended {
            exit,
            stdout: text(stdout).await,
            stderr: text(stderr).await,
        })
    }

    /// Runs it while something else is done, and ends it then. Where it ends before, how it did.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub(super) async fn during<T>(
        self,
        work: impl Future<Output = T>,
    ) -> io::Result<Result<T, Ended>> {
        let mut child = self.spawn()?;
        let started = Started::of(&child, self.mark)?;
        // It stays open: some end with their input.
        let stdin = child.stdin.take();
        let stdout = tokio::spawn(collect(child.stdout.take()));
        let stderr = tokio::spawn(collect(child.stderr.take()));
        let done = tokio::select! {
            done = timeout(self.deadline, work) => done.map_err(|_| None),
            status = child.wait() => Err(Some(code(status?))),
        };
        drop(stdin);
        drop(started);
        // Reaped, so that nothing is left of it.
        drop(child.kill().await);
        let (stdout, stderr) = (text(stdout).await, text(stderr).await);
        Ok(done.map_err(|exit| Ended {
            exit,
            stdout,
            stderr,
        }))
    }

    fn spawn(&self) -> io::Result<Child> {
        let (program, arguments) = self.command.split_first().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "got no program to start")
        })?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder)
            .env("TMPDIR", self.folder)
            .env("XDG_CONFIG_HOME", self.folder.join(".config"))
            .env("XDG_CACHE_HOME", self.folder.join(".cache"))
            .env("XDG_DATA_HOME", self.folder.join(".local"))
            .env("XDG_RUNTIME_DIR", self.folder)
            .env(MARK, self.mark)
            .envs(self.env)
            .current_dir(self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command.spawn()
    }
}

/// All that a program started: its process group, and what left that but has the cell's mark. Ended when dropped.
struct Started<'a> {
    group: Group,
    mark: &'a str,
}

impl<'a> Started<'a> {
    fn of(child: &Child, mark: &'a str) -> io::Result<Self> {
        let group = Group::of(child, Some(&format!("{MARK}={mark}")))?;
        Ok(Self { group, mark })
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        self.group.kill();
        // What is being killed may start something until it is.
        for _ in 0..MOST_ROUNDS {
            let left = marked(self.mark);
            if left.is_empty() {
                return;
            }
            for process in left {
                let _ = kill_process(process, Signal::KILL);
            }
        }
    }
}

/// The processes that have a cell's mark in their environment.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let marked = processes.filter_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(process.path().join("environ")).ok()?;
        let mut variables = environment.split(|octet| *octet == 0);
        let has_mark = variables.any(|variable| variable == wanted.as_bytes());
        Pid::from_raw(id).filter(|_| has_mark)
    });
    marked.collect()
}

/// Reads to the end, and holds the start of it.
async fn collect(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let (mut octets, mut buffer) = (Vec::new(), [0; 8192]);
    let Some(mut from) = from else {
        return octets;
    };
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = MOST_OUTPUT - octets.len();
        octets.extend_from_slice(&buffer[..count.min(room)]);
    }
    octets
}

/// What was collected, once the stream has ended.
async fn text(octets: tokio::task::JoinHandle<Vec<u8>>) -> String {
    let abort = octets.abort_handle();
    let octets = timeout(PATIENCE, octets).await;
    abort.abort();
    let octets = octets.ok().and_then(Result::ok).unwrap_or_default();
    String::from_utf8_lossy(&octets).into_owned()
}

/// The exit code, as a shell has it.
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let by_signal = status.signal().map(|signal| 128 + signal);
    status.code().or(by_signal).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(script: &str, deadline: Duration) -> Ended {
        let folder = tempfile::tempdir().unwrap();
        let command = ["sh", "-c", script].map(str::to_owned);
        let start = Start {
            command: &command,
            env: &BTreeMap::from([("X".to_owned(), "y".to_owned())]),
            folder: folder.path(),
            input: "line\n",
            mark: script,
            deadline,
        };
        start.run().await.unwrap()
    }

    #[tokio::test]
    async fn exit_code_output_input_and_environment() {
        let ended = run("read it; echo $X $it; echo oh >&2; exit 3", PATIENCE).await;
        assert_eq!(ended.exit, Some(3));
        assert_eq!((&*ended.stdout, &*ended.stderr), ("y line\n", "oh\n"));
    }

    #[tokio::test]
    async fn what_it_started_ends_at_its_deadline_even_outside_of_its_group() {
        let script = "setsid sleep 1000 & sleep 1000";
        let ended = run(script, Duration::from_millis(500)).await;
        assert_eq!(ended.exit, None);
        let gone = async {
            while !marked(script).is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, gone).await.unwrap();
    }

    #[tokio::test]
    async fn endless_output_is_cut() {
        let ended = run("head -c 1000000 /dev/zero | tr '\\0' a", PATIENCE).await;
        assert_eq!(ended.stdout.len(), MOST_OUTPUT);
    }
}

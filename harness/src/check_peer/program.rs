//! The peer as a process: what it writes, and when it exits.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqmtls_contract::{Reply, VERSION};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use super::Trouble;
use super::line::{Line, unexpected};
use crate::peer::Program;
use crate::peer::group::Group;

/// How long a peer may take to listen, and to exit once it has to.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a held peer waits for somebody to hold it.
const UNHELD: Duration = Duration::from_secs(10);
/// The most octets of a first line, and of what should not follow it.
const MOST: u64 = 4096;

/// The line that a peer writes when it listens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listening {
    reqmtls: u32,
    listening: SocketAddr,
}

/// A started peer; killed when dropped.
pub(super) struct Started {
    child: Child,
    /// Killed when dropped.
    _group: Group,
    stdout: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

impl Started {
    /// Starts the peer and reads where it listens.
    pub(super) async fn start(program: &Program, held: bool) -> Result<Self, Trouble> {
        let unstarted =
            |error| Trouble::Start(format!("cannot start {}: {error}", program.path.display()));
        let mut child = program
            .command()
            .args(["--listen", "127.0.0.1:0"])
            .args(held.then_some("--held"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(unstarted)?;
        let group = Group::of(&child, None).map_err(unstarted)?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| "the program has no stdout".to_owned())?;
        let mut stdout = BufReader::new(stdout);
        let mut text = String::new();
        let read = async { (&mut stdout).take(MOST).read_line(&mut text).await };
        let read = timeout(PATIENCE, read).await;
        match read {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(format!("the line on stdout: {error}").into()),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                return Err(format!("got no line on stdout within {seconds} s").into());
            }
        }
        let expected = format!(
            "expected one line {{\"reqmtls\":{VERSION},\"listening\":\"ADDRESS:PORT\"}} on stdout"
        );
        let wrong = |why: &dyn std::fmt::Display| format!("got {text:?}, {expected}: {why}");
        if !text.ends_with('\n') {
            return Err(wrong(&"it has no end").into());
        }
        let line: Listening = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        if line.reqmtls != VERSION || line.listening.port() == 0 {
            return Err(wrong(&"another version or port 0").into());
        }
        Ok(Self {
            child,
            _group: group,
            stdout,
            address: line.listening,
        })
    }

    fn signal(&self, signal: Signal) -> Result<(), Trouble> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let pid = id.and_then(Pid::from_raw).ok_or(
            "got a peer that has exited by itself, expected it to serve until it is ended",
        )?;
        Ok(
            kill_process(pid, signal)
                .map_err(|error| format!("cannot signal the peer: {error}"))?,
        )
    }

    /// Waits until the peer exits, and looks whether it has written more than its one line.
    pub(super) async fn exit(
        &mut self,
        within: Duration,
        reason: &str,
    ) -> Result<ExitStatus, Trouble> {
        let waited = timeout(within, self.child.wait()).await;
        let status = waited
            .map_err(|_| format!("got no exit within {} s of {reason}", within.as_secs()))?
            .map_err(|error| error.to_string())?;
        let mut rest = String::new();
        let mut more = (&mut self.stdout).take(MOST);
        timeout(PATIENCE, more.read_to_string(&mut rest))
            .await
            .map_err(|_| "got an open stdout after the exit".to_owned())?
            .map_err(|error| error.to_string())?;
        if rest.is_empty() {
            Ok(status)
        } else {
            Err(format!("got {rest:?} on stdout, expected one line and nothing else ever").into())
        }
    }
}

/// Asks a control connection to hold the peer.
pub(super) async fn hold(line: &mut Line) -> Result<(), Trouble> {
    match line.ask(&json!({ "ask": "hold" })).await? {
        Reply::Held {} => Ok(()),
        other => Err(unexpected("hold", &other, "held")),
    }
}

/// Looks whether the peer still answers on a connection.
pub(super) async fn describe(line: &mut Line) -> Result<(), Trouble> {
    match line.ask(&json!({ "ask": "describe" })).await? {
        Reply::Description(_) => Ok(()),
        other => Err(unexpected("describe", &other, "description")),
    }
}

/// A signal ends the peer with code 0.
pub(super) async fn exits_at(program: &Program, signal: Signal, name: &str) -> Result<(), Trouble> {
    let mut started = Started::start(program, false).await?;
    let mut busy = Line::control(started.address).await?;
    describe(&mut busy).await?;
    started.signal(signal)?;
    let status = started.exit(PATIENCE, name).await?;
    if status.code() == Some(0) {
        Ok(())
    } else {
        Err(format!("got {status} after {name}, expected code 0").into())
    }
}

/// A held peer exits when the connection that asked for it ends, in order or not.
pub(super) async fn exits_with_its_holder(program: &Program, resets: bool) -> Result<(), Trouble> {
    let mut started = Started::start(program, true).await?;
    let mut other = Line::control(started.address).await?;
    describe(&mut other).await?;
    let mut holder = Line::control(started.address).await?;
    hold(&mut holder).await?;
    // The connection stays open and may ask more.
    describe(&mut holder).await?;
    if resets {
        holder
            .0
            .get_ref()
            .set_zero_linger()
            .map_err(|error| error.to_string())?;
    }
    drop(holder);
    let reason = "the end of the connection that asked hold";
    started.exit(PATIENCE, reason).await.map(drop)
}

/// A held peer has one holder: another connection that asks is refused, and ends nothing.
pub(super) async fn has_one_holder(program: &Program) -> Result<(), Trouble> {
    let mut started = Started::start(program, true).await?;
    let mut holder = Line::control(started.address).await?;
    hold(&mut holder).await?;
    let mut second = Line::control(started.address).await?;
    match second.ask(&json!({ "ask": "hold" })).await? {
        Reply::Error { .. } => {}
        other => return Err(unexpected("hold on a second connection", &other, "error")),
    }
    second.close().await?;
    second.end().await?;
    hold(&mut holder).await?;
    describe(&mut holder).await?;
    drop(holder);
    let reason = "the end of the connection that asked hold first";
    started.exit(PATIENCE, reason).await.map(drop)
}

/// A held peer that nobody holds exits.
pub(super) async fn exits_unheld(program: &Program) -> Result<(), Trouble> {
    let start = Instant::now();
    let mut started = Started::start(program, true).await?;
    let mut asked = Line::control(started.address).await?;
    describe(&mut asked).await?;
    let reason = format!(
        "a start with --held, though no connection asked hold within {} s",
        UNHELD.as_secs()
    );
    started
        .exit((UNHELD + PATIENCE).saturating_sub(start.elapsed()), &reason)
        .await
        .map(drop)
}

/// Without `--held`, the end of a connection ends nothing else.
pub(super) async fn outlives_a_holder(program: &Program) -> Result<(), Trouble> {
    let mut started = Started::start(program, false).await?;
    let mut holder = Line::control(started.address).await?;
    hold(&mut holder).await?;
    holder.close().await?;
    holder.end().await?;
    let mut other = Line::control(started.address).await?;
    describe(&mut other).await?;
    started.signal(Signal::TERM)?;
    started.exit(PATIENCE, "SIGTERM").await.map(drop)
}

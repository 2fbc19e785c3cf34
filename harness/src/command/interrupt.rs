//! How a command ends: at a signal, and without waiting for what has no end.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::{EXIT_PEER, complain};

/// How long the end may wait for what may never be ready.
const MOMENT: Duration = Duration::from_millis(100);

/// Runs a future, and waits no longer than a moment for what it left to threads: a lock that somebody else has, a
/// look-up of a name, or a reader that has stopped.
pub(super) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let outcome = runtime.block_on(future);
    runtime.shutdown_timeout(MOMENT);
    outcome
}

/// Ready at Ctrl-C or SIGTERM; from now on these end nothing by themselves, but for the second one.
pub(super) fn interrupted() -> anyhow::Result<impl Future<Output = ()> + use<>> {
    listen().context("cannot listen for signals")
}

/// A thread listens, whatever the command waits for, and also when its runtime has gone.
fn listen() -> io::Result<impl Future<Output = ()> + use<>> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    drop(entered);
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let (first, has_come) = oneshot::channel();
    let listening = async move {
        next().await;
        let _ = first.send(());
        next().await;
        end_at_once();
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(move || runtime.block_on(listening))?;
    Ok(async move { drop(has_come.await) })
}

/// Whoever asks twice does not want to wait, for a stderr that nobody reads no more than for anything else. Peers end
/// by themselves, and the next run removes what is left.
fn end_at_once() {
    let (says, has_said) = mpsc::channel::<()>();
    let say = move || {
        complain("interrupted again: ending at once");
        drop(says);
    };
    drop(thread::Builder::new().spawn(say));
    let _ = has_said.recv_timeout(MOMENT);
    std::process::exit(EXIT_PEER.into());
}

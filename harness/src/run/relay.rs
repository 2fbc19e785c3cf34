//! The octets of one connection, passed on between its two ends and recorded.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqmtls_observer::{Recording, What};
use reqmtls_vocabulary::Side;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Notify;

use crate::peer::Link;

/// The most octets of a connection that are recorded, of both sides together. The longest case here takes some
/// tens of thousands.
pub(super) const MOST_OCTETS: usize = 4 << 20;

/// What is recorded of one connection.
pub(crate) struct Recorder {
    start: Instant,
    /// The most octets that it holds.
    most: usize,
    state: Mutex<State>,
    client_closed: Notify,
    server_closed: Notify,
}

#[derive(Default)]
struct State {
    recording: Recording,
    octets: usize,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::of_at_most(MOST_OCTETS)
    }

    /// One that cuts the connection when there are more octets than these, of both sides together.
    pub(crate) fn of_at_most(octets: usize) -> Self {
        Self {
            start: Instant::now(),
            most: octets,
            state: Mutex::default(),
            client_closed: Notify::new(),
            server_closed: Notify::new(),
        }
    }

    /// Whether a side sent more than is recorded; its connection was cut then.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().octets > self.most
    }

    /// Ready once a side has closed its direction.
    pub(super) async fn closed(&self, side: Side) {
        self.closing(side).notified().await;
    }

    fn closing(&self, side: Side) -> &Notify {
        match side {
            Side::Client => &self.client_closed,
            Side::Server => &self.server_closed,
        }
    }

    /// The end that closed first, if it had sent nothing by then.
    pub(crate) fn closed_before_it_sent(&self) -> Option<Side> {
        let mut sent = Vec::new();
        for event in self.lock().recording.events() {
            match event.what {
                What::Data(_) => sent.push(event.from),
                What::HalfClose | What::Reset => {
                    return Some(event.from).filter(|side| !sent.contains(side));
                }
            }
        }
        None
    }

    /// What has been recorded so far.
    pub(crate) fn so_far(&self) -> Recording {
        self.lock().recording.clone()
    }

    pub(crate) fn finish(self) -> Recording {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).recording
    }

    /// Records octets, unless there are too many by now.
    fn data(&self, from: Side, octets: &[u8]) -> bool {
        let at = self.start.elapsed();
        let mut state = self.lock();
        state.octets += octets.len();
        if state.octets <= self.most {
            state.recording.data(at, from, octets);
        }
        state.octets <= self.most
    }

    fn note(&self, note: impl FnOnce(Duration, &mut Recording)) {
        note(self.start.elapsed(), &mut self.lock().recording);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes octets, closes and resets on in both directions until both have ended.
pub(super) async fn relay(client: Link, server: Link, recorder: &Recorder) {
    // An end that resets gets the other one's connection reset: decided before the streams are split.
    let (client_reads, client_writes) = tokio::io::split(client);
    let (server_reads, server_writes) = tokio::io::split(server);
    let ((client_reads, server_writes, reset_server), (server_reads, client_writes, reset_client)) = tokio::join!(
        pump(Side::Client, client_reads, server_writes, recorder),
        pump(Side::Server, server_reads, client_writes, recorder),
    );
    let client = client_reads.unsplit(client_writes);
    let server = server_reads.unsplit(server_writes);
    for (link, reset) in [(client, reset_client), (server, reset_server)] {
        if reset {
            // Where the reset cannot be passed on, the drop still closes.
            drop(link.reset_on_drop());
        }
    }
}

/// Passes on what one side sends until its stream ends; says whether it ended by a reset.
async fn pump(
    from: Side,
    mut source: ReadHalf<Link>,
    mut sink: WriteHalf<Link>,
    recorder: &Recorder,
) -> (ReadHalf<Link>, WriteHalf<Link>, bool) {
    let mut buffer = vec![0; 16 << 10];
    let mut open = true;
    loop {
        match source.read(&mut buffer).await {
            Ok(0) => {
                recorder.note(|at, recording| recording.half_close(at, from));
                recorder.closing(from).notify_one();
                if open {
                    drop(sink.shutdown().await);
                }
                return (source, sink, false);
            }
            Ok(length) => {
                let octets = &buffer[..length];
                if !recorder.data(from, octets) {
                    drop(sink.shutdown().await);
                    return (source, sink, true);
                }
                // A receiver that is gone does not end the recording of what is still sent.
                open = open && sink.write_all(octets).await.is_ok();
            }
            Err(error) => {
                let reset = error.kind() == io::ErrorKind::ConnectionReset;
                recorder.note(|at, recording| recording.reset(at, from));
                if open {
                    drop(sink.shutdown().await);
                }
                return (source, sink, reset);
            }
        }
    }
}

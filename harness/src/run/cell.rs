//! One job of a cell: both ends prepared, the bytes of each connection relayed and recorded, the
//! reports collected.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqmtls_contract::{ConnectionReport, Job, Outcome, Setup, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::peer::{ControlError, End, Link, RunningPeer};
use reqmtls_observer::{Recording, Side, What};

/// What the ends get beyond their own deadline, to report that it passed.
const GRACE: Duration = Duration::from_secs(1);

/// What one connection leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What passed between the ends.
    pub recording: Recording,
    /// What the client says.
    pub client: ConnectionReport,
    /// What the server says.
    pub server: ConnectionReport,
}

/// How a cell ended other than with a full set of evidence.
#[derive(Debug)]
pub enum CellError {
    /// A peer lacks a capability that the case needs.
    Unsupported {
        /// Which end.
        side: Side,
        /// What it lacks.
        capability: String,
    },
    /// The harness or a peer broke.
    Failed {
        /// What broke.
        reason: String,
        /// What had passed by then, for each connection that was opened.
        recordings: Vec<Recording>,
    },
}

/// The two ends of a cell and how each is set up.
pub struct Cell<'a> {
    /// The cell's name; unique in the run.
    pub id: &'a str,
    /// The peer that is client, and its setup.
    pub client: (&'a RunningPeer, Setup),
    /// The peer that is server, and its setup.
    pub server: (&'a RunningPeer, Setup),
    /// How many connections the job has, one after the other.
    pub connections: u32,
    /// The most time that one connection may take.
    pub deadline: Duration,
}

impl Cell<'_> {
    /// Runs the cell to its end or its deadline.
    pub async fn run(self) -> Result<Vec<Evidence>, CellError> {
        let recorders: Vec<_> = (0..self.connections).map(|_| Recorder::new()).collect();
        let progress = Progress::default();
        let deadline = self.deadline * self.connections;
        let run = timeout(deadline + GRACE, self.run_through(&recorders, &progress)).await;
        let recordings: Vec<_> = recorders.into_iter().map(Recorder::finish).collect();
        let broken = match run {
            Ok(Ok(reports)) => {
                let evidence = recordings.into_iter().zip(reports);
                return Ok(evidence
                    .map(|(recording, (client, server))| Evidence {
                        recording,
                        client,
                        server,
                    })
                    .collect());
            }
            Ok(Err(Broken {
                side,
                error: ControlError::Unsupported(capability),
            })) => {
                return Err(CellError::Unsupported { side, capability });
            }
            Ok(Err(Broken { side, error })) => format!("{}: {error}", side.name()),
            Err(_) => format!(
                "the deadline of {} ms passed{}",
                deadline.as_millis(),
                progress.silence()
            ),
        };
        let relayed = |side| {
            recordings
                .iter()
                .map(|it| it.bytes(side).len())
                .sum::<usize>()
        };
        let reason = format!(
            "while {}: {broken} (the client had sent {} octets, the server {})",
            progress.stage(),
            relayed(Side::Client),
            relayed(Side::Server),
        );
        Err(CellError::Failed { reason, recordings })
    }

    async fn run_through(
        self,
        recorders: &[Recorder],
        progress: &Progress,
    ) -> Result<Vec<(ConnectionReport, ConnectionReport)>, Broken> {
        let (server_peer, server_setup) = self.server;
        let (client_peer, client_setup) = self.client;
        let server = prepare(
            server_peer,
            self.id,
            Side::Server,
            server_setup,
            self.deadline,
        );
        let client = prepare(
            client_peer,
            self.id,
            Side::Client,
            client_setup,
            self.deadline,
        );
        progress.enter("preparing the ends");
        let (server, client) = tokio::join!(
            progress.reply(Side::Server, server),
            progress.reply(Side::Client, client),
        );
        let (mut server, mut client) = (server?, client?);

        for (number, recorder) in (0..).zip(recorders) {
            progress.enter("opening a connection");
            // The server first: the client speaks as soon as it is opened.
            let to_server = progress.reply(Side::Server, server.open(number)).await?;
            let to_client = progress.reply(Side::Client, client.open(number)).await?;
            progress.enter("relaying");
            relay(to_client, to_server, recorder).await;
        }

        progress.enter("collecting the reports");
        let (client, server) = tokio::join!(
            progress.reply(Side::Client, client.report()),
            progress.reply(Side::Server, server.report()),
        );
        let (client, server) = (client?.connections, server?.connections);
        for (side, reports) in [(Side::Client, &client), (Side::Server, &server)] {
            let (got, expected) = (reports.len(), recorders.len());
            if got != expected {
                let error = ControlError::Connections { got, expected };
                return Err(Broken { side, error });
            }
            for (recorder, report) in recorders.iter().zip(reports) {
                recorder.hold_to_speech(side, report)?;
            }
        }
        Ok(client.into_iter().zip(server).collect())
    }
}

/// How far a cell has come.
#[derive(Default)]
struct Progress(Mutex<Stage>);

#[derive(Default)]
struct Stage {
    name: &'static str,
    /// The ends that were asked and have not replied.
    awaited: Vec<Side>,
}

impl Progress {
    fn enter(&self, name: &'static str) {
        self.lock().name = name;
    }

    fn stage(&self) -> &'static str {
        self.lock().name
    }

    /// Waits for what an end replies; an error is that end's.
    async fn reply<T>(
        &self,
        side: Side,
        reply: impl Future<Output = Result<T, ControlError>>,
    ) -> Result<T, Broken> {
        self.lock().awaited.push(side);
        let reply = reply.await;
        self.lock().awaited.retain(|awaited| *awaited != side);
        reply.map_err(|error| Broken { side, error })
    }

    /// Which ends were asked and kept silent, as the end of a sentence.
    fn silence(&self) -> String {
        let stage = self.lock();
        let names: Vec<_> = stage.awaited.iter().map(|side| side.name()).collect();
        match names.join(" and the ") {
            names if names.is_empty() => names,
            names => format!(", and the {names} had not replied"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Broken {
    side: Side,
    error: ControlError,
}

async fn prepare<'a>(
    peer: &'a RunningPeer,
    id: &str,
    role: Side,
    mut setup: Setup,
    deadline: Duration,
) -> Result<End<'a>, ControlError> {
    setup.deadline_ms = Some(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX));
    // One peer may be both ends: the role keeps the ids apart.
    peer.prepare(Job {
        id: format!("{id} as {role}"),
        role,
        setup,
    })
    .await
}

/// Passes bytes, closes and resets on in both directions until both have ended.
async fn relay(client: Link, server: Link, recorder: &Recorder) {
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
                if open {
                    drop(sink.shutdown().await);
                }
                return (source, sink, false);
            }
            Ok(length) => {
                recorder.note(|at, recording| recording.data(at, from, &buffer[..length]));
                // A receiver that is gone does not end the recording of what is still sent.
                open = open && sink.write_all(&buffer[..length]).await.is_ok();
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

/// The end that closed first, if it had sent nothing by then.
fn first_to_close_unheard(recording: &Recording) -> Option<Side> {
    let mut heard = Vec::new();
    for event in recording.events() {
        match event.what {
            What::Data(_) => heard.push(event.from),
            What::HalfClose | What::Reset => {
                return Some(event.from).filter(|side| !heard.contains(side));
            }
        }
    }
    None
}

struct Recorder {
    start: Instant,
    recording: Mutex<Recording>,
}

impl Recorder {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            recording: Mutex::default(),
        }
    }

    fn note(&self, note: impl FnOnce(Duration, &mut Recording)) {
        let mut recording = self
            .recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        note(self.start.elapsed(), &mut recording);
    }

    /// An end closes after it has said something, or after the other one; unless it says that TLS
    /// itself ended the connection, without a word.
    fn hold_to_speech(&self, side: Side, report: &ConnectionReport) -> Result<(), Broken> {
        let recording = self
            .recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if first_to_close_unheard(&recording) != Some(side) || report.outcome == Outcome::Refused {
            return Ok(());
        }
        let outcome = format!("{:?}", report.outcome).to_lowercase();
        let error = report.error.iter().map(|error| format!(": {error}"));
        let said = error.fold(outcome, |outcome, error| outcome + &error);
        Err(Broken {
            side,
            error: ControlError::Mute { said },
        })
    }

    fn finish(self) -> Recording {
        self.recording
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

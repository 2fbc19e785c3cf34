//! One cell: both ends prepared, their bytes relayed and recorded, their reports collected.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqmtls_contract::{Job, Report, Role, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::peer::{ControlError, End, Link, RunningPeer};
use crate::wire::{Recording, Side};

/// What the ends get beyond their own deadline, to report that it passed.
const GRACE: Duration = Duration::from_secs(1);

/// What a cell leaves behind.
#[derive(Debug, Default)]
pub struct Evidence {
    /// What passed between the ends.
    pub recording: Recording,
    /// What the client says.
    pub client: Report,
    /// What the server says.
    pub server: Report,
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
        /// What had passed by then.
        evidence: Box<Evidence>,
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
    /// The most time that the connection may take.
    pub deadline: Duration,
}

impl Cell<'_> {
    /// Runs the cell to its end or its deadline.
    pub async fn run(self) -> Result<Evidence, CellError> {
        let recorder = Recorder::new();
        let mut stage = "preparing the ends";
        let deadline = self.deadline;
        let run = timeout(deadline + GRACE, self.run_through(&recorder, &mut stage)).await;
        let broken = match run {
            Ok(Ok((client, server))) => {
                return Ok(Evidence {
                    recording: recorder.finish(),
                    client,
                    server,
                });
            }
            Ok(Err(Broken {
                side,
                error: ControlError::Unsupported(capability),
            })) => {
                return Err(CellError::Unsupported { side, capability });
            }
            Ok(Err(Broken { side, error })) => format!("{}: {error}", side.name()),
            Err(_) => format!("the deadline of {} ms passed", deadline.as_millis()),
        };
        let recording = recorder.finish();
        let relayed = |side| recording.bytes(side).len();
        let reason = format!(
            "while {stage}: {broken} (the client had sent {} octets, the server {})",
            relayed(Side::Client),
            relayed(Side::Server),
        );
        let evidence = Box::new(Evidence {
            recording,
            ..Evidence::default()
        });
        Err(CellError::Failed { reason, evidence })
    }

    async fn run_through(
        self,
        recorder: &Recorder,
        stage: &mut &'static str,
    ) -> Result<(Report, Report), Broken> {
        let (server_peer, server_setup) = self.server;
        let (client_peer, client_setup) = self.client;
        let server = prepare(
            server_peer,
            self.id,
            Role::Server,
            server_setup,
            self.deadline,
        );
        let client = prepare(
            client_peer,
            self.id,
            Role::Client,
            client_setup,
            self.deadline,
        );
        let (server, client) = tokio::join!(server, client);
        let mut server = server.map_err(|error| Broken {
            side: Side::Server,
            error,
        })?;
        let mut client = client.map_err(|error| Broken {
            side: Side::Client,
            error,
        })?;

        *stage = "opening the connection";
        // The server first: the client speaks as soon as it is opened.
        let to_server = server.open(0).await.map_err(|error| Broken {
            side: Side::Server,
            error,
        })?;
        let to_client = client.open(0).await.map_err(|error| Broken {
            side: Side::Client,
            error,
        })?;

        *stage = "relaying";
        relay(to_client, to_server, recorder).await;

        *stage = "collecting the reports";
        let (client, server) = tokio::join!(client.report(), server.report());
        let client = client.map_err(|error| Broken {
            side: Side::Client,
            error,
        })?;
        let server = server.map_err(|error| Broken {
            side: Side::Server,
            error,
        })?;
        for (side, report) in [(Side::Client, &client), (Side::Server, &server)] {
            if report.connections.len() != 1 {
                let got = report.connections.len();
                let error =
                    ControlError::Said(format!("got {got} connections in a report, expected 1"));
                return Err(Broken { side, error });
            }
        }
        Ok((client, server))
    }
}

struct Broken {
    side: Side,
    error: ControlError,
}

async fn prepare<'a>(
    peer: &'a RunningPeer,
    id: &str,
    role: Role,
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

    fn finish(self) -> Recording {
        self.recording
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

//! One job of a cell: both ends prepared, the octets of each connection relayed and recorded, the reports
//! collected.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqmtls_contract::{ConnectionReport, Job, Outcome, Setup};
use reqmtls_observer::Recording;
use reqmtls_vocabulary::Side;
use tokio::time::timeout;

use super::relay::{Recorder, relay};
use super::together::together;
use crate::judge::Evidence;
use crate::peer::{ControlError, End, Gone, Ready, RunningPeer};

/// What the ends get beyond their own deadline, to report that it passed.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// How a job ended other than with a full set of evidence.
#[derive(Debug)]
pub(crate) enum JobError {
    /// A peer lacks a capability that the case needs.
    Unsupported {
        /// Which end.
        side: Side,
        /// What it lacks.
        capability: String,
    },
    /// A peer was lost too often, and is not started again.
    Gone(Side),
    /// The harness or a peer broke.
    Failed {
        /// What broke.
        reason: String,
        /// What had passed by then, for each connection that was opened.
        recordings: Vec<Recording>,
    },
}

/// The two ends of a job and how each is set up.
pub(crate) struct TwoEnds<'a> {
    /// The job's name; unique in the run.
    pub(crate) id: &'a str,
    /// The peer that is client, and its setup.
    pub(crate) client: (&'a RunningPeer, Setup),
    /// The peer that is server, and its setup.
    pub(crate) server: (&'a RunningPeer, Setup),
    /// How many connections the job has, one after the other.
    pub(crate) connections: u32,
    /// The most time that one connection may take.
    pub(crate) deadline: Duration,
}

impl TwoEnds<'_> {
    /// Runs the job to its end or its deadline. A peer that has ended is started again before: that is no part of the
    /// job's time.
    pub(crate) async fn run(self) -> Result<Vec<Evidence>, JobError> {
        let gone = |side| move |Gone| JobError::Gone(side);
        let server = self.server.0.ready().await.map_err(gone(Side::Server))?;
        let client = self.client.0.ready().await.map_err(gone(Side::Client))?;
        let deadline = self.deadline;
        let outcome = self.run_with(&client, &server).await;
        let Err(JobError::Failed {
            mut reason,
            recordings,
        }) = outcome
        else {
            return outcome;
        };
        let mut lost = Vec::new();
        for (side, peer) in [(Side::Client, &client), (Side::Server, &server)] {
            if peer.is_lost(deadline).await {
                lost.push(format!("the {side}'s peer"));
            }
        }
        if !lost.is_empty() {
            reason = format!("lost {}: {reason}", lost.join(" and "));
        }
        Err(JobError::Failed { reason, recordings })
    }

    async fn run_with(
        self,
        client: &Ready<'_>,
        server: &Ready<'_>,
    ) -> Result<Vec<Evidence>, JobError> {
        let recorders: Vec<_> = (0..self.connections).map(|_| Recorder::new()).collect();
        let progress = Progress::default();
        let deadline = self.deadline * self.connections;
        let run = timeout(
            deadline + GRACE,
            self.run_through(client, server, &recorders, &progress),
        )
        .await;
        let exceeded = recorders.iter().find_map(Recorder::exceeded);
        let recordings: Vec<_> = recorders.into_iter().map(Recorder::finish).collect();
        let broken = match run {
            _ if let Some(limit) = exceeded => format!("a connection of more than {limit}"),
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
                return Err(JobError::Unsupported { side, capability });
            }
            Ok(Err(Broken { side, error })) => format!("{side}: {error}"),
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
        Err(JobError::Failed { reason, recordings })
    }

    async fn run_through(
        self,
        client_peer: &Ready<'_>,
        server_peer: &Ready<'_>,
        recorders: &[Recorder],
        progress: &Progress,
    ) -> Result<Vec<(ConnectionReport, ConnectionReport)>, Broken> {
        let (_, server_setup) = self.server;
        let (_, client_setup) = self.client;
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
            let (to_server, mut server_plays) =
                progress.reply(Side::Server, server.open(number)).await?;
            let (to_client, mut client_plays) =
                progress.reply(Side::Client, client.open(number)).await?;
            progress.enter("relaying");
            let relayed = pin!(relay(to_client, to_server, recorder));
            together([relayed, client_plays.as_mut(), server_plays.as_mut()]).await;
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
                hold_to_sending(recorder, side, report)?;
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
    peer: &'a Ready<'_>,
    id: &str,
    side: Side,
    mut setup: Setup,
    deadline: Duration,
) -> Result<End<'a>, ControlError> {
    setup.deadline_ms = Some(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX));
    // One peer may be both ends: the side keeps the ids apart.
    peer.prepare(Job {
        id: format!("{id} as {side}"),
        side,
        setup,
    })
    .await
}

/// An end closes after it has sent something, or after the other one; unless it reports that TLS itself ended
/// the connection, without an alert.
fn hold_to_sending(
    recorder: &Recorder,
    side: Side,
    report: &ConnectionReport,
) -> Result<(), Broken> {
    if recorder.closed_before_it_sent() != Some(side) || report.outcome == Outcome::Refused {
        return Ok(());
    }
    let error = report.error.iter().map(|error| format!(": {error}"));
    let reported = error.fold(report.outcome.to_string(), |outcome, error| {
        outcome + &error
    });
    Err(Broken {
        side,
        error: ControlError::Mute { reported },
    })
}

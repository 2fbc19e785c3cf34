//! Which cells run, how many at once, and what becomes of them.

mod accepted;
mod cell;
mod event;
mod job;
mod meeting;
mod plan;
mod relay;
mod shard;
mod start;
mod together;

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::{Stream, StreamExt};
use reqmtls_contract::Revision;
use reqmtls_vocabulary::Side;
use thiserror::Error;
use tokio::sync::OnceCell as AsyncOnceCell;
use tokio::task::JoinSet;

pub use self::accepted::{
    Accepted, AcceptedError, Difference, HEAD as SNAPSHOT_HEAD, LIBRARIES, Libraries, difference,
    text as snapshot,
};
pub use self::event::{
    Cell, Connection, Drift, Ended, Event, Label, Lost, MISBEHAVING, Missing, Peer, Player, Reason,
    Repeats, Seen, Started, Timings, Trace,
};
pub(crate) use self::job::{JobError, TwoEnds};
pub(crate) use self::meeting::Meeting;
pub use self::plan::{Candidate, Place, Plan, pairs};
pub(crate) use self::relay::Recorder;
pub use self::shard::{Shard, Sharded};

use self::cell::{Common, Planned};
use self::plan::Wave;
use self::start::Starting;
use crate::peer::{Engine, Loss, PATIENCE, RunningPeer};
use crate::scenario::{Certificates, Material, Sightings};

/// How long a peer may take to end after an interrupt.
const HURRY: Duration = Duration::from_millis(500);

/// Where a workspace keeps what it publishes of a revision.
#[must_use]
pub fn results(root: &Path, revision: Revision) -> PathBuf {
    let results = root.join("results");
    match revision {
        Revision::Draft02 => results,
        Revision::EditorsCopy => results.join(revision.as_str()),
    }
}

/// Why a run could not take place at all.
#[derive(Debug, Error)]
pub enum RunError {
    /// Containers were asked for and no engine answers.
    #[error("no container engine answers: {0}; --mode process does without")]
    Engine(String),
    /// No certificates.
    #[error("cannot make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// A snapshot cannot be used.
    #[error(transparent)]
    Accepted(#[from] AcceptedError),
}

/// Runs a plan. When `stop` is ready no further cell starts, peers are ended, and the run ends. A cell's place is free
/// again when its result was taken, which waits for `room`: results do not pile up.
///
/// # Errors
///
/// What keeps the run from taking place at all. A peer that is not there is an event.
pub async fn run(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    room: impl AsyncFn(),
    mut emit: impl FnMut(Event),
) -> Result<(), RunError> {
    // Before anything is started: a snapshot that cannot be used would be noticed too late.
    let scenarios = plan.cases.iter().map(|case| case.id.scenario());
    let accepted = plan.snapshots.as_deref();
    let accepted = accepted
        .map(|folder| Accepted::load(folder, scenarios))
        .transpose()?;
    let material = Material {
        certificates: Certificates::generate()?,
        extension: plan.extension,
        flag: plan.flag,
        revision: plan.revision,
    };
    emit(Event::Started(Started {
        time: event::seconds(SystemTime::now()),
        extension: plan.extension,
        flag: plan.flag,
        revision: plan.revision,
        sharded: Sharded::of(plan),
    }));
    let emit = RefCell::new(emit);
    let mut timings = Timings::default();
    let mut sightings = Sightings::new(&plan.known, plan.extension);
    let mut running = Vec::new();
    let mut tasks = JoinSet::new();
    let engine: OnceCell<Arc<Engine>> = OnceCell::new();
    let common = Arc::new(Common {
        material,
        accepted,
        timeout: plan.timeout,
        repeat: plan.repeat,
    });
    let work = async {
        let starting = Starting {
            plan,
            engine: &engine,
            emit: &emit,
            installed: AsyncOnceCell::new(),
        };
        let cells = Running {
            plan,
            peers: &mut running,
            common,
            tasks: &mut tasks,
            room,
            emit: &emit,
        };
        let up = starting.peers().await?;
        cells.run(up, &mut sightings, &mut timings).await;
        Ok(())
    };
    tokio::pin!(stop);
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = &mut stop => None,
    };
    let mut emit = emit.into_inner();
    let interrupted = outcome.is_none();
    if interrupted {
        emit(Event::Interrupted);
    }
    let stopping = Instant::now();
    tasks.shutdown().await;
    // An interrupt does not wait for peers that take their time.
    let patience = if interrupted { HURRY } else { PATIENCE };
    let stops = running
        .iter()
        .map(|peer| async move { (peer, peer.stop_within(patience).await) });
    for (peer, ended) in futures_util::future::join_all(stops).await {
        if !ended && !interrupted {
            emit(Event::Notice(format!(
                "peer {}: it did not end within {} s of the end of the connection that held it, and was killed",
                peer.name,
                patience.as_secs()
            )));
        }
    }
    if let Some(engine) = engine.get() {
        engine.end().await;
    }
    timings.stop = stopping.elapsed();
    // A run that did not take place is no result.
    if let Some(Err(error)) = outcome {
        return Err(error);
    }
    // What does not occur here may in another shard (the merged ones show it), or beside a peer that is not here.
    let is_whole = plan.shard.is_none() && !plan.narrowed && running.len() == plan.clients.len();
    emit(Event::Ended(Ended {
        time: event::seconds(SystemTime::now()),
        interrupted,
        stale: if is_whole {
            sightings.stale()
        } else {
            Vec::new()
        },
        timings,
    }));
    Ok(())
}

/// The cells of a run, with what they need.
struct Running<'a, R, E> {
    plan: &'a Plan,
    /// The peers that are up, in the order of columns.
    peers: &'a mut Vec<Arc<RunningPeer>>,
    common: Arc<Common>,
    /// A task for each cell that runs.
    tasks: &'a mut JoinSet<(Cell, Vec<Trace>)>,
    /// Ready when another result can be taken.
    room: R,
    emit: &'a RefCell<E>,
}

impl<R: AsyncFn(), E: FnMut(Event)> Running<'_, R, E> {
    /// Runs the cells, as many at once as the plan says, each as soon as both its ends are up.
    async fn run(
        mut self,
        up: impl Stream<Item = (usize, Arc<RunningPeer>)>,
        sightings: &mut Sightings<'_>,
        timings: &mut Timings,
    ) {
        let start = Instant::now();
        let mut first = None;
        let mut waiting = VecDeque::<Planned>::new();
        let (mut count, mut columns) = (0, Vec::new());
        let mut up = pin!(up.fuse());
        loop {
            // A cell's deadline begins when it has its place.
            while self.tasks.len() < self.plan.jobs
                && let Some(cell) = waiting.pop_front()
            {
                first.get_or_insert_with(Instant::now);
                self.tasks.spawn(cell.run(Arc::clone(&self.common)));
            }
            tokio::select! {
                biased;
                peer = up.next(), if !up.is_done() => {
                    let wave = if let Some((column, peer)) = &peer {
                        // At once: an interrupt ends those that are up.
                        let place = columns.partition_point(|it| it < column);
                        columns.insert(place, *column);
                        self.peers.insert(place, Arc::clone(peer));
                        self.compare_library(peer);
                        Wave::Up(&peer.name)
                    } else {
                        timings.peers = start.elapsed();
                        Wave::Rest
                    };
                    let cells = plan::cells(self.plan, wave, self.peers, &self.common.material);
                    count += cells.len();
                    waiting.extend(cells);
                    if peer.is_none() {
                        self.emit(Event::Cells { count });
                    }
                }
                Some((mut cell, traces)) = self.next(), if !self.tasks.is_empty() => {
                    self.report_losses();
                    mark(&mut cell, sightings, |name| self.library(name));
                    self.emit(Event::Cell(Box::new(cell), traces));
                }
                else => break,
            }
        }
        self.report_losses();
        timings.cells = first.map_or(Duration::ZERO, |first| first.elapsed());
    }

    /// The next result, once it can be taken.
    async fn next(&mut self) -> Option<(Cell, Vec<Trace>)> {
        (self.room)().await;
        let done = self.tasks.join_next().await?;
        // A cell does not panic; if one does, the whole run should.
        Some(done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
    }

    fn emit(&self, event: Event) {
        (self.emit.borrow_mut())(event);
    }

    /// Says so where a peer has another library than the one whose transcripts were accepted.
    fn compare_library(&self, peer: &RunningPeer) {
        let accepted = self.common.accepted.as_ref();
        let library = accepted.and_then(|it| it.libraries().get(&peer.name));
        if let Some(library) = library.filter(|it| **it != peer.description.library) {
            self.emit(Event::Notice(format!(
                "peer {}: the accepted transcripts are of another version, {library}",
                peer.name
            )));
        }
    }

    /// Reports the peers that were lost, before the cells that this cost.
    fn report_losses(&self) {
        for peer in &*self.peers {
            for Loss { reason, restarts } in peer.losses() {
                let name = peer.name.clone();
                self.emit(Event::Lost(Lost {
                    name,
                    reason,
                    restarts,
                }));
            }
        }
    }

    /// What a peer reports of its library.
    fn library(&self, name: &str) -> Option<&str> {
        let peer = self.peers.iter().find(|peer| peer.name == name)?;
        Some(&peer.description.library)
    }
}

/// Marks the findings of a cell that are known deviations; `library` is what a peer reports of its own.
pub(crate) fn mark<'a>(
    cell: &mut Cell,
    sightings: &mut Sightings<'_>,
    library: impl Fn(&str) -> Option<&'a str>,
) {
    // What was not judged has neither findings nor lack of them.
    if !cell.is_judged() {
        return;
    }
    for side in Side::BOTH {
        let player = cell.player(side);
        if let (Some(library), false) = (library(&player.peer), player.misbehaves) {
            let peer = player.peer.clone();
            sightings.mark(&cell.case, side, &peer, library, &mut cell.findings);
        }
    }
}

//! Peers built and started.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use reqmtls_peer_rustls::Rustls;

use super::RunError;
use super::event::{Event, Missing, Peer, Timings};
use super::plan::{Place, Plan};
use crate::peer::manifest::Manifest;
use crate::peer::{Engine, Program, RunningPeer, StartError, build};

/// How many peers are built at once: enough that one that waits for a lock or a link holds up no other.
const BUILDS: usize = 3;

pub(super) struct Starting<'a, E> {
    pub(super) plan: &'a Plan,
    /// The container engine, once one has answered.
    pub(super) engine: &'a OnceCell<Arc<Engine>>,
    pub(super) emit: RefCell<&'a mut E>,
}

impl<E: FnMut(Event)> Starting<'_, E> {
    /// Builds and starts every peer that plays, each as soon as it is built; what is not there is reported.
    pub(super) async fn peers(
        &self,
        running: &mut Vec<Arc<RunningPeer>>,
        timings: &mut Timings,
    ) -> Result<(), RunError> {
        let plan = self.plan;
        let plays = |peer: &&Manifest| {
            plan.clients.contains(&peer.name) || plan.servers.contains(&peer.name)
        };
        let playing: Vec<_> = plan.peers.iter().filter(plays).collect();
        if playing.iter().any(|peer| !peer.in_process) {
            self.find_engine().await?;
        }
        let starting = Instant::now();
        let mut up = futures_util::stream::iter(playing.into_iter().enumerate())
            .map(|(column, manifest)| async move { (column, self.peer(manifest).await) })
            .buffer_unordered(BUILDS);
        let mut columns = Vec::new();
        while let Some((column, outcome)) = up.next().await {
            // Pushed at once: an interrupt ends those that are up.
            if let Some(peer) = outcome {
                let place = columns.partition_point(|it| *it < column);
                columns.insert(place, column);
                running.insert(place, Arc::new(peer));
            }
        }
        timings.peers = starting.elapsed();
        Ok(())
    }

    /// Builds and starts one peer.
    async fn peer(&self, manifest: &Manifest) -> Option<RunningPeer> {
        let name = &manifest.name;
        let outcome = if manifest.in_process {
            Ok(RunningPeer::in_process(name, Arc::new(Rustls::new())))
        } else {
            let progress = |line: &str| {
                self.emit(Event::Building {
                    peer: name.clone(),
                    line: line.to_owned(),
                });
            };
            match build::build(&self.plan.root, manifest, progress).await {
                Ok(program) => self.start(name, &program).await,
                Err(error) => return self.miss(name, format!("not built: {error}")),
            }
        };
        match outcome {
            Ok(peer) => {
                self.emit(Event::Up(Peer {
                    name: peer.name.clone(),
                    mode: peer.mode,
                    description: peer.description.clone(),
                    family: manifest.family(),
                    about: manifest.about.clone(),
                    glue: manifest.glue.clone(),
                    patch: manifest.patch.clone(),
                }));
                Some(peer)
            }
            Err(error) => self.miss(name, format!("not started: {error}")),
        }
    }

    async fn start(&self, name: &str, program: &Program) -> Result<RunningPeer, StartError> {
        if let Some(engine) = self.engine.get() {
            match RunningPeer::container(name, program, engine).await {
                Err(StartError::Image(reason)) => {
                    let text = format!("peer {name}: {reason}: it runs as a local process");
                    self.emit(Event::Notice(text));
                }
                outcome => return outcome,
            }
        }
        RunningPeer::process(name, program).await
    }

    fn emit(&self, event: Event) {
        (self.emit.borrow_mut())(event);
    }

    fn miss(&self, name: &str, reason: String) -> Option<RunningPeer> {
        let name = name.to_owned();
        self.emit(Event::Missing(Missing { name, reason }));
        None
    }

    /// Looks for a container engine, unless peers are to run as processes.
    async fn find_engine(&self) -> Result<(), RunError> {
        if self.plan.place == Some(Place::Process) {
            return Ok(());
        }
        match Engine::connect().await {
            Ok(engine) => {
                self.engine.get_or_init(|| engine);
                Ok(())
            }
            Err(reason) if self.plan.place == Some(Place::Container) => {
                Err(RunError::Engine(reason))
            }
            Err(reason) => {
                let text =
                    format!("no container engine answers ({reason}): peers run as local processes");
                self.emit(Event::Notice(text));
                Ok(())
            }
        }
    }
}

//! Peers built and started.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use reqmtls_peer_rustls::Rustls;
use tokio::sync::OnceCell as AsyncOnceCell;

use super::RunError;
use super::event::{Event, Missing, Peer};
use super::plan::{Place, Plan};
use crate::peer::manifest::Manifest;
use crate::peer::{Engine, Program, RunningPeer, StartError, build};

/// How many peers are built at once: enough that one that waits for a lock or a link holds up no other.
const BUILDS: usize = 3;

pub(super) struct Starting<'a, E> {
    pub(super) plan: &'a Plan,
    /// The container engine, once one has answered.
    pub(super) engine: &'a OnceCell<Arc<Engine>>,
    pub(super) emit: &'a RefCell<E>,
    /// Set once what peers lack is installed, or cannot be.
    pub(super) installed: AsyncOnceCell<()>,
}

impl<E: FnMut(Event)> Starting<'_, E> {
    /// Builds and starts every peer that plays. Each comes as soon as it is up, with its column; what is not there is
    /// reported.
    pub(super) async fn peers(
        &self,
    ) -> Result<impl Stream<Item = (usize, Arc<RunningPeer>)>, RunError> {
        let plan = self.plan;
        let plays = |peer: &&Manifest| {
            plan.clients.contains(&peer.name) || plan.servers.contains(&peer.name)
        };
        let playing = plan.peers.iter().filter(plays).enumerate();
        let mut playing: Vec<(_, &Manifest)> = playing.collect();
        if playing.iter().any(|(_, peer)| !peer.in_process) {
            self.find_engine().await?;
        }
        // Who waits for an installation keeps nobody waiting.
        playing.sort_by_key(|(_, peer)| self.waits(peer));
        let start = async move |(column, manifest)| Some((column, self.peer(manifest).await?));
        Ok(futures_util::stream::iter(playing)
            .map(start)
            .buffer_unordered(BUILDS)
            .filter_map(std::future::ready))
    }

    /// Builds and starts one peer.
    async fn peer(&self, manifest: &Manifest) -> Option<Arc<RunningPeer>> {
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
            if self.waits(manifest) {
                let installed = self.installed.get_or_init(|| self.install());
                installed.await;
            }
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
                Some(Arc::new(peer))
            }
            Err(error) => self.miss(name, format!("not started: {error}")),
        }
    }

    /// Whether a peer lacks what is installed first.
    fn waits(&self, manifest: &Manifest) -> bool {
        self.plan.install && !build::missing(&manifest.tools).is_empty()
    }

    /// Installs what the peers of the plan lack. What is lacking still is said by the build of who lacks it.
    async fn install(&self) {
        let tools: Vec<_> = self.plan.peers.iter().flat_map(|it| &it.tools).collect();
        let packages = build::missing(tools.iter().copied());
        self.emit(Event::Notice(build::installing(&packages)));
        if let Err(error) = build::install(&tools).await {
            self.emit(Event::Notice(format!("not installed: {error}")));
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

    fn miss(&self, name: &str, reason: String) -> Option<Arc<RunningPeer>> {
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

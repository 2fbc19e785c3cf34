//! Peers built and started.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use reqmtls_peer_rustls::Rustls;

use super::RunError;
use super::event::{Event, Missing, Peer, Timings};
use super::plan::{Place, Plan};
use crate::peer::manifest::Manifest;
use crate::peer::{RunningPeer, StartError, build, engine_answers};

pub(super) struct Starting<'a, E> {
    pub(super) plan: &'a Plan,
    pub(super) emit: &'a mut E,
}

impl<E: FnMut(Event)> Starting<'_, E> {
    /// Builds and starts every peer that plays; what is not there is reported.
    pub(super) async fn peers(
        &mut self,
        running: &mut Vec<Arc<RunningPeer>>,
        timings: &mut Timings,
    ) -> Result<(), RunError> {
        let plan = self.plan;
        let plays = |peer: &&Manifest| {
            plan.clients.contains(&peer.name) || plan.servers.contains(&peer.name)
        };
        let playing: Vec<_> = plan.peers.iter().filter(plays).collect();
        let place = if playing.iter().any(|peer| !peer.in_process) {
            self.place().await?
        } else {
            Place::Process
        };
        let building = Instant::now();
        let mut built = Vec::new();
        for manifest in playing {
            built.extend(self.build(manifest).await);
        }
        timings.build = building.elapsed();
        let starting = Instant::now();
        let starts = built
            .iter()
            .map(|(manifest, program)| start(manifest, program.clone(), place));
        let started = futures_util::future::join_all(starts).await;
        for ((manifest, program), mut outcome) in built.iter().zip(started) {
            if let (Err(StartError::Image(reason)), Some(program)) = (&outcome, program) {
                let name = &manifest.name;
                let text = format!("peer {name}: {reason}: it runs as a local process");
                (self.emit)(Event::Notice(text));
                outcome = RunningPeer::process(name, program).await;
            }
            match outcome {
                Ok(peer) => {
                    (self.emit)(Event::Up(Peer {
                        name: peer.name.clone(),
                        mode: peer.mode,
                        description: peer.description.clone(),
                        glue: manifest.glue.clone(),
                        patch: manifest.patch.clone(),
                    }));
                    running.push(Arc::new(peer));
                }
                Err(error) => self.miss(&manifest.name, format!("not started: {error}")),
            }
        }
        timings.start = starting.elapsed();
        Ok(())
    }

    /// The peer's program, and none for a peer that is compiled in.
    async fn build<'m>(
        &mut self,
        manifest: &'m Manifest,
    ) -> Option<(&'m Manifest, Option<PathBuf>)> {
        if manifest.in_process {
            return Some((manifest, None));
        }
        let progress = |line: &str| {
            (self.emit)(Event::Building {
                peer: manifest.name.clone(),
                line: line.to_owned(),
            });
        };
        match build::build(&self.plan.root, manifest, progress).await {
            Ok(program) => Some((manifest, Some(program))),
            Err(error) => {
                self.miss(&manifest.name, format!("not built: {error}"));
                None
            }
        }
    }

    fn miss(&mut self, name: &str, reason: String) {
        let name = name.to_owned();
        (self.emit)(Event::Missing(Missing { name, reason }));
    }

    async fn place(&mut self) -> Result<Place, RunError> {
        if self.plan.place == Some(Place::Process) {
            return Ok(Place::Process);
        }
        match engine_answers().await {
            Ok(()) => Ok(Place::Container),
            Err(reason) if self.plan.place == Some(Place::Container) => {
                Err(RunError::Engine(reason))
            }
            Err(reason) => {
                let text =
                    format!("no container engine answers ({reason}): peers run as local processes");
                (self.emit)(Event::Notice(text));
                Ok(Place::Process)
            }
        }
    }
}

async fn start(
    manifest: &Manifest,
    program: Option<PathBuf>,
    place: Place,
) -> Result<RunningPeer, StartError> {
    match (program, place) {
        (None, _) => Ok(RunningPeer::in_process(
            &manifest.name,
            Arc::new(Rustls::new()),
        )),
        (Some(program), Place::Container) => RunningPeer::container(&manifest.name, &program).await,
        (Some(program), Place::Process) => RunningPeer::process(&manifest.name, &program).await,
    }
}

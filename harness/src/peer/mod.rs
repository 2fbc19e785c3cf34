//! Ways to reach a peer: inside the harness, as a local process, in a container.

mod archive;
pub mod build;
mod confinement;
mod container;
mod control;
mod end;
mod engine;
pub(crate) mod group;
mod image;
mod limits;
pub mod manifest;
mod plain;
mod process;
mod remote;
mod runner;
pub mod tool;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqmtls_contract::{Description, Job, Peer};
use reqmtls_vocabulary::words;
use thiserror::Error;

pub use self::control::ControlError;
pub(crate) use self::end::MEMORY;
pub use self::end::{End, Link, Play};
pub use self::engine::Engine;
pub use self::image::Program;
pub use self::remote::{Gone, Loss};
pub use self::runner::{Runner, present};

use self::remote::{Instance, Remote, Start};

/// How long a peer may take to end when nothing holds it any more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

words! {
    /// Where a peer runs.
    pub enum Mode {
        /// Inside the harness, over in-memory streams.
        InProcess = "in-process",
        /// As a process on this machine.
        Process = "process",
        /// In a container of the engine.
        Container = "container",
    }
}

/// Why a peer could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The engine did not make the image, or did not start the container.
    #[error("container: {0}")]
    Engine(#[from] bollard::errors::Error),
    /// There is no telling which files the program needs.
    #[error("cannot make an image: {0}")]
    Image(String),
    /// Where its engine has published it, it does not answer as a peer that was just started.
    #[error(
        "at {address}, where the engine has published it: {error}; expected an engine on this machine, or one that \
         DOCKER_HOST names by its address, as in tcp://192.0.2.1:2375"
    )]
    Published {
        /// Where it should be.
        address: SocketAddr,
        /// What is wrong.
        error: ControlError,
    },
    /// The process could not be started.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The program did not say where it listens.
    #[error("expected one line of JSON that says where it listens: {0}")]
    Listening(String),
    /// It listens, but does not follow the contract.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It took too long.
    #[error("not ready within {} s", .0.as_secs())]
    Deadline(Duration),
}

/// A peer that is up.
pub struct RunningPeer {
    /// Its name, as it stands in pairings.
    pub name: String,
    /// What it says it is.
    pub description: Description,
    /// Where it runs.
    pub mode: Mode,
    reach: Reach,
}

enum Reach {
    InProcess(Arc<dyn Peer>),
    Remote(Box<Remote>),
}

/// A peer as it runs now: one that has to be started again later is another.
pub struct Ready<'a>(Now<'a>);

enum Now<'a> {
    InProcess(&'a dyn Peer, &'a Description),
    Remote(&'a Remote, Arc<Instance>),
}

impl RunningPeer {
    /// A peer that is compiled in.
    pub fn in_process(name: &str, peer: Arc<dyn Peer>) -> Self {
        let description = peer.describe();
        Self {
            name: name.to_owned(),
            description,
            mode: Mode::InProcess,
            reach: Reach::InProcess(peer),
        }
    }

    /// Starts a peer's program as a process of this machine.
    pub async fn process(name: &str, program: &Program) -> Result<Self, StartError> {
        Self::remote(name, Mode::Process, Start::process(program)).await
    }

    /// Starts a peer's program in a container of its own.
    pub async fn container(
        name: &str,
        program: &Program,
        engine: &Arc<Engine>,
    ) -> Result<Self, StartError> {
        let start = Start::container(name, program, engine);
        Self::remote(name, Mode::Container, start).await
    }

    async fn remote(name: &str, mode: Mode, start: Start) -> Result<Self, StartError> {
        let remote = Remote::start(start).await?;
        Ok(Self {
            name: name.to_owned(),
            description: remote.description().clone(),
            mode,
            reach: Reach::Remote(Box::new(remote)),
        })
    }

    /// The peer as it runs now. One that has ended is started again, a bounded number of times.
    pub async fn ready(&self) -> Result<Ready<'_>, Gone> {
        Ok(Ready(match &self.reach {
            Reach::InProcess(peer) => Now::InProcess(&**peer, &self.description),
            Reach::Remote(remote) => Now::Remote(remote, remote.instance().await?),
        }))
    }

    /// Where it listens, if it is behind a port and has not been lost too often.
    pub async fn address(&self) -> Option<SocketAddr> {
        match &self.reach {
            Reach::InProcess(_) => None,
            Reach::Remote(remote) => Some(remote.instance().await.ok()?.address()),
        }
    }

    /// How it was lost since this was asked last.
    #[must_use]
    pub fn losses(&self) -> Vec<Loss> {
        match &self.reach {
            Reach::InProcess(_) => Vec::new(),
            Reach::Remote(remote) => remote.losses(),
        }
    }

    /// Ends the peer and waits until it is gone. Jobs that it still has break.
    pub async fn stop(&self) {
        self.stop_within(PATIENCE).await;
    }

    /// The same; what has not ended within the patience is killed. Whether it ended by itself.
    pub async fn stop_within(&self, patience: Duration) -> bool {
        match &self.reach {
            Reach::InProcess(_) => true,
            Reach::Remote(remote) => remote.stop(patience).await,
        }
    }
}

impl Ready<'_> {
    /// Gives the peer a job.
    pub async fn prepare(&self, job: Job) -> Result<End<'_>, ControlError> {
        match &self.0 {
            Now::InProcess(peer, description) => End::in_process(*peer, description, job),
            Now::Remote(remote, instance) => instance.prepare(job, remote.description()).await,
        }
    }

    /// Looks after a cell that failed whether the peer was lost in it: whether it does not answer any more.
    pub(crate) async fn is_lost(&self, patience: Duration) -> bool {
        match &self.0 {
            Now::InProcess(..) => false,
            Now::Remote(remote, instance) => remote.is_lost(instance, patience).await,
        }
    }
}

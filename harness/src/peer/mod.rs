//! Ways to reach a peer: inside the harness, as a local process, in a container.

pub mod build;
mod container;
mod control;
mod end;
mod image;
pub mod manifest;
mod process;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqmtls_contract::{Description, Job, Peer};
use reqmtls_vocabulary::words;
use thiserror::Error;
use tokio::time::timeout;

pub use self::container::engine_answers;
pub use self::control::ControlError;
pub(crate) use self::end::MEMORY;
pub use self::end::{End, Link};
pub use self::image::Program;

use self::container::Container;
use self::control::Control;
use self::process::Process;

/// How long a peer may take from its start until it is held, described and probed.
const START: Duration = Duration::from_secs(20);

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
    /// The engine did not build or start the container.
    #[error("container: {0}")]
    Engine(#[from] testcontainers::TestcontainersError),
    /// There is no telling which files the program needs.
    #[error("cannot make an image of the program: {0}")]
    Image(String),
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

/// A peer behind a port.
struct Remote {
    address: SocketAddr,
    /// Control connections that wait for the next job.
    idle: Mutex<Vec<Control>>,
    /// What has to end when the peer ends; none once it has ended.
    life: Mutex<Option<Life>>,
}

struct Life {
    body: Body,
    /// Ends the peer when dropped.
    hold: Control,
}

/// What has to end when the peer ends.
enum Body {
    Process(Box<Process>),
    Container(Box<Container>),
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
        let process = Process::start(program).await?;
        Self::remote(
            name,
            Mode::Process,
            process.address(),
            Body::Process(Box::new(process)),
        )
        .await
    }

    /// Starts a peer's program in a container of its own.
    pub async fn container(name: &str, program: &Program) -> Result<Self, StartError> {
        let start = Container::start(name, program);
        let container = timeout(START, start)
            .await
            .map_err(|_| StartError::Deadline(START))??;
        Self::remote(
            name,
            Mode::Container,
            container.address(),
            Body::Container(Box::new(container)),
        )
        .await
    }

    async fn remote(
        name: &str,
        mode: Mode,
        address: SocketAddr,
        body: Body,
    ) -> Result<Self, StartError> {
        let meet = async {
            let mut hold = Control::open(address).await?;
            hold.hold().await?;
            let description = hold.describe().await?;
            hold.probe(&description).await?;
            Ok::<_, ControlError>((hold, description))
        };
        let outcome = timeout(START, meet)
            .await
            .map_err(|_| StartError::Deadline(START));
        match outcome.and_then(|met| met.map_err(StartError::from)) {
            Ok((hold, description)) => {
                let reach = Reach::Remote(Box::new(Remote {
                    address,
                    idle: Mutex::default(),
                    life: Mutex::new(Some(Life { body, hold })),
                }));
                Ok(Self {
                    name: name.to_owned(),
                    description,
                    mode,
                    reach,
                })
            }
            Err(error) => {
                body.stop().await;
                Err(error)
            }
        }
    }

    /// Gives the peer a job.
    pub async fn prepare(&self, job: Job) -> Result<End<'_>, ControlError> {
        match &self.reach {
            Reach::InProcess(peer) => End::in_process(&**peer, job),
            Reach::Remote(remote) => {
                let Remote { address, idle, .. } = &**remote;
                let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut control = match pooled {
                    Some(control) => control,
                    None => Control::open(*address).await?,
                };
                control.prepare(&job, &self.description).await?;
                Ok(End::remote(*address, idle, control, job.id))
            }
        }
    }

    /// Ends the peer and waits until it is gone. Jobs that it still has break.
    pub async fn stop(&self) {
        let Reach::Remote(remote) = &self.reach else {
            return;
        };
        let idle = std::mem::take(&mut *remote.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let life = remote
            .life
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Life { body, hold }) = life {
            drop((hold, idle));
            body.stop().await;
        }
    }
}

impl Body {
    async fn stop(self) {
        match self {
            Self::Process(process) => process.stop().await,
            Self::Container(container) => container.stop().await,
        }
    }
}

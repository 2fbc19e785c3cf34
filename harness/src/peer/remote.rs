//! A peer behind a port, and what becomes of it when it ends or does not answer: it is started again, but not for
//! ever.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqmtls_contract::{Description, Job};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::time::timeout;

use super::container::Container;
use super::control::Control;
use super::process::Process;
use super::{ControlError, End, Engine, Program, StartError};

/// How often a peer is started again in a run.
pub(super) const RESTARTS: u32 = 3;

/// How long a peer may take from its start until it is held, described and probed.
pub(super) const START: Duration = Duration::from_secs(20);

/// That a peer was lost: it ended, or did not answer and was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was seen, with its exit status and last words.
    pub reason: String,
    /// How often it may still be started again.
    pub restarts: u32,
}

/// A peer that was started again as often as it may be, or cannot be started again.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

/// How a peer is started.
pub(super) enum Start {
    Process(Program),
    Container {
        name: String,
        program: Program,
        engine: Arc<Engine>,
    },
}

/// A peer behind a port.
pub(crate) struct Remote {
    start: Start,
    description: Description,
    slot: AsyncMutex<Slot>,
    losses: Mutex<Vec<Loss>>,
}

struct Slot {
    instance: Option<Arc<Instance>>,
    /// How often it may still be started again.
    restarts: u32,
}

/// One start of a peer.
pub(crate) struct Instance {
    address: SocketAddr,
    /// Control connections that wait for the next job.
    idle: Mutex<Vec<Control>>,
    /// What has to end when the peer ends; none once it has ended.
    life: AsyncMutex<Option<Life>>,
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

impl Remote {
    /// Starts the peer for the first time.
    pub(super) async fn start(start: Start) -> Result<Self, StartError> {
        let (instance, description) = start.begin().await?;
        Ok(Self {
            start,
            description,
            slot: AsyncMutex::new(Slot {
                instance: Some(Arc::new(instance)),
                restarts: RESTARTS,
            }),
            losses: Mutex::default(),
        })
    }

    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// The peer as it runs now, started again if it has ended.
    pub(super) async fn instance(&self) -> Result<Arc<Instance>, Gone> {
        let mut slot = self.slot.lock().await;
        if let Some(instance) = &slot.instance {
            if instance.is_open().await {
                return Ok(Arc::clone(instance));
            }
            let reason = instance.ended().await;
            self.lose(&mut slot, reason);
        }
        if slot.restarts == 0 {
            return Err(Gone);
        }
        slot.restarts -= 1;
        let again = match self.start.begin().await {
            Ok((instance, description)) if description == self.description => Ok(instance),
            Ok((instance, _)) => {
                instance.stop(Duration::ZERO).await;
                Err("it describes itself otherwise than before".to_owned())
            }
            Err(error) => Err(error.to_string()),
        };
        match again {
            Ok(instance) => {
                let instance = Arc::new(instance);
                slot.instance = Some(Arc::clone(&instance));
                Ok(instance)
            }
            Err(error) => {
                slot.restarts = 0;
                self.lose(&mut slot, format!("it cannot be started again: {error}"));
                Err(Gone)
            }
        }
    }

    /// Looks after a cell that failed whether the peer is still there: asked what it is, it answers within the
    /// patience, or it is lost. Whether it is lost.
    pub(super) async fn is_lost(&self, instance: &Arc<Instance>, patience: Duration) -> bool {
        let mut slot = self.slot.lock().await;
        let current = slot.instance.as_ref();
        if !current.is_some_and(|current| Arc::ptr_eq(current, instance)) {
            return true;
        }
        match instance.examine(patience).await {
            Some(reason) => {
                self.lose(&mut slot, reason);
                true
            }
            None => false,
        }
    }

    fn lose(&self, slot: &mut MutexGuard<'_, Slot>, reason: String) {
        slot.instance = None;
        let restarts = slot.restarts;
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        losses.push(Loss { reason, restarts });
    }

    /// The losses since this was asked last.
    pub(super) fn losses(&self) -> Vec<Loss> {
        std::mem::take(&mut *self.losses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the peer and waits until it is gone; what has not ended within the patience is killed. Whether it ended
    /// by itself. It is not started again.
    pub(super) async fn stop(&self, patience: Duration) -> bool {
        let mut slot = self.slot.lock().await;
        slot.restarts = 0;
        match slot.instance.take() {
            Some(instance) => instance.stop(patience).await,
            None => true,
        }
    }
}

impl Start {
    pub(super) fn process(program: &Program) -> Self {
        Self::Process(program.clone())
    }

    pub(super) fn container(name: &str, program: &Program, engine: &Arc<Engine>) -> Self {
        Self::Container {
            name: name.to_owned(),
            program: program.clone(),
            engine: Arc::clone(engine),
        }
    }

    async fn begin(&self) -> Result<(Instance, Description), StartError> {
        let body = match self {
            Self::Container {
                name,
                program,
                engine,
            } => {
                let start = timeout(START, Container::start(name, program, engine)).await;
                let container = start.map_err(|_| StartError::Deadline(START))??;
                Body::Container(Box::new(container))
            }
            Self::Process(program) => Body::Process(Box::new(Process::start(program).await?)),
        };
        let address = match &body {
            Body::Process(process) => process.address(),
            Body::Container(container) => container.address(),
        };
        let meet = async {
            let reached = async {
                let mut control = Control::open(address).await?;
                control.hold().await?;
                Ok(control)
            };
            let mut hold = reached
                .await
                .map_err(|error| body.unreached(address, error))?;
            let description = hold.describe().await?;
            hold.probe(&description).await?;
            Ok((hold, description))
        };
        let outcome = timeout(START, meet)
            .await
            .unwrap_or(Err(StartError::Deadline(START)));
        match outcome {
            Ok((hold, description)) => {
                let instance = Instance {
                    address,
                    idle: Mutex::default(),
                    life: AsyncMutex::new(Some(Life { body, hold })),
                };
                Ok((instance, description))
            }
            Err(error) => {
                body.stop(Duration::ZERO).await;
                Err(error)
            }
        }
    }
}

impl Instance {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the peer a job.
    pub(super) async fn prepare(
        &self,
        job: Job,
        description: &Description,
    ) -> Result<End<'_>, ControlError> {
        let pooled = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut control = match pooled {
            Some(control) => control,
            None => Control::open(self.address).await?,
        };
        control.prepare(&job, description).await?;
        Ok(End::remote(self.address, &self.idle, control, job.id))
    }

    async fn is_open(&self) -> bool {
        let life = self.life.lock().await;
        life.as_ref().is_some_and(|life| life.hold.is_open())
    }

    /// How it ended, where the connection that holds it has.
    async fn ended(&self) -> String {
        match self.life.lock().await.take() {
            Some(mut life) => life.body.end().await,
            None => "it has ended".to_owned(),
        }
    }

    /// Asks the peer what it is; how it ended, if it does not answer.
    async fn examine(&self, patience: Duration) -> Option<String> {
        let mut slot = self.life.lock().await;
        let Some(life) = &mut *slot else {
            return Some("it has ended".to_owned());
        };
        match timeout(patience, life.hold.describe()).await {
            Ok(Ok(_)) => return None,
            Ok(Err(ControlError::Closed(_))) => {}
            Ok(Err(error)) => {
                let last_words = life.body.cut_off().await;
                *slot = None;
                return Some(format!("{error}; it was killed{last_words}"));
            }
            Err(_) => {
                let last_words = life.body.cut_off().await;
                *slot = None;
                return Some(format!(
                    "it did not answer within {} ms after the deadline of a cell and was killed{last_words}",
                    patience.as_millis()
                ));
            }
        }
        let reason = life.body.end().await;
        *slot = None;
        Some(reason)
    }

    async fn stop(&self, patience: Duration) -> bool {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let life = self.life.lock().await.take();
        match life {
            Some(Life { body, hold }) => {
                drop((hold, idle));
                body.stop(patience).await
            }
            None => true,
        }
    }
}

impl Body {
    /// Why nobody has it: an engine's address may be nobody's here, or somebody else's.
    fn unreached(&self, address: SocketAddr, error: ControlError) -> StartError {
        match self {
            Self::Process(_) => error.into(),
            Self::Container(_) => StartError::Published { address, error },
        }
    }

    /// How it ended, with its last words; it is killed if it has not.
    async fn end(&mut self) -> String {
        match self {
            Self::Process(process) => process.end().await,
            Self::Container(container) => container.end().await,
        }
    }

    /// Kills it, and says its last words.
    async fn cut_off(&mut self) -> String {
        match self {
            Self::Process(process) => process.cut_off().await,
            Self::Container(container) => container.cut_off().await,
        }
    }

    async fn stop(self, patience: Duration) -> bool {
        match self {
            Self::Process(process) => process.stop(patience).await,
            Self::Container(container) => container.stop(patience).await,
        }
    }
}

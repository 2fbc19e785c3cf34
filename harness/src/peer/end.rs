//! One end of one cell: a peer with a job.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqmtls_contract::{
    ConnectionReport, Description, Endpoint, Job, Peer, PrepareError, Report, drive, prepare,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::ControlError;
use super::control::{Control, open_tls};

/// How many octets an in-memory stream holds before its writer waits, as a socket's buffer would.
pub(crate) const MEMORY: usize = 64 << 10;

/// A peer that is prepared for a job.
pub struct End<'a>(Kind<'a>);

/// The end's part of a connection, which whoever relays has to await beside that; of a peer that plays by itself nothing.
pub type Play = BoxFuture<'static, ()>;

enum Kind<'a> {
    InProcess {
        endpoint: Arc<dyn Endpoint>,
        deadline: Duration,
        /// The report of each connection that was opened, or what the end panicked with.
        connections: Vec<oneshot::Receiver<Result<ConnectionReport, String>>>,
    },
    Remote {
        address: SocketAddr,
        idle: &'a Mutex<Vec<Control>>,
        control: Control,
        job: String,
    },
}

impl<'a> End<'a> {
    pub(super) fn in_process(
        peer: &dyn Peer,
        description: &Description,
        job: Job,
    ) -> Result<Self, ControlError> {
        let deadline = job.deadline();
        let endpoint = prepare(peer, description, job).map_err(|error| match error {
            PrepareError::Unsupported(capability) => ControlError::Unsupported(capability),
            PrepareError::Invalid(message) => ControlError::Said(message),
        })?;
        Ok(Self(Kind::InProcess {
            endpoint,
            deadline,
            connections: Vec::new(),
        }))
    }

    pub(super) fn remote(
        address: SocketAddr,
        idle: &'a Mutex<Vec<Control>>,
        control: Control,
        job: String,
    ) -> Self {
        Self(Kind::Remote {
            address,
            idle,
            control,
            job,
        })
    }

    /// Opens one of the job's connections: what follows on it is TLS.
    pub async fn open(&mut self, connection: u32) -> Result<(Link, Play), ControlError> {
        match &mut self.0 {
            Kind::InProcess {
                endpoint,
                deadline,
                connections,
            } => {
                let (ours, mut theirs) = tokio::io::duplex(MEMORY);
                let (endpoint, deadline) = (Arc::clone(endpoint), *deadline);
                let drive =
                    async move { drive(&*endpoint, connection, &mut theirs, deadline).await };
                let (done, report) = oneshot::channel();
                connections.push(report);
                let play = AssertUnwindSafe(drive).catch_unwind().map(|played| {
                    // Who has ceased to wait for the report needs none.
                    drop(done.send(played.map_err(|with| said(&*with))));
                });
                Ok((Link::Memory(ours), play.boxed()))
            }
            Kind::Remote { address, job, .. } => {
                let link = Link::Socket(open_tls(*address, job, connection).await?);
                Ok((link, std::future::ready(()).boxed()))
            }
        }
    }

    /// Ends the job and takes the end's report of its connections.
    pub async fn report(self) -> Result<Report, ControlError> {
        match self.0 {
            Kind::InProcess { connections, .. } => {
                let mut report = Report::default();
                for connection in connections {
                    let played = connection
                        .await
                        .unwrap_or_else(|_| Err("it was not played to its end".to_owned()));
                    report.connections.push(played.map_err(ControlError::Said)?);
                }
                Ok(report)
            }
            Kind::Remote {
                idle,
                mut control,
                job,
                ..
            } => {
                let report = control.report(&job).await?;
                // Only a connection that is in step serves the next job.
                idle.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(control);
                Ok(report)
            }
        }
    }
}

/// What an end panicked with, in words.
fn said(with: &(dyn Any + Send)) -> String {
    let text = with.downcast_ref::<&str>().copied();
    let text = text.or_else(|| with.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("without a message"))
}

/// The harness's half of a connection to an end.
#[derive(Debug)]
pub enum Link {
    /// To a peer behind a port.
    Socket(TcpStream),
    /// To a peer inside the harness.
    Memory(DuplexStream),
}

impl Link {
    /// Makes the drop of this half reach the end as a reset, where the transport knows one.
    pub fn reset_on_drop(&self) -> io::Result<()> {
        match self {
            Self::Socket(stream) => stream.set_zero_linger(),
            Self::Memory(_) => Ok(()),
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Socket(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Memory(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(stream) => Pin::new(stream).poll_flush(cx),
            Self::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::exchange::drain;
use crate::{ConnectionReport, Description, Job, PrepareError};

/// A connection to the other end, as octets.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One TLS implementation, able to be client, server or both.
pub trait Peer: Send + Sync + 'static {
    /// What it is and what it can do.
    fn describe(&self) -> Description;

    /// Gets ready for a job whose needs are all among the described capabilities, and that makes sense.
    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError>;
}

/// One end of one job.
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// Runs one connection of the job: handshake, exchange ([`crate::ask`] or
    /// [`crate::serve_answer`]), orderly close. Fills the report in as it goes, so that a deadline
    /// loses nothing. Closing the transport is the caller's.
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport);
}

/// Prepares a job on a peer that has described itself so, after checking that it says it can do it, and that the job
/// makes sense.
pub fn prepare(
    peer: &dyn Peer,
    description: &Description,
    job: Job,
) -> Result<Arc<dyn Endpoint>, PrepareError> {
    if let Some(capability) = description.capabilities.missing(&job) {
        return Err(PrepareError::Unsupported(capability));
    }
    job.check()?;
    peer.prepare(job)
}

/// Runs one connection to its end: within the deadline, and without a reset that would swallow an
/// alert still on its way.
pub async fn drive(
    endpoint: &dyn Endpoint,
    connection: u32,
    stream: &mut dyn Stream,
    deadline: Duration,
) -> ConnectionReport {
    let mut report = ConnectionReport::default();
    let run = async {
        endpoint.run(connection, stream, &mut report).await;
        // The other end may be gone already; how it went is what the recording shows.
        drop(stream.shutdown().await);
        drop(drain(stream).await);
    };
    // Libraries give an alert up where the stream does not take it at once, and to a task that has used up its
    // share of the runtime every stream says that it is not ready.
    let run = tokio::task::unconstrained(run);
    if tokio::time::timeout(deadline, run).await.is_err() {
        report.break_off(&format!(
            "the deadline of {} ms passed",
            deadline.as_millis()
        ));
    }
    report
}

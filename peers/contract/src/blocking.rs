use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::timeout_at;

use crate::{ConnectionReport, Endpoint, Stream};

/// One end of one job, by a library whose calls block.
pub trait BlockingEndpoint: Send + Sync {
    /// Runs one connection of the job, as [`Endpoint::run`] does.
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport);
}

/// The octets to and from the other end, read and written in turn. Both fail once the connection's deadline has
/// passed.
pub struct BlockingStream<'a> {
    stream: &'a mut dyn Stream,
    runtime: Handle,
    deadline: Instant,
}

impl BlockingStream<'_> {
    fn wait<T>(
        &mut self,
        operation: impl AsyncFnOnce(&mut dyn Stream) -> io::Result<T>,
    ) -> io::Result<T> {
        let deadline = self.deadline.into();
        let stream = &mut *self.stream;
        let done = self
            .runtime
            .block_on(async { timeout_at(deadline, operation(stream)).await });
        done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Read for BlockingStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(async |stream: &mut dyn Stream| stream.read(buffer).await)
    }
}

impl Write for BlockingStream<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.wait(async |stream: &mut dyn Stream| stream.write(octets).await)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wait(async |stream: &mut dyn Stream| stream.flush().await)
    }
}

/// Makes an endpoint of one whose calls block.
pub struct Blocking<T> {
    /// The endpoint.
    pub endpoint: T,
    /// The most time that one connection may take.
    pub deadline: Duration,
}

#[async_trait]
impl<T: BlockingEndpoint> Endpoint for Blocking<T> {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        block_in_place(|| {
            let mut stream = BlockingStream {
                stream,
                runtime: Handle::current(),
                deadline: Instant::now() + self.deadline,
            };
            self.endpoint.run(connection, &mut stream, report);
        });
    }
}

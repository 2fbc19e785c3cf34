//! What the probe's client says once TLS stands.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqmtls_contract::{Answer, ConnectionReport, Stream};
use reqmtls_peer_rustls::Exchange;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// The most octets of an answer that are read before the client closes.
const MOST: usize = 64 << 10;
/// How much of an answer is shown: its first line, up to this many octets.
const SHOWN: usize = 120;

/// Asks once, reads what comes, and closes. Whether the answer makes sense is no matter of TLS.
#[derive(Debug)]
pub(super) struct Asking {
    request: Vec<u8>,
    /// How long an answer is awaited; each further part of it a fifth of that.
    wait: Duration,
    /// The start of the last answer.
    answer: Mutex<Vec<u8>>,
}

impl Asking {
    pub(super) fn new(request: Vec<u8>, wait: Duration) -> Self {
        Self {
            request,
            wait,
            answer: Mutex::default(),
        }
    }

    /// The first line of the answer of the connection that ended, with what is not printable escaped.
    pub(super) fn take_answer(&self) -> Option<String> {
        let answer = std::mem::take(&mut *self.lock());
        let line = answer.split(|octet| *octet == b'\n').next()?;
        (!answer.is_empty()).then(|| line.trim_ascii_end().escape_ascii().to_string())
    }

    fn note(&self, octets: &[u8]) {
        let mut answer = self.lock();
        let free = SHOWN - answer.len();
        answer.extend_from_slice(&octets[..octets.len().min(free)]);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Exchange for Asking {
    fn request(&self) -> &[u8] {
        &self.request
    }

    async fn read(&self, stream: &mut dyn Stream) -> io::Result<Option<Answer>> {
        let mut buffer = [0; 4096];
        let mut octets = 0;
        // A server that sends forever, a little at a time, has four times as long.
        let last = Instant::now() + self.wait * 4;
        while octets < MOST {
            // Who has answered was not to refuse any more: only its close is awaited.
            let wait = if octets == 0 {
                self.wait
            } else {
                self.wait / 5
            };
            let next = last.min(Instant::now() + wait);
            match timeout_at(next, stream.read(&mut buffer)).await {
                Ok(Ok(0)) | Err(_) => break,
                Ok(Ok(length)) => {
                    self.note(&buffer[..length]);
                    octets += length;
                }
                // The transport ended without close_notify: the recording shows it.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Ok(Err(error)) => return Err(error),
            }
        }
        stream.shutdown().await?;
        Ok(None)
    }

    async fn serve(
        &self,
        _connection: u32,
        _early: &[u8],
        _stream: &mut dyn Stream,
        _report: &ConnectionReport,
    ) -> io::Result<()> {
        Err(io::Error::other("a probe is a client"))
    }
}

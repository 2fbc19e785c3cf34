//! A stream in memory, and an executor that knows when nothing more can happen.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Numbers that look random and are the same for the same seed (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or(0) % limit.max(1)
    }
}

/// What lies between an end and the test.
#[derive(Default)]
struct Queues {
    incoming: VecDeque<u8>,
    is_over: bool,
    outgoing: Vec<u8>,
    is_shut: bool,
    reader: Option<Waker>,
    /// Cuts reads, and lets some of them wait.
    cuts: Option<Random>,
    /// Whether writes are cut too.
    cuts_writes: bool,
}

/// One end's stream; its clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Arc<Mutex<Queues>>);

impl Pipe {
    /// A stream that gives octets out in small portions, and not at every attempt.
    pub(crate) fn cut(seed: u64) -> Self {
        let pipe = Self::default();
        pipe.lock().cuts = Some(Random::new(seed));
        pipe
    }

    /// One that takes them so, too: then tokio-rustls may lose an alert.
    pub(crate) fn cut_both_ways(seed: u64) -> Self {
        let pipe = Self::cut(seed);
        pipe.lock().cuts_writes = true;
        pipe
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the end read these octets.
    pub(crate) fn give(&self, octets: &[u8]) {
        let mut queues = self.lock();
        queues.incoming.extend(octets);
        if let Some(reader) = queues.reader.take() {
            reader.wake();
        }
    }

    /// Lets the end read to the end.
    pub(crate) fn end(&self) {
        let mut queues = self.lock();
        queues.is_over = true;
        if let Some(reader) = queues.reader.take() {
            reader.wake();
        }
    }

    /// What the end has written since the last call.
    pub(crate) fn written(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().outgoing)
    }

    /// Whether the end has shut its direction down, or is dropped.
    pub(crate) fn is_shut(&self) -> bool {
        self.lock().is_shut || Arc::strong_count(&self.0) == 1
    }
}

impl Queues {
    /// How much of `most` moves now; `None` if the attempt has to wait.
    fn portion(&mut self, most: usize, cx: &Context<'_>) -> Option<usize> {
        let Some(cuts) = &mut self.cuts else {
            return Some(most);
        };
        match cuts.below(4) {
            0 => {
                cx.waker().wake_by_ref();
                None
            }
            1 => Some(most.min(1 + cuts.below(7))),
            _ => Some(most.min(1 + cuts.below(2000))),
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut queues = self.lock();
        let most = queues.incoming.len().min(buf.remaining());
        if most == 0 && queues.is_over {
            return Poll::Ready(Ok(()));
        }
        if most == 0 {
            queues.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let Some(portion) = queues.portion(most, cx) else {
            return Poll::Pending;
        };
        let octets: Vec<u8> = queues.incoming.drain(..portion).collect();
        buf.put_slice(&octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut queues = self.lock();
        let portion = if queues.cuts_writes {
            queues.portion(buf.len(), cx)
        } else {
            Some(buf.len())
        };
        let Some(portion) = portion else {
            return Poll::Pending;
        };
        queues.outgoing.extend_from_slice(&buf[..portion]);
        Poll::Ready(Ok(portion))
    }

    // As a socket does, or tokio-rustls loses what stands behind the first buffer when a handshake fails.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let octets: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        self.poll_write(cx, &octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().is_shut = true;
        Poll::Ready(Ok(()))
    }
}

/// After so many polls a future is taken to wait: some states of tokio-rustls wake themselves for ever.
const MOST_POLLS: usize = 100_000;

/// A future that is polled only as long as something wakes it.
pub(crate) struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    woken: Arc<Woken>,
    polls: usize,
    pub(crate) outcome: Option<T>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl<'a, T> Task<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self {
            future: Some(Box::pin(future)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            polls: 0,
            outcome: None,
        }
    }

    /// Polls until the future is done or waits for something else. Returns whether it was polled at all.
    pub(crate) fn run(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut cx = Context::from_waker(&waker);
        let mut was_polled = false;
        while let Some(future) = &mut self.future
            && self.polls < MOST_POLLS
            && self.woken.0.swap(false, Ordering::AcqRel)
        {
            was_polled = true;
            self.polls += 1;
            if let Poll::Ready(outcome) = future.as_mut().poll(&mut cx) {
                self.outcome = Some(outcome);
                self.future = None;
            }
        }
        was_polled
    }

    /// Drops the future, done or not.
    pub(crate) fn cancel(&mut self) {
        self.future = None;
    }
}

//! Edits and looks at what passes, until no message can be edited any more.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use super::handshake::{Handshake, Inbound, first_client_hello};
use super::outgoing::Outgoing;
use super::records::{HelloReader, Progress};
use super::transport::Transport;

/// The state of an [`super::EditedIo`] besides its stream, which every call that moves octets is given.
#[derive(Debug)]
pub(super) struct Stage {
    /// `None` once everything passes as it is.
    pub(super) handshake: Option<Box<Handshake>>,
}

impl Stage {
    pub(super) fn new(outgoing: Outgoing, inbound: Inbound) -> Self {
        let handshake = Some(Box::new(Handshake::new(outgoing, inbound)));
        let mut new = Self { handshake };
        new.settle();
        new
    }

    /// Whether calls go straight to the stream below.
    pub(super) fn is_over(&self) -> bool {
        self.handshake.is_none()
    }

    fn settle(&mut self) {
        let over = self.handshake.take_if(|handshake| handshake.is_over());
        if let Some(writer) = over.and_then(|handshake| handshake.writer) {
            writer.wake();
        }
    }

    /// Reads ahead to the end of the first ClientHello. Returns what has read it, with the message inside.
    ///
    /// `None` if the stream ends before, or if what comes is not a ClientHello that rustls would accept.
    /// To be called again, with the same `reader`, as long as it is pending.
    pub(super) fn poll_client_hello(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
        reader: &mut Option<HelloReader>,
    ) -> Poll<io::Result<Option<HelloReader>>> {
        let mut chunk = [0; 4096];
        loop {
            let Some(handshake) = &mut self.handshake else {
                return Poll::Ready(Ok(None));
            };
            let most = handshake.ahead.room().min(chunk.len());
            if most == 0 {
                return Poll::Ready(Ok(None));
            }
            let length = ready!(io.poll_read(cx, &mut chunk[..most]))?;
            if length == 0 {
                return Poll::Ready(Ok(None));
            }
            let hello = reader.get_or_insert_with(first_client_hello);
            match handshake.ahead.push(&chunk[..length], hello) {
                Progress::Whole => return Poll::Ready(Ok(reader.take())),
                Progress::Other => return Poll::Ready(Ok(None)),
                Progress::Unfinished => {}
            }
        }
    }

    /// Reads what rustls gets.
    pub(super) fn poll_read(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        // The other end may be waiting for what is pending here.
        if let Poll::Ready(Err(error)) = self.poll_drain(io, cx) {
            return Poll::Ready(Err(error));
        }
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let read = ready!(self.poll_looking(io, cx, buf));
        if let Poll::Ready(Err(error)) = self.poll_drain(io, cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(read)
    }

    /// Reads while there is something to look at.
    fn poll_looking(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Some(handshake) = &mut self.handshake else {
            return io.poll_read(cx, buf);
        };
        if !matches!(handshake.inbound, Inbound::Failed(_)) {
            let (length, looks) = if let Some((octets, is_behind)) = handshake.ahead.take(buf.len())
            {
                buf[..octets.len()].copy_from_slice(octets);
                (octets.len(), is_behind)
            } else {
                (ready!(io.poll_read(cx, buf))?, true)
            };
            handshake.ahead.tidy();
            if !looks || handshake.see(&buf[..length]) {
                self.settle();
                return Poll::Ready(Ok(length));
            }
        }
        ready!(self.poll_drain(io, cx))?;
        ready!(io.poll_flush(cx))?;
        let error = match &self.handshake.as_ref().map(|handshake| &handshake.inbound) {
            Some(Inbound::Failed(error)) => *error,
            _ => unreachable!("a failed handshake is never over"),
        };
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Takes what rustls writes, all of it. `None` if it is not to be edited, and can go straight to the stream.
    pub(super) fn poll_write(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<Option<usize>>> {
        ready!(self.poll_drain_to_write(io, cx))?;
        let edits = |handshake: &&mut Box<Handshake>| !handshake.outgoing.is_done();
        let Some(handshake) = self.handshake.as_mut().filter(edits) else {
            return Poll::Ready(Ok(None));
        };
        let mut taken = 0;
        for buf in bufs {
            handshake.outgoing.push(buf, &mut handshake.pending);
            taken += buf.len();
        }
        // All of it is taken, whatever comes of sending it: a later call meets the same obstacle again.
        match self.poll_drain(io, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(Some(taken))),
        }
    }

    /// Sends what is pending, before the stream shuts down.
    #[cfg(feature = "tokio")]
    pub(super) fn poll_finish(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.handshake {
            // What was written in part is sent in part, as it would be without us.
            Some(handshake) if handshake.outgoing.is_mid_record() => {
                handshake.outgoing.finish(&mut handshake.pending);
            }
            _ => {}
        }
        self.poll_drain_to_write(io, cx)
    }

    /// Sends what is pending, on behalf of a task that writes.
    pub(super) fn poll_drain_to_write(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let drained = self.poll_drain(io, cx);
        if drained.is_ready() {
            return drained;
        }
        if let Some(handshake) = &mut self.handshake {
            // A reading task may go on draining, and then has to say so.
            handshake.writer = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Sends what is pending.
    fn poll_drain(
        &mut self,
        io: &mut impl Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(handshake) = &mut self.handshake else {
            return Poll::Ready(Ok(()));
        };
        while let rest @ [_, ..] = &handshake.pending[handshake.sent..] {
            match ready!(io.poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => handshake.sent += written,
            }
        }
        handshake.pending.clear();
        handshake.sent = 0;
        if let Some(writer) = handshake.writer.take() {
            writer.wake();
        }
        self.settle();
        Poll::Ready(Ok(()))
    }
}

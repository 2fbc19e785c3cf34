//! A stream that edits what passes in the clear.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::edits::Side;
use super::handshake::{Handshake, Inbound, first_client_hello};
use super::outgoing::Outgoing;
use super::plan_of;
use super::records::{HelloReader, Progress};

#[cfg(test)]
mod tests;

/// A stream between rustls and the network that edits plaintext messages.
///
/// It stands below tokio-rustls: `tokio_rustls::client::TlsStream<EditedIo<IO>>`. What rustls writes is taken at
/// once and sent as the inner stream allows; what is taken is never lost, and is sent before anything that comes
/// later, also by reading, flushing and shutting down. As soon as no message can be edited any more, calls go
/// straight to the inner stream, without a copy, and every buffer is freed.
///
/// What comes in passes unchanged. A [`crate::TlsFlagsAcceptor`] only reads ahead to the end of the first
/// ClientHello, no further than rustls would buffer, and looks for a second one, after HelloRetryRequest. If
/// that carries other flags than the first (RFC 9846 §4.2.2 (RFC 8446 §4.1.2)), it is not passed on: the alert
/// is sent, and reading fails with an error that wraps the [`crate::FlagsError`].
#[derive(Debug)]
pub struct EditedIo<IO> {
    io: IO,
    /// `None` once everything passes as it is.
    handshake: Option<Box<Handshake>>,
}

impl<IO> EditedIo<IO> {
    /// Wraps a client's stream; edits as the provider of `config` says.
    #[cfg(feature = "seam")]
    pub fn client(io: IO, config: &ClientConfig) -> Self {
        Self::for_client(io, config)
    }

    pub(crate) fn for_client(io: IO, config: &ClientConfig) -> Self {
        let plan = plan_of(config.crypto_provider());
        let watch = plan.and_then(|plan| plan.watch.as_ref());
        let limit = payload_limit(config.max_fragment_size);
        let outgoing = Outgoing::new(Side::Client, plan, limit);
        let inbound = if outgoing.is_done() && watch.is_none() {
            Inbound::Off
        } else {
            Inbound::server_hello(watch)
        };
        Self::new(io, outgoing, inbound)
    }

    /// Wraps a server's stream; edits as the provider of `config` says, and looks at no flags.
    ///
    /// For a server that knows nothing of `tls_flags`, and has one configuration.
    #[cfg(feature = "seam")]
    pub fn server(io: IO, config: &ServerConfig) -> Self {
        Self::new(io, serving(config), Inbound::Off)
    }

    /// Wraps a server's stream, to read ahead first and then to serve.
    pub(crate) fn for_server(io: IO) -> Self {
        let outgoing = Outgoing::new(Side::Server, None, payload_limit(None));
        Self::new(io, outgoing, Inbound::Off)
    }

    fn new(io: IO, outgoing: Outgoing, inbound: Inbound) -> Self {
        let handshake = Some(Box::new(Handshake::new(outgoing, inbound)));
        let mut new = Self { io, handshake };
        new.settle();
        new
    }

    /// From here on edits as the provider of `config` says.
    ///
    /// A second ClientHello has to carry the same `flags` as the first, which `hello` has read.
    pub(crate) fn serve(
        &mut self,
        config: &ServerConfig,
        mut hello: HelloReader,
        extension: u16,
        flags: Option<Vec<u8>>,
    ) {
        hello.next();
        if let Some(handshake) = &mut self.handshake {
            handshake.outgoing = serving(config);
            handshake.inbound = Inbound::SecondClientHello {
                reader: hello,
                extension,
                first: flags,
            };
        }
    }

    /// From here on everything passes as it is.
    pub(crate) fn pass(&mut self) {
        if let Some(handshake) = &mut self.handshake {
            handshake.outgoing.finish(&mut handshake.pending);
            handshake.inbound = Inbound::Off;
        }
    }

    /// The inner stream.
    pub fn get_ref(&self) -> &IO {
        &self.io
    }

    /// The inner stream. Do not read from it or write to it during a handshake.
    pub fn get_mut(&mut self) -> &mut IO {
        &mut self.io
    }

    /// The inner stream. During a handshake, what rustls has not read or the stream has not sent yet is lost.
    pub fn into_inner(self) -> IO {
        self.io
    }

    fn settle(&mut self) {
        let over = self.handshake.take_if(|handshake| handshake.is_over());
        if let Some(writer) = over.and_then(|handshake| handshake.writer) {
            writer.wake();
        }
    }
}

impl<IO: AsyncRead + Unpin> EditedIo<IO> {
    /// Reads ahead to the end of the first ClientHello. Returns what has read it, with the message inside.
    ///
    /// `None` if the stream ends before, or if what comes is not a ClientHello that rustls would accept.
    pub(crate) async fn read_client_hello(&mut self) -> io::Result<Option<HelloReader>> {
        let mut reader = first_client_hello();
        std::future::poll_fn(|cx| {
            loop {
                let Some(handshake) = &mut self.handshake else {
                    return Poll::Ready(Ok(None));
                };
                let mut chunk = [0; 4096];
                let most = handshake.ahead.room().min(chunk.len());
                if most == 0 {
                    return Poll::Ready(Ok(None));
                }
                let mut read = ReadBuf::new(&mut chunk[..most]);
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
                if read.filled().is_empty() {
                    return Poll::Ready(Ok(None));
                }
                match handshake.ahead.push(read.filled(), &mut reader) {
                    Progress::Whole => return Poll::Ready(Ok(Some(()))),
                    Progress::Other => return Poll::Ready(Ok(None)),
                    Progress::Unfinished => {}
                }
            }
        })
        .await
        .map(|whole| whole.map(|()| reader))
    }
}

impl<IO: AsyncWrite + Unpin> EditedIo<IO> {
    /// Sends what is pending.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(handshake) = &mut self.handshake else {
            return Poll::Ready(Ok(()));
        };
        while let rest @ [_, ..] = &handshake.pending[handshake.sent..] {
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
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

    /// Sends what is pending, on behalf of a task that writes.
    fn poll_drain_to_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let drained = self.poll_drain(cx);
        if drained.is_ready() {
            return drained;
        }
        if let Some(handshake) = &mut self.handshake {
            // A reading task may go on draining, and then has to say so.
            handshake.writer = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> EditedIo<IO> {
    /// Reads while there is something to look at.
    fn poll_looking(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(handshake) = &mut self.handshake else {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        };
        if !matches!(handshake.inbound, Inbound::Failed(_)) {
            let before = buf.filled().len();
            let looks = if let Some((octets, is_behind)) = handshake.ahead.take(buf.remaining()) {
                buf.put_slice(octets);
                is_behind
            } else {
                ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
                true
            };
            handshake.ahead.tidy();
            if !looks || handshake.see(&buf.filled()[before..]) {
                self.settle();
                return Poll::Ready(Ok(()));
            }
            buf.set_filled(before);
        }
        ready!(self.poll_drain(cx))?;
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        let error = match &self.handshake.as_ref().map(|handshake| &handshake.inbound) {
            Some(Inbound::Failed(error)) => *error,
            _ => unreachable!("a failed handshake is never over"),
        };
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for EditedIo<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.handshake.is_none() {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        }
        // The other end may be waiting for what is pending here.
        if let Poll::Ready(Err(error)) = this.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let read = ready!(this.poll_looking(cx, buf));
        if let Poll::Ready(Err(error)) = this.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(read)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for EditedIo<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain_to_write(cx))?;
        let Some(handshake) = this
            .handshake
            .as_mut()
            .filter(|handshake| !handshake.outgoing.is_done())
        else {
            return match bufs {
                [buf] => Pin::new(&mut this.io).poll_write(cx, buf),
                bufs => Pin::new(&mut this.io).poll_write_vectored(cx, bufs),
            };
        };
        let mut taken = 0;
        for buf in bufs {
            handshake.outgoing.push(buf, &mut handshake.pending);
            taken += buf.len();
        }
        // All of it is taken, whatever comes of sending it: a later call meets the same obstacle again.
        match this.poll_drain(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain_to_write(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match &mut this.handshake {
            // What was written in part is sent in part, as it would be without us.
            Some(handshake) if handshake.outgoing.is_mid_record() => {
                handshake.outgoing.finish(&mut handshake.pending);
            }
            _ => {}
        }
        ready!(this.poll_drain_to_write(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}

fn serving(config: &ServerConfig) -> Outgoing {
    let plan = plan_of(config.crypto_provider());
    Outgoing::new(Side::Server, plan, payload_limit(config.max_fragment_size))
}

/// The payload that fits into a record under rustls's `max_fragment_size`.
fn payload_limit(max_fragment_size: Option<usize>) -> usize {
    max_fragment_size.map_or(1 << 14, |size| size.saturating_sub(5))
}

//! A stream that edits what passes in the clear.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::edits::Side;
use super::inbound::{Held, Inbound, Seen, judge_second_hello};
use super::outgoing::Outgoing;
use super::plan_of;
use super::records::Gather;
use super::watch::Watch;
use crate::flags::FlagsError;

/// A stream between rustls and the network that edits plaintext messages.
///
/// It stands below tokio-rustls: `tokio_rustls::client::TlsStream<EditedIo<IO>>`.
/// What rustls writes is taken at once and sent as the inner stream allows;
/// what is taken is never lost, and is sent before anything that comes later,
/// also by reading, flushing and shutting down. As soon as no message can be
/// edited any more, calls go straight to the inner stream, without a copy.
///
/// On a server it also keeps the ClientHello as it came, and sees to it that
/// there is one `tls_flags` extension at most, in front of `pre_shared_key`, and that a second ClientHello,
/// after HelloRetryRequest, carries the same flags (RFC 8446 §4.1.2). If not,
/// it sends the alert and fails with an error that wraps the [`FlagsError`].
/// rustls finds two extensions of one type too, and one behind
/// `pre_shared_key`, but its `Acceptor` answers `decode_error`.
#[derive(Debug)]
pub struct EditedIo<IO> {
    io: IO,
    outgoing: Outgoing,
    inbound: Inbound,
    /// Edited bytes that the inner stream has yet to take, from `sent` on.
    pending: Vec<u8>,
    sent: usize,
    /// What a client accepts in ServerHello.
    watch: Option<&'static Watch>,
    /// Who waits for `pending` to be sent.
    writer: Option<Waker>,
}

impl<IO> EditedIo<IO> {
    /// Wraps a client's stream; edits as the provider of `config` says.
    pub fn client(io: IO, config: &Arc<ClientConfig>) -> Self {
        let plan = plan_of(config.crypto_provider());
        let chunk = config.max_fragment_size;
        let outgoing = Outgoing::new(Side::Client, plan, payload_limit(chunk));
        let watch = plan.and_then(|plan| plan.watch.as_ref());
        let inbound = if outgoing.is_done() && watch.is_none() {
            Inbound::Off
        } else {
            Inbound::ServerHello(Gather::default())
        };
        let mut io = Self::new(io, outgoing, inbound);
        io.watch = watch;
        io
    }

    /// Wraps a server's stream; edits nothing until [`EditedIo::serve`].
    pub fn server(io: IO) -> Self {
        let outgoing = Outgoing::new(Side::Server, None, payload_limit(None));
        Self::new(io, outgoing, Inbound::ClientHello(Gather::default()))
    }

    /// Wraps a server's stream; edits as the provider of `config` says, and
    /// looks at no flags.
    ///
    /// For a server that knows nothing of `tls_flags`, and has one configuration.
    pub fn unaware_server(io: IO, config: &ServerConfig) -> Self {
        let mut io = Self::new(
            io,
            Outgoing::new(Side::Server, None, payload_limit(None)),
            Inbound::Off,
        );
        io.serve(config);
        io
    }

    fn new(io: IO, outgoing: Outgoing, inbound: Inbound) -> Self {
        Self {
            io,
            outgoing,
            inbound,
            pending: Vec::new(),
            sent: 0,
            watch: None,
            writer: None,
        }
    }

    /// From here on edits as the provider of `config` says.
    ///
    /// To be called once the configuration is chosen, and before ServerHello.
    pub fn serve(&mut self, config: &ServerConfig) {
        let plan = plan_of(config.crypto_provider());
        let chunk = payload_limit(config.max_fragment_size);
        self.outgoing = Outgoing::new(Side::Server, plan, chunk);
    }

    /// The first ClientHello as it came, once a server has all of it.
    ///
    /// The handshake message, with its header and without record headers.
    pub fn client_hello(&self) -> Option<&[u8]> {
        match &self.inbound {
            Inbound::Heard(first) | Inbound::Holding { first, .. } => Some(first),
            _ => None,
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

    /// The inner stream. Flush first, or what is not sent yet is lost.
    pub fn into_inner(self) -> IO {
        self.io
    }
}

impl<IO: AsyncWrite + Unpin> EditedIo<IO> {
    /// Sends what is pending.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.pending.len() {
            let rest = &self.pending[self.sent..];
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
        self.pending.clear();
        self.sent = 0;
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what is pending, on behalf of a task that writes.
    fn poll_drain_to_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let drained = self.poll_drain(cx);
        if drained.is_pending() {
            // A reading task may go on draining, and then has to say so.
            self.writer = Some(cx.waker().clone());
        }
        drained
    }

    fn is_transparent(&self) -> bool {
        self.outgoing.is_done() && self.pending.is_empty()
    }

    fn fail(&mut self, error: FlagsError) {
        self.outgoing.finish(&mut self.pending);
        self.pending.extend(crate::alert::fatal(error.alert()));
        self.inbound = Inbound::Failed(error);
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> EditedIo<IO> {
    /// Reads, and looks at what was read.
    fn poll_inbound(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.outgoing.awaits_second_client_hello()
                && let Inbound::Heard(first) = &mut self.inbound
            {
                let first = std::mem::take(first);
                self.inbound = Inbound::Holding {
                    first,
                    held: Vec::new(),
                };
            }
            match &mut self.inbound {
                Inbound::Off | Inbound::Heard(_) => {
                    return Pin::new(&mut self.io).poll_read(cx, buf);
                }
                Inbound::ServerHello(_) | Inbound::ClientHello(_) => {
                    let before = buf.filled().len();
                    ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
                    match self.inbound.see(&buf.filled()[before..], self.watch) {
                        Seen::Nothing => {}
                        Seen::LastClientHelloWasSent => self.outgoing.finish(&mut self.pending),
                        Seen::Refused(error) => {
                            self.fail(error);
                            continue;
                        }
                    }
                    return Poll::Ready(Ok(()));
                }
                Inbound::Holding { first, held } => match judge_second_hello(first, held) {
                    Held::Changed => self.fail(FlagsError::Changed),
                    Held::GiveOutAll => {
                        let held = std::mem::take(held);
                        self.inbound = Inbound::Releasing { held, given: 0 };
                    }
                    Held::GiveOut(0) => {
                        let mut chunk = [0; 4096];
                        let mut read = ReadBuf::new(&mut chunk);
                        ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
                        held.extend_from_slice(read.filled());
                        if read.filled().is_empty() {
                            let held = std::mem::take(held);
                            self.inbound = Inbound::Releasing { held, given: 0 };
                        }
                    }
                    Held::GiveOut(most) => {
                        let given = most.min(buf.remaining());
                        buf.put_slice(&held[..given]);
                        held.drain(..given);
                        return Poll::Ready(Ok(()));
                    }
                },
                Inbound::Releasing { held, given } => {
                    let rest = &held[*given..];
                    if rest.is_empty() {
                        self.inbound = Inbound::Off;
                        continue;
                    }
                    let taken = rest.len().min(buf.remaining());
                    buf.put_slice(&rest[..taken]);
                    *given += taken;
                    return Poll::Ready(Ok(()));
                }
                Inbound::Failed(error) => {
                    let error = *error;
                    ready!(self.poll_drain(cx))?;
                    ready!(Pin::new(&mut self.io).poll_flush(cx))?;
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for EditedIo<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // The other end may be waiting for what is pending here.
        if let Poll::Ready(Err(error)) = this.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let read = this.poll_inbound(cx, buf);
        if read.is_ready()
            && let Poll::Ready(Err(error)) = this.poll_drain(cx)
        {
            return Poll::Ready(Err(error));
        }
        read
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
        if this.is_transparent() {
            return match bufs {
                [buf] => Pin::new(&mut this.io).poll_write(cx, buf),
                bufs => Pin::new(&mut this.io).poll_write_vectored(cx, bufs),
            };
        }
        let mut taken = 0;
        for buf in bufs {
            this.outgoing.push(buf, &mut this.pending);
            taken += buf.len();
        }
        // All of it is taken, whatever comes of sending it: a later call
        // meets the same obstacle again.
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
        if this.outgoing.is_mid_record() {
            // What was written in part is sent in part, as it would be without us.
            this.outgoing.finish(&mut this.pending);
        }
        ready!(this.poll_drain_to_write(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}

/// The payload that fits into a record under rustls's `max_fragment_size`.
fn payload_limit(max_fragment_size: Option<usize>) -> usize {
    max_fragment_size.map_or(1 << 14, |size| size.saturating_sub(5))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;
    use crate::hello::tests::client_hello;
    use crate::{Flags, provider};

    /// Takes so many bytes, and never says when it takes more.
    struct Gate {
        open: usize,
        taken: Vec<u8>,
    }

    impl AsyncRead for Gate {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Gate {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let most = self.open.min(buf.len());
            if most == 0 {
                return Poll::Pending;
            }
            self.open -= most;
            self.taken.extend_from_slice(&buf[..most]);
            Poll::Ready(Ok(most))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn client() -> EditedIo<Gate> {
        let provider = provider(&default_provider(), &Flags::from_iter([0]));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let gate = Gate {
            open: 0,
            taken: Vec::new(),
        };
        EditedIo::client(gate, &Arc::new(config))
    }

    fn record(message: &[u8]) -> Vec<u8> {
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        [&[22, 3, 1][..], &length, message].concat()
    }

    #[test]
    fn a_reader_that_drains_wakes_the_writer_that_waits() {
        let mut io = client();
        let (reading, writing) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let (reader, writer) = (Waker::from(reading), Waker::from(Arc::clone(&writing)));
        let mut reader = Context::from_waker(&reader);
        let mut writer = Context::from_waker(&writer);
        let mut bytes = [0; 8];
        let mut buf = ReadBuf::new(&mut bytes);

        let hello = record(&client_hello(&[]));
        let written = Pin::new(&mut io).poll_write(&mut writer, &hello);
        assert!(matches!(written, Poll::Ready(Ok(taken)) if taken == hello.len()));
        assert!(Pin::new(&mut io).poll_flush(&mut writer).is_pending());
        assert!(
            Pin::new(&mut io)
                .poll_write(&mut writer, b"more")
                .is_pending()
        );

        assert!(
            Pin::new(&mut io)
                .poll_read(&mut reader, &mut buf)
                .is_pending()
        );
        assert_eq!(writing.0.load(Ordering::Relaxed), 0);
        io.io.open = 1000;
        assert!(
            Pin::new(&mut io)
                .poll_read(&mut reader, &mut buf)
                .is_pending()
        );
        assert_eq!(writing.0.load(Ordering::Relaxed), 1);
        assert!(Pin::new(&mut io).poll_flush(&mut writer).is_ready());
        assert_eq!(io.io.taken, record(&client_hello(&[(62, &[1, 1])])));
    }

    #[test]
    fn a_vectored_write_takes_all_of_its_buffers() {
        let mut io = client();
        io.io.open = 1000;
        let waker = Waker::noop();
        let mut cx = Context::from_waker(waker);
        let hello = record(&client_hello(&[]));
        let bufs = [
            IoSlice::new(&hello[..3]),
            IoSlice::new(&[]),
            IoSlice::new(&hello[3..]),
        ];
        let written = Pin::new(&mut io).poll_write_vectored(&mut cx, &bufs);
        assert!(matches!(written, Poll::Ready(Ok(taken)) if taken == hello.len()));
        assert_eq!(io.io.taken, record(&client_hello(&[(62, &[1, 1])])));
    }

    #[test]
    fn shutting_down_sends_what_is_pending_even_in_part() {
        let mut io = client();
        let waker = Waker::noop();
        let mut cx = Context::from_waker(waker);
        let hello = record(&client_hello(&[]));
        let written = Pin::new(&mut io).poll_write(&mut cx, &hello[..30]);
        assert!(matches!(written, Poll::Ready(Ok(30))));
        assert!(Pin::new(&mut io).poll_shutdown(&mut cx).is_pending());
        io.io.open = 1000;
        assert!(Pin::new(&mut io).poll_shutdown(&mut cx).is_ready());
        assert_eq!(io.io.taken, hello[..30]);
    }
}

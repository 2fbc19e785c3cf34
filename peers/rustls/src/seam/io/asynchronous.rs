//! An [`EditedIo`] over a stream of tokio.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::EditedIo;
use crate::seam::records::HelloReader;
use crate::seam::transport::Transport;

struct Below<'a, IO>(&'a mut IO);

impl<IO: AsyncRead + AsyncWrite + Unpin> Transport for Below<'_, IO> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(Pin::new(&mut *self.0).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> EditedIo<IO> {
    /// Reads ahead to the end of the first ClientHello. Returns what has read it, with the message inside.
    ///
    /// `None` if the stream ends before, or if what comes is not a ClientHello that rustls would accept.
    pub(crate) async fn read_client_hello(&mut self) -> io::Result<Option<HelloReader>> {
        let mut reader = None;
        let Self { io, stage } = self;
        std::future::poll_fn(|cx| stage.poll_client_hello(&mut Below(io), cx, &mut reader)).await
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for EditedIo<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { io, stage } = self.get_mut();
        if stage.is_over() {
            return Pin::new(io).poll_read(cx, buf);
        }
        let read = stage.poll_read(&mut Below(io), cx, buf.initialize_unfilled());
        buf.advance(ready!(read)?);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for EditedIo<IO> {
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
        let Self { io, stage } = self.get_mut();
        match ready!(stage.poll_write(&mut Below(io), cx, bufs))? {
            Some(taken) => Poll::Ready(Ok(taken)),
            None => match bufs {
                [buf] => Pin::new(io).poll_write(cx, buf),
                bufs => Pin::new(io).poll_write_vectored(cx, bufs),
            },
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { io, stage } = self.get_mut();
        ready!(stage.poll_drain_to_write(&mut Below(io), cx))?;
        Pin::new(io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { io, stage } = self.get_mut();
        ready!(stage.poll_finish(&mut Below(io), cx))?;
        Pin::new(io).poll_shutdown(cx)
    }
}

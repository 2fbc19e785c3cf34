//! Writes that block, come in parts, or are cut off.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use rustls::crypto::aws_lc_rs::default_provider;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::*;
use crate::hello::tests::client_hello;
use crate::seam::{Edits, Message, client_provider};

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

pub(super) fn config() -> ClientConfig {
    let edits = Edits::new().insert(Message::ClientHello, 62, [1, 1]);
    let provider = client_provider(&default_provider(), &edits).unwrap();
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn client() -> EditedIo<Gate> {
    let gate = Gate {
        open: 0,
        taken: Vec::new(),
    };
    EditedIo::for_client(gate, &config())
}

pub(super) fn record(message: &[u8]) -> Vec<u8> {
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

#[tokio::test]
async fn a_client_has_no_state_once_the_server_has_answered() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let mut io = EditedIo::for_client(near, &config());
    io.write_all(&record(&client_hello(&[]))).await.unwrap();
    assert!(io.stage.handshake.is_some());
    let body = [&[3, 3][..], &[5; 32], &[0, 0x13, 1, 0, 0, 0]].concat();
    let hello = [&[2, 0, 0, 40], &body[..]].concat();
    far.write_all(&record(&hello)).await.unwrap();
    io.read_exact(&mut [0; 49]).await.unwrap();
    assert!(io.stage.handshake.is_none());
}

#[tokio::test]
async fn a_server_frees_what_it_has_read_ahead() {
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let mut io = EditedIo::for_server(far);
    let hello = record(&client_hello(&[(16, &[5; 16_000])]));
    near.write_all(&[&hello[..], b"more"].concat())
        .await
        .unwrap();
    let read = io.read_client_hello().await.unwrap().unwrap();
    assert_eq!(read.message(), &hello[5..]);
    io.pass();
    let mut all = vec![0; hello.len() + 4];
    io.read_exact(&mut all).await.unwrap();
    assert_eq!(all, [&hello[..], b"more"].concat());
    assert!(io.stage.handshake.is_none());
}

#[tokio::test]
async fn a_server_reads_ahead_no_further_than_rustls_would() {
    let (mut near, far) = tokio::io::duplex(1 << 20);
    let mut io = EditedIo::for_server(far);
    let hello = client_hello(&[(16, &vec![5; 60_000])]);
    let octets = hello.chunks(1).flat_map(record);
    near.write_all(&octets.collect::<Vec<_>>()).await.unwrap();
    assert!(io.read_client_hello().await.unwrap().is_none());
    assert_eq!(io.stage.handshake.unwrap().ahead.room(), 0);
}

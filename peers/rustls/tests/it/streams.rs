//! Handshakes and data over streams that behave badly.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::NamedGroup;
use rustls_tlsflags::{ClientAuthPolicy, Flags, TlsFlagsAcceptor, TlsFlagsConnector};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::common::{Pki, provider, server_name, stock, with_group};

/// Moves one byte at a time, and that only at every other attempt.
struct Trickle {
    inner: DuplexStream,
    /// Whose turn it is, for reading, writing, flushing and shutting down.
    ready: [bool; 4],
}

impl Trickle {
    fn new(inner: DuplexStream) -> Self {
        Self {
            inner,
            ready: [false; 4],
        }
    }

    fn poll_turn(&mut self, call: usize, cx: &mut Context<'_>) -> Poll<()> {
        self.ready[call] = !self.ready[call];
        if self.ready[call] {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_turn(0, cx));
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, &mut one))?;
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_turn(1, cx));
        Pin::new(&mut self.inner).poll_write(cx, &buf[..buf.len().min(1)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(cx, first.map_or(&[], |buf| buf))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_turn(2, cx));
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_turn(3, cx));
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn works_one_byte_at_a_time() {
    let pki = Pki::new();
    for (group, fragment) in [
        (NamedGroup::X25519, None),
        (NamedGroup::X25519, Some(32)),
        (NamedGroup::secp384r1, None),
        (NamedGroup::secp384r1, Some(32)),
    ] {
        let base = Arc::new(with_group(group));
        let configs = pki.servers(&base, rustls::ALL_VERSIONS, |config| {
            config.max_fragment_size = fragment;
        });
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
        let provider = provider(&stock(), &Flags::request_mtls());
        let mut config = pki.client(provider, rustls::ALL_VERSIONS, true);
        config.max_fragment_size = fragment;
        let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
        for _ in ["full", "resumed"] {
            let (near, far) = tokio::io::duplex(1 << 16);
            let client = async {
                let connected = connector.connect(server_name(), Trickle::new(near)).await;
                let mut client = connected.unwrap();
                client.write_all(b"request").await.unwrap();
                client.shutdown().await.unwrap();
                let mut answer = Vec::new();
                client.read_to_end(&mut answer).await.unwrap();
                answer
            };
            let server = async {
                let mut server = acceptor.accept(Trickle::new(far)).await.unwrap();
                let mut request = Vec::new();
                server.stream.read_to_end(&mut request).await.unwrap();
                server.stream.write_all(&request).await.unwrap();
                server.stream.shutdown().await.unwrap();
                server.offer.flags
            };
            let (answer, flags) = tokio::join!(client, server);
            assert_eq!(answer, b"request");
            assert_eq!(flags, Some(Flags::request_mtls()));
        }
    }
}

#[tokio::test]
async fn halves_move_much_data_both_ways_at_once() {
    const MUCH: usize = 1 << 20;
    let pki = Pki::new();
    let (connector, acceptor) = (
        pki.flagged(true),
        pki.acceptor(ClientAuthPolicy::RequireOnFlag),
    );
    let (near, far) = tokio::io::duplex(1000);
    let (client, server) =
        tokio::join!(connector.connect(server_name(), near), acceptor.accept(far));
    let transfer = |stream| {
        tokio::spawn(async move {
            let (mut reader, mut writer) = tokio::io::split(stream);
            let writing = tokio::spawn(async move {
                writer.write_all(&vec![5; MUCH]).await.unwrap();
                writer.shutdown().await.unwrap();
            });
            let mut got = Vec::new();
            reader.read_to_end(&mut got).await.unwrap();
            writing.await.unwrap();
            got
        })
    };
    let client = transfer(tokio_rustls::TlsStream::Client(client.unwrap()));
    let server = transfer(tokio_rustls::TlsStream::Server(server.unwrap().stream));
    for got in [client.await.unwrap(), server.await.unwrap()] {
        assert_eq!(got.len(), MUCH);
        assert!(got.iter().all(|byte| *byte == 5));
    }
}

#[tokio::test]
async fn works_over_tcp() {
    let pki = Pki::new();
    let (connector, acceptor) = (
        pki.flagged(true),
        pki.acceptor(ClientAuthPolicy::RequireOnFlag),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut server = acceptor.accept(stream).await.unwrap();
        server.stream.write_all(b"hello").await.unwrap();
        server.stream.shutdown().await.unwrap();
        server.offer.flags
    };
    let client = async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut client = connector.connect(server_name(), stream).await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        got
    };
    let (flags, got) = tokio::join!(server, client);
    assert_eq!(flags, Some(Flags::request_mtls()));
    assert_eq!(got, b"hello");
}

//! Servers that do no good: each costs a bounded time, and an error that says what came and what would be right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqmtls::probe::Plan;
use reqmtls_contract::{Revision, Version};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::servers::{Server, material, plan, probed};

/// The most time that a hostile server may cost: one connection of 500 ms, and room for a slow machine.
const MOST: Duration = Duration::from_secs(20);

fn hurried(server: &Server) -> Plan {
    Plan {
        timeout: Duration::from_millis(500),
        wait: Duration::from_millis(100),
        limit: Duration::from_secs(10),
        ..plan(server.address, material(Revision::Draft02), false)
    }
}

/// What a probe of a server ends with.
async fn refused<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let server = Server::doing(serve).await;
    let start = Instant::now();
    let error = probed(&hurried(&server)).await.map(drop).unwrap_err();
    assert!(start.elapsed() < MOST, "{:?}", start.elapsed());
    let address = server.address.to_string();
    error.to_string().replace(&address, "ADDRESS")
}

/// Reads the ClientHello, as far as it has come.
async fn hello(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    drop(stream.read(&mut buffer).await);
}

/// Writes the same octets until the other end is gone.
async fn endlessly(mut stream: TcpStream, octets: &'static [u8]) {
    hello(&mut stream).await;
    while stream.write_all(octets).await.is_ok() {}
}

const ID: &str = "ADDRESS does not do TLS 1.3: request-mtls/unmodified/absent/*: got ";

#[tokio::test]
async fn one_that_closes_at_once() {
    let error = refused(|stream| async { drop(stream) }).await;
    let expected = "a ServerHello of TLS 1.3";
    let closed = format!("{ID}a closed connection and no octet, expected {expected}");
    // Closed with octets unread, it is reset.
    assert!(
        error == closed || error.starts_with(&format!("{ID}no octet")),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_resets() {
    let error = refused(|stream| async {
        stream.set_zero_linger().unwrap();
        drop(stream);
    })
    .await;
    assert!(
        error.starts_with(ID) && error.contains("expected a ServerHello"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_never_speaks() {
    let error = refused(|mut stream| async move {
        loop {
            hello(&mut stream).await;
        }
    })
    .await;
    assert_eq!(
        error,
        "ADDRESS took the connection, got a ClientHello (request-mtls/unmodified/absent/*) and sent no octet for 0.5 s, expected a ServerHello of TLS 1.3"
    );
}

#[tokio::test]
async fn one_that_sends_garbage() {
    let error = refused(|stream| endlessly(stream, &[0xff; 1024])).await;
    assert!(
        error.starts_with(ID) && error.contains("octets that begin \"\\xff"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_answers_http_in_the_clear() {
    let error = refused(|mut stream| async move {
        hello(&mut stream).await;
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
    })
    .await;
    assert!(
        error.contains("begin \"HTTP/1.1 400 Bad Request\\r\\n"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_sends_empty_records_endlessly() {
    let error = refused(|stream| endlessly(stream, &[0x16, 3, 3, 0, 0])).await;
    assert!(
        error.starts_with(ID) && error.contains("expected a ServerHello"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_sends_alerts_endlessly() {
    // user_canceled at level warning, which ends nothing.
    let error = refused(|stream| endlessly(stream, &[0x15, 3, 3, 0, 2, 1, 90])).await;
    assert!(
        error.starts_with(ID) && error.contains("expected a ServerHello"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_sends_an_octet_now_and_then() {
    let error = refused(|mut stream| async move {
        hello(&mut stream).await;
        for octet in [0x16, 3, 3, 0x3f, 0xff, 2, 0, 0x3f, 0xf0]
            .into_iter()
            .cycle()
        {
            if stream.write_all(&[octet]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    })
    .await;
    assert!(error.contains("(the deadline of 500 ms passed)"), "{error}");
}

#[tokio::test]
async fn one_whose_server_hello_is_huge() {
    static RECORD: &[u8] = &[0x16, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff];
    let error = refused(|stream| endlessly(stream, RECORD)).await;
    assert!(
        error.starts_with(ID) && error.contains("expected a ServerHello"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_has_tls_12_alone() {
    let material = material(Revision::Draft02);
    let server = Server::reference(&material, |setup| setup.versions = vec![Version::Tls12]).await;
    let error = probed(&hurried(&server)).await.map(drop).unwrap_err();
    let expected = "request-mtls/unmodified/absent/*: got a ServerHello of TLS 1.2, expected a ServerHello of TLS 1.3";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn one_that_is_not_there() {
    let server = Server::doing(|_| async {}).await;
    let plan = hurried(&server);
    drop(server);
    let error = loop {
        // The listener goes when its task does.
        match probed(&plan).await {
            Err(error) if error.to_string().contains("refused") => break error,
            _ => tokio::task::yield_now().await,
        }
    };
    assert!(
        error.to_string().starts_with("cannot connect to "),
        "{error}"
    );
}

/// A server that does TLS, and then this.
async fn after_handshake<F>(
    tickets: usize,
    serve: impl Fn(tokio_rustls::server::TlsStream<TcpStream>) -> F + Clone + Send + Sync + 'static,
) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    let identity = material(Revision::Draft02).certificates.p256.server;
    let chain = CertificateDer::pem_slice_iter(identity.certificates.as_bytes());
    let chain = chain.collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.private_key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.send_tls13_tickets = tickets;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::doing(move |stream| {
        let (acceptor, serve) = (acceptor.clone(), serve.clone());
        async move {
            if let Ok(tls) = acceptor.accept(stream).await {
                serve(tls).await;
            }
        }
    })
    .await
}

/// Probes a server that lets every handshake pass: the verdict stands, within the limit.
async fn passed(server: &Server) {
    let start = Instant::now();
    let (probed, judged) = probed(&hurried(server)).await.unwrap();
    assert!(start.elapsed() < MOST, "{:?}", start.elapsed());
    let asks = judged.verdict.asks.map(|it| it.to_string());
    assert_eq!(asks.as_deref(), Some("nobody"));
    for connected in probed.played.iter().flat_map(|it| &it.connections) {
        let octets = connected
            .recording
            .bytes(reqmtls_contract::Side::Server)
            .len();
        assert!(octets <= 256 << 10, "{octets}");
    }
}

#[tokio::test]
async fn one_that_sends_data_endlessly() {
    let server = after_handshake(0, |mut tls| async move {
        while tls.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    passed(&server).await;
}

#[tokio::test]
async fn one_that_floods_with_tickets() {
    let server = after_handshake(5000, |mut tls| async move {
        let mut buffer = [0; 4096];
        while tls.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
    })
    .await;
    passed(&server).await;
}

#[tokio::test]
async fn one_that_stops_answering() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let material = material(Revision::Draft02);
    let healthy = Server::reference(&material, |_| {}).await;
    let address = healthy.address;
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::doing(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            if count.fetch_add(1, Ordering::SeqCst) < 5 {
                let mut inner = TcpStream::connect(address).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut stream, &mut inner).await);
            }
        }
    })
    .await;
    let (probed, judged) = probed(&plan(server.address, material, false))
        .await
        .unwrap();
    let stopped = probed.stopped.unwrap();
    assert!(
        stopped.starts_with("to 3 connections in sequence the server sent nothing"),
        "{stopped}"
    );
    assert!(judged.verdict.asks.is_some());
}

//! Both ends over blocking streams.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::version::TLS13;
use rustls::{AlertDescription, HandshakeKind, NamedGroup};
use rustls_tlsflags::blocking::{Accepted, ClientStream};
use rustls_tlsflags::seam::{Edits, Message, client_provider};
use rustls_tlsflags::{
    AcceptError, ClientAuth, ClientAuthPolicy, Flags, FlagsError, REQUEST_MTLS, TlsFlagsAcceptor,
    TlsFlagsConnector,
};

use crate::common::{Pki, provider, server_name, stock, with_group};

/// Longer than any call takes that succeeds.
const DEADLINE: Duration = Duration::from_secs(20);

/// A pair of connected sockets.
fn sockets() -> [TcpStream; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap().0;
    for socket in [&near, &far] {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
    }
    [near, far]
}

type Outcome<IO> = (
    io::Result<ClientStream<IO>>,
    Result<Accepted<IO>, AcceptError>,
);

fn handshake<IO: Read + Write + Send>(
    connector: &TlsFlagsConnector,
    acceptor: &TlsFlagsAcceptor,
    [near, far]: [IO; 2],
) -> Outcome<IO> {
    thread::scope(|scope| {
        let server = scope.spawn(|| acceptor.accept_blocking(far));
        let client = connector.connect_blocking(server_name(), near);
        (client, server.join().unwrap())
    })
}

/// A handshake that succeeds at both ends, and data both ways, until both have closed.
fn exchanged<IO: Read + Write + Send>(
    connector: &TlsFlagsConnector,
    acceptor: &TlsFlagsAcceptor,
    ends: [IO; 2],
) -> (ClientStream<IO>, Accepted<IO>) {
    let (client, server) = handshake(connector, acceptor, ends);
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let sent = vec![7; 50_000];
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut got = Vec::new();
            server.stream.read_to_end(&mut got).unwrap();
            server.stream.write_all(&got).unwrap();
            server.stream.conn.send_close_notify();
            server.stream.flush().unwrap();
        });
        client.write_all(&sent).unwrap();
        client.conn.send_close_notify();
        client.flush().unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        assert!(got == sent);
    });
    (client, server)
}

#[test]
fn authenticates_and_resumes_by_the_flag() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
    let connector = pki.flagged(true);
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let (client, server) = exchanged(&connector, &acceptor, sockets());
        assert_eq!(client.conn.handshake_kind(), Some(kind));
        let info = server.client_info();
        assert!(info.sets(REQUEST_MTLS));
        assert_eq!(info.offer(), &server.offer);
        assert_eq!(info.client_auth(), ClientAuth::Required);
        let certificates = server.stream.conn.peer_certificates().unwrap();
        assert_eq!(info.certificates(), certificates);
        assert!(info.is_authenticated());
    }
}

#[test]
fn a_client_without_the_flag_is_not_asked() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
    let connector = pki.connector(&Flags::new(), true);
    let (_, server) = exchanged(&connector, &acceptor, sockets());
    let info = server.client_info();
    assert!(!info.sets(REQUEST_MTLS));
    assert!(!info.is_authenticated());
    assert_eq!(info.certificate(), None);
}

/// Moves one octet at a time, and is interrupted before each that it reads.
struct Trickle {
    inner: TcpStream,
    interrupted: bool,
}

impl Read for Trickle {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let most = buf.len().min(1);
        self.inner.read(&mut buf[..most])
    }
}

impl Write for Trickle {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write(&buf[..buf.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[test]
fn works_one_octet_at_a_time_with_and_without_a_retry() {
    let pki = Pki::new();
    for group in [NamedGroup::X25519, NamedGroup::secp384r1] {
        let configs = pki.servers(&Arc::new(with_group(group)), rustls::ALL_VERSIONS, |_| ());
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
        let ends = sockets().map(|inner| Trickle {
            inner,
            interrupted: false,
        });
        let (client, server) = exchanged(&pki.flagged(true), &acceptor, ends);
        let group = client.conn.negotiated_key_exchange_group().unwrap().name();
        let retried = server.stream.conn.handshake_kind() != Some(HandshakeKind::Full);
        assert_eq!(retried, group == NamedGroup::secp384r1);
        assert!(server.client_info().is_authenticated());
    }
}

#[test]
fn early_data_is_accepted() {
    let pki = Pki::new();
    let configs = pki.servers(&Arc::new(stock()), &[&TLS13], |config| {
        config.max_early_data_size = 1000;
    });
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
    let provider = provider(&stock(), &Flags::request_mtls());
    let mut config = pki.client(provider, &[&TLS13], true);
    config.enable_early_data = true;
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    exchanged(&connector, &acceptor, sockets());

    let [near, far] = sockets();
    let mut client = connector.stream_blocking(server_name(), near).unwrap();
    client
        .conn
        .early_data()
        .unwrap()
        .write_all(b"early")
        .unwrap();
    let mut server = thread::scope(|scope| {
        let server = scope.spawn(|| acceptor.accept_blocking(far));
        client.flush().unwrap();
        while client.conn.is_handshaking() {
            client.conn.complete_io(&mut client.sock).unwrap();
        }
        server.join().unwrap().unwrap()
    });
    assert!(client.conn.is_early_data_accepted());
    let mut early = Vec::new();
    let mut received = server.stream.conn.early_data().unwrap();
    received.read_to_end(&mut early).unwrap();
    assert_eq!(early, b"early");
    assert!(server.client_info().is_authenticated());
}

#[test]
fn malformed_flags_are_refused_by_an_alert() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequestOnFlag);
    let edits = Edits::new().insert(Message::ClientHello, 62, [2, 1, 0]);
    let provider = client_provider(&stock(), &edits).unwrap();
    let config = pki.client(provider, rustls::ALL_VERSIONS, true);
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    let (client, server) = handshake(&connector, &acceptor, sockets());
    let error = FlagsError::TrailingZeroOctet { octets: 2 };
    match server.unwrap_err() {
        AcceptError::Flags(got) => assert_eq!(got, error),
        other => panic!("{other:?}"),
    }
    let alert = rustls::Error::AlertReceived(AlertDescription::IllegalParameter);
    let got = client.unwrap_err().downcast::<rustls::Error>();
    assert_eq!(got.unwrap(), alert);
}

#[test]
fn a_client_without_a_certificate_is_refused_and_its_stream_comes_back() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
    let connector = pki.flagged(false);
    let [near, far] = sockets();
    thread::scope(|scope| {
        let server = scope.spawn(|| acceptor.accept_fallible_blocking(far));
        let mut client = connector.connect_blocking(server_name(), near).unwrap();
        let error = client.read(&mut [0]).unwrap_err();
        let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        assert_eq!(error.downcast::<rustls::Error>().unwrap(), alert);
        drop(client);
        let mut failed = server.join().unwrap().err().unwrap();
        assert!(
            matches!(failed.error, AcceptError::Tls(_)),
            "{:?}",
            failed.error
        );
        assert_eq!(failed.extension_data, Flags::request_mtls().encode());
        failed.io.read_to_end(&mut Vec::new()).unwrap();
    });
}

#[test]
fn a_silent_client_costs_the_timeout_of_the_stream() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    for begun in [&[][..], &[22, 3, 1, 0]] {
        let [mut near, far] = sockets();
        near.write_all(begun).unwrap();
        far.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        match acceptor.accept_blocking(far).err().unwrap() {
            AcceptError::Io(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_stream_that_ends_early_is_an_io_error() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let [near, far] = sockets();
    drop(near);
    let error = acceptor.accept_blocking(far).err().unwrap();
    assert!(matches!(error, AcceptError::Io(_)), "{error:?}");
}

//! Connections of stock rustls in the forms that no scenario has, or not yet.

use std::fmt::{Debug, Formatter};
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqmtls_observer::{KeyLog, Recording, Side};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

use super::Connection;

/// The two ends, whose sessions go on from one connection to the next.
struct Ends {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    log: Arc<Collector>,
}

/// What a connection does besides a request and an answer.
#[derive(Clone, Copy, Default)]
struct Plan {
    early_data: bool,
    /// Whether the server rejects the early data.
    rejected: bool,
    key_update: bool,
}

/// One connection of each form, the name telling which.
pub(crate) fn connections() -> Vec<Connection> {
    let mut connections: Vec<Connection> = Vec::new();
    let mut add = |name: &str, ends: &Ends, plan: Plan, shown: &str| {
        let connection = ends.connect(name, plan);
        assert_eq!(connection.transcript.defects, [], "{name}");
        let text = connection.transcript.text(80);
        assert!(text.contains(shown), "{name} shows no {shown:?}:\n{text}");
        connections.push(connection);
    };
    let plain = Plan::default();

    let ends = Ends::new(&TLS12, None);
    add("TLS 1.2", &ends, plain, "S  CertificateRequest\n");
    add(
        "TLS 1.2 resumed",
        &ends,
        plain,
        "S  ServerHello\nC  [Finished]\n",
    );
    let ends = Ends::new(&TLS12, Some(64));
    add(
        "TLS 1.2 in small records",
        &ends,
        plain,
        "C  CertificateVerify\n",
    );

    let mut ends = Ends::new(&TLS13, None);
    add("TLS 1.3", &ends, plain, "S  {CertificateRequest}\n");
    let resumed = "S  {EncryptedExtensions}\nS  {Finished}\n";
    add("TLS 1.3 resumed", &ends, plain, resumed);
    let key_update = Plan {
        key_update: true,
        ..plain
    };
    add(
        "TLS 1.3 with updates of keys",
        &ends,
        key_update,
        "[KeyUpdate]\n",
    );
    Arc::make_mut(&mut ends.client).enable_early_data = true;
    let early_data = Plan {
        early_data: true,
        ..plain
    };
    add(
        "TLS 1.3 with early data",
        &ends,
        early_data,
        "C  (EndOfEarlyData)\n",
    );
    let ends = Ends::new(&TLS13, Some(64));
    add(
        "TLS 1.3 in small records",
        &ends,
        plain,
        "C  {CertificateVerify}\n",
    );
    connections
}

impl Ends {
    fn new(version: &'static SupportedProtocolVersion, max_fragment_size: Option<usize>) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let roots = Arc::new(roots);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let chain = vec![params.signed_by(&key, &authority).unwrap().der().clone()];
        let key = PrivateKeyDer::from(key);

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let log = Arc::new(Collector::default());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain.clone(), key.clone_key())
            .unwrap();
        server.max_early_data_size = 1000;
        server.max_fragment_size = max_fragment_size;
        server.key_log = log.clone();
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        client.max_fragment_size = max_fragment_size;
        client.key_log = log.clone();
        Self {
            client: Arc::new(client),
            server: Arc::new(server),
            log,
        }
    }

    fn connect(&self, name: &str, plan: Plan) -> Connection {
        let server_name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(self.client.clone(), server_name).unwrap();
        let mut server = ServerConnection::new(self.server.clone()).unwrap();
        let mut recording = Recording::new();
        if plan.early_data {
            client.early_data().unwrap().write_all(b"early").unwrap();
        }
        pump(&mut client, &mut server, &mut recording);
        let accepted = plan.early_data && !plan.rejected;
        assert_eq!(client.is_early_data_accepted(), accepted, "{name}");
        if plan.key_update {
            client.refresh_traffic_keys().unwrap();
            server.refresh_traffic_keys().unwrap();
        }
        client.writer().write_all(b"request").unwrap();
        pump(&mut client, &mut server, &mut recording);
        let mut request = [0; 7];
        server.reader().read_exact(&mut request).unwrap();
        server.writer().write_all(b"answer").unwrap();
        client.send_close_notify();
        server.send_close_notify();
        pump(&mut client, &mut server, &mut recording);
        let at = Duration::from_millis(recording.events().len() as u64);
        recording.half_close(at, Side::Client);
        recording.half_close(at, Side::Server);
        Connection::new(name.to_owned(), recording, self.log.take())
    }
}

/// Passes on until neither end has more to say.
fn pump(client: &mut ClientConnection, server: &mut ServerConnection, recording: &mut Recording) {
    loop {
        let mut from_client = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut from_client).unwrap();
        }
        let mut from_server = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut from_server).unwrap();
        }
        if from_client.is_empty() && from_server.is_empty() {
            return;
        }
        for (side, bytes) in [(Side::Client, &from_client), (Side::Server, &from_server)] {
            let at = Duration::from_millis(recording.events().len() as u64);
            recording.data(at, side, &bytes[..]);
        }
        let mut rest = &from_client[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut rest = &from_server[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
}

/// Collects key log lines.
#[derive(Default)]
struct Collector(Mutex<Vec<String>>);

impl Collector {
    /// The secrets since the last call.
    fn take(&self) -> KeyLog {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        KeyLog::parse(&lines.join("\n")).unwrap()
    }
}

impl Debug for Collector {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("Collector")
    }
}

impl rustls::KeyLog for Collector {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (hex::encode(client_random), hex::encode(secret));
        self.0
            .lock()
            .unwrap()
            .push(format!("{label} {random} {secret}"));
    }
}

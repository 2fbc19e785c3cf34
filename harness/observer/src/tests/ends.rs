//! Connections between two rustls ends in memory.

use std::fmt::{Debug, Formatter};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::compress::{
    CertCompressor, CertDecompressor, CompressionFailed, CompressionLevel, DecompressionFailed,
};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateCompressionAlgorithm, ClientConfig, ClientConnection, RootCertStore, ServerConfig,
    ServerConnection, SupportedCipherSuite, SupportedProtocolVersion,
};

use crate::{CipherSuite, KeyLog, Recording, Side};

/// Whether the server asks for a client certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    Never,
    Optional,
    Required,
}

/// What is to be connected.
pub(super) struct Setup {
    pub(super) suite: CipherSuite,
    pub(super) version: &'static SupportedProtocolVersion,
    pub(super) client_groups: Vec<&'static dyn SupportedKxGroup>,
    pub(super) server_groups: Vec<&'static dyn SupportedKxGroup>,
    pub(super) auth: ClientAuth,
    pub(super) client_has_certificate: bool,
    pub(super) client_trusts_server: bool,
    pub(super) early_data: bool,
    /// How both ends compress their certificates, if they do.
    pub(super) compression: Option<&'static Zlib>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
            version: &rustls::version::TLS13,
            client_groups: vec![aws_lc_rs::kx_group::X25519],
            server_groups: vec![aws_lc_rs::kx_group::X25519],
            auth: ClientAuth::Never,
            client_has_certificate: false,
            client_trusts_server: true,
            early_data: false,
            compression: None,
        }
    }
}

/// Two ends that can be connected any number of times.
pub(super) struct Ends {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    client_log: Arc<Collector>,
    server_log: Arc<Collector>,
}

impl Ends {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut trusting = RootCertStore::empty();
        trusting.add(ca.der().clone()).unwrap();
        let trusting = Arc::new(trusting);

        let (client_log, server_log) = <(Arc<Collector>, Arc<Collector>)>::default();
        let provider = provider(setup.suite, &setup.server_groups);
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[setup.version])
            .unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(
            trusting.clone(),
            Arc::new(aws_lc_rs::default_provider()),
        );
        let builder = match setup.auth {
            ClientAuth::Never => builder.with_no_client_auth(),
            ClientAuth::Optional => {
                builder.with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
            }
            ClientAuth::Required => builder.with_client_cert_verifier(verifier.build().unwrap()),
        };
        let (chain, key) = leaf(&ca);
        let mut server = builder.with_single_cert(chain, key).unwrap();
        server.key_log = server_log.clone();
        server.max_early_data_size = if setup.early_data { 1000 } else { 0 };
        if let Some(compression) = setup.compression {
            server.cert_compressors = vec![compression];
            server.cert_decompressors = vec![compression];
        }

        let provider = self::provider(setup.suite, &setup.client_groups);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[setup.version])
            .unwrap();
        let builder = if setup.client_trusts_server {
            builder.with_root_certificates(trusting)
        } else {
            builder.with_root_certificates(RootCertStore::empty())
        };
        let mut client = if setup.client_has_certificate {
            let (chain, key) = leaf(&ca);
            builder.with_client_auth_cert(chain, key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        client.key_log = client_log.clone();
        client.enable_early_data = setup.early_data;
        if let Some(compression) = setup.compression {
            client.cert_compressors = vec![compression];
            client.cert_decompressors = vec![compression];
        }
        Self {
            client: Arc::new(client),
            server: Arc::new(server),
            client_log,
            server_log,
        }
    }

    /// The same ends, except that the server no longer accepts early data.
    pub(super) fn refuse_early_data(&mut self) {
        Arc::make_mut(&mut self.server).max_early_data_size = 0;
    }

    /// Connects the ends, exchanges a request and an answer, and closes.
    pub(super) fn connect(&self) -> Recording {
        let mut connection = self.start();
        connection.exchange();
        connection.finish()
    }

    /// Connects the ends and leaves the connection open.
    pub(super) fn start(&self) -> Connection {
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = Connection {
            client: ClientConnection::new(self.client.clone(), name).unwrap(),
            server: ServerConnection::new(self.server.clone()).unwrap(),
            recording: Recording::new(),
            alive: true,
        };
        if let Some(mut early) = connection.client.early_data() {
            early.write_all(b"early").unwrap();
        }
        connection.pump();
        connection
    }

    /// What both ends logged.
    pub(super) fn log(&self) -> KeyLog {
        let mut log = self.client_log.log();
        log.merge(self.server_log.log());
        log
    }

    /// What each end logged, the client first.
    pub(super) fn logs(&self) -> [KeyLog; 2] {
        [self.client_log.log(), self.server_log.log()]
    }
}

/// A connection under way.
pub(super) struct Connection {
    pub(super) client: ClientConnection,
    pub(super) server: ServerConnection,
    recording: Recording,
    alive: bool,
}

impl Connection {
    /// Relays until neither end has anything more to send.
    pub(super) fn pump(&mut self) {
        loop {
            let from_client = sent(|out| self.client.write_tls(out));
            let from_server = sent(|out| self.server.write_tls(out));
            if from_client.is_empty() && from_server.is_empty() {
                break;
            }
            self.record(Side::Client, &from_client);
            self.record(Side::Server, &from_server);
            self.alive &= received(&from_client, |bytes| {
                self.server.read_tls(bytes).unwrap();
                self.server.process_new_packets().is_ok()
            });
            self.alive &= received(&from_server, |bytes| {
                self.client.read_tls(bytes).unwrap();
                self.client.process_new_packets().is_ok()
            });
        }
    }

    fn record(&mut self, from: Side, bytes: &[u8]) {
        let at = Duration::from_millis(self.recording.events().len() as u64);
        self.recording.data(at, from, bytes);
    }

    /// A request and an answer, if the handshake stands.
    pub(super) fn exchange(&mut self) {
        if !self.alive {
            return;
        }
        self.client.writer().write_all(b"request").unwrap();
        self.pump();
        let mut request = [0; 7];
        self.server.reader().read_exact(&mut request).unwrap();
        self.server.writer().write_all(b"answer").unwrap();
        self.pump();
    }

    /// Closes in order.
    pub(super) fn finish(mut self) -> Recording {
        if self.alive {
            self.client.send_close_notify();
            self.server.send_close_notify();
            self.pump();
        }
        let at = Duration::from_millis(self.recording.events().len() as u64);
        self.recording.half_close(at, Side::Client);
        self.recording.half_close(at, Side::Server);
        self.recording
    }
}

fn sent(mut write: impl FnMut(&mut Vec<u8>) -> std::io::Result<usize>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while write(&mut bytes).unwrap() > 0 {}
    bytes
}

fn received(mut bytes: &[u8], mut read: impl FnMut(&mut &[u8]) -> bool) -> bool {
    let mut alive = true;
    while !bytes.is_empty() && alive {
        alive = read(&mut bytes);
    }
    alive
}

fn provider(suite: CipherSuite, groups: &[&'static dyn SupportedKxGroup]) -> Arc<CryptoProvider> {
    let chosen = |s: &SupportedCipherSuite| u16::from(s.suite()) == suite.0;
    Arc::new(CryptoProvider {
        cipher_suites: aws_lc_rs::ALL_CIPHER_SUITES
            .iter()
            .copied()
            .filter(chosen)
            .collect(),
        kx_groups: groups.to_vec(),
        ..aws_lc_rs::default_provider()
    })
}

fn leaf(
    ca: &CertifiedIssuer<'_, KeyPair>,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    (vec![certificate.der().clone()], key.into())
}

/// Collects key log lines.
#[derive(Default)]
struct Collector(Mutex<Vec<String>>);

impl Collector {
    fn log(&self) -> KeyLog {
        KeyLog::parse(&self.0.lock().unwrap().join("\n")).unwrap()
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

/// Compression by zlib, without the feature of rustls that would offer it in every crate of the workspace.
#[derive(Debug)]
pub(super) struct Zlib;

impl CertCompressor for Zlib {
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        let mut encoder = ZlibEncoder::new(&input[..], Compression::best());
        let mut output = Vec::new();
        encoder.read_to_end(&mut output).unwrap();
        Ok(output)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}

impl CertDecompressor for Zlib {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        ZlibDecoder::new(input).read_exact(output).unwrap();
        Ok(())
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}

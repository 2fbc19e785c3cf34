//! Certificates, configurations and streams that the tests share.
#![expect(dead_code, reason = "each test file uses a part of this")]

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_tlsflags::seam::EditedIo;
use rustls_tlsflags::{
    AcceptError, Accepted, ClientAuthPolicy, Flags, ServerConfigs, TlsFlagsAcceptor,
    TlsFlagsConnector, provider,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_rustls::client::TlsStream;

pub type Versions<'a> = &'a [&'static SupportedProtocolVersion];

/// One authority, and a certificate of it for each end.
pub struct Pki {
    pub roots: Arc<RootCertStore>,
    server: Identity,
    client: Identity,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let identity = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            (vec![certificate.der().clone()], key)
        };
        Self {
            server: identity("server.test"),
            client: identity("client.test"),
            roots: Arc::new(roots),
        }
    }

    /// A client of this provider, with or without a certificate.
    pub fn client(
        &self,
        provider: Arc<CryptoProvider>,
        versions: Versions<'_>,
        certificate: bool,
    ) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(Arc::clone(&self.roots));
        match certificate {
            true => {
                let (chain, key) = &self.client;
                builder
                    .with_client_auth_cert(chain.clone(), key.clone_key())
                    .unwrap()
            }
            false => builder.with_no_client_auth(),
        }
    }

    /// All three server configurations of this provider.
    pub fn servers(
        &self,
        provider: Arc<CryptoProvider>,
        versions: Versions<'_>,
        set: impl Fn(&mut ServerConfig),
    ) -> ServerConfigs {
        let build = |verifier| {
            let (chain, key) = &self.server;
            let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(versions)
                .unwrap()
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain.clone(), key.clone_key())
                .unwrap();
            set(&mut config);
            config
        };
        let verifier = || {
            WebPkiClientVerifier::builder_with_provider(
                Arc::clone(&self.roots),
                Arc::new(aws_lc_rs::default_provider()),
            )
        };
        ServerConfigs::new()
            .none(build(WebPkiClientVerifier::no_client_auth()))
            .optional(build(verifier().allow_unauthenticated().build().unwrap()))
            .required(build(verifier().build().unwrap()))
    }

    /// A client that sets the request mTLS flag under all versions.
    pub fn flagged(&self, certificate: bool) -> TlsFlagsConnector {
        self.connector(&Flags::request_mtls(), certificate)
    }

    pub fn connector(&self, flags: &Flags, certificate: bool) -> TlsFlagsConnector {
        let provider = provider(&stock(), flags);
        let config = self.client(provider, rustls::ALL_VERSIONS, certificate);
        TlsFlagsConnector::new(Arc::new(config)).unwrap()
    }

    pub fn acceptor(&self, policy: ClientAuthPolicy) -> TlsFlagsAcceptor {
        self.acceptor_with(policy, rustls::ALL_VERSIONS)
    }

    pub fn acceptor_with(
        &self,
        policy: ClientAuthPolicy,
        versions: Versions<'_>,
    ) -> TlsFlagsAcceptor {
        let configs = self.servers(Arc::new(stock()), versions, |_| ());
        TlsFlagsAcceptor::new(configs, policy).unwrap()
    }
}

pub fn stock() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

pub fn server_name() -> ServerName<'static> {
    ServerName::try_from("server.test").unwrap()
}

pub type Client = TlsStream<EditedIo<DuplexStream>>;
pub type Server = Accepted<DuplexStream>;

/// A handshake over a stream in memory; each end drops its stream if it fails.
pub async fn handshake(
    connector: &TlsFlagsConnector,
    acceptor: &TlsFlagsAcceptor,
) -> (std::io::Result<Client>, Result<Server, AcceptError>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::join!(connector.connect(server_name(), near), acceptor.accept(far))
}

/// A handshake that succeeds at both ends, and data both ways.
pub async fn connected(
    connector: &TlsFlagsConnector,
    acceptor: &TlsFlagsAcceptor,
) -> (Client, Server) {
    let (client, server) = handshake(connector, acceptor).await;
    let (mut client, mut server) = (client.expect("client"), server.expect("server"));
    ping(&mut client, &mut server.stream).await;
    ping(&mut server.stream, &mut client).await;
    (client, server)
}

/// Sends a few bytes, and sees them arrive.
pub async fn ping(from: &mut (impl AsyncWrite + Unpin), to: &mut (impl AsyncRead + Unpin)) {
    let mut got = [0; 4];
    let (sent, read) = tokio::join!(
        async {
            from.write_all(b"ping").await?;
            from.flush().await
        },
        to.read_exact(&mut got)
    );
    sent.unwrap();
    read.unwrap();
    assert_eq!(&got, b"ping");
}

/// An orderly close at both ends.
pub async fn close(mut client: Client, mut server: Server) {
    let mut rest = Vec::new();
    client.shutdown().await.unwrap();
    server.stream.read_to_end(&mut rest).await.unwrap();
    server.stream.shutdown().await.unwrap();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}

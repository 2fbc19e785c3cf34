//! Certificates, configurations and streams that the tests share.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SignatureAlgorithm,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{
    AlertDescription, ClientConfig, NamedGroup, RootCertStore, ServerConfig,
    SupportedProtocolVersion,
};
use rustls_tlsflags::seam::{Edits, Message, client_provider};
use rustls_tlsflags::{
    AcceptError, Accepted, ClientAuthPolicy, ConnectorBuilder, EditedIo, Flags, ServerConfigs,
    TLS_FLAGS, TlsFlagsAcceptor, TlsFlagsConnector,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_rustls::client::TlsStream;

pub(crate) type Versions<'a> = &'a [&'static SupportedProtocolVersion];

/// One authority, and a certificate of it for each end.
pub(crate) struct Pki {
    roots: Arc<RootCertStore>,
    server: Identity,
    client: Identity,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Pki {
    pub(crate) fn new() -> Self {
        Self::of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// The same with keys of another algorithm.
    pub(crate) fn of(algorithm: &'static SignatureAlgorithm) -> Self {
        Self::make(algorithm, 0)
    }

    /// The same with a server certificate for so many names of 30 octets more.
    pub(crate) fn with_server_names(more: usize) -> Self {
        Self::make(&rcgen::PKCS_ECDSA_P256_SHA256, more)
    }

    fn make(algorithm: &'static SignatureAlgorithm, more: usize) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        let key = KeyPair::generate_for(algorithm).unwrap();
        // Authorities are distinguished by name, and each test may have several.
        let name = format!("{:?}", &key.public_key_raw()[..16]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let identity = |name: &str, more: usize| {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let more = (0..more).map(|number| format!("{number:023}.{name}"));
            let names: Vec<_> = more.chain([name.to_owned()]).collect();
            let params = CertificateParams::new(names).unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            (vec![certificate.der().clone()], key)
        };
        Self {
            server: identity("server.test", more),
            client: identity("client.test", 0),
            roots: Arc::new(roots),
        }
    }

    pub(crate) fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    /// A client of this provider, with or without a certificate.
    pub(crate) fn client(
        &self,
        provider: Arc<CryptoProvider>,
        versions: Versions<'_>,
        certificate: bool,
    ) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(Arc::clone(&self.roots));
        if certificate {
            let (chain, key) = &self.client;
            builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .unwrap()
        } else {
            builder.with_no_client_auth()
        }
    }

    /// All three server configurations of this provider.
    pub(crate) fn servers(
        &self,
        provider: &Arc<CryptoProvider>,
        versions: Versions<'_>,
        set: impl Fn(&mut ServerConfig),
    ) -> ServerConfigs {
        let build = |verifier| {
            let mut config = self.server(Arc::clone(provider), versions, verifier);
            set(&mut config);
            config
        };
        let verifier = || {
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::new(stock()))
        };
        ServerConfigs::new()
            .none(build(WebPkiClientVerifier::no_client_auth()))
            .optional(build(verifier().allow_unauthenticated().build().unwrap()))
            .required(build(verifier().build().unwrap()))
    }

    pub(crate) fn server(
        &self,
        provider: Arc<CryptoProvider>,
        versions: Versions<'_>,
        verifier: Arc<dyn ClientCertVerifier>,
    ) -> ServerConfig {
        let (chain, key) = &self.server;
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .unwrap()
    }

    fn unauthenticated(&self) -> ServerConfig {
        let verifier = WebPkiClientVerifier::no_client_auth();
        self.server(Arc::new(stock()), rustls::ALL_VERSIONS, verifier)
    }

    /// A configuration for [`rustls_tlsflags::ClientAuth::None`] alone.
    pub(crate) fn only_none(&self) -> ServerConfigs {
        ServerConfigs::new().none(self.unauthenticated())
    }

    /// A configuration that asks nobody, passed off as one that requires.
    pub(crate) fn none_as_required(&self) -> ServerConfigs {
        ServerConfigs::new().required(self.unauthenticated())
    }

    /// A client of this authority's trust, with a certificate of another.
    pub(crate) fn flagged_as(&self, other: &Self) -> TlsFlagsConnector {
        let (chain, key) = &other.client;
        let config =
            ClientConfig::builder_with_provider(provider(&stock(), &Flags::request_mtls()))
                .with_protocol_versions(rustls::ALL_VERSIONS)
                .unwrap()
                .with_root_certificates(Arc::clone(&self.roots))
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .unwrap();
        TlsFlagsConnector::from_config(Arc::new(config)).unwrap()
    }

    /// A client that sets the request mTLS flag under all versions.
    pub(crate) fn flagged(&self, certificate: bool) -> TlsFlagsConnector {
        self.connector(&Flags::request_mtls(), certificate)
    }

    pub(crate) fn connector(&self, flags: &Flags, certificate: bool) -> TlsFlagsConnector {
        self.build(TlsFlagsConnector::builder(flags.clone()), certificate)
    }

    pub(crate) fn build(&self, builder: ConnectorBuilder, certificate: bool) -> TlsFlagsConnector {
        let connector = builder.build(&stock(), |builder| {
            let builder = builder
                .with_safe_default_protocol_versions()?
                .with_root_certificates(Arc::clone(&self.roots));
            if certificate {
                let (chain, key) = &self.client;
                builder.with_client_auth_cert(chain.clone(), key.clone_key())
            } else {
                Ok(builder.with_no_client_auth())
            }
        });
        connector.unwrap()
    }

    pub(crate) fn acceptor(&self, policy: ClientAuthPolicy) -> TlsFlagsAcceptor {
        self.acceptor_with(policy, rustls::ALL_VERSIONS)
    }

    pub(crate) fn acceptor_with(
        &self,
        policy: ClientAuthPolicy,
        versions: Versions<'_>,
    ) -> TlsFlagsAcceptor {
        let configs = self.servers(&Arc::new(stock()), versions, |_| ());
        TlsFlagsAcceptor::new(configs, policy).unwrap()
    }
}

pub(crate) fn stock() -> CryptoProvider {
    crate::backend::default_provider()
}

/// A client's provider that sets these flags.
pub(crate) fn provider(base: &CryptoProvider, flags: &Flags) -> Arc<CryptoProvider> {
    let edits = match flags.encode() {
        Some(data) => Edits::new().insert(Message::ClientHello, TLS_FLAGS, data),
        None => Edits::new(),
    };
    client_provider(base, &edits).unwrap()
}

pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from("server.test").unwrap()
}

pub(crate) type Client = TlsStream<EditedIo<DuplexStream>>;
pub(crate) type Server = Accepted<DuplexStream>;

/// `base` with this group alone.
pub(crate) fn with_group(group: NamedGroup) -> CryptoProvider {
    let mut provider = stock();
    provider.kx_groups.retain(|known| known.name() == group);
    assert_eq!(provider.kx_groups.len(), 1, "{group:?}");
    provider
}

/// The alert that ended a client's handshake.
pub(crate) fn alert_received(outcome: std::io::Result<Client>) -> AlertDescription {
    let error = outcome.expect_err("the client's handshake succeeded");
    match error.downcast::<rustls::Error>() {
        Ok(rustls::Error::AlertReceived(alert)) => alert,
        other => panic!("expected an alert, got {other:?}"),
    }
}

/// A handshake over a stream in memory; each end drops its stream if it fails.
pub(crate) async fn handshake(
    connector: &TlsFlagsConnector,
    acceptor: &TlsFlagsAcceptor,
) -> (std::io::Result<Client>, Result<Server, AcceptError>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::join!(connector.connect(server_name(), near), acceptor.accept(far))
}

/// A handshake that succeeds at both ends, and data both ways.
pub(crate) async fn connected(
    connector: &TlsFlagsConnector,
    acceptor: &TlsFlagsAcceptor,
) -> (Client, Server) {
    let (client, server) = Box::pin(handshake(connector, acceptor)).await;
    let (mut client, mut server) = (client.expect("client"), server.expect("server"));
    ping(&mut client, &mut server.stream).await;
    ping(&mut server.stream, &mut client).await;
    (client, server)
}

/// Sends a few bytes, and sees them arrive.
pub(crate) async fn ping(from: &mut (impl AsyncWrite + Unpin), to: &mut (impl AsyncRead + Unpin)) {
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
pub(crate) async fn close(mut client: Client, mut server: Server) {
    let mut rest = Vec::new();
    client.shutdown().await.unwrap();
    server.stream.read_to_end(&mut rest).await.unwrap();
    server.stream.shutdown().await.unwrap();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}

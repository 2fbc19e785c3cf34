//! Two ends that speak TLS, and a wire between them that may misbehave.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ConfigBuilder, NamedGroup, RootCertStore, ServerConfig, SupportedProtocolVersion,
    WantsVersions,
};
use rustls_tlsflags::{
    ClientAuthPolicy, Flags, ServerConfigs, TlsFlagsAcceptor, TlsFlagsConnector,
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::pipe::{Pipe, Random, Task};
use crate::talk::{Talk, client_talks, server_talks};

/// Who an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Unmodified,
    Ours,
}

/// What the two ends are set up for.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) version: &'static SupportedProtocolVersion,
    /// The client's only key share is for x25519.
    pub(crate) group: NamedGroup,
    pub(crate) asks: bool,
    pub(crate) has_certificate: bool,
    /// Octets of early data that the server accepts.
    pub(crate) max_early_data: u32,
}

/// What the wire does besides passing octets on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire {
    /// Both ends' streams are cut by this seed.
    pub(crate) cuts: Option<u64>,
    /// The client's plaintext handshake records are cut by this seed.
    pub(crate) fragments: Option<u64>,
    /// The client's direction ends after so many octets.
    pub(crate) ends_after: Option<usize>,
    /// The octet at this place behind the client's first record is another.
    pub(crate) spoils_client: Option<usize>,
    /// The octet at this place of the server's direction is another.
    pub(crate) spoils_server: Option<usize>,
    /// The client gives up when it has run so often.
    pub(crate) cancels_after: Option<usize>,
}

/// Certificates, and sessions that the ends keep.
pub(crate) struct World {
    roots: Arc<RootCertStore>,
    server: Identity,
    client: Identity,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A client and a server that may meet several times.
pub(crate) struct Ends {
    connector: Connector,
    acceptor: Acceptor,
}

#[derive(Clone)]
pub(crate) enum Connector {
    Unmodified(TlsConnector),
    Ours(TlsFlagsConnector),
}

pub(crate) enum Acceptor {
    Unmodified(TlsAcceptor),
    Ours(TlsFlagsAcceptor),
}

/// How a conversation went, at the client and at the server.
pub(crate) type Report = [String; 2];

impl World {
    pub(crate) fn new() -> Self {
        let key = || KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let identity = |name: &str| {
            let key = key();
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

    pub(crate) fn connector(&self, who: Who, setup: &Setup) -> Connector {
        let base = provider(&[NamedGroup::X25519, NamedGroup::secp384r1]);
        let configure = |builder: ConfigBuilder<ClientConfig, WantsVersions>| {
            let builder = builder
                .with_protocol_versions(&[setup.version])?
                .with_root_certificates(Arc::clone(&self.roots));
            let mut config = if setup.has_certificate {
                let (chain, key) = &self.client;
                builder.with_client_auth_cert(chain.clone(), key.clone_key())?
            } else {
                builder.with_no_client_auth()
            };
            config.enable_early_data = true;
            Ok(config)
        };
        match who {
            Who::Unmodified => {
                let builder = ClientConfig::builder_with_provider(Arc::new(base));
                let connector = TlsConnector::from(Arc::new(configure(builder).unwrap()));
                Connector::Unmodified(connector)
            }
            Who::Ours => {
                let builder = TlsFlagsConnector::builder(Flags::request_mtls());
                Connector::Ours(builder.build(&base, configure).unwrap())
            }
        }
    }

    pub(crate) fn store() -> Arc<dyn StoresServerSessions> {
        ServerSessionMemoryCache::new(64)
    }

    pub(crate) fn acceptor(
        &self,
        who: Who,
        setup: &Setup,
        store: &Arc<dyn StoresServerSessions>,
    ) -> Acceptor {
        let base = Arc::new(provider(&[setup.group]));
        let verifier = if setup.asks {
            let roots = Arc::clone(&self.roots);
            WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&base))
                .build()
                .unwrap()
        } else {
            WebPkiClientVerifier::no_client_auth()
        };
        let (chain, key) = &self.server;
        let mut config = ServerConfig::builder_with_provider(base)
            .with_protocol_versions(&[setup.version])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .unwrap();
        config.max_early_data_size = setup.max_early_data;
        config.session_storage = Arc::clone(store);
        match who {
            Who::Unmodified => Acceptor::Unmodified(TlsAcceptor::from(Arc::new(config))),
            Who::Ours => {
                let (configs, policy) = if setup.asks {
                    let configs = ServerConfigs::new().required(config);
                    (configs, ClientAuthPolicy::Require)
                } else {
                    (ServerConfigs::new().none(config), ClientAuthPolicy::Never)
                };
                Acceptor::Ours(TlsFlagsAcceptor::new(configs, policy).unwrap())
            }
        }
    }

    pub(crate) fn ends(&self, client: Who, server: Who, setup: &Setup) -> Ends {
        Ends {
            connector: self.connector(client, setup),
            acceptor: self.acceptor(server, setup, &Self::store()),
        }
    }
}

fn provider(groups: &[NamedGroup]) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let known = std::mem::take(&mut provider.kx_groups);
    provider.kx_groups = groups
        .iter()
        .filter_map(|name| known.iter().copied().find(|group| group.name() == *name))
        .collect();
    provider
}

impl Ends {
    pub(crate) fn new(connector: Connector, acceptor: Acceptor) -> Self {
        Self {
            connector,
            acceptor,
        }
    }

    /// Has the ends meet once.
    pub(crate) fn meet(&self, talk: &Talk, wire: Wire) -> Report {
        let pipe = |number: u64| match wire.cuts {
            Some(seed) => Pipe::cut_both_ways(seed * 2 + number),
            None => Pipe::default(),
        };
        let (near, far) = (pipe(0), pipe(1));
        let mut client = Task::new(connect(&self.connector, near.clone(), talk));
        let mut server = Task::new(accept(&self.acceptor, far.clone(), talk));
        let mut passing = Passing::new(wire);
        let mut runs = 0;
        loop {
            let mut moves = client.run();
            runs += 1;
            if wire.cancels_after == Some(runs) {
                client.cancel();
            }
            moves |= passing.upwards(&near, &far);
            moves |= server.run();
            moves |= passing.downwards(&far, &near);
            if !moves {
                break;
            }
        }
        let told = |outcome: Option<_>| outcome.unwrap_or_else(|| "waits".to_owned());
        [told(client.outcome), told(server.outcome)]
    }
}

/// What has passed the wire.
struct Passing {
    wire: Wire,
    fragments: Option<Random>,
    /// Octets of a plaintext record that is not whole yet.
    part: Vec<u8>,
    up: usize,
    /// Where the client's first record ends.
    first_end: Option<usize>,
    down: usize,
    has_ended: [bool; 2],
}

impl Passing {
    fn new(wire: Wire) -> Self {
        Self {
            wire,
            fragments: wire.fragments.map(Random::new),
            part: Vec::new(),
            up: 0,
            first_end: None,
            down: 0,
            has_ended: [false; 2],
        }
    }

    fn upwards(&mut self, from: &Pipe, to: &Pipe) -> bool {
        let mut octets = from.written();
        if self.fragments.is_some() {
            octets = self.fragmented(&octets);
        }
        if self.first_end.is_none()
            && let [_, _, _, high, low, ..] = octets[..]
        {
            self.first_end = Some(5 + usize::from(u16::from_be_bytes([high, low])));
        }
        if let (Some(at), Some(first)) = (self.wire.spoils_client, self.first_end) {
            spoil(&mut octets, first + at, self.up);
        }
        let mut is_over = from.is_shut();
        if let Some(end) = self.wire.ends_after {
            is_over |= self.up + octets.len() >= end;
            octets.truncate(end.saturating_sub(self.up));
        }
        self.up += octets.len();
        to.give(&octets);
        if is_over && !self.has_ended[0] {
            self.has_ended[0] = true;
            to.end();
            return true;
        }
        !octets.is_empty()
    }

    fn downwards(&mut self, from: &Pipe, to: &Pipe) -> bool {
        let mut octets = from.written();
        if let Some(at) = self.wire.spoils_server {
            spoil(&mut octets, at, self.down);
        }
        self.down += octets.len();
        to.give(&octets);
        if from.is_shut() && !self.has_ended[1] {
            self.has_ended[1] = true;
            to.end();
            return true;
        }
        !octets.is_empty()
    }

    /// Cuts records of the handshake type, which are plaintext under TLS 1.3.
    fn fragmented(&mut self, octets: &[u8]) -> Vec<u8> {
        self.part.extend_from_slice(octets);
        let mut out = Vec::new();
        while let [typ, _, _, high, low, ..] = self.part[..] {
            let end = 5 + usize::from(u16::from_be_bytes([high, low]));
            if self.part.len() < end {
                break;
            }
            let record: Vec<u8> = self.part.drain(..end).collect();
            let Some(random) = self.fragments.as_mut().filter(|_| typ == 22) else {
                out.extend(record);
                continue;
            };
            let lengths: Vec<_> = (0..20).map(|_| 1 + random.below(120)).collect();
            out.extend(crate::hello::fragments(&record[5..], &lengths));
        }
        out
    }
}

fn spoil(octets: &mut [u8], at: usize, begin: usize) {
    if let Some(octet) = at.checked_sub(begin).and_then(|at| octets.get_mut(at)) {
        *octet ^= 0x41;
    }
}

fn server_name() -> ServerName<'static> {
    ServerName::try_from("server.test").unwrap()
}

async fn connect(connector: &Connector, pipe: Pipe, talk: &Talk) -> String {
    let early = matches!(talk, Talk::Early(_));
    match connector {
        Connector::Unmodified(connector) => {
            let connector = connector.clone().early_data(early);
            match connector.connect(server_name(), pipe).await {
                Ok(stream) => client_talks(stream, talk).await,
                Err(error) => format!("no connection: {error}"),
            }
        }
        Connector::Ours(connector) => {
            let connector = connector.clone();
            let connector = connector.with_options(|connector| connector.early_data(early));
            match connector.connect(server_name(), pipe).await {
                Ok(stream) => client_talks(stream, talk).await,
                Err(error) => format!("no connection: {error}"),
            }
        }
    }
}

async fn accept(acceptor: &Acceptor, pipe: Pipe, talk: &Talk) -> String {
    match acceptor {
        Acceptor::Unmodified(acceptor) => match acceptor.accept(pipe).into_fallible().await {
            Ok(stream) => server_talks(stream, talk).await,
            Err((error, mut pipe)) => {
                pipe.flush().await.unwrap();
                format!("no connection: {error}")
            }
        },
        Acceptor::Ours(acceptor) => match acceptor.accept_fallible(pipe).await {
            Ok(accepted) => server_talks(accepted.stream, talk).await,
            Err(failed) => format!("no connection: {}", failed.error),
        },
    }
}

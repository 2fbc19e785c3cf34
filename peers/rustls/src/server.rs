//! A server that decides by the flags.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::server::Acceptor;
use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use crate::alert;
use crate::flags::{Flags, FlagsError, REQUEST_MTLS};
use crate::hello::{offers_tls13, raw_flags_in_client_hello};
use crate::isolate::isolate;
use crate::policy::{ClientAuth, ClientAuthPolicy, Offer};
use crate::probe::speaks_tls13;
use crate::rca;
use crate::seam::{EditedIo, SeamError, prepare_server};

/// The configurations that a server chooses among, by what it asks of a client.
///
/// They should differ in their client certificate verifier alone. A
/// configuration that cannot be chosen may be left out.
#[derive(Clone, Debug, Default)]
pub struct ServerConfigs {
    none: Option<Arc<ServerConfig>>,
    optional: Option<Arc<ServerConfig>>,
    required: Option<Arc<ServerConfig>>,
    /// For clients that set the flag.
    with_flag: Option<(u16, Box<ServerConfigs>)>,
}

impl ServerConfigs {
    /// No configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `config`, built `with_no_client_auth()`, for [`ClientAuth::None`].
    #[must_use]
    pub fn none(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.none = Some(config.into());
        self
    }

    /// Uses `config`, whose verifier allows unauthenticated clients, for
    /// [`ClientAuth::Optional`].
    #[must_use]
    pub fn optional(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.optional = Some(config.into());
        self
    }

    /// Uses `config`, whose verifier refuses unauthenticated clients, for
    /// [`ClientAuth::Required`].
    #[must_use]
    pub fn required(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.required = Some(config.into());
        self
    }

    /// Prefers the configurations of `others` for clients that set `flag`.
    ///
    /// For those that acknowledge: see [`crate::rca`]. A kind that `others`
    /// lacks is taken from here. Sessions pass between the two of a kind if
    /// they share a store or a ticketer.
    #[must_use]
    pub fn with_flag(mut self, flag: u16, others: Self) -> Self {
        self.with_flag = Some((flag, Box::new(others)));
        self
    }

    fn get(&self, client_auth: ClientAuth) -> Option<&Arc<ServerConfig>> {
        match client_auth {
            ClientAuth::None => self.none.as_ref(),
            ClientAuth::Optional => self.optional.as_ref(),
            ClientAuth::Required => self.required.as_ref(),
        }
    }

    fn for_offer(&self, client_auth: ClientAuth, offer: &Offer) -> Option<&Arc<ServerConfig>> {
        let preferred = self.with_flag.as_ref();
        preferred
            .filter(|(flag, _)| offer.sets(*flag))
            .and_then(|(_, others)| others.for_offer(client_auth, offer))
            .or_else(|| self.get(client_auth))
    }

    fn prepare(mut self) -> Result<Self, AcceptorError> {
        if let Some((flag, others)) = self.with_flag {
            self.with_flag = Some((flag, Box::new(others.prepare()?)));
        }
        let kinds = [
            (&mut self.none, ClientAuth::None),
            (&mut self.optional, ClientAuth::Optional),
            (&mut self.required, ClientAuth::Required),
        ];
        for (config, client_auth) in kinds {
            if let Some(config) = config {
                *config = isolate(prepare_server(Arc::clone(config))?, client_auth);
            }
        }
        Ok(self)
    }

    fn all(&self) -> Vec<&Arc<ServerConfig>> {
        let own = [&self.none, &self.optional, &self.required];
        let mut all: Vec<_> = own.into_iter().flatten().collect();
        all.extend(self.with_flag.iter().flat_map(|(_, others)| others.all()));
        all
    }
}

type Decide = dyn Fn(&Offer) -> ClientAuth + Send + Sync;

/// Accepts connections, and asks for a client certificate as the flags say.
///
/// ```
/// use std::sync::Arc;
/// use rustls::ServerConfig;
/// use rustls_tlsflags::{ClientAuthPolicy, ServerConfigs, TlsFlagsAcceptor};
///
/// # fn acceptor(
/// #     unauthenticated: ServerConfig,
/// #     authenticated: ServerConfig,
/// # ) -> Result<TlsFlagsAcceptor, rustls_tlsflags::AcceptorError> {
/// let configs = ServerConfigs::new()
///     .none(unauthenticated) // built with_no_client_auth()
///     .required(authenticated); // built with_client_cert_verifier(…)
/// TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag)
/// # }
/// ```
///
/// # Resumption
///
/// rustls resumes any session that its store or ticketer gives out, without
/// asking for a certificate again. Each kind of client authentication here has
/// sessions of its own, even if the given configurations share a store or a
/// ticketer: a session made without client authentication is unknown where it
/// is required, and the client has to authenticate in a full handshake.
///
/// # Early data
///
/// A client that resumes may send early data, which arrives before the
/// handshake is complete; the session that it resumes is of the right kind.
#[derive(Clone)]
pub struct TlsFlagsAcceptor {
    configs: ServerConfigs,
    decide: Arc<Decide>,
    speaks_tls13: bool,
}

impl TlsFlagsAcceptor {
    /// Decides by `policy`, with the request mTLS flag at [`REQUEST_MTLS`].
    pub fn new(configs: ServerConfigs, policy: ClientAuthPolicy) -> Result<Self, AcceptorError> {
        Self::with_flag(configs, policy, REQUEST_MTLS)
    }

    /// Decides by `policy`, with the request mTLS flag at number `flag`.
    pub fn with_flag(
        configs: ServerConfigs,
        policy: ClientAuthPolicy,
        flag: u16,
    ) -> Result<Self, AcceptorError> {
        for is_set in [false, true] {
            let client_auth = policy.decide(is_set);
            if configs.get(client_auth).is_none() {
                return Err(AcceptorError::MissingConfig { client_auth });
            }
        }
        Self::with_decision(configs, move |offer| policy.decide(offer.sets(flag)))
    }

    /// Decides by whatever `decide` says.
    ///
    /// A decision that no configuration was given for refuses the client with
    /// `internal_error`.
    pub fn with_decision(
        configs: ServerConfigs,
        decide: impl Fn(&Offer) -> ClientAuth + Send + Sync + 'static,
    ) -> Result<Self, AcceptorError> {
        let configs = configs.prepare()?;
        let all = configs.all();
        let first = speaks_tls13(all.first().ok_or(AcceptorError::NoConfig)?);
        if all.iter().any(|other| speaks_tls13(other) != first) {
            return Err(AcceptorError::MixedVersions);
        }
        Ok(Self {
            configs,
            decide: Arc::new(decide),
            speaks_tls13: first,
        })
    }

    /// Performs a handshake over `io`.
    ///
    /// If it fails, the alert that says why is sent, and `io` is shut down and
    /// dropped. [`TlsFlagsAcceptor::accept_fallible`] gives it back instead.
    pub async fn accept<IO>(&self, io: IO) -> Result<Accepted<IO>, AcceptError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        match self.accept_fallible(io).await {
            Ok(accepted) => Ok(accepted),
            Err(Failed { error, mut io }) => {
                // The error at hand says more than one about closing.
                let _ = io.shutdown().await;
                Err(error)
            }
        }
    }

    /// Performs a handshake over `io`, and gives `io` back if it fails.
    ///
    /// An alert was then sent and flushed if there was one to send. Reading to
    /// the end of the stream before dropping it keeps TCP from answering what
    /// the client still sends with a reset, which could overtake the alert.
    pub async fn accept_fallible<IO>(&self, io: IO) -> Result<Accepted<IO>, Failed<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut lazy = LazyConfigAcceptor::new(Acceptor::default(), EditedIo::server(io));
        let StartHandshake { accepted, io, .. } = match (&mut lazy).await {
            Ok(start) => start,
            Err(error) => {
                let Some(io) = lazy.take_io() else {
                    unreachable!("a failed LazyConfigAcceptor keeps its stream")
                };
                return Err(Failed::new(error.into(), io).flushed().await);
            }
        };
        let hello = io.client_hello().unwrap_or_default();
        let (offer, client_auth, config) = match self.choose(hello) {
            Ok(chosen) => chosen,
            Err(error) => return Err(Failed::new(error, io).alerted().await),
        };

        let mut start = StartHandshake::from_parts(accepted, io);
        start.io.serve(&config);
        let handshake = start.into_stream(config).into_fallible().await;
        let stream = match handshake {
            Ok(stream) => stream,
            Err((error, io)) => return Err(Failed::new(error.into(), io).flushed().await),
        };
        if client_auth == ClientAuth::Required && stream.get_ref().1.peer_certificates().is_none() {
            let (io, _) = stream.into_inner();
            return Err(Failed::new(AcceptError::NotAuthenticated, io));
        }
        Ok(Accepted {
            stream,
            offer,
            client_auth,
        })
    }

    fn choose(&self, hello: &[u8]) -> Result<(Offer, ClientAuth, Arc<ServerConfig>), AcceptError> {
        let extension_data = raw_flags_in_client_hello(hello)?;
        let tls13 = self.speaks_tls13 && offers_tls13(hello);
        let flags = match extension_data {
            Some(data) if tls13 => Some(Flags::decode(data)?),
            _ => None,
        };
        let offer = Offer {
            flags,
            extension_data: extension_data.map(<[u8]>::to_vec),
            tls13,
        };
        let client_auth = (self.decide)(&offer);
        let config = self
            .configs
            .for_offer(client_auth, &offer)
            .ok_or(AcceptError::MissingConfig { client_auth })?;
        Ok((offer, client_auth, Arc::clone(config)))
    }
}

impl fmt::Debug for TlsFlagsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFlagsAcceptor")
            .field("configs", &self.configs)
            .finish_non_exhaustive()
    }
}

/// A connection whose handshake is complete.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted<IO> {
    /// The stream.
    pub stream: TlsStream<EditedIo<IO>>,
    /// What the client offered.
    pub offer: Offer,
    /// What was decided to ask of the client.
    ///
    /// If the handshake resumed a session, the client was asked in the one
    /// that made the session.
    pub client_auth: ClientAuth,
}

/// A handshake that failed, and the stream that it failed on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed<IO> {
    /// Why.
    pub error: AcceptError,
    /// The stream.
    pub io: EditedIo<IO>,
}

impl<IO: AsyncWrite + Unpin> Failed<IO> {
    fn new(error: AcceptError, io: EditedIo<IO>) -> Self {
        Self { error, io }
    }

    /// Sends the alert that the error calls for, which rustls does not know of.
    async fn alerted(mut self) -> Self {
        let description = match &self.error {
            AcceptError::Flags(error) => error.alert(),
            _ => AlertDescription::InternalError,
        };
        // The error at hand says more than one about sending an alert.
        let _ = self.io.write_all(&alert::fatal(description)).await;
        self.flushed().await
    }

    /// Sends what rustls has written.
    async fn flushed(mut self) -> Self {
        let _ = self.io.flush().await;
        self
    }
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The stream failed or ended.
    #[error(transparent)]
    Io(io::Error),
    /// rustls ended the handshake.
    #[error(transparent)]
    Tls(rustls::Error),
    /// The client's `tls_flags` extension is invalid, or was changed after
    /// HelloRetryRequest.
    #[error(transparent)]
    Flags(#[from] FlagsError),
    /// There is no configuration for what was decided.
    #[error("no configuration was given for client authentication {client_auth:?}")]
    MissingConfig {
        /// What was decided.
        client_auth: ClientAuth,
    },
    /// The configuration for [`ClientAuth::Required`] let a client through
    /// without a certificate.
    #[error("the client has no certificate, though the configuration should require one")]
    NotAuthenticated,
}

impl From<io::Error> for AcceptError {
    /// Finds the error that tokio-rustls or an [`EditedIo`] has wrapped.
    fn from(error: io::Error) -> Self {
        if let Some(error) = rca::flags_error(&error) {
            return Self::Flags(error);
        }
        match error.downcast::<rustls::Error>() {
            Ok(error) => Self::Tls(error),
            Err(error) => Self::Io(error),
        }
    }
}

/// Why an acceptor cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptorError {
    /// A configuration that the policy can choose is missing.
    #[error("no configuration was given for client authentication {client_auth:?}")]
    MissingConfig {
        /// What the policy can decide.
        client_auth: ClientAuth,
    },
    /// No configuration at all.
    #[error("no configuration was given: expected at least one")]
    NoConfig,
    /// The flag has a meaning under TLS 1.3 only, so whether that is
    /// negotiated must not depend on what is decided by the flag.
    #[error("some configurations speak TLS 1.3 and others do not: expected all to agree")]
    MixedVersions,
    /// A configuration was built with a client's provider.
    #[error(transparent)]
    Seam(#[from] SeamError),
}

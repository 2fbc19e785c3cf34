//! A server that decides by the flags.

use std::fmt;
use std::sync::Arc;

use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::alert;
use crate::configs::ServerConfigs;
use crate::draft::Codepoints;
use crate::error::{AcceptError, AcceptorError};
use crate::flags::{Flags, FlagsError, TLS_FLAGS};
use crate::hello::{offers_tls13, raw_flags_in_client_hello};
use crate::policy::{ClientAuth, ClientAuthPolicy, Offer};
use crate::probe::speaks_tls13;
use crate::seam::EditedIo;

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
    extension: u16,
    speaks_tls13: bool,
}

impl TlsFlagsAcceptor {
    /// Decides by `policy`, with the default [`Codepoints`].
    pub fn new(configs: ServerConfigs, policy: ClientAuthPolicy) -> Result<Self, AcceptorError> {
        Self::with_codepoints(configs, policy, Codepoints::default())
    }

    /// Decides by `policy`, with the extension and the request mTLS flag at these numbers.
    pub fn with_codepoints(
        configs: ServerConfigs,
        policy: ClientAuthPolicy,
        codepoints: Codepoints,
    ) -> Result<Self, AcceptorError> {
        for is_set in [false, true] {
            let client_auth = policy.decide(is_set);
            if configs.get(client_auth).is_none() {
                return Err(AcceptorError::MissingConfig { client_auth });
            }
        }
        let flag = codepoints.request_mtls;
        let acceptor = Self::with_decision(configs, move |offer| policy.decide(offer.sets(flag)))?;
        Ok(acceptor.extension(codepoints.extension))
    }

    /// Decides by whatever `decide` says of the extension [`TLS_FLAGS`].
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
            extension: TLS_FLAGS,
            speaks_tls13: first,
        })
    }

    /// The same for the extension `tls_flags` under this number.
    #[must_use]
    pub fn extension(mut self, number: u16) -> Self {
        self.extension = number;
        self
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
            Err(Failed { error, mut io, .. }) => {
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
        let mut io = EditedIo::for_server(io);
        let read = match io.read_client_hello().await {
            Ok(read) => read,
            Err(error) => return Err(Failed::new(AcceptError::Io(error), io, None)),
        };
        let Some(hello) = read else {
            return Err(self.refuse(io, NO_CLIENT_HELLO).await);
        };
        let (offer, client_auth, config) = match self.choose(hello.message()) {
            Ok(chosen) => chosen,
            Err(AcceptError::Flags(error @ FlagsError::Malformed(_))) => {
                return Err(self.refuse(io, error).await);
            }
            Err(error) => {
                let data = self.extension_data(hello.message());
                return Err(Failed::new(error, io, data).alerted().await);
            }
        };

        let data = offer.extension_data.clone();
        io.serve(&config, hello, self.extension, data.clone());
        let handshake = TlsAcceptor::from(config).accept(io).into_fallible().await;
        let stream = match handshake {
            Ok(stream) => stream,
            Err((error, io)) => {
                let error = AcceptError::new(error, self.extension);
                return Err(Failed::new(error, io, data).flushed().await);
            }
        };
        if client_auth == ClientAuth::Required && stream.get_ref().1.peer_certificates().is_none() {
            let (io, _) = stream.into_inner();
            return Err(Failed::new(AcceptError::NotAuthenticated, io, data));
        }
        Ok(Accepted {
            stream,
            offer,
            client_auth,
        })
    }

    /// Has rustls refuse what is not a ClientHello that it could accept, as it does by itself.
    async fn refuse<IO>(&self, mut io: EditedIo<IO>, error: FlagsError) -> Failed<IO>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        io.pass();
        let Some(config) = self.configs.all().first().copied().cloned() else {
            unreachable!("an acceptor has a configuration");
        };
        match TlsAcceptor::from(config).accept(io).into_fallible().await {
            Err((error, io)) => {
                let error = AcceptError::new(error, self.extension);
                Failed::new(error, io, None).flushed().await
            }
            // Nobody decided on this client.
            Ok(stream) => Failed::new(AcceptError::Flags(error), stream.into_inner().0, None),
        }
    }

    fn choose(&self, hello: &[u8]) -> Result<(Offer, ClientAuth, Arc<ServerConfig>), AcceptError> {
        let extension_data = raw_flags_in_client_hello(hello, self.extension)?;
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

    fn extension_data(&self, hello: &[u8]) -> Option<Vec<u8>> {
        let data = raw_flags_in_client_hello(hello, self.extension);
        data.ok().flatten().map(<[u8]>::to_vec)
    }
}

/// What a client sends that rustls is expected to refuse.
const NO_CLIENT_HELLO: FlagsError = FlagsError::Malformed("it is not one that rustls accepts");

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
    /// The `extension_data` of `tls_flags` as it came, if there was one to read.
    pub extension_data: Option<Vec<u8>>,
}

impl<IO: AsyncWrite + Unpin> Failed<IO> {
    fn new(error: AcceptError, io: EditedIo<IO>, extension_data: Option<Vec<u8>>) -> Self {
        Self {
            error,
            io,
            extension_data,
        }
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

//! A server that decides by the flags.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use crate::configs::ServerConfigs;
use crate::draft::Codepoints;
use crate::error::{AcceptError, AcceptorError};
use crate::flags::{Flags, FlagsError, TLS_FLAGS};
use crate::hello::{offers_tls13, raw_flags_in_client_hello};
use crate::policy::{ClientAuth, ClientAuthPolicy, Offer};
use crate::probe::speaks_tls13;
use crate::seam::{EditedIo, HelloReader};

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

    /// Reads a client's first ClientHello, and prepares `io` for the handshake that is to follow.
    ///
    /// An error is one whose alert is to be sent, see [`AcceptError::alert`]. What is not a ClientHello that rustls
    /// could accept has no such error: rustls refuses it, as it does by itself.
    pub(crate) fn begin<IO>(
        &self,
        io: &mut EditedIo<IO>,
        hello: Option<HelloReader>,
    ) -> Result<Begun, AcceptError> {
        let Some(hello) = hello else {
            return Ok(self.refuse(io, NO_CLIENT_HELLO));
        };
        let (offer, client_auth, config) = match self.choose(hello.message()) {
            Ok(chosen) => chosen,
            Err(AcceptError::Flags(error @ FlagsError::Malformed(_))) => {
                return Ok(self.refuse(io, error));
            }
            Err(error) => return Err(error),
        };
        io.serve(&config, hello, self.extension, offer.extension_data.clone());
        let decided = Ok((offer, client_auth));
        Ok(Begun { config, decided })
    }

    fn refuse<IO>(&self, io: &mut EditedIo<IO>, error: FlagsError) -> Begun {
        io.pass();
        let Some(config) = self.configs.all().first().copied().cloned() else {
            unreachable!("an acceptor has a configuration");
        };
        let decided = Err(error);
        Begun { config, decided }
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

    /// The `extension_data` of `tls_flags` as it came.
    pub(crate) fn extension_data(&self, hello: Option<&HelloReader>) -> Option<Vec<u8>> {
        let data = raw_flags_in_client_hello(hello?.message(), self.extension);
        data.ok().flatten().map(<[u8]>::to_vec)
    }

    /// What a handshake that failed with `error` was about.
    pub(crate) fn error(&self, error: io::Error) -> AcceptError {
        AcceptError::new(error, self.extension)
    }
}

/// A handshake that is to follow a ClientHello.
pub(crate) struct Begun {
    pub(crate) config: Arc<ServerConfig>,
    /// What was offered and decided; an error if rustls is expected to refuse the client.
    decided: Result<(Offer, ClientAuth), FlagsError>,
}

impl Begun {
    /// What comes of a handshake that rustls has completed.
    pub(crate) fn outcome(
        self,
        connection: &ServerConnection,
    ) -> Result<(Offer, ClientAuth), AcceptError> {
        // On an error, nobody decided on this client.
        let (offer, client_auth) = self.decided?;
        if client_auth == ClientAuth::Required && connection.peer_certificates().is_none() {
            return Err(AcceptError::NotAuthenticated);
        }
        Ok((offer, client_auth))
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

impl<IO> Failed<IO> {
    pub(crate) fn new(
        error: AcceptError,
        io: EditedIo<IO>,
        extension_data: Option<Vec<u8>>,
    ) -> Self {
        Self {
            error,
            io,
            extension_data,
        }
    }
}

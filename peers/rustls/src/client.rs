//! A client that sets flags.

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{Connect, TlsConnector};

use crate::flags::{Flags, TLS_FLAGS};
use crate::seam::{self, EditedIo, Edits, Message, SeamError};

/// A provider like `base` for clients that set `flags` in every ClientHello.
///
/// No flag at all leaves the extension out.
///
/// Suites are made once for each distinct set of flags and live as long as the
/// process; see [`seam`].
#[must_use]
pub fn provider(base: &CryptoProvider, flags: &Flags) -> Arc<CryptoProvider> {
    let edits = match flags.encode() {
        Some(body) => Edits::new().insert(Message::ClientHello, TLS_FLAGS, body),
        None => Edits::new(),
    };
    match seam::client_provider(base, &edits) {
        Ok(provider) => provider,
        // At most 256 octets, in a message that clients send.
        Err(error) => unreachable!("{error}"),
    }
}

/// Connects with the flags that the provider of its configuration sets.
///
/// The streams are tokio-rustls's own, over an [`EditedIo`].
///
/// ```
/// use std::sync::Arc;
/// use rustls::{ClientConfig, RootCertStore};
/// use rustls_tlsflags::{Flags, TlsFlagsConnector, provider};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let base = rustls::crypto::aws_lc_rs::default_provider();
/// let config = ClientConfig::builder_with_provider(provider(&base, &Flags::request_mtls()))
///     .with_safe_default_protocol_versions()?
///     .with_root_certificates(RootCertStore::empty())
///     .with_no_client_auth();
/// let connector = TlsFlagsConnector::new(Arc::new(config))?;
/// # let _ = connector;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TlsFlagsConnector {
    inner: TlsConnector,
}

impl TlsFlagsConnector {
    /// Connects as `config` says, which must be built with [`provider`] or
    /// [`seam::client_provider`].
    ///
    /// Anything else would connect without flags, so it is an error.
    pub fn new(config: Arc<ClientConfig>) -> Result<Self, SeamError> {
        let config = seam::prepare_client(config)?;
        Ok(Self {
            inner: TlsConnector::from(config),
        })
    }

    /// The same with an option of tokio-rustls's own connector.
    ///
    /// `|connector| connector.early_data(true)` enables 0-RTT if tokio-rustls
    /// has its `early-data` feature. The closure must return the connector
    /// that it is given, and not one with another configuration.
    ///
    /// # Panics
    ///
    /// If the configuration is another.
    #[must_use]
    pub fn with_options(self, set: impl FnOnce(TlsConnector) -> TlsConnector) -> Self {
        let config = Arc::clone(self.config());
        let inner = set(self.inner);
        assert!(
            Arc::ptr_eq(&config, inner.config()),
            "the options came with another configuration"
        );
        Self { inner }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<ClientConfig> {
        self.inner.config()
    }

    /// Performs a handshake with `server_name` over `io`.
    pub fn connect<IO>(&self, server_name: ServerName<'static>, io: IO) -> Connect<EditedIo<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let io = EditedIo::client(io, self.inner.config());
        self.inner.connect(server_name, io)
    }
}

impl fmt::Debug for TlsFlagsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFlagsConnector")
            .field("config", self.inner.config())
            .finish_non_exhaustive()
    }
}

//! A client that sets flags.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, WantsVersions};
#[cfg(feature = "tokio")]
use tokio_rustls::TlsConnector;

use crate::draft::{Codepoints, Revision};
use crate::error::ConnectorError;
use crate::flags::Flags;
use crate::seam::{self, Edits, Message, Side, Watch};

/// Connects, and sets flags in every ClientHello.
///
/// The streams are tokio-rustls's own or, by [`crate::blocking`], rustls's own, over an [`EditedIo`].
///
/// [`EditedIo`]: crate::EditedIo
///
/// ```
/// use rustls::RootCertStore;
/// use rustls_tlsflags::{Flags, TlsFlagsConnector};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let base = rustls::crypto::aws_lc_rs::default_provider();
/// let connector = TlsFlagsConnector::builder(Flags::request_mtls()).build(&base, |builder| {
///     Ok(builder
///         .with_safe_default_protocol_versions()?
///         .with_root_certificates(RootCertStore::empty())
///         .with_no_client_auth())
/// })?;
/// # let _ = connector;
/// # Ok(())
/// # }
/// ```
///
/// Its sessions are its own: connections resume each other's sessions if they are made by one connector or by
/// its clones. So make one, and clone it as one would an `Arc<ClientConfig>`.
#[derive(Clone)]
pub struct TlsFlagsConnector {
    config: Arc<ClientConfig>,
    /// The same configuration, with options of tokio-rustls.
    #[cfg(feature = "tokio")]
    pub(crate) inner: TlsConnector,
}

/// Makes a [`TlsFlagsConnector`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ConnectorBuilder {
    flags: Flags,
    codepoints: Codepoints,
    refuses_by: Option<Revision>,
}

impl ConnectorBuilder {
    /// Uses other numbers than the default ones.
    pub fn codepoints(mut self, codepoints: Codepoints) -> Self {
        self.codepoints = codepoints;
        self
    }

    /// Ends a handshake with `illegal_parameter` if the server sends flags that it must not send.
    ///
    /// Malformed ones in any message; those that were not sent to it, in a message that answers the client; and
    /// the request mTLS flag except where the revision has it. Without this, rustls answers such an extension
    /// with an alert of its own choosing, or ignores it. Costs a copy of each record that comes in.
    ///
    /// [`flags_error`] tells the errors that follow from it. If the offending message begins in an earlier
    /// record than it ends in, the handshake ends without an alert.
    ///
    /// [`flags_error`]: crate::flags_error
    pub fn refuse_unsolicited(mut self, revision: Revision) -> Self {
        self.refuses_by = Some(revision);
        self
    }

    /// Makes a connector for the configuration that `configure` builds.
    ///
    /// The configuration only works in the connector: the server's view of the handshake includes the flags,
    /// which rustls by itself would not send. That is why `configure` gets the builder to use and hands its
    /// outcome over.
    pub fn build(
        self,
        base: &CryptoProvider,
        configure: impl FnOnce(
            ConfigBuilder<ClientConfig, WantsVersions>,
        ) -> Result<ClientConfig, rustls::Error>,
    ) -> Result<TlsFlagsConnector, ConnectorError> {
        let edits = match self.flags.encode() {
            // At most 256 octets, in a message that clients send: an edit that is always possible.
            Some(body) => {
                Edits::new().insert(Message::ClientHello, self.codepoints.extension, body)
            }
            None => Edits::new(),
        };
        let watch = self.refuses_by.map(|revision| Watch {
            codepoints: self.codepoints,
            sent: self.flags,
            revision,
        });
        let provider = seam::interned_provider(base, Side::Client, &edits, watch.as_ref());
        let config = configure(ClientConfig::builder_with_provider(Arc::clone(&provider)))?;
        if !seam::is_of_one_plan(config.crypto_provider(), &provider) {
            return Err(ConnectorError::ForeignProvider);
        }
        let config =
            seam::prepare_client(Arc::new(config)).map_err(|_| ConnectorError::ForeignProvider)?;
        Ok(TlsFlagsConnector::of(config))
    }
}

impl TlsFlagsConnector {
    /// For clients that set `flags`. No flag at all leaves the extension out.
    ///
    /// What rustls needs for a distinct set of flags is made once and lives as long as the process, however
    /// many connectors and connections use it.
    pub fn builder(flags: Flags) -> ConnectorBuilder {
        ConnectorBuilder {
            flags,
            codepoints: Codepoints::default(),
            refuses_by: None,
        }
    }

    /// Connects as `config` says, which must be built with [`seam::client_provider`] or
    /// [`seam::watching_provider`]. Each call makes a connector with sessions of its own if the configuration
    /// has a client certificate for TLS 1.2.
    #[cfg(feature = "seam")]
    pub fn from_config(config: Arc<ClientConfig>) -> Result<Self, seam::SeamError> {
        Ok(Self::of(seam::prepare_client(config)?))
    }

    fn of(config: Arc<ClientConfig>) -> Self {
        Self {
            #[cfg(feature = "tokio")]
            inner: TlsConnector::from(Arc::clone(&config)),
            config,
        }
    }

    /// The configuration.
    #[cfg(feature = "seam")]
    #[must_use]
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    #[cfg(not(feature = "seam"))]
    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }
}

impl fmt::Debug for TlsFlagsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFlagsConnector")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

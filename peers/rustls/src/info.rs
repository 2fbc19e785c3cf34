//! What an application knows about a client.

use std::sync::Arc;

use rustls::ServerConnection;
use rustls::pki_types::CertificateDer;

use crate::policy::{ClientAuth, Offer};

/// What a server's application knows about the client of a connection, apart from the stream.
///
/// A clone is cheap, so every request of a connection can have one: among the extensions of an HTTP request, say.
/// [`blocking::Accepted::client_info`] and, over streams of tokio, `Accepted::client_info` make it.
///
/// [`blocking::Accepted::client_info`]: crate::blocking::Accepted::client_info
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    offer: Arc<Offer>,
    client_auth: ClientAuth,
    certificates: Arc<[CertificateDer<'static>]>,
}

impl ClientInfo {
    pub(crate) fn new(
        offer: &Offer,
        client_auth: ClientAuth,
        connection: &ServerConnection,
    ) -> Self {
        Self {
            offer: Arc::new(offer.clone()),
            client_auth,
            certificates: connection.peer_certificates().unwrap_or_default().into(),
        }
    }

    /// What the client offered.
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Whether the client set `flag`, such as [`crate::REQUEST_MTLS`], and it has a meaning.
    #[must_use]
    pub fn sets(&self, flag: u16) -> bool {
        self.offer.sets(flag)
    }

    /// What the client was asked for, in this handshake or in the one that made its session.
    #[must_use]
    pub fn client_auth(&self) -> ClientAuth {
        self.client_auth
    }

    /// Whether the client has a certificate that the configuration's verifier accepted.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.certificate().is_some()
    }

    /// The certificate by which the client is authenticated, if it is.
    #[must_use]
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificates.first()
    }

    /// The same and then the others that the client sent, in its order; none if it is not authenticated.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }
}

//! What a transcript says of the things that expectations speak about.

use reqmtls_contract::Outcome;
use reqmtls_observer::{
    Alert, Content, Entry, Epoch, ExtensionType, HandshakeMessage, Octets32, Side,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Chain, View, chain};
use super::knowledge::Psk;

/// The facts of one connection, from the wire alone unless it says otherwise. Results are stored with them, so a
/// field is here only if expectations or reports need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The random of the client, by which its connection is known in key logs.
    pub client_random: Option<Octets32>,
    /// Whether the server sent CertificateRequest in the main handshake.
    pub certificate_request: bool,
    /// Whether the server resumed a session of TLS 1.3: it took a pre-shared key that is not known to be external.
    pub resumed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The first error alert, whatever its level, and who sent it.
    pub alert: Option<(Side, Alert)>,
    /// The certificate of the client that was sent and proven in a connection that completed.
    pub proven: Option<Octets32>,
    /// The certificate by which the server authenticated the client: the proven one, unless the server reports
    /// that it regards the client as unauthenticated.
    pub authenticated: Option<Octets32>,
    /// The `extension_data` of `tls_flags` in each ClientHello; there are two after a HelloRetryRequest.
    pub tls_flags: Vec<Option<Vec<u8>>>,
    /// The certificate that the client sent.
    pub client_certificate: Option<Octets32>,
    /// The certificate that the server sent.
    pub server_certificate: Option<Octets32>,
}

impl Facts {
    /// The `extension_data` of `tls_flags` in the first ClientHello.
    #[must_use]
    pub fn first_tls_flags(&self) -> Option<&[u8]> {
        self.tls_flags.first()?.as_deref()
    }

    /// Reads them off a connection. One that resumes a session has the certificates of the connection before it.
    #[must_use]
    pub fn of(view: &View<'_>, before: Option<&Self>) -> Self {
        let mut facts = Self::of_one(view);
        if let Some(before) = before.filter(|_| facts.resumed) {
            facts.server_certificate = facts.server_certificate.or(before.server_certificate);
            if facts.outcome == Outcome::Completed {
                facts.proven = facts.proven.or(before.authenticated);
            }
        }
        let denies = view.knowledge.authenticated == Some(None);
        facts.authenticated = facts.proven.filter(|_| !denies);
        facts
    }

    fn of_one(view: &View<'_>) -> Self {
        let alert = view.first_error();
        let alert = alert.map(|(entry, alert)| (entry.from, alert));
        let exchanged = Side::BOTH.into_iter().all(|side| {
            let is_data = |entry: &Entry| matches!(entry.content, Content::ApplicationData { .. });
            view.entries(side).any(is_data) && view.close_notify(side).is_some()
        });
        let outcome = match alert {
            Some(_) => Outcome::Refused,
            None if exchanged => Outcome::Completed,
            None => Outcome::Broken,
        };
        let is_external = view.knowledge.psk == Some(Psk::External);
        let carrier = view.knowledge.codepoints().extension;
        let tls_flags = view.hellos().iter().map(|hello| {
            let mut extensions = hello.body.extensions.iter();
            let found = extensions.find(|extension| extension.kind == carrier);
            found.map(|extension| extension.body.0.clone())
        });
        Self {
            client_random: view.client_random(),
            certificate_request: view.find(is_main_certificate_request).is_some(),
            resumed: view.is_tls13() && view.uses_psk() && !is_external,
            outcome,
            alert,
            proven: proven(view).filter(|_| outcome == Outcome::Completed),
            authenticated: None,
            tls_flags: tls_flags.collect(),
            client_certificate: certificate(view, Side::Client),
            server_certificate: certificate(view, Side::Server),
        }
    }
}

/// Whether an entry is a CertificateRequest that is part of the main handshake.
pub(super) fn is_main_certificate_request(entry: &Entry) -> bool {
    let is_request = matches!(
        entry.message(),
        Some(HandshakeMessage::CertificateRequest(_) | HandshakeMessage::CertificateRequest12(_))
    );
    is_request && entry.epoch != Epoch::Application
}

/// The first certificate that a side sent.
fn certificate(view: &View<'_>, from: Side) -> Option<Octets32> {
    view.sent(from).find_map(|sent| first_of(sent.message))
}

/// The client's certificate, if CertificateVerify came behind it; the last one, after the handshake.
fn proven(view: &View<'_>) -> Option<Octets32> {
    let mut sent = None;
    let mut proven = None;
    for message in view.sent(Side::Client).map(|sent| sent.message) {
        sent = first_of(message).or(sent);
        if matches!(message, HandshakeMessage::CertificateVerify(_)) {
            proven = sent.or(proven);
        }
    }
    proven
}

fn first_of(message: &HandshakeMessage) -> Option<Octets32> {
    match chain(message)? {
        Chain::Read(certificate) => certificate.certificates.first().map(|entry| entry.sha256),
        Chain::Unread => None,
    }
}

/// Whether a ClientHello offered early data, and the server accepted it.
pub(super) fn early_data(view: &View<'_>) -> (bool, bool) {
    let is_accepted = view.sent(Side::Server).any(|sent| match sent.message {
        HandshakeMessage::EncryptedExtensions { extensions } => {
            let mut extensions = extensions.iter();
            extensions.any(|extension| extension.kind == ExtensionType::EARLY_DATA)
        }
        _ => false,
    });
    (view.offers(ExtensionType::EARLY_DATA), is_accepted)
}

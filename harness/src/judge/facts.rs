//! What a transcript says of the things that expectations speak about.

use reqmtls_contract::Outcome;
use serde::{Deserialize, Serialize};

use super::Knowledge;

use reqmtls_observer::{
    Alert, Content, Entry, Epoch, Extension, ExtensionType, HandshakeMessage, Octets32, Side,
    Transcript,
};

/// The facts of one connection, from the wire alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The random of the client, by which its connection is known in key logs.
    pub client_random: Option<Octets32>,
    /// Whether the server sent CertificateRequest in the main handshake.
    pub certificate_request: bool,
    /// Whether the server resumed a session of TLS 1.3.
    pub resumed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The first fatal alert.
    pub alert: Option<(Side, Alert)>,
    /// The certificate of the client that was sent and proven in a connection that completed.
    pub proven: Option<Octets32>,
    /// The certificate by which the server authenticated the client: the proven one, unless the server says
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

    /// Reads them off a transcript. A connection that resumes a session has the certificates of the
    /// connection before it.
    #[must_use]
    pub fn of(transcript: &Transcript, knowledge: &Knowledge, before: Option<&Self>) -> Self {
        let mut facts = Self::of_one(transcript);
        if let Some(before) = before.filter(|_| facts.resumed) {
            facts.server_certificate = facts.server_certificate.or(before.server_certificate);
            if facts.outcome == Outcome::Completed {
                facts.proven = facts.proven.or(before.authenticated);
            }
        }
        let denies = knowledge.authenticated == Some(None);
        facts.authenticated = facts.proven.filter(|_| !denies);
        facts
    }

    fn of_one(transcript: &Transcript) -> Self {
        let entries = &transcript.entries;
        let alert = entries.iter().find_map(|entry| match &entry.content {
            Content::Alert(alert) if alert.is_fatal(transcript.version) => {
                Some((entry.from, *alert))
            }
            _ => None,
        });
        let both = |wanted: fn(&Content) -> bool| {
            Side::BOTH.iter().all(|side| {
                entries
                    .iter()
                    .any(|entry| entry.from == *side && wanted(&entry.content))
            })
        };
        let data = both(|content| matches!(content, Content::ApplicationData { .. }));
        let closed =
            both(|content| matches!(content, Content::Alert(alert) if alert.is_close_notify()));
        let outcome = match alert {
            Some(_) => Outcome::Refused,
            None if data && closed => Outcome::Completed,
            None => Outcome::Broken,
        };
        let client_certificate = certificate(entries, Side::Client);
        let proven = messages(entries, Side::Client)
            .any(|message| matches!(message, HandshakeMessage::CertificateVerify(_)));
        let resumed = messages(entries, Side::Server).any(|message| match message {
            HandshakeMessage::ServerHello(hello) => {
                let mut extensions = hello.extensions.iter();
                extensions.any(|extension| extension.kind == ExtensionType::PRE_SHARED_KEY)
            }
            _ => false,
        });
        Self {
            client_random: transcript.client_random,
            resumed,
            certificate_request: entries.iter().any(is_main_certificate_request),
            outcome,
            alert,
            client_certificate,
            proven: client_certificate.filter(|_| proven && outcome == Outcome::Completed),
            authenticated: None,
            tls_flags: tls_flags(entries),
            server_certificate: certificate(entries, Side::Server),
        }
    }
}

/// Whether an entry is a CertificateRequest that is part of the main handshake.
pub(super) fn is_main_certificate_request(entry: &Entry) -> bool {
    let Content::Message(message) = &entry.content else {
        return false;
    };
    let request = matches!(
        message,
        HandshakeMessage::CertificateRequest(_) | HandshakeMessage::CertificateRequest12(_)
    );
    request && entry.epoch != Epoch::Application
}

fn messages(entries: &[Entry], from: Side) -> impl Iterator<Item = &HandshakeMessage> {
    entries
        .iter()
        .filter(move |entry| entry.from == from)
        .filter_map(|entry| match &entry.content {
            Content::Message(message) => Some(message),
            _ => None,
        })
}

fn certificate(entries: &[Entry], from: Side) -> Option<Octets32> {
    messages(entries, from).find_map(|message| match message {
        HandshakeMessage::Certificate(certificate) => {
            certificate.certificates.first().map(|entry| entry.sha256)
        }
        _ => None,
    })
}

fn tls_flags(entries: &[Entry]) -> Vec<Option<Vec<u8>>> {
    let hellos = messages(entries, Side::Client).filter_map(|message| match message {
        HandshakeMessage::ClientHello(hello) => Some(hello),
        _ => None,
    });
    let flags = |extension: &Extension| {
        let found = extension.kind == ExtensionType::TLS_FLAGS;
        found.then(|| extension.body.0.clone())
    };
    hellos
        .map(|hello| hello.extensions.iter().find_map(flags))
        .collect()
}

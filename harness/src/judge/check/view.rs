//! What the checks look up in a connection.

use reqmtls_contract as contract;

use super::View;
use reqmtls_observer::{
    Alert, ClientHello, Codepoints, Content, Entry, Epoch, Extension, ExtensionType,
    HandshakeMessage, ProtocolVersion, ServerHello, Side, TlsFlags,
};

/// A handshake message with the entry that carries it.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) entry: &'a Entry,
    pub(super) message: &'a HandshakeMessage,
}

impl<'a> View<'a> {
    /// Whether an end knows `tls_flags`; to any other it is an unknown extension.
    pub(in crate::judge) fn knows(&self, side: Side) -> bool {
        self.knowledge.end(side).knows_flags == Some(true)
    }

    /// Whether the server's policy is on the flag.
    pub(in crate::judge) fn is_on_flag(&self) -> bool {
        let policy = self.knowledge.policy;
        policy.is_some_and(contract::Policy::is_on_flag)
    }

    pub(in crate::judge) fn entries(
        &self,
        from: Side,
    ) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let entries = self.transcript.entries.iter();
        entries.filter(move |entry| entry.from == from)
    }

    /// The handshake messages of a side.
    pub(in crate::judge) fn sent(&self, from: Side) -> impl Iterator<Item = Sent<'a>> + use<'a> {
        self.entries(from).filter_map(|entry| {
            let message = entry.message()?;
            Some(Sent { entry, message })
        })
    }

    pub(in crate::judge) fn hellos(
        &self,
    ) -> impl Iterator<Item = (&'a Entry, &'a ClientHello)> + use<'a> {
        self.sent(Side::Client)
            .filter_map(|sent| match sent.message {
                HandshakeMessage::ClientHello(hello) => Some((sent.entry, hello)),
                _ => None,
            })
    }

    /// The ServerHello, not a HelloRetryRequest.
    pub(in crate::judge) fn server_hello(&self) -> Option<(&'a Entry, &'a ServerHello)> {
        self.sent(Side::Server).find_map(|sent| match sent.message {
            HandshakeMessage::ServerHello(hello) => Some((sent.entry, hello)),
            _ => None,
        })
    }

    /// Whether TLS 1.3 was negotiated, or would be if the server had not refused ClientHello.
    pub(in crate::judge) fn is_tls13(&self) -> bool {
        let accepted = self.knowledge.server_accepts_tls13.unwrap_or(true);
        match self.transcript.version {
            Some(version) => version == ProtocolVersion::TLS13,
            None => accepted && self.hellos().next().is_some_and(|(_, it)| offers_tls13(it)),
        }
    }

    /// Whether the server authenticates with a PSK (RFC 8446 §4.2.11).
    pub(in crate::judge) fn is_resumed(&self) -> bool {
        self.server_hello().is_some_and(|(_, hello)| {
            let mut extensions = hello.extensions.iter();
            extensions.any(|extension| extension.kind == ExtensionType::PRE_SHARED_KEY)
        })
    }

    /// The first ClientHello, if it proposes the request mTLS flag.
    pub(in crate::judge) fn flagged_hello(&self) -> Option<&'a Entry> {
        let hello = self
            .sent(Side::Client)
            .find(|sent| matches!(sent.message, HandshakeMessage::ClientHello(_)))?;
        sets(hello.message, self.knowledge.flag).then_some(hello.entry)
    }

    /// The CertificateRequest of TLS 1.3 in the main handshake.
    pub(in crate::judge) fn main_request(&self) -> Option<Sent<'a>> {
        self.requests()
            .find(|sent| sent.entry.epoch != Epoch::Application)
    }

    /// Every CertificateRequest of TLS 1.3.
    pub(in crate::judge) fn requests(&self) -> impl Iterator<Item = Sent<'a>> + use<'a> {
        self.sent(Side::Server)
            .filter(|sent| matches!(sent.message, HandshakeMessage::CertificateRequest(_)))
    }

    /// A side's Finished of the main handshake, which is its first.
    pub(in crate::judge) fn finished(&self, side: Side) -> Option<&'a Entry> {
        let mut sent = self.sent(side);
        let found = sent.find(|sent| matches!(sent.message, HandshakeMessage::Finished));
        found.map(|sent| sent.entry)
    }

    /// The first fatal alert of a side.
    pub(in crate::judge) fn fatal(&self, from: Side) -> Option<(&'a Entry, Alert)> {
        self.entries(from).find_map(|entry| match entry.content {
            Content::Alert(alert) if alert.is_fatal() => Some((entry, alert)),
            _ => None,
        })
    }

    /// The `close_notify` of a side.
    pub(in crate::judge) fn close_notify(&self, from: Side) -> Option<&'a Entry> {
        self.entries(from)
            .find(|entry| matches!(entry.content, Content::Alert(alert) if alert.is_close_notify()))
    }

    /// Whether a side sent data under its application keys.
    pub(in crate::judge) fn sent_data(&self, from: Side) -> bool {
        self.entries(from).any(|entry| {
            entry.epoch == Epoch::Application
                && matches!(entry.content, Content::ApplicationData { .. })
        })
    }

    /// Whether something of a side could not be read, which may have been an alert.
    pub(in crate::judge) fn is_unreadable(&self, from: Side) -> bool {
        self.entries(from).any(|entry| {
            matches!(
                entry.content,
                Content::Opaque { .. } | Content::Malformed { .. }
            )
        })
    }
}

/// A message's blocks of extensions: Certificate has one for each of its entries.
pub(in crate::judge) fn blocks(message: &HandshakeMessage) -> Vec<Vec<&Extension>> {
    match message {
        HandshakeMessage::Certificate(certificate) => certificate
            .certificates
            .iter()
            .map(|entry| entry.extensions.iter().collect())
            .collect(),
        _ => vec![message.extensions()],
    }
}

/// Whether a message carries an extension.
pub(in crate::judge) fn carries(message: &HandshakeMessage, kind: ExtensionType) -> bool {
    message.extensions().iter().any(|it| it.kind == kind)
}

/// Whether a block of the message has an extension twice (RFC 8446 §4.2).
pub(in crate::judge) fn has_duplicate(message: &HandshakeMessage) -> bool {
    blocks(message).iter().any(|block| {
        let twice = |(place, it): (usize, &&Extension)| {
            block.iter().take(place).any(|other| other.kind == it.kind)
        };
        block.iter().enumerate().any(twice)
    })
}

/// The flags that a message sets in well-formed `tls_flags`.
pub(in crate::judge) fn flags(message: &HandshakeMessage) -> Vec<u16> {
    let extensions = message.extensions();
    let decoded = extensions
        .iter()
        .filter_map(|it| it.tls_flags(Codepoints::default())?.ok());
    decoded
        .flat_map(|flags: TlsFlags| flags.flags().to_vec())
        .collect()
}

/// Whether a message sets a flag in well-formed `tls_flags`.
pub(in crate::judge) fn sets(message: &HandshakeMessage, flag: u16) -> bool {
    flags(message).contains(&flag)
}

fn offers_tls13(hello: &ClientHello) -> bool {
    let mut extensions = hello.extensions.iter();
    let versions = extensions.find(|it| it.kind == ExtensionType::SUPPORTED_VERSIONS);
    // One length octet, then two octets for each version (RFC 8446 §4.2.1).
    let octets = versions.and_then(|it| it.body.get(1..)).unwrap_or_default();
    octets.chunks_exact(2).any(|version| version == [3, 4])
}

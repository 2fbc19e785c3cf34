//! What a receiver must not accept, and which alerts answer it.

use std::collections::HashSet;

use reqmtls_contract::Revision;
use reqmtls_observer::{
    AlertDescription, Extension, ExtensionType, HandshakeMessage, HandshakeType, Side,
};

use super::View;
use super::answer::{Answer, answer};
use super::malformed::{self, Demand};
use super::specified::{Place, is_specified, recognises};
use super::view::{Chain, FlagSet, Sent, chain, counted};

const ILLEGAL: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;

/// A message that its receiver must not accept.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Offence<'a> {
    pub(in crate::judge) sent: Sent<'a>,
    /// The alerts that answer it, each with the requirement that demands it.
    pub(super) demands: Vec<Demand>,
    /// The alerts that answer it as well if the receiver implements `tls_flags`, which is not known.
    pub(super) possible: Vec<AlertDescription>,
    /// Whether the message, or one before it, is wrong in a way for which no document here names an alert: the
    /// receiver may have stopped there.
    pub(super) is_excused: bool,
}

/// What a side received that it must not accept.
#[derive(Clone, Debug, Default)]
pub(super) struct Offences<'a> {
    main: Stage<'a>,
    late: Stage<'a>,
    is_excused: bool,
}

/// The offences of the main handshake, or those after it.
#[derive(Clone, Debug, Default)]
struct Stage<'a> {
    /// For each requirement the first message to which it demands an answer, in the order of the messages.
    firsts: Vec<(&'static str, Offence<'a>)>,
}

impl<'a> Offences<'a> {
    /// What a side received in a connection of TLS 1.3.
    pub(super) fn of(view: &View<'a>, receiver: Side) -> Self {
        let mut offences = Self::default();
        if !view.is_tls13() {
            return offences;
        }
        for sent in view.sent(receiver.peer()) {
            let mut faults = Faults::default();
            faults.find(view, receiver, sent);
            offences.is_excused |= faults.is_excused;
            let stage = if sent.is_late() {
                &mut offences.late
            } else {
                &mut offences.main
            };
            for (_, id) in &faults.demands {
                if stage.firsts.iter().all(|(known, _)| known != id) {
                    let offence = Offence {
                        sent,
                        demands: faults.demands.clone(),
                        possible: faults.possible.clone(),
                        is_excused: offences.is_excused,
                    };
                    stage.firsts.push((id, offence));
                }
            }
        }
        offences
    }

    pub(super) fn exist(&self) -> bool {
        self.is_excused || !self.main.firsts.is_empty() || !self.late.firsts.is_empty()
    }

    /// The first message to which a requirement demands an answer, if nothing before it ended the connection.
    pub(super) fn judged(&self, view: &View<'a>, receiver: Side, id: &str) -> Option<&Offence<'a>> {
        let (in_main, is_passed) = self.main.judged(view, receiver, id);
        in_main.or_else(|| self.late.judged(view, receiver, id).0.filter(|_| is_passed))
    }
}

impl<'a> Stage<'a> {
    /// The first message of that requirement, unless an offence before it ended the connection; and whether the
    /// receiver went past all offences of the stage.
    fn judged(&self, view: &View<'a>, receiver: Side, id: &str) -> (Option<&Offence<'a>>, bool) {
        let Some((_, first)) = self.firsts.first() else {
            return (None, true);
        };
        let is_passed = matches!(answer(view, receiver, first.sent), Answer::Continued(_));
        let found = self.firsts.iter().find(|(known, _)| *known == id);
        let found = found.map(|(_, offence)| offence);
        let is_first = |it: &&Offence<'_>| std::ptr::eq(it.sent.entry, first.sent.entry);
        (found.filter(|it| is_passed || is_first(it)), is_passed)
    }
}

/// Everything that is wrong with one message.
#[derive(Default)]
struct Faults {
    demands: Vec<Demand>,
    possible: Vec<AlertDescription>,
    is_excused: bool,
}

impl Faults {
    fn demand(&mut self, alert: AlertDescription, by: &'static str) {
        if !self.demands.contains(&(alert, by)) {
            self.demands.push((alert, by));
        }
    }

    /// What a receiver that implements `tls_flags` has to answer.
    fn demand_if_known(
        &mut self,
        view: &View<'_>,
        receiver: Side,
        alert: AlertDescription,
        by: &'static str,
    ) {
        match view.knows_flags(receiver) {
            Some(true) => self.demand(alert, by),
            Some(false) => {}
            None if self.possible.contains(&alert) => {}
            None => self.possible.push(alert),
        }
    }

    fn find(&mut self, view: &View<'_>, receiver: Side, sent: Sent<'_>) {
        let message = sent.message;
        if is_unoffered_late_request(view, sent) {
            // Nothing in it is to be read.
            self.demand(AlertDescription::UNEXPECTED_MESSAGE, "TLS-14");
            return;
        }
        match message {
            HandshakeMessage::Malformed { .. } => {
                self.demand(AlertDescription::DECODE_ERROR, "TLS-18");
            }
            HandshakeMessage::CertificateVerify(_)
                if view.knowledge.end(receiver.peer()).signature_verifies == Some(false) =>
            {
                self.demand(AlertDescription::DECRYPT_ERROR, "TLS-6");
            }
            HandshakeMessage::ClientHello(hello) => {
                // It stands last, RFC 9846 §4.3.11 (RFC 8446 §4.2.11).
                let mut before_last = hello.extensions.iter().rev().skip(1);
                self.is_excused |= before_last.any(|it| it.kind == ExtensionType::PRE_SHARED_KEY);
            }
            _ => {}
        }
        if let (Some(Chain::Read(certificate)), Side::Client) = (chain(message), receiver)
            && certificate.certificates.is_empty()
        {
            self.demand(AlertDescription::DECODE_ERROR, "TLS-16");
        }
        self.is_excused |= offers_compression(view, sent) == Some(false);
        for block in blocks(message) {
            self.block(view, receiver, sent, &block);
        }
    }

    fn block(&mut self, view: &View<'_>, receiver: Side, sent: Sent<'_>, block: &[&Extension]) {
        let Some(place) = Place::of(sent.message) else {
            return;
        };
        let asked = view.asked(sent);
        let mut kinds = HashSet::new();
        for extension in counted(block.iter()) {
            let kind = extension.kind;
            self.is_excused |= !kinds.insert(kind);
            let is_forbidden = place == Place::EncryptedExtensions;
            if is_unsolicited(view, sent, kind) {
                self.demand(AlertDescription::UNSUPPORTED_EXTENSION, "TLS-7");
                if is_forbidden {
                    self.demand(ILLEGAL, "TLS-19");
                }
            }
            let misplaced = is_specified(view, kind, place) == Some(false);
            if misplaced && recognises(view, receiver, kind) {
                self.demand(ILLEGAL, "TLS-8");
                if is_forbidden {
                    self.demand(ILLEGAL, "TLS-19");
                }
            }
            match view.tls_flags(extension) {
                Some(Err(error)) => {
                    for (alert, by) in malformed::demands(error) {
                        self.demand_if_known(view, receiver, *alert, by);
                    }
                }
                Some(Ok(flags)) => {
                    let mut flags = counted(flags.flags().iter());
                    if asked.is_some_and(|asked| flags.any(|flag| !asked.proposes(*flag))) {
                        self.demand_if_known(view, receiver, ILLEGAL, "TF-7");
                    }
                }
                None => {}
            }
        }
        if let Some(by) = misplaced_flag(view, receiver, sent) {
            self.demand_if_known(view, receiver, ILLEGAL, by);
        }
    }
}

/// Whether an extension of a response was not asked for, RFC 9846 §4.3 (RFC 8446 §4.2). A cookie in
/// HelloRetryRequest need not be.
pub(super) fn is_unsolicited(view: &View<'_>, sent: Sent<'_>, kind: ExtensionType) -> bool {
    let is_retry = matches!(sent.message, HandshakeMessage::HelloRetryRequest(_));
    let is_cookie = is_retry && kind == ExtensionType::COOKIE;
    let asked = view.asked(sent).filter(|_| !is_cookie);
    asked.is_some_and(|asked| !asked.asks_for(kind))
}

/// The requirement of the editor's copy that the request flag violates in this message.
fn misplaced_flag(view: &View<'_>, receiver: Side, sent: Sent<'_>) -> Option<&'static str> {
    if view.knowledge.revision != Revision::EditorsCopy || !view.sets_flag(sent.message) {
        return None;
    }
    match (sent.message, receiver) {
        (HandshakeMessage::ClientHello(_), _) => None,
        (HandshakeMessage::CertificateRequest(_), _) => {
            matches!(view.flag(), FlagSet::Never).then_some("RCA-6")
        }
        (_, Side::Client) => Some("RCA-7"),
        (_, Side::Server) => Some("RCA-8"),
    }
}

/// Whether a message asks for a certificate after the handshake of a client that did not offer it.
fn is_unoffered_late_request(view: &View<'_>, sent: Sent<'_>) -> bool {
    let is_request = sent.message.kind() == HandshakeType::CERTIFICATE_REQUEST && sent.is_late();
    is_request && !view.offers(ExtensionType::POST_HANDSHAKE_AUTH)
}

/// Whether the receiver of a `CompressedCertificate` offered to read one; `None` if it is none, or if what it
/// answers is not to be seen.
pub(super) fn offers_compression(view: &View<'_>, sent: Sent<'_>) -> Option<bool> {
    let kind = ExtensionType::COMPRESS_CERTIFICATE;
    if sent.message.kind() != HandshakeType::COMPRESSED_CERTIFICATE {
        return None;
    }
    match sent.entry.from {
        Side::Server => (!view.hellos().is_empty()).then(|| view.offers(kind)),
        Side::Client => view.sees_requests().then(|| {
            view.requests().any(|request| {
                request.sent.is_late() == sent.is_late() && request.kinds.contains(&kind)
            })
        }),
    }
}

/// A message's blocks of extensions: Certificate has one for each of its entries.
pub(super) fn blocks(message: &HandshakeMessage) -> Vec<Vec<&Extension>> {
    match message {
        HandshakeMessage::Certificate(certificate) => counted(certificate.certificates.iter())
            .map(|entry| entry.extensions.iter().collect())
            .collect(),
        _ => vec![message.extensions()],
    }
}

/// Whether a block of the message has an extension twice, RFC 9846 §4.3 (RFC 8446 §4.2).
pub(super) fn has_duplicate(message: &HandshakeMessage) -> bool {
    blocks(message).iter().any(|block| {
        let mut kinds = HashSet::new();
        counted(block.iter()).any(|extension| !kinds.insert(extension.kind))
    })
}

//! What a receiver does not know: it passes over requests, and refuses responses.

use super::answer::{Answer, Manner, answer, from, held};
use super::offence::{Fault, offence};
use super::view::{Sent, carries, flags, has_duplicate};
use super::{Shown, View};
use reqmtls_observer::{
    AlertDescription, Codepoints, Entry, ExtensionType, HandshakeMessage, Side,
};

/// TF-8. It defines what ClientHello, CertificateRequest and NewSessionTicket may carry, so a receiver
/// that refuses it breaks the format. Only the request flag is known to anyone here.
pub(in crate::judge) fn ignores_flags(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    ignoring(view, |receiver, message| {
        view.knows(receiver)
            && flags(message)
                .iter()
                .any(|flag| *flag != view.knowledge.flag)
    })
}

/// TLS-7. A server passes over what it does not know in ClientHello, whatever that contains; so does
/// a client in CertificateRequest and NewSessionTicket (RFC 8446 §4.3.2, §4.6.1). An extension in a
/// response that was not requested ends with `unsupported_extension`, which for a
/// receiver that knows `tls_flags` is in tension with TF-7.
pub(in crate::judge) fn unknown_extensions(view: &View<'_>) -> Vec<Shown> {
    let mut shown = ignoring(view, |receiver, message| {
        // The number of the early experiment is known to nobody any more.
        let unknown_flags = !view.knows(receiver) && carries(message, ExtensionType::TLS_FLAGS);
        unknown_flags || carries(message, ExtensionType::EARLY_EXPERIMENT)
    });
    let fault = Fault::UnsolicitedExtension;
    shown.extend(held(view, fault, Manner::Terminate));
    shown
}

/// For each receiver of something unknown: whether it passed over it.
fn ignoring(view: &View<'_>, is_unknown: impl Fn(Side, &HandshakeMessage) -> bool) -> Vec<Shown> {
    let by_receiver = |receiver: Side| {
        let sent = view.sent(receiver.peer()).find(|sent| {
            is_request(sent.message, receiver) && is_unknown(receiver, sent.message)
        })?;
        // An alert could as well be about something else that is wrong.
        if offence(view, receiver).is_some() || is_illegal_block(sent.message) {
            return None;
        }
        passed_over(view, receiver, sent)
    };
    Side::BOTH.into_iter().filter_map(by_receiver).collect()
}

fn is_request(message: &HandshakeMessage, receiver: Side) -> bool {
    match message {
        HandshakeMessage::ClientHello(_) => receiver == Side::Server,
        HandshakeMessage::CertificateRequest(_) | HandshakeMessage::NewSessionTicket { .. } => {
            receiver == Side::Client
        }
        _ => false,
    }
}

/// Whether a block is wrong without regard to what is in it: `pre_shared_key` stands last (RFC 8446 §4.2.11).
fn is_illegal_block(message: &HandshakeMessage) -> bool {
    let extensions = message.extensions();
    let before_last = extensions.iter().rev().skip(1);
    let psk = before_last.filter(|it| it.kind == ExtensionType::PRE_SHARED_KEY);
    let is_hello = matches!(message, HandshakeMessage::ClientHello(_));
    (is_hello && psk.count() > 0) || has_duplicate(message)
}

fn passed_over(view: &View<'_>, receiver: Side, sent: Sent<'_>) -> Option<Shown> {
    let name = sent.message.name();
    let kept = |entry: &Entry| {
        let got = format!("the {} went on after {name}", receiver.name());
        Shown::satisfied(view, receiver, entry, got)
    };
    if let (HandshakeMessage::ClientHello(_), Some((entry, _))) =
        (sent.message, view.server_hello())
    {
        return Some(kept(entry));
    }
    match answer(view, receiver, sent) {
        Answer::WentOn => Some(kept(sent.entry)),
        // A library may know the extension by itself; a client that sees that flags are malformed does.
        Answer::Alert(entry, alert)
            if receiver == Side::Client
                && is_about_encoding(alert.description)
                && has_malformed_flags(sent.message) =>
        {
            let got = format!("{}, of malformed flags in {name}", from(alert, receiver));
            Some(Shown::informational(view, receiver, entry, got))
        }
        Answer::Alert(entry, alert) if is_about_extensions(alert.description) => {
            let expected = format!(
                "that the {} passes over what it does not know",
                receiver.name()
            );
            let got = from(alert, receiver);
            Some(Shown::violated(view, receiver, entry, got, expected))
        }
        Answer::Alert(..) | Answer::Ended | Answer::Unknown => None,
    }
}

/// The alerts that refuse an extension for its content.
fn is_about_encoding(alert: AlertDescription) -> bool {
    is_about_extensions(alert) && alert != AlertDescription::UNSUPPORTED_EXTENSION
}

fn has_malformed_flags(message: &HandshakeMessage) -> bool {
    let mut extensions = message.extensions().into_iter();
    extensions.any(|extension| matches!(extension.tls_flags(Codepoints::default()), Some(Err(_))))
}

/// The alerts that refuse an extension; any other has another reason.
pub(in crate::judge) fn is_about_extensions(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::ILLEGAL_PARAMETER
            | AlertDescription::DECODE_ERROR
            | AlertDescription::UNSUPPORTED_EXTENSION
    )
}

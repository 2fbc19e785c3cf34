//! What a receiver does not recognise in a request: it passes over it.
//!
//! That a refusal is about an extension shows only by an alert that says so; others are reported as consistent
//! with it.

use reqmtls_observer::{AlertDescription, ExtensionType, HandshakeMessage, Side};

use super::answer::{Answer, answer, continued, is_about_extensions, sent_by};
use super::extensions::is_changed_after_retry;
use super::index::is_grease;
use super::view::{Sent, counted};
use super::{Shown, View};

/// The flag that draft-ietf-tls-tlsflags itself registers, `resumption_across_names`: receivers may know it.
const RESUMPTION_ACROSS_NAMES: u16 = 8;

/// TF-8: flags that nobody here knows, to a receiver that knows the extension.
pub(in crate::judge) fn ignores_flags(view: &View<'_>) -> Vec<Shown> {
    let known = [view.knowledge.flag, RESUMPTION_ACROSS_NAMES];
    ignoring(view, "flags that it does not know", |receiver, message| {
        view.knows(receiver)
            && counted(message.extensions().into_iter()).any(|extension| {
                let flags = view.tls_flags(extension).and_then(Result::ok);
                flags.is_some_and(|it| it.flags().iter().any(|flag| !known.contains(flag)))
            })
    })
}

/// TLS-13: extensions that the receiver does not recognise. Those are the numbers of GREASE, `tls_flags` where the
/// end is known not to implement it, and flags under another number than that of the extension.
pub(in crate::judge) fn ignores_extensions(view: &View<'_>) -> Vec<Shown> {
    let carrier = view.knowledge.codepoints().extension;
    let carriers = [ExtensionType::TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT];
    let what = "extensions that it does not recognise";
    ignoring(view, what, |receiver, message| {
        let is_unaware = view.knowledge.end(receiver).knows_flags == Some(false);
        counted(message.extensions().into_iter()).any(|extension| {
            let kind = extension.kind;
            let is_other_carrier = kind != carrier && carriers.contains(&kind);
            is_grease(kind) || is_other_carrier || (kind == carrier && is_unaware)
        })
    })
}

/// For each receiver of something that it does not know: whether it passed over it.
fn ignoring(
    view: &View<'_>,
    what: &str,
    is_unknown: impl Fn(Side, &HandshakeMessage) -> bool,
) -> Vec<Shown> {
    let by_receiver = |receiver: Side| {
        // An alert could as well be about something else that is wrong.
        let is_changed = receiver == Side::Server && is_changed_after_retry(view);
        if !view.is_tls13() || view.may_refuse(receiver) || is_changed {
            return None;
        }
        let sent = view.sent(receiver.peer()).find(|sent| {
            is_request(sent.message, receiver) && is_unknown(receiver, sent.message)
        })?;
        passed_over(view, receiver, sent, what)
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

fn passed_over(view: &View<'_>, receiver: Side, sent: Sent<'_>, what: &str) -> Option<Shown> {
    let name = sent.message.name();
    // A server that answers has read the whole ClientHello.
    if let (HandshakeMessage::ClientHello(_), Some((entry, _))) =
        (sent.message, view.server_hello())
    {
        let got = format!("{} after {name}", continued(receiver));
        return Some(Shown::satisfied(view, receiver, entry, got));
    }
    match answer(view, receiver, sent) {
        Answer::Continued(at) => {
            let got = format!("{} after {name}", continued(receiver));
            Some(Shown::satisfied(view, receiver, at, got))
        }
        Answer::Alert(at, alert)
            if alert.description == AlertDescription::UNSUPPORTED_EXTENSION =>
        {
            let expected = format!("{receiver} to ignore {what}");
            let got = sent_by(receiver, alert);
            Some(Shown::violated(view, receiver, at, got, expected))
        }
        Answer::Alert(at, alert) if is_about_extensions(alert.description) => {
            let sent = sent_by(receiver, alert);
            let got = format!("{sent} after {name}, consistent with refusing {what}");
            Some(Shown::informational(view, receiver, at, got))
        }
        Answer::Alert(..) | Answer::Ended | Answer::Unknown => None,
    }
}

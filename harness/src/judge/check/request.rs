//! CertificateRequest, RFC 9846 §4.4.2, §4.7.2 (RFC 8446 §4.3.2, §4.6.2).

use std::collections::HashSet;

use reqmtls_contract::Policy;
use reqmtls_observer::{ExtensionType, HandshakeMessage, HandshakeType, Side};

use super::view::Sent;
use super::{Shown, View};
use crate::judge::knowledge::Psk;

/// `tls_cert_with_extern_psk`, RFC 8773: with it in both hellos a server with an external PSK may ask.
const CERT_WITH_EXTERN_PSK: ExtensionType = ExtensionType(33);

/// TLS-1. The server's messages are in one direction, so their order is certain. In the main handshake neither
/// kind of PSK permits to ask; after it an external one does not.
pub(in crate::judge) fn place(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let permits_certificates =
        view.offers(CERT_WITH_EXTERN_PSK) && view.selects(CERT_WITH_EXTERN_PSK);
    let shown = if view.uses_psk() && !permits_certificates {
        with_psk(view)
    } else {
        after_encrypted_extensions(view)
    };
    shown.into_iter().collect()
}

fn with_psk(view: &View<'_>) -> Option<Shown> {
    let side = Side::Server;
    let expected = "no CertificateRequest";
    if let Some(request) = view.main_request() {
        let got = "CertificateRequest in the main handshake with a PSK";
        return Some(Shown::violated(
            view,
            side,
            request.sent.entry,
            got,
            expected,
        ));
    }
    let late = view.late_requests().next();
    if let Some(request) = late.filter(|_| view.knowledge.psk == Some(Psk::External)) {
        let got = "CertificateRequest after a handshake with an external PSK";
        return Some(Shown::violated(
            view,
            side,
            request.sent.entry,
            got,
            expected,
        ));
    }
    let got = "no CertificateRequest in the main handshake with a PSK";
    let finished = view.finished(side)?;
    Some(Shown::satisfied(view, side, finished, got))
}

fn after_encrypted_extensions(view: &View<'_>) -> Option<Shown> {
    let side = Side::Server;
    let expected = "CertificateRequest right after EncryptedExtensions";
    let mut satisfied = None;
    let mut before: Option<Sent<'_>> = None;
    for sent in view.sent(side).filter(|sent| !sent.is_late()) {
        if matches!(sent.message, HandshakeMessage::CertificateRequest(_)) {
            let other = before.map(|before| before.message);
            if other.is_none_or(|it| it.kind() != HandshakeType::ENCRYPTED_EXTENSIONS) {
                let other = other.map_or_else(|| "nothing".to_owned(), HandshakeMessage::name);
                let got = format!("CertificateRequest after {other}");
                return Some(Shown::violated(view, side, sent.entry, got, expected));
            }
            satisfied = Some(sent.entry);
        }
        before = Some(sent);
    }
    satisfied.map(|entry| Shown::satisfied(view, side, entry, expected))
}

/// TLS-12. A server whose policy is to ask after the handshake satisfies it as well by not asking a client that
/// did not offer it.
pub(in crate::judge) fn only_if_offered(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() || view.hellos().is_empty() {
        return Vec::new();
    }
    let side = Side::Server;
    let offered = view.offers(ExtensionType::POST_HANDSHAKE_AUTH);
    let would_ask = view.knowledge.policy == Some(Policy::PostHandshake);
    let late = view
        .late_requests()
        .next()
        .map(|request| request.sent.entry);
    let shown = match (late, view.finished(side)) {
        (Some(at), _) if offered => {
            let got = "CertificateRequest to a client that offered post_handshake_auth";
            Some(Shown::satisfied(view, side, at, got))
        }
        (Some(at), _) => {
            let got = "CertificateRequest to a client that did not offer post_handshake_auth";
            Some(Shown::violated(
                view,
                side,
                at,
                got,
                "no CertificateRequest",
            ))
        }
        (None, Some(finished)) if would_ask && !offered => {
            let got = "no CertificateRequest after the handshake";
            Some(Shown::satisfied(view, side, finished, got))
        }
        (None, _) => None,
    };
    shown.into_iter().collect()
}

/// TLS-15. The context is unique in the connection; after the handshake it may be empty if that is.
pub(in crate::judge) fn content(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let side = Side::Server;
    let mut contexts = HashSet::new();
    let mut first = None;
    for request in view.requests() {
        let entry = request.sent.entry;
        let is_new = contexts.insert(&request.body.context);
        let wrong = if !request.kinds.contains(&ExtensionType::SIGNATURE_ALGORITHMS) {
            Some((
                "CertificateRequest without signature_algorithms",
                "signature_algorithms",
            ))
        } else if !request.sent.is_late() && !request.body.context.is_empty() {
            Some(("a context in the main handshake", "an empty context"))
        } else if !is_new {
            Some(("a context for the second time", "a context of its own"))
        } else {
            None
        };
        if let Some((got, expected)) = wrong {
            return vec![Shown::violated(view, side, entry, got, expected)];
        }
        first.get_or_insert(entry);
    }
    let got = "CertificateRequest with signature_algorithms and a context of its own";
    let satisfied = first.map(|entry| Shown::satisfied(view, side, entry, got));
    satisfied.into_iter().collect()
}

//! Client authentication in TLS 1.3 (RFC 8446 §4.3.2, §4.4, §4.6.2).

use super::answer::{Answer, answer, from, name, tell};
use super::offence::offence;
use super::rm::absence_tension;
use super::view::Sent;
use super::{Shown, View};
use reqmtls_observer::{
    AlertDescription, Certificate, Epoch, ExtensionType, HandshakeMessage, HandshakeType, Octets,
    Side,
};

/// TLS-1. The server's messages are in one direction, so their order is certain.
pub(in crate::judge) fn request_place(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    if !view.is_tls13() {
        return Vec::new();
    }
    let request = view.main_request();
    if view.is_resumed() {
        let kept = view.finished(side).map(|finished| {
            let got = "no CertificateRequest with a PSK";
            Shown::satisfied(view, side, finished, got)
        });
        let broken = request.map(|sent| {
            let got = "CertificateRequest with a PSK";
            Shown::violated(view, side, sent.entry, got, "none in the main handshake")
        });
        return broken.or(kept).into_iter().collect();
    }
    let Some(request) = request else {
        return Vec::new();
    };
    let before = view
        .sent(side)
        .take_while(|sent| !std::ptr::eq(sent.entry, request.entry));
    let before = before.last().map(|sent| sent.message);
    let expected = "CertificateRequest after EncryptedExtensions";
    vec![match before {
        Some(message) if message.kind() == HandshakeType::ENCRYPTED_EXTENSIONS => {
            Shown::satisfied(view, side, request.entry, expected)
        }
        other => {
            let other = other.map_or_else(|| "nothing".to_owned(), HandshakeMessage::name);
            let got = format!("CertificateRequest after {other}");
            Shown::violated(view, side, request.entry, got, expected)
        }
    }]
}

/// TLS-2, for the main handshake and for each CertificateRequest after it.
///
/// A client that ends with an alert where its Certificate is due may have another reason: told. So is
/// an empty Certificate of a client that has one, for what was asked may not suit it.
pub(in crate::judge) fn answers_request(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let mut shown = unasked(view);
    let main = view.main_request();
    if let (None, Some(finished), true) = (main, view.finished(Side::Client), shown.is_empty()) {
        let got = "no Certificate, not asked";
        shown.push(Shown::satisfied(view, Side::Client, finished, got));
    }
    let offered = offers_post_handshake(view);
    let due = view
        .requests()
        .filter(|sent| offered || sent.entry.epoch != Epoch::Application);
    shown.extend(due.filter_map(|request| answered(view, request)));
    shown
}

/// The client's messages from its answer to a request on.
fn flight<'a>(
    view: &View<'a>,
    request: Sent<'a>,
) -> Option<(Sent<'a>, &'a Certificate, Vec<Sent<'a>>)> {
    let wanted = context(request)?;
    let mut sent = view
        .sent(Side::Client)
        .skip_while(|sent| certificate(*sent).is_none_or(|it| it.context != *wanted));
    let first = sent.next()?;
    Some((first, certificate(first)?, sent.collect()))
}

/// Whether a message is a Certificate, compressed and malformed ones included.
pub(in crate::judge) fn is_some_certificate(message: &HandshakeMessage) -> bool {
    matches!(
        message.kind(),
        HandshakeType::CERTIFICATE | HandshakeType::COMPRESSED_CERTIFICATE
    )
}

fn certificate(sent: Sent<'_>) -> Option<&Certificate> {
    match sent.message {
        HandshakeMessage::Certificate(certificate) => Some(certificate),
        _ => None,
    }
}

fn context(request: Sent<'_>) -> Option<&Octets> {
    match request.message {
        HandshakeMessage::CertificateRequest(request) => Some(&request.context),
        _ => None,
    }
}

/// Certificates of the client that no request asked for.
fn unasked(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Client;
    // A context is used once in a connection, and is empty in the main handshake.
    let requests = view.requests();
    let mut open: Vec<&Octets> = requests.filter_map(context).collect();
    let mut shown = Vec::new();
    for sent in view.sent(side) {
        let Some(certificate) = certificate(sent) else {
            continue;
        };
        let asked = |context: &&Octets| **context == certificate.context;
        if let Some(place) = open.iter().position(asked) {
            open.remove(place);
        } else {
            let got = "Certificate, not asked for";
            shown.push(Shown::violated(view, side, sent.entry, got, "none"));
        }
    }
    shown
}

fn answered(view: &View<'_>, request: Sent<'_>) -> Option<Shown> {
    let side = Side::Client;
    // What a compressed Certificate holds is not known here.
    let mut sent = view.sent(side);
    if sent.any(|it| it.message.kind() == HandshakeType::COMPRESSED_CERTIFICATE) {
        return None;
    }
    let Some((sent, certificate, rest)) = flight(view, request) else {
        return missing(view, request);
    };
    let count = certificate.certificates.len();
    let has_identity = view.knowledge.client_has_certificate == Some(true);
    let finished = rest
        .iter()
        .any(|sent| matches!(sent.message, HandshakeMessage::Finished));
    let refused = Side::BOTH.iter().any(|side| view.fatal(*side).is_some());
    if count > 0 && !has_identity {
        let got = format!("{count} certificates of a client without any");
        return Some(Shown::violated(
            view,
            side,
            sent.entry,
            got,
            "an empty Certificate",
        ));
    }
    if !finished {
        // An alert of either side ends the handshake at any place.
        let is_cut = refused || view.is_unreadable(side);
        let broken = || Shown::violated(view, side, sent.entry, "no Finished", "Finished");
        return (!is_cut).then(broken);
    }
    Some(if count == 0 && has_identity {
        let got = "an empty Certificate of a client that has one";
        Shown::informational(view, side, sent.entry, got)
    } else {
        Shown::satisfied(view, side, sent.entry, format!("{count} certificates"))
    })
}

/// What the client did in place of Certificate.
fn missing(view: &View<'_>, request: Sent<'_>) -> Option<Shown> {
    let side = Side::Client;
    Some(match answer(view, side, request) {
        Answer::WentOn => {
            Shown::violated(view, side, request.entry, "no Certificate", "Certificate")
        }
        Answer::Alert(entry, alert) => {
            let got = format!("{} in place of Certificate", from(alert, side));
            Shown::informational(view, side, entry, got)
        }
        Answer::Ended => {
            let got = "an end of the client in place of Certificate";
            Shown::informational(view, side, request.entry, got)
        }
        Answer::Unknown => return None,
    })
}

/// TLS-3, for both sides: each Certificate is held against the message that follows it.
pub(in crate::judge) fn verify_follows(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let sides = Side::BOTH.into_iter();
    sides.filter_map(|side| verified(view, side)).collect()
}

fn verified(view: &View<'_>, side: Side) -> Option<Shown> {
    let expected = "CertificateVerify after a Certificate that is not empty, and only then";
    let mut kept = None;
    let mut before: Option<Sent<'_>> = None;
    for sent in view.sent(side) {
        let is_verify = sent.message.kind() == HandshakeType::CERTIFICATE_VERIFY;
        let is_wrong = match before.map(|it| it.message) {
            Some(HandshakeMessage::Certificate(certificate)) => {
                kept.get_or_insert(sent.entry);
                certificate.certificates.is_empty() == is_verify
            }
            // Nor is it known here what a compressed or malformed one holds.
            Some(other) if is_some_certificate(other) => false,
            _ => is_verify,
        };
        if is_wrong {
            let got = match before.and_then(certificate).map(|it| it.certificates.len()) {
                Some(count) => format!("{} after {count} certificates", sent.message.name()),
                None => "CertificateVerify without Certificate".to_owned(),
            };
            return Some(Shown::violated(view, side, sent.entry, got, expected));
        }
        before = Some(sent);
    }
    kept.map(|entry| Shown::satisfied(view, side, entry, expected))
}

/// An empty Certificate of the client, in TLS 1.3.
pub(in crate::judge) fn empty_certificate_sent<'a>(view: &View<'a>) -> Option<Sent<'a>> {
    let mut sent = view.sent(Side::Client).filter(|_| view.is_tls13());
    sent.find(|sent| certificate(*sent).is_some_and(|it| it.certificates.is_empty()))
}

/// The server's alert after an empty Certificate, where RM-3 and TLS-4 pull at it.
pub(in crate::judge) fn absent_alert(view: &View<'_>) -> Option<Shown> {
    let (entry, alert) = view.fatal(Side::Server)?;
    let verdict = absence_tension(view, alert.description)?;
    Some(Shown::of(
        view,
        Side::Server,
        verdict,
        Some(entry),
        from(alert, Side::Server),
    ))
}

/// TLS-4, a MAY: what the server chose is told, as a tension with RM-3 where that applies.
pub(in crate::judge) fn empty_certificate(view: &View<'_>) -> Vec<Shown> {
    let Some(empty) = empty_certificate_sent(view) else {
        return Vec::new();
    };
    absent_alert(view)
        .or_else(|| tell(view, Side::Server, empty))
        .into_iter()
        .collect()
}

/// TLS-5, a MAY: which alert it was, and whether the section names it. A server that goes on shows only by its
/// report that it did not accept the chain. Where something else than the chain is wrong (TLS-6, flags
/// in Certificate), the alert is about that.
pub(in crate::judge) fn unacceptable_chain(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let chain = view
        .sent(Side::Client)
        .find(|sent| certificate(*sent).is_some_and(|it| !it.certificates.is_empty()));
    let is_wrong =
        view.knowledge.client.signature_verifies == Some(false) || offence(view, side).is_some();
    let Some(chain) = chain.filter(|_| view.is_tls13() && !is_wrong) else {
        return Vec::new();
    };
    let shown = match answer(view, side, chain) {
        Answer::Alert(entry, alert) if is_named(alert.description) => {
            Shown::informational(view, side, entry, from(alert, side))
        }
        Answer::Alert(entry, alert) => {
            let alert = name(alert.description);
            let got = format!("{alert} from the server, which is none of the named ones");
            Shown::informational(view, side, entry, got)
        }
        Answer::WentOn if view.knowledge.authenticated == Some(None) => {
            let got = "the server went on without accepting the chain";
            Shown::informational(view, side, chain.entry, got)
        }
        Answer::WentOn | Answer::Ended | Answer::Unknown => return Vec::new(),
    };
    vec![shown]
}

fn is_named(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::UNKNOWN_CA
            | AlertDescription::CERTIFICATE_EXPIRED
            | AlertDescription::UNSUPPORTED_CERTIFICATE
            | AlertDescription::BAD_CERTIFICATE
            | AlertDescription::CERTIFICATE_UNKNOWN
    )
}

/// TLS-6, where an end was told to spoil its signature: nothing else shows that one does not verify. An end that
/// closes without any alert is told: the alert has to be this one if any is sent (RFC 8446 §6.2).
pub(in crate::judge) fn bad_signature(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let by_signer = |signer: Side| {
        let sent = view
            .sent(signer)
            .find(|sent| matches!(sent.message, HandshakeMessage::CertificateVerify(_)))
            .filter(|_| view.knowledge.end(signer).signature_verifies == Some(false))?;
        let verifier = signer.peer();
        let expected = format!("decrypt_error(51) from the {}", verifier.name());
        match answer(view, verifier, sent) {
            Answer::Alert(entry, alert) if alert.description == AlertDescription::DECRYPT_ERROR => {
                Some(Shown::satisfied(
                    view,
                    verifier,
                    entry,
                    from(alert, verifier),
                ))
            }
            Answer::Alert(entry, alert) => {
                let got = from(alert, verifier);
                Some(Shown::violated(view, verifier, entry, got, expected))
            }
            Answer::WentOn => {
                let got = format!("the {} went on", verifier.name());
                Some(Shown::violated(view, verifier, sent.entry, got, expected))
            }
            Answer::Ended | Answer::Unknown => tell(view, verifier, sent),
        }
    };
    Side::BOTH.into_iter().filter_map(by_signer).collect()
}

fn offers_post_handshake(view: &View<'_>) -> bool {
    let mut hellos = view.hellos();
    hellos.any(|(_, hello)| hello.offers(ExtensionType::POST_HANDSHAKE_AUTH))
}

/// TLS-12. A server whose policy is to ask after the handshake keeps it as well by not asking a client
/// that did not offer it.
pub(in crate::judge) fn only_if_offered(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let offered = offers_post_handshake(view);
    let late = view
        .requests()
        .find(|sent| sent.entry.epoch == Epoch::Application);
    let tempted = view.knowledge.policy == Some(reqmtls_contract::Policy::PostHandshake);
    let shown = match (late, view.finished(side)) {
        (Some(sent), _) if offered => {
            let got = "CertificateRequest to a client that offered it";
            Some(Shown::satisfied(view, side, sent.entry, got))
        }
        (Some(sent), _) => {
            let got = "CertificateRequest to a client that did not offer post_handshake_auth";
            Some(Shown::violated(view, side, sent.entry, got, "none"))
        }
        (None, Some(finished)) if tempted && !offered && view.is_tls13() => {
            let got = "no CertificateRequest after the handshake";
            Some(Shown::satisfied(view, side, finished, got))
        }
        (None, _) => None,
    };
    shown.into_iter().collect()
}

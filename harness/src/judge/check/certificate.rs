//! Certificate, CertificateVerify and what belongs to them, RFC 9846 §4.5.1, §4.5.2, §4.7.2 (RFC 8446 §4.4.2,
//! §4.4.3, §4.6.2), and RFC 8879.

use std::collections::HashMap;

use reqmtls_observer::{
    Certificate, Content, Entry, Epoch, ExtensionType, HandshakeMessage, HandshakeType, Side,
};

use super::answer::{Answer, answer, held, name as alert_name, reported};
use super::index::Request;
use super::offence::offers_compression;
use super::view::{Chain, Sent, chain};
use super::{Shown, View};

/// TLS-2: no Certificate without a request, and in the main handshake one for the request. What a client answers
/// after the handshake is for TLS-14.
///
/// A client that ends the connection in place of Certificate violates nothing here: reported. So is an empty
/// Certificate of a client that has one, for whether that suits the request is not to be seen.
pub(in crate::judge) fn if_and_only_if_asked(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let side = Side::Client;
    if let Some(entry) = unasked(view) {
        let got = "Certificate without CertificateRequest";
        return vec![Shown::violated(view, side, entry, got, "no Certificate")];
    }
    let shown = match (view.main_request(), view.finished(side)) {
        (Some(request), _) => answered(view, request),
        (None, Some(finished)) if view.sees_requests() => {
            let got = "no Certificate, not asked for";
            Some(Shown::satisfied(view, side, finished, got))
        }
        (None, _) => None,
    };
    shown.into_iter().collect()
}

/// The first Certificate of the client that no request asked for: a context is answered once.
fn unasked<'a>(view: &View<'a>) -> Option<&'a Entry> {
    if !view.sees_requests() {
        return None;
    }
    let mut open: HashMap<&[u8], usize> = HashMap::new();
    let mut asked = 0_usize;
    for request in view.requests() {
        *open.entry(&request.body.context).or_default() += 1;
        asked += 1;
    }
    for sent in view.sent(Side::Client) {
        match chain(sent.message) {
            None => continue,
            Some(Chain::Unread) if asked == 0 => return Some(sent.entry),
            // Which one it answers is not known, and from here on which one is open.
            Some(Chain::Unread) => return None,
            Some(Chain::Read(certificate)) => match open.get_mut(&certificate.context[..]) {
                Some(count) if *count > 0 => *count -= 1,
                _ => return Some(sent.entry),
            },
        }
        asked = asked.saturating_sub(1);
    }
    None
}

/// The client's Certificate for a request of the main handshake.
pub(super) fn main_certificate<'a>(view: &View<'a>) -> Option<Sent<'a>> {
    let mut sent = view.sent(Side::Client).filter(|sent| !sent.is_late());
    sent.find(|sent| chain(sent.message).is_some())
}

fn answered(view: &View<'_>, request: &Request<'_>) -> Option<Shown> {
    let side = Side::Client;
    let Some(sent) = main_certificate(view) else {
        return missing(view, request.sent);
    };
    let Some(Chain::Read(certificate)) = chain(sent.message) else {
        let got = sent.message.name();
        return Some(Shown::satisfied(view, side, sent.entry, got));
    };
    let count = certificate.certificates.len();
    let has_one = view.knowledge.client_has_certificate;
    if count > 0 && has_one == Some(false) {
        let got = format!("{count} certificates of a client that has none");
        return Some(Shown::violated(
            view,
            side,
            sent.entry,
            got,
            "an empty Certificate",
        ));
    }
    let is_finished = |it: Sent<'_>| *it.message == HandshakeMessage::Finished;
    if !view.sent_after(sent.entry).any(is_finished) {
        // An alert of either side ends the handshake at any place, and so may an end without one.
        let mut later = view.entries(side);
        let beyond = later.find(|entry| entry.epoch == Epoch::Application)?;
        let is_data = matches!(
            beyond.content,
            Content::ApplicationData { .. } | Content::Message(_)
        );
        return is_data.then(|| {
            Shown::violated(
                view,
                side,
                beyond,
                "client continued without Finished",
                "Finished",
            )
        });
    }
    Some(if count == 0 && has_one == Some(true) {
        let got = "an empty Certificate of a client that has one";
        Shown::informational(view, side, sent.entry, got)
    } else {
        Shown::satisfied(view, side, sent.entry, certificates(count))
    })
}

/// What the client did in place of Certificate.
fn missing(view: &View<'_>, request: Sent<'_>) -> Option<Shown> {
    let side = Side::Client;
    match answer(view, side, request) {
        Answer::Continued(at) => {
            let got = "client continued without Certificate";
            Some(Shown::violated(view, side, at, got, "Certificate"))
        }
        answer => {
            let mut shown = reported(view, side, request, answer)?;
            shown.got.push_str(" in place of Certificate");
            Some(shown)
        }
    }
}

/// `an empty Certificate` or how many there are in it.
fn certificates(count: usize) -> String {
    match count {
        0 => "an empty Certificate".to_owned(),
        1 => "1 certificate".to_owned(),
        _ => format!("{count} certificates"),
    }
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
    let mut satisfied = None;
    let mut before: Option<Sent<'_>> = None;
    for sent in view.sent(side) {
        let is_verify = sent.message.kind() == HandshakeType::CERTIFICATE_VERIFY;
        let name = sent.message.name();
        let wrong = match before.and_then(|before| chain(before.message)) {
            Some(Chain::Read(certificate)) => {
                let is_empty = certificate.certificates.is_empty();
                satisfied.get_or_insert((sent.entry, is_empty));
                match (is_empty, is_verify) {
                    (true, true) => Some((
                        "CertificateVerify after an empty Certificate".to_owned(),
                        "no CertificateVerify",
                    )),
                    (false, false) => Some((
                        format!("{name} after a Certificate that is not empty"),
                        "CertificateVerify",
                    )),
                    _ => None,
                }
            }
            None if is_verify => Some((
                "CertificateVerify without Certificate".to_owned(),
                "Certificate right before it",
            )),
            Some(Chain::Unread) | None => None,
        };
        if let Some((got, expected)) = wrong {
            return Some(Shown::violated(view, side, sent.entry, got, expected));
        }
        before = Some(sent);
    }
    satisfied.map(|(entry, is_empty)| {
        let got = if is_empty {
            "no CertificateVerify after an empty Certificate"
        } else {
            "CertificateVerify right after Certificate"
        };
        Shown::satisfied(view, side, entry, got)
    })
}

/// TLS-14. A client that offered `post_handshake_auth` and closes without an answer is reported: when it has to
/// answer no document says, and it may close at any time.
pub(in crate::judge) fn answers_late_request(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() || view.hellos().is_empty() {
        return Vec::new();
    }
    let mut shown = held(view, "TLS-14");
    if view.offers(ExtensionType::POST_HANDSHAKE_AUTH) {
        shown.extend(answered_late(view));
    }
    shown
}

fn answered_late(view: &View<'_>) -> Option<Shown> {
    let side = Side::Client;
    let first = view.late_requests().next()?;
    let mut satisfied = None;
    // The messages of one answer are consecutive: what stands between belongs to another type or answer.
    let mut entries = view
        .entries(side)
        .filter(|entry| entry.epoch == Epoch::Application);
    while let Some(entry) = entries.next() {
        let Some(Chain::Read(certificate)) = entry.message().and_then(chain) else {
            continue;
        };
        match rest(certificate, &mut entries) {
            Rest::Cut => {}
            Rest::Complete => {
                satisfied.get_or_insert(entry);
            }
            Rest::Other(other) => {
                let got = format!("{} between the messages of an answer", name(other));
                let expected = "Certificate, CertificateVerify and Finished one after the other";
                return Some(Shown::violated(view, side, other, got, expected));
            }
        }
    }
    if let Some(entry) = satisfied {
        let got = "an answer without other messages between";
        return Some(Shown::satisfied(view, side, entry, got));
    }
    let answers = view
        .sent(side)
        .any(|sent| sent.is_late() && chain(sent.message).is_some());
    let closed = view
        .close_notify(side)
        .filter(|_| !answers && !view.is_unreadable(side))?;
    let is_behind = first.sent.entry.is_complete_before(closed);
    let got = "client closed without an answer to CertificateRequest";
    is_behind.then(|| Shown::informational(view, side, closed, got))
}

/// What follows the Certificate of an answer.
enum Rest<'a> {
    /// CertificateVerify, if there is something to verify, and Finished.
    Complete,
    /// Something else in place of one of them.
    Other(&'a Entry),
    /// Nothing more, or an alert.
    Cut,
}

fn rest<'a>(certificate: &Certificate, entries: &mut impl Iterator<Item = &'a Entry>) -> Rest<'a> {
    let mut expected = &[HandshakeType::CERTIFICATE_VERIFY, HandshakeType::FINISHED][..];
    if certificate.certificates.is_empty() {
        expected = &expected[1..];
    }
    for kind in expected {
        let Some(entry) = entries.next() else {
            return Rest::Cut;
        };
        match &entry.content {
            Content::Message(message) if message.kind() == *kind => {}
            Content::Alert(alert) if !alert.is_close_notify() => return Rest::Cut,
            _ => return Rest::Other(entry),
        }
    }
    Rest::Complete
}

/// What an entry is called.
fn name(entry: &Entry) -> String {
    match &entry.content {
        Content::Message(message) => message.name(),
        Content::Alert(alert) => alert_name(alert.description),
        Content::ApplicationData { .. } => "application data".to_owned(),
        _ => "another record".to_owned(),
    }
}

/// TLS-16: the server's Certificate, and the client's answer to an empty one.
pub(in crate::judge) fn server_sends_some(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let side = Side::Server;
    let chains = view
        .sent(side)
        .filter_map(|sent| match chain(sent.message)? {
            Chain::Read(certificate) => Some((sent.entry, certificate.certificates.len())),
            Chain::Unread => None,
        });
    let chains: Vec<_> = chains.collect();
    let empty = chains.iter().find(|(_, count)| *count == 0);
    let shown = empty.or(chains.first()).map(|(entry, count)| match count {
        0 => Shown::violated(
            view,
            side,
            entry,
            certificates(0),
            "at least one certificate",
        ),
        _ => Shown::satisfied(view, side, entry, certificates(*count)),
    });
    shown.into_iter().chain(held(view, "TLS-16")).collect()
}

/// TLS-22, for both sides.
pub(in crate::judge) fn compressed_if_offered(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let by_side = |side| {
        let find = |wanted| {
            let mut sent = view.sent(side);
            sent.find(|sent| offers_compression(view, *sent) == Some(wanted))
        };
        let got = "CompressedCertificate to an end that";
        let wrong = find(false).map(|sent| {
            let got = format!("{got} did not offer compress_certificate");
            Shown::violated(view, side, sent.entry, got, "Certificate")
        });
        wrong.or_else(|| {
            let sent = find(true)?;
            let got = format!("{got} offered compress_certificate");
            Some(Shown::satisfied(view, side, sent.entry, got))
        })
    };
    Side::BOTH.into_iter().filter_map(by_side).collect()
}

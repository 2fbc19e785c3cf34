//! The request mTLS flag, draft-jhoyla-req-mtls-flag-00 to -02.

use reqmtls_contract::Revision;
use reqmtls_observer::{AlertDescription, Entry, HandshakeMessage, Side};

use super::answer::{Answer, answer, reported, sent_by};
use super::refusal::absent_certificate as absent;
use super::view::FlagSet;
use super::{Shown, View, tension};

/// RM-1, a MAY: whether the server made use of it. That it asks because of the flag is not to be seen.
pub(in crate::judge) fn may_request(view: &View<'_>) -> Vec<Shown> {
    let (Some(hello), Some(_)) = (view.flagged_hello(), full_handshake(view)) else {
        return Vec::new();
    };
    let (entry, got) = match view.main_request() {
        Some(request) => (
            request.sent.entry,
            "CertificateRequest to a client that set the flag",
        ),
        None => (hello, "no CertificateRequest to a client that set the flag"),
    };
    vec![Shown::informational(view, Side::Server, entry, got)]
}

/// RM-2, an explanation and nobody's duty: reported where the flag and CertificateRequest do not go together.
pub(in crate::judge) fn hint(view: &View<'_>) -> Vec<Shown> {
    if full_handshake(view).is_none() {
        return Vec::new();
    }
    let (entry, got) = match (view.flag(), view.main_request()) {
        (FlagSet::Never, Some(request)) => {
            (request.sent.entry, "CertificateRequest without the flag")
        }
        (FlagSet::Always(hello), None) => (hello, "the flag without CertificateRequest"),
        _ => return Vec::new(),
    };
    vec![Shown::informational(view, Side::Server, entry, got)]
}

/// A server's Finished of a TLS 1.3 handshake without PSK: there it has asked, or it never will.
pub(super) fn full_handshake<'a>(view: &View<'a>) -> Option<&'a Entry> {
    let full = view.is_tls13() && !view.uses_psk();
    view.finished(Side::Server).filter(|_| full)
}

/// Whether RM-3 permits another alert for an absent certificate than TLS-4 names: under these revisions, and
/// towards a client that set the flag.
pub(super) fn permits_bad_certificate(view: &View<'_>) -> bool {
    view.knowledge.revision == Revision::Draft02 && view.flagged_hello().is_some()
}

/// RM-3, a MAY. It names `bad_certificate` where TLS-4 names `certificate_required`: either is a tension, and a
/// server that does without a certificate follows neither.
pub(in crate::judge) fn absent_certificate(view: &View<'_>) -> Vec<Shown> {
    let (true, Some(empty)) = (permits_bad_certificate(view), absent(view)) else {
        return Vec::new();
    };
    let side = Side::Server;
    let answer = answer(view, side, empty);
    let verdict = match answer {
        Answer::Alert(_, alert) => match alert.description {
            AlertDescription::BAD_CERTIFICATE => Some(tension("RM-3", "TLS-4")),
            AlertDescription::CERTIFICATE_REQUIRED => Some(tension("TLS-4", "RM-3")),
            _ => None,
        },
        _ => None,
    };
    match (verdict, answer) {
        (Some(verdict), Answer::Alert(at, alert)) => {
            vec![Shown::of(
                view,
                side,
                verdict,
                Some(at),
                sent_by(side, alert),
            )]
        }
        _ => reported(view, side, empty, answer).into_iter().collect(),
    }
}

/// RM-4. It fills the column "Message" of the registry of flags, which defines where the flag may stand:
/// who sends it elsewhere violates it. No sentence says what a receiver does about it: reported.
pub(in crate::judge) fn client_hello_only(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let mut shown = Vec::new();
    for side in Side::BOTH {
        let elsewhere = view.sent(side).find(|sent| {
            let is_hello = matches!(sent.message, HandshakeMessage::ClientHello(_));
            !is_hello && view.sets_flag(sent.message)
        });
        if let Some(sent) = elsewhere {
            let got = format!("the flag in {}", sent.message.name());
            let expected = "the flag in ClientHello only";
            shown.push(Shown::violated(view, side, sent.entry, got, expected));
            let receiver = side.peer();
            let answer = answer(view, receiver, sent);
            shown.extend(reported(view, receiver, sent, answer));
            continue;
        }
        let satisfied = match (side, view.flagged_hello(), view.server_hello()) {
            (Side::Client, Some(hello), _) => Some((hello, "the flag in ClientHello only")),
            (Side::Server, Some(_), Some((entry, _))) => {
                Some((entry, "the flag in no message of the server"))
            }
            _ => None,
        };
        shown.extend(satisfied.map(|(entry, got)| Shown::satisfied(view, side, entry, got)));
    }
    shown
}

/// RM-5. The document leaves it to the server whom it asks (RM-2), and a policy on the flag is the server's
/// own word on that: with it, a server that asks without the flag, asks only after the handshake or does not
/// ask at all misses what the flag is for. It is not judged where it must not ask (resumption), where the second
/// ClientHello differs from the first, and where it must refuse what it received.
pub(in crate::judge) fn asks_on_flag(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let Some(finished) = full_handshake(view).filter(|_| view.is_on_flag()) else {
        return Vec::new();
    };
    if view.may_refuse(side) {
        return Vec::new();
    }
    let main = view.main_request().map(|request| request.sent.entry);
    let late = view
        .late_requests()
        .next()
        .map(|request| request.sent.entry);
    let in_main = "CertificateRequest in the main handshake";
    vec![match (view.flag(), main, late) {
        (FlagSet::Unclear, ..) => return Vec::new(),
        (FlagSet::Always(_), Some(at), _) => Shown::satisfied(
            view,
            side,
            at,
            "CertificateRequest to a client that set the flag",
        ),
        (FlagSet::Always(_), None, Some(at)) => {
            let got = "CertificateRequest after the handshake";
            Shown::violated(view, side, at, got, in_main)
        }
        (FlagSet::Always(_), None, None) => {
            Shown::violated(view, side, finished, "no CertificateRequest", in_main)
        }
        (FlagSet::Never, None, None) => {
            let got = "no CertificateRequest to a client that did not set the flag";
            Shown::satisfied(view, side, finished, got)
        }
        (FlagSet::Never, Some(at), _) | (FlagSet::Never, None, Some(at)) => {
            let got = "CertificateRequest to a client that did not set the flag";
            Shown::violated(view, side, at, got, "no CertificateRequest")
        }
    }]
}

//! The request mTLS flag, revisions -00 to -02.

use super::answer::tell;
use super::authentication::{absent_alert, empty_certificate_sent};
use super::offence::offence;
use super::view::sets;
use super::{Shown, Verdict, View, tension};
use reqmtls_observer::{AlertDescription, Entry, Epoch, HandshakeMessage, Side};

/// RM-1, a MAY: whether the server made use of it is told.
pub(in crate::judge) fn may_request(view: &View<'_>) -> Vec<Shown> {
    let (Some(hello), Some(_)) = (view.flagged_hello(), full_handshake(view)) else {
        return Vec::new();
    };
    vec![match view.main_request() {
        Some(sent) => Shown::informational(
            view,
            Side::Server,
            sent.entry,
            "CertificateRequest on the flag",
        ),
        None => Shown::informational(
            view,
            Side::Server,
            hello,
            "no CertificateRequest, flag or not",
        ),
    }]
}

/// RM-2, an explanation and nobody's duty: told where the flag and CertificateRequest do not go together.
pub(in crate::judge) fn hint(view: &View<'_>) -> Vec<Shown> {
    if full_handshake(view).is_none() {
        return Vec::new();
    }
    let (entry, got) = match (view.flagged_hello(), view.main_request()) {
        (None, Some(sent)) => (sent.entry, "CertificateRequest without the flag"),
        (Some(hello), None) => (hello, "the flag without CertificateRequest"),
        _ => return Vec::new(),
    };
    vec![Shown::informational(view, Side::Server, entry, got)]
}

/// A server's Finished of a TLS 1.3 handshake without PSK: there it has asked, or it never will.
fn full_handshake<'a>(view: &View<'a>) -> Option<&'a Entry> {
    let full = view.is_tls13() && !view.is_resumed();
    view.finished(Side::Server).filter(|_| full)
}

/// RM-3, a MAY. It names `bad_certificate` where TLS-4 names `certificate_required`: either is told
/// as a tension, and a server that does without a certificate follows neither.
pub(in crate::judge) fn absent_certificate(view: &View<'_>) -> Vec<Shown> {
    let (Some(_), Some(empty)) = (view.flagged_hello(), empty_certificate_sent(view)) else {
        return Vec::new();
    };
    absent_alert(view)
        .or_else(|| tell(view, Side::Server, empty))
        .into_iter()
        .collect()
}

/// The tension between RM-3 and TLS-4, if the server's alert is in it.
pub(in crate::judge) fn absence_tension(
    view: &View<'_>,
    alert: AlertDescription,
) -> Option<Verdict> {
    let (follows, against) = match alert {
        AlertDescription::BAD_CERTIFICATE => ("RM-3", "TLS-4"),
        AlertDescription::CERTIFICATE_REQUIRED => ("TLS-4", "RM-3"),
        _ => return None,
    };
    let applies = view.knowledge.revision == reqmtls_contract::Revision::Draft02
        && view.flagged_hello().is_some();
    applies.then(|| tension(follows, against))
}

/// RM-4. It fills the column "Message" of the registry of flags, which defines where the flag may stand:
/// who sends it elsewhere breaks it. No sentence says what a receiver does about it: told.
pub(in crate::judge) fn client_hello_only(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let mut shown = Vec::new();
    for side in Side::BOTH {
        let elsewhere = view.sent(side).find(|sent| {
            !matches!(sent.message, HandshakeMessage::ClientHello(_))
                && sets(sent.message, view.knowledge.flag)
        });
        if let Some(sent) = elsewhere {
            let got = format!("the flag in {}", sent.message.name());
            let expected = "the flag in ClientHello only";
            shown.push(Shown::violated(view, side, sent.entry, got, expected));
            shown.extend(tell(view, side.peer(), sent));
            continue;
        }
        let kept = match side {
            Side::Client => view
                .flagged_hello()
                .map(|at| (at, "the flag in ClientHello only")),
            Side::Server => view.flagged_hello().and_then(|_| {
                let (entry, _) = view.server_hello()?;
                Some((entry, "the flag in no message of the server"))
            }),
        };
        shown.extend(kept.map(|(entry, got)| Shown::satisfied(view, side, entry, got)));
    }
    shown
}

/// RM-5. The document leaves it to the server whom it asks (RM-2), and the policy on the flag is a
/// server's word on that: with it, a server that asks without the flag, asks only after the
/// handshake or does not ask at all misses what the flag is for. It is not judged where it must not ask
/// (resumption), and where the second ClientHello differs, and where it must refuse what it received.
pub(in crate::judge) fn asks_on_flag(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let Some(finished) = full_handshake(view).filter(|_| view.is_on_flag()) else {
        return Vec::new();
    };
    let set_in_each: Vec<bool> = view
        .sent(Side::Client)
        .filter(|sent| matches!(sent.message, HandshakeMessage::ClientHello(_)))
        .map(|sent| sets(sent.message, view.knowledge.flag))
        .collect();
    let is_set = view.flagged_hello().is_some();
    if set_in_each.iter().any(|set| *set != is_set) || offence(view, side).is_some() {
        return Vec::new();
    }
    let mut late = view
        .requests()
        .filter(|sent| sent.entry.epoch == Epoch::Application);
    vec![match (is_set, view.main_request(), late.next()) {
        (true, Some(sent), _) => {
            Shown::satisfied(view, side, sent.entry, "CertificateRequest on the flag")
        }
        (false, None, None) => Shown::satisfied(
            view,
            side,
            finished,
            "no CertificateRequest without the flag",
        ),
        (false, Some(sent), _) | (false, None, Some(sent)) => {
            let got = "CertificateRequest without the flag";
            Shown::violated(view, side, sent.entry, got, "none")
        }
        (true, None, Some(sent)) => {
            let got = "CertificateRequest after the handshake";
            Shown::violated(view, side, sent.entry, got, "one in the main handshake")
        }
        (true, None, None) => {
            let got = "no CertificateRequest";
            Shown::violated(view, side, finished, got, "one in the main handshake")
        }
    }]
}

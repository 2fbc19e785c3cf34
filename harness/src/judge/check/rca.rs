//! The editor's copy, where the flag is acknowledged in CertificateRequest.
//!
//! draft-ietf-tls-tlsflags §3 does not list CertificateRequest among the messages that acknowledge a flag of
//! ClientHello, and allows any flag there: to it, what RCA calls an acknowledgement is a proposal.

use reqmtls_contract::Revision;
use reqmtls_observer::{AlertDescription, ExtensionType, HandshakeMessage, Side};

use super::answer::{Answer, answer, ended, sent_by};
use super::certificate::main_certificate;
use super::refusal::is_about_certificates;
use super::rm::full_handshake;
use super::view::{Chain, FlagSet, Sent, chain};
use super::{Shown, Verdict, View, tension};

/// The CertificateRequest that acknowledges the request flag.
fn acknowledgement<'a>(view: &View<'a>) -> Option<Sent<'a>> {
    view.flagged_hello().filter(|_| view.is_tls13())?;
    let request = view.main_request()?;
    request
        .flags
        .contains(view.knowledge.flag)
        .then_some(request.sent)
}

/// RCA-1 and TF-11 as they pull at a server: the one acknowledges the flag in CertificateRequest, the other in
/// ServerHello, HelloRetryRequest, EncryptedExtensions or Certificate.
pub(super) fn acknowledged(view: &View<'_>) -> Option<Shown> {
    let side = Side::Server;
    if view.knowledge.revision != Revision::EditorsCopy {
        return None;
    }
    if let Some(sent) = acknowledgement(view) {
        let got = "the flag acknowledged in CertificateRequest";
        let verdict = tension("RCA-1", "TF-11");
        return Some(Shown::of(view, side, verdict, Some(sent.entry), got));
    }
    view.flagged_hello().filter(|_| view.is_tls13())?;
    let sent = view.sent(side).find(|sent| {
        let is_request = matches!(
            sent.message,
            HandshakeMessage::CertificateRequest(_) | HandshakeMessage::NewSessionTicket { .. }
        );
        !is_request && view.sets_flag(sent.message)
    })?;
    let got = format!("the flag acknowledged in {}", sent.message.name());
    let verdict = tension("TF-11", "RCA-1");
    Some(Shown::of(view, side, verdict, Some(sent.entry), got))
}

/// RCA-1. That a server accepts the flag shows by its acknowledgement, or by a policy on the flag; with another
/// policy it has another reason to ask (RCA-2).
pub(in crate::judge) fn acknowledges(view: &View<'_>) -> Vec<Shown> {
    if let Some(shown) = acknowledged(view) {
        return vec![shown];
    }
    let side = Side::Server;
    let accepts = view.knows(side) && view.is_on_flag() && view.flagged_hello().is_some();
    // A server that must refuse ClientHello accepts nothing in it.
    let Some(finished) = full_handshake(view).filter(|_| accepts && !view.may_refuse(side)) else {
        return Vec::new();
    };
    let (entry, got) = match view.main_request() {
        Some(request) => (request.sent.entry, "CertificateRequest without the flag"),
        None => (finished, "no CertificateRequest"),
    };
    let expected = "CertificateRequest with the flag";
    vec![Shown::violated(view, side, entry, got, expected)]
}

/// RCA-2, a MAY: reported where the server asks without acknowledging.
pub(in crate::judge) fn other_reason(view: &View<'_>) -> Vec<Shown> {
    let flag = view.knowledge.flag;
    let mut requests = view.requests().filter(|_| view.is_tls13());
    let bare = requests.find(|request| !request.flags.contains(flag));
    let shown = bare.and_then(|request| {
        let hello = match view.flag() {
            FlagSet::Always(_) => "set it",
            FlagSet::Never => "did not set it",
            FlagSet::Unclear => return None,
        };
        let got = format!("CertificateRequest without the flag to a client that {hello}");
        Some(Shown::informational(
            view,
            Side::Server,
            request.sent.entry,
            got,
        ))
    });
    shown.into_iter().collect()
}

/// What the client did about an acknowledgement.
enum Reply<'a> {
    Certificate(Sent<'a>),
    /// What else it did.
    Other(Answer<'a>),
}

/// The acknowledgement and the client's reply. A client that must not accept what the server sent has another
/// reason to end.
fn reply<'a>(view: &View<'a>) -> Option<(Sent<'a>, Reply<'a>)> {
    let request = acknowledgement(view).filter(|_| !view.may_refuse(Side::Client))?;
    let reply = match main_certificate(view) {
        Some(sent) => Reply::Certificate(sent),
        None => Reply::Other(answer(view, Side::Client, request)),
    };
    Some((request, reply))
}

/// RCA-3. Ending the connection in place of Certificate violates it, by an alert or without.
///
/// Two reasons are left open. An alert about certificates may be about the server's, which a client must not
/// accept whatever it was asked: reported. And where the client has a certificate, or it is not known whether it
/// has, the request may be one that it cannot satisfy (RCA-11): every CertificateRequest has `signature_algorithms`,
/// and what key and issuer the client's certificate has is not known. Only a client that has no certificate can
/// always be blamed, for `certificate_authorities` and `signature_algorithms` mean nothing to it.
pub(in crate::judge) fn answers_with_certificate(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Client;
    let expected = "Certificate";
    let shown = match reply(view) {
        Some((_, Reply::Certificate(sent))) => Some(Shown::satisfied(
            view,
            side,
            sent.entry,
            sent.message.name(),
        )),
        Some((_, Reply::Other(Answer::Continued(at)))) => {
            let got = "client continued without Certificate";
            Some(Shown::violated(view, side, at, got, expected))
        }
        Some((request, Reply::Other(answer))) => ending(view, request, answer),
        None => None,
    };
    shown.into_iter().collect()
}

/// A client that ends the connection in place of Certificate, by RCA-3.
fn ending(view: &View<'_>, request: Sent<'_>, answer: Answer<'_>) -> Option<Shown> {
    let side = Side::Client;
    let (at, got) = match answer {
        Answer::Alert(at, alert) => (at, sent_by(side, alert)),
        Answer::Ended => (request.entry, ended(side)),
        Answer::Continued(_) | Answer::Unknown => return None,
    };
    let got = format!("{got} in place of Certificate");
    let is_about_certificates =
        matches!(answer, Answer::Alert(_, alert) if may_be_about_the_server(alert.description));
    let verdict = match view.knowledge.client_has_certificate {
        _ if is_about_certificates => Verdict::Informational,
        Some(false) => Verdict::Violated {
            expected: "Certificate".to_owned(),
        },
        Some(true) | None => tension("RCA-11", "RCA-3"),
    };
    Some(Shown::of(view, side, verdict, Some(at), got))
}

/// Alerts by which a client refuses the server's Certificate, CertificateVerify or Finished.
fn may_be_about_the_server(alert: AlertDescription) -> bool {
    let others = [
        AlertDescription::DECRYPT_ERROR,
        AlertDescription::BAD_RECORD_MAC,
        AlertDescription::BAD_CERTIFICATE_STATUS_RESPONSE,
    ];
    is_about_certificates(alert) || others.contains(&alert)
}

/// RCA-4, a SHOULD NOT: a client that ends without Certificate is reported, for nothing shows what it anticipated.
pub(in crate::judge) fn does_not_end_early(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Client;
    let anticipating = "consistent with anticipating certificate_required(116)";
    let shown = match reply(view) {
        Some((_, Reply::Certificate(sent))) => {
            let got = format!("{} before any end", sent.message.name());
            Some(Shown::satisfied(view, side, sent.entry, got))
        }
        Some((_, Reply::Other(Answer::Alert(at, alert))))
            if !may_be_about_the_server(alert.description) =>
        {
            let got = format!("{}, {anticipating}", sent_by(side, alert));
            Some(Shown::informational(view, side, at, got))
        }
        Some((request, Reply::Other(Answer::Ended))) => {
            let got = format!("{}, {anticipating}", ended(side));
            Some(Shown::informational(view, side, request.entry, got))
        }
        _ => None,
    };
    shown.into_iter().collect()
}

/// RCA-5, for every CertificateRequest, after the handshake too.
pub(in crate::judge) fn acknowledges_only_the_asked(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let side = Side::Server;
    let flag = view.knowledge.flag;
    let acknowledging = view.requests().find(|request| request.flags.contains(flag));
    let shown = match (view.flag(), acknowledging, view.requests().next()) {
        (FlagSet::Never, Some(request), _) => {
            let got = "the flag in CertificateRequest to a client that did not set it";
            Some(Shown::violated(
                view,
                side,
                request.sent.entry,
                got,
                "no flag",
            ))
        }
        (FlagSet::Never, None, Some(request)) => {
            let got = "no flag in CertificateRequest to a client that did not set it";
            Some(Shown::satisfied(view, side, request.sent.entry, got))
        }
        (FlagSet::Always(_), Some(request), _) => {
            let got = "the flag in CertificateRequest to a client that set it";
            Some(Shown::satisfied(view, side, request.sent.entry, got))
        }
        _ => None,
    };
    shown.into_iter().collect()
}

/// RCA-10, a SHOULD, by what is known of the client.
pub(in crate::judge) fn has_a_certificate(view: &View<'_>) -> Vec<Shown> {
    let (Some(hello), Some(has_one)) =
        (view.flagged_hello(), view.knowledge.client_has_certificate)
    else {
        return Vec::new();
    };
    let side = Side::Client;
    vec![if has_one {
        Shown::satisfied(
            view,
            side,
            hello,
            "the flag of a client that has a certificate",
        )
    } else {
        Shown::informational(
            view,
            side,
            hello,
            "the flag of a client without certificate",
        )
    }]
}

/// RCA-11: what a client did that may not be able to satisfy the request. Where it ended, see RCA-3. An empty
/// Certificate of a client that has one is reported: it satisfies RCA-3 where ending would be appropriate.
pub(in crate::judge) fn cannot_satisfy(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Client;
    let shown = match reply(view) {
        Some((request, Reply::Certificate(sent))) => {
            let is_empty = matches!(
                chain(sent.message),
                Some(Chain::Read(certificate)) if certificate.certificates.is_empty()
            );
            let has_one = view.knowledge.client_has_certificate == Some(true);
            (is_empty && has_one).then(|| {
                let got = format!(
                    "an empty Certificate, consistent with {} that cannot be satisfied",
                    criteria(request)
                );
                Shown::informational(view, side, sent.entry, got)
            })
        }
        Some((request, Reply::Other(answer))) => {
            let shown = ending(view, request, answer);
            shown.filter(|shown| matches!(shown.verdict, Verdict::Tension { .. }))
        }
        None => None,
    };
    shown.into_iter().collect()
}

/// What a request asks of a certificate.
fn criteria(request: Sent<'_>) -> &'static str {
    let extensions = request.message.extensions();
    let mut kinds = extensions.iter().map(|extension| extension.kind);
    if kinds.any(|kind| kind == ExtensionType::CERTIFICATE_AUTHORITIES) {
        "certificate_authorities or signature_algorithms"
    } else {
        "signature_algorithms"
    }
}

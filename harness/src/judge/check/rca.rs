//! The editor's copy, where the flag is acknowledged in CertificateRequest.
//!
//! draft-ietf-tls-tlsflags §3 does not list CertificateRequest among the messages that acknowledge
//! a flag of ClientHello, and allows any flag there: to it, what RCA calls an acknowledgement is a proposal.

use super::answer::{Manner, held};
use super::authentication::is_some_certificate;
use super::offence::{Fault, offence};
use super::view::{Sent, sets};
use super::{Shown, View};
use reqmtls_observer::Side;

/// RCA-1. A server accepts the flag if its policy is on the flag; with another policy it has
/// another reason (RCA-2), but if it acknowledges then, that is kept as well.
pub(in crate::judge) fn acknowledges(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    // A server that must refuse ClientHello accepts nothing in it.
    let may_accept = view.is_tls13() && !view.is_resumed() && offence(view, side).is_none();
    if !may_accept || view.flagged_hello().is_none() {
        return Vec::new();
    }
    let accepts = view.knows(side) && view.is_on_flag();
    let expected = "CertificateRequest with the flag";
    let shown = match (view.main_request(), view.finished(side)) {
        (Some(sent), _) if sets(sent.message, view.knowledge.flag) => {
            Shown::satisfied(view, side, sent.entry, expected)
        }
        (Some(sent), _) if accepts => {
            let got = "CertificateRequest without the flag";
            Shown::violated(view, side, sent.entry, got, expected)
        }
        (None, Some(finished)) if accepts => {
            Shown::violated(view, side, finished, "no CertificateRequest", expected)
        }
        _ => return Vec::new(),
    };
    vec![shown]
}

/// RCA-2, a MAY: told where the server asks without acknowledging.
pub(in crate::judge) fn other_reason(view: &View<'_>) -> Vec<Shown> {
    let bare = view
        .requests()
        .find(|sent| !sets(sent.message, view.knowledge.flag));
    let shown = bare.map(|sent| {
        let hello = match view.flagged_hello() {
            Some(_) => "to a client that set it",
            None => "to a client that did not set it",
        };
        let got = format!("CertificateRequest without the flag, {hello}");
        Shown::informational(view, Side::Server, sent.entry, got)
    });
    shown.into_iter().collect()
}

/// The acknowledgement, and what the client answered it with.
enum Reply<'a> {
    Certificate(Sent<'a>),
    WentOn,
    Ended,
}

fn reply<'a>(view: &View<'a>) -> Option<(Sent<'a>, Reply<'a>)> {
    view.flagged_hello()?;
    let acknowledged = view
        .main_request()
        .filter(|sent| sets(sent.message, view.knowledge.flag))?;
    // A client that must not accept what the server sent has another reason to end.
    if offence(view, Side::Client).is_some() {
        return None;
    }
    let certificate = view
        .sent(Side::Client)
        .find(|sent| is_some_certificate(sent.message));
    let reply = match certificate {
        Some(sent) => Reply::Certificate(sent),
        None if view.is_unreadable(Side::Client) => return None,
        None if view.finished(Side::Client).is_some() => Reply::WentOn,
        None if view.fatal(Side::Server).is_some() => return None,
        None => Reply::Ended,
    };
    Some((acknowledged, reply))
}

/// RCA-3. A client that ends instead may have a reason of its own, such as the server's certificate:
/// that is for RCA-4. One that goes on without Certificate breaks it.
pub(in crate::judge) fn answers_with_certificate(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Client;
    let shown = match reply(view) {
        Some((_, Reply::Certificate(sent))) => {
            Shown::satisfied(view, side, sent.entry, "Certificate")
        }
        Some((request, Reply::WentOn)) => {
            let got = "Finished without Certificate";
            Shown::violated(view, side, request.entry, got, "Certificate")
        }
        Some((_, Reply::Ended)) | None => return Vec::new(),
    };
    vec![shown]
}

/// RCA-4, a SHOULD NOT: a client that ends without Certificate is told, for nothing shows what it anticipated.
pub(in crate::judge) fn does_not_end_early(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Client;
    let shown = match reply(view) {
        Some((_, Reply::Certificate(sent))) => {
            Shown::satisfied(view, side, sent.entry, "Certificate before any end")
        }
        Some((request, Reply::Ended)) => {
            let entry = view.fatal(side).map_or(request.entry, |(entry, _)| entry);
            Shown::informational(
                view,
                side,
                entry,
                "an end of the client without Certificate",
            )
        }
        Some((_, Reply::WentOn)) | None => return Vec::new(),
    };
    vec![shown]
}

/// RCA-5, for every CertificateRequest, after the handshake too.
pub(in crate::judge) fn acknowledges_only_the_asked(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let is_set = view.flagged_hello().is_some();
    let wrong = view
        .requests()
        .find(|sent| sets(sent.message, view.knowledge.flag) && !is_set);
    let shown = match (wrong, view.requests().next()) {
        (Some(sent), _) => {
            let got = "the flag, which ClientHello does not have";
            Some(Shown::violated(view, side, sent.entry, got, "no flag"))
        }
        (None, Some(sent)) => {
            let got = "no flag that ClientHello does not have";
            Some(Shown::satisfied(view, side, sent.entry, got))
        }
        (None, None) => None,
    };
    shown.into_iter().collect()
}

/// RCA-6: the client "MUST generate" the alert. CertificateRequest is a request, so that RFC 8446 §4.2 has
/// nothing to say about an extension that the client did not offer.
pub(in crate::judge) fn refuses_unasked(view: &View<'_>) -> Vec<Shown> {
    held(view, Fault::Unasked, Manner::Generate)
}

/// RCA-7, NewSessionTicket included. If the client sent no `tls_flags` at all, a response
/// with it is an unsolicited extension too, which TLS-7 answers with another alert: a tension.
pub(in crate::judge) fn client_refuses_misplaced(view: &View<'_>) -> Vec<Shown> {
    held(view, Fault::MisplacedByServer, Manner::Terminate)
}

/// RCA-8, which leaves the client's Certificate; the same tension if CertificateRequest had no `tls_flags`.
pub(in crate::judge) fn server_refuses_misplaced(view: &View<'_>) -> Vec<Shown> {
    held(view, Fault::MisplacedByClient, Manner::Terminate)
}

//! What a server does about a certificate that is absent or that it does not accept, RFC 9846 §4.5.1.3
//! (RFC 8446 §4.4.2.4).
//!
//! The wire shows that the server ended the connection, and not why. An alert behind the client's Certificate is
//! held against these requirements unless the transcript shows another reason, or the alert names one.

use reqmtls_observer::{AlertDescription, Side};

use super::answer::{Answer, answer, continued, ended, name, sent_by};
use super::rm::permits_bad_certificate;
use super::view::{Chain, Sent, chain};
use super::{Shown, Verdict, View, tension};

/// An empty Certificate of the client, in a TLS 1.3 connection in which the server has no other reason to refuse.
pub(super) fn absent_certificate<'a>(view: &View<'a>) -> Option<Sent<'a>> {
    certificate(view, true)
}

/// The first Certificate of the client that is empty, or that is not.
fn certificate<'a>(view: &View<'a>, is_empty: bool) -> Option<Sent<'a>> {
    let mut sent = view.sent(Side::Client);
    let found = sent.find(|sent| match chain(sent.message) {
        Some(Chain::Read(certificate)) => certificate.certificates.is_empty() == is_empty,
        _ => false,
    })?;
    (view.is_tls13() && !view.may_refuse(Side::Server)).then_some(found)
}

/// Alerts about records, signatures and MACs, which say that the certificate is not the reason.
fn names_another_reason(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BAD_RECORD_MAC
            | AlertDescription::RECORD_OVERFLOW
            | AlertDescription::DECRYPT_ERROR
    )
}

/// TLS-4. Towards a client that set the flag RM-3 permits `bad_certificate` as well: a tension.
pub(in crate::judge) fn of_absent_certificate(view: &View<'_>) -> Vec<Shown> {
    let Some(empty) = absent_certificate(view) else {
        return Vec::new();
    };
    let side = Side::Server;
    let (at, alert) = match answer(view, side, empty) {
        Answer::Unknown => return Vec::new(),
        Answer::Continued(at) => {
            let got = "server continued without a certificate";
            return vec![Shown::satisfied(view, side, at, got)];
        }
        Answer::Ended => {
            return vec![Shown::informational(view, side, empty.entry, ended(side))];
        }
        Answer::Alert(at, alert) => (at, alert),
    };
    let got = sent_by(side, alert);
    let verdict = match alert.description {
        AlertDescription::CERTIFICATE_REQUIRED if permits_bad_certificate(view) => {
            tension("TLS-4", "RM-3")
        }
        AlertDescription::CERTIFICATE_REQUIRED => Verdict::Satisfied,
        AlertDescription::BAD_CERTIFICATE if permits_bad_certificate(view) => {
            tension("RM-3", "TLS-4")
        }
        AlertDescription::GENERAL_ERROR => Verdict::Informational,
        other if names_another_reason(other) => Verdict::Informational,
        _ => {
            let wanted = name(AlertDescription::CERTIFICATE_REQUIRED);
            let expected =
                format!("alert {wanted}, or the handshake without client authentication");
            Verdict::Violated { expected }
        }
    };
    vec![Shown::of(view, side, verdict, Some(at), got)]
}

/// TLS-5. A server that continues shows only by its report that it did not accept the chain; one that aborts may
/// have another reason than the chain.
pub(in crate::judge) fn of_unacceptable_chain(view: &View<'_>) -> Vec<Shown> {
    let Some(sent) = certificate(view, false) else {
        return Vec::new();
    };
    let side = Side::Server;
    let (at, alert) = match answer(view, side, sent) {
        Answer::Continued(at) if view.knowledge.authenticated == Some(None) => {
            let got = format!(
                "{}, and regards the client as unauthenticated",
                continued(side)
            );
            return vec![Shown::satisfied(view, side, at, got)];
        }
        Answer::Alert(at, alert) => (at, alert),
        Answer::Continued(_) | Answer::Ended | Answer::Unknown => return Vec::new(),
    };
    let verdict = match alert.description {
        it if is_about_certificates(it) => Verdict::Satisfied,
        it if names_another_reason(it) => return Vec::new(),
        AlertDescription::ACCESS_DENIED | AlertDescription::GENERAL_ERROR => Verdict::Informational,
        _ => Verdict::Violated {
            expected: "a certificate-related alert (42 to 46, 48)".to_owned(),
        },
    };
    let got = format!(
        "{}, consistent with refusing the chain",
        sent_by(side, alert)
    );
    vec![Shown::of(view, side, verdict, Some(at), got)]
}

/// The alerts about a certificate, RFC 9846 §6.2 (RFC 8446 §6.2).
pub(super) fn is_about_certificates(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BAD_CERTIFICATE
            | AlertDescription::UNSUPPORTED_CERTIFICATE
            | AlertDescription::CERTIFICATE_REVOKED
            | AlertDescription::CERTIFICATE_EXPIRED
            | AlertDescription::CERTIFICATE_UNKNOWN
            | AlertDescription::UNKNOWN_CA
    )
}

//! Rules of RFC 8446 on extensions in general, as they bear on `tls_flags`.

use super::answer::{Manner, from, held, tell};
use super::offence::{Fault, offence};
use super::unknown::is_about_extensions;
use super::view::{blocks, carries, has_duplicate};
use super::{Shown, View};
use reqmtls_observer::{ClientHello, Entry, Extension, ExtensionType, HandshakeMessage, Side};

/// TLS-8. RFC 8446 §4.2 names `illegal_parameter` for an extension that the receiver knows and that
/// is not specified for the message. `tls_flags` is specified for every message with extensions, so
/// this takes an extension that every implementation knows. For an extension that stands twice
/// the section names the sender's fault and no alert: what the receiver does is told.
pub(in crate::judge) fn known_or_twice(view: &View<'_>) -> Vec<Shown> {
    let mut shown: Vec<_> = Side::BOTH
        .into_iter()
        .filter_map(|side| once(view, side))
        .collect();
    shown.extend(Side::BOTH.into_iter().filter_map(|receiver| {
        let offence = offence(view, receiver)?;
        let faults = &offence.faults;
        let twice = faults.contains(&Fault::Duplicate) && !faults.contains(&Fault::NotSpecified);
        twice.then(|| tell(view, receiver, offence.sent)).flatten()
    }));
    // This tells of a message that has both faults, too.
    shown.extend(held(view, Fault::NotSpecified, Manner::Terminate));
    shown
}

/// Whether a side sent an extension twice in a block; a side that sent no `tls_flags` is not judged.
fn once(view: &View<'_>, side: Side) -> Option<Shown> {
    if let Some(sent) = view.sent(side).find(|sent| has_duplicate(sent.message)) {
        let name = sent.message.name();
        let got = format!("an extension twice in {name}");
        let expected = "each extension once in a block";
        return Some(Shown::violated(view, side, sent.entry, got, expected));
    }
    let sent = view
        .sent(side)
        .find(|sent| carries(sent.message, ExtensionType::TLS_FLAGS))?;
    let got = format!("tls_flags once in {}", sent.message.name());
    Some(Shown::satisfied(view, side, sent.entry, got))
}

/// TLS-9. RFC 8446 §4.1.2 lists what a client may change after HelloRetryRequest, and `tls_flags` is not
/// on it. It asks no server to check that: what the server does is told.
pub(in crate::judge) fn same_after_retry(view: &View<'_>) -> Vec<Shown> {
    let hellos: Vec<(&Entry, &ClientHello)> = view.hellos().collect();
    let [(_, first), (entry, second), ..] = hellos[..] else {
        return Vec::new();
    };
    let (before, after) = (bodies(first), bodies(second));
    if before.is_empty() && after.is_empty() {
        return Vec::new();
    }
    let side = Side::Client;
    if before == after {
        return vec![Shown::satisfied(
            view,
            side,
            entry,
            "the flags of the first",
        )];
    }
    let expected = format!("{}, as in the first", text(&before));
    let mut shown = vec![Shown::violated(view, side, entry, text(&after), expected)];
    let second = view.sent(side).find(|sent| std::ptr::eq(sent.entry, entry));
    shown.extend(second.and_then(|sent| tell(view, Side::Server, sent)));
    shown
}

fn bodies(hello: &ClientHello) -> Vec<&[u8]> {
    let flags = |it: &&Extension| it.kind == ExtensionType::TLS_FLAGS;
    let extensions = hello.extensions.iter().filter(flags);
    extensions.map(|it| &it.body[..]).collect()
}

fn text(bodies: &[&[u8]]) -> String {
    if bodies.is_empty() {
        return "no tls_flags".to_owned();
    }
    let octets: Vec<_> = bodies.iter().map(hex::encode).collect();
    format!("tls_flags {}", octets.join(" and "))
}

/// TLS-11. It defines what the extension means, so a server of TLS 1.2 that acts on it, or refuses what
/// does not concern it, breaks it.
pub(in crate::judge) fn meaningless_in_tls12(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let Some((_, hello)) = view.hellos().next() else {
        return Vec::new();
    };
    if !hello.offers(ExtensionType::TLS_FLAGS) || view.is_tls13() {
        return Vec::new();
    }
    let malformed = view.sent(Side::Client).any(|sent| {
        let mut extensions = blocks(sent.message).into_iter().flatten();
        extensions.any(|it| {
            it.tls_flags(view.flag)
                .is_some_and(|decoded| decoded.is_err())
        })
    });
    if let Some((entry, alert)) = view.fatal(side)
        && malformed
        && !view.sent_data(side)
        && is_about_extensions(alert.description)
    {
        let expected = "that the server passes over tls_flags";
        return vec![Shown::violated(
            view,
            side,
            entry,
            from(alert, side),
            expected,
        )];
    }
    let Some((entry, selected)) = view.server_hello() else {
        return Vec::new();
    };
    let mut extensions = selected.extensions.iter();
    if extensions.any(|it| it.kind == ExtensionType::TLS_FLAGS) {
        let (got, expected) = ("tls_flags in ServerHello of TLS 1.2", "none");
        return vec![Shown::violated(view, side, entry, got, expected)];
    }
    let request = view
        .sent(side)
        .find(|sent| matches!(sent.message, HandshakeMessage::CertificateRequest12(_)));
    vec![match request {
        Some(sent) if view.is_on_flag() => {
            let got = "CertificateRequest in TLS 1.2 on the flag";
            Shown::violated(view, side, sent.entry, got, "none")
        }
        _ => Shown::satisfied(view, side, entry, "TLS 1.2 as without the flags"),
    }]
}

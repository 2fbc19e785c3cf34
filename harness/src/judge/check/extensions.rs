//! What RFC 9846 says of extensions in general: who sends them, and where.

use std::collections::HashSet;

use reqmtls_observer::{ClientHello, Entry, Extension, ExtensionType, HandshakeMessage, Side};

use super::answer::{answer, held, reported, sent_by};
use super::malformed::has_surplus;
use super::offence::{blocks, has_duplicate, is_unsolicited};
use super::specified::{Place, is_specified};
use super::view::{Sent, counted};
use super::{Shown, View};

/// TLS-7: what was sent without being asked for, and the answer to it.
pub(in crate::judge) fn only_asked(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let by_sender = |side| {
        let mut satisfied = None;
        for sent in view.sent(side) {
            if view.asked(sent).is_none() {
                continue;
            }
            let mut kinds = blocks(sent.message).into_iter().flatten().map(|it| it.kind);
            satisfied.get_or_insert(sent);
            if let Some(kind) = kinds.find(|kind| is_unsolicited(view, sent, *kind)) {
                let name = sent.message.name();
                let got = format!("{kind} in {name}, which was not asked for");
                let expected = "only extensions that were asked for";
                return Some(Shown::violated(view, side, sent.entry, got, expected));
            }
        }
        let sent = satisfied?;
        let got = "only extensions that were asked for";
        Some(Shown::satisfied(view, side, sent.entry, got))
    };
    let senders = Side::BOTH.into_iter().filter_map(by_sender);
    senders.chain(held(view, "TLS-7")).collect()
}

/// TLS-8. §4.3 names `illegal_parameter` for an extension that the receiver recognises and that is not specified for
/// the message. For one that stands twice the section names the sender's fault and no alert: what the receiver
/// does is reported.
pub(in crate::judge) fn once_and_in_place(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let mut shown = Vec::new();
    for side in Side::BOTH {
        let twice = view.sent(side).find(|sent| has_duplicate(sent.message));
        if let Some(sent) = twice {
            let got = format!("an extension twice in {}", sent.message.name());
            let expected = "each extension once in a block";
            shown.push(Shown::violated(view, side, sent.entry, got, expected));
            let receiver = side.peer();
            if view.offence(receiver, "TLS-8").is_none() {
                let answer = answer(view, receiver, sent);
                shown.extend(reported(view, receiver, sent, answer));
            }
            continue;
        }
        let mut with_extensions = view.sent(side);
        let first = with_extensions.find(|sent| !sent.message.extensions().is_empty());
        let got = "each extension once in a block";
        shown.extend(first.map(|sent| Shown::satisfied(view, side, sent.entry, got)));
    }
    shown.extend(held(view, "TLS-8"));
    shown
}

/// TLS-9. §4.2.2 lists what a client changes after HelloRetryRequest. An extension in HelloRetryRequest that this
/// list does not speak of may permit more for itself, and RFC 9849 has `encrypted_client_hello` made anew.
pub(in crate::judge) fn same_after_retry(view: &View<'_>) -> Vec<Shown> {
    let Some((entry, change)) = change_after_retry(view) else {
        return Vec::new();
    };
    let side = Side::Client;
    let same = "the second ClientHello as the first";
    vec![match change {
        None => Shown::satisfied(view, side, entry, same),
        Some(what) => {
            let got = format!("a second ClientHello with {what}");
            Shown::violated(view, side, entry, got, same)
        }
    }]
}

/// Whether the second ClientHello is another than TLS-9 permits.
pub(in crate::judge) fn is_changed_after_retry(view: &View<'_>) -> bool {
    change_after_retry(view).is_some_and(|(_, change)| change.is_some())
}

/// The second ClientHello, and the first thing in it that a client must not change.
fn change_after_retry<'a>(view: &View<'a>) -> Option<(&'a Entry, Option<String>)> {
    let mut sent = view.sent(Side::Server);
    let retry = sent.find_map(|sent| match sent.message {
        HandshakeMessage::HelloRetryRequest(retry) => Some(&retry.extensions[..]),
        _ => None,
    });
    let (retry, [first, second]) = (retry?, view.hellos()) else {
        return None;
    };
    let change = change(view, first.body, second.body, retry);
    Some((second.entry, change))
}

/// The first thing that a client changed and must not: it sends a key share anew if HelloRetryRequest names a
/// group, and pre-shared keys with new binders.
fn change<'a>(
    view: &View<'a>,
    first: &'a ClientHello,
    second: &'a ClientHello,
    retry: &[Extension],
) -> Option<String> {
    if first.random != second.random {
        return Some("another random".to_owned());
    }
    if first.legacy_version != second.legacy_version {
        return Some("another legacy_version".to_owned());
    }
    if first.session_id_len != second.session_id_len {
        return Some("another legacy_session_id".to_owned());
    }
    if first.cipher_suites != second.cipher_suites {
        return Some("other cipher suites".to_owned());
    }
    let in_retry: HashSet<_> = retry.iter().map(|extension| extension.kind).collect();
    let had_psk = first.offers(ExtensionType::PRE_SHARED_KEY);
    let is_free = |kind| match kind {
        ExtensionType::PADDING
        | ExtensionType::EARLY_DATA
        | ExtensionType::COOKIE
        | ExtensionType::ENCRYPTED_CLIENT_HELLO => true,
        ExtensionType::PRE_SHARED_KEY => had_psk,
        ExtensionType::KEY_SHARE => in_retry.contains(&kind),
        // What no table here lists may define more.
        kind => in_retry.contains(&kind) && is_specified(view, kind, Place::ClientHello).is_none(),
    };
    let fixed = |hello: &'a ClientHello| -> Vec<&'a Extension> {
        let extensions = counted(hello.extensions.iter());
        extensions.filter(|it| !is_free(it.kind)).collect()
    };
    let (before, after) = (fixed(first), fixed(second));
    let differing = before
        .iter()
        .zip(&after)
        .find(|(before, after)| before != after);
    match differing {
        Some((before, after)) if before.kind == after.kind => {
            Some(format!("another {}", after.kind))
        }
        Some((before, after)) => Some(format!("{} in the place of {}", after.kind, before.kind)),
        None if before.len() > after.len() => Some(format!("no {}", before[after.len()].kind)),
        None if after.len() > before.len() => Some(format!("{} added", after[before.len()].kind)),
        None => cookie_or_early_data(second, retry),
    }
}

/// The cookie is that of HelloRetryRequest, and early data is over.
fn cookie_or_early_data(second: &ClientHello, retry: &[Extension]) -> Option<String> {
    let cookie = |extensions: &[Extension]| {
        let mut extensions = extensions.iter();
        extensions
            .find(|it| it.kind == ExtensionType::COOKIE)
            .cloned()
    };
    if second.offers(ExtensionType::EARLY_DATA) {
        return Some("early_data".to_owned());
    }
    match (cookie(retry), cookie(&second.extensions)) {
        (wanted, got) if wanted == got => None,
        (Some(_), None) => Some("no cookie".to_owned()),
        _ => Some("another cookie".to_owned()),
    }
}

/// TLS-11. The version is negotiated without the flags, so a server of TLS 1.2 that acts on them, or refuses what
/// does not concern it, violates it. A refusal shows only by an alert about extensions where the value is
/// malformed; nothing shows that a well-formed one was the reason.
pub(in crate::judge) fn meaningless_in_tls12(view: &View<'_>) -> Vec<Shown> {
    let side = Side::Server;
    let carrier = view.knowledge.codepoints().extension;
    let Some(hello) = view.hellos().first() else {
        return Vec::new();
    };
    if !hello.kinds.contains(&carrier) || view.is_tls13() {
        return Vec::new();
    }
    let mut values = hello
        .body
        .extensions
        .iter()
        .filter_map(|it| view.tls_flags(it));
    let is_malformed = values.any(|value| value.is_err());
    if let (None, Some((at, alert))) = (view.server_hello(), view.error(side))
        && is_malformed
        && super::answer::is_about_extensions(alert.description)
    {
        let got = format!(
            "{}, consistent with refusing tls_flags",
            sent_by(side, alert)
        );
        let expected = "TLS 1.2 as without tls_flags";
        return vec![Shown::violated(view, side, at, got, expected)];
    }
    let Some((entry, _)) = view.server_hello() else {
        return Vec::new();
    };
    if view.selects(carrier) {
        let got = "tls_flags in ServerHello of TLS 1.2";
        return vec![Shown::violated(view, side, entry, got, "no tls_flags")];
    }
    let request = view
        .sent(side)
        .find(|sent| matches!(sent.message, HandshakeMessage::CertificateRequest12(_)));
    vec![match request {
        Some(Sent { entry, .. }) if view.is_on_flag() => {
            let got = "CertificateRequest of TLS 1.2 on the flag";
            Shown::violated(view, side, entry, got, "no CertificateRequest")
        }
        _ => Shown::satisfied(view, side, entry, "TLS 1.2 as without tls_flags"),
    }]
}

/// TLS-17, of the one extension whose structure is known here: the sender, and what the receiver answers.
pub(in crate::judge) fn nothing_left_over(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let by_sender = |side| {
        let mut satisfied: Option<&Entry> = None;
        for sent in view.sent(side) {
            for extension in counted(sent.message.extensions().into_iter()) {
                let Some(value) = view.tls_flags(extension) else {
                    continue;
                };
                satisfied.get_or_insert(sent.entry);
                if value.is_err_and(has_surplus) {
                    let got = format!("data behind the flags in {}", sent.message.name());
                    let expected = "nothing behind the structure";
                    return Some(Shown::violated(view, side, sent.entry, got, expected));
                }
            }
        }
        let got = "tls_flags with nothing behind its structure";
        satisfied.map(|entry| Shown::satisfied(view, side, entry, got))
    };
    let senders = Side::BOTH.into_iter().filter_map(by_sender);
    senders.chain(held(view, "TLS-17")).collect()
}

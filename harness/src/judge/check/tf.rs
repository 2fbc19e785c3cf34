//! The flags extension.

use super::answer::{Manner, held};
use super::offence::{Fault, has_unsolicited_flag, requests};
use super::view::{Sent, carries};
use super::{Shown, View};
use reqmtls_observer::{
    ExtensionType, HandshakeMessage, ProtocolVersion, Side, TlsFlags, TlsFlagsError,
};

/// TF-1. It defines the format, so who sends another one breaks it.
pub(in crate::judge) fn encoding(view: &View<'_>) -> Vec<Shown> {
    encoded(view, |error| match error {
        None | Some(TlsFlagsError::AllZero | TlsFlagsError::TrailingZero) => Fit::Kept,
        Some(_) => Fit::Broken("one length octet and that many octets, 1 to 255"),
    })
}

/// TF-2. It too defines the format; of a value that is none at all it does not speak.
pub(in crate::judge) fn minimal(view: &View<'_>) -> Vec<Shown> {
    encoded(view, |error| match error {
        None => Fit::Kept,
        Some(TlsFlagsError::AllZero | TlsFlagsError::TrailingZero) => {
            Fit::Broken("the fewest octets that hold the highest flag set")
        }
        Some(_) => Fit::Silent,
    })
}

enum Fit {
    Kept,
    Broken(&'static str),
    Silent,
}

/// One ruling for each side that sent the extension, on the first value that breaks the rule if one does.
fn encoded(view: &View<'_>, fit: impl Fn(Option<TlsFlagsError>) -> Fit) -> Vec<Shown> {
    let by_side = |side: Side| {
        let mut kept = None;
        for (sent, decoded) in values(view, side) {
            match fit(decoded.as_ref().err().copied()) {
                Fit::Kept => {
                    kept.get_or_insert((sent, flags_text(&decoded)));
                }
                Fit::Broken(expected) => {
                    let got = flags_text(&decoded);
                    return Some(Shown::violated(view, side, sent.entry, got, expected));
                }
                Fit::Silent => {}
            }
        }
        kept.map(|(sent, got)| Shown::satisfied(view, side, sent.entry, got))
    };
    Side::BOTH.into_iter().filter_map(by_side).collect()
}

type Decoded = Result<TlsFlags, TlsFlagsError>;

fn values<'a>(view: &View<'a>, side: Side) -> Vec<(Sent<'a>, Decoded)> {
    let values = |sent: Sent<'a>| {
        let extensions = sent.message.extensions().into_iter();
        let decoded = extensions.filter_map(|it| it.tls_flags(view.flag));
        decoded.map(move |decoded| (sent, decoded))
    };
    view.sent(side).flat_map(values).collect()
}

fn flags_text(decoded: &Decoded) -> String {
    match decoded {
        Ok(flags) => {
            let numbers: Vec<_> = flags.flags().iter().map(u16::to_string).collect();
            format!("flags {}", numbers.join(", "))
        }
        Err(error) => error.to_string(),
    }
}

/// TF-3: the receiver "MUST generate" the alert, so an end without it breaks the rule.
pub(in crate::judge) fn refuses_zeros(view: &View<'_>) -> Vec<Shown> {
    held(view, Fault::Zeros, Manner::Generate)
}

/// TF-4. Any other invalid value is one that does not parse, and RFC 8446 §6 answers that with
/// `decode_error`: such an alert is told as a tension with the syntax of TF-1.
pub(in crate::judge) fn refuses_invalid(view: &View<'_>) -> Vec<Shown> {
    held(view, Fault::Length, Manner::Terminate)
}

/// TF-5: the sender's sentence speaks of clients only. A value without flag octets is invalid (TF-4:
/// 47) and does not fit the syntax (TF-1: 50); both are right, and the ruling says which.
/// `extension_data` without even a length octet counts as zero length too.
pub(in crate::judge) fn zero_length(view: &View<'_>) -> Vec<Shown> {
    let mut sent = None;
    for (at, decoded) in values(view, Side::Client) {
        let is_empty = matches!(
            decoded,
            Err(TlsFlagsError::Empty | TlsFlagsError::ZeroLength)
        );
        let (side, got) = (Side::Client, flags_text(&decoded));
        if is_empty {
            let expected = "at least one octet of flags";
            sent = Some(Shown::violated(view, side, at.entry, got, expected));
            break;
        }
        sent.get_or_insert(Shown::satisfied(view, side, at.entry, got));
    }
    let answers = held(view, Fault::ZeroLength, Manner::Terminate);
    sent.into_iter().chain(answers).collect()
}

/// TF-6, the sender's side of TF-7. Every server that answers ClientHello could break it, and
/// every client that sends Certificate.
pub(in crate::judge) fn acknowledges_proposed(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let by_side = |side: Side| {
        let mut kept = None;
        for sent in view.sent(side) {
            let Some(requests) = requests(view, sent) else {
                continue;
            };
            if has_unsolicited_flag(sent.message, &requests) {
                let got = format!("flags in {} that were not proposed", sent.message.name());
                let expected = "only flags that ClientHello or CertificateRequest proposed";
                return Some(Shown::violated(view, side, sent.entry, got, expected));
            }
            // A message that carries the extension shows more than one that does not.
            if kept.is_none() || carries(sent.message, ExtensionType::TLS_FLAGS) {
                kept = Some(sent);
            }
        }
        kept.map(|sent| Shown::satisfied(view, side, sent.entry, "no flag that was not proposed"))
    };
    Side::BOTH.into_iter().filter_map(by_side).collect()
}

/// TF-7, for each flag by itself: one that was proposed is no unsolicited one (RM-4 and RCA-7 say more of
/// the request flag). Where the receiver did not send the extension at all, RFC 8446 §4.2 asks
/// for `unsupported_extension` and this document for `illegal_parameter`: a tension. Where it
/// did, RFC 8446 has nothing against the extension, which is specified for these messages
/// (TLS-8 does not bite), and only `illegal_parameter` is right.
pub(in crate::judge) fn refuses_unsolicited(view: &View<'_>) -> Vec<Shown> {
    held(view, Fault::UnsolicitedFlag, Manner::Generate)
}

/// TF-9. The messages that have extensions in TLS 1.3 are just those of the list, so that the one
/// place left is the ServerHello of TLS 1.2. A client cannot know the version when it sends ClientHello.
pub(in crate::judge) fn place(view: &View<'_>) -> Vec<Shown> {
    let by_side = |side: Side| {
        let mut carriers = view
            .sent(side)
            .filter(|sent| carries(sent.message, ExtensionType::TLS_FLAGS));
        let is_tls12 = |sent: &Sent<'_>| matches!(sent.message, HandshakeMessage::ServerHello(hello) if hello.version() < ProtocolVersion::TLS13);
        let first = carriers.next()?;
        let got = format!("tls_flags in {}", first.message.name());
        Some(if is_tls12(&first) {
            let expected = "no tls_flags in TLS 1.2";
            Shown::violated(
                view,
                side,
                first.entry,
                format!("{got} of TLS 1.2"),
                expected,
            )
        } else {
            Shown::satisfied(view, side, first.entry, got)
        })
    };
    Side::BOTH.into_iter().filter_map(by_side).collect()
}

/// TF-10. What a client is to propose is known of a cell. Whether the value is right is for TF-1 and TF-2.
pub(in crate::judge) fn sends_flags(view: &View<'_>) -> Vec<Shown> {
    let (Some(Some(wanted)), Some((entry, hello))) =
        (&view.knowledge.proposed, view.hellos().next())
    else {
        return Vec::new();
    };
    if TlsFlags::decode(&wanted.0).is_err() {
        return Vec::new();
    }
    let bodies: Vec<&[u8]> = hello
        .extensions
        .iter()
        .filter(|it| it.kind == ExtensionType::TLS_FLAGS)
        .map(|it| &it.body[..])
        .collect();
    let side = Side::Client;
    vec![match bodies[..] {
        [body] if body == wanted.0 => {
            Shown::satisfied(view, side, entry, "the flags that it is to propose")
        }
        [] => Shown::violated(view, side, entry, "no tls_flags", wanted.to_string()),
        _ => {
            let got: Vec<_> = bodies.iter().map(hex::encode).collect();
            Shown::violated(view, side, entry, got.join(" and "), wanted.to_string())
        }
    }]
}

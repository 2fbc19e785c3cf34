//! The flags extension, draft-ietf-tls-tlsflags-16: what its senders do. What receivers answer is in `offence`.

use reqmtls_contract::Revision;
use reqmtls_observer::{
    ExtensionType, HandshakeMessage, ProtocolVersion, Side, TlsFlags, TlsFlagsError,
};

use super::rca::acknowledged;
use super::view::{Sent, counted};
use super::{Shown, Verdict, View};
use crate::judge::finding::Party;
use crate::judge::requirement::Source;

type Decoded = Result<TlsFlags, TlsFlagsError>;

/// What a rule on values says of one of them.
enum Fit {
    Satisfied,
    Violated(&'static str),
    Silent,
}

/// TF-1. It defines the format, so who sends another one violates it.
pub(in crate::judge) fn encoding(view: &View<'_>) -> Vec<Shown> {
    encoded(view, |decoded| match decoded {
        Ok(_) | Err(TlsFlagsError::AllZero | TlsFlagsError::TrailingZero) => Fit::Satisfied,
        Err(_) => Fit::Violated("one length octet and that many octets, 1 to 255"),
    })
}

/// TF-2. It too defines the format; of a value that does not parse it does not speak.
pub(in crate::judge) fn minimal(view: &View<'_>) -> Vec<Shown> {
    encoded(view, |decoded| match decoded {
        Ok(_) => Fit::Satisfied,
        Err(TlsFlagsError::AllZero | TlsFlagsError::TrailingZero) => {
            Fit::Violated("the fewest octets that hold the highest flag set")
        }
        Err(_) => Fit::Silent,
    })
}

/// One ruling for each side that sent the extension, on the first value that violates the rule if one does.
fn encoded(view: &View<'_>, fit: impl Fn(&Decoded) -> Fit) -> Vec<Shown> {
    let sides = Side::BOTH.into_iter().filter(|_| view.is_tls13());
    sides
        .filter_map(|side| encoded_by(view, side, &fit))
        .collect()
}

fn encoded_by(view: &View<'_>, side: Side, fit: impl Fn(&Decoded) -> Fit) -> Option<Shown> {
    let mut satisfied = None;
    for sent in view.sent(side) {
        for extension in counted(sent.message.extensions().into_iter()) {
            let Some(decoded) = view.tls_flags(extension) else {
                continue;
            };
            match fit(&decoded) {
                Fit::Silent => {}
                Fit::Satisfied => {
                    satisfied.get_or_insert_with(|| (sent, flags_text(&decoded)));
                }
                Fit::Violated(expected) => {
                    let got = flags_text(&decoded);
                    return Some(Shown::violated(view, side, sent.entry, got, expected));
                }
            }
        }
    }
    satisfied.map(|(sent, got)| Shown::satisfied(view, side, sent.entry, got))
}

fn flags_text(decoded: &Decoded) -> String {
    match decoded {
        Ok(flags) => {
            let numbers: Vec<_> = flags.flags().iter().map(u16::to_string).collect();
            format!("tls_flags with {}", numbers.join(", "))
        }
        Err(error) => format!("tls_flags: {error}"),
    }
}

/// TF-5. `extension_data` without even a length octet counts as zero length too.
pub(in crate::judge) fn zero_length(view: &View<'_>) -> Vec<Shown> {
    let is_empty = |decoded: &Decoded| {
        matches!(
            decoded,
            Err(TlsFlagsError::Empty
                | TlsFlagsError::ZeroLength
                | TlsFlagsError::LengthMismatch { declared: 0, .. })
        )
    };
    let fit = |decoded: &Decoded| {
        if is_empty(decoded) {
            Fit::Violated("at least one octet of flags")
        } else {
            Fit::Satisfied
        }
    };
    let client = Some(Side::Client).filter(|_| view.is_tls13());
    let shown = client.and_then(|side| encoded_by(view, side, fit));
    shown.into_iter().collect()
}

/// The responses of a side that carry well-formed flags, and whether all of them were proposed.
fn acknowledgements<'a>(view: &View<'a>, side: Side) -> impl Iterator<Item = (Sent<'a>, bool)> {
    view.sent(side).filter_map(|sent| {
        let asked = view.asked(sent)?;
        let extensions = counted(sent.message.extensions().into_iter());
        let values = extensions.filter_map(|it| view.tls_flags(it)?.ok());
        let mut flags = values.flat_map(|flags| flags.flags().to_vec()).peekable();
        flags.peek()?;
        Some((sent, flags.all(|flag| asked.proposes(flag))))
    })
}

/// TF-6, the sender's side of TF-7. Every server that answers ClientHello could violate it, and every client that
/// sends Certificate.
pub(in crate::judge) fn acknowledges_proposed(view: &View<'_>) -> Vec<Shown> {
    let by_side = |side: Side| {
        let mut acknowledging = None;
        for (sent, is_proposed) in acknowledgements(view, side) {
            if !is_proposed {
                let got = format!("flags in {} that were not proposed", sent.message.name());
                let expected = "only flags that ClientHello or CertificateRequest proposed";
                return Some(Shown::violated(view, side, sent.entry, got, expected));
            }
            acknowledging.get_or_insert(sent);
        }
        let mut responses = view.sent(side).filter(|sent| view.asked(*sent).is_some());
        let sent = acknowledging.or_else(|| responses.next())?;
        let got = "no flag that was not proposed";
        Some(Shown::satisfied(view, side, sent.entry, got))
    };
    let sides = Side::BOTH.into_iter().filter(|_| view.is_tls13());
    sides.filter_map(by_side).collect()
}

/// TF-9. The messages that have extensions in TLS 1.3 are just those of the list, so that the one place left is
/// the ServerHello of TLS 1.2. A client cannot know the version when it sends ClientHello.
pub(in crate::judge) fn place(view: &View<'_>) -> Vec<Shown> {
    let by_side = |side: Side| {
        let mut sent = view.sent(side);
        let first = sent.find(|sent| view.carries_flags(sent.message))?;
        let got = format!("tls_flags in {}", first.message.name());
        let is_tls12 = matches!(
            first.message,
            HandshakeMessage::ServerHello(hello) if hello.version() < ProtocolVersion::TLS13
        );
        Some(if is_tls12 {
            let got = format!("{got} of TLS 1.2");
            let expected = "no tls_flags in TLS 1.2";
            Shown::violated(view, side, first.entry, got, expected)
        } else {
            Shown::satisfied(view, side, first.entry, got)
        })
    };
    Side::BOTH.into_iter().filter_map(by_side).collect()
}

/// TF-10. What a client is to propose is known of a cell. Whether the octets are right is for TF-1 and TF-2.
pub(in crate::judge) fn sends_flags(view: &View<'_>) -> Vec<Shown> {
    let (true, Some(Some(wanted)), Some(hello)) = (
        view.is_tls13(),
        &view.knowledge.proposed,
        view.hellos().first(),
    ) else {
        return Vec::new();
    };
    let Ok(wanted) = TlsFlags::decode(&wanted.0) else {
        return Vec::new();
    };
    let side = Side::Client;
    let extensions = hello.body.extensions.iter();
    let values: Vec<_> = extensions.filter_map(|it| view.tls_flags(it)).collect();
    let got = match values.first() {
        None => "ClientHello without tls_flags".to_owned(),
        Some(first) => flags_text(first),
    };
    if values.iter().any(|value| value.as_ref() == Ok(&wanted)) {
        return vec![Shown::satisfied(view, side, hello.entry, got)];
    }
    let expected = flags_text(&Ok(wanted));
    vec![Shown::violated(view, side, hello.entry, got, expected)]
}

/// TF-11, a SHOULD. Which flags require acknowledgement their documents say: of the request flag only the editor's
/// copy says that, and names another message (RCA-1). A flag of an end's own that is not acknowledged shows
/// nothing.
pub(in crate::judge) fn acknowledges(view: &View<'_>) -> Vec<Shown> {
    if !view.is_tls13() {
        return Vec::new();
    }
    let tension = acknowledged(view);
    let is_pulled = tension.is_some();
    let by_side = |side| {
        let (sent, _) = acknowledgements(view, side).find(|(_, is_proposed)| *is_proposed)?;
        let got = format!("a proposed flag acknowledged in {}", sent.message.name());
        Some(Shown::satisfied(view, side, sent.entry, got))
    };
    let sides = Side::BOTH.into_iter();
    let sides = sides.filter(|side| !(is_pulled && *side == Side::Server));
    tension
        .into_iter()
        .chain(sides.filter_map(by_side))
        .collect()
}

/// TF-12. A response in another form has no mark by which to tell it, and another flag in place of the same one is
/// unsolicited (TF-6): what is left to see is a response that is right.
pub(in crate::judge) fn same_flag(view: &View<'_>) -> Vec<Shown> {
    let by_side = |side| {
        let (sent, _) = acknowledgements(view, side).find(|(_, is_proposed)| *is_proposed)?;
        let got = format!("the same flags in {}", sent.message.name());
        Some(Shown::satisfied(view, side, sent.entry, got))
    };
    let sides = Side::BOTH.into_iter().filter(|_| view.is_tls13());
    sides.filter_map(by_side).collect()
}

/// TF-13, about the documents: shown by a ClientHello with early data and the request flag.
pub(in crate::judge) fn defines_early_data(view: &View<'_>) -> Vec<Shown> {
    let mut hellos = view.hellos().iter().filter(|_| view.is_tls13());
    let found = hellos.find(|hello| {
        let early_data = hello.kinds.contains(&ExtensionType::EARLY_DATA);
        early_data && hello.flags.contains(view.knowledge.flag)
    });
    let document = match view.knowledge.revision {
        Revision::Draft02 => Source::RM.title,
        Revision::EditorsCopy => Source::RCA.title,
    };
    let shown = found.map(|hello| {
        let got = format!("the flag with early_data, which {document} says nothing about");
        let expected = "a definition of the flag's interaction with 0-RTT".to_owned();
        let verdict = Verdict::Violated { expected };
        Shown::of(view, Party::Documents, verdict, Some(hello.entry), got)
    });
    shown.into_iter().collect()
}

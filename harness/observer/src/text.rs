//! A transcript as text that is the same for every run of the same case.

use std::fmt::Write as _;

use indexmap::IndexSet;

use crate::bytes::shortened;
use crate::flags::TlsFlags;
use crate::message::{CompressedCertificate, Extension, HandshakeMessage};
use reqmtls_vocabulary::{Codepoints, ContentType, ProtocolVersion, Side};

use crate::recording::Ending;
use crate::transcript::{Content, Entry, Epoch, Transcript};

/// Width of a name's column.
const NAME_WIDTH: usize = 21;

/// How many octets of a malformed extension are printed.
const MALFORMED_OCTETS: usize = 16;

impl Transcript {
    /// The transcript in the notation of RFC 9846 figure 1 (RFC 8446 figure 1): `{}` under
    /// handshake keys, `[]` under application keys, `()` under early keys, and
    /// one line for each entry. It holds no time, no length and no random
    /// value.
    ///
    /// `tls_flags={…}` are the flags in the extension with the number given, in which the flag with the number given
    /// prints as `request_mtls` and any other as its number. Flags in an extension with another number by which
    /// `tls_flags` is known name it: `tls_flags(0xfe01)={request_mtls}`.
    #[must_use]
    pub fn text(&self, codepoints: impl Into<Codepoints>) -> String {
        let is_refused = self.entries.iter().any(|entry| self.is_late_refusal(entry));
        // Whether the server answers before it reads the refusal is a matter of time.
        let shown = |entry: &&Entry| !(is_refused && is_answer(entry));
        self.text_of(self.entries.iter().filter(shown), codepoints.into())
    }

    /// The same lines in the order in which the entries were complete: of one connection, and not the same for every
    /// run of a case.
    #[must_use]
    pub fn text_by_arrival(&self, codepoints: impl Into<Codepoints>) -> String {
        self.text_of(self.by_arrival().into_iter(), codepoints.into())
    }

    fn text_of<'a>(
        &self,
        entries: impl Iterator<Item = &'a Entry>,
        codepoints: Codepoints,
    ) -> String {
        let mut text = String::new();
        for entry in entries {
            if self.push(&mut text, entry, codepoints).is_some() {
                text.push('\n');
            }
        }
        for side in Side::BOTH {
            if self.ending(side) == Ending::Reset {
                push_line(&mut text, &format!("{}  (reset)", side.letter()));
            }
        }
        // How often a defect is repeated depends on how data fell into records.
        let defects = self.defects.iter();
        let lines = defects.map(|it| format!("! {}: {}", it.side.name(), it.reason));
        for line in lines.collect::<IndexSet<_>>() {
            push_line(&mut text, &line);
        }
        text
    }

    /// Whether the client refuses something after the handshake, when it has asked before.
    fn is_late_refusal(&self, entry: &Entry) -> bool {
        let is_fatal = matches!(entry.content, Content::Alert(it) if it.is_fatal(self.version));
        entry.from == Side::Client && entry.epoch == Epoch::Application && is_fatal
    }

    /// One entry's line of the text; `None` for what has no place in it.
    #[must_use]
    pub fn line(&self, entry: &Entry, codepoints: impl Into<Codepoints>) -> Option<String> {
        let mut line = String::new();
        self.push(&mut line, entry, codepoints.into())?;
        Some(line)
    }

    /// Adds one entry's line, without its end; `None`, and nothing is added, for what has no place in a stable text.
    fn push(&self, text: &mut String, entry: &Entry, codepoints: Codepoints) -> Option<()> {
        let version = self.version;
        if entry.content == Content::ChangeCipherSpec {
            return None;
        }
        text.push(entry.from.letter());
        text.push_str("  ");
        let start = text.len();
        push_name(text, entry, version);
        let width = text[start..].chars().count();
        text.extend(std::iter::repeat_n(' ', NAME_WIDTH.saturating_sub(width)));
        match &entry.content {
            Content::Message(message) => push_details(text, message, codepoints),
            Content::Alert(alert) => {
                // Writing to a string does not fail.
                let _ = write!(text, " {alert}");
            }
            Content::Malformed { .. } => text.push_str(" malformed"),
            Content::ApplicationData { .. }
            | Content::ChangeCipherSpec
            | Content::Opaque { .. } => {}
        }
        text.truncate(text.trim_end().len());
        Some(())
    }

    /// How a side's direction ended.
    #[must_use]
    pub fn ending(&self, of: Side) -> Ending {
        match of {
            Side::Client => self.client_ending,
            Side::Server => self.server_ending,
        }
    }
}

fn is_answer(entry: &Entry) -> bool {
    entry.from == Side::Server && matches!(entry.content, Content::ApplicationData { .. })
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// An entry's name in its brackets.
fn push_name(text: &mut String, entry: &Entry, version: Option<ProtocolVersion>) {
    let is_tls12 = version.is_some_and(|version| version < ProtocolVersion::TLS13);
    let (open, close) = match entry.epoch {
        Epoch::Plaintext => ("", ""),
        Epoch::EarlyData => ("(", ")"),
        Epoch::Handshake => ("{", "}"),
        Epoch::Application => ("[", "]"),
    };
    let mut bracket = |name: &str| text.extend([open, name, close]);
    match &entry.content {
        Content::Message(message) => match message.registered_name() {
            Some(name) => bracket(name),
            None => bracket(&message.name()),
        },
        Content::Alert(_)
        | Content::Malformed {
            content_type: ContentType::ALERT,
        } => bracket("Alert"),
        Content::ApplicationData { .. } => bracket("ApplicationData"),
        Content::Opaque {
            content_type: ContentType::ALERT,
            ..
        } => text.push_str("(encrypted alert)"),
        // Before TLS 1.3 the content type on the outside is the true one.
        Content::Opaque {
            content_type: ContentType::APPLICATION_DATA,
            ..
        } if is_tls12 => bracket("ApplicationData"),
        Content::Opaque { .. } => text.push_str("(encrypted)"),
        Content::Malformed { content_type } => bracket(&format!("Record({content_type})")),
        Content::ChangeCipherSpec => {}
    }
}

/// What matters of a message, each with a space in front.
fn push_details(text: &mut String, message: &HandshakeMessage, codepoints: Codepoints) {
    // Writing to a string does not fail.
    if let Some(certificate) = message.certificate() {
        let _ = write!(text, " certificates={}", certificate.certificates.len());
    }
    match message {
        HandshakeMessage::CompressedCertificate(CompressedCertificate {
            algorithm,
            certificate: Err(reason),
            ..
        }) => {
            let _ = write!(text, " unreadable({algorithm}: {reason})");
        }
        HandshakeMessage::Malformed { reason, .. } => {
            let _ = write!(text, " malformed({reason})");
        }
        _ => {}
    }
    for extension in message.extensions() {
        if let Some(flags) = flags(extension, codepoints) {
            text.push(' ');
            text.push_str(&flags);
        }
    }
}

/// What a `tls_flags` extension says, whatever number it has.
fn flags(extension: &Extension, codepoints: Codepoints) -> Option<String> {
    match extension.tls_flags(codepoints) {
        Some(Ok(flags)) => Some(format!("tls_flags={}", set(&flags, codepoints.flag))),
        Some(Err(error)) => Some(format!(
            "tls_flags=malformed({}: {error})",
            octets(&extension.body)
        )),
        None => {
            let flags = extension.tls_flags_of_another_number(codepoints)?;
            let (number, set) = (extension.kind.0, set(&flags, codepoints.flag));
            Some(format!("tls_flags(0x{number:04x})={set}"))
        }
    }
}

/// The flags that are set, in braces.
fn set(flags: &TlsFlags, request_mtls: u16) -> String {
    let name = |&number: &u16| match number {
        _ if number == request_mtls => "request_mtls".to_owned(),
        _ => number.to_string(),
    };
    let names: Vec<_> = flags.flags().iter().map(name).collect();
    format!("{{{}}}", names.join(","))
}

fn octets(body: &[u8]) -> String {
    if body.is_empty() {
        return "empty".to_owned();
    }
    shortened(body, MALFORMED_OCTETS)
}

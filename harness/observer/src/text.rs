//! A transcript as text that is the same for every run of the same case.

use std::fmt::Write as _;

use indexmap::IndexSet;

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
        for line in entries.filter_map(|entry| self.line(entry, codepoints)) {
            push_line(&mut text, &line);
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
        let (name, details) = line(entry, self.version, codepoints.into())?;
        let line = format!("{}  {name:NAME_WIDTH$} {details}", entry.from.letter());
        Some(line.trim_end().to_owned())
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

/// An entry's name in its brackets, and what follows it; `None` for what has no
/// place in a stable text.
fn line(
    entry: &Entry,
    version: Option<ProtocolVersion>,
    codepoints: Codepoints,
) -> Option<(String, String)> {
    let bracket = |name: &str| match entry.epoch {
        Epoch::Plaintext => name.to_owned(),
        Epoch::EarlyData => format!("({name})"),
        Epoch::Handshake => format!("{{{name}}}"),
        Epoch::Application => format!("[{name}]"),
    };
    Some(match &entry.content {
        Content::Message(message) => (bracket(&message.name()), details(message, codepoints)),
        Content::Alert(alert) => (bracket("Alert"), alert.to_string()),
        Content::ApplicationData { .. } => (bracket("ApplicationData"), String::new()),
        Content::ChangeCipherSpec => return None,
        Content::Opaque {
            content_type: ContentType::ALERT,
            ..
        } => ("(encrypted alert)".to_owned(), String::new()),
        // Before TLS 1.3 the content type on the outside is the true one.
        Content::Opaque {
            content_type: ContentType::APPLICATION_DATA,
            ..
        } if version.is_some_and(|version| version < ProtocolVersion::TLS13) => {
            (bracket("ApplicationData"), String::new())
        }
        Content::Opaque { .. } => ("(encrypted)".to_owned(), String::new()),
        Content::Malformed {
            content_type: ContentType::ALERT,
        } => (bracket("Alert"), "malformed".to_owned()),
        Content::Malformed { content_type } => (
            bracket(&format!("Record({content_type})")),
            "malformed".to_owned(),
        ),
    })
}

fn details(message: &HandshakeMessage, codepoints: Codepoints) -> String {
    let mut details = Vec::new();
    if let Some(certificate) = message.certificate() {
        details.push(format!("certificates={}", certificate.certificates.len()));
    }
    match message {
        HandshakeMessage::CompressedCertificate(CompressedCertificate {
            algorithm,
            certificate: Err(reason),
            ..
        }) => details.push(format!("unreadable({algorithm}: {reason})")),
        HandshakeMessage::Malformed { reason, .. } => details.push(format!("malformed({reason})")),
        _ => {}
    }
    let extensions = message.extensions();
    details.extend(
        extensions
            .into_iter()
            .filter_map(|extension| flags(extension, codepoints)),
    );
    details.join(" ")
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
    let mut text = String::new();
    for octet in body.iter().take(MALFORMED_OCTETS) {
        // Writing to a string does not fail.
        let _ = write!(text, "{octet:02x}");
    }
    if body.len() > MALFORMED_OCTETS {
        text.push('…');
    }
    text
}

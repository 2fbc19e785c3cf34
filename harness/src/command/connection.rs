//! One recorded connection as text for people: what passed, and its flags with their numbers.

use std::fmt::{self, Write};

use crate::judge::check;
use crate::judge::{Numbering, Recorded, Ruling};
use reqmtls_observer::{
    Codepoints, ExtensionType, HandshakeMessage, Reason, TlsFlags, TlsFlagsError, Transcript,
};

/// Its name, what passed, what is not to be read, and its flags.
pub(super) fn describe(out: &mut impl Write, recorded: &Recorded) -> fmt::Result {
    let codepoints = recorded.knowledge.codepoints();
    writeln!(out, "\n# {}", recorded.name)?;
    writeln!(
        out,
        "client {}, server {}",
        recorded.client, recorded.server
    )?;
    out.write_str(&recorded.transcript.text(codepoints))?;
    for gap in &recorded.gaps {
        writeln!(out, "! {gap}")?;
    }
    if let Some(error) = &recorded.unused_note {
        writeln!(out, "! what the capture says of it is not used: {error}")?;
    }
    if let Some(hint) = missing_secret(&recorded.transcript) {
        writeln!(out, "{hint}")?;
    }
    flags(out, &recorded.transcript, codepoints, recorded.numbering)
}

/// The number of the extension, and each value that stands under it.
fn flags(
    out: &mut impl Write,
    transcript: &Transcript,
    codepoints: Codepoints,
    numbering: Numbering,
) -> fmt::Result {
    let number = extension_number(codepoints.extension);
    let mut is_present = false;
    for entry in &transcript.entries {
        let extensions = entry.message().map(HandshakeMessage::extensions);
        for extension in extensions.into_iter().flatten() {
            let Some(decoded) = extension.tls_flags(codepoints) else {
                continue;
            };
            if !is_present {
                writeln!(out, "tls_flags: extension {number} ({numbering})")?;
                is_present = true;
            }
            let message = entry.message().map(HandshakeMessage::name);
            let (from, message) = (entry.from, message.unwrap_or_default());
            writeln!(
                out,
                "  {message} of the {from}: {}",
                value(&decoded, codepoints.flag)
            )?;
            if let Err(error) = decoded {
                writeln!(out, "    {}", answers(error))?;
            }
        }
    }
    if is_present {
        return Ok(());
    }
    writeln!(
        out,
        "tls_flags: absent, extension {number} being it ({numbering})"
    )
}

/// `62`, or `0xfe01 (65025)`.
pub(super) fn extension_number(extension: ExtensionType) -> String {
    match extension.0 {
        number @ ..=255 => number.to_string(),
        number => format!("{number:#06x} ({number})"),
    }
}

/// `flags 0, 80 request_mtls`, or why there are none.
pub(super) fn value(decoded: &Result<TlsFlags, TlsFlagsError>, flag: u16) -> String {
    match decoded {
        Ok(flags) => {
            let names: Vec<_> = flags
                .flags()
                .iter()
                .map(|it| flag_name(*it, flag))
                .collect();
            format!("flags {}", names.join(", "))
        }
        Err(error) => format!("malformed: {error}"),
    }
}

/// `80 request_mtls`, if that is the number of the request flag.
pub(super) fn flag_name(number: u16, flag: u16) -> String {
    if number == flag {
        format!("{number} request_mtls")
    } else {
        number.to_string()
    }
}

/// The alerts that a malformed value is answered with, and what demands them.
pub(super) fn answers(error: TlsFlagsError) -> String {
    let demands = check::answers(error).iter();
    let demands: Vec<_> = demands
        .map(|(alert, by)| format!("{alert}({}) ({by})", alert.0))
        .collect();
    format!(
        "a receiver that implements tls_flags answers with fatal {}",
        demands.join(" or ")
    )
}

/// A ruling with the line that shows it, and the sentence behind it.
pub(super) fn ruling(out: &mut impl Write, ruling: &Ruling) -> fmt::Result {
    let requirement = ruling.requirement.get();
    writeln!(out, "  {ruling}")?;
    if let Some(line) = &ruling.message {
        writeln!(out, "    {line}")?;
    }
    writeln!(
        out,
        "    {} {}: {}",
        requirement.citation(),
        requirement.level,
        requirement.statement
    )
}

/// What would be right where a secret is missing.
fn missing_secret(transcript: &Transcript) -> Option<String> {
    let mut defects = transcript.defects.iter();
    let missing = defects.any(|defect| matches!(defect.reason, Reason::NoSecret(_)));
    let random = transcript.client_random.filter(|_| missing)?;
    Some(format!(
        "hint: expected key log lines `LABEL {random} SECRET` for these labels, embedded in the capture or in a file that --key-log names; TLS libraries write them where SSLKEYLOGFILE says"
    ))
}

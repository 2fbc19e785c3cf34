//! One recorded connection as text for people: what passed, in the order of arrival, and its flags with their numbers.

use std::fmt::{self, Write};

use indexmap::IndexMap;
use reqmtls_observer::{
    AlertDescription, Codepoints, Extension, ExtensionType, Reason, TlsFlags, TlsFlagsError,
    Transcript,
};

use crate::judge::check;
use crate::judge::requirement::{Level, Requirement};
use crate::judge::{Numbering, Recorded, Ruling};
use crate::report::paint::{of_verdict, painted};

/// Its name, what passed, what is not to be read, and its flags.
pub(super) fn describe(out: &mut impl Write, recorded: &Recorded) -> fmt::Result {
    let codepoints = recorded.knowledge.codepoints();
    writeln!(out, "\n# {}", recorded.name)?;
    writeln!(
        out,
        "client {}, server {}",
        recorded.client, recorded.server
    )?;
    out.write_str(&recorded.transcript.text_by_arrival(codepoints))?;
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
    let mut values = String::new();
    let mut others = String::new();
    for entry in &transcript.entries {
        let Some(message) = entry.message() else {
            continue;
        };
        let (name, from) = (message.name(), entry.from);
        for extension in message.extensions() {
            if let Some(decoded) = extension.tls_flags(codepoints) {
                let value = value(&decoded, codepoints.flag);
                writeln!(values, "  {name} of the {from}: {value}")?;
                if let Err(error) = decoded {
                    writeln!(values, "    {}", answers(error))?;
                }
            } else if is_unread(extension, codepoints) {
                writeln!(others, "{}", unread(&name, extension))?;
            }
        }
    }
    let is_present = !values.is_empty();
    writeln!(out, "{}", numbered(codepoints, numbering, is_present))?;
    out.write_str(&values)?;
    out.write_str(&others)
}

/// Under which number `tls_flags` is looked for, and whether it is there.
pub(super) fn numbered(codepoints: Codepoints, numbering: Numbering, is_present: bool) -> String {
    let number = match codepoints.extension.0 {
        number @ ..=255 => number.to_string(),
        number => format!("{number:#06x} ({number})"),
    };
    if is_present {
        format!("tls_flags: extension {number}, {numbering}")
    } else {
        format!("tls_flags: absent (extension {number}, {numbering})")
    }
}

/// Whether an extension has another number by which `tls_flags` is known, and a value that is no flags.
pub(super) fn is_unread(extension: &Extension, codepoints: Codepoints) -> bool {
    let kind = extension.kind;
    kind == ExtensionType::EARLY_EXPERIMENT
        && kind != codepoints.extension
        && extension.tls_flags_of_another_number(codepoints).is_none()
}

/// What may be malformed flags, or something else.
pub(super) fn unread(message: &str, extension: &Extension) -> String {
    let number = extension.kind.0;
    format!(
        "note: extension {number:#06x} in {message} does not decode as flags; --extension {number:#06x} reads it as tls_flags"
    )
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

/// The alerts that a malformed value is answered with, each with what demands it.
pub(super) fn answers(error: TlsFlagsError) -> String {
    let mut by_alert: IndexMap<AlertDescription, Vec<&str>> = IndexMap::new();
    for (alert, by) in check::answers(error) {
        by_alert.entry(*alert).or_default().push(by);
    }
    let demands = by_alert.iter();
    let demands: Vec<_> = demands
        .map(|(alert, by)| format!("{alert}({}) ({})", alert.0, by.join(", ")))
        .collect();
    format!(
        "a receiver that implements tls_flags answers with fatal {}",
        demands.join(" or ")
    )
}

/// A ruling with the line that shows it, and the sentence behind it.
pub(super) fn ruling(out: &mut impl Write, ruling: &Ruling) -> fmt::Result {
    writeln!(out, "  {}", painted(of_verdict(&ruling.verdict), ruling))?;
    if let Some(line) = &ruling.message {
        writeln!(out, "    {line}")?;
    }
    writeln!(out, "    {}", sentence(ruling.requirement.get()))
}

/// A requirement's place, key word and sentence.
pub(super) fn sentence(requirement: &Requirement) -> String {
    let (citation, statement) = (requirement.citation(), requirement.statement);
    match requirement.level {
        Level::Statement => format!("{citation}: {statement}"),
        level => format!("{citation}, {level}: {statement}"),
    }
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

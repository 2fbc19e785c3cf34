//! A ClientHello: what it offers, how its `tls_flags` stands in it, and what of it violates a requirement.

use std::time::Duration;

use anyhow::Context;
use reqmtls_contract::{Revision, SUPPORTED_VERSIONS};
use thiserror::Error;

use super::{Report, flags};
use crate::command::capture::Numbers;
use crate::command::connection::{answers, is_unread, numbered, sentence, unread, value};
use crate::judge::check::{self, View};
use crate::judge::requirement::Id;
use crate::judge::{Knowledge, Ruling};
use reqmtls_observer::{
    ClientHello, Codepoints, Defect, ExtensionType, HandshakeMessage, KeyLog, ProtocolVersion,
    Recording, Side, Transcript,
};

/// The content type of handshake records.
const HANDSHAKE: u8 = 22;

/// The most octets of a message that go in one record, RFC 9846 §5.1 (RFC 8446 §5.1).
const FRAGMENT: usize = 1 << 14;

/// Length of a handshake message's header in octets.
const HEADER: usize = 4;

/// Why octets are no ClientHello.
#[derive(Debug, Error)]
pub(super) enum HelloError {
    #[error(
        "octet 0: got a {0}, expected a ClientHello (type 1), bare or in TLS records (type 22)"
    )]
    Other(String),
    #[error("got {0} octets, expected a ClientHello with its header of {HEADER} octets")]
    Short(usize),
    #[error(
        "octet 1: the length says {declared}, got {got} octets behind it, expected as many as it says"
    )]
    Length { declared: usize, got: usize },
    #[error(
        "got a ClientHello that cannot be read: {0}, expected one as RFC 9846 §4.2.2 (RFC 8446 §4.1.2) has it"
    )]
    Malformed(String),
    #[error("{0}, expected a whole ClientHello")]
    Unreadable(Defect),
    #[error("got no handshake message, expected a ClientHello")]
    Nothing,
}

/// Explains a ClientHello, and judges it as far as it shows anything by itself.
pub(super) fn explain(
    report: &mut Report,
    octets: &[u8],
    numbers: Numbers,
    name: &str,
) -> anyhow::Result<()> {
    let transcript = observe(records(octets).with_context(|| name.to_owned())?);
    let hello = read(&transcript).with_context(|| name.to_owned())?;
    let (codepoints, numbering) = numbers.of(&transcript);
    offers(report, hello);
    report.line(numbered(
        codepoints,
        numbering,
        hello.offers(codepoints.extension),
    ));
    flags(report, hello, codepoints);
    judged(report, &rulings(&transcript, codepoints))
}

/// Judges `extension_data` as the value in a ClientHello that offers TLS 1.3 and nothing else.
pub(super) fn judge_value(report: &mut Report, value: &[u8], flag: u16) -> anyhow::Result<()> {
    let codepoints = Codepoints::from(flag);
    let extension = |kind: u16, body: &[u8]| -> anyhow::Result<Vec<u8>> {
        let length = u16::try_from(body.len()).ok();
        let length =
            length.with_context(|| format!("got {} octets, expected at most 65535", body.len()))?;
        Ok([&kind.to_be_bytes()[..], &length.to_be_bytes(), body].concat())
    };
    let versions = extension(SUPPORTED_VERSIONS, &[2, 3, 4])?;
    let flags = extension(codepoints.extension.0, value)?;
    let extensions = [versions, flags].concat();
    // legacy_version, random, no session id, one suite, no compression; then the extensions.
    let length = u16::try_from(extensions.len()).unwrap_or(u16::MAX);
    let fixed = [
        &[3, 3][..],
        &[0; 32],
        &[0, 0, 2, 0x13, 1, 1, 0],
        &length.to_be_bytes(),
    ]
    .concat();
    let body = [fixed, extensions].concat();
    let [_, high, middle, low] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    let hello = [&[1, high, middle, low][..], &body].concat();
    let mut rulings = rulings(&observe(records(&hello)?), codepoints);
    for ruling in &mut rulings {
        // Nobody has sent this message.
        ruling.message = None;
    }
    judged(report, &rulings)
}

fn judged(report: &mut Report, rulings: &[Ruling]) -> anyhow::Result<()> {
    let is_violated = report.violations(rulings)?;
    report.faulty |= is_violated;
    if !is_violated {
        report.line("violates nothing");
    }
    Ok(())
}

fn rulings(transcript: &Transcript, codepoints: Codepoints) -> Vec<Ruling> {
    let nothing = Knowledge::none(codepoints.flag, Revision::Draft02);
    let knowledge = Knowledge {
        extension: codepoints.extension.0,
        ..nothing
    };
    check::rule(&View::new(transcript, &knowledge))
}

fn observe(records: Vec<u8>) -> Transcript {
    let mut recording = Recording::new();
    recording.data(Duration::ZERO, Side::Client, records);
    Transcript::observe(&recording, &KeyLog::default())
}

fn read(transcript: &Transcript) -> Result<&ClientHello, HelloError> {
    match transcript.messages(Side::Client).next() {
        Some(HandshakeMessage::ClientHello(hello)) => Ok(hello),
        Some(HandshakeMessage::Malformed { kind, reason }) if kind.0 == 1 => {
            Err(HelloError::Malformed(reason.clone()))
        }
        Some(other) => Err(HelloError::Other(other.name())),
        // That there is no ClientHello follows from whatever else is wrong.
        None => Err(match transcript.defects.last() {
            Some(defect) => HelloError::Unreadable(defect.clone()),
            None => HelloError::Nothing,
        }),
    }
}

/// The octets as records, in which a bare message is put first.
fn records(octets: &[u8]) -> Result<Vec<u8>, HelloError> {
    match octets {
        [HANDSHAKE, ..] => return Ok(octets.to_vec()),
        [1, high, middle, low, ..] => {
            let declared = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            let got = octets.len() - HEADER;
            if declared != got {
                return Err(HelloError::Length { declared, got });
            }
        }
        [1, ..] => return Err(HelloError::Short(octets.len())),
        [first, ..] => return Err(HelloError::Other(format!("message of type {first}"))),
        [] => return Err(HelloError::Nothing),
    }
    let record = |fragment: &[u8]| {
        let length = u16::try_from(fragment.len()).unwrap_or(u16::MAX);
        let [high, low] = length.to_be_bytes();
        [&[HANDSHAKE, 3, 1, high, low], fragment].concat()
    };
    Ok(octets.chunks(FRAGMENT).flat_map(record).collect())
}

/// What it offers.
fn offers(report: &mut Report, hello: &ClientHello) {
    let versions = versions(hello);
    let names: Vec<_> = versions.iter().map(ToString::to_string).collect();
    report.line(format!("versions offered: {}", names.join(", ")));
    let tls13 = if versions.contains(&ProtocolVersion::TLS13) {
        "offered"
    } else {
        "not offered"
    };
    report.line(format!("TLS 1.3 is {tls13}"));
    let extensions = hello.extensions.iter();
    let names: Vec<_> = extensions
        .map(|extension| format!("{}({})", extension.kind, extension.kind.0))
        .collect();
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    report.line(format!("extensions: {names}"));
}

/// Each value of flags, and what is to be said of its place.
fn flags(report: &mut Report, hello: &ClientHello, codepoints: Codepoints) {
    let (flag, count) = (codepoints.flag, hello.extensions.len());
    for (extension, place) in hello.extensions.iter().zip(1..) {
        let another = extension.tls_flags_of_another_number(codepoints).map(Ok);
        let name = if another.is_some() {
            format!("tls_flags({:#06x})", extension.kind.0)
        } else {
            "tls_flags".to_owned()
        };
        if is_unread(extension, codepoints) {
            report.line(unread("ClientHello", extension));
        }
        let Some(decoded) = extension.tls_flags(codepoints).or(another) else {
            continue;
        };
        report.line(format!("{name}: extension {place} of {count}"));
        flags::octets(report, &extension.body, flag);
        report.line(format!("  {}", value(&decoded, flag)));
        match &decoded {
            Ok(flags) if flags.contains(flag) => {}
            Ok(_) => report.line(format!("  request_mtls (flag {flag}) is not set")),
            Err(error) => report.line(format!("  {}", answers(*error))),
        }
    }
    let is_present = hello.offers(codepoints.extension);
    if is_present
        && !versions(hello).contains(&ProtocolVersion::TLS13)
        && let Some(id) = Id::find("TLS-11")
    {
        report.line(format!("note: {id}, {}", sentence(id.get())));
    }
    let mut before_last = hello.extensions.iter().rev().skip(1);
    if before_last.any(|it| it.kind == ExtensionType::PRE_SHARED_KEY) {
        report.line(
            "note: pre_shared_key is not the last extension, as RFC 9846 §4.3.11 (RFC 8446 §4.2.11) wants it",
        );
    }
}

/// The versions offered, in order of preference, RFC 9846 §4.3.1 (RFC 8446 §4.2.1).
fn versions(hello: &ClientHello) -> Vec<ProtocolVersion> {
    let mut extensions = hello.extensions.iter();
    let offered = extensions.find(|extension| extension.kind == ExtensionType::SUPPORTED_VERSIONS);
    let list = offered.and_then(|extension| extension.body.get(1..));
    match list {
        None => vec![hello.legacy_version],
        Some(list) => list
            .as_chunks()
            .0
            .iter()
            .map(|version| ProtocolVersion(u16::from_be_bytes(*version)))
            .collect(),
    }
}

//! A ClientHello: what it offers, and how its `tls_flags` stands in it.

use std::time::Duration;

use thiserror::Error;

use super::breach::{Breach, cite};
use super::{Report, flags};
use reqmtls_observer::{
    ClientHello, Codepoints, Defect, ExtensionType, HandshakeMessage, KeyLog, ProtocolVersion,
    Recording, Side, Transcript,
};

/// The content type of handshake records.
const HANDSHAKE: u8 = 22;

/// The most octets of a message that go in one record (RFC 8446 §5.1).
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
    #[error("got a ClientHello that cannot be read: {0}, expected one as RFC 8446 §4.1.2 has it")]
    Malformed(String),
    #[error("{0}, expected a whole ClientHello")]
    Unreadable(Defect),
    #[error("got no handshake message, expected a ClientHello")]
    Nothing,
}

/// Explains and judges a ClientHello.
pub(super) fn explain(
    report: &mut Report,
    octets: &[u8],
    codepoints: Codepoints,
) -> Result<(), HelloError> {
    let hello = read(octets)?;
    describe(report, &hello, codepoints);
    let breaches = judge(&hello, codepoints);
    report.judge(&breaches);
    Ok(())
}

fn read(octets: &[u8]) -> Result<ClientHello, HelloError> {
    let mut recording = Recording::new();
    recording.data(Duration::ZERO, Side::Client, records(octets)?);
    let transcript = Transcript::observe(&recording, &KeyLog::default());
    match transcript.messages(Side::Client).next() {
        Some(HandshakeMessage::ClientHello(hello)) => Ok(hello.clone()),
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

fn describe(report: &mut Report, hello: &ClientHello, codepoints: Codepoints) {
    let versions = versions(hello);
    let names: Vec<_> = versions.iter().map(ToString::to_string).collect();
    report.line(format!("versions offered: {}", names.join(", ")));
    let tls13 = versions.contains(&ProtocolVersion::TLS13);
    report.line(format!(
        "TLS 1.3 is {}",
        if tls13 { "offered" } else { "not offered" }
    ));
    let names: Vec<_> = hello
        .extensions
        .iter()
        .map(|extension| format!("{}({})", extension.kind, extension.kind.0))
        .collect();
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    report.line(format!("extensions: {names}"));
    let mut present = false;
    for (extension, place) in hello.extensions.iter().zip(1..) {
        let decoded = extension.tls_flags(codepoints);
        let another = extension.tls_flags_of_another_number(codepoints);
        let name = match (&decoded, &another) {
            (Some(_), _) => "tls_flags".to_owned(),
            (None, Some(_)) => format!("tls_flags({:#06x})", extension.kind.0),
            (None, None) => continue,
        };
        present |= decoded.is_some();
        let count = hello.extensions.len();
        report.line(format!("{name}: extension {place} of {count}"));
        let flag = codepoints.flag;
        flags::octets(report, &extension.body, flag);
        if let Some(flags) = decoded.and_then(Result::ok).or(another) {
            let is = if flags.contains(flag) {
                "set"
            } else {
                "not set"
            };
            report.line(format!("  request_mtls (flag {flag}) is {is}"));
        }
    }
    if !present {
        report.line("tls_flags: absent");
    }
    if present && !tls13 {
        report.line(format!("note: {}", cite("TLS-11")));
    }
    let experiment = ExtensionType::EARLY_EXPERIMENT;
    if hello.offers(experiment) && codepoints.extension != experiment {
        report.line(format!(
            "note: extension {:#06x} is the number of tls_flags in an early deployment; the number here is {} (--extension NUMBER decides)",
            experiment.0, codepoints.extension.0,
        ));
    }
}

/// The versions offered, in order of preference (RFC 8446 §4.2.1).
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

/// Everything in a ClientHello that concerns `tls_flags` and breaks a requirement.
pub(super) fn judge(hello: &ClientHello, codepoints: Codepoints) -> Vec<Breach> {
    let flags = hello
        .extensions
        .iter()
        .filter_map(|extension| extension.tls_flags(codepoints));
    let count = flags.clone().count();
    let mut breaches: Vec<_> = flags
        .filter_map(Result::err)
        .map(Breach::of_flags)
        .collect();
    if count > 1 {
        breaches.push(Breach::repeated("tls_flags", count));
    }
    let mut after = hello
        .extensions
        .iter()
        .skip_while(|extension| extension.kind != ExtensionType::PRE_SHARED_KEY)
        .skip(1)
        .map(|extension| extension.kind.to_string())
        .peekable();
    if after.peek().is_some() {
        breaches.push(Breach::after_pre_shared_key(&after.collect::<Vec<_>>()));
    }
    breaches
}

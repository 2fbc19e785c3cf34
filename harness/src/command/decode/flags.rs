//! The octets of `tls_flags`, one by one.

use reqmtls_contract::TLS_FLAGS;

use super::Report;
use super::hello;
use crate::command::capture::Numbers;
use crate::command::connection::{answers, flag_name, value};
use reqmtls_observer::{ExtensionType, TlsFlags, shortened};

/// How many octets beyond the length are shown.
const SHOWN: usize = 16;

/// Explains the `extension_data` of `tls_flags`, and judges it as the value of a ClientHello.
pub(super) fn explain(report: &mut Report, body: &[u8], numbers: Numbers) -> anyhow::Result<()> {
    let flag = numbers.flag();
    octets(report, body, flag);
    if looks_like_a_whole_extension(body, numbers.extension) {
        report.line(
            "hint: octets 0 to 3 look like the type and length of a whole extension; extension_data is what follows them",
        );
    }
    let decoded = TlsFlags::decode(body);
    report.line(value(&decoded, flag));
    match &decoded {
        Ok(flags) if flags.contains(flag) => {}
        Ok(_) => report.line(format!("request_mtls (flag {flag}) is not set")),
        Err(error) => report.line(answers(*error)),
    }
    hello::judge_value(report, body, flag)
}

/// What each octet means, runs of zero in one line.
pub(super) fn octets(report: &mut Report, body: &[u8], flag: u16) {
    let Some((&length, octets)) = body.split_first() else {
        report.line("  no octets");
        return;
    };
    report.line(format!("  octet 0: {length:02x}, length {length}"));
    let length = usize::from(length);
    let (within, beyond) = octets.split_at(length.min(octets.len()));
    let mut place = 0;
    while let Some(&octet) = within.get(place) {
        let zeros = within.iter().skip(place).take_while(|&&octet| octet == 0);
        let count = zeros.count().max(1);
        let meaning = set(place, octet, flag);
        report.line(format!(
            "  {}: {octet:02x}, {meaning}",
            places(place, count)
        ));
        place += count;
    }
    if !beyond.is_empty() {
        let shown = shortened(beyond, SHOWN);
        let places = places(within.len(), beyond.len());
        report.line(format!("  {places}: {shown}, beyond the length"));
    }
    if length > octets.len() {
        report.line(format!("  {} octets are missing", length - octets.len()));
    }
}

/// Where octets stand, counted with the length in front of them.
fn places(place: usize, count: usize) -> String {
    match count {
        1 => format!("octet {}", place + 1),
        _ => format!("octets {} to {}", place + 1, place + count),
    }
}

/// The flags that an octet sets.
fn set(place: usize, octet: u8, flag: u16) -> String {
    let first = u16::try_from(8 * place).unwrap_or(u16::MAX);
    let bits = (0..8).filter(|bit| octet & (1 << bit) != 0);
    let names: Vec<_> = bits
        .map(|bit| flag_name(first.saturating_add(bit), flag))
        .collect();
    match &names[..] {
        [] => "no flag".to_owned(),
        [one] => format!("flag {one}"),
        _ => format!("flags {}", names.join(", ")),
    }
}

/// Whether somebody copied type and length along.
fn looks_like_a_whole_extension(octets: &[u8], number: Option<u16>) -> bool {
    let Some((&[a, b, c, d], rest)) = octets.split_first_chunk() else {
        return false;
    };
    let kind = u16::from_be_bytes([a, b]);
    let is_carrier = match number {
        Some(number) => kind == number,
        None => [TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT.0].contains(&kind),
    };
    is_carrier && usize::from(u16::from_be_bytes([c, d])) == rest.len()
}

//! How much a report may say: it stands in findings, and so in every report of a run.

use std::ops::RangeInclusive;

use reqmtls_contract::{ANSWER_LIMIT, ConnectionReport, Hex, Report};

use super::ControlError;

/// The most octets of the `extension_data` that an end sent or saw. What is well-formed has at most 256.
const FLAGS: usize = 512;

/// The octets of a hash.
const HASH: usize = 32;

/// The most octets of what a client hands on, which is hexadecimal there.
const HANDED_ON: usize = ANSWER_LIMIT / 2;

/// The most lines of a key log: a library writes some seven of a connection.
const LINES: usize = 64;

/// The most octets of one of them: the longest in use has some 200.
const LINE: usize = 512;

/// Whether a report stays within the limits of the contract.
///
/// # Errors
///
/// The first thing that is out of them.
pub(super) fn check(report: &Report) -> Result<(), ControlError> {
    report.connections.iter().try_for_each(connection)
}

fn connection(report: &ConnectionReport) -> Result<(), ControlError> {
    hex("tls_flags_sent", report.tls_flags_sent.as_ref(), 0..=FLAGS)?;
    let received = report.tls_flags_received.as_ref();
    hex("tls_flags_received", received, 0..=FLAGS)?;
    let certificate = report.peer_certificate.as_ref();
    hex("peer_certificate", certificate, HASH..=HASH)?;
    if let Some(answer) = &report.answer {
        let certificate = answer.client_certificate.as_ref();
        hex(
            "client_certificate of an answer",
            certificate,
            0..=HANDED_ON,
        )?;
        let flags = answer.tls_flags.as_ref();
        hex("tls_flags of an answer", flags, 0..=HANDED_ON)?;
    }
    let log = &report.key_log;
    within("key_log", log.len(), "lines", 0..=LINES)?;
    log.iter()
        .try_for_each(|line| within("a line of key_log", line.len(), "octets", 0..=LINE))
}

fn hex(
    what: &'static str,
    value: Option<&Hex>,
    expected: RangeInclusive<usize>,
) -> Result<(), ControlError> {
    value.map_or(Ok(()), |it| within(what, it.0.len(), "octets", expected))
}

fn within(
    what: &'static str,
    got: usize,
    unit: &'static str,
    expected: RangeInclusive<usize>,
) -> Result<(), ControlError> {
    if expected.contains(&got) {
        return Ok(());
    }
    let most = *expected.end();
    let is_exact = *expected.start() == most;
    Err(ControlError::Length {
        what,
        got,
        unit,
        expected: format!("{}{most}", if is_exact { "" } else { "at most " }),
    })
}

#[cfg(test)]
mod tests {
    use reqmtls_contract::Answer;

    use super::*;

    fn said(change: impl FnOnce(&mut ConnectionReport)) -> String {
        let mut report = ConnectionReport::default();
        change(&mut report);
        let connections = vec![ConnectionReport::default(), report];
        let checked = check(&Report { connections });
        checked.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    fn octets(length: usize) -> Hex {
        Hex(vec![7; length])
    }

    fn answer(certificate: usize, tls_flags: usize) -> Answer {
        Answer {
            client_certificate: Some(octets(certificate)),
            tls_flags: Some(octets(tls_flags)),
        }
    }

    #[test]
    fn a_report_at_every_limit_is_fine() {
        let said = said(|it| {
            it.tls_flags_sent = Some(octets(512));
            it.tls_flags_received = Some(octets(512));
            it.peer_certificate = Some(octets(32));
            it.answer = Some(answer(2048, 2048));
            it.key_log = vec!["x".repeat(512); 64];
        });
        assert_eq!(said, "fine");
    }

    #[test]
    fn what_is_longer_is_named_with_its_length_and_the_limit() {
        let all = [
            (
                said(|it| it.tls_flags_sent = Some(octets(513))),
                "tls_flags_sent of 513 octets in a report, expected at most 512",
            ),
            (
                said(|it| it.tls_flags_received = Some(octets(1 << 20))),
                "tls_flags_received of 1048576 octets in a report, expected at most 512",
            ),
            (
                said(|it| it.peer_certificate = Some(octets(31))),
                "peer_certificate of 31 octets in a report, expected 32",
            ),
            (
                said(|it| it.answer = Some(answer(2049, 0))),
                "client_certificate of an answer of 2049 octets in a report, expected at most 2048",
            ),
            (
                said(|it| it.answer = Some(answer(32, 2049))),
                "tls_flags of an answer of 2049 octets in a report, expected at most 2048",
            ),
            (
                said(|it| it.key_log = vec![String::new(); 65]),
                "key_log of 65 lines in a report, expected at most 64",
            ),
            (
                said(|it| it.key_log = vec!["x".repeat(513)]),
                "a line of key_log of 513 octets in a report, expected at most 512",
            ),
        ];
        for (said, expected) in all {
            assert_eq!(said, format!("got {expected}"));
        }
    }
}

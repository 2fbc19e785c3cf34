//! A capture: the transcript of each TLS connection, its flags, and what violates a requirement.

use std::path::Path;

use anyhow::bail;

use super::Report;
use crate::command::capture::{Capture, Numbers};
use crate::command::connection;
use crate::judge::Recorded;

/// Explains every TLS connection of a capture, with the secrets of a key log and those that it embeds.
pub(super) fn explain(
    report: &mut Report,
    file: &[u8],
    key_log: Option<&Path>,
    name: &str,
    numbers: Numbers,
) -> anyhow::Result<()> {
    let capture = Capture::read(file, key_log, name)?;
    let (mut found, mut faulty) = (0, 0);
    for mut recorded in capture.of_tls() {
        numbers.apply(&mut recorded);
        found += 1;
        faulty += usize::from(explain_connection(report, &recorded)?);
    }
    if found == 0 {
        bail!(
            "{name}: {} and none of TLS among them, expected at least one from its start on",
            capture.lacks()
        );
    }
    report.line("");
    for omission in &capture.omissions {
        report.line(format!("left out: {omission}"));
    }
    let others = capture.len() - found;
    if others > 0 {
        report.line(format!("left out: {others} TCP connections without TLS"));
    }
    report.line(format!(
        "{found} TLS connections, {faulty} with defects or violations"
    ));
    report.faulty = faulty > 0;
    Ok(())
}

/// Explains one connection; whether something is wrong with it.
fn explain_connection(report: &mut Report, recorded: &Recorded) -> anyhow::Result<bool> {
    connection::describe(&mut report.text, recorded)?;
    let rulings = recorded.rulings().unwrap_or_default();
    let is_violated = report.violations(&rulings)?;
    Ok(is_violated || !recorded.is_whole())
}

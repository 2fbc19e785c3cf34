//! A capture: the transcript of each TLS connection, and what could not be read.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::{Report, hello};
use reqmtls_observer::capture::{self, Connection};
use reqmtls_observer::{Codepoints, HandshakeMessage, KeyLog, Reason, Side, Transcript};

/// Reads a file of key log lines.
pub(super) fn key_log(path: &Path) -> anyhow::Result<KeyLog> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    KeyLog::parse(&text).with_context(|| path.display().to_string())
}

/// Explains and judges every TLS connection of a capture, with `log` and the secrets that it embeds.
pub(super) fn explain(
    report: &mut Report,
    file: &[u8],
    mut log: KeyLog,
    codepoints: Codepoints,
) -> anyhow::Result<()> {
    let capture = capture::read(file)?;
    log.merge(&capture.secrets);
    let mut found = 0;
    let mut faulty = 0;
    let mut others = 0;
    for connection in &capture.connections {
        let transcript = Transcript::observe(&connection.recording, &log);
        if transcript.entries.is_empty() {
            others += 1;
            continue;
        }
        found += 1;
        faulty += usize::from(explain_connection(
            report,
            connection,
            &transcript,
            codepoints,
        ));
    }
    if found == 0 {
        let omissions: Vec<_> = capture.omissions.iter().map(ToString::to_string).collect();
        let omissions = if omissions.is_empty() {
            String::new()
        } else {
            format!(" ({})", omissions.join("; "))
        };
        bail!(
            "got {others} TCP connections{omissions} and none of TLS among them, expected at least one from its start on"
        );
    }
    report.line("");
    for omission in &capture.omissions {
        report.line(format!("left out: {omission}"));
    }
    if others > 0 {
        report.line(format!("left out: {others} TCP connections without TLS"));
    }
    report.line(format!("{found} TLS connections, {faulty} with defects"));
    report.faulty = faulty > 0;
    Ok(())
}

/// Tells one connection; whether something is wrong with it.
fn explain_connection(
    report: &mut Report,
    connection: &Connection,
    transcript: &Transcript,
    codepoints: Codepoints,
) -> bool {
    report.line("");
    report.line(format!("# {}", connection.name));
    report.text.push_str(&transcript.text(codepoints));
    for gap in &connection.gaps {
        report.line(format!("! {gap}"));
    }
    if let Some(hint) = missing_secret(transcript) {
        report.line(hint);
    }
    let hellos = transcript.messages(Side::Client);
    let breaches: Vec<_> = hellos
        .filter_map(|message| match message {
            HandshakeMessage::ClientHello(hello) => Some(hello::judge(hello, codepoints)),
            _ => None,
        })
        .flatten()
        .collect();
    for breach in &breaches {
        report.line(breach.to_string());
    }
    !(connection.gaps.is_empty() && transcript.defects.is_empty() && breaches.is_empty())
}

/// What would be right where a secret is missing.
fn missing_secret(transcript: &Transcript) -> Option<String> {
    let missing = transcript
        .defects
        .iter()
        .any(|defect| matches!(defect.reason, Reason::NoSecret(_)));
    let random = transcript.client_random.filter(|_| missing)?;
    Some(format!(
        "hint: expected key log lines `LABEL {random} SECRET` for these labels, embedded in the capture or in a file that --key-log names; TLS libraries write them where SSLKEYLOGFILE says"
    ))
}

//! A cell explained for people: everything that led to its verdict.

use std::fmt::{self, Write as _};

use reqmtls_contract::ConnectionReport;
use reqmtls_vocabulary::Side;

use super::Explained;
use crate::judge::{Finding, Ruling};
use crate::report::counted;
use crate::report::paint::{BAD, ODD, of_conformance, of_drift, of_verdict, painted};
use crate::run::{Connection, Label, difference};

/// Writes all of it; the extension of `tls_flags` had that number in its run.
pub(super) fn explain(out: &mut String, explained: &Explained<'_>, extension: u16) -> fmt::Result {
    let cell = explained.cell;
    writeln!(out, "{} on {}", cell.case, cell.pairing())?;
    writeln!(out, "run: {}", explained.run)?;
    let conformance = painted(of_conformance(cell.conformance), cell.conformance);
    write!(out, "conformance: {conformance}")?;
    match cell.drift {
        Some(drift) => writeln!(out, ", transcript: {}", painted(of_drift(drift), drift))?,
        None => writeln!(out)?,
    }
    if let Some(reason) = &cell.reason {
        writeln!(out, "reason: {reason}")?;
    }
    for side in Side::BOTH {
        let player = cell.player(side);
        let misbehaves = if player.misbehaves {
            ", breaks rules on purpose"
        } else {
            ""
        };
        writeln!(
            out,
            "{side}: {} ({}{misbehaves})",
            player.peer, player.provenance
        )?;
    }
    if !cell.caught.is_empty() {
        let ids: Vec<_> = cell.caught.iter().map(ToString::to_string).collect();
        writeln!(out, "caught violating: {}", ids.join(", "))?;
    }
    for shown in &cell.connections {
        connection(out, shown)?;
    }
    if !cell.findings.is_empty() {
        writeln!(out, "\nfindings")?;
    }
    for found in &cell.findings {
        finding(out, found)?;
    }
    if cell.drift.is_some() {
        compare(out, &cell.comparable(extension), explained.accepted)?;
    }
    writeln!(out, "\nalone: {}", explained.alone)
}

fn connection(out: &mut String, connection: &Connection) -> fmt::Result {
    let label = match &connection.label {
        Label::Only => "transcript".to_owned(),
        label => label.to_string(),
    };
    let flights = &connection.flights;
    let octets = |side| {
        let of = flights.iter().filter(|flight| flight.from == side);
        of.map(|flight| flight.bytes).sum::<usize>()
    };
    writeln!(
        out,
        "\n{label}: {}, {} from the client, {} from the server",
        counted(flights.len(), "flight"),
        counted(octets(Side::Client), "octet"),
        octets(Side::Server)
    )?;
    for line in connection.text.lines() {
        writeln!(out, "  {line}")?;
    }
    if connection.bypassed {
        writeln!(
            out,
            "  the server's policy requires a certificate, and it completed without authentication"
        )?;
    }
    if !connection.rulings.is_empty() {
        writeln!(out, "requirements")?;
    }
    for shown in &connection.rulings {
        ruling(out, shown)?;
    }
    let reports = [&connection.client_report, &connection.server_report];
    for (side, report) in Side::BOTH.into_iter().zip(reports) {
        if let Some(report) = report {
            writeln!(out, "the {side} reports: {}", words(report))?;
        }
    }
    Ok(())
}

fn ruling(out: &mut String, ruling: &Ruling) -> fmt::Result {
    let level = ruling.requirement.get().level;
    let style = of_verdict(&ruling.verdict);
    writeln!(
        out,
        "  {}",
        painted(style, format_args!("[{level}] {ruling}"))
    )
}

fn finding(out: &mut String, finding: &Finding) -> fmt::Result {
    let provenance = finding
        .provenance
        .map_or_else(String::new, |it| format!(" ({it})"));
    let style = if finding.known.is_some() { ODD } else { BAD };
    let text = painted(
        style,
        format_args!("{}{provenance}: {finding}", finding.party),
    );
    writeln!(out, "  {text}")?;
    match &finding.message {
        Some(message) => writeln!(out, "    {message}"),
        None => Ok(()),
    }
}

/// The first line that is not the accepted one.
fn compare(out: &mut String, text: &str, accepted: Option<&str>) -> fmt::Result {
    let Some(accepted) = accepted else {
        return writeln!(out, "\nno transcript of it has been accepted");
    };
    match difference(accepted, text) {
        None => writeln!(out, "\nthe transcript is the accepted one"),
        Some(found) => writeln!(
            out,
            "\nfirst difference from the accepted transcript, line {}\n{found}",
            found.line
        ),
    }
}

/// What an end reports, in one line.
fn words(report: &ConnectionReport) -> String {
    let mut words = report.outcome.to_string();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // A String takes whatever is written to it.
            let _ = write!(words, ", {name} {value}");
        }
    };
    let hex = |value: &Option<reqmtls_contract::Hex>| value.as_ref().map(ToString::to_string);
    add(
        "error",
        report.error.as_ref().map(|text| format!("{text:?}")),
    );
    add(
        "alert_sent",
        report.alert_sent.map(|alert| alert.to_string()),
    );
    add(
        "alert_received",
        report.alert_received.map(|alert| alert.to_string()),
    );
    add("tls_flags_sent", hex(&report.tls_flags_sent));
    add("tls_flags_received", hex(&report.tls_flags_received));
    add("peer_certificate", hex(&report.peer_certificate));
    add("resumed", report.resumed.map(|resumed| resumed.to_string()));
    add(
        "early_data",
        report.early_data.map(|accepted| accepted.to_string()),
    );
    words
}

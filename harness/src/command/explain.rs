//! `reqmtls explain`: one cell of the last run, with everything that led to its verdict.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqmtls_contract::{ConnectionReport, Revision};
use reqmtls_vocabulary::Side;

use crate::judge::{Finding, Ruling};
use crate::report::{replay, reproduction};
use crate::run::{self, Accepted, Cell, Connection, Event, Label};
use crate::scenario::{CaseId, nearest};

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The case's id
    case: String,
    /// The pairing: CLIENT--SERVER
    pairing: Option<String>,
    /// The revision that the run was of
    #[arg(long, default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
}

/// Explains a cell on stdout; without a pairing, lists those of the case.
pub(super) fn obey(root: &Path, arguments: &Arguments) -> anyhow::Result<u8> {
    let published = run::results(root, arguments.revision);
    let path = published.join("latest").join("result.jsonl");
    let (mut cases, mut cells) = (Vec::new(), Vec::new());
    replay(&path, |event| {
        if let Event::Cell(cell, _) = event {
            if cell.case.as_str() == arguments.case {
                cells.push(*cell);
            } else if !cases.contains(&cell.case) {
                cases.push(cell.case);
            }
        }
    })
    .with_context(|| {
        let run = command(arguments.revision, &arguments.case);
        format!(
            "cannot use the last run, {}; `{run}` makes one",
            path.display()
        )
    })?;
    if cells.is_empty() {
        let near = nearest(&arguments.case, cases.iter().map(CaseId::as_str));
        let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
        let run = command(arguments.revision, &arguments.case);
        bail!(
            "the last run has no case {:?}{near} (`{run}` runs it, if there is one)",
            arguments.case
        );
    }
    let pairings = |separator: &str| {
        let mut pairings: Vec<_> = cells.iter().map(Cell::pairing).collect();
        pairings.sort_unstable();
        pairings.join(separator)
    };
    let Some(pairing) = &arguments.pairing else {
        writeln!(io::stdout(), "{}", pairings("\n"))?;
        return Ok(0);
    };
    let cell = cells
        .iter()
        .find(|cell| cell.pairing() == *pairing)
        .ok_or_else(|| {
            anyhow!(
                "got pairing {pairing:?}, expected one that the last run has: {}",
                pairings(", ")
            )
        })?;
    let accepted = Accepted::load(&published.join("snapshots"), [cell.case.scenario()])?;
    let mut text = String::new();
    // A String takes whatever is written to it.
    let _ = explain(&mut text, cell, arguments.revision, &accepted);
    io::stdout().write_all(text.as_bytes())?;
    Ok(0)
}

/// The command that runs a selection.
fn command(revision: Revision, selection: &str) -> String {
    match revision {
        Revision::Draft02 => format!("reqmtls run {selection}"),
        Revision::EditorsCopy => format!("reqmtls run --revision {revision} {selection}"),
    }
}

fn explain(out: &mut String, cell: &Cell, revision: Revision, accepted: &Accepted) -> fmt::Result {
    writeln!(out, "{} on {}", cell.case, cell.pairing())?;
    write!(out, "conformance: {}", cell.conformance)?;
    match cell.drift {
        Some(drift) => writeln!(out, ", transcript: {drift}")?,
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
        difference(out, cell, accepted)?;
    }
    writeln!(out, "\nalone: {}", command(revision, &reproduction(cell)))
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
        "\n{label}: {} flights, {} octets from the client, {} from the server",
        flights.len(),
        octets(Side::Client),
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
    writeln!(out, "  [{level}] {ruling}")
}

fn finding(out: &mut String, finding: &Finding) -> fmt::Result {
    let provenance = finding
        .provenance
        .map_or_else(String::new, |it| format!(" ({it})"));
    writeln!(out, "  {}{provenance}: {finding}", finding.party)?;
    match &finding.message {
        Some(message) => writeln!(out, "    {message}"),
        None => Ok(()),
    }
}

/// The first line that is not the accepted one.
fn difference(out: &mut String, cell: &Cell, accepted: &Accepted) -> fmt::Result {
    let Some(accepted) = accepted.get(&cell.case, &cell.pairing()) else {
        return writeln!(out, "\nno transcript of it has been accepted");
    };
    let text = cell.text();
    let (mut got, mut wanted) = (text.trim_end().lines(), accepted.lines());
    for number in 1.. {
        match (got.next(), wanted.next()) {
            (None, None) => break,
            (got, wanted) if got == wanted => {}
            (got, wanted) => {
                writeln!(
                    out,
                    "\nfirst difference from the accepted transcript, line {number}"
                )?;
                writeln!(out, "  accepted: {}", wanted.unwrap_or("(its end)"))?;
                return writeln!(out, "  got:      {}", got.unwrap_or("(its end)"));
            }
        }
    }
    writeln!(out, "\nthe transcript is the accepted one")
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

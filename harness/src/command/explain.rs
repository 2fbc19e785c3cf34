//! `reqmtls explain`: one cell of the last run, with everything that led to its verdict.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use reqmtls_contract::{ConnectionReport, Revision};
use serde::Deserialize;
use serde_json::Value;

use crate::conformance::requirement;
use crate::report::{command, reproduction};
use crate::run;
use crate::scenario::nearest::nearest;
use crate::snapshot::Accepted;
use reqmtls_observer::{Flight, Side};

/// What `result.json` holds that matters here.
#[derive(Deserialize)]
struct Results {
    scenarios: HashMap<String, Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    cases: HashMap<String, HashMap<String, Cell>>,
}

#[derive(Deserialize)]
struct Cell {
    scenario: String,
    case: String,
    misbehaving: Vec<Side>,
    client: String,
    server: String,
    conformance: String,
    drift: Option<String>,
    findings: Vec<Finding>,
    caught: Vec<String>,
    reason: Option<String>,
    text: String,
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Finding {
    requirements: Vec<String>,
    side: Side,
    message: Option<String>,
    got: String,
    expected: String,
    known: Option<String>,
}

#[derive(Deserialize)]
struct Connection {
    label: String,
    text: String,
    transcript: Transcript,
    rulings: Vec<Ruling>,
    client_report: ConnectionReport,
    server_report: ConnectionReport,
}

#[derive(Deserialize)]
struct Transcript {
    flights: Vec<Flight>,
}

#[derive(Deserialize)]
struct Ruling {
    requirement: String,
    verdict: Value,
    got: String,
}

/// Explains a cell, named by its case and its pairing `CLIENT--SERVER`.
///
/// # Errors
///
/// There is no last run, or it does not have the cell.
pub fn explain(
    root: &Path,
    revision: Revision,
    case: &str,
    pairing: &str,
) -> anyhow::Result<String> {
    let published = run::results(root, revision);
    let path = published.join("latest").join("result.json");
    let json = fs::read(&path).with_context(|| {
        let run = command(revision, case);
        format!(
            "cannot read the last run, {}; `{run}` makes one",
            path.display()
        )
    })?;
    let results: Results = serde_json::from_slice(&json)
        .with_context(|| format!("{} is not what a run writes", path.display()))?;
    let cell = find(results, revision, case, pairing)?;
    let accepted = Accepted::load(&published.join("snapshots"), &cell.scenario, pairing)
        .context("cannot read the accepted transcripts")?;
    let mut text = String::new();
    // A String takes whatever is written to it.
    let _ = cell.tell(&mut text, revision, &accepted);
    Ok(text)
}

fn find(results: Results, revision: Revision, case: &str, pairing: &str) -> anyhow::Result<Cell> {
    let mut cases = results
        .scenarios
        .into_values()
        .map(|scenario| scenario.cases);
    let mut known = Vec::new();
    let found = cases.find_map(|mut cases| {
        let found = cases.remove(case);
        known.extend(cases.into_keys());
        found
    });
    let Some(mut cells) = found else {
        let near = nearest(case, known.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
        let run = command(revision, case);
        bail!("the last run has no case {case:?}{near} (`{run}` runs it, if there is one)");
    };
    cells.remove(pairing).ok_or_else(|| {
        let mut pairings: Vec<_> = cells.into_keys().collect();
        pairings.sort_unstable();
        let pairings = pairings.join(", ");
        anyhow!("got pairing {pairing:?}, expected one that the last run has: {pairings}")
    })
}

impl Cell {
    fn tell(&self, out: &mut String, revision: Revision, accepted: &Accepted) -> fmt::Result {
        let drift = self.drift.as_deref().unwrap_or("none");
        let pairing = crate::event::pairing(&self.client, &self.server);
        writeln!(out, "{} on {pairing}", self.case)?;
        writeln!(
            out,
            "conformance: {}, transcript: {drift}",
            self.conformance
        )?;
        if let Some(reason) = &self.reason {
            writeln!(out, "reason: {reason}")?;
        }
        for side in &self.misbehaving {
            writeln!(out, "the {} misbehaves on purpose", side.name())?;
        }
        if !self.caught.is_empty() {
            writeln!(out, "caught breaking: {}", self.caught.join(", "))?;
        }
        for connection in &self.connections {
            connection.tell(out)?;
        }
        if self.connections.is_empty() {
            write!(out, "\n{}", self.text)?;
        }
        if !self.findings.is_empty() {
            writeln!(out, "\nfindings")?;
        }
        for finding in &self.findings {
            finding.tell(out)?;
        }
        self.tell_difference(out, accepted)?;
        let alone = reproduction(&self.case, &self.client, &self.server, &self.misbehaving);
        writeln!(out, "\nalone: {}", command(revision, &alone))
    }

    /// The first line that is not the accepted one.
    fn tell_difference(&self, out: &mut String, accepted: &Accepted) -> fmt::Result {
        let short = self.case.strip_prefix(&format!("{}/", self.scenario));
        let Some(accepted) = accepted.get(short.unwrap_or(&self.case)) else {
            return writeln!(out, "\nno transcript of it has been accepted");
        };
        let (mut got, mut wanted) = (self.text.trim_end().lines(), accepted.lines());
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
}

impl Connection {
    fn tell(&self, out: &mut String) -> fmt::Result {
        let label = if self.label.is_empty() {
            "transcript"
        } else {
            &self.label
        };
        let flights = &self.transcript.flights;
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
        for line in self.text.lines() {
            writeln!(out, "  {line}")?;
        }
        writeln!(out, "requirements")?;
        for ruling in &self.rulings {
            ruling.tell(out)?;
        }
        for (side, report) in [
            (Side::Client, &self.client_report),
            (Side::Server, &self.server_report),
        ] {
            writeln!(out, "the {} says: {}", side.name(), words(report))?;
        }
        Ok(())
    }
}

impl Ruling {
    fn tell(&self, out: &mut String) -> fmt::Result {
        let id = &self.requirement;
        let level = requirement::find(id).map_or("", |found| found.level.name());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let verdict = match &self.verdict {
            Value::Object(verdict) => {
                let part = |key: &str| verdict.get(key).filter(|value| !value.is_null());
                if let Some(side) = part("kept") {
                    format!("kept by the {}: {}", text(side), self.got)
                } else if let Some(broken) = part("broken") {
                    let (side, expected) = (text(&broken["side"]), text(&broken["expected"]));
                    format!(
                        "BROKEN by the {side}: got {}, expected {expected}",
                        self.got
                    )
                } else if let Some(tension) = part("tension") {
                    let (follows, against) = (text(&tension["follows"]), text(&tension["against"]));
                    format!("follows {follows} against {against}: {}", self.got)
                } else {
                    format!("told: {}", self.got)
                }
            }
            _ => format!("told: {}", self.got),
        };
        writeln!(out, "  {id} ({level}) {verdict}")
    }
}

impl Finding {
    fn tell(&self, out: &mut String) -> fmt::Result {
        let ids = match &self.requirements[..] {
            [] => "peer contract".to_owned(),
            ids => ids.join(", "),
        };
        let (side, got, expected) = (self.side.name(), &self.got, &self.expected);
        writeln!(out, "  the {side} ({ids}): got {got}, expected {expected}")?;
        if let Some(message) = &self.message {
            writeln!(out, "    {message}")?;
        }
        match &self.known {
            Some(known) => writeln!(out, "    known: {known}"),
            None => Ok(()),
        }
    }
}

/// What an end reports, but for its secrets.
fn words(report: &ConnectionReport) -> String {
    let mut words = format!("{:?}", report.outcome).to_lowercase();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // A String takes whatever is written to it.
            let _ = write!(words, ", {name} {value}");
        }
    };
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
    add(
        "tls_flags_sent",
        report.tls_flags_sent.as_ref().map(ToString::to_string),
    );
    add(
        "tls_flags_received",
        report.tls_flags_received.as_ref().map(ToString::to_string),
    );
    add(
        "peer_certificate",
        report.peer_certificate.as_ref().map(ToString::to_string),
    );
    add("resumed", report.resumed.map(|resumed| resumed.to_string()));
    add(
        "early_data",
        report.early_data.map(|accepted| accepted.to_string()),
    );
    words
}

//! `matrix.md`: rows are cases, columns pairings. Holds nothing that differs from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::conformance::{Conformance, Outcome};
use crate::event::{CellResult, Run};
use crate::scenario::{Certificate, Scenario};
use crate::snapshot::Drift;
use crate::wire::Side;

const LEGEND: &str = "\
| sign | meaning |
| --- | --- |
| `·` | the server did not ask for a certificate; the connection completed |
| `asked` | it asked, the client had none, and the connection completed |
| `auth` | it asked, and the client is authenticated |
| `S116`, `C47`, … | refused: the server (S) or the client (C) sent the fatal alert of that number |
| `!` behind a sign | there is a finding: see below |
| `~` behind a sign | the transcript differs from the accepted one, or none is accepted |
| `n/a` | unsupported by a peer |
| `FAILED` | the harness or a peer broke |
| `–` | not run: a peer is not there |
";

/// The matrix of a run, for every scenario that it touched.
#[must_use]
pub fn markdown(run: &Run, scenarios: &[Scenario]) -> String {
    let mut text = String::from("# Who is asked for a certificate, and what ends a handshake\n\n");
    text.push_str("Written by `reqmtls run`; `cargo test` holds it against a run of its own.\n\n");
    text.push_str("| peer | library |\n| --- | --- |\n");
    for peer in &run.peers {
        line(
            &mut text,
            format_args!("| {} | {} |", peer.name, peer.description.library),
        );
    }
    for (peer, reason) in &run.missing {
        let reason = reason.lines().next().unwrap_or_default();
        line(&mut text, format_args!("| {peer} | {reason} |"));
    }
    for scenario in scenarios {
        let cells: Vec<_> = run
            .cells
            .iter()
            .filter(|cell| cell.scenario == scenario.id)
            .collect();
        if !cells.is_empty() {
            table(&mut text, run, scenario, &cells);
        }
    }
    text.push_str("\n## Legend\n\n");
    text.push_str(LEGEND);
    text.push_str("\n## What the matrix says\n\n");
    let learned = learn(run, scenarios);
    if learned.is_empty() {
        text.push_str("Too little ran to say anything.\n");
    }
    for sentence in learned {
        line(&mut text, format_args!("* {sentence}"));
    }
    findings(&mut text, run);
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // A String takes whatever is written to it.
    let _ = text.write_fmt(arguments);
    text.push('\n');
}

fn table(text: &mut String, run: &Run, scenario: &Scenario, cells: &[&CellResult]) {
    line(text, format_args!("\n## {}\n", scenario.title));
    line(
        text,
        format_args!("Scenario `{}`, after {}.\n", scenario.id, scenario.document),
    );
    let pairings = pairings(run, cells);
    let heads: Vec<_> = pairings
        .iter()
        .map(|(client, server)| format!("{client} → {server}"))
        .collect();
    line(
        text,
        format_args!("| {} | {} |", scenario.axes.join(" / "), heads.join(" | ")),
    );
    line(
        text,
        format_args!("|{}", " --- |".repeat(pairings.len() + 1)),
    );
    for case in &scenario.cases {
        let signs: Vec<_> = pairings
            .iter()
            .map(|(client, server)| {
                let cell = cells.iter().find(|cell| {
                    cell.case == case.id && cell.client == *client && cell.server == *server
                });
                cell.map_or("–".to_owned(), |cell| sign(cell))
            })
            .collect();
        if signs.iter().any(|sign| sign != "–") {
            let short = case
                .id
                .strip_prefix(&format!("{}/", scenario.id))
                .unwrap_or(&case.id);
            line(
                text,
                format_args!("| {} | {} |", short.replace('/', " / "), signs.join(" | ")),
            );
        }
    }
}

/// The columns: what ran, and every pairing with a peer that is not there.
fn pairings<'a>(run: &'a Run, cells: &[&'a CellResult]) -> Vec<(&'a str, &'a str)> {
    let mut pairings: Vec<(&str, &str)> = Vec::new();
    for cell in cells {
        if !pairings.contains(&(&cell.client, &cell.server)) {
            pairings.push((&cell.client, &cell.server));
        }
    }
    let missing: Vec<_> = run.missing.iter().map(|(name, _)| name.as_str()).collect();
    let present = run.peers.iter().map(|peer| peer.name.as_str());
    let names: Vec<_> = present.chain(missing.iter().copied()).collect();
    for client in &names {
        let lacking = |server: &&&str| missing.contains(client) || missing.contains(*server);
        pairings.extend(
            names
                .iter()
                .filter(lacking)
                .map(|server| (*client, *server)),
        );
    }
    pairings
}

fn sign(cell: &CellResult) -> String {
    let mut sign = match (cell.conformance, cell.facts()) {
        (Conformance::Unsupported, _) => return "n/a".to_owned(),
        (Conformance::Failed, _) | (_, None) => return "FAILED".to_owned(),
        (_, Some(facts)) => match (facts.outcome, facts.alert) {
            (Outcome::Refused, Some((side, alert))) => {
                format!("{}{}", side.letter(), alert.description.0)
            }
            _ if facts.authenticated.is_some() => "auth".to_owned(),
            _ if facts.certificate_request => "asked".to_owned(),
            _ => "·".to_owned(),
        },
    };
    if cell.conformance == Conformance::Deviates {
        sign.push('!');
    }
    if cell.drift != Some(Drift::Same) {
        sign.push('~');
    }
    sign
}

/// What a reader learns, in words; every word of it from the cells.
fn learn(run: &Run, scenarios: &[Scenario]) -> Vec<String> {
    let mut alerts: BTreeMap<&str, BTreeSet<(u8, String)>> = BTreeMap::new();
    let mut flag_makes_a_difference: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    let cases: BTreeMap<_, _> = scenarios
        .iter()
        .flat_map(|scenario| &scenario.cases)
        .map(|case| (case.id.as_str(), case))
        .collect();
    for cell in &run.cells {
        let (Some(facts), Some(case)) = (cell.facts(), cases.get(cell.case.as_str())) else {
            continue;
        };
        if case.settings.client_certificate == Certificate::Absent
            && let Some((Side::Server, alert)) = facts.alert
        {
            let name = alert.description.to_string();
            alerts
                .entry(&cell.server)
                .or_default()
                .insert((alert.description.0, name));
        }
        let on_flag = case.settings.server_policy.is_on_flag();
        if on_flag && cell.conformance != Conformance::Failed {
            let set = case.settings.client_flag == crate::scenario::Flag::Set;
            flag_makes_a_difference
                .entry(&cell.server)
                .or_default()
                .insert(facts.certificate_request == set);
        }
    }
    let mut sentences = Vec::new();
    for (server, alerts) in &alerts {
        let names: Vec<_> = alerts
            .iter()
            .map(|(number, name)| format!("{name} ({number})"))
            .collect();
        let follows = match alerts.iter().map(|(number, _)| *number).collect::<Vec<_>>()[..] {
            [116] => {
                "as RFC 8446 §4.4.2.4 has it (TLS-4), not `bad_certificate` (42), which \
                      draft-jhoyla-req-mtls-flag-00 §4 names (RM-3)"
            }
            [42] => {
                "as draft-jhoyla-req-mtls-flag-00 §4 has it (RM-3), not `certificate_required` \
                     (116), which RFC 8446 §4.4.2.4 names (TLS-4)"
            }
            _ => "which neither RM-3 nor TLS-4 alone accounts for",
        };
        sentences.push(format!(
            "A server of **{server}** that insists on a certificate and gets none sends {}: {follows}.",
            names.join(" and "),
        ));
    }
    for (server, as_asked) in &flag_makes_a_difference {
        let verdict = if as_asked.contains(&false) {
            "does not keep to the flag in every cell"
        } else {
            "asks exactly the clients that set the flag (RM-5)"
        };
        sentences.push(format!(
            "Under the policies on the flag, a server of **{server}** {verdict}."
        ));
    }
    sentences
}

fn findings(text: &mut String, run: &Run) {
    text.push_str("\n## Findings\n\n");
    let mut any = false;
    for cell in &run.cells {
        let name = format!("`{}` on `{}`", cell.case, cell.pairing());
        for finding in &cell.findings {
            any = true;
            line(text, format_args!("* {name}: {finding}"));
            if let Some(message) = &finding.message {
                line(text, format_args!("  `{}`", message.trim_end()));
            }
        }
        if let Some(reason) = &cell.reason {
            any = true;
            line(
                text,
                format_args!("* {name}: {}: {reason}", cell.conformance),
            );
        }
    }
    if !any {
        text.push_str("None.\n");
    }
}

//! A table for each scenario.

use super::Page;
use crate::conformance::{Conformance, Outcome};
use crate::event::{CellResult, Run};
use crate::run::MISBEHAVING;
use crate::scenario::{End, Scenario};
use crate::snapshot::Drift;

const LEGEND: &str = "\
| sign | meaning |
| --- | --- |
| `·` | the server did not ask for a certificate; the connection completed |
| `asked` | it asked, and the connection completed without a certificate |
| `auth` | it asked, and the client is authenticated |
| `S116`, `C47`, … | refused: the server (S) or the client (C) sent the fatal alert of that number |
| `r` before a sign | the server resumed the session of the connection before |
| `end` | the connection ended without alert or orderly close |
| `!` behind a sign | there is a finding: see above |
| `~` behind a sign | the transcript differs from the accepted one, or none is accepted |
| `n/a` | unsupported by a peer |
| `FAILED` | the harness or a peer broke |
| `–` | not run: a peer is not there |

Where a case has two connections, the sign is of the second. An end called `misbehaving` is the in-tree rustls
implementation, made to break rules by its low-level seam; the other end is the one that is judged.";

pub(super) fn tables(page: &mut Page, run: &Run, scenarios: &[Scenario]) {
    page.line(format_args!("\n## Legend of the tables\n\n{LEGEND}"));
    for scenario in scenarios {
        let of = run.cells.iter().filter(|cell| cell.scenario == scenario.id);
        let cells: Vec<_> = of.collect();
        if !cells.is_empty() {
            table(page, run, scenario, &cells);
        }
    }
}

fn table(page: &mut Page, run: &Run, scenario: &Scenario, cells: &[&CellResult]) {
    page.line(format_args!("\n## {}\n", scenario.title));
    page.line(format_args!(
        "Scenario `{}`, after {}.\n",
        scenario.id, scenario.document
    ));
    let pairings = pairings(run, scenario);
    let heads: Vec<_> = pairings
        .iter()
        .map(|(client, server)| format!("{client} → {server}"))
        .collect();
    let axes = scenario.axes.join(" / ");
    page.line(format_args!("| {axes} | {} |", heads.join(" | ")));
    page.line(format_args!("|{}", " --- |".repeat(pairings.len() + 1)));
    for case in &scenario.cases {
        let sign_of = |(client, server): &(&str, &str)| {
            let mut cells = cells.iter();
            let cell = cells.find(|cell| {
                cell.case == case.id && cell.client == *client && cell.server == *server
            });
            cell.map_or("–".to_owned(), |cell| sign(cell))
        };
        let signs: Vec<_> = pairings.iter().map(sign_of).collect();
        if signs.iter().any(|sign| sign != "–") {
            let short = case.id.strip_prefix(&format!("{}/", scenario.id));
            let short = short.unwrap_or(&case.id).replace('/', " / ");
            page.line(format_args!("| {short} | {} |", signs.join(" | ")));
        }
    }
}

/// The columns: every pairing of peers that are there, or that are not and should be.
fn pairings<'a>(run: &'a Run, scenario: &Scenario) -> Vec<(&'a str, &'a str)> {
    let present = run.peers.iter().map(|peer| peer.name.as_str());
    let missing = run.missing.iter().map(|(name, _)| name.as_str());
    let names: Vec<_> = present.chain(missing).collect();
    let names_of = |end| {
        if scenario.misbehaving == Some(end) {
            vec![MISBEHAVING]
        } else {
            names.clone()
        }
    };
    let servers = names_of(End::Server);
    let pair = |client| servers.iter().map(move |server| (client, *server));
    let all: Vec<_> = names_of(End::Client).into_iter().flat_map(pair).collect();
    // Filters leave columns without any cell.
    let is_missing = |name: &str| run.missing.iter().any(|(missing, _)| missing == name);
    let of = run.cells.iter().filter(|cell| cell.scenario == scenario.id);
    let ran: Vec<_> = of.map(|cell| (&*cell.client, &*cell.server)).collect();
    let shown = |pairing: &(&str, &str)| {
        ran.contains(pairing) || is_missing(pairing.0) || is_missing(pairing.1)
    };
    all.into_iter().filter(shown).collect()
}

fn sign(cell: &CellResult) -> String {
    let (Some(facts), Conformance::Conforms | Conformance::Deviates) =
        (cell.facts(), cell.conformance)
    else {
        let unsupported = cell.conformance == Conformance::Unsupported;
        return if unsupported { "n/a" } else { "FAILED" }.to_owned();
    };
    let mut sign = if facts.resumed { "r" } else { "" }.to_owned();
    match (facts.outcome, facts.alert) {
        (Outcome::Refused, Some((side, alert))) => {
            sign.push(side.letter());
            sign.push_str(&alert.description.0.to_string());
        }
        (Outcome::Broken | Outcome::Refused, _) => sign.push_str("end"),
        (Outcome::Completed, _) if facts.authenticated.is_some() => sign.push_str("auth"),
        (Outcome::Completed, _) if facts.certificate_request => sign.push_str("asked"),
        (Outcome::Completed, _) => sign.push('·'),
    }
    if cell.conformance == Conformance::Deviates {
        sign.push('!');
    }
    if cell.drift != Some(Drift::Same) {
        sign.push('~');
    }
    sign
}

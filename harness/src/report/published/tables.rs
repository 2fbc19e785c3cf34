//! A table for each scenario: rows are cases, columns pairings. What is alike is folded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::collect::{Collected, Seen};
use super::fold;
use super::page::{Page, command};
use super::sign::BYPASSED;
use super::subject::Subject;
use crate::judge::Conformance;
use crate::run::MISBEHAVING;
use crate::scenario::{CaseId, Scenario};

const UNSUPPORTED: &str = "n/a";
const FAILED: &str = "FAILED";
const NOT_RUN: &str = "–";
/// The signs of what was not judged.
const NOT_JUDGED: [&str; 3] = [UNSUPPORTED, FAILED, NOT_RUN];

/// A client and a server, by their names in pairings.
type Column<'a> = (&'a str, &'a str);

pub(super) fn legend(page: &mut Page) {
    page.line(format_args!("\n## Legend of the tables\n"));
    page.line(format_args!("| sign | meaning |\n| --- | --- |"));
    let rows = [
        (
            "`·`",
            "the server did not ask for a certificate; the connection completed",
        ),
        (
            "`asked`",
            "it asked, and the connection completed without a certificate",
        ),
        ("`auth`", "it asked, and the client is authenticated"),
        (
            "`late auth`",
            "it asked after the handshake, and the client is authenticated",
        ),
        (
            "`S116`, `C47`, …",
            "refused: the server (S) or the client (C) sent the alert of that number",
        ),
        (
            "`r` before a sign",
            "the server resumed the session of the connection before",
        ),
        (
            "`end`",
            "the connection ended without an alert or an orderly close",
        ),
        (
            "`!` behind a sign",
            "there is a finding: see the chapters above",
        ),
        ("**bold**", "not what most columns of the row have"),
        ("`n/a`", "a peer lacks what the case needs"),
        ("`FAILED`", "the harness or a peer broke"),
        ("`–`", "not run"),
    ];
    for (sign, meaning) in rows {
        page.line(format_args!("| {sign} | {meaning} |"));
    }
    page.line(format_args!(
        "| {BYPASSED} | the connection completed without authentication although the server's policy requires a \
         certificate of this client |"
    ));
    page.line(format_args!(
        "| <sub>l→g</sub> | whose behaviour it is, the client's before the arrow and the server's behind it: \
         **l**ibrary (unmodified), **g**lue, **p**atch, **r**eference; nothing stands for an end that misbehaves on \
         purpose, and several letters where columns are folded |"
    ));
    page.line(format_args!(
        "\nWhere a case has two connections, the sign is of the second. An end called `{MISBEHAVING}` breaks rules on \
         purpose; the other end is the one that is judged. Rows that are alike are one, `*` being every value and \
         `{{a,b}}` several; so are columns."
    ));
}

pub(super) fn tables(page: &mut Page, subject: &Subject, run: &Collected) {
    for scenario in subject.scenarios().iter().filter(|it| !it.self_test) {
        let cells: Vec<&Seen> = run
            .cells
            .iter()
            .filter(|seen| subject.scenario(seen.case).id == scenario.id)
            .collect();
        if !cells.is_empty() {
            table(page, subject, run, scenario, &cells);
        }
    }
}

fn table(
    page: &mut Page,
    subject: &Subject,
    run: &Collected,
    scenario: &Scenario,
    cells: &[&Seen],
) {
    page.line(format_args!("\n### {}\n", scenario.title));
    let about = scenario.about.as_ref();
    page.line(format_args!(
        "`{}`. Tests {}.{}\n",
        command(run, &scenario.id),
        scenario.document.title(),
        about.map_or_else(String::new, |about| format!(" {about}")),
    ));
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut rows: BTreeMap<usize, HashMap<Column<'_>, &Seen>> = BTreeMap::new();
    for seen in cells {
        if !columns.contains(&seen.column()) {
            columns.push(seen.column());
        }
        let row = rows.entry(seen.case).or_default();
        row.insert(seen.column(), seen);
    }
    columns.sort_by_key(|(client, server)| (subject.place(client), subject.place(server)));
    let groups = folded_columns(columns, &rows);
    let axes: Vec<_> = scenario.axes.iter().map(|axis| axis.name).collect();
    let heads: Vec<_> = groups.iter().map(|group| head(group)).collect();
    page.line(format_args!(
        "| {} | {} |",
        axes.join(" / "),
        heads.join(" | ")
    ));
    page.line(format_args!("| --- |{}", " --- |".repeat(groups.len())));
    for (row, cases) in folded_rows(&groups, &rows) {
        let ids: Vec<&CaseId> = cases.iter().map(|it| &subject.case(*it).id).collect();
        let patterns = fold::patterns(scenario, &ids).into_iter();
        let patterns: Vec<_> = patterns.map(|pattern| format!("`{pattern}`")).collect();
        page.line(format_args!(
            "| {} | {} |",
            patterns.join("<br>"),
            row.join(" | ")
        ));
    }
}

/// Columns that have the same signs in every row, together.
fn folded_columns<'a>(
    columns: Vec<Column<'a>>,
    rows: &BTreeMap<usize, HashMap<Column<'a>, &Seen>>,
) -> Vec<Vec<Column<'a>>> {
    let signs = |column: &Column<'a>| -> Vec<String> {
        let cells = rows.values().map(|row| row.get(column).copied());
        cells.map(sign).collect()
    };
    let mut groups: Vec<(Vec<String>, Vec<Column<'a>>)> = Vec::new();
    for column in columns {
        let signs = signs(&column);
        match groups.iter_mut().find(|(others, _)| *others == signs) {
            Some((_, group)) => group.push(column),
            None => groups.push((signs, vec![column])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The text of each row, with the cases that have it.
fn folded_rows(
    groups: &[Vec<Column<'_>>],
    rows: &BTreeMap<usize, HashMap<Column<'_>, &Seen>>,
) -> Vec<(Vec<String>, Vec<usize>)> {
    let mut folded: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    for (case, row) in rows {
        let signs: Vec<String> = groups
            .iter()
            .map(|group| sign(row.get(&group[0]).copied()))
            .collect();
        let usual = usual(groups, &signs);
        let texts = groups.iter().zip(&signs).map(|(group, sign)| {
            let whose = whose(group.iter().filter_map(|column| row.get(column).copied()));
            if usual.is_none_or(|usual| usual == sign) || NOT_JUDGED.contains(&&**sign) {
                format!("{sign}{whose}")
            } else {
                format!("**{sign}**{whose}")
            }
        });
        let texts: Vec<String> = texts.collect();
        match folded.iter_mut().find(|(others, _)| *others == texts) {
            Some((_, cases)) => cases.push(*case),
            None => folded.push((texts, vec![*case])),
        }
    }
    folded
}

/// The sign that more columns have than any other, if one does.
fn usual<'a>(groups: &[Vec<Column<'_>>], signs: &'a [String]) -> Option<&'a String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for (group, sign) in groups.iter().zip(signs) {
        if !NOT_JUDGED.contains(&&**sign) {
            *counts.entry(sign).or_default() += group.len();
        }
    }
    let most = counts.values().copied().max()?;
    let mut usual = counts.into_iter().filter(|(_, count)| *count == most);
    match (usual.next(), usual.next()) {
        (Some((sign, _)), None) => Some(sign),
        _ => None,
    }
}

fn sign(seen: Option<&Seen>) -> String {
    let Some(seen) = seen else {
        return NOT_RUN.to_owned();
    };
    match seen.conformance {
        Conformance::Unsupported => UNSUPPORTED.to_owned(),
        Conformance::Failed => FAILED.to_owned(),
        Conformance::Conforms | Conformance::Deviates => {
            let mark = if seen.conformance == Conformance::Deviates {
                " !"
            } else {
                ""
            };
            format!("{}{mark}", seen.text)
        }
    }
}

/// Whose behaviour cells show: `l→g`.
fn whose<'a>(cells: impl Iterator<Item = &'a Seen>) -> String {
    let mut letters = [BTreeSet::new(), BTreeSet::new()];
    for seen in cells.filter(|seen| seen.is_judged()) {
        for (letters, side) in letters.iter_mut().zip(Side::BOTH) {
            letters.extend(seen.provenance(side));
        }
    }
    if letters.iter().all(BTreeSet::is_empty) {
        return String::new();
    }
    let [client, server] = letters.map(|of| {
        let letters = of
            .iter()
            .filter_map(|it: &Provenance| it.as_str().chars().next());
        letters.collect::<String>()
    });
    format!(" <sub>{client}→{server}</sub>")
}

/// Pairings, those that share their servers together.
fn head(group: &[Column<'_>]) -> String {
    let mut clients: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (client, _) in group {
        let servers: Vec<&str> = group
            .iter()
            .filter(|(other, _)| other == client)
            .map(|(_, server)| *server)
            .collect();
        match clients.iter_mut().find(|(_, others)| *others == servers) {
            Some((names, _)) if !names.contains(client) => names.push(client),
            Some(_) => {}
            None => clients.push((vec![client], servers)),
        }
    }
    let parts: Vec<_> = clients
        .iter()
        .map(|(clients, servers)| format!("{} → {}", clients.join(", "), servers.join(", ")))
        .collect();
    parts.join("<br>")
}

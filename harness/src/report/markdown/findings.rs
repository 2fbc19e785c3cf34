//! What is not as it should be, and what could not be tried, each kind once with the cells that show it.

use indexmap::IndexMap;

use super::{Page, cells, command};
use crate::conformance::{Conformance, Finding};
use crate::event::{CellResult, Run};
use reqmtls_observer::Side;

/// Findings that differ only in the cell.
#[derive(PartialEq, Eq, Hash)]
struct Kind<'a> {
    peer: &'a str,
    side: &'static str,
    requirements: &'a [&'static str],
    got: &'a str,
    expected: &'a str,
    known: Option<&'a str>,
}

pub(super) fn deviations(page: &mut Page, run: &Run) {
    page.line(format_args!("\n## Findings\n"));
    let mut kinds: IndexMap<Kind<'_>, Vec<(&CellResult, &Finding)>> = IndexMap::new();
    for cell in &run.cells {
        for finding in &cell.findings {
            let kind = Kind {
                peer: peer(cell, finding.side),
                side: finding.side.name(),
                requirements: &finding.requirements,
                got: &finding.got,
                expected: &finding.expected,
                known: finding.known.as_deref(),
            };
            kinds.entry(kind).or_default().push((cell, finding));
        }
    }
    for (kind, found) in &kinds {
        deviation(page, run, kind, found);
    }
    let failed = run
        .cells
        .iter()
        .filter(|cell| cell.conformance == Conformance::Failed);
    let failed: Vec<_> = failed.collect();
    for cell in &failed {
        let reason = cell.reason.as_deref().unwrap_or("no reason given");
        page.line(format_args!(
            "* `{}` on `{}`: failed: {reason}",
            cell.case,
            cell.pairing()
        ));
    }
    for stale in &run.stale {
        page.line(format_args!("* {stale}"));
    }
    if kinds.is_empty() && failed.is_empty() && run.stale.is_empty() {
        page.line(format_args!("None."));
    }
}

fn deviation(page: &mut Page, run: &Run, kind: &Kind<'_>, found: &[(&CellResult, &Finding)]) {
    let ids = if kind.requirements.is_empty() {
        "peer contract".to_owned()
    } else {
        kind.requirements.join(", ")
    };
    page.line(format_args!(
        "* **{}** as {} ({ids}): got {}, expected {}. {}:",
        kind.peer,
        kind.side,
        kind.got,
        kind.expected,
        cells(found.len()),
    ));
    for pattern in patterns(found) {
        page.line(format_args!("  `{pattern}`"));
    }
    let Some((cell, finding)) = found.first() else {
        return;
    };
    if let Some(message) = &finding.message {
        page.line(format_args!("  Shown by: `{}`", message.trim_end()));
    }
    if let Some(known) = kind.known {
        page.line(format_args!("  Known: {known}"));
    }
    page.line(format_args!("  `{}`", command(run.revision, &alone(cell))));
}

/// The cases, each once.
fn patterns<'a>(found: &[(&'a CellResult, &Finding)]) -> Vec<&'a str> {
    let mut cases: Vec<&str> = Vec::new();
    for (cell, _) in found {
        if !cases.contains(&&*cell.case) {
            cases.push(&cell.case);
        }
    }
    cases
}

/// The arguments of `reqmtls run` that run this cell alone.
pub(super) fn alone(cell: &CellResult) -> String {
    reproduction(&cell.case, &cell.client, &cell.server, &cell.misbehaving)
}

/// The same, of a cell that is known by its parts.
pub(crate) fn reproduction(case: &str, client: &str, server: &str, misbehaving: &[Side]) -> String {
    let mut arguments = vec![case];
    for (side, option, peer) in [
        (Side::Client, "--client", client),
        (Side::Server, "--server", server),
    ] {
        // Who plays the end that misbehaves is not for choice.
        if !misbehaving.contains(&side) {
            arguments.extend([option, peer]);
        }
    }
    arguments.join(" ")
}

fn peer(cell: &CellResult, side: Side) -> &str {
    match side {
        Side::Client => &cell.client,
        Side::Server => &cell.server,
    }
}

pub(super) fn unsupported(page: &mut Page, run: &Run) {
    let mut reasons: IndexMap<(String, &str), usize> = IndexMap::new();
    for cell in &run.cells {
        if let (Conformance::Unsupported, Some(reason)) = (cell.conformance, &cell.reason) {
            let side = if reason.starts_with("the client") {
                Side::Client
            } else {
                Side::Server
            };
            *reasons
                .entry((peer(cell, side).to_owned(), reason))
                .or_default() += 1;
        }
    }
    page.line(format_args!("\n## Unsupported\n"));
    for ((peer, reason), count) in &reasons {
        page.line(format_args!("* **{peer}**: {reason} ({})", cells(*count)));
    }
    if reasons.is_empty() {
        page.line(format_args!("Nothing."));
    }
}

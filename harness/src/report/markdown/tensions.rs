//! Where two documents pull apart, and which of them each implementation follows.

use indexmap::IndexMap;

use super::findings::alone;
use super::{Page, cells, command};
use crate::conformance::check::{Ruling, Verdict};
use crate::conformance::requirement::{self, Requirement};
use crate::event::{CellResult, Run};
use reqmtls_observer::Side;

pub(super) fn tensions(page: &mut Page, run: &Run) {
    page.line(format_args!("\n## Tensions between the documents\n"));
    // By the two requirements, whichever is followed.
    let mut all: IndexMap<[&str; 2], Vec<(&CellResult, &Ruling)>> = IndexMap::new();
    for cell in &run.cells {
        for ruling in cell.rulings() {
            if let Verdict::Tension { follows, against } = ruling.verdict {
                let mut pair = [follows, against];
                pair.sort_unstable();
                all.entry(pair).or_default().push((cell, ruling));
            }
        }
    }
    all.sort_unstable_keys();
    for (pair, rulings) in &all {
        tension(page, run, pair, rulings);
    }
    if all.is_empty() {
        page.line(format_args!("None was met."));
    }
}

fn tension(page: &mut Page, run: &Run, pair: &[&str; 2], rulings: &[(&CellResult, &Ruling)]) {
    page.line(format_args!("### {} and {}\n", pair[0], pair[1]));
    for requirement in pair.iter().filter_map(|id| requirement::find(id)) {
        page.line(format_args!("* {}", cited(requirement)));
    }
    page.line(format_args!(""));
    let mut kinds: IndexMap<(String, &str, &str), Vec<&CellResult>> = IndexMap::new();
    for (cell, ruling) in rulings {
        let Verdict::Tension { follows, .. } = ruling.verdict else {
            continue;
        };
        let peer = answering(cell, ruling);
        kinds
            .entry((peer, follows, &ruling.got))
            .or_default()
            .push(cell);
    }
    kinds.sort_unstable_keys();
    for ((peer, follows, got), found) in &kinds {
        let example = found.first().map(|cell| alone(cell));
        page.line(format_args!(
            "* **{peer}** follows {follows}: {got}. {}, e.g. `{}`",
            cells(found.len()),
            command(run.revision, &example.unwrap_or_default()),
        ));
    }
    page.line(format_args!(""));
}

fn cited(requirement: &Requirement) -> String {
    let (id, level) = (requirement.id, requirement.level);
    format!(
        "{id} ({level}, {}): {}",
        requirement.citation(),
        requirement.statement
    )
}

/// Who sent the message that shows it.
fn answering(cell: &CellResult, ruling: &Ruling) -> String {
    let message = ruling.message.as_deref().unwrap_or_default();
    let (peer, side) = if message.starts_with(Side::Client.letter()) {
        (&cell.client, Side::Client)
    } else {
        (&cell.server, Side::Server)
    };
    format!("{peer} as {}", side.name())
}

//! What a peer says that it cannot do.

use std::collections::BTreeMap;

use super::collect::Collected;
use super::page::{Page, counted};
use super::subject::Subject;

/// What every peer lacks.
pub(super) fn unsupported(page: &mut Page, subject: &Subject, run: &Collected) {
    page.line(format_args!("\n## What peers lack\n"));
    let lacking = lacking(subject, run);
    if lacking.is_empty() {
        page.line(format_args!("Nothing that a case needs."));
    }
    for ((_, peer), capabilities) in lacking {
        page.line(format_args!("* {peer}: {}", list(&capabilities)));
    }
}

/// What one peer lacks.
pub(super) fn of_peer(page: &mut Page, subject: &Subject, run: &Collected, name: &str) {
    let lacking = lacking(subject, run);
    let own = lacking.get(&(subject.place(name), name));
    let text = own.map_or_else(|| "Nothing that a case needs".to_owned(), list);
    page.line(format_args!("{text}."));
}

/// By peer: each capability that it lacks, and how many cells that costs.
fn lacking<'a>(
    subject: &Subject,
    run: &'a Collected,
) -> BTreeMap<(usize, &'a str), BTreeMap<&'a str, usize>> {
    let mut lacking: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
    for seen in &run.cells {
        if let Some((side, capability)) = &seen.lacks {
            let peer = &*seen.player(*side).peer;
            let of_peer = lacking.entry((subject.place(peer), peer)).or_default();
            *of_peer.entry(&**capability).or_default() += 1;
        }
    }
    lacking
}

fn list(capabilities: &BTreeMap<&str, usize>) -> String {
    let each = capabilities
        .iter()
        .map(|(capability, count)| format!("`{capability}` ({})", counted(*count, "cell")));
    each.collect::<Vec<_>>().join(", ")
}

//! What a peer says that it cannot do.

use std::collections::BTreeMap;

use super::collect::Collected;
use super::page::{Page, counted};
use super::subject::Subject;

pub(super) fn unsupported(page: &mut Page, subject: &Subject, run: &Collected) {
    page.line(format_args!("\n## What peers lack\n"));
    let mut lacking: BTreeMap<(usize, &str, &str), usize> = BTreeMap::new();
    for seen in &run.cells {
        if let Some((side, capability)) = &seen.lacks {
            let peer = &*seen.player(*side).peer;
            let key = (subject.place(peer), peer, &**capability);
            *lacking.entry(key).or_default() += 1;
        }
    }
    if lacking.is_empty() {
        page.line(format_args!("Nothing that a case needs."));
    }
    for ((_, peer, capability), count) in lacking {
        page.line(format_args!(
            "* {peer}: `{capability}` ({})",
            counted(count, "cell")
        ));
    }
}

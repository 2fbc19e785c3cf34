//! The peers: which library, and what of this project stands in front of it.

use super::collect::Collected;
use super::page::{Page, cell, foreign};

pub(super) fn peers(page: &mut Page, run: &Collected) {
    page.line(format_args!("\n## Peers\n"));
    page.line(format_args!(
        "| peer | library | glue: code of this project in front of it | patch: changes to it that are kept here |\n\
         | --- | --- | --- | --- |"
    ));
    for peer in &run.peers {
        let text = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), cell);
        page.line(format_args!(
            "| {} | {} | {} | {} |",
            peer.name,
            foreign(&peer.description.library),
            text(&peer.glue),
            text(&peer.patch),
        ));
    }
    for missing in &run.missing {
        let reason = missing.reason.lines().next().unwrap_or_default();
        page.line(format_args!(
            "| {} | not there: {} | – | – |",
            missing.name,
            foreign(reason)
        ));
    }
    page.line(format_args!(
        "\nWithout a flag every peer is an unmodified library. `reqmtls peers` lists each capability with its \
         provenance."
    ));
}

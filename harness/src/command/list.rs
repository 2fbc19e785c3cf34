//! `reqmtls list`: what a run would take.

use std::io::{self, Write};
use std::path::Path;

use reqmtls_vocabulary::Side;

use super::EXIT_NOTHING;
use super::selection::Selection;
use crate::peer::manifest::Manifest;
use crate::run::{Candidate, pairs};
use crate::scenario::{Case, Pairings};

/// Lists scenarios with their cases, the peers, and how many cells that makes.
pub(super) fn obey(root: &Path, selection: &Selection) -> anyhow::Result<u8> {
    let selected = selection.select(root)?;
    let mut out = io::stdout().lock();
    for scenario in &selected.scenarios {
        let cases = selected
            .cases
            .iter()
            .filter(|case| case.id.scenario() == scenario.id);
        let cases: Vec<_> = cases.collect();
        if cases.is_empty() {
            continue;
        }
        writeln!(
            out,
            "{}: {} ({} cases)",
            scenario.id,
            scenario.title,
            cases.len()
        )?;
        for case in cases {
            writeln!(out, "  {}", case.id)?;
        }
    }
    writeln!(out, "clients: {}", selected.clients.join(", "))?;
    writeln!(out, "servers: {}", selected.servers.join(", "))?;
    let peers: Vec<_> = selected.peers.iter().map(Unstarted).collect();
    let cells = selected.cases.iter().map(|case| {
        pairs(
            case,
            &peers,
            &selected.clients,
            &selected.servers,
            selection.pairings,
        )
        .len()
    });
    writeln!(
        out,
        "would run: {} cases, {} cells",
        selected.cases.len(),
        cells.sum::<usize>()
    )?;
    Ok(if selected.cases.is_empty() {
        EXIT_NOTHING
    } else {
        0
    })
}

/// A peer that is not started: what it can do is not known, and who breaks rules is taken to be the reference.
struct Unstarted<'a>(&'a Manifest);

impl Candidate for Unstarted<'_> {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn is_reference(&self) -> bool {
        self.0.reference
    }

    fn keeps_to_reference(&self) -> bool {
        self.0.pairings == Some(Pairings::WithReference)
    }

    fn can_misbehave(&self, _case: &Case, _side: Side) -> bool {
        self.0.reference
    }
}

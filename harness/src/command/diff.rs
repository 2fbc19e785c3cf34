//! `reqmtls diff`: what changed between two runs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::{EXIT_FINDINGS, json};
use crate::report::paint::{BAD, GOOD, painted};
use crate::report::{counted, replay};
use crate::run::{Cell, Event};

const EXAMPLES: &str = "\
Exit codes:
  0  the two runs show the same
  1  they differ
  2  bad usage, or a result that cannot be read";

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The result.jsonl of the run before
    before: PathBuf,
    /// The result.jsonl of the run after
    after: PathBuf,
    /// Write one JSON document
    #[arg(long)]
    json: bool,
}

/// What of a cell is compared.
#[derive(PartialEq)]
struct Shown {
    conformance: String,
    transcript: String,
    findings: Vec<String>,
}

/// What differs.
#[derive(Debug, Default, Serialize)]
struct Difference {
    /// Peers whose library is another, or that one run lacks.
    peers: Vec<PeerChange>,
    /// Cells that both runs have and that differ.
    changed: Vec<Change>,
    /// Cells of the first run alone.
    gone: Vec<String>,
    /// Cells of the second run alone.
    new: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PeerChange {
    peer: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Serialize)]
struct Change {
    cell: String,
    /// Conformance before and after.
    conformance: [String; 2],
    /// Whether the transcripts differ.
    transcript: bool,
    findings_gone: Vec<String>,
    findings_new: Vec<String>,
}

/// A run: the library of each peer, and each cell.
#[derive(Default)]
struct Run {
    peers: BTreeMap<String, String>,
    cells: BTreeMap<String, Shown>,
}

/// Compares, and writes what differs on stdout.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let difference = compare(read(&arguments.before)?, read(&arguments.after)?);
    if arguments.json {
        json(&difference)?;
    } else {
        anstream::stdout().write_all(difference.text().as_bytes())?;
    }
    Ok(if difference.is_empty() {
        0
    } else {
        EXIT_FINDINGS
    })
}

fn read(path: &Path) -> anyhow::Result<Run> {
    let mut run = Run::default();
    replay(path, |event| match event {
        Event::Up(peer) => {
            run.peers.insert(peer.name, peer.description.library);
        }
        Event::Cell(cell, _) => {
            let name = format!("{} {}", cell.case, cell.pairing());
            run.cells.insert(name, Shown::of(&cell));
        }
        _ => {}
    })
    .with_context(|| path.display().to_string())?;
    Ok(run)
}

impl Shown {
    fn of(cell: &Cell) -> Self {
        let said = cell.findings.iter();
        let said = said.map(|finding| format!("{}: {finding}", finding.party));
        Self {
            conformance: cell.conformance.to_string(),
            transcript: cell.text(),
            findings: said.collect(),
        }
    }
}

fn compare(before: Run, mut after: Run) -> Difference {
    let mut difference = Difference::default();
    let mut names: Vec<_> = before.peers.keys().chain(after.peers.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (one, other) = (before.peers.get(name), after.peers.get(name));
        if one != other {
            difference.peers.push(PeerChange {
                peer: name.clone(),
                before: one.cloned(),
                after: other.cloned(),
            });
        }
    }
    for (cell, one) in before.cells {
        let Some(other) = after.cells.remove(&cell) else {
            difference.gone.push(cell);
            continue;
        };
        if one == other {
            continue;
        }
        let lacks = |these: &[String], those: &[String]| -> Vec<String> {
            let only = these.iter().filter(|it| !those.contains(it));
            only.cloned().collect()
        };
        difference.changed.push(Change {
            cell,
            transcript: one.transcript != other.transcript,
            findings_gone: lacks(&one.findings, &other.findings),
            findings_new: lacks(&other.findings, &one.findings),
            conformance: [one.conformance, other.conformance],
        });
    }
    difference.new = after.cells.into_keys().collect();
    difference
}

impl Difference {
    fn is_empty(&self) -> bool {
        self.peers.is_empty()
            && self.changed.is_empty()
            && self.gone.is_empty()
            && self.new.is_empty()
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for PeerChange {
            peer,
            before,
            after,
        } in &self.peers
        {
            let of =
                |library: &Option<String>| library.clone().unwrap_or_else(|| "none".to_owned());
            lines.push(format!("peer {peer}: {} -> {}", of(before), of(after)));
        }
        for change in &self.changed {
            let [before, after] = &change.conformance;
            let conformance = if before == after {
                before.clone()
            } else {
                format!("{before} -> {after}")
            };
            let transcript = if change.transcript {
                ", another transcript"
            } else {
                ""
            };
            lines.push(format!("{}: {conformance}{transcript}", change.cell));
            let gone = change.findings_gone.iter();
            let gone = gone.map(|it| painted(GOOD, format_args!("  - {it}")));
            let new = change.findings_new.iter();
            let new = new.map(|it| painted(BAD, format_args!("  + {it}")));
            lines.extend(gone.chain(new));
        }
        lines.extend(self.gone.iter().map(|cell| format!("only before: {cell}")));
        lines.extend(self.new.iter().map(|cell| format!("only after: {cell}")));
        lines.push(format!(
            "{} changed, {} only before, {} only after",
            counted(self.changed.len(), "cell"),
            self.gone.len(),
            self.new.len()
        ));
        lines.join("\n") + "\n"
    }
}

//! `summary.md`: a run on one screen, for the summary of a CI job; and its findings as annotations that GitHub shows at
//! the scenario's line.

use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::file::write_whole;
use super::published::foreign;
use super::{Reporter, Tally, counted, options, reproduction};
use crate::judge::{Conformance, Finding};
use crate::run::{Cell, Drift, Event};

/// The most lines of a kind that a summary has; the rest is counted.
const MOST: usize = 50;

/// Collects what is not as it should be, and writes it at the end.
#[derive(Debug)]
pub struct Summary {
    path: PathBuf,
    tally: Tally,
    /// What is new about an end, with the cells that show it: the first's command, and how many.
    findings: IndexMap<String, (String, usize)>,
    drifted: Vec<String>,
    varying: Vec<String>,
    failed: Vec<String>,
    missing: Vec<String>,
    /// How often a peer was lost, and what was seen at first.
    lost: IndexMap<String, (String, usize)>,
    /// Those of the run.
    options: String,
}

impl Summary {
    /// Writes to the file that will be at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            tally: Tally::default(),
            findings: IndexMap::new(),
            drifted: Vec::new(),
            varying: Vec::new(),
            failed: Vec::new(),
            missing: Vec::new(),
            lost: IndexMap::new(),
            options: String::new(),
        }
    }

    fn add(&mut self, cell: &Cell) {
        let command = reproduction(&self.options, cell);
        let new = |finding: &&Finding| finding.counts() && finding.known.is_none();
        for finding in cell.findings.iter().filter(new) {
            let peer = finding.party.side().map(|side| cell.player(side).label());
            let text = format!(
                "{} as {}: {}",
                peer.unwrap_or_default(),
                finding.party,
                quoted(&finding.to_string())
            );
            let (_, count) = self
                .findings
                .entry(text)
                .or_insert_with(|| (command.clone(), 0));
            *count += 1;
        }
        let name = format!("{} {}", cell.case, cell.pairing());
        if let Some(drift @ (Drift::Changed | Drift::New)) = cell.drift {
            self.drifted.push(format!("{name}: {drift}. `{command}`"));
        }
        if let Some(repeats) = cell.repeats.as_ref().filter(|it| it.vary()) {
            self.varying.push(format!("{name}: {repeats}"));
        }
        if cell.conformance == Conformance::Failed {
            let reason = cell.reason.as_ref().map(ToString::to_string);
            self.failed
                .push(format!("{name}: {}", quoted(&reason.unwrap_or_default())));
        }
    }

    fn text(&self) -> String {
        let words = Conformance::ALL.iter().map(ToString::to_string);
        let counts = Conformance::ALL.iter().map(|it| self.tally.of(*it));
        let drift = [Drift::Changed, Drift::New];
        let words = words.chain(drift.map(|it| it.to_string()));
        let counts = counts.chain(drift.map(|it| self.tally.drifted(it)));
        let row = |cells: &mut dyn Iterator<Item = String>| {
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        let heads = row(&mut std::iter::once("cells".to_owned()).chain(words));
        let columns = heads.matches('|').count() - 1;
        let mut lines = vec![
            "## reqmtls\n".to_owned(),
            heads,
            row(&mut (0..columns).map(|_| "---".to_owned())),
            row(&mut std::iter::once(self.tally.cells)
                .chain(counts)
                .map(|it| it.to_string())),
        ];
        let findings = self.findings.iter();
        let findings = findings
            .map(|(text, (command, count))| {
                format!("{text} ({}; `{command}`)", counted(*count, "cell"))
            })
            .collect::<Vec<_>>();
        let lost = self.lost.iter();
        let lost = lost
            .map(|(name, (reason, count))| match count {
                1 => format!("{name}: {reason}"),
                count => format!("{name}, {count} times; at first: {reason}"),
            })
            .collect::<Vec<_>>();
        let parts = [
            ("Peers that are not there", &self.missing),
            ("Peers that were lost", &lost),
            ("Findings that are not known", &findings),
            ("Cells that vary from run to run", &self.varying),
            ("Failed", &self.failed),
            ("Transcripts that are not the accepted ones", &self.drifted),
        ];
        for (title, items) in parts {
            if items.is_empty() {
                continue;
            }
            lines.push(format!("\n### {title}\n"));
            lines.extend(items.iter().take(MOST).map(|it| format!("* {it}")));
            if items.len() > MOST {
                lines.push(format!("* and {} more", items.len() - MOST));
            }
        }
        if self.tally.interrupted {
            lines.push("\nThe run was interrupted.".to_owned());
        }
        lines.join("\n") + "\n"
    }
}

/// Text that others wrote, as it may stand in a list.
fn quoted(text: &str) -> String {
    foreign(&text.replace(|c: char| c.is_control(), " "))
}

impl Reporter for Summary {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.event(event)?;
        let first = |reason: &str| quoted(reason.lines().next().unwrap_or_default());
        match event {
            Event::Started(started) => {
                self.options = options(started);
                Ok(())
            }
            Event::Missing(missing) => {
                self.missing
                    .push(format!("{}: {}", missing.name, first(&missing.reason)));
                Ok(())
            }
            Event::Lost(lost) => {
                let name = lost.name.clone();
                let of_peer = self.lost.entry(name);
                let (_, count) = of_peer.or_insert_with(|| (first(&lost.reason), 0));
                *count += 1;
                Ok(())
            }
            Event::Cell(cell, _) => {
                self.add(cell);
                Ok(())
            }
            Event::Ended(_) => write_whole(&self.path, self.text().as_bytes()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Ended, Lost, Missing, Timings};

    #[test]
    fn peers_that_are_missing_or_were_lost_are_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        let mut summary = Summary::new(&path);
        let lost = |name: &str, reason: &str| {
            Event::Lost(Lost {
                name: name.to_owned(),
                reason: reason.to_owned(),
                restarts: 1,
            })
        };
        for event in [
            Event::Missing(Missing {
                name: "a".to_owned(),
                reason: "not built\nsee its log".to_owned(),
            }),
            lost("b", "exit code 1: <b>"),
            lost("c", "killed"),
            lost("b", "exit code 2"),
            Event::Ended(Ended {
                time: 1.0,
                interrupted: false,
                stale: Vec::new(),
                timings: Timings::default(),
            }),
        ] {
            summary.event(&event).unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        let (_, parts) = text.split_once("\n\n### ").unwrap();
        assert_eq!(
            parts,
            "Peers that are not there\n\n* a: not built\n\n### Peers that were lost\n\n\
             * b, 2 times; at first: exit code 1: &lt;b>\n* c: killed\n"
        );
    }
}

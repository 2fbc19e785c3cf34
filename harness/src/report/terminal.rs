//! What a person at a terminal reads while a run goes on, and at its end.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, IsTerminal, Write};

use super::{Reporter, Tally};
use crate::run::{Cell, Drift, Event, Lost, Reason};

/// Writes events for people; to stderr in the program.
pub struct Terminal<W> {
    out: W,
    /// Progress is one line written over and over, instead of many.
    overwrite: bool,
    progress: bool,
    /// How many cells there will be.
    cells: usize,
    tally: Tally,
    /// Findings that are written once, whatever the cell.
    seen: HashSet<String>,
    /// How many cells could not run for want of a peer that was lost too often.
    gone: BTreeMap<String, usize>,
}

impl Terminal<io::Stderr> {
    /// Writes to stderr.
    #[must_use]
    pub fn stderr() -> Self {
        let out = io::stderr();
        let overwrite = out.is_terminal();
        Self {
            out,
            overwrite,
            progress: false,
            cells: 0,
            tally: Tally::default(),
            seen: HashSet::new(),
            gone: BTreeMap::new(),
        }
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(_) => Ok(()),
            Event::Notice(text) => self.line(text),
            Event::Building { peer, line } => {
                self.progress(&format!("build {peer}: {}", line.trim()))
            }
            Event::Up(peer) => self.line(&format!(
                "peer {}: {} ({})",
                peer.name, peer.description.library, peer.mode
            )),
            Event::Missing(missing) => {
                self.line(&format!("peer {}: {}", missing.name, missing.reason))
            }
            Event::Lost(lost) => self.line(&lost_line(lost)),
            Event::Cells { count } => {
                self.cells = *count;
                self.line(&format!("cells: {count}"))
            }
            Event::Cell(cell, _) => self.cell(cell),
            Event::Interrupted => self.line("interrupted: ending the peers"),
            Event::Ended(ended) => {
                self.clear()?;
                for (peer, count) in std::mem::take(&mut self.gone) {
                    self.line(&format!(
                        "failed: {count} cells without peer {peer}, which is gone"
                    ))?;
                }
                write!(self.out, "{}", self.tally.summary(ended))
            }
        }
    }
}

impl<W: Write> Terminal<W> {
    fn cell(&mut self, cell: &Cell) -> io::Result<()> {
        self.tally.add(cell);
        let name = format!("{} {}", cell.case, cell.pairing());
        if let Some(Reason::Gone(side)) = &cell.reason {
            let peer = cell.player(*side).peer.clone();
            *self.gone.entry(peer).or_default() += 1;
        } else if let Some(reason) = &cell.reason {
            self.line(&format!("{}: {name}: {reason}", cell.conformance))?;
        }
        if let Some(repeats) = cell.repeats.as_ref().filter(|it| it.vary()) {
            self.line(&format!("varies: {name}: {repeats}"))?;
        }
        for finding in &cell.findings {
            // What is known of a peer, or is the documents' fault, is the same in many cells.
            let peer = finding.party.side().map(|side| cell.player(side).label());
            let repeats = finding.known.is_some() || peer.is_none();
            if repeats && !self.seen.insert(format!("{peer:?} {finding}")) {
                continue;
            }
            let provenance = finding
                .provenance
                .map_or_else(String::new, |it| format!(" [{it}]"));
            self.line(&format!(
                "finding: {name}: {}: {finding}{provenance}",
                finding.party
            ))?;
        }
        if cell.drift == Some(Drift::Changed) {
            self.line(&format!(
                "changed: {name}: the transcript differs from the accepted one"
            ))?;
        }
        if self.overwrite {
            self.progress(&format!("{}/{} {name}", self.tally.cells, self.cells))?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.clear()?;
        writeln!(self.out, "{text}")
    }

    fn progress(&mut self, text: &str) -> io::Result<()> {
        if !self.overwrite {
            return writeln!(self.out, "{text}");
        }
        self.clear()?;
        let text: String = text.chars().take(100).collect();
        self.progress = true;
        write!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Takes the line of progress away.
    fn clear(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.progress) {
            // Carriage return, erase to the end of the line.
            write!(self.out, "\r\x1b[K")?;
        }
        Ok(())
    }
}

fn lost_line(lost: &Lost) -> String {
    let then = match lost.restarts {
        0 => "it is not started again".to_owned(),
        count => format!("it is started again, at most {count} more times"),
    };
    format!("peer {} was lost: {}: {then}", lost.name, lost.reason)
}

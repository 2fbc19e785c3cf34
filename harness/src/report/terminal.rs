//! What a person at a terminal reads while a run goes on, and at its end.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use indexmap::{IndexMap, IndexSet};
use reqmtls_vocabulary::words;

use super::paint::{BAD, ODD, of_conformance, painted};
use super::published::Core;
use super::{Reporter, Tally, counted};
use crate::judge::Conformance;
use crate::run::{Cell, Event, Lost, Reason, difference};

/// The width of a terminal that does not tell.
const WIDTH: usize = 80;

/// How many cells a run has at most that shows their transcripts.
const SHOWN: usize = 2;

words! {
    /// How much a person wants to read.
    pub enum Detail {
        /// The summary alone.
        Quiet = "quiet",
        /// What is not as it should be.
        Normal = "normal",
        /// What is known and what is unsupported too, and what builds write.
        Verbose = "verbose",
    }
}

/// Writes events for people; to stderr in the program.
pub struct Terminal<W> {
    out: W,
    detail: Detail,
    /// Whether it has colours.
    color: bool,
    /// The number of the extension `tls_flags`.
    extension: u16,
    /// Progress is one line written over and over, of this width; none: no progress.
    width: Option<usize>,
    /// Whether the line of progress stands there.
    progress: bool,
    /// When the first cell ended.
    start: Option<Instant>,
    /// How many cells there will be, once that is known.
    cells: Option<usize>,
    tally: Tally,
    core: Core,
    /// How many cells have a finding, by what is said of it.
    findings: IndexMap<String, usize>,
    /// The same of findings that are known or do not count.
    known: IndexMap<String, usize>,
    /// How many cells changed, by what is the first line that is not the accepted one.
    changed: IndexMap<String, usize>,
    /// How many cells could not run for want of a peer that was lost too often.
    gone: BTreeMap<String, usize>,
    /// The peers that are being built.
    building: IndexSet<String>,
}

impl Terminal<io::Stderr> {
    /// Writes to stderr.
    #[must_use]
    pub fn stderr(detail: Detail) -> Self {
        let out = io::stderr();
        let width = out.is_terminal().then(|| {
            let size = rustix::termios::tcgetwinsize(&out);
            size.map_or(WIDTH, |size| usize::from(size.ws_col).max(20))
        });
        let color = AutoStream::choice(&out) != ColorChoice::Never;
        Self {
            color,
            ..Self::new(out, detail, width)
        }
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => {
                self.extension = started.extension;
                Ok(())
            }
            Event::Notice(text) => self.always(text),
            Event::Building { peer, line } => self.building(peer, line),
            Event::Up(peer) => {
                self.building.shift_remove(&peer.name);
                self.line(&format!(
                    "peer {}: {} ({})",
                    peer.name, peer.description.library, peer.mode
                ))
            }
            Event::Missing(missing) => {
                self.building.shift_remove(&missing.name);
                let peer = painted(BAD, format_args!("peer {}", missing.name));
                self.always(&format!("{peer}: {}", missing.reason))
            }
            Event::Lost(lost) => self.always(&lost_line(lost)),
            Event::Cells { count } => {
                self.cells = Some(*count);
                self.line(&format!("cells: {count}"))
            }
            Event::Cell(cell, _) => self.cell(cell),
            Event::Interrupted => self.always("interrupted: ending the peers"),
            Event::Ended(ended) => {
                self.clear()?;
                for (peer, count) in std::mem::take(&mut self.gone) {
                    let (failed, count) = (painted(BAD, "failed"), counted(count, "cell"));
                    self.always(&format!(
                        "{failed}: {count} without peer {peer}, which is gone"
                    ))?;
                }
                for (text, count) in std::mem::take(&mut self.findings) {
                    if count > 1 {
                        self.line(&format!("{count} cells in all: {text}"))?;
                    }
                }
                for (found, count) in std::mem::take(&mut self.changed) {
                    if count > 1 {
                        self.line(&format!("{count} cells in all changed by\n{found}"))?;
                    }
                }
                if !self.known.is_empty() && !self.is_small() {
                    let title = "known deviations, and what counts against no end";
                    self.line(&format!("{}:", painted(ODD, title)))?;
                    for (text, count) in std::mem::take(&mut self.known) {
                        self.line(&format!("  {}: {text}", counted(count, "cell")))?;
                    }
                }
                let of_known = self.tally.of(Conformance::Deviates) - self.tally.newly_deviating;
                if of_known > 0 && !self.shows_all() {
                    let count = counted(of_known, "cell");
                    self.line(&format!(
                        "known deviations in {count}: -v shows them, and matrix.md and index.html with the reasons"
                    ))?;
                }
                if let Some(width) = self.width.filter(|_| self.detail != Detail::Quiet) {
                    let core = self.core.text(width);
                    if !core.is_empty() {
                        self.always(core.trim_end())?;
                    }
                }
                self.always(self.tally.summary(ended).trim_end())
            }
        }
    }
}

impl<W: Write> Terminal<W> {
    fn new(out: W, detail: Detail, width: Option<usize>) -> Self {
        Self {
            out,
            detail,
            color: false,
            extension: 0,
            width,
            progress: false,
            start: None,
            cells: None,
            tally: Tally::default(),
            core: Core::default(),
            findings: IndexMap::new(),
            known: IndexMap::new(),
            changed: IndexMap::new(),
            gone: BTreeMap::new(),
            building: IndexSet::new(),
        }
    }

    /// What a build writes is progress; without a terminal, that it goes on is enough, and its log has the rest.
    fn building(&mut self, peer: &str, line: &str) -> io::Result<()> {
        let begins = self.building.insert(peer.to_owned());
        if self.detail == Detail::Verbose {
            return self.line(&format!("build {peer}: {}", line.trim()));
        }
        match self.width {
            Some(_) if self.start.is_none() => {
                self.progress(&format!("build {peer}: {}", line.trim()))
            }
            None if begins => self.line(&format!("build {peer}")),
            _ => Ok(()),
        }
    }

    fn cell(&mut self, cell: &Cell) -> io::Result<()> {
        self.tally.add(cell);
        self.core.take(cell);
        let name = format!("{} {}", cell.case, cell.pairing());
        let conformance = painted(of_conformance(cell.conformance), cell.conformance);
        match &cell.reason {
            Some(Reason::Gone(side)) => {
                let peer = cell.player(*side).peer.clone();
                *self.gone.entry(peer).or_default() += 1;
            }
            // Few cells were asked for by name, and all of many is no news.
            Some(Reason::Unsupported { .. }) if !self.shows_all() => {}
            Some(reason @ Reason::Unsupported { .. }) => {
                self.line(&format!("{conformance}: {name}: {reason}"))?;
            }
            Some(reason) => self.always(&format!("{conformance}: {name}: {reason}"))?,
            None => {}
        }
        if let Some(repeats) = cell.repeats.as_ref().filter(|it| it.vary()) {
            self.line(&format!("{}: {name}: {repeats}", painted(BAD, "varies")))?;
        }
        for finding in &cell.findings {
            let is_news = finding.counts() && finding.known.is_none();
            if !is_news && !self.shows_all() {
                continue;
            }
            let peer = finding.party.side().map(|side| cell.player(side).label());
            let provenance = finding
                .provenance
                .map_or_else(String::new, |it| format!(" [{it}]"));
            let who = peer.map_or_else(String::new, |peer| format!("{peer} as "));
            let text = format!("{who}{}: {finding}{provenance}", finding.party);
            let (all, style) = if is_news {
                (&mut self.findings, BAD)
            } else {
                (&mut self.known, ODD)
            };
            let count = all.entry(text.clone()).or_default();
            *count += 1;
            if *count == 1 && (is_news || self.is_small()) {
                self.line(&format!("{}: {name}: {text}", painted(style, "finding")))?;
            }
        }
        if let Some(accepted) = &cell.accepted {
            let text = cell.comparable(self.extension);
            if let Some(found) = difference(accepted, &text) {
                let (line, found) = (found.line, found.to_string());
                let count = self.changed.entry(found.clone()).or_default();
                *count += 1;
                if *count == 1 {
                    let changed = painted(BAD, "changed");
                    self.line(&format!("{changed}: {name}: line {line}\n{found}"))?;
                }
            }
        }
        if self.is_small() && !cell.connections.is_empty() {
            self.line(&format!("{name}: {conformance}"))?;
            for line in cell.text().lines() {
                self.line(&format!("  {line}"))?;
            }
        }
        self.rate()
    }

    /// Whether what is known is shown too: of many cells only on request.
    fn shows_all(&self) -> bool {
        self.detail == Detail::Verbose || self.is_small()
    }

    /// Whether there are so few cells that all of them is shown.
    fn is_small(&self) -> bool {
        self.cells.is_some_and(|cells| cells <= SHOWN)
    }

    /// How far the run is, how fast it goes, and how long it will take or what it waits for.
    fn rate(&mut self) -> io::Result<()> {
        if self.width.is_none() {
            return Ok(());
        }
        let done = self.tally.cells;
        let elapsed = self.start.get_or_insert_with(Instant::now).elapsed();
        let rate = (done as u128 * 1000 / elapsed.as_millis().max(1)).max(1);
        let far = if let Some(all) = self.cells {
            let left = all.saturating_sub(done) as u128 / rate;
            format!("{done}/{all} cells, {rate} in a second, {left} s left")
        } else {
            let peers: Vec<_> = self.building.iter().map(String::as_str).collect();
            let peers = peers.join(", ");
            format!("{done} cells, {rate} in a second, building {peers}")
        };
        let findings = self.tally.newly_deviating;
        let failed = self.tally.of(Conformance::Failed);
        self.progress(&format!(
            "{far}; {findings} with new findings, {failed} failed"
        ))
    }

    /// A line that nobody who asked for quiet misses.
    fn line(&mut self, text: &str) -> io::Result<()> {
        if self.detail == Detail::Quiet {
            return Ok(());
        }
        self.always(text)
    }

    fn always(&mut self, text: &str) -> io::Result<()> {
        self.clear()?;
        if self.color {
            writeln!(self.out, "{text}")
        } else {
            writeln!(self.out, "{}", strip_str(text))
        }
    }

    fn progress(&mut self, text: &str) -> io::Result<()> {
        let Some(width) = self.width.filter(|_| self.detail != Detail::Quiet) else {
            return Ok(());
        };
        self.clear()?;
        let plain = text.chars().filter(|c| !c.is_control());
        let text: String = plain.take(width - 1).collect();
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

#[cfg(test)]
mod tests {
    use reqmtls_contract::Provenance;

    use super::*;
    use crate::judge::{Finding, Party};
    use crate::run::{Ended, Player, Timings};

    fn written(detail: Detail, width: Option<usize>) -> String {
        let mut terminal = Terminal::new(Vec::new(), detail, width);
        for line in ["Compiling \u{1b}[31mone", "Compiling two"] {
            let (peer, line) = ("gnutls".to_owned(), line.to_owned());
            terminal.event(&Event::Building { peer, line }).unwrap();
        }
        terminal.event(&Event::Interrupted).unwrap();
        String::from_utf8(terminal.out).unwrap()
    }

    #[test]
    fn without_a_terminal_a_build_is_one_line() {
        assert_eq!(
            written(Detail::Normal, None),
            "build gnutls\ninterrupted: ending the peers\n"
        );
        assert_eq!(
            written(Detail::Quiet, None),
            "interrupted: ending the peers\n"
        );
    }

    fn finding(known: Option<&str>) -> Finding {
        Finding {
            requirements: Vec::new(),
            party: Party::Server,
            provenance: None,
            message: None,
            got: "it asked".to_owned(),
            expected: "silence".to_owned(),
            inferred: false,
            known: known.map(str::to_owned),
        }
    }

    /// What is written of a run of four cells with these findings each.
    fn of_findings(detail: Detail, findings: &[Finding]) -> String {
        let mut terminal = Terminal::new(Vec::new(), detail, None);
        terminal.event(&Event::Cells { count: 4 }).unwrap();
        let player = |peer: &str| Player {
            peer: peer.to_owned(),
            provenance: Provenance::Library,
            misbehaves: false,
        };
        for number in 1..=4 {
            let cell = Cell {
                case: serde_json::from_value(format!("some/case-{number}").into()).unwrap(),
                client: player("a"),
                server: player("b"),
                conformance: Conformance::Deviates,
                drift: None,
                accepted: None,
                findings: findings.to_vec(),
                caught: Vec::new(),
                reason: None,
                connections: Vec::new(),
                repeats: None,
                milliseconds: 1,
            };
            let event = Event::Cell(Box::new(cell), Vec::new());
            terminal.event(&event).unwrap();
        }
        let ended = Ended {
            time: 1.0,
            interrupted: false,
            stale: Vec::new(),
            timings: Timings::default(),
        };
        terminal.event(&Event::Ended(ended)).unwrap();
        let text = String::from_utf8(terminal.out).unwrap();
        let (text, _) = text.rsplit_once("4 cells: ").unwrap();
        text.to_owned()
    }

    #[test]
    fn a_finding_stands_once_with_its_cells_and_known_ones_apart() {
        let (new, known) = (finding(None), finding(Some("as in b.c")));
        let text = of_findings(Detail::Verbose, &[new, known.clone()]);
        assert_eq!(
            text,
            "cells: 4\n\
             finding: some/case-1 a--b: b as server: it asked; expected silence (peer contract)\n\
             4 cells in all: b as server: it asked; expected silence (peer contract)\n\
             known deviations, and what counts against no end:\n  \
             4 cells: b as server: it asked; expected silence (peer contract); known: as in b.c\n"
        );
        assert_eq!(
            of_findings(Detail::Normal, &[known]),
            "cells: 4\nknown deviations in 4 cells: -v shows them, and matrix.md and index.html with the reasons\n"
        );
    }

    #[test]
    fn progress_fits_the_window_and_cannot_steer_it() {
        let text = written(Detail::Normal, Some(24));
        let lines = text.split("\r\x1b[K");
        let lines: Vec<_> = lines.collect();
        assert_eq!(
            lines,
            [
                "build gnutls: Compiling",
                "build gnutls: Compiling",
                "interrupted: ending the peers\n"
            ]
        );
    }
}

//! What a person at a terminal reads while a run goes on, and at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use indexmap::{IndexMap, IndexSet};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use reqmtls_vocabulary::words;

use super::paint::{BAD, ODD, of_conformance, painted};
use super::published::Core;
use super::{Reporter, Tally, counted};
use crate::judge::Conformance;
use crate::run::{Cell, Event, Lost, Reason, difference};

/// The width of a terminal that does not tell.
const WIDTH: usize = 80;

/// Progress while cells run, and peers are built that others are with.
const SOME: &str = "{pos} cells, {rate} in a second; {wide_msg}";

/// Progress once all peers are up.
const CELLS: &str = "{pos}/{len} cells, {rate} in a second, {eta} left; {wide_msg}";

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
    /// The width of the terminal, if it is one.
    width: Option<usize>,
    /// Progress, below what is written; of nobody's terminal, nothing.
    bar: ProgressBar,
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
        let target = match detail {
            Detail::Quiet => ProgressDrawTarget::hidden(),
            Detail::Normal | Detail::Verbose => ProgressDrawTarget::stderr(),
        };
        Self {
            color,
            ..Self::new(out, detail, width, target)
        }
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => {
                self.extension = started.extension;
                self.bar.set_message("starting peers");
                Ok(())
            }
            Event::Notice(text) => self.always(text),
            Event::Building { peer, line } => self.building(peer, line),
            Event::Up(peer) => {
                self.building.shift_remove(&peer.name);
                self.progress("starting peers");
                let library = &peer.description.library;
                self.line(&format!("peer {}: {library} ({})", peer.name, peer.mode))
            }
            Event::Missing(missing) => {
                self.building.shift_remove(&missing.name);
                let peer = painted(BAD, format_args!("peer {}", missing.name));
                self.always(&format!("{peer}: {}", missing.reason))
            }
            Event::Lost(lost) => self.always(&lost_line(lost)),
            Event::Cells { count } => {
                self.cells = Some(*count);
                self.bar.set_length(*count as u64);
                self.bar.set_style(style(CELLS));
                if self.tally.cells == 0 {
                    self.bar.reset();
                }
                self.line(&format!("cells: {count}"))
            }
            Event::Cell(cell, _) => self.cell(cell),
            Event::Interrupted => self.always("interrupted: ending the peers"),
            Event::Ended(ended) => {
                self.bar.finish_and_clear();
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
    fn new(out: W, detail: Detail, width: Option<usize>, target: ProgressDrawTarget) -> Self {
        Self {
            out,
            detail,
            color: false,
            extension: 0,
            width,
            bar: ProgressBar::with_draw_target(None, target).with_style(style("{wide_msg}")),
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
        if self.width.is_some() {
            let plain = line.trim().chars().filter(|c| !c.is_control());
            let line: String = plain.collect();
            self.progress(&format!("build {peer}: {line}"));
            return Ok(());
        }
        if begins {
            return self.line(&format!("build {peer}"));
        }
        Ok(())
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
            let is_first = *count == 1 && (is_news || self.is_small());
            if is_first || (is_news && self.detail == Detail::Verbose) {
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
        if self.tally.cells == 1 && self.cells.is_none() {
            self.bar.set_style(style(SOME));
            self.bar.reset();
        }
        self.bar.set_position(self.tally.cells as u64);
        self.progress("");
        Ok(())
    }

    /// Whether what is known is shown too: of many cells only on request.
    fn shows_all(&self) -> bool {
        self.detail == Detail::Verbose || self.is_small()
    }

    /// Whether there are so few cells that all of them is shown.
    fn is_small(&self) -> bool {
        self.cells.is_some_and(|cells| cells <= SHOWN)
    }

    /// Says what is waited for, until cells end: then, what they show.
    fn progress(&self, waits: &str) {
        if self.tally.cells == 0 {
            return self.bar.set_message(waits.to_owned());
        }
        let findings = self.tally.newly_deviating;
        let failed = self.tally.of(Conformance::Failed);
        let mut text = format!("{findings} with new findings, {failed} failed");
        for (place, peer) in self.building.iter().enumerate() {
            let word = if place == 0 { "; building" } else { "," };
            text = format!("{text}{word} {peer}");
        }
        self.bar.set_message(text);
    }

    /// A line that nobody who asked for quiet misses.
    fn line(&mut self, text: &str) -> io::Result<()> {
        if self.detail == Detail::Quiet {
            return Ok(());
        }
        self.always(text)
    }

    fn always(&mut self, text: &str) -> io::Result<()> {
        let Self {
            bar, out, color, ..
        } = self;
        bar.suspend(|| {
            if *color {
                writeln!(out, "{text}")
            } else {
                writeln!(out, "{}", strip_str(text))
            }
        })
    }
}

/// What a line of progress shows; what does not fit the window of `{wide_msg}` is cut.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
        // What cannot be written is not there.
        let _ = write!(out, "{:.0}", state.per_sec());
    })
}

fn lost_line(lost: &Lost) -> String {
    let then = match lost.restarts {
        0 => "it is not started again".to_owned(),
        count => format!("it is started again, at most {count} more times"),
    };
    format!("peer {} was lost: {}: {then}", lost.name, lost.reason)
}

#[cfg(test)]
mod tests;

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
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;
    use reqmtls_contract::{Provenance, Revision};

    use super::*;
    use crate::judge::{Finding, Party};
    use crate::run::{Ended, Player, Started, Timings};

    /// The line of progress that a terminal of some width shows.
    #[derive(Clone, Debug)]
    struct Screen {
        width: u16,
        line: Arc<Mutex<String>>,
    }

    impl Screen {
        fn new(width: u16) -> Self {
            let line = Arc::default();
            Self { width, line }
        }

        fn shows(&self) -> String {
            self.line.lock().unwrap().trim_end().to_owned()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            self.width
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.line.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.line.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// One that nobody watches.
    fn unwatched(detail: Detail) -> Terminal<Vec<u8>> {
        Terminal::new(Vec::new(), detail, None, ProgressDrawTarget::hidden())
    }

    /// One whose progress is on the screen, each time that it changes.
    fn watched(screen: &Screen) -> Terminal<Vec<u8>> {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
        let width = usize::from(screen.width);
        Terminal::new(Vec::new(), Detail::Normal, Some(width), target)
    }

    fn builds<W: Write>(terminal: &mut Terminal<W>) {
        for line in ["Compiling one", "Compiling \u{1b}[31mtwo"] {
            let (peer, line) = ("gnutls".to_owned(), line.to_owned());
            terminal.event(&Event::Building { peer, line }).unwrap();
        }
    }

    fn written(detail: Detail) -> String {
        let mut terminal = unwatched(detail);
        builds(&mut terminal);
        terminal.event(&Event::Interrupted).unwrap();
        String::from_utf8(terminal.out).unwrap()
    }

    #[test]
    fn without_a_terminal_a_build_is_one_line() {
        assert_eq!(
            written(Detail::Normal),
            "build gnutls\ninterrupted: ending the peers\n"
        );
        assert_eq!(written(Detail::Quiet), "interrupted: ending the peers\n");
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

    /// A cell with these findings.
    fn cell(number: usize, findings: &[Finding]) -> Event {
        let player = |peer: &str| Player {
            peer: peer.to_owned(),
            provenance: Provenance::Library,
            misbehaves: false,
        };
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
        Event::Cell(Box::new(cell), Vec::new())
    }

    fn ended() -> Event {
        Event::Ended(Ended {
            time: 1.0,
            interrupted: false,
            stale: Vec::new(),
            timings: Timings::default(),
        })
    }

    /// What is written of a run of four cells with these findings each.
    fn of_findings(detail: Detail, findings: &[Finding]) -> String {
        let mut terminal = unwatched(detail);
        terminal.event(&Event::Cells { count: 4 }).unwrap();
        for number in 1..=4 {
            terminal.event(&cell(number, findings)).unwrap();
        }
        terminal.event(&ended()).unwrap();
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
             finding: some/case-2 a--b: b as server: it asked; expected silence (peer contract)\n\
             finding: some/case-3 a--b: b as server: it asked; expected silence (peer contract)\n\
             finding: some/case-4 a--b: b as server: it asked; expected silence (peer contract)\n\
             4 cells in all: b as server: it asked; expected silence (peer contract)\n\
             known deviations, and what counts against no end:\n  \
             4 cells: b as server: it asked; expected silence (peer contract); known: as in b.c\n"
        );
        assert_eq!(
            of_findings(Detail::Normal, &[finding(None)]),
            "cells: 4\n\
             finding: some/case-1 a--b: b as server: it asked; expected silence (peer contract)\n\
             4 cells in all: b as server: it asked; expected silence (peer contract)\n"
        );
        assert_eq!(
            of_findings(Detail::Normal, &[known]),
            "cells: 4\n\
             known deviations in 4 cells: -v shows them, and matrix.md and index.html with the reasons\n"
        );
    }

    #[test]
    fn progress_fits_the_window_and_cannot_steer_it() {
        for (width, expected) in [
            (24, "build gnutls: Compiling"),
            (60, "build gnutls: Compiling [31mtwo"),
        ] {
            let screen = Screen::new(width);
            let mut terminal = watched(&screen);
            builds(&mut terminal);
            assert_eq!(screen.shows(), expected);
            drop(terminal);
            assert_eq!(screen.shows(), "");
        }
    }

    #[test]
    fn progress_says_what_is_done_how_fast_and_how_long_and_goes_in_the_end() {
        let screen = Screen::new(100);
        let mut terminal = watched(&screen);
        let started = Started {
            time: 0.0,
            extension: 62,
            flag: 80,
            revision: Revision::Draft02,
            sharded: None,
        };
        terminal.event(&Event::Started(started)).unwrap();
        assert_eq!(screen.shows(), "starting peers");
        terminal.event(&Event::Cells { count: 4 }).unwrap();
        for number in 1..=2 {
            terminal.event(&cell(number, &[finding(None)])).unwrap();
        }
        let shown = screen.shows();
        let (done, rest) = shown.split_once(" cells, ").unwrap();
        let (rate, rest) = rest.split_once(" in a second, ").unwrap();
        let (left, rest) = rest.split_once(" left; ").unwrap();
        assert_eq!(
            (done, rest),
            ("2/4", "2 with new findings, 0 failed"),
            "{shown}"
        );
        // How much is the machine's.
        assert!(
            rate.parse::<u64>().is_ok() && left.ends_with('s'),
            "{shown}"
        );
        terminal.event(&ended()).unwrap();
        assert_eq!(screen.shows(), "");
    }
    #[test]
    fn progress_of_cells_that_do_not_wait_for_all_peers_says_who_is_being_built() {
        let screen = Screen::new(100);
        let mut terminal = watched(&screen);
        builds(&mut terminal);
        terminal.event(&cell(1, &[])).unwrap();
        let shown = screen.shows();
        assert!(shown.starts_with("1 cells, "), "{shown}");
        let rest = "; 0 with new findings, 0 failed; building gnutls";
        assert!(shown.ends_with(rest), "{shown}");
        terminal.event(&Event::Cells { count: 4 }).unwrap();
        terminal.event(&cell(2, &[])).unwrap();
        assert!(screen.shows().starts_with("2/4 cells, "), "{shown}");
    }
}

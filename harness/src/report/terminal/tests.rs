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

//! What a person at a terminal reads while a run goes on, and at its end.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::conformance::Conformance;
use crate::event::{CellResult, Event, Run};
use crate::snapshot::Drift;

/// Writes events for people; to stderr in the program.
pub struct Terminal<W> {
    out: W,
    /// Progress is one line written over and over, instead of many.
    overwrite: bool,
    progress: bool,
    cells: usize,
    done: usize,
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
            done: 0,
        }
    }
}

impl<W: Write> Terminal<W> {
    /// Writes one event.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Notice(text) => self.line(text),
            Event::Building { peer, line } => {
                self.progress(&format!("build {peer}: {}", line.trim()))
            }
            Event::Up(peer) => self.line(&format!(
                "peer {}: {} ({})",
                peer.name, peer.description.library, peer.mode
            )),
            Event::Missing { peer, reason } => self.line(&format!("peer {peer}: {reason}")),
            Event::Cells { count } => {
                self.cells = *count;
                self.line(&format!("cells: {count}"))
            }
            Event::Cell(cell) => self.cell(cell),
            Event::Interrupted => self.line("interrupted: ending the peers"),
        }
    }

    fn cell(&mut self, cell: &CellResult) -> io::Result<()> {
        self.done += 1;
        let name = format!("{} {}", cell.case, cell.pairing());
        if cell.conformance == Conformance::Failed || cell.conformance == Conformance::Unsupported {
            let reason = cell.reason.as_deref().unwrap_or("no reason given");
            self.line(&format!("{}: {name}: {reason}", cell.conformance))?;
        }
        for finding in &cell.findings {
            self.line(&format!("finding: {name}: {finding}"))?;
        }
        if cell.drift == Some(Drift::Changed) {
            self.line(&format!(
                "changed: {name}: the transcript differs from the accepted one"
            ))?;
        }
        if self.overwrite {
            self.progress(&format!("{}/{} {name}", self.done, self.cells))?;
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

    /// Writes the end of a run.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub fn end(&mut self, run: &Run, reports: Duration) -> io::Result<()> {
        self.clear()?;
        write!(self.out, "{}", summary(run, reports))
    }
}

/// A run in a few lines.
#[must_use]
pub fn summary(run: &Run, reports: Duration) -> String {
    use Conformance::{Conforms, Deviates, Failed, Unsupported};
    let mut text = format!("{} cells:", run.cells.len());
    for conformance in [Conforms, Deviates, Unsupported, Failed] {
        let _ = write!(text, " {} {conformance},", run.count(conformance));
    }
    let [same, changed, new] =
        [Drift::Same, Drift::Changed, Drift::New].map(|drift| run.count_drift(drift));
    let _ = writeln!(
        text,
        " transcripts: {same} same, {changed} changed, {new} new"
    );
    for stale in &run.stale {
        let _ = writeln!(text, "{stale}");
    }
    let seconds = |duration: Duration| format!("{:.2} s", duration.as_secs_f64());
    let timings = &run.timings;
    let _ = writeln!(
        text,
        "time: build {}, start {}, cells {}, stop {}, reports {}",
        seconds(timings.build),
        seconds(timings.start),
        seconds(timings.cells),
        seconds(timings.stop),
        seconds(reports),
    );
    text
}

//! What a run comes to, in numbers.

use std::fmt::Write;
use std::time::Duration;

use super::{Reporter, counted, paint};
use crate::judge::Conformance;
use crate::run::{Cell, Drift, Ended, Event, Repeats};

/// Counts of a run's cells.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// All of them.
    pub cells: usize,
    /// By conformance, in the order of [`Conformance::ALL`].
    conformance: [usize; Conformance::ALL.len()],
    /// By drift, in the order of [`Drift::ALL`].
    drift: [usize; Drift::ALL.len()],
    /// Those with a finding that is not known.
    pub newly_deviating: usize,
    /// Those whose runs were not all alike.
    pub varying: usize,
    /// Those that ran several times.
    pub repeated: usize,
    /// Peers that are not there.
    pub missing: usize,
    /// How often a peer was lost.
    pub lost: usize,
    /// Known deviations that no longer occur.
    pub stale: usize,
    /// Whether the run was interrupted.
    pub interrupted: bool,
}

impl Tally {
    /// Adds a cell.
    pub fn add(&mut self, cell: &Cell) {
        self.cells += 1;
        self.conformance[cell.conformance as usize] += 1;
        if let Some(drift) = cell.drift {
            self.drift[drift as usize] += 1;
        }
        self.repeated += usize::from(cell.repeats.is_some());
        self.varying += usize::from(cell.repeats.as_ref().is_some_and(Repeats::vary));
        self.newly_deviating += usize::from(cell.deviates_newly());
    }

    /// How many cells have this conformance.
    #[must_use]
    pub fn of(&self, conformance: Conformance) -> usize {
        self.conformance[conformance as usize]
    }

    /// How many cells have this drift.
    #[must_use]
    pub fn drifted(&self, drift: Drift) -> usize {
        self.drift[drift as usize]
    }

    /// A run in a few lines, in colour.
    #[must_use]
    pub fn summary(&self, ended: &Ended) -> String {
        let mut text = format!("{}:", counted(self.cells, "cell"));
        // A String takes whatever is written to it.
        for conformance in Conformance::ALL {
            let style = paint::of_conformance(*conformance);
            let count = paint::count(style, self.of(*conformance), conformance);
            let _ = write!(text, " {count},");
        }
        let drift = Drift::ALL.iter().map(|drift| {
            let style = paint::of_drift(*drift);
            paint::count(style, self.drifted(*drift), drift)
        });
        let _ = writeln!(
            text,
            " transcripts: {}",
            drift.collect::<Vec<_>>().join(", ")
        );
        if self.repeated > 0 {
            let _ = writeln!(
                text,
                "repeated: {}, of which {} vary",
                counted(self.repeated, "cell"),
                self.varying
            );
        }
        for stale in &ended.stale {
            let _ = writeln!(text, "{stale}");
        }
        let seconds = |duration: Duration| format!("{:.2} s", duration.as_secs_f64());
        let timings = &ended.timings;
        let _ = writeln!(
            text,
            "time: peers {}, cells {}, stop {}",
            seconds(timings.peers),
            seconds(timings.cells),
            seconds(timings.stop),
        );
        text
    }
}

impl Reporter for Tally {
    fn event(&mut self, event: &Event) -> std::io::Result<()> {
        match event {
            Event::Cell(cell, _) => self.add(cell),
            Event::Missing(_) => self.missing += 1,
            Event::Lost(_) => self.lost += 1,
            Event::Ended(ended) => {
                self.stale = ended.stale.len();
                self.interrupted = ended.interrupted;
            }
            _ => {}
        }
        Ok(())
    }
}

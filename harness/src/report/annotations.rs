//! Findings as workflow commands of GitHub Actions, which it shows at the scenario's file.

use std::collections::HashSet;
use std::io::{self, Write};

use super::{Reporter, reproduction};
use crate::judge::Conformance;
use crate::run::{Cell, Drift, Event};

/// GitHub shows ten of a kind for each step; more would only fill the log.
const MOST: usize = 10;

/// Writes an annotation for what is not as it should be, each once for a scenario.
#[derive(Debug)]
pub struct Annotations<W> {
    out: W,
    written: HashSet<String>,
}

impl<W: Write> Annotations<W> {
    /// Writes to `out`, which the runner reads.
    pub fn new(out: W) -> Self {
        Self {
            out,
            written: HashSet::new(),
        }
    }

    fn cell(&mut self, cell: &Cell) -> io::Result<()> {
        let mut said = Vec::new();
        for finding in &cell.findings {
            if finding.counts() && finding.known.is_none() {
                let peer = finding.party.side().map(|side| cell.player(side).label());
                said.push(format!(
                    "{} as {}: {finding}",
                    peer.unwrap_or_default(),
                    finding.party
                ));
            }
        }
        if let (Conformance::Failed, Some(reason)) = (cell.conformance, &cell.reason) {
            said.push(format!("failed: {reason}"));
        }
        if let Some(drift @ (Drift::Changed | Drift::New)) = cell.drift {
            said.push(format!("{}: the transcript is {drift}", cell.pairing()));
        }
        for text in said {
            let file = format!("scenarios/{}.toml", cell.case.scenario());
            if self.written.len() >= MOST || !self.written.insert(format!("{file} {text}")) {
                continue;
            }
            let message = format!("{}: {text} (reqmtls run {})", cell.case, reproduction(cell));
            writeln!(
                self.out,
                "::error file={file},line=1::{}",
                escaped(&message)
            )?;
        }
        Ok(())
    }
}

/// The data of a workflow command: `%` and ends of lines have a form of their own there, and other control characters
/// none.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

impl<W: Write> Reporter for Annotations<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Cell(cell, _) => self.cell(cell),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_begins_no_workflow_command() {
        assert_eq!(
            escaped("100%\n::set-env name=A::b\u{1b}[31m"),
            "100%25%0A::set-env name=A::b [31m"
        );
    }
}

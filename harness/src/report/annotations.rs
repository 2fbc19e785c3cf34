//! Findings as workflow commands of GitHub Actions, which it shows at the line of the scenario that expects something
//! else.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use super::{Reporter, options, reproduction};
use crate::judge::Conformance;
use crate::run::{Cell, Drift, Event};
use crate::scenario::{Case, CaseId, SELF_TEST};

/// GitHub shows ten of a kind for each step; more would only fill the log.
const MOST: usize = 10;

/// Writes an annotation for what is not as it should be, each once for a scenario.
#[derive(Debug)]
pub struct Annotations<W> {
    out: W,
    cases: HashMap<CaseId, Arc<Case>>,
    written: HashSet<String>,
    /// Those of the run.
    options: String,
}

impl<W: Write> Annotations<W> {
    /// Writes to `out`, which the runner reads, of these cases.
    pub fn new(out: W, cases: &[Arc<Case>]) -> Self {
        let by_id = |case: &Arc<Case>| (case.id.clone(), Arc::clone(case));
        Self {
            out,
            cases: cases.iter().map(by_id).collect(),
            written: HashSet::new(),
            options: String::new(),
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
            let (file, line) = self.place(&cell.case);
            if self.written.len() >= MOST || !self.written.insert(format!("{file} {text}")) {
                continue;
            }
            let command = reproduction(&self.options, cell);
            let message = format!("{}: {text} ({command})", cell.case);
            writeln!(
                self.out,
                "::error file={file},line={line}::{}",
                escaped(&message)
            )?;
        }
        Ok(())
    }

    /// The file of a case, and the line of the last `[[expect]]` that is about it: those before it are of more cases.
    fn place(&self, id: &CaseId) -> (String, usize) {
        let case = self.cases.get(id);
        let folder = match case {
            Some(case) if case.self_test => format!("{SELF_TEST}/"),
            _ => String::new(),
        };
        let line = case.and_then(|case| case.expected.lines.last());
        let file = format!("scenarios/{folder}{}.toml", id.scenario());
        (file, line.copied().unwrap_or(1))
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
            Event::Started(started) => {
                self.options = options(started);
                Ok(())
            }
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

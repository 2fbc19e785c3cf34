//! What is printed and written of each connection. What a client makes long is cut.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use reqmtls_contract::Outcome;
use reqmtls_observer::capture::Writer;
use reqmtls_vocabulary::Side;
use serde::Serialize;

use crate::command::judge::{json, text};
use crate::judge::{Finding, Ruling};
use crate::report::{Growing, plain};
use crate::serve::Served;

/// The most lines that are printed of one connection.
const MOST_LINES: usize = 400;

/// One connection as JSON: as `judge` has it, and what the server says of it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    connection: json::Line<'a>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Where output goes, and what it came to.
pub(super) struct Output {
    is_json: bool,
    capture: Option<Writer<Growing>>,
    /// Connections of TLS 1.3.
    pub(super) judged: usize,
    /// Those in which something is violated.
    pub(super) violating: usize,
}

impl Output {
    pub(super) fn new(is_json: bool, capture: Option<&Path>) -> anyhow::Result<Self> {
        let capture = capture.map(|path| {
            let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let file = Growing::create(path, 0o600)?;
            Writer::new(file, start.unwrap_or_default()).map_err(plain)
        });
        Ok(Self {
            is_json,
            capture: capture.transpose().context("cannot write the capture")?,
            judged: 0,
            violating: 0,
        })
    }

    /// Writes one connection.
    pub(super) fn connection(&mut self, served: &Served) -> io::Result<()> {
        let recorded = &served.recorded;
        let rulings = recorded.rulings();
        if let Some(rulings) = &rulings {
            self.judged += 1;
            self.violating += usize::from(
                rulings
                    .iter()
                    .any(|ruling| is_finding(ruling, recorded.knowledge.server.misbehaves)),
            );
        }
        let rulings = rulings.unwrap_or_default();
        let mut out = anstream::stdout().lock();
        if self.is_json {
            let mut connection = json::Line::of(None, recorded, &rulings);
            connection.transcript = cut(connection.transcript);
            let line = Line {
                connection,
                outcome: served.report.outcome,
                error: served.report.error.as_deref(),
            };
            serde_json::to_writer(&mut out, &line)?;
            writeln!(out)?;
        } else {
            let mut whole = String::new();
            // A String takes whatever is written to it.
            let _ = text::judged(&mut whole, recorded, &rulings);
            if let Some(error) = &served.report.error {
                let _ = writeln!(whole, "the server reports: {}", error.escape_debug());
            }
            for line in cut(whole.lines().map(str::to_owned).collect()) {
                writeln!(out, "{line}")?;
            }
        }
        out.flush()?;
        if let Some(capture) = &mut self.capture {
            let note = serde_json::to_string(&recorded.knowledge)?;
            capture.secrets(&served.key_log).map_err(plain)?;
            capture
                .connection(&recorded.name, &note, &served.recording)
                .map_err(plain)?;
        }
        Ok(())
    }

    /// Puts the capture at its place.
    pub(super) fn finish(self) -> io::Result<()> {
        self.capture
            .map_or(Ok(()), |capture| capture.into_inner().finish())
    }
}

/// Whether it is something that an end does wrong, unless that is what the server is there for.
fn is_finding(ruling: &Ruling, misbehaves: bool) -> bool {
    let finding = ruling.finding().filter(Finding::counts);
    finding.is_some_and(|finding| !(misbehaves && finding.party.side() == Some(Side::Server)))
}

/// Of more than the most lines the first and the last ones.
fn cut(mut lines: Vec<String>) -> Vec<String> {
    let Some(more) = lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) else {
        return lines;
    };
    let start = MOST_LINES / 2;
    lines.splice(start..start + more, [format!("({more} lines left out)")]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_the_first_and_the_last_are_written() {
        let lines = |count| {
            (0..count)
                .map(|line: usize| line.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(lines(MOST_LINES)), lines(MOST_LINES));
        let short = cut(lines(MOST_LINES + 2));
        assert_eq!(short.len(), MOST_LINES + 1);
        assert_eq!(short[MOST_LINES / 2], "(2 lines left out)");
        assert_eq!(short.last(), lines(MOST_LINES + 2).last());
    }
}

//! `junit.xml` as CI services read it: a test suite for each scenario and a test case for each cell, and suites for what
//! is of no cell and decides on the exit code too.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Reporter;
use super::file::Growing;
use crate::judge::{Conformance, Finding};
use crate::run::{Cell, Drift, Event};

/// Collects what ends, and writes them at the end.
#[derive(Debug)]
pub struct Junit {
    path: PathBuf,
    suites: IndexMap<String, Vec<TestCase>>,
    /// What was wrong with each peer.
    peers: IndexMap<String, Vec<String>>,
}

/// The suites beside those of the scenarios, whose names have no space.
const PEERS: &str = "all peers";
const REPEATS: &str = "varying cells";
const KNOWN: &str = "known deviations";

impl Junit {
    /// Writes to the file that will be at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            suites: IndexMap::new(),
            peers: IndexMap::new(),
        }
    }

    fn add(&mut self, suite: &str, case: TestCase) {
        self.suites.entry(suite.to_owned()).or_default().push(case);
    }

    fn cell(&mut self, cell: &Cell) {
        self.add(cell.case.scenario(), test_case(cell));
        if let Some(repeats) = cell.repeats.as_ref().filter(|it| it.vary()) {
            let status = of_kind(NonSuccessKind::Failure, "varies", repeats.to_string());
            let name = format!("{} {}", cell.case, cell.pairing());
            self.add(REPEATS, TestCase::new(name, status));
        }
    }

    fn write(&mut self, stale: &[String]) -> io::Result<()> {
        for (peer, wrong) in std::mem::take(&mut self.peers) {
            let status = match wrong.as_slice() {
                [] => TestCaseStatus::success(),
                wrong => of_kind(NonSuccessKind::Error, "peer", wrong.join("; ")),
            };
            self.add(PEERS, TestCase::new(peer, status));
        }
        for text in stale {
            let status = of_kind(NonSuccessKind::Failure, "stale", text.clone());
            self.add(KNOWN, TestCase::new(text, status));
        }
        let mut report = Report::new("reqmtls");
        self.suites.sort_unstable_keys();
        for (scenario, cases) in self.suites.drain(..) {
            let mut suite = TestSuite::new(scenario);
            suite.add_test_cases(cases);
            report.add_test_suite(suite);
        }
        let mut file = Growing::create(&self.path, 0o644)?;
        report.serialize(&mut file).map_err(io::Error::other)?;
        file.finish()
    }
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Up(peer) => {
                self.peers.entry(peer.name.clone()).or_default();
            }
            Event::Missing(missing) => {
                let wrong = self.peers.entry(missing.name.clone()).or_default();
                wrong.push(missing.reason.clone());
            }
            Event::Lost(lost) => {
                let wrong = self.peers.entry(lost.name.clone()).or_default();
                wrong.push(format!("it was lost: {}", lost.reason));
            }
            Event::Cell(cell, _) => self.cell(cell),
            Event::Ended(ended) => self.write(&ended.stale)?,
            _ => {}
        }
        Ok(())
    }
}

fn of_kind(kind: NonSuccessKind, ty: &str, message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty).set_message(message);
    status
}

/// A failure is what makes a run's exit code 1, an error what makes it 3.
fn test_case(cell: &Cell) -> TestCase {
    let reason = cell.reason.as_ref().map(ToString::to_string);
    let status = match cell.conformance {
        Conformance::Unsupported => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.unwrap_or_default());
            status
        }
        Conformance::Failed => of_kind(NonSuccessKind::Error, "failed", reason.unwrap_or_default()),
        Conformance::Deviates if cell.deviates_newly() => {
            let new = |finding: &&Finding| finding.counts() && finding.known.is_none();
            let findings = cell.findings.iter().filter(new).map(Finding::said);
            let text = findings.collect::<Vec<_>>().join("; ");
            of_kind(NonSuccessKind::Failure, "finding", text)
        }
        Conformance::Conforms | Conformance::Deviates => match cell.drift {
            Some(drift @ (Drift::Changed | Drift::New)) => {
                let text = format!("the transcript is {drift}");
                of_kind(NonSuccessKind::Failure, "drift", text)
            }
            Some(Drift::Same) | None => TestCaseStatus::success(),
        },
    };
    let name = format!("{} {}", cell.case.values(), cell.pairing());
    let mut case = TestCase::new(name.trim_start(), status);
    case.set_classname(cell.case.scenario());
    case.set_time(Duration::from_millis(cell.milliseconds));
    let known = cell.findings.iter().filter(|it| it.known.is_some());
    let known: Vec<_> = known.map(Finding::said).collect();
    if !known.is_empty() {
        case.set_system_out(known.join("\n"));
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Ended, Lost, Missing, Timings};

    #[test]
    fn what_is_of_no_cell_is_an_error_or_a_failure_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        let mut junit = Junit::new(&path);
        let named = |name: &str| (name.to_owned(), "it ended".to_owned());
        for peer in ["a", "b", "b"] {
            let (name, reason) = named(peer);
            let restarts = 1;
            junit
                .event(&Event::Lost(Lost {
                    name,
                    reason,
                    restarts,
                }))
                .unwrap();
        }
        let (name, reason) = named("c");
        junit
            .event(&Event::Missing(Missing { name, reason }))
            .unwrap();
        let ended = Ended {
            time: 1.0,
            interrupted: false,
            stale: vec!["known deviation of a no longer occurs".to_owned()],
            timings: Timings::default(),
        };
        junit.event(&Event::Ended(ended)).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        for expected in [
            r#"tests="4" skipped="0" failures="1" errors="3""#,
            r#"<testsuite name="all peers" tests="3" skipped="0" errors="3""#,
            "it was lost: it ended; it was lost: it ended",
            r#"<testsuite name="known deviations" tests="1""#,
        ] {
            assert!(text.contains(expected), "expected {expected} in\n{text}");
        }
    }
}

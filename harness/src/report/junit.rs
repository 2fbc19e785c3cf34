//! `junit.xml`: a test suite for each scenario and a test case for each cell, as CI services read it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Reporter;
use super::file::write_whole;
use crate::judge::{Conformance, Finding};
use crate::run::{Cell, Drift, Event};

/// Collects the cells, and writes them at the end.
#[derive(Debug)]
pub struct Junit {
    path: PathBuf,
    suites: IndexMap<String, Vec<TestCase>>,
}

impl Junit {
    /// Writes to the file that will be at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            suites: IndexMap::new(),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let mut report = Report::new("reqmtls");
        self.suites.sort_unstable_keys();
        for (scenario, cases) in self.suites.drain(..) {
            let mut suite = TestSuite::new(scenario);
            suite.add_test_cases(cases);
            report.add_test_suite(suite);
        }
        let text = report.to_string().map_err(io::Error::other)?;
        write_whole(&self.path, text.as_bytes())
    }
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Cell(cell, _) => {
                let cases = self.suites.entry(cell.case.scenario().to_owned());
                cases.or_default().push(test_case(cell));
                Ok(())
            }
            Event::Ended(_) => self.write(),
            _ => Ok(()),
        }
    }
}

/// A failure is what makes a run's exit code 1, an error what makes it 3.
fn test_case(cell: &Cell) -> TestCase {
    let reason = cell.reason.as_ref().map(ToString::to_string);
    let of_kind = |kind, ty: &str, message: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(ty).set_message(message);
        status
    };
    let status = match cell.conformance {
        Conformance::Unsupported => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.unwrap_or_default());
            status
        }
        Conformance::Failed => of_kind(NonSuccessKind::Error, "failed", reason.unwrap_or_default()),
        Conformance::Deviates if cell.deviates_newly() => {
            let new = |finding: &&Finding| finding.counts() && finding.known.is_none();
            let findings = cell.findings.iter().filter(new).map(said);
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
    let known: Vec<_> = known.map(said).collect();
    if !known.is_empty() {
        case.set_system_out(known.join("\n"));
    }
    case
}

fn said(finding: &Finding) -> String {
    format!("{}: {finding}", finding.party)
}

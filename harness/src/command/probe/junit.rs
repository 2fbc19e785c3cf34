//! The cases of a probe as XML in the form of `JUnit`.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use reqmtls_vocabulary::Side;

use crate::judge::Connection;
use crate::probe::{Judged, Outcome, Played, Probed};

/// One suite, with a test for each case that was played.
pub(super) fn report(target: &str, probed: &Probed, judged: &Judged) -> anyhow::Result<String> {
    let mut suite = TestSuite::new(format!("reqmtls probe {target}"));
    for (played, connections) in probed.played.iter().zip(&judged.connections) {
        let mut case = TestCase::new(played.play.id.as_str(), status(played, connections));
        case.set_classname("reqmtls.probe");
        case.set_time(played.connections.iter().map(|it| it.took).sum());
        suite.add_test_case(case);
    }
    let mut report = Report::new("reqmtls probe");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn status(played: &Played, connections: &[Connection]) -> TestCaseStatus {
    let violated = connections.iter().flat_map(|it| &it.rulings);
    let violated = violated.filter(|ruling| ruling.is_violated_by(Side::Server));
    let lines: Vec<_> = violated.map(ToString::to_string).collect();
    let unmade = played
        .connections
        .iter()
        .find(|it| it.seen.outcome == Outcome::NotReached);
    let (kind, text) = match (unmade, lines.is_empty()) {
        (_, false) => (NonSuccessKind::Failure, lines.join("\n")),
        (Some(unmade), true) => {
            let error = unmade.error.clone();
            (NonSuccessKind::Error, error.unwrap_or_default())
        }
        (None, true) => return TestCaseStatus::success(),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(text.lines().next().unwrap_or_default());
    status.set_description(text);
    status
}

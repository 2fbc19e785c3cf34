//! A cell held against what its scenario expects.

use super::facts::is_main_certificate_request;
use super::{Facts, Finding, Outcome};
use crate::scenario::{self, Expected};
use crate::wire::{Content, Side, Transcript};

/// Every expectation of a case that the transcript does not meet.
#[must_use]
pub fn judge(expected: &Expected, transcript: &Transcript, flag: u16) -> Vec<Finding> {
    let facts = Facts::of(transcript);
    let line_of = |wanted: &dyn Fn(&crate::wire::Entry) -> bool| {
        let entry = transcript.entries.iter().find(|entry| wanted(entry))?;
        transcript.line(entry, flag)
    };
    let mut findings = Vec::new();
    let mut find = |side, message, got: String, expected_text: String| {
        findings.push(Finding {
            requirements: expected.because.clone(),
            side,
            message,
            got,
            expected: expected_text,
        });
    };

    if facts.certificate_request != expected.certificate_request {
        let request = line_of(&is_main_certificate_request);
        let (got, wanted) = presence(facts.certificate_request);
        find(Side::Server, request, got.to_owned(), wanted.to_owned());
    }

    let refused = expected.outcome == scenario::Outcome::Refused;
    let alert_line =
        line_of(&|entry| matches!(&entry.content, Content::Alert(alert) if alert.is_fatal()));
    match (facts.outcome, facts.alert) {
        (Outcome::Completed, _) if !refused => {}
        (Outcome::Refused, Some((side, alert))) => {
            let number = alert.description.0;
            let wanted: Vec<_> = expected.alerts.iter().map(|alert| alert.name).collect();
            let named = expected.alerts.iter().any(|alert| alert.code == number);
            if !refused {
                find(
                    side,
                    alert_line,
                    alert.to_string(),
                    "a completed connection".to_owned(),
                );
            } else if side == Side::Client || !named {
                let wanted = format!("{} from the server", wanted.join(" or "));
                let got = format!("{alert} from the {}", side.name());
                find(side, alert_line, got, wanted);
            }
        }
        (outcome, _) => {
            let wanted = if refused {
                "a refusal by a fatal alert"
            } else {
                "a completed connection"
            };
            let got = match outcome {
                Outcome::Completed => "a completed connection",
                Outcome::Refused | Outcome::Broken => "an end without fatal alert or orderly close",
            };
            find(Side::Server, None, got.to_owned(), wanted.to_owned());
        }
    }

    // A refused client is not authenticated whatever it sent: nothing more to say then.
    if facts.outcome == Outcome::Completed
        && facts.authenticated.is_some() != expected.authenticated
    {
        let (got, wanted) = authentication(expected.authenticated);
        find(Side::Server, None, got.to_owned(), wanted.to_owned());
    }
    findings
}

fn presence(requested: bool) -> (&'static str, &'static str) {
    if requested {
        ("CertificateRequest", "none")
    } else {
        ("no CertificateRequest", "one in the main handshake")
    }
}

fn authentication(expected: bool) -> (&'static str, &'static str) {
    if expected {
        ("a client that is not authenticated", "an authenticated one")
    } else {
        ("an authenticated client", "one that is not")
    }
}

//! A connection held against what its scenario expects.

use reqmtls_contract::Outcome;
use reqmtls_observer::{Alert, Content, Entry, TlsFlags};
use reqmtls_vocabulary::Side;

use super::check::View;
use super::facts::is_main_certificate_request;
use super::{Expected, Facts, Finding, Requested};

/// Every expectation of a case that the connection does not meet.
pub(super) fn unmet(expected: &Expected, facts: &Facts, view: &View<'_>) -> Vec<Finding> {
    let mut judge = Judge {
        expected,
        facts,
        view,
        findings: Vec::new(),
    };
    judge.certificate_request();
    judge.outcome();
    judge.authentication();
    judge.resumption();
    judge.findings
}

/// What is wrong with a connection that had to complete because another one follows.
pub(super) fn not_completed(number: usize, facts: &Facts) -> Finding {
    let (side, got) = match facts.alert {
        Some((side, alert)) => (side, format!("{alert} in connection {number}")),
        None => (
            Side::Server,
            format!("no orderly end of connection {number}"),
        ),
    };
    Finding {
        requirements: Vec::new(),
        party: side.into(),
        provenance: None,
        message: None,
        got,
        expected: "a completed connection before the last".to_owned(),
        inferred: false,
        known: None,
    }
}

struct Judge<'a> {
    expected: &'a Expected,
    facts: &'a Facts,
    view: &'a View<'a>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn certificate_request(&mut self) {
        let facts = self.facts;
        let wanted = match self.expected.certificate_request {
            Requested::Any => return,
            Requested::No => false,
            Requested::Yes => true,
            Requested::OnFlag => facts
                .first_tls_flags()
                .and_then(|data| TlsFlags::decode(data).ok())
                .is_some_and(|flags| flags.contains(self.view.knowledge.flag)),
        };
        if facts.certificate_request != wanted {
            let message = self.line_of(is_main_certificate_request);
            let (got, expected) = if facts.certificate_request {
                ("CertificateRequest", "none")
            } else {
                ("no CertificateRequest", "one in the main handshake")
            };
            self.find(Side::Server, message, got, expected);
        }
    }

    fn outcome(&mut self) {
        let facts = self.facts;
        let may = |outcome| self.expected.allows(outcome);
        match (facts.outcome, facts.alert) {
            (Outcome::Completed, _) if may(Outcome::Completed) => {}
            (Outcome::Refused, Some((side, alert))) if may(Outcome::Refused) => {
                self.refusal(side, alert);
            }
            (Outcome::Refused, Some((side, alert))) => {
                let message = self.line_of(|entry| self.is_fatal(entry));
                self.find(side, message, &alert.to_string(), "a completed connection");
            }
            (Outcome::Completed, _) => {
                let side = self.expected.refused_by;
                self.find(
                    side,
                    None,
                    "a completed connection",
                    "a refusal by a fatal alert",
                );
            }
            (Outcome::Broken | Outcome::Refused, _) => {
                let wanted = if may(Outcome::Refused) {
                    "a refusal by a fatal alert"
                } else {
                    "a completed connection"
                };
                let got = "an end without fatal alert or orderly close";
                let side = self.expected.refused_by;
                self.find(side, None, got, wanted);
            }
        }
    }

    fn refusal(&mut self, side: Side, alert: Alert) {
        let wanted = &self.expected.alerts;
        let is_wanted = wanted.iter().any(|wanted| *wanted == alert.description);
        if side != self.expected.refused_by || !is_wanted {
            let names: Vec<_> = wanted.iter().map(ToString::to_string).collect();
            let expected = format!(
                "{} from the {}",
                names.join(" or "),
                self.expected.refused_by
            );
            let got = format!("{alert} from the {}", side.name());
            let message = self.line_of(|entry| self.is_fatal(entry));
            self.find(side, message, &got, &expected);
        }
    }

    fn authentication(&mut self) {
        let facts = self.facts;
        // A refused client is not authenticated whatever it sent: nothing more to say then.
        let Some(wanted) = self
            .expected
            .authenticated
            .filter(|_| facts.outcome == Outcome::Completed)
            // Nor where it should have been refused, which is told already.
            .filter(|_| self.expected.allows(Outcome::Completed))
        else {
            return;
        };
        if facts.authenticated.is_some() != wanted {
            let (got, expected) = if wanted {
                ("a client that is not authenticated", "an authenticated one")
            } else {
                ("an authenticated client", "one that is not")
            };
            self.find(Side::Server, None, got, expected);
        }
    }

    fn resumption(&mut self) {
        let resumed = self.facts.resumed;
        if let Some(wanted) = self.expected.resumed.filter(|wanted| *wanted != resumed) {
            let text = |resumed| {
                if resumed {
                    "a resumed session"
                } else {
                    "a full handshake"
                }
            };
            self.find(Side::Server, None, text(resumed), text(wanted));
        }
    }

    fn is_fatal(&self, entry: &Entry) -> bool {
        let version = self.view.transcript.version;
        matches!(&entry.content, Content::Alert(alert) if alert.is_fatal(version))
    }

    fn line_of(&self, wanted: impl Fn(&Entry) -> bool) -> Option<String> {
        let transcript = self.view.transcript;
        let entry = transcript.entries.iter().find(|entry| wanted(entry))?;
        transcript.line(entry, self.view.knowledge.flag)
    }

    fn find(&mut self, side: Side, message: Option<String>, got: &str, expected: &str) {
        self.findings.push(Finding {
            requirements: self.expected.because.clone(),
            party: side.into(),
            provenance: None,
            message,
            got: got.to_owned(),
            expected: expected.to_owned(),
            inferred: false,
            known: None,
        });
    }
}

//! A connection held against what its scenario expects.

use super::facts::is_main_certificate_request;
use super::{Facts, Finding, Outcome};
use crate::scenario::{self, End, Expected, Requested};
use reqmtls_observer::{Alert, Content, Entry, Side, TlsFlags, Transcript};

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What the wire shows, in short.
    pub facts: &'a Facts,
    /// What the wire shows.
    pub transcript: &'a Transcript,
    /// The number of the request mTLS flag.
    pub flag: u16,
}

/// Every expectation of a case that the connection does not meet.
#[must_use]
pub fn judge(expected: &Expected, judged: Judged<'_>) -> Vec<Finding> {
    let mut judge = Judge {
        expected,
        judged,
        findings: Vec::new(),
    };
    judge.certificate_request();
    judge.outcome();
    judge.authentication();
    judge.resumption();
    judge.findings
}

struct Judge<'a> {
    expected: &'a Expected,
    judged: Judged<'a>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn certificate_request(&mut self) {
        let facts = self.judged.facts;
        let wanted = match self.expected.certificate_request {
            Requested::Any => return,
            Requested::No => false,
            Requested::Yes => true,
            Requested::OnFlag => facts
                .first_tls_flags()
                .and_then(|data| TlsFlags::decode(data).ok())
                .is_some_and(|flags| flags.contains(self.judged.flag)),
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
        let facts = self.judged.facts;
        let may = |outcome| self.expected.allows(outcome);
        match (facts.outcome, facts.alert) {
            (Outcome::Completed, _) if may(scenario::Outcome::Completed) => {}
            (Outcome::Refused, Some((side, alert))) if may(scenario::Outcome::Refused) => {
                self.refusal(side, alert);
            }
            (Outcome::Refused, Some((side, alert))) => {
                let message = self.line_of(|entry| self.is_fatal(entry));
                self.find(side, message, &alert.to_string(), "a completed connection");
            }
            (Outcome::Completed, _) => {
                let side = self.refusing();
                self.find(
                    side,
                    None,
                    "a completed connection",
                    "a refusal by a fatal alert",
                );
            }
            (Outcome::Broken | Outcome::Refused, _) => {
                let wanted = if may(scenario::Outcome::Refused) {
                    "a refusal by a fatal alert"
                } else {
                    "a completed connection"
                };
                let got = "an end without fatal alert or orderly close";
                let side = self.refusing();
                self.find(side, None, got, wanted);
            }
        }
    }

    fn refusal(&mut self, side: Side, alert: Alert) {
        let wanted = &self.expected.alerts;
        let is_wanted = wanted
            .iter()
            .any(|wanted| wanted.code == alert.description.0);
        if side != self.refusing() || !is_wanted {
            let names: Vec<_> = wanted.iter().map(|alert| alert.name).collect();
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
        let facts = self.judged.facts;
        // A refused client is not authenticated whatever it sent: nothing more to say then.
        let Some(wanted) = self
            .expected
            .authenticated
            .filter(|_| facts.outcome == Outcome::Completed)
            // Nor where it should have been refused, which is told already.
            .filter(|_| self.expected.allows(scenario::Outcome::Completed))
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
        let resumed = self.judged.facts.resumed;
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

    fn refusing(&self) -> Side {
        match self.expected.refused_by {
            End::Client => Side::Client,
            End::Server => Side::Server,
        }
    }

    fn is_fatal(&self, entry: &Entry) -> bool {
        let version = self.judged.transcript.version;
        matches!(&entry.content, Content::Alert(alert) if alert.is_fatal(version))
    }

    fn line_of(&self, wanted: impl Fn(&Entry) -> bool) -> Option<String> {
        let Judged {
            transcript, flag, ..
        } = self.judged;
        let entry = transcript.entries.iter().find(|entry| wanted(entry))?;
        transcript.line(entry, flag)
    }

    fn find(&mut self, side: Side, message: Option<String>, got: &str, expected: &str) {
        self.findings.push(Finding {
            requirements: self.expected.because.clone(),
            side,
            message,
            got: got.to_owned(),
            expected: expected.to_owned(),
            known: None,
        });
    }
}

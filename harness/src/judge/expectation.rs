//! A connection held against what its scenario expects.

use reqmtls_contract::Outcome;
use reqmtls_observer::{Alert, AlertDescription, Entry, TlsFlags};
use reqmtls_vocabulary::Side;

use super::check::{Chain, View, alert_name, chain, is_changed_after_retry};
use super::facts::is_main_certificate_request;
use super::requirement::Id;
use super::{Expected, Facts, Finding, Requested};

/// Every expectation of a case that the connection does not meet.
pub(super) fn unmet(expected: &Expected, facts: &Facts, view: &View<'_>) -> Vec<Finding> {
    // Who refuses a second ClientHello that is not the first cannot meet what is expected of two ends in order: TLS-9
    // has its finding against the client.
    let is_refused = view.first_error().is_some_and(|(entry, alert)| {
        entry.from == Side::Server && alert.description == AlertDescription::ILLEGAL_PARAMETER
    });
    let client = view.knowledge.end(Side::Client);
    if is_refused && !client.misbehaves && is_changed_after_retry(view) {
        return Vec::new();
    }
    let mut held = Held {
        expected,
        facts,
        view,
        findings: Vec::new(),
    };
    held.certificate_request();
    held.outcome();
    held.authentication();
    held.resumption();
    held.findings
}

/// What is wrong with a connection that had to complete because another one follows.
pub(super) fn not_completed(number: usize, view: &View<'_>) -> Finding {
    let (party, got, message) = if let Some((entry, alert)) = view.first_error() {
        (entry.from, sent(entry.from, alert), view.line(entry))
    } else {
        let side = view.ended_first().unwrap_or(Side::Server);
        (
            side,
            format!("{side} did not complete the connection"),
            None,
        )
    };
    let expected = "a completed connection before the last".to_owned();
    let mut finding = Finding::of_report(party, format!("{got} in connection {number}"), expected);
    finding.message = message;
    finding
}

struct Held<'a> {
    expected: &'a Expected,
    facts: &'a Facts,
    view: &'a View<'a>,
    findings: Vec<Finding>,
}

impl Held<'_> {
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
            let entry = self.view.find(is_main_certificate_request);
            let (some, none) = ("CertificateRequest", "no CertificateRequest");
            let in_main = "CertificateRequest in the main handshake";
            let (got, expected) = if wanted {
                (none, in_main)
            } else {
                (some, none)
            };
            self.find(Side::Server, entry, got, expected);
        }
    }

    fn outcome(&mut self) {
        let may = |outcome| self.expected.allows(outcome);
        let wanted = self.wanted();
        match (self.facts.outcome, self.view.first_error()) {
            (Outcome::Completed, _) if may(Outcome::Completed) => {}
            (Outcome::Completed, _) => {
                self.find(
                    self.expected.refused_by,
                    None,
                    "a completed connection",
                    &wanted,
                );
            }
            (_, Some((entry, alert))) => {
                let side = entry.from;
                let alerts = &self.expected.alerts;
                let is_wanted = alerts.contains(&alert.description)
                    && side == self.expected.refused_by
                    && may(Outcome::Refused);
                if !is_wanted {
                    self.find(side, Some(entry), &sent(side, alert), &wanted);
                }
            }
            (_, None) => {
                let side = self.view.ended_first().unwrap_or(self.expected.refused_by);
                let got = format!("{side} did not complete the connection and sent no alert");
                self.find(side, None, &got, &wanted);
            }
        }
    }

    /// What outcome is expected, in words.
    fn wanted(&self) -> String {
        if !self.expected.allows(Outcome::Refused) {
            return "a completed connection".to_owned();
        }
        let names: Vec<_> = self
            .expected
            .alerts
            .iter()
            .copied()
            .map(alert_name)
            .collect();
        let refusal = format!(
            "alert {} from the {}",
            names.join(" or "),
            self.expected.refused_by
        );
        if self.expected.allows(Outcome::Completed) {
            format!("a completed connection or {refusal}")
        } else {
            refusal
        }
    }

    /// A refused client is not authenticated whatever it sent, and one that should have been refused is reported
    /// already.
    fn authentication(&mut self) {
        let is_completed = self.facts.outcome == Outcome::Completed;
        let may_complete = self.expected.allows(Outcome::Completed);
        let Some(wanted) = self
            .expected
            .authenticated
            .filter(|_| is_completed && may_complete)
        else {
            return;
        };
        if self.facts.authenticated.is_some() == wanted {
            return;
        }
        if !wanted {
            let got = "server authenticated the client";
            return self.find(
                Side::Server,
                None,
                got,
                "a client that is not authenticated",
            );
        }
        // What a client answers to a request is its own choice.
        let is_empty = |entry: &Entry| {
            let chain = entry.message().and_then(chain);
            let read = matches!(chain, Some(Chain::Read(it)) if it.certificates.is_empty());
            entry.from == Side::Client && read
        };
        let expected = "an authenticated client";
        match self.view.find(is_empty) {
            Some(entry) => self.find(
                Side::Client,
                Some(entry),
                "client sent an empty Certificate",
                expected,
            ),
            None => self.find(
                Side::Server,
                None,
                "server did not authenticate the client",
                expected,
            ),
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

    fn find(&mut self, side: Side, entry: Option<&Entry>, got: &str, expected: &str) {
        let requirements: Vec<Id> = self.expected.because.clone();
        let message = entry.and_then(|entry| self.view.line(entry));
        self.findings.push(Finding {
            requirements,
            message,
            ..Finding::of_report(side, got.to_owned(), expected.to_owned())
        });
    }
}

fn sent(side: Side, alert: Alert) -> String {
    format!("{side} sent {}", alert_name(alert.description))
}

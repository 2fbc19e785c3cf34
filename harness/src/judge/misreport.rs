//! What an end reports, held against what the wire shows.

use std::fmt::Display;

use reqmtls_contract::{ConnectionReport, Hex, Outcome};
use reqmtls_observer::{KeyLog, Octets32, shortened};
use reqmtls_vocabulary::Side;

use super::check::View;
use super::facts::early_data;
use super::{Facts, Finding};

/// The most octets that a finding shows.
const MOST: usize = 64;

/// Every point in which an end's report contradicts the wire. What a report leaves out is no contradiction:
/// libraries differ in what they report. `log` is the report's key log as it was read.
pub(super) fn misreports(
    view: &View<'_>,
    facts: &Facts,
    side: Side,
    report: &ConnectionReport,
    log: &KeyLog,
) -> Vec<Finding> {
    let mut claims = Claims {
        side,
        findings: Vec::new(),
    };
    claims.flags(view, facts, report);
    let alert_of = |from| view.error(from).map(|(_, alert)| alert.description.0);
    claims.hold_if_reported("alert_sent", report.alert_sent, alert_of(side));
    claims.hold_if_reported(
        "alert_received",
        report.alert_received,
        alert_of(side.peer()),
    );
    claims.key_log(facts, log);
    claims.hold_if_reported("resumed", report.resumed, Some(facts.resumed));
    if let (true, is_accepted) = early_data(view) {
        claims.hold_if_reported("early_data", report.early_data, Some(is_accepted));
    }
    claims.certificate(facts, report);
    claims.answer(facts, report);
    let is_completed = |outcome| outcome == Outcome::Completed;
    if is_completed(report.outcome) != is_completed(facts.outcome) {
        claims.find("outcome", report.outcome, facts.outcome);
    }
    claims.findings
}

struct Claims {
    side: Side,
    findings: Vec<Finding>,
}

impl Claims {
    /// A client that reports no flags while the wire has them denies them, and the other way round. Nothing is
    /// held against a misbehaving end, whose messages are edited on their way, nor against a server to which
    /// this extension is unknown, or that did not get as far as ClientHello's extensions.
    fn flags(&mut self, view: &View<'_>, facts: &Facts, report: &ConnectionReport) {
        let end = view.knowledge.end(self.side);
        let (name, reported) = match self.side {
            Side::Client => ("tls_flags_sent", &report.tls_flags_sent),
            Side::Server => ("tls_flags_received", &report.tls_flags_received),
        };
        let is_late = reported.is_none() && facts.outcome != Outcome::Completed;
        let is_exempt = self.side == Side::Server && (end.knows_flags != Some(true) || is_late);
        // After HelloRetryRequest it may speak of either ClientHello.
        let octets = reported.as_ref().map(|it| &it.0);
        let is_shown = facts.tls_flags.iter().any(|data| octets == data.as_ref());
        if !end.misbehaves && !is_exempt && !is_shown {
            let flags = facts.first_tls_flags().map(Hex::from);
            self.hold(name, reported.as_ref(), flags.as_ref());
        }
    }

    /// The other end's certificate. A server that does not accept a certificate and continues reports none, as
    /// RFC 9846 §4.5.1.3 (RFC 8446 §4.4.2.4) permits. One that refused in the end may have accepted it before,
    /// but not one that was never sent.
    fn certificate(&mut self, facts: &Facts, report: &ConnectionReport) {
        let claimed = report.peer_certificate.as_ref();
        let is_completed = facts.outcome == Outcome::Completed;
        let shown = match (self.side, is_completed) {
            (Side::Client, true) => facts.server_certificate,
            (Side::Server, true) => facts.proven.filter(|_| claimed.is_some()),
            (Side::Server, false) if claimed.is_some() => facts.client_certificate,
            (_, false) => return,
        };
        self.hold("peer_certificate", claimed, shown.map(hex).as_ref());
    }

    /// The answer that a client hands on is what the server says.
    fn answer(&mut self, facts: &Facts, report: &ConnectionReport) {
        let Some(answer) = &report.answer else {
            return;
        };
        let mut server = Self {
            side: Side::Server,
            findings: Vec::new(),
        };
        let authenticated = facts.authenticated.map(hex);
        let claimed = answer.client_certificate.as_ref();
        server.hold(
            "client_certificate in its answer",
            claimed,
            authenticated.as_ref(),
        );
        if let Some(claimed) = &answer.tls_flags
            && !facts
                .tls_flags
                .iter()
                .flatten()
                .any(|data| *data == claimed.0)
        {
            let flags = facts.first_tls_flags().map(Hex::from);
            server.hold("tls_flags in its answer", Some(claimed), flags.as_ref());
        }
        self.findings.append(&mut server.findings);
    }

    /// Where the secrets do not fit, the wire shows it; where they are of another connection, only the other end's
    /// may have opened this one. Lines that cannot be read are a failure of the cell. No client random is named: it is
    /// another one in each run, and what runs find is compared.
    fn key_log(&mut self, facts: &Facts, log: &KeyLog) {
        if let Some(random) = facts.client_random
            && log.has_other_than(random)
        {
            let got = "a key log of another connection".to_owned();
            let expected = "the secrets of this connection alone".to_owned();
            self.findings
                .push(Finding::of_report(self.side, got, expected));
        }
    }

    fn hold(&mut self, name: &str, reported: Option<&Hex>, shown: Option<&Hex>) {
        if reported != shown {
            let text = |value: Option<&Hex>| value.map_or("none".to_owned(), octets);
            self.find(name, text(reported), text(shown));
        }
    }

    fn hold_if_reported<T: PartialEq + Display>(
        &mut self,
        name: &str,
        reported: Option<T>,
        shown: Option<T>,
    ) {
        if reported.is_some() && reported != shown {
            let text = |value: Option<T>| value.map_or("none".to_owned(), |it| it.to_string());
            self.find(name, text(reported), text(shown));
        }
    }

    fn find(&mut self, name: &str, reported: impl Display, shown: impl Display) {
        let got = format!("{} reported {name} {reported}", self.side);
        let expected = format!("{shown}, as on the wire");
        self.findings
            .push(Finding::of_report(self.side, got, expected));
    }
}

/// Octets as a finding shows them: what is on the wire is as long as its sender likes.
fn octets(octets: &Hex) -> String {
    match octets.0.len() {
        0..=MOST => octets.to_string(),
        length => format!("{} ({length} octets)", shortened(&octets.0, MOST)),
    }
}

fn hex(certificate: Octets32) -> Hex {
    Hex(certificate.0.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_octets_are_cut_and_counted() {
        assert_eq!(octets(&Hex(vec![7; 64])), "07".repeat(64));
        let expected = format!("{}… (65535 octets)", "07".repeat(64));
        assert_eq!(octets(&Hex(vec![7; 65535])), expected);
    }
}

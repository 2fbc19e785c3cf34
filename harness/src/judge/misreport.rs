//! What an end says, held against what the wire shows.

use reqmtls_contract::{ConnectionReport, Hex, Outcome};
use reqmtls_observer::KeyLog;
use reqmtls_vocabulary::Side;

use super::{Facts, Finding, Knowledge};

/// Every point in which an end's report contradicts the wire. What a report leaves out is no
/// contradiction: libraries differ in what they tell.
pub(super) fn misreports(
    facts: &Facts,
    knowledge: &Knowledge,
    side: Side,
    report: &ConnectionReport,
) -> Vec<Finding> {
    let mut claims = Claims {
        side,
        findings: Vec::new(),
    };
    let flags = facts.first_tls_flags().map(Hex::from);
    let (own, other) = (side, side.peer());
    let alert_of = |from| {
        facts
            .alert
            .filter(|(side, _)| *side == from)
            .map(|(_, alert)| alert.description.0)
    };

    match side {
        // A client that reports no flags while the wire has them denies them, and the other way round.
        // What a misbehaving one puts in or takes out on the way is not its own.
        Side::Client if !knowledge.client.misbehaves => {
            claims.hold(
                "tls_flags_sent",
                report.tls_flags_sent.as_ref(),
                flags.as_ref(),
            );
        }
        Side::Client => {}
        // A server that never got as far as ClientHello's extensions has nothing to say, nor has one to
        // which this extension is unknown.
        Side::Server
            if knowledge.server.misbehaves || knowledge.server.knows_flags != Some(true) => {}
        Side::Server => {
            let said = report.tls_flags_received.as_ref();
            // After HelloRetryRequest it may speak of either ClientHello.
            let heard = facts
                .tls_flags
                .iter()
                .any(|data| said.map(|it| &it.0) == data.as_ref());
            if !heard && (said.is_some() || facts.outcome == Outcome::Completed) {
                claims.hold("tls_flags_received", said, flags.as_ref());
            }
        }
    }
    claims.hold_if_said("alert_sent", report.alert_sent, alert_of(own));
    claims.hold_if_said("alert_received", report.alert_received, alert_of(other));

    claims.hold_key_log(facts, report);

    claims.hold_truth("resumed", report.resumed, facts.resumed);
    let certificate = match side {
        Side::Client => facts.server_certificate,
        // A server that does not accept a certificate and goes on regards the client as unauthenticated.
        Side::Server => facts.proven.filter(|_| report.peer_certificate.is_some()),
    };
    let certificate = certificate.map(|certificate| Hex(certificate.0.to_vec()));
    let claimed = report.peer_certificate.as_ref();
    if facts.outcome == Outcome::Completed {
        claims.hold("peer_certificate", claimed, certificate.as_ref());
    } else if side == Side::Server && claimed.is_some() {
        // It may have accepted the certificate and refused later, but not one that was never sent.
        let sent = facts.client_certificate.map(|sent| Hex(sent.0.to_vec()));
        claims.hold("peer_certificate", claimed, sent.as_ref());
    }
    if let Some(answer) = &report.answer {
        let authenticated = facts
            .authenticated
            .map(|certificate| Hex(certificate.0.to_vec()));
        let mut server = Claims {
            side: Side::Server,
            findings: Vec::new(),
        };
        let said = answer.client_certificate.as_ref();
        server.hold(
            "client_certificate in its answer",
            said,
            authenticated.as_ref(),
        );
        if let Some(said) = &answer.tls_flags
            && !facts.tls_flags.iter().flatten().any(|data| *data == said.0)
        {
            server.hold("tls_flags in its answer", Some(said), flags.as_ref());
        }
        claims.findings.append(&mut server.findings);
    }

    let completed = report.outcome == Outcome::Completed;
    if completed != (facts.outcome == Outcome::Completed) {
        let said = format!("outcome {}", report.outcome);
        claims.find(
            format!("a report of {said}"),
            format!("{}, as on the wire", facts.outcome),
        );
    }
    claims.findings
}

struct Claims {
    side: Side,
    findings: Vec<Finding>,
}

impl Claims {
    fn hold(&mut self, name: &str, said: Option<&Hex>, wire: Option<&Hex>) {
        if said != wire {
            let text = |value: Option<&Hex>| value.map_or("none".to_owned(), Hex::to_string);
            self.find(
                format!("a report of {name} {}", text(said)),
                format!("{}, as on the wire", text(wire)),
            );
        }
    }

    fn hold_if_said(&mut self, name: &str, said: Option<u8>, wire: Option<u8>) {
        if let Some(said) = said
            && Some(said) != wire
        {
            let wire = wire.map_or("none".to_owned(), |wire| wire.to_string());
            self.find(
                format!("a report of {name} {said}"),
                format!("{wire}, as on the wire"),
            );
        }
    }

    fn hold_truth(&mut self, name: &str, said: Option<bool>, wire: bool) {
        if let Some(said) = said.filter(|said| *said != wire) {
            self.find(
                format!("a report of {name} {said}"),
                format!("{wire}, as on the wire"),
            );
        }
    }

    /// Where the secrets do not fit, the wire shows; where they are of another connection, only the
    /// other end's may have opened this one.
    fn hold_key_log(&mut self, facts: &Facts, report: &ConnectionReport) {
        // Lines that cannot be read break the cell.
        let log = KeyLog::parse(&report.key_log.join("\n")).unwrap_or_default();
        if let Some(random) = facts.client_random
            && let Some(other) = log.other_than(random)
        {
            self.find(
                format!("a key log of another connection, with the client random {other}"),
                format!("the secrets of this connection alone, with {random}"),
            );
        }
    }

    fn find(&mut self, got: String, expected: String) {
        let (requirements, message) = (Vec::new(), None);
        self.findings.push(Finding {
            requirements,
            party: self.side.into(),
            provenance: None,
            message,
            got,
            expected,
            inferred: false,
            known: None,
        });
    }
}

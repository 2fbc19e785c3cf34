//! What one connection leaves behind, and what it says by itself.

use reqmtls_contract::{ConnectionReport, Outcome};
use reqmtls_observer::{
    Epoch, KeyLog, KeyLogDifference, Label, Reason, Recording, Transcript, Wire,
};
use reqmtls_vocabulary::{ProtocolVersion, Side};

use super::{Facts, Finding};

/// What one connection leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What passed between the ends.
    pub recording: Recording,
    /// What the client reports.
    pub client: ConnectionReport,
    /// What the server reports.
    pub server: ConnectionReport,
}

impl Evidence {
    /// What an end reports.
    #[must_use]
    pub fn report(&self, side: Side) -> &ConnectionReport {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// How many octets there are to judge: what passed, and both key logs.
    #[must_use]
    pub fn octets(&self) -> usize {
        let lines = Side::BOTH.map(|side| self.report(side).key_log.iter());
        let lines = lines.into_iter().flatten().map(String::len);
        self.recording.octets() + lines.sum::<usize>()
    }

    /// Decrypts with what both ends' key logs have together, and holds the two against each other. Both logs come with
    /// what was seen, the client's first.
    pub(super) fn observe(
        &self,
        failures: &mut Vec<String>,
    ) -> (Transcript, Vec<Finding>, [KeyLog; 2]) {
        let logs = Side::BOTH.map(|side| {
            KeyLog::parse(&self.report(side).key_log.join("\n")).unwrap_or_else(|error| {
                failures.push(format!("the {side}'s key log: {error}"));
                KeyLog::default()
            })
        });
        let wire = Wire::of(&self.recording);
        let [client, server] = &logs;
        let random = wire.client_random();
        let differing =
            random.map_or_else(Vec::new, |random| KeyLog::compare(client, server, random));
        let findings = foreign_secrets(&wire, &logs, &differing);
        // Of two secrets the merge takes the first.
        let is_clients = |finding: &Finding| finding.party == Side::Client.into();
        let (first, second) = match &findings[..] {
            [_, ..] if findings.iter().all(is_clients) => (server, client),
            _ => (client, server),
        };
        let mut log = first.clone();
        log.merge(second.clone());
        let transcript = wire.read(&log);
        for side in Side::BOTH {
            // An end that never came to encrypt has no secrets; and of TLS 1.2 there are libraries that show none.
            let is_tls13 = transcript.version == Some(ProtocolVersion::TLS13);
            let mut entries = transcript.entries.iter();
            let encrypts = is_tls13
                && entries.any(|entry| entry.from == side && entry.epoch != Epoch::Plaintext);
            let is_undecrypted = transcript.defects.iter().any(|it| !is_judged(&it.reason));
            if self.report(side).key_log.is_empty() && (encrypts || is_undecrypted) {
                failures.push(format!("the {side} handed over no key log lines"));
            }
        }
        (transcript, findings, logs)
    }

    /// What the recording or the reports show to be broken rather than wrong.
    pub(super) fn failure(&self, facts: &Facts, transcript: &Transcript) -> Vec<String> {
        let defects = transcript.defects.iter();
        let unread = defects.filter(|defect| !is_judged(&defect.reason));
        let mut failures: Vec<_> = unread.map(ToString::to_string).collect();
        // An end that reports that TLS ended it, without alert, has decided: that is a result.
        let is_decided = Side::BOTH
            .iter()
            .any(|side| self.report(*side).outcome == Outcome::Refused);
        if facts.outcome == Outcome::Broken && !is_decided {
            let errors = Side::BOTH.iter().filter_map(|side| {
                Some(format!("{side}: {}", self.report(*side).error.as_deref()?))
            });
            let errors: Vec<_> = errors.collect();
            failures.push(format!(
                "the connection ended without alert or orderly close ({})",
                errors.join("; ")
            ));
        }
        failures
    }
}

/// A finding for each secret that an end hands over and that is not this connection's.
fn foreign_secrets(
    wire: &Wire<'_>,
    logs: &[KeyLog; 2],
    differing: &[KeyLogDifference],
) -> Vec<Finding> {
    // An end that gave up earlier knows fewer secrets: no contradiction. Nor does anything on the wire show which
    // exporter secret is the right one.
    let contradictions = differing.iter().filter(|difference| {
        matches!(difference, KeyLogDifference::Secret(label) if *label != Label::Exporter)
    });
    let contradictions: Vec<_> = contradictions.collect();
    if contradictions.is_empty() {
        return Vec::new();
    }
    // The secrets that decrypt the recording are the true ones.
    let fails = |log: &KeyLog| {
        let transcript = wire.read(log);
        transcript.defects.iter().any(|it| !is_judged(&it.reason))
    };
    let sides = Side::BOTH.into_iter().zip(logs);
    let failing: Vec<_> = sides.filter(|(_, log)| fails(log)).collect();
    let mut findings = Vec::new();
    for difference in contradictions {
        for (side, _) in &failing {
            let got = format!("a key log that does not decrypt the connection ({difference})");
            let expected = "the secrets of this connection".to_owned();
            findings.push(Finding::of_report(*side, got, expected));
        }
    }
    findings
}

/// Whether a defect keeps nothing from being read, and is for a requirement to judge (TLS-10).
pub(super) fn is_judged(reason: &Reason) -> bool {
    *reason == Reason::AfterEnd
}

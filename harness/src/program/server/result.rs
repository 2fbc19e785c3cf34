//! What a server does under each policy, as data that the chapter is made of.

use serde::{Deserialize, Serialize};

use super::manifest::Policy;
use crate::judge::requirement::Id;
use crate::probe::{Asks, Grouped, Judged, Malformed, Probed, Verdict, grouped};

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The name of its manifest.
    pub name: String,
    /// What readers know it by.
    pub title: String,
    /// What it says of its version.
    pub version: String,
    /// What readers should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it does under each policy that it has.
    pub rows: Vec<Row>,
}

/// One server under one policy. Whatever is absent was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The policy.
    pub policy: Policy,
    /// Whom it asks.
    pub asks: Option<Asks>,
    /// How it takes a client that was asked and has no certificate.
    pub absent: Option<String>,
    /// The first line that it answers such a client.
    pub answer: Option<String>,
    /// How it takes a certificate that fits.
    pub fits: Option<String>,
    /// How it takes a certificate of another authority.
    pub other: Option<String>,
    /// How it takes a CertificateVerify that does not verify.
    pub bad_signature: Option<String>,
    /// Whether the flag, or anything else that `tls_flags` contain, changes what it does.
    pub flags_change_something: bool,
    /// How it takes malformed flags.
    pub malformed: Option<Malformed>,
    /// The verdict in words.
    pub sentences: Vec<String>,
    /// The requirements that it violates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violates: Vec<Id>,
}

impl Row {
    /// Reads it off a probe.
    pub(super) fn of(policy: Policy, probed: &Probed, judged: &Judged) -> Self {
        let verdict = &judged.verdict;
        let certificate = |value| verdict.certificates.get(value).map(ToString::to_string);
        let groups = grouped(probed, judged);
        let findings = groups.iter().filter(|group| group.is_violated());
        let mut violates: Vec<_> = findings.map(Grouped::requirement).collect();
        violates.sort_unstable();
        violates.dedup();
        Self {
            policy,
            asks: verdict.asks,
            absent: verdict.no_certificate.map(|it| it.to_string()),
            answer: answer(probed),
            fits: certificate("present"),
            other: certificate("untrusted"),
            bad_signature: certificate("bad-signature"),
            flags_change_something: changes(verdict),
            malformed: verdict.malformed,
            sentences: verdict.sentences(),
            violates,
        }
    }
}

/// What a client without certificate and without flags was answered.
fn answer(probed: &Probed) -> Option<String> {
    let first = probed.played.first()?;
    first.connections.first()?.answer.clone()
}

fn changes(verdict: &Verdict) -> bool {
    let by_flag = verdict.asks != Some(Asks::Nobody) && verdict.asks != Some(Asks::Everyone);
    let both = verdict.no_certificate.zip(verdict.no_certificate_on_flag);
    let differ = both.is_some_and(|(plain, set)| !plain.is_like(&set));
    by_flag
        || differ
        || verdict.other_flags_change_something != Some(false)
        || verdict.malformed != Some(Malformed::Ignored)
}

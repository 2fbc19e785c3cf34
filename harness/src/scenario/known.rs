//! Deviations that are known: `scenarios/known-deviations.toml`.
//!
//! A listed deviation is shown, still deviates, and does not fail a run. One that no longer occurs does.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use semver::{Version, VersionReq};
use serde::Deserialize;

use super::Finding;
use super::requirement;
use crate::event::{CellResult, Run};
use crate::scenario::{Scenario, Selector};
use reqmtls_observer::Side;

/// What the file lists.
#[derive(Debug, Default)]
pub struct Known(Vec<Deviation>);

/// One deviation of one implementation.
#[derive(Debug)]
pub struct Deviation {
    entry: Entry,
    cases: Selector,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The peer's name.
    peer: String,
    /// The versions of the library that deviate.
    versions: VersionReq,
    /// The requirement's id.
    requirement: String,
    /// The cases, by id or its first segments.
    cases: String,
    /// Why it is so.
    reason: String,
    /// Where that can be read.
    reference: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    deviation: Vec<Entry>,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {what}")]
pub struct KnownError {
    file: String,
    what: String,
}

impl Known {
    /// Reads the file; where there is none, nothing is known.
    ///
    /// `scenarios` are those of every revision, and `peers` the names of every peer.
    pub fn load(path: &Path, scenarios: &[Scenario], peers: &[&str]) -> Result<Self, KnownError> {
        let error = |what: String| KnownError {
            file: path.display().to_string(),
            what,
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(other) => return Err(error(format!("cannot be read: {other}"))),
        };
        Self::parse(&text, scenarios, peers).map_err(error)
    }

    fn parse(text: &str, scenarios: &[Scenario], peers: &[&str]) -> Result<Self, String> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
        let entries = (1..).zip(file.deviation);
        let deviation = |(number, entry): (usize, Entry)| {
            let at = |what: String| format!("[[deviation]] number {number}: {what}");
            if !peers.contains(&entry.peer.as_str()) {
                let peers = peers.join(", ");
                return Err(at(format!(
                    "got peer {:?}, expected one of {peers}",
                    entry.peer
                )));
            }
            if requirement::find(&entry.requirement).is_none() {
                let near = requirement::nearest(&entry.requirement).map_or("an id", |near| near.id);
                let got = &entry.requirement;
                return Err(at(format!("got requirement {got:?}, expected {near}")));
            }
            let cases =
                Selector::parse(&entry.cases, scenarios).map_err(|error| at(error.to_string()))?;
            Ok(Deviation { entry, cases })
        };
        entries.map(deviation).collect::<Result<_, _>>().map(Self)
    }

    /// Marks the findings of a run that are listed, and notes what is listed and no longer occurs.
    pub fn apply(&self, run: &mut Run) {
        let version_of = |peer: &str| {
            let mut peers = run.peers.iter();
            let peer = peers.find(|it| it.name == peer)?;
            version(&peer.description.library)
        };
        let listed: Vec<_> = self
            .0
            .iter()
            .filter(|deviation| {
                version_of(&deviation.entry.peer)
                    .is_some_and(|version| deviation.entry.versions.matches(&version))
            })
            .collect();
        for deviation in &listed {
            for cell in &mut run.cells {
                if let Some(side) = deviation.side(cell) {
                    deviation.mark(&mut cell.findings, side);
                }
            }
        }
        let mut stale: Vec<String> = listed.iter().flat_map(|it| it.stale(&run.cells)).collect();
        run.stale.append(&mut stale);
    }
}

impl Deviation {
    /// The side that the peer plays in a cell that the entry is about.
    fn side(&self, cell: &CellResult) -> Option<Side> {
        let concerned = self.cases.matches(&cell.case) && cell.facts().is_some();
        let plays = |side: &Side| {
            let name = match side {
                Side::Client => &cell.client,
                Side::Server => &cell.server,
            };
            *name == self.entry.peer
        };
        // A peer that plays both is at fault on the side on which it is found.
        let found = |side: &Side| {
            let mut findings = cell.findings.iter();
            findings.any(|finding| self.is(finding, *side))
        };
        let mut sides = Side::BOTH.iter().filter(|side| concerned && plays(side));
        let first = sides.clone().next().copied();
        sides.find(|side| found(side)).copied().or(first)
    }

    fn is(&self, finding: &Finding, side: Side) -> bool {
        let cited = finding
            .requirements
            .contains(&self.entry.requirement.as_str());
        finding.side == side && cited
    }

    fn mark(&self, findings: &mut [Finding], side: Side) {
        for finding in findings.iter_mut().filter(|finding| self.is(finding, side)) {
            finding.known = Some(self.to_string());
        }
    }

    /// The cases that the entry names, that ran, and in which it did not occur on any pairing.
    fn stale(&self, cells: &[CellResult]) -> Vec<String> {
        let mut cases: Vec<(&str, bool)> = Vec::new();
        for cell in cells {
            let Some(side) = self.side(cell) else {
                continue;
            };
            let occurs = cell.findings.iter().any(|finding| self.is(finding, side));
            match cases.iter_mut().find(|(case, _)| *case == cell.case) {
                Some((_, before)) => *before |= occurs,
                None => cases.push((&cell.case, occurs)),
            }
        }
        let gone = cases.into_iter().filter(|(_, occurs)| !occurs);
        gone.map(|(case, _)| {
            let Entry {
                peer, requirement, ..
            } = &self.entry;
            format!("known deviation of {peer} from {requirement} no longer occurs in {case}")
        })
        .collect()
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.entry.reason, self.entry.reference)
    }
}

/// The first version number in what a peer says of its library.
fn version(library: &str) -> Option<Version> {
    library.split_whitespace().find_map(|word| {
        let mut parts = word.split('.').map(|part| part.parse::<u64>().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        let patch = parts.next().flatten().unwrap_or(0);
        Some(Version::new(major, minor, patch))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn read(entry: &str) -> Result<Known, String> {
        let text = include_str!("../../../scenarios/request-mtls.toml");
        let scenario = parse(Path::new("request-mtls.toml"), text).unwrap();
        Known::parse(entry, &[scenario], &["openssl", "rustls"])
    }

    const SOUND: &str = r#"
        [[deviation]]
        peer = "openssl"
        versions = ">=3.6, <3.7"
        requirement = "TLS-4"
        cases = "request-mtls/*/absent/require"
        reason = "it sends another alert"
        reference = "statem_srvr.c"
    "#;

    #[track_caller]
    fn assert_told(from: &str, to: &str, expected: &str) {
        let told = read(&SOUND.replace(from, to)).unwrap_err();
        assert!(told.contains(expected), "got {told}");
    }

    #[test]
    fn reads_what_is_sound() {
        assert_eq!(read(SOUND).unwrap().0.len(), 1);
        assert_eq!(read("").unwrap().0.len(), 0);
    }

    #[test]
    fn tells_a_pattern_that_matches_nothing() {
        let expected = r#"number 1: no case matches "request-mtls/*/absint/require"; did you mean"#;
        assert_told("absent", "absint", expected);
    }

    #[test]
    fn tells_an_unknown_peer_requirement_key_and_version() {
        assert_told(
            "\"openssl\"",
            "\"opnssl\"",
            "expected one of openssl, rustls",
        );
        assert_told("TLS-4", "TLS-44", "expected TLS-12");
        assert_told("reason", "raison", "unknown field `raison`");
        assert_told(">=3.6", "new", "versions");
    }

    #[test]
    fn finds_versions_in_what_libraries_say() {
        let found = |library| version(library).map(|version| version.to_string());
        assert_eq!(found("OpenSSL 3.6.3 9 Jun 2026").as_deref(), Some("3.6.3"));
        assert_eq!(
            found("BoringSSL of boring-sys 5.4.0").as_deref(),
            Some("5.4.0")
        );
        assert_eq!(
            found("rustls 0.23.46 with rustls-tlsflags 0.1.0").as_deref(),
            Some("0.23.46")
        );
        assert_eq!(found("none"), None);
    }
}

//! Deviations that are known: `known-deviations.toml` in the folder of the peers that deviate.
//!
//! A listed deviation is shown, still deviates, and does not fail a run. One that no longer occurs does.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use semver::{Version, VersionReq};
use serde::Deserialize;

use reqmtls_vocabulary::Side;

use super::{CaseId, Scenario, Selector};
use crate::judge::Finding;
use crate::judge::requirement::{self, Id};

/// The file in a peer's folder.
pub const KNOWN_DEVIATIONS: &str = "known-deviations.toml";

/// What the files list.
#[derive(Debug, Default)]
pub struct Known(Vec<Deviation>);

/// One deviation of one implementation.
#[derive(Debug)]
struct Deviation {
    entry: Entry,
    cases: Vec<Selector>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The names of the peers, of those in the folder; all of them, if none is named.
    #[serde(default)]
    peers: Vec<String>,
    /// The side on which it deviates.
    side: Side,
    /// The versions of the library that deviate.
    versions: VersionReq,
    /// The number of the extension, if it occurs with that one alone.
    extension: Option<u16>,
    /// The requirement's id.
    requirement: String,
    /// The cases, by id or its first segments; at least one.
    cases: Vec<String>,
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
    /// Reads the file of every folder; one without a file lists nothing.
    ///
    /// `peers` are folders, and the names of the peers in each; `scenarios` are those of every revision.
    pub fn load(
        peers: &BTreeMap<&Path, Vec<&str>>,
        scenarios: &[Scenario],
    ) -> Result<Self, KnownError> {
        let mut all = Vec::new();
        for (folder, names) in peers {
            let path = folder.join(KNOWN_DEVIATIONS);
            let error = |what: String| KnownError {
                file: path.display().to_string(),
                what,
            };
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(missing) if missing.kind() == io::ErrorKind::NotFound => continue,
                Err(other) => return Err(error(format!("cannot be read: {other}"))),
            };
            all.extend(Self::parse(&text, scenarios, names).map_err(error)?.0);
        }
        Ok(Self(all))
    }

    /// What is known of the reference, as it is part of the program.
    ///
    /// # Errors
    ///
    /// None that a program has which was tested.
    pub fn built_in(scenarios: &[Scenario]) -> Result<Self, KnownError> {
        let text = include_str!("../../../peers/rustls/known-deviations.toml");
        Self::parse(text, scenarios, &["rustls"]).map_err(|what| KnownError {
            file: KNOWN_DEVIATIONS.to_owned(),
            what,
        })
    }

    /// How many it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn parse(text: &str, scenarios: &[Scenario], peers: &[&str]) -> Result<Self, String> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
        let entries = (1..).zip(file.deviation);
        let deviation = |(number, mut entry): (usize, Entry)| {
            let at = |what: String| format!("[[deviation]] number {number}: {what}");
            let mut named = entry.peers.iter();
            if let Some(unknown) = named.find(|name| !peers.contains(&name.as_str())) {
                let peers = peers.join(", ");
                return Err(at(format!("got peer {unknown:?}, expected one of {peers}")));
            }
            if entry.peers.is_empty() {
                entry.peers = peers.iter().map(|name| (*name).to_owned()).collect();
            }
            if Id::find(&entry.requirement).is_none() {
                let near = requirement::nearest(&entry.requirement).map_or("an id", |near| near.id);
                let got = &entry.requirement;
                return Err(at(format!("got requirement {got:?}, expected {near}")));
            }
            if entry.cases.is_empty() {
                return Err(at("got no cases, expected at least one".to_owned()));
            }
            let selectors = entry.cases.iter().map(|cases| {
                Selector::parse(cases, scenarios).map_err(|error| at(error.to_string()))
            });
            let cases = selectors.collect::<Result<_, _>>()?;
            Ok(Deviation { entry, cases })
        };
        entries.map(deviation).collect::<Result<_, _>>().map(Self)
    }
}

/// Which of the known deviations occurred in a run.
#[derive(Debug)]
pub struct Sightings<'a> {
    known: &'a Known,
    /// The number of the extension in the run.
    extension: u16,
    /// By the number of the deviation and the case that ran: whether it occurred.
    seen: BTreeMap<(usize, CaseId), bool>,
}

impl<'a> Sightings<'a> {
    /// None yet.
    #[must_use]
    pub fn new(known: &'a Known, extension: u16) -> Self {
        Self {
            known,
            extension,
            seen: BTreeMap::new(),
        }
    }

    /// Marks the findings of one cell that are listed for the peer that plays this side, and notes which of its
    /// deviations occurred. `library` is what the peer reports of its library.
    pub fn mark(
        &mut self,
        case: &CaseId,
        side: Side,
        peer: &str,
        library: &str,
        findings: &mut [Finding],
    ) {
        let version = version(library);
        for (number, deviation) in self.known.0.iter().enumerate() {
            let entry = &deviation.entry;
            let concerns = entry.peers.iter().any(|name| name == peer)
                && entry.side == side
                && entry.extension.is_none_or(|it| it == self.extension)
                && version
                    .as_ref()
                    .is_some_and(|it| entry.versions.matches(it))
                && deviation.cases.iter().any(|cases| cases.matches(case));
            if !concerns {
                continue;
            }
            let occurs = self.seen.entry((number, case.clone())).or_default();
            let is_listed = |finding: &Finding| {
                let mut requirements = finding.requirements.iter();
                finding.party == side.into()
                    && requirements.any(|id| id.as_str() == entry.requirement)
            };
            for finding in findings.iter_mut().filter(|finding| is_listed(finding)) {
                *occurs = true;
                finding.known = Some(deviation.to_string());
            }
        }
    }

    /// What is listed, ran, and did not occur on any pairing.
    #[must_use]
    pub fn stale(&self) -> Vec<String> {
        let gone = self.seen.iter().filter(|(_, occurs)| !**occurs);
        gone.map(|((number, case), _)| {
            let Entry {
                peers, requirement, ..
            } = &self.known.0[*number].entry;
            let peers = peers.join(", ");
            format!("known deviation of {peers} from {requirement} no longer occurs in {case}")
        })
        .collect()
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.entry.reason, self.entry.reference)
    }
}

/// The first version number in what a peer reports of its library: two numbers or three, with dots between.
fn version(library: &str) -> Option<Version> {
    let is_other = |c: char| !c.is_ascii_digit() && c != '.';
    library.split(is_other).find_map(|piece| {
        let mut parts = piece.split('.').map(|part| part.parse::<u64>().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        let patch = parts.next().flatten().unwrap_or(0);
        Some(Version::new(major, minor, patch))
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn read(entry: &str) -> Result<Known, String> {
        let text = include_str!("../../../scenarios/request-mtls.toml");
        let scenario = parse(Path::new("request-mtls.toml"), text).unwrap();
        Known::parse(entry, &[scenario], &["openssl", "rustls"])
    }

    const SOUND: &str = r#"
        [[deviation]]
        peers = ["openssl"]
        side = "server"
        versions = ">=3.6, <3.7"
        requirement = "TLS-4"
        cases = ["request-mtls/*/absent/require"]
        reason = "it sends another alert"
        reference = "statem_srvr.c"
    "#;

    #[track_caller]
    fn assert_reported(from: &str, to: &str, expected: &str) {
        let reported = read(&SOUND.replace(from, to)).unwrap_err();
        assert!(reported.contains(expected), "got {reported}");
    }

    #[test]
    fn reads_what_is_sound() {
        assert_eq!(read(SOUND).unwrap().0.len(), 1);
        assert_eq!(read("").unwrap().0.len(), 0);
    }

    #[test]
    fn reports_a_pattern_that_matches_nothing() {
        let expected = r#"number 1: no case matches "request-mtls/*/absint/require"; did you mean"#;
        assert_reported("absent", "absint", expected);
        let none = "number 1: got no cases, expected at least one";
        assert_reported("\"request-mtls/*/absent/require\"", "", none);
    }

    #[test]
    fn reports_an_unknown_peer_requirement_key_and_version() {
        assert_reported(
            "\"openssl\"",
            "\"opnssl\"",
            "expected one of openssl, rustls",
        );
        assert_reported("TLS-4", "TLS-44", "expected TLS-22");
        assert_reported("reason", "raison", "unknown field `raison`");
        assert_reported(">=3.6", "new", "versions");
    }

    #[test]
    fn finds_versions_in_what_peers_report() {
        let found = |library| version(library).map(|version| version.to_string());
        assert_eq!(found("OpenSSL 3.6.3 9 Jun 2026").as_deref(), Some("3.6.3"));
        assert_eq!(
            found("BoringSSL of boring-sys 5.4.0").as_deref(),
            Some("5.4.0")
        );
        assert_eq!(found("rustls 0.23.46").as_deref(), Some("0.23.46"));
        assert_eq!(found("Go go1.25.3").as_deref(), Some("1.25.3"));
        assert_eq!(found("s2n-tls 1.5.27").as_deref(), Some("1.5.27"));
        assert_eq!(found("NSS 3.118").as_deref(), Some("3.118.0"));
        assert_eq!(found("Java 25.0.1+8-LTS").as_deref(), Some("25.0.1"));
        assert_eq!(found("4.0.0-beta1").as_deref(), Some("4.0.0"));
        assert_eq!(found("none, 25 or ..."), None);
    }

    const OPENSSL: &str = "OpenSSL 3.6.3 9 Jun 2026";

    /// What a run has met: findings of one party, in a case, on the side that `peer` plays.
    struct Met<'a> {
        values: &'a str,
        side: Side,
        peer: &'a str,
        library: &'a str,
        findings: &'a [Side],
    }

    impl Met<'_> {
        /// Marks the findings, and returns which of them are known.
        fn mark(&self, sightings: &mut Sightings<'_>) -> Vec<bool> {
            let finding = |party: &Side| Finding {
                requirements: vec![Id::find("TLS-4").expect("a requirement")],
                party: (*party).into(),
                provenance: None,
                message: None,
                got: String::new(),
                expected: String::new(),
                inferred: false,
                known: None,
            };
            let mut findings: Vec<_> = self.findings.iter().map(finding).collect();
            let case = CaseId::new("request-mtls", self.values.split('/'));
            sightings.mark(&case, self.side, self.peer, self.library, &mut findings);
            let known = findings.iter().map(|finding| finding.known.as_deref());
            known
                .map(|known| match known {
                    Some(text) => text == "it sends another alert (statem_srvr.c)",
                    None => false,
                })
                .collect()
        }
    }

    const LISTED: Met<'_> = Met {
        values: "set/absent/require",
        side: Side::Server,
        peer: "openssl",
        library: OPENSSL,
        findings: &[Side::Server],
    };

    #[test]
    fn a_listed_finding_is_marked() {
        let known = read(SOUND).unwrap();
        let mut sightings = Sightings::new(&known, 62);
        assert_eq!(LISTED.mark(&mut sightings), [true]);
        assert!(sightings.stale().is_empty());
    }

    #[test]
    fn a_finding_against_the_other_end_is_not_marked() {
        let known = read(SOUND).unwrap();
        let mut sightings = Sightings::new(&known, 62);
        let both = Met {
            findings: &[Side::Client, Side::Server],
            ..LISTED
        };
        assert_eq!(both.mark(&mut sightings), [false, true]);
    }

    #[test]
    fn what_is_listed_of_another_side_peer_version_or_case_is_not_marked_and_not_missed() {
        let known = read(SOUND).unwrap();
        let mut sightings = Sightings::new(&known, 62);
        let others = [
            Met {
                side: Side::Client,
                findings: &[Side::Client],
                ..LISTED
            },
            Met {
                peer: "rustls",
                ..LISTED
            },
            Met {
                library: "OpenSSL 4.0.0",
                ..LISTED
            },
            Met {
                values: "set/present/require",
                ..LISTED
            },
        ];
        for other in others {
            assert_eq!(other.mark(&mut sightings), [false]);
        }
        assert!(sightings.stale().is_empty());
    }

    #[test]
    fn what_is_listed_of_another_number_of_the_extension_is_not_marked() {
        let text = SOUND.replace("side =", "extension = 0xfe01\n        side =");
        let known = read(&text).unwrap();
        let mark = |extension| LISTED.mark(&mut Sightings::new(&known, extension));
        assert_eq!([mark(62), mark(0xfe01)], [[false], [true]]);
    }

    #[test]
    fn a_deviation_that_occurs_on_no_pairing_of_a_case_is_reported() {
        let known = read(SOUND).unwrap();
        let mut sightings = Sightings::new(&known, 62);
        let without = Met {
            findings: &[],
            ..LISTED
        };
        without.mark(&mut sightings);
        let stale = "known deviation of openssl from TLS-4 no longer occurs in request-mtls/set/absent/require";
        assert_eq!(sightings.stale(), [stale]);
        // On another pairing it does.
        LISTED.mark(&mut sightings);
        without.mark(&mut sightings);
        assert!(sightings.stale().is_empty());
    }
}

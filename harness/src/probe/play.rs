//! The client's side of cases: what a probe plays against a server that it has no control over.

use std::path::Path;

use reqmtls_contract::{Edit, Hex, Message, Setup};
use reqmtls_vocabulary::{ExtensionType, Side};

use super::LeftOut;
use crate::scenario::{Axis, Case, Diagnostics, MAX_FLAG, Material, Scenario, Settings, parse};

/// A scenario that comes with the program.
macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$((
            concat!($name, ".toml"),
            include_str!(concat!("../../../scenarios/", $name, ".toml")),
        )),*]
    };
}

/// The scenarios whose client a probe plays, in this order. The others need control over the server, or differ from
/// these in the server alone.
const SCENARIOS: &[(&str, &str)] = embedded![
    "request-mtls",
    "editors-copy-request-mtls",
    "retry",
    "encoding",
    "encoding-sweep",
    "encoding-extension",
    "encoding-twice",
    "encoding-retry",
    "encoding-resumption",
    "resumption",
    "early-data",
    "post-handshake",
    "tls12",
    "certificates",
    "certificate-verify",
    "encoding-certificate",
    "editors-copy-encoding-certificate",
];

/// The defects of certificates that show without control over whom the server trusts.
const DEFECTS: &[&str] = &["untrusted", "self-signed", "expired"];

/// The flags of a sweep that a probe plays: both ends, the one that is assigned, and one far out.
const SWEPT: &[u16] = &[0, 8, 255, MAX_FLAG];

const WITHOUT_IDENTITY: &str =
    "they need a certificate that the server trusts: --cert and --key present one";

/// One client, as it is in every case that differs in the server alone.
#[derive(Clone, Debug)]
pub struct Play {
    /// The cases, `*` in the place of every value that is the server's.
    pub id: String,
    /// How the client is set up.
    pub client: Setup,
    /// Whether it deliberately violates rules.
    pub misbehaves: bool,
    /// What it needs of the server before it shows anything.
    pub needs: Need,
    scenario: String,
    settings: Settings,
}

/// What a client needs of the server before it shows anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A group for which it sends no key share: it answers HelloRetryRequest.
    Retry,
    /// To be asked for its certificate.
    Request,
    /// To be asked, and that the same certificate without the defect is accepted.
    Acceptance,
}

/// What a probe is to play.
#[derive(Clone, Debug, Default)]
pub struct Plays {
    /// The clients, in the order in which they are played.
    pub plays: Vec<Play>,
    /// What is left out, and why.
    pub left_out: Vec<LeftOut>,
}

/// The scenarios that hold under the material's revision.
///
/// # Errors
///
/// What is wrong with a scenario.
pub fn scenarios(material: &Material) -> Result<Vec<Scenario>, Diagnostics> {
    let all = SCENARIOS
        .iter()
        .map(|(name, text)| parse(Path::new(name), text));
    let all: Vec<_> = all.collect::<Result<_, _>>()?;
    let of_revision = all.into_iter().filter(|it| it.is_of(material.revision));
    Ok(of_revision.collect())
}

/// The clients of these cases, each once. `has_identity`: whether the material's certificate for clients is one that
/// the user gave, of which the server may think well.
#[must_use]
pub fn plays(
    scenarios: &[Scenario],
    is_chosen: impl Fn(&Case) -> bool,
    material: &Material,
    has_identity: bool,
) -> Plays {
    let mut all = Plays::default();
    for scenario in scenarios {
        for case in scenario.cases.iter().filter(|case| is_chosen(case)) {
            if !is_of_client(case) {
                continue;
            }
            let varies = |name: &str| scenario.axes.iter().any(|axis| axis.name == name);
            if varies("client.certificate")
                && value(&case.settings, "client.certificate") == "present"
                && !has_identity
            {
                LeftOut::add(
                    &mut all.left_out,
                    WITHOUT_IDENTITY,
                    id(scenario, case, None),
                );
                continue;
            }
            for play in of_case(scenario, case, material, has_identity) {
                let is_new =
                    |other: &Play| !(other.client == play.client && other.needs == play.needs);
                if all.plays.iter().all(is_new) {
                    all.plays.push(play);
                }
            }
        }
    }
    all
}

/// Whether a case is one of those that the rest is held against: a client without certificate, with the flag or
/// without.
#[must_use]
pub fn is_baseline(case: &Case) -> bool {
    let scenario = case.id.scenario();
    scenario.strip_prefix("editors-copy-").unwrap_or(scenario) == "request-mtls"
        && value(&case.settings, "client.certificate") == "absent"
        && value(&case.settings, "client.flag") != "unset"
}

/// Whether a case shows something by its client alone.
fn is_of_client(case: &Case) -> bool {
    let is = |axis, wanted: &[&str]| wanted.contains(&value(&case.settings, axis));
    match case.id.scenario() {
        "certificates" => is("client.certificate", DEFECTS),
        "tls12" => is("client.versions", &["tls12"]),
        "post-handshake" => is("client.post-handshake-auth", &["offered"]),
        _ => true,
    }
}

fn of_case(scenario: &Scenario, case: &Case, material: &Material, has_identity: bool) -> Vec<Play> {
    let swept = if case.sweep { SWEPT } else { &[] };
    let swept = swept.iter().filter(|flag| **flag != material.flag);
    let needs = need(scenario, case);
    let jobs = case.jobs(material).take(1);
    let jobs = jobs.flat_map(|setups| {
        let sweeps = swept.clone().map(|flag| setups.sweeping(*flag));
        let sweeps: Vec<_> = sweeps.collect();
        if case.sweep { sweeps } else { vec![setups] }
    });
    let play = |setups: crate::scenario::Setups| {
        let mut client = setups.declared.client;
        let mut misbehaves = case.misbehaves(Side::Client);
        // The reference does not answer after the handshake: it offers to, and ends the connection if it is asked.
        if std::mem::take(&mut client.post_handshake_auth) {
            misbehaves = true;
            client.edits.push(Edit {
                message: Message::ClientHello,
                extension: ExtensionType::POST_HANDSHAKE_AUTH.0,
                data: Some(Hex(Vec::new())),
                last: false,
            });
        }
        // Where a case takes for granted what is not there, the client does without.
        if needs == Need::Nothing && !has_identity {
            client.identity = None;
        }
        Play {
            id: id(scenario, case, setups.swept),
            client,
            misbehaves,
            needs,
            scenario: scenario.id.clone(),
            settings: case.settings.clone(),
        }
    };
    jobs.map(play).collect()
}

fn need(scenario: &Scenario, case: &Case) -> Need {
    let accepted = [
        "certificate-verify",
        "encoding-certificate",
        "editors-copy-encoding-certificate",
    ];
    if accepted.contains(&scenario.id.as_str()) {
        Need::Acceptance
    } else if scenario.id == "certificates" {
        Need::Request
    } else if value(&case.settings, "server.groups") != "default" {
        Need::Retry
    } else {
        Need::Nothing
    }
}

/// The case's id with `*` for each value of the server's, and the flag if it is one of a sweep.
fn id(scenario: &Scenario, case: &Case, swept: Option<u16>) -> String {
    let values = scenario.axes.iter().map(|axis| match axis.side {
        Some(Side::Server) => "*",
        _ => value(&case.settings, axis.name),
    });
    let segments: Vec<_> = [&*scenario.id].into_iter().chain(values).collect();
    let id = segments.join("/");
    match swept {
        Some(flag) => format!("{id} (flag {flag})"),
        None => id,
    }
}

fn value(settings: &Settings, axis: &str) -> &'static str {
    let value = Axis::find(axis).and_then(|axis| settings.get(axis));
    value.map_or("", |value| value.name)
}

impl Play {
    /// How many connections it takes, one after the other.
    #[must_use]
    pub fn connections(&self) -> u32 {
        if self.client.resumption.is_some() {
            2
        } else {
            1
        }
    }

    /// The value of an axis.
    #[must_use]
    pub fn value(&self, axis: &str) -> &'static str {
        value(&self.settings, axis)
    }

    /// Whether it is of this scenario, or of the one that the editor's copy has in its place.
    #[must_use]
    pub fn is_of(&self, scenario: &str) -> bool {
        let own = self.scenario.strip_prefix("editors-copy-");
        own.unwrap_or(&self.scenario) == scenario
    }

    /// Whether the first ClientHello carries the request flag in well-formed `tls_flags`, and nothing else is edited.
    #[must_use]
    pub fn sets_flag(&self) -> bool {
        self.value("client.flag") == "set"
    }
}

#[cfg(test)]
mod tests {
    use reqmtls_contract::Revision;

    use super::*;
    use crate::scenario::{Certificates, Selector};

    fn all(revision: Revision, has_identity: bool) -> Plays {
        let material = Material {
            certificates: Certificates::generate().unwrap(),
            extension: 62,
            flag: 80,
            revision,
        };
        let scenarios = scenarios(&material).unwrap();
        plays(&scenarios, |_| true, &material, has_identity)
    }

    #[test]
    fn each_client_is_played_once_under_an_id_that_selects_its_cases() {
        for revision in Revision::ALL {
            let found = all(*revision, true);
            let material = Material {
                certificates: Certificates::generate().unwrap(),
                extension: 62,
                flag: 80,
                revision: *revision,
            };
            let scenarios = scenarios(&material).unwrap();
            let mut ids: Vec<_> = found.plays.iter().map(|play| &play.id).collect();
            for id in &ids {
                let pattern = id.split(" (").next().unwrap_or_default();
                Selector::parse(pattern, &scenarios).unwrap_or_else(|error| panic!("{error}"));
            }
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), count, "{ids:#?}");
            assert!(count >= 8, "{ids:#?}");
        }
    }

    #[test]
    fn without_an_identity_no_play_takes_trust_for_granted() {
        let found = all(Revision::Draft02, false);
        for play in &found.plays {
            let has_one = play.client.identity.is_some();
            assert_eq!(
                has_one,
                matches!(play.needs, Need::Request | Need::Acceptance),
                "{}",
                play.id
            );
        }
        assert_eq!(found.left_out.len(), 1);
        assert!(all(Revision::Draft02, true).left_out.is_empty());
    }

    #[test]
    fn every_value_of_the_encoding_is_played() {
        let found = all(Revision::Draft02, false);
        let encoding = found.plays.iter().filter(|play| play.is_of("encoding"));
        assert_eq!(encoding.count(), 10);
    }
}

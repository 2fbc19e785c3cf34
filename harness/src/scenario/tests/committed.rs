//! The committed scenarios.

use std::collections::BTreeSet;
use std::fs;

use reqmtls_contract::{Outcome, Policy};
use reqmtls_vocabulary::Side;

use super::super::{AXES, Known, PUBLISHED, SELF_TEST};
use super::*;
use crate::judge::Requested;

const VERSIONS: &str = "where both ends have TLS 1.3, the default selects it";
const GROUPS: &str =
    "one group of the server is enough for HelloRetryRequest, one of each end for a hybrid";
const SHOWN_BY_THE_CLIENT: &str = "one malformed value of each kind is enough in messages of the server: every way to \
                                   encode the flags is shown in ClientHello";

/// Values that no committed scenario uses, and why not. They are there for scenarios of others.
const UNUSED: &[(&str, &[&str], &str)] = &[
    ("client.versions", &["tls13"], VERSIONS),
    ("server.versions", &["tls13"], VERSIONS),
    (
        "client.groups",
        &["x25519", "secp256r1", "secp384r1"],
        GROUPS,
    ),
    ("server.groups", &["x25519", "secp256r1"], GROUPS),
    (
        "client.edit.value",
        &["removed"],
        "a ClientHello without the extension is that of `client.flag` = `unset`",
    ),
    (
        "server.edit.value",
        &[
            "request-and-unknown",
            "octets-255",
            "removed",
            "zero-length",
            "length-too-short",
            "length-too-long",
        ],
        SHOWN_BY_THE_CLIENT,
    ),
    (
        "server.edit.position",
        &["twice", "last"],
        SHOWN_BY_THE_CLIENT,
    ),
    (
        "server.edit.extension",
        &["other"],
        "an extension that the client does not know is that of `client.flag` = `unmodified`",
    ),
];

/// The scenario files below a folder, and the ids that they give.
fn files(folder: &Path) -> BTreeSet<(PathBuf, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let paths = entries.map(|entry| entry.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    let paths = paths.filter(|path| !path.ends_with(PUBLISHED));
    paths
        .map(|path| {
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (path, id)
        })
        .collect()
}

#[test]
fn every_file_is_read_and_those_of_the_folder_self_test_are_self_tests() {
    let loaded = |self_test| -> BTreeSet<_> {
        let all = committed().into_iter();
        let all = all.filter(|scenario| scenario.self_test == self_test);
        all.map(|scenario| scenario.id).collect()
    };
    let there =
        |folder: &Path| -> BTreeSet<_> { files(folder).into_iter().map(|(_, id)| id).collect() };
    assert_eq!(loaded(false), there(&folder()));
    assert_eq!(loaded(true), there(&folder().join(SELF_TEST)));
    assert!(loaded(true).len() > 1 && loaded(false).len() > 1);
}

#[test]
fn every_file_begins_with_its_schema() {
    for (prefix, folder) in [("./", folder()), ("../", folder().join(SELF_TEST))] {
        for (path, _) in files(&folder) {
            let text = fs::read_to_string(&path).unwrap();
            let line = format!("#:schema {prefix}scenario.schema.json\n");
            assert!(text.starts_with(&line), "{}", path.display());
        }
    }
}

#[test]
fn every_value_is_used_or_has_a_reason_why_not() {
    let scenarios = committed();
    let cases = || scenarios.iter().flat_map(|scenario| &scenario.cases);
    let mut unused = BTreeSet::new();
    for axis in AXES {
        let is_used = |value| cases().any(|case| case.settings.get(axis) == Some(value));
        let values = axis.values.iter().filter(|value| !is_used(value));
        unused.extend(values.map(|value| (axis.name, value.name)));
    }
    let mut listed = BTreeSet::new();
    for (axis, values, reason) in UNUSED {
        assert!(!reason.is_empty(), "{axis}");
        listed.extend(values.iter().map(|value| (*axis, *value)));
    }
    assert_eq!(unused, listed);
}

#[test]
fn the_ends_that_are_declared_to_misbehave_are_those_that_do() {
    for scenario in committed() {
        let cases = scenario.cases.iter();
        let ends: BTreeSet<Side> = cases.flat_map(|case| case.settings.misbehaving()).collect();
        let declared: BTreeSet<Side> = scenario.misbehaving.iter().copied().collect();
        assert_eq!(declared, ends, "{}", scenario.id);
    }
}

#[test]
fn ends_are_deliberately_misconfigured_in_self_tests_and_nowhere_else() {
    for scenario in committed() {
        for case in &scenario.cases {
            let faults = ["client.fault", "server.fault"].map(|axis| value(case, axis));
            assert_eq!(faults != ["none"; 2], scenario.self_test, "{}", case.id);
        }
    }
}

#[test]
fn malformed_values_have_a_control_where_the_well_formed_one_is_a_case() {
    let scenarios = committed();
    let encoding = scenarios.iter().find(|scenario| scenario.id == "encoding");
    for case in &encoding.expect("a scenario `encoding`").cases {
        let is_control = value(case, "client.edit.value") == "request";
        assert_eq!(case.control.is_none(), is_control, "{}", case.id);
    }
}

#[test]
fn the_known_deviations_fit_the_scenarios_and_the_peers() {
    let peers = folder().join("../peers");
    let folders: Vec<_> = fs::read_dir(peers)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    let peers_in = |folder: &Path| {
        let text = fs::read_to_string(folder.join("peer.toml")).ok()?;
        let manifest: toml_edit::DocumentMut = text.parse().unwrap();
        let variants = manifest
            .get("variant")
            .and_then(|it| it.as_array_of_tables());
        let variants = variants.into_iter().flatten().map(|it| it["name"].as_str());
        let names = std::iter::once(manifest["name"].as_str()).chain(variants);
        Some(
            names
                .map(|name| name.unwrap().to_owned())
                .collect::<Vec<_>>(),
        )
    };
    let named: Vec<_> = folders
        .iter()
        .filter_map(|it| Some((it, peers_in(it)?)))
        .collect();
    let peers = named
        .iter()
        .map(|(folder, names)| (folder.as_path(), names.iter().map(String::as_str).collect()));
    let known = Known::load(&peers.collect(), &committed());
    assert!(!known.unwrap_or_else(|error| panic!("{error}")).is_empty());
}

fn core() -> Scenario {
    parse(Path::new("request-mtls.toml"), CORE).unwrap()
}

#[test]
fn the_core_scenario_refuses_who_is_required_to_have_a_certificate_and_has_none() {
    let scenario = core();
    assert_eq!(scenario.cases.len(), 30);
    let cases = scenario.cases.iter();
    let refused = cases.filter(|case| !case.expected.allows(Outcome::Completed));
    let ids: Vec<_> = refused.map(|case| case.id.values()).collect();
    assert_eq!(
        ids,
        [
            "unmodified/absent/require",
            "unset/absent/require",
            "set/absent/require",
            "set/absent/require-on-flag",
        ]
    );
}

#[test]
fn in_the_core_scenario_who_is_asked_and_has_a_certificate_is_authenticated() {
    for case in core().cases {
        let policy: Policy = value(&case, "server.policy").parse().unwrap();
        let asked = policy.requests(value(&case, "client.flag") == "set");
        let present = value(&case, "client.certificate") == "present";
        let requested = case.expected.certificate_request == Requested::Yes;
        assert_eq!(requested, asked, "{}", case.id);
        let authenticated = case.expected.authenticated;
        assert_eq!(authenticated, Some(asked && present), "{}", case.id);
    }
}

//! From a file's text to its cases.

use reqmtls_contract::{Outcome, Revision};
use reqmtls_vocabulary::{AlertDescription, Side};

use super::super::{CaseId, Excluded, Pairings};
use super::*;
use crate::judge::requirement::Id;
use crate::judge::{Expected, Requested};

fn sound(more: &str) -> Scenario {
    some(&format!("{more}{SOUND}"))
}

fn ids(ids: &[&str]) -> Vec<Id> {
    let find = |id: &&str| Id::find(id).expect("a requirement");
    ids.iter().map(find).collect()
}

#[test]
fn a_case_is_named_by_its_values_and_the_last_axis_varies_fastest() {
    let scenario = sound("");
    let ids: Vec<_> = scenario.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "some/unset/never",
            "some/unset/request",
            "some/set/never",
            "some/set/request",
        ]
    );
    let axes: Vec<_> = scenario.axes.iter().map(|axis| axis.name).collect();
    assert_eq!(axes, ["client.flag", "server.policy"]);
    let case = case(&scenario, "set/never");
    let values = (value(case, "client.flag"), value(case, "server.policy"));
    assert_eq!(values, ("set", "never"));
}

#[test]
fn axes_that_are_not_named_have_their_default() {
    for case in sound("").cases {
        assert_eq!(value(&case, "client.versions"), "both");
        assert_eq!(value(&case, "client.certificate"), "absent");
    }
}

#[test]
fn setup_holds_for_every_case() {
    let fixed = SOUND.replace("cipher = \"default\"", "\"client.groups\" = \"x25519\"");
    let scenario = some(&fixed);
    assert_eq!(scenario.cases.len(), 4);
    for case in &scenario.cases {
        assert_eq!(value(case, "client.groups"), "x25519");
        assert_eq!(value(case, "server.groups"), "default");
    }
}

#[test]
fn a_scenario_holds_for_the_draft_unless_it_says_otherwise() {
    assert_eq!(sound("").revisions, [Revision::Draft02]);
    let both = sound("revision = [\"draft-02\", \"editors-copy\"]\nabout = \"Both.\"\n");
    assert_eq!(both.revisions, [Revision::Draft02, Revision::EditorsCopy]);
    assert_eq!(both.about.as_deref(), Some("Both."));
    assert!(both.is_of(Revision::EditorsCopy) && !sound("").is_of(Revision::EditorsCopy));
}

#[test]
fn every_pair_runs_unless_the_file_says_otherwise() {
    let scenario = sound("");
    assert_eq!(scenario.pairings, Pairings::Every);
    let scenario = sound("pairings = \"with-reference\"\n");
    assert_eq!(scenario.pairings, Pairings::WithReference);
    for case in &scenario.cases {
        assert_eq!(case.pairings, Pairings::WithReference);
    }
}

#[test]
fn a_scenario_in_the_folder_self_test_is_one() {
    for (path, expected) in [
        ("self-test/some.toml", true),
        ("scenarios/self-test/some.toml", true),
        ("self-test.toml", false),
        ("self-test/more/some.toml", false),
    ] {
        let scenario = parse(Path::new(path), SOUND).unwrap();
        assert_eq!(scenario.self_test, expected, "{path}");
        assert!(scenario.cases.iter().all(|case| case.self_test == expected));
    }
}

const EDITS: &str = r#"
title = "Edits"
document = "RFC 9846"
misbehaving = "client"

[axes]
"client.edit.value" = ["request", "all-zero", "unknown"]
"server.policy" = ["never", "request"]

[setup]
"client.edit.message" = "client-hello"

[[exclude]]
when = { "client.edit.value" = "request", "server.policy" = "request" }
reason = "an example"

[[expect]]
certificate_request = "any"
outcome = "completed"
authenticated = false
because = ["TLS-13"]
"#;

#[test]
fn the_control_of_an_edited_value_is_the_case_with_the_well_formed_one() {
    let scenario = some(EDITS);
    let control = |values| case(&scenario, values).control.as_ref().map(CaseId::as_str);
    assert_eq!(control("all-zero/never"), Some("some/request/never"));
    assert_eq!(control("unknown/never"), Some("some/request/never"));
}

#[test]
fn a_case_with_the_well_formed_value_and_one_whose_control_is_excluded_have_no_control() {
    let scenario = some(EDITS);
    assert_eq!(case(&scenario, "request/never").control, None);
    assert_eq!(case(&scenario, "all-zero/request").control, None);
    assert!(sound("").cases.iter().all(|case| case.control.is_none()));
}

#[test]
fn the_ends_that_misbehave_follow_from_the_values_of_each_case() {
    let text = EDITS
        .replace(
            "\"client.edit.value\" = [\"request\", \"all-zero\", \"unknown\"]",
            "\"server.edit.message\" = [\"none\", \"certificate\"]",
        )
        .replace(
            "\"client.edit.value\" = \"request\"",
            "\"server.edit.message\" = \"none\"",
        )
        .replace(
            "misbehaving = \"client\"",
            "misbehaving = [\"client\", \"server\"]",
        );
    let scenario = some(&text);
    assert_eq!(scenario.misbehaving, [Side::Client, Side::Server]);
    assert_eq!(case(&scenario, "none/never").misbehaving, [Side::Client]);
    let both = case(&scenario, "certificate/never");
    assert_eq!(both.misbehaving, [Side::Client, Side::Server]);
    assert!(
        both.misbehaves(Side::Server) && !case(&scenario, "none/never").misbehaves(Side::Server)
    );
}

#[test]
fn exclusions_are_listed_with_their_reason() {
    let more = "\n[[exclude]]\nwhen = { \"client.flag\" = \"set\", \"server.policy\" = \"never\" }\n\
                reason = \"no server looks at it\"\n";
    let scenario = some(&format!("{SOUND}{more}"));
    assert_eq!(scenario.cases.len(), 3);
    let excluded = Excluded {
        id: CaseId::new("some", ["set", "never"]),
        reason: "no server looks at it".to_owned(),
    };
    assert_eq!(scenario.excluded, [excluded]);
}

#[test]
fn expectations_that_agree_are_merged() {
    let more =
        "\n[[expect]]\nauthenticated = false\nbecause = [\"RM-2\", \"TLS-2\"]\nnote = \"always\"\n";
    let scenario = some(&format!("{SOUND}{more}"));
    let expected = Expected {
        certificate_request: Requested::No,
        outcomes: vec![Outcome::Completed],
        alerts: vec![],
        refused_by: Side::Server,
        authenticated: Some(false),
        resumed: None,
        violates: vec![],
        because: ids(&["RM-2", "TLS-2"]),
        notes: vec!["always".to_owned()],
        lines: vec![11, 25],
    };
    assert_eq!(scenario.cases[0].expected, expected);
}

#[test]
fn what_several_expectations_say_is_violated_adds_up() {
    let more = "\n[[expect]]\nviolates = [\"TF-2\"]\nbecause = [\"TF-2\"]\n\
                \n[[expect]]\nwhen = { \"client.edit.value\" = \"all-zero\" }\n\
                violates = [\"TF-1\", \"TF-2\"]\nbecause = [\"TF-1\"]\n";
    let scenario = some(&format!("{EDITS}{more}"));
    let violates = |values| case(&scenario, values).expected.violates.clone();
    assert_eq!(violates("request/never"), ids(&["TF-2"]));
    assert_eq!(violates("all-zero/never"), ids(&["TF-2", "TF-1"]));
}

#[test]
fn a_refused_client_is_not_authenticated_and_alerts_have_no_order() {
    let refused = "outcome = \"refused\"\nalert = [\"unknown_ca\", \"bad_certificate\"]";
    let never = SOUND.replacen("outcome = \"completed\"\nauthenticated = false", refused, 1);
    let more = "\n[[expect]]\nwhen = { \"server.policy\" = \"never\" }\n\
                alert = [\"bad_certificate\", \"unknown_ca\"]\nbecause = [\"TLS-5\"]\n";
    let scenario = some(&format!("{never}{more}"));
    let expected = &scenario.cases[0].expected;
    let alerts = [
        AlertDescription::BAD_CERTIFICATE,
        AlertDescription::UNKNOWN_CA,
    ];
    assert_eq!(expected.alerts, alerts);
    assert_eq!(expected.authenticated, Some(false));
}

#[test]
fn words_stand_for_what_no_document_decides() {
    let open = SOUND
        .replacen(
            "certificate_request = false",
            "certificate_request = \"any\"",
            1,
        )
        .replacen("authenticated = false", "authenticated = \"any\"", 1)
        .replacen(
            "outcome = \"completed\"",
            "outcome = [\"refused\", \"completed\"]\nalert = [\"access_denied\"]\n\
             refused_by = \"client\"\nresumed = true",
            1,
        );
    let scenario = some(&open);
    let expected = &scenario.cases[0].expected;
    assert_eq!(expected.certificate_request, Requested::Any);
    assert_eq!(expected.authenticated, None);
    assert_eq!(expected.outcomes, [Outcome::Completed, Outcome::Refused]);
    assert_eq!(expected.refused_by, Side::Client);
    assert_eq!(expected.resumed, Some(true));
    let on_flag = SOUND.replacen(
        "certificate_request = true",
        "certificate_request = \"on-flag\"",
        1,
    );
    let expected = &some(&on_flag).cases[1].expected;
    assert_eq!(expected.certificate_request, Requested::OnFlag);
}

#[test]
fn tables_in_braces_are_tables_too() {
    let text = r#"
title = "In braces"
document = "RFC 9846"
axes = { cipher = ["default"] }
expect = [
    { certificate_request = false, because = ["TLS-2"] },
    { outcome = "completed", authenticated = false, because = ["TLS-2"] },
]
"#;
    let scenario = parse(Path::new("in-braces.toml"), text).unwrap();
    assert_eq!(scenario.cases.len(), 1);
    assert_eq!(scenario.cases[0].id.as_str(), "in-braces/default");
    assert_eq!(scenario.cases[0].expected.lines, [6, 7]);
}

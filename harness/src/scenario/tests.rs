use std::path::Path;

use super::*;

const CORE: &str = include_str!("../../../scenarios/request-mtls.toml");

fn errors(text: &str) -> String {
    match parse(Path::new("some.toml"), text) {
        Ok(scenario) => panic!("got {} cases, expected errors", scenario.cases.len()),
        Err(errors) => errors.to_string(),
    }
}

fn changed(from: &str, to: &str) -> String {
    assert!(CORE.contains(from), "{from}");
    errors(&CORE.replacen(from, to, 1))
}

#[track_caller]
fn assert_says(errors: &str, parts: &[&str]) {
    for part in parts {
        assert!(errors.contains(part), "expected {part:?} in\n{errors}");
    }
}

#[test]
fn the_core_scenario_has_twenty_cases() {
    let scenario = parse(Path::new("request-mtls.toml"), CORE).unwrap();
    assert_eq!(scenario.cases.len(), 20);
    let refused = scenario
        .cases
        .iter()
        .filter(|case| case.expected.outcome == Outcome::Refused);
    let ids: Vec<_> = refused.map(|case| case.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "request-mtls/unset/absent/require",
            "request-mtls/set/absent/require",
            "request-mtls/set/absent/require-on-flag",
        ]
    );
}

#[test]
fn names_line_column_and_nearest_word_of_an_unknown_key() {
    assert_says(
        &changed("title =", "titel ="),
        &[
            "unknown key `titel`",
            "some.toml:3:1",
            "did you mean `title`?",
        ],
    );
}

#[test]
fn names_the_nearest_value_alert_and_requirement() {
    assert_says(
        &changed("\"never\",", "\"nevre\","),
        &[
            "unknown value of `server.policy`: `nevre`",
            "did you mean `never`?",
        ],
    );
    assert_says(
        &changed("\"bad_certificate\"", "\"bad_certificat\""),
        &["unknown alert", "did you mean `bad_certificate`?"],
    );
    assert_says(
        &changed("\"RM-5\"", "\"RM-6\""),
        &["unknown requirement `RM-6`", "did you mean `RM-5`?"],
    );
    assert_says(
        &changed(
            "draft-jhoyla-req-mtls-flag-00",
            "draft-jhoyla-req-mtls-flag-0",
        ),
        &["unknown document"],
    );
}

#[test]
fn a_wrong_type_names_what_was_got_and_expected() {
    assert_says(
        &changed("authenticated = false", "authenticated = 0"),
        &["`authenticated`: got integer, expected true or false"],
    );
}

#[test]
fn an_uncovered_case_is_named() {
    let errors = changed(
        "when = { \"server.policy\" = \"never\" }",
        "when = { \"server.policy\" = \"never\", \"client.flag\" = \"set\" }",
    );
    assert_says(
        &errors,
        &[
            "no expectation says",
            "some/unset/absent/never, some/unset/present/never",
        ],
    );
}

#[test]
fn a_contradiction_points_at_both_places() {
    let more = "\n[[expect]]\nwhen = { \"server.policy\" = \"never\" }\ncertificate_request = true\nbecause = [\"RM-2\"]\n";
    let errors = errors(&format!("{CORE}{more}"));
    assert_says(
        &errors,
        &[
            "contradict each other: certificate_request of some/unset/absent/never",
            "here is one value",
            "and here is another value",
        ],
    );
}

#[test]
fn an_alert_without_a_refusal_is_impossible_and_so_is_the_reverse() {
    let errors = changed(
        "outcome = \"completed\"",
        "outcome = \"completed\"\nalert = [\"bad_certificate\"]",
    );
    assert_says(&errors, &["`alert` beside `outcome = \"completed\"`"]);
    assert_says(
        &changed("outcome = \"completed\"", "outcome = \"refused\""),
        &["without `alert`"],
    );
}

#[test]
fn an_expectation_for_no_case_is_an_error() {
    let more = "\n[[expect]]\nwhen = { \"server.policy\" = [] }\nbecause = [\"RM-2\"]\n";
    assert_says(
        &errors(&format!("{CORE}{more}")),
        &["`server.policy` has no values"],
    );
}

#[test]
fn an_empty_file_names_what_a_scenario_needs() {
    assert_says(
        &errors(""),
        &["no `title` in this scenario", "no `axes`", "no `expect`"],
    );
}

#[test]
fn a_syntax_error_keeps_its_place() {
    assert_says(&changed("[axes]", "[axes"), &["some.toml:6:6"]);
}

#[test]
fn a_duplicate_value_of_an_axis_is_an_error() {
    assert_says(
        &changed("[\"unset\", \"set\"]", "[\"unset\", \"unset\"]"),
        &["stands there twice"],
    );
}

proptest::proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,400}") {
        drop(parse(Path::new("some.toml"), &text));
    }

    #[test]
    fn a_damaged_scenario_never_panics(cut in 0..CORE.len(), with in ".{0,3}") {
        if CORE.is_char_boundary(cut) {
            drop(parse(Path::new("some.toml"), &format!("{}{with}{}", &CORE[..cut], &CORE[cut..].get(1..).unwrap_or_default())));
        }
    }
}

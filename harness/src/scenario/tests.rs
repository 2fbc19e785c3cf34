use std::path::Path;

use reqmtls_contract::Revision;

use super::*;

const CORE: &str = include_str!("../../../scenarios/request-mtls.toml");
const SOUND: &str = include_str!("mistakes/sound.toml");

fn core() -> Scenario {
    parse(Path::new("request-mtls.toml"), CORE).unwrap()
}

fn sound(more: &str) -> Scenario {
    parse(Path::new("some.toml"), &format!("{more}{SOUND}")).unwrap()
}

#[test]
fn the_core_scenario_has_twenty_cases() {
    let scenario = core();
    assert_eq!(scenario.cases.len(), 20);
    let refused = scenario
        .cases
        .iter()
        .filter(|case| !case.expected.allows(Outcome::Completed));
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
fn who_is_asked_and_has_a_certificate_is_authenticated() {
    for case in core().cases {
        let policy = case.settings.server_policy;
        let flagged = case.settings.client_flag == Flag::Set;
        let asked = policy != Policy::Never && (flagged || !policy.is_on_flag());
        let present = case.settings.client_certificate == Certificate::Present;
        let requested = case.expected.certificate_request == Requested::Yes;
        assert_eq!(requested, asked, "{}", case.id);
        let authenticated = case.expected.authenticated;
        assert_eq!(authenticated, Some(asked && present), "{}", case.id);
    }
}

#[test]
fn cases_are_unique_and_named_by_their_values() {
    let scenario = core();
    for case in &scenario.cases {
        let values = scenario
            .axes
            .iter()
            .map(|axis| case.settings.get(axis).unwrap().name);
        let segments: Vec<_> = [scenario.id.as_str()].into_iter().chain(values).collect();
        assert_eq!(case.id, segments.join("/"));
        assert_eq!(
            scenario
                .cases
                .iter()
                .filter(|other| other.id == case.id)
                .count(),
            1
        );
    }
}

#[test]
fn axes_that_are_not_named_have_their_default() {
    for case in core().cases {
        assert_eq!(case.settings.client_versions, Versions::Both);
        assert_eq!(case.settings.cipher, Cipher::Default);
    }
}

#[test]
fn setup_holds_for_every_case() {
    let fixed = SOUND.replace("cipher = \"default\"", "\"client.groups\" = \"x25519\"");
    let scenario = parse(Path::new("some.toml"), &fixed).unwrap();
    assert_eq!(scenario.cases.len(), 4);
    for case in scenario.cases {
        assert_eq!(case.settings.client_groups, Groups::X25519);
        assert_eq!(case.settings.server_groups, Groups::Default);
    }
}

#[test]
fn a_scenario_holds_for_the_first_revision_unless_it_says_otherwise() {
    assert_eq!(sound("").revisions, [Revision::Draft02]);
    assert_eq!(
        sound("revision = \"rca\"\n").revisions,
        [Revision::EditorsCopy]
    );
    let both = sound("revision = [\"rm\", \"rca\"]\nabout = \"Both.\"\n");
    assert_eq!(both.revisions, [Revision::Draft02, Revision::EditorsCopy]);
    assert_eq!(both.about.as_deref(), Some("Both."));
}

#[test]
fn exclusions_are_kept_with_their_reason() {
    let more = "\n[[exclude]]\nwhen = { \"client.flag\" = \"set\", \"server.policy\" = \"never\" }\n\
                reason = \"nobody listens\"\n";
    let scenario = parse(Path::new("some.toml"), &format!("{SOUND}{more}")).unwrap();
    assert_eq!(scenario.cases.len(), 3);
    let excluded = Excluded {
        id: "some/set/never".to_owned(),
        reason: "nobody listens".to_owned(),
    };
    assert_eq!(scenario.excluded, [excluded]);
}

#[test]
fn expectations_that_agree_are_merged() {
    let more =
        "\n[[expect]]\nauthenticated = false\nbecause = [\"RM-2\", \"TLS-2\"]\nnote = \"always\"\n";
    let scenario = parse(Path::new("some.toml"), &format!("{SOUND}{more}")).unwrap();
    let expected = Expected {
        certificate_request: Requested::No,
        outcomes: vec![Outcome::Completed],
        alerts: vec![],
        refused_by: End::Server,
        authenticated: Some(false),
        resumed: None,
        breaks: vec![],
        because: vec!["RM-2", "TLS-2"],
        notes: vec!["always".to_owned()],
        lines: vec![11, 25],
    };
    assert_eq!(scenario.cases[0].expected, expected);
}

#[test]
fn a_refused_client_is_not_authenticated_and_alerts_have_no_order() {
    let refused = "outcome = \"refused\"\nalert = [\"unknown_ca\", \"bad_certificate\"]";
    let never = SOUND.replacen("outcome = \"completed\"\nauthenticated = false", refused, 1);
    let more = "\n[[expect]]\nwhen = { \"server.policy\" = \"never\" }\n\
                alert = [\"bad_certificate\", \"unknown_ca\"]\nbecause = [\"TLS-5\"]\n";
    let scenario = parse(Path::new("some.toml"), &format!("{never}{more}")).unwrap();
    let expected = &scenario.cases[0].expected;
    let names: Vec<_> = expected.alerts.iter().map(|alert| alert.name).collect();
    assert_eq!(names, ["bad_certificate", "unknown_ca"]);
    assert_eq!(expected.authenticated, Some(false));
}

#[test]
fn tables_in_braces_are_tables_too() {
    let text = r#"
title = "In braces"
document = "RFC 8446"
axes = { cipher = ["default"] }
expect = [
    { certificate_request = false, because = ["TLS-2"] },
    { outcome = "completed", authenticated = false, because = ["TLS-2"] },
]
"#;
    let scenario = parse(Path::new("in-braces.toml"), text).unwrap();
    assert_eq!(scenario.cases.len(), 1);
    assert_eq!(scenario.cases[0].id, "in-braces/default");
    assert_eq!(scenario.cases[0].expected.lines, [6, 7]);
}

#[test]
fn the_page_on_scenarios_shows_a_sound_one() {
    let page = include_str!("../../../scenarios/README.md");
    let examples: Vec<_> = page.split("```toml\n").skip(1).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let (text, _) = example.split_once("```").unwrap();
        let read = parse(Path::new("example.toml"), text);
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

#[test]
fn the_page_on_scenarios_names_every_key() {
    let page = include_str!("../../../scenarios/README.md");
    let keys = file::KEYS
        .iter()
        .chain(&file::EXPECT_KEYS)
        .chain(&file::EXCLUDE_KEYS);
    for key in keys {
        assert!(page.contains(&format!("| `{key}` |")), "{key}");
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,400}") {
        drop(parse(Path::new("some.toml"), &text).map_err(|wrong| wrong.to_string()));
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let text = String::from_utf8_lossy(&octets);
        drop(parse(Path::new("some.toml"), &text).map_err(|wrong| wrong.to_string()));
    }

    #[test]
    fn a_damaged_scenario_never_panics(from in 0..CORE.len(), octets in 0..40_usize, with in ".{0,6}") {
        let mut text = CORE.to_owned();
        let until = text.ceil_char_boundary((from + octets).min(text.len()));
        text.replace_range(text.floor_char_boundary(from)..until, &with);
        drop(parse(Path::new("some.toml"), &text).map_err(|wrong| wrong.to_string()));
    }

    #[test]
    fn shuffled_lines_never_panic(seed in proptest::collection::vec(0..80_usize, 0..80)) {
        let lines: Vec<_> = CORE.lines().collect();
        let text: Vec<_> = seed.iter().map(|index| lines[index % lines.len()]).collect();
        drop(parse(Path::new("some.toml"), &text.join("\n")).map_err(|wrong| wrong.to_string()));
    }
}

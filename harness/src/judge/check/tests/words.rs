//! What rulings and findings read like, and which rulings there are.

use reqmtls_observer::Epoch;

use super::scene::{CLIENT, SERVER, Scene, asked, complete, extension, flag, other};
use crate::judge::requirement::{self, Check, Document};
use crate::judge::ruling::Ruling;

fn finding(scene: &Scene, id: &str) -> String {
    let rulings = scene.rulings_of(id);
    let findings: Vec<_> = rulings.iter().filter_map(Ruling::finding).collect();
    let [finding] = &findings[..] else {
        panic!("{findings:?}")
    };
    finding.to_string()
}

fn unsolicited() -> Scene {
    let scene = Scene::new()
        .hello(&[])
        .server_hello(&[extension(0x7777, &[])]);
    scene.known(|it| it.server.misbehaves = true)
}

#[test]
fn a_finding_says_what_was_observed_and_what_was_expected() {
    let scene = unsolicited().encrypted(&[]).server_authenticated();
    let rulings = scene.client_flight(None).rulings_of("TLS-7");
    let texts: Vec<_> = rulings
        .iter()
        .filter_map(Ruling::finding)
        .map(|it| it.to_string())
        .collect();
    assert_eq!(
        texts,
        [
            "0x7777 in ServerHello, which was not asked for; expected only extensions that were asked for (TLS-7)",
            "client continued; expected alert unsupported_extension(110) (TLS-7)",
        ]
    );
}

#[test]
fn a_finding_names_the_alert_that_was_sent_and_the_one_that_was_expected() {
    let zeros = Scene::new().hello(&super::scene::tls_flags(&[1, 0]));
    assert_eq!(
        finding(&zeros.clone().server_refuses(50), "TF-3"),
        "server sent decode_error(50); expected alert illegal_parameter(47) (TF-3)"
    );
    assert_eq!(
        finding(&zeros.ends(SERVER), "TF-3"),
        "server ended without an alert; expected alert illegal_parameter(47) (TF-3)"
    );
}

#[test]
fn a_ruling_names_the_message_that_shows_it() {
    let scene = Scene::new().hello(&flag()).server_flight(Some(&[]));
    let scene = scene.client_flight(Some(0)).server_sends(116);
    let rulings = scene.rulings_of("TLS-4");
    let line = "S  [Alert]               fatal certificate_required(116)";
    assert_eq!(rulings[0].message.as_deref(), Some(line));
    assert_eq!(
        rulings[0].to_string(),
        "TLS-4, server: server sent certificate_required(116), as TLS-4 says; RM-3 says otherwise"
    );
}

#[test]
fn what_the_wire_does_not_show_is_not_claimed() {
    let got = |scene: &Scene, id| scene.rulings_of(id)[0].got.clone();
    let chain = asked().client_flight(Some(1)).server_sends(40);
    assert_eq!(
        got(&chain, "TLS-5"),
        "server sent handshake_failure(40), consistent with refusing the chain"
    );
    let acknowledged = Scene::new()
        .rca()
        .hello(&flag())
        .server_flight(Some(&flag()));
    assert_eq!(
        got(&acknowledged.ends(CLIENT), "RCA-4"),
        "client ended without an alert, consistent with anticipating certificate_required(116)"
    );
    let unknown = Scene::new().hello(&other()).server_refuses(47);
    assert_eq!(
        got(&unknown, "TF-8"),
        "server sent illegal_parameter(47) after ClientHello, consistent with refusing flags that it does not know"
    );
}

#[test]
fn a_document_at_fault_makes_no_cell_deviate() {
    let early_data = [&[extension(42, &[])], &flag()[..]].concat();
    let scene = Scene::new().psk_hellos(&early_data, &[]);
    let finding = scene.rulings_of("TF-13")[0].finding().unwrap();
    assert!(!finding.counts());
    assert_eq!(
        finding.to_string(),
        "the flag with early_data, which draft-jhoyla-req-mtls-flag-00 says nothing about; expected a definition of \
         the flag's interaction with 0-RTT (TF-13)"
    );
}

#[test]
fn each_revision_has_its_own_rules() {
    let scene = || {
        Scene::new()
            .hello(&flag())
            .server_flight(Some(&[]))
            .client_flight(Some(0))
    };
    let documents = |scene: &Scene| {
        let rulings = scene.rulings();
        assert!(rulings.is_sorted_by_key(|ruling| ruling.requirement));
        let has = |document| {
            rulings
                .iter()
                .any(|it| it.requirement.get().document() == document)
        };
        Document::ALL.iter().map(|it| has(*it)).collect::<Vec<_>>()
    };
    assert_eq!(documents(&scene()), [true, false, true, true]);
    assert_eq!(documents(&scene().rca()), [false, true, true, true]);
}

#[test]
fn only_what_no_wire_shows_is_unobservable() {
    let unobservable = requirement::all().filter_map(|row| match row.check {
        Check::Observed(_) => None,
        Check::Unobservable(why) => Some((row.id, why)),
    });
    let found: Vec<_> = unobservable.collect();
    assert!(
        matches!(found[..], [("RCA-9", one), ("RCA-12", two)] if !one.is_empty() && !two.is_empty()),
        "{found:?}"
    );
}

#[test]
fn an_empty_connection_shows_nothing() {
    assert_eq!(Scene::new().rulings(), []);
    assert_eq!(Scene::new().ends(SERVER).rulings(), []);
}

#[test]
fn nothing_of_tls_13_is_judged_in_tls_12() {
    let scene = Scene::new().hello(&flag()).server_hello12(&[]).request12();
    let scene = scene.certificate(CLIENT, Epoch::Plaintext, 1, &[]);
    let scene = scene
        .finished(CLIENT, Epoch::Application)
        .finished(SERVER, Epoch::Application);
    let ids: Vec<_> = scene
        .rulings()
        .iter()
        .map(|it| it.requirement.to_string())
        .collect();
    assert_eq!(ids, ["TF-9", "TLS-11"]);
}

#[test]
fn a_connection_as_all_documents_want_it_has_no_findings() {
    let offers = [
        extension(10, &[]),
        extension(13, &[]),
        extension(51, &[0, 0]),
    ];
    let hello = [&offers[..], &flag()].concat();
    let scene = Scene::new()
        .hello(&hello)
        .server_hello(&[extension(51, &[0])]);
    let scene = scene
        .encrypted(&[extension(10, &[])])
        .request(Epoch::Handshake, &[]);
    let scene = scene
        .server_authenticated()
        .client_flight(Some(1))
        .completed();
    let rulings = scene.rulings();
    let findings: Vec<_> = rulings.iter().filter_map(Ruling::finding).collect();
    assert_eq!(findings, []);
    assert!(rulings.len() > 10, "{rulings:?}");
    assert_eq!(
        complete(&hello, None)
            .rulings()
            .iter()
            .filter_map(Ruling::finding)
            .count(),
        0
    );
}

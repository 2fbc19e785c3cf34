//! The table, and what a ruling looks like.

use super::super::{CHECKS, Check};
use super::scene::{CLIENT, FLAG, SERVER, Scene, tls_flags};
use crate::conformance::requirement::{self, Document};
use reqmtls_observer::Epoch;

#[test]
fn every_requirement_has_a_check_in_order() {
    let ids: Vec<_> = CHECKS.iter().map(|(id, _)| *id).collect();
    let wanted: Vec<_> = requirement::all().iter().map(|row| row.id).collect();
    assert_eq!(ids, wanted);
}

#[test]
fn only_what_no_wire_shows_is_unobservable() {
    let unobservable = CHECKS.iter().filter_map(|(id, check)| match check {
        Check::Observed(_) => None,
        Check::Unobservable(why) => Some((*id, *why)),
    });
    let found: Vec<_> = unobservable.collect();
    assert!(
        matches!(found[..], [("RCA-9", why)] if !why.is_empty()),
        "{found:?}"
    );
}

fn refused() -> Scene {
    Scene::new()
        .hello(&tls_flags(FLAG))
        .server_flight(Some(&[]))
        .client_flight(Some(0))
        .data(CLIENT)
        .alert(SERVER, Epoch::Application, 116)
}

#[test]
fn each_revision_has_its_own_rules() {
    let documents = |scene: &Scene| {
        let rulings = scene.rulings();
        assert!(rulings.is_sorted_by_key(|ruling| ruling.requirement.document));
        let has = |document| rulings.iter().any(|it| it.requirement.document == document);
        Document::ALL.iter().map(|it| has(*it)).collect::<Vec<_>>()
    };
    assert_eq!(documents(&refused()), [true, false, true, true]);
    assert_eq!(documents(&refused().rca()), [false, true, true, true]);
}

#[test]
fn a_ruling_names_the_message_that_shows_it() {
    let ruling = refused().ruling("TLS-4");
    let line = "S  [Alert]               fatal certificate_required(116)";
    assert_eq!(ruling.message.as_deref(), Some(line));
    let text = "TLS-4: certificate_required(116) from the server follows TLS-4 against RM-3";
    assert_eq!(ruling.to_string(), text);
}

#[test]
fn an_empty_connection_shows_nothing() {
    assert_eq!(Scene::new().rulings(), []);
}

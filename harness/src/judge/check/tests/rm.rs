//! The request mTLS flag, draft-02.

use reqmtls_contract::Policy;
use reqmtls_observer::Epoch;

use super::examples::{Example, Kind::*, examples};
use super::scene::{CLIENT, FLAG, SERVER, Scene, complete, flag, other};
use crate::judge::finding::Party;

/// A client with the flag, or without it, that sends an empty Certificate.
fn absent(is_set: bool) -> Scene {
    let hello = if is_set { flag() } else { Vec::new() };
    Scene::new()
        .hello(&hello)
        .server_flight(Some(&[]))
        .client_flight(Some(0))
}

fn resumed() -> Scene {
    let scene = Scene::new().psk_hellos(&flag(), &[]);
    let scene = scene.finished(SERVER, Epoch::Handshake);
    scene.client_flight(None).completed()
}

fn tls12() -> Scene {
    let scene = Scene::new().hello(&flag()).server_hello12(&flag());
    scene
        .policy(Policy::RequestOnFlag)
        .finished(SERVER, Epoch::Application)
}

fn on_flag(hello: &[reqmtls_observer::Extension], asks: bool) -> Scene {
    complete(hello, asks.then_some(&[])).policy(Policy::RequestOnFlag)
}

/// The flag in a message of the server.
fn flag_in_request() -> Scene {
    complete(&flag(), Some(&flag()))
}

fn flag_in_certificate() -> Scene {
    let scene = Scene::new().hello(&flag()).server_flight(Some(&[]));
    scene.certificate(CLIENT, Epoch::Handshake, 1, &flag())
}

examples! {
    a_server_that_asks_a_client_with_the_flag_is_reported:
        "RM-1" Server Informational => complete(&flag(), Some(&[]));
    a_server_that_does_not_ask_a_client_with_the_flag_is_reported:
        "RM-1" Server Informational => complete(&flag(), None);
    rm_1_says_nothing_of_a_client_without_the_flag:
        "RM-1" Server Silent => complete(&other(), Some(&[]));
    rm_1_says_nothing_of_a_resumed_session:
        "RM-1" Server Silent => resumed();
    rm_1_says_nothing_of_tls_12:
        "RM-1" Server Silent => tls12();

    a_request_without_the_flag_is_reported:
        "RM-2" Server Informational => complete(&[], Some(&[]));
    the_flag_without_a_request_is_reported:
        "RM-2" Server Informational => complete(&flag(), None);
    rm_2_says_nothing_where_flag_and_request_go_together:
        "RM-2" Server Silent => complete(&flag(), Some(&[]));
    rm_2_says_nothing_where_there_is_neither:
        "RM-2" Server Silent => complete(&[], None);
    rm_2_says_nothing_of_tls_12:
        "RM-2" Server Silent => tls12();

    bad_certificate_for_an_absent_certificate_follows_rm_3:
        "RM-3" Server Follows("TLS-4") => absent(true).server_sends(42);
    certificate_required_for_an_absent_certificate_follows_tls_4:
        "RM-3" Server Yields("TLS-4") => absent(true).server_sends(116);
    another_alert_for_an_absent_certificate_is_reported_by_rm_3:
        "RM-3" Server Informational => absent(true).server_sends(40);
    going_on_without_a_certificate_is_reported_by_rm_3:
        "RM-3" Server Informational => complete(&flag(), Some(&[]));
    rm_3_says_nothing_of_a_client_without_the_flag:
        "RM-3" Server Silent => absent(false).server_sends(42);
    rm_3_says_nothing_under_the_editors_copy:
        "RM-3" Server Silent => absent(true).rca().server_sends(42);
    rm_3_says_nothing_where_nobody_was_asked:
        "RM-3" Server Silent => complete(&flag(), None);

    the_flag_in_client_hello_satisfies_rm_4:
        "RM-4" Client Satisfied => complete(&flag(), Some(&[]));
    a_server_that_does_not_repeat_the_flag_satisfies_rm_4:
        "RM-4" Server Satisfied => complete(&flag(), Some(&[]));
    a_server_with_the_flag_in_certificate_request_violates_rm_4:
        "RM-4" Server Violated => flag_in_request();
    a_client_that_receives_the_flag_is_reported_by_rm_4:
        "RM-4" Client Informational => flag_in_request();
    a_client_with_the_flag_in_certificate_violates_rm_4:
        "RM-4" Client Violated => flag_in_certificate().server_sends(47);
    a_server_that_refuses_the_flag_in_certificate_is_reported_by_rm_4:
        "RM-4" Server Informational => flag_in_certificate().server_sends(47);
    rm_4_says_nothing_of_a_client_with_other_flags:
        "RM-4" Client Silent => complete(&other(), Some(&other()));
    rm_4_says_nothing_of_a_server_with_other_flags:
        "RM-4" Server Silent => complete(&other(), Some(&other()));
    rm_4_says_nothing_of_a_server_in_tls_12:
        "RM-4" Server Silent => tls12();

    asking_the_client_that_set_the_flag_satisfies_rm_5:
        "RM-5" Server Satisfied => on_flag(&flag(), true);
    not_asking_the_client_that_did_not_set_it_satisfies_rm_5:
        "RM-5" Server Satisfied => on_flag(&[], false);
    asking_a_client_that_did_not_set_the_flag_violates_rm_5:
        "RM-5" Server Violated => on_flag(&other(), true);
    not_asking_a_client_that_set_the_flag_violates_rm_5:
        "RM-5" Server Violated => on_flag(&flag(), false);
    asking_a_client_with_the_flag_only_after_the_handshake_violates_rm_5:
        "RM-5" Server Violated => on_flag(&flag(), false).request(Epoch::Application, &[]);
    asking_a_client_without_the_flag_after_the_handshake_violates_rm_5:
        "RM-5" Server Violated => on_flag(&[], false).request(Epoch::Application, &[]);
    rm_5_says_nothing_of_a_server_with_another_policy:
        "RM-5" Server Silent => complete(&[], Some(&[])).policy(Policy::Request);
    rm_5_says_nothing_of_a_server_whose_policy_is_not_known:
        "RM-5" Server Silent => complete(&flag(), None);
    rm_5_says_nothing_of_a_resumed_session:
        "RM-5" Server Silent => resumed().policy(Policy::RequestOnFlag);
    rm_5_says_nothing_where_the_second_client_hello_differs:
        "RM-5" Server Silent => {
            let scene = Scene::new().hello(&flag()).retry(&[]).hello(&[]);
            let scene = scene.server_flight(None).client_flight(None);
            scene.completed().policy(Policy::RequestOnFlag)
        };
    rm_5_says_nothing_of_a_client_hello_that_must_be_refused:
        "RM-5" Server Silent => on_flag(&[flag(), other()].concat(), false);
    rm_5_says_nothing_of_a_refused_client_hello:
        "RM-5" Server Silent => {
            let scene = Scene::new().hello(&flag()).server_refuses(40);
            scene.policy(Policy::RequestOnFlag)
        };
}

#[test]
fn the_flag_under_another_number_of_the_extension_is_no_flag() {
    let hello = [super::scene::extension(0xfe01, FLAG)];
    let scene = complete(&hello, Some(&[]));
    assert_eq!(scene.rulings_of("RM-1"), []);
    let deployed = scene.known(|it| it.extension = 0xfe01);
    assert_eq!(deployed.rulings_of("RM-1").len(), 1);
}

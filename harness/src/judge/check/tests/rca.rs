//! The editor's copy.

use reqmtls_contract::Policy;
use reqmtls_observer::{AlertLevel, Epoch, Extension, HandshakeType};

use super::examples::{Example, Kind::*, examples};
use super::scene::{CLIENT, SERVER, Scene, complete, extension, flag, late, other};
use crate::judge::finding::Party;

fn start(hello: &[Extension]) -> Scene {
    Scene::new().rca().hello(hello)
}

/// As far as the server's Finished.
fn asking(hello: &[Extension], request: &[Extension]) -> Scene {
    start(hello).server_flight(Some(request))
}

/// A client with the flag that is asked because of it.
fn acknowledged() -> Scene {
    asking(&flag(), &flag())
}

/// A server with a policy on the flag that does not acknowledge.
fn accepting(scene: Scene) -> Scene {
    scene.rca().policy(Policy::RequireOnFlag)
}

/// The flag in EncryptedExtensions.
fn in_encrypted_extensions(hello: &[Extension]) -> Scene {
    start(hello).server_hello(&[]).encrypted(&flag())
}

/// The flag in the client's Certificate.
fn in_certificate(request: &[Extension]) -> Scene {
    asking(&flag(), request).certificate(CLIENT, Epoch::Handshake, 1, &flag())
}

fn resumed() -> Scene {
    let scene = Scene::new().rca().psk_hellos(&flag(), &[]);
    let scene = scene.finished(SERVER, Epoch::Handshake);
    scene.client_flight(None).completed()
}

fn ticket() -> Scene {
    let scene = start(&flag()).server_flight(None).client_flight(None);
    scene.data(CLIENT).ticket(&flag())
}

examples! {
    acknowledging_in_certificate_request_follows_rca_1:
        "RCA-1" Server Follows("TF-11") => acknowledged();
    acknowledging_elsewhere_follows_tf_11:
        "RCA-1" Server Yields("TF-11") => in_encrypted_extensions(&flag());
    a_server_on_the_flag_that_asks_without_it_violates_rca_1:
        "RCA-1" Server Violated => accepting(complete(&flag(), Some(&other())));
    a_server_on_the_flag_that_does_not_ask_violates_rca_1:
        "RCA-1" Server Violated => accepting(complete(&flag(), None));
    rca_1_says_nothing_of_a_server_with_another_policy:
        "RCA-1" Server Silent => complete(&flag(), Some(&[])).rca().policy(Policy::Require);
    rca_1_says_nothing_of_a_server_that_does_not_know_the_flag:
        "RCA-1" Server Silent => accepting(complete(&flag(), Some(&[]))).unaware(SERVER);
    rca_1_says_nothing_of_a_client_hello_that_must_be_refused:
        "RCA-1" Server Silent => accepting(complete(&[flag(), other()].concat(), None));
    rca_1_says_nothing_of_a_client_without_the_flag:
        "RCA-1" Server Silent => accepting(complete(&[], Some(&[])));
    rca_1_says_nothing_of_a_resumed_session:
        "RCA-1" Server Silent => accepting(resumed());

    asking_a_client_with_the_flag_for_another_reason_is_reported:
        "RCA-2" Server Informational => complete(&flag(), Some(&[])).rca();
    asking_a_client_without_the_flag_is_reported:
        "RCA-2" Server Informational => complete(&[], Some(&[])).rca();
    rca_2_says_nothing_of_an_acknowledgement:
        "RCA-2" Server Silent => acknowledged();
    rca_2_says_nothing_where_nobody_is_asked:
        "RCA-2" Server Silent => complete(&flag(), None).rca();

    an_empty_certificate_satisfies_rca_3:
        "RCA-3" Client Satisfied => acknowledged().client_flight(Some(0));
    a_compressed_certificate_satisfies_rca_3:
        "RCA-3" Client Satisfied => acknowledged()
            .other(CLIENT, Epoch::Handshake, HandshakeType::COMPRESSED_CERTIFICATE);
    going_on_without_certificate_violates_rca_3:
        "RCA-3" Client Violated => acknowledged().client_flight(None).completed();
    an_alert_in_place_of_certificate_violates_rca_3:
        "RCA-3" Client Violated => acknowledged().has_certificate(false).client_sends(40);
    an_end_in_place_of_certificate_violates_rca_3:
        "RCA-3" Client Violated => acknowledged().has_certificate(false).ends(CLIENT);
    canceling_in_place_of_certificate_violates_rca_3:
        "RCA-3" Client Violated => acknowledged().has_certificate(false)
            .client_sends(90).any_alert(CLIENT, Epoch::Handshake, AlertLevel::WARNING, 0);
    an_alert_of_a_client_that_has_a_certificate_follows_rca_11:
        "RCA-3" Client Yields("RCA-11") => acknowledged().has_certificate(true).client_sends(40);
    an_end_of_a_client_of_which_nothing_is_known_follows_rca_11:
        "RCA-3" Client Yields("RCA-11") => acknowledged().ends(CLIENT);
    an_empty_certificate_of_a_client_that_has_one_satisfies_rca_3:
        "RCA-3" Client Satisfied => acknowledged().has_certificate(true).client_flight(Some(0));
    an_alert_about_the_servers_certificate_is_reported_by_rca_3:
        "RCA-3" Client Informational => acknowledged().has_certificate(false).client_sends(48);
    rca_3_says_nothing_of_a_request_without_the_flag:
        "RCA-3" Client Silent => asking(&flag(), &[]).client_sends(40);
    rca_3_says_nothing_of_a_client_that_must_refuse_what_it_received:
        "RCA-3" Client Silent => in_encrypted_extensions(&flag())
            .request(Epoch::Handshake, &flag()).client_sends(47);
    rca_3_says_nothing_where_the_server_ends_first:
        "RCA-3" Client Silent => acknowledged().ends(SERVER);
    rca_3_says_nothing_where_the_server_sends_an_alert:
        "RCA-3" Client Silent => acknowledged().server_sends(80);
    rca_3_says_nothing_of_what_cannot_be_read:
        "RCA-3" Client Silent => acknowledged().unreadable(CLIENT, Epoch::Handshake).ends(CLIENT);

    certificate_before_any_end_satisfies_rca_4:
        "RCA-4" Client Satisfied => acknowledged().client_flight(Some(0));
    an_end_in_place_of_certificate_is_reported_by_rca_4:
        "RCA-4" Client Informational => acknowledged().ends(CLIENT);
    an_alert_in_place_of_certificate_is_reported_by_rca_4:
        "RCA-4" Client Informational => acknowledged().client_sends(40);
    rca_4_says_nothing_of_an_alert_about_the_servers_certificate:
        "RCA-4" Client Silent => acknowledged().client_sends(48);
    rca_4_says_nothing_of_a_client_that_goes_on:
        "RCA-4" Client Silent => acknowledged().client_flight(None).completed();

    the_flag_to_a_client_that_set_it_satisfies_rca_5:
        "RCA-5" Server Satisfied => acknowledged();
    no_flag_to_a_client_that_did_not_set_it_satisfies_rca_5:
        "RCA-5" Server Satisfied => asking(&other(), &other());
    the_flag_to_a_client_that_did_not_set_it_violates_rca_5:
        "RCA-5" Server Violated => asking(&other(), &flag());
    the_flag_after_the_handshake_to_a_client_that_did_not_set_it_violates_rca_5:
        "RCA-5" Server Violated => start(&late()).server_flight(None).client_flight(None)
            .request(Epoch::Application, &flag());
    rca_5_says_nothing_where_nobody_is_asked:
        "RCA-5" Server Silent => complete(&[], None).rca();
    rca_5_says_nothing_where_one_client_hello_has_the_flag:
        "RCA-5" Server Silent => start(&flag()).retry(&[]).hello(&[]).server_flight(Some(&flag()));

    illegal_parameter_for_a_flag_that_was_not_set_satisfies_rca_6:
        "RCA-6" Client Satisfied => asking(&[], &flag()).client_sends(47);
    another_alert_for_a_flag_that_was_not_set_violates_rca_6:
        "RCA-6" Client Violated => asking(&[], &flag()).client_sends(110);
    silence_about_a_flag_that_was_not_set_violates_rca_6:
        "RCA-6" Client Violated => asking(&[], &flag()).ends(CLIENT);
    going_on_with_a_flag_that_was_not_set_violates_rca_6:
        "RCA-6" Client Violated => asking(&[], &flag()).client_flight(Some(0));
    general_error_for_a_flag_that_was_not_set_is_reported_by_rca_6:
        "RCA-6" Client Informational => asking(&[], &flag()).client_sends(117);
    rca_6_says_nothing_of_a_client_that_set_the_flag:
        "RCA-6" Client Silent => acknowledged().client_flight(Some(0));
    rca_6_says_nothing_of_a_client_that_does_not_know_the_flag:
        "RCA-6" Client Silent => asking(&[], &flag()).unaware(CLIENT).client_flight(Some(0));
    rca_6_says_nothing_where_the_server_ends_first:
        "RCA-6" Client Silent => asking(&[], &flag()).ends(SERVER);

    illegal_parameter_for_the_flag_in_encrypted_extensions_satisfies_rca_7:
        "RCA-7" Client Satisfied => in_encrypted_extensions(&flag()).client_sends(47);
    illegal_parameter_for_the_flag_in_hello_retry_request_satisfies_rca_7:
        "RCA-7" Client Satisfied => start(&flag()).retry(&flag()).alert(CLIENT, Epoch::Plaintext, 47);
    illegal_parameter_for_the_flag_in_server_hello_satisfies_rca_7:
        "RCA-7" Client Satisfied => start(&flag()).server_hello(&flag()).client_sends(47);
    illegal_parameter_for_the_flag_in_certificate_satisfies_rca_7:
        "RCA-7" Client Satisfied => start(&flag()).server_hello(&[]).encrypted(&[])
            .certificate(SERVER, Epoch::Handshake, 1, &flag()).client_sends(47);
    illegal_parameter_for_the_flag_in_new_session_ticket_satisfies_rca_7:
        "RCA-7" Client Satisfied => ticket().alert(CLIENT, Epoch::Application, 47);
    another_alert_for_the_flag_elsewhere_violates_rca_7:
        "RCA-7" Client Violated => in_encrypted_extensions(&flag()).client_sends(110);
    going_on_with_the_flag_elsewhere_violates_rca_7:
        "RCA-7" Client Violated => in_encrypted_extensions(&flag()).server_authenticated()
            .client_flight(None);
    going_on_with_the_flag_in_new_session_ticket_violates_rca_7:
        "RCA-7" Client Violated => ticket().data(SERVER).close_notify(CLIENT);
    an_end_without_an_alert_is_reported_by_rca_7:
        "RCA-7" Client Informational => in_encrypted_extensions(&flag()).ends(CLIENT);
    illegal_parameter_for_an_unsolicited_flag_follows_rca_7:
        "RCA-7" Client Follows("TLS-7") => in_encrypted_extensions(&[]).client_sends(47);
    unsupported_extension_for_an_unsolicited_flag_follows_tls_7:
        "RCA-7" Client Yields("TLS-7") => in_encrypted_extensions(&[]).client_sends(110);
    tls_7_is_followed_against_rca_7:
        "TLS-7" Client Follows("RCA-7") => in_encrypted_extensions(&[]).client_sends(110);
    tls_7_yields_to_rca_7:
        "TLS-7" Client Yields("RCA-7") => in_encrypted_extensions(&[]).client_sends(47);
    rca_7_says_nothing_of_the_flag_in_certificate_request:
        "RCA-7" Client Silent => acknowledged().client_flight(Some(0));
    rca_7_says_nothing_where_a_ticket_may_have_crossed_the_end:
        "RCA-7" Client Silent => ticket().close_notify(CLIENT);
    rca_7_says_nothing_of_an_alert_before_the_ticket:
        "RCA-7" Client Silent => start(&flag()).server_flight(None).client_sends(48).ticket(&flag());

    illegal_parameter_for_the_flag_in_the_clients_certificate_satisfies_rca_8:
        "RCA-8" Server Satisfied => in_certificate(&flag()).server_sends(47);
    another_alert_for_the_flag_in_the_clients_certificate_violates_rca_8:
        "RCA-8" Server Violated => in_certificate(&flag()).server_sends(110);
    going_on_with_the_flag_in_the_clients_certificate_violates_rca_8:
        "RCA-8" Server Violated => in_certificate(&flag()).finished(CLIENT, Epoch::Handshake).completed();
    illegal_parameter_for_an_unsolicited_flag_follows_rca_8:
        "RCA-8" Server Follows("TLS-7") => in_certificate(&[]).server_sends(47);
    unsupported_extension_for_an_unsolicited_flag_yields_to_tls_7:
        "RCA-8" Server Yields("TLS-7") => in_certificate(&[]).server_sends(110);
    tls_7_is_followed_against_rca_8:
        "TLS-7" Server Follows("RCA-8") => in_certificate(&[]).server_sends(110);
    tls_7_yields_to_rca_8:
        "TLS-7" Server Yields("RCA-8") => in_certificate(&[]).server_sends(47);
    rca_8_says_nothing_of_a_server_that_does_not_know_the_flag:
        "RCA-8" Server Silent => in_certificate(&flag()).unaware(SERVER)
            .finished(CLIENT, Epoch::Handshake).completed();
    rca_8_says_nothing_of_data_that_may_have_come_before:
        "RCA-8" Server Silent => asking(&flag(), &flag()).data(SERVER)
            .certificate(CLIENT, Epoch::Handshake, 1, &flag()).finished(CLIENT, Epoch::Handshake);

    the_flag_of_a_client_that_has_a_certificate_satisfies_rca_10:
        "RCA-10" Client Satisfied => start(&flag()).has_certificate(true);
    the_flag_of_a_client_without_certificate_is_reported:
        "RCA-10" Client Informational => start(&flag()).has_certificate(false);
    rca_10_says_nothing_of_a_client_of_which_nothing_is_known:
        "RCA-10" Client Silent => start(&flag());
    rca_10_says_nothing_of_a_client_without_the_flag:
        "RCA-10" Client Silent => start(&[]).has_certificate(false);

    ending_may_follow_rca_11:
        "RCA-11" Client Follows("RCA-3") => acknowledged().has_certificate(true).ends(CLIENT);
    an_empty_certificate_of_a_client_that_has_one_is_reported_by_rca_11:
        "RCA-11" Client Informational => acknowledged().has_certificate(true).client_flight(Some(0));
    rca_11_says_nothing_of_a_client_that_has_no_certificate:
        "RCA-11" Client Silent => acknowledged().has_certificate(false).ends(CLIENT);
    rca_11_says_nothing_of_a_client_that_sends_its_certificate:
        "RCA-11" Client Silent => acknowledged().has_certificate(true).client_flight(Some(1));
}

#[test]
fn rca_11_names_what_may_not_be_satisfied() {
    let authorities = [flag(), vec![extension(47, &[0, 0])]].concat();
    let scene = asking(&flag(), &authorities)
        .has_certificate(true)
        .client_flight(Some(0));
    let got = &scene.rulings_of("RCA-11")[0].got;
    assert!(
        got.contains("certificate_authorities or signature_algorithms"),
        "{got}"
    );
}

//! RFC 9846 on CertificateRequest, Certificate and CertificateVerify.

use reqmtls_contract::{Hex, Policy};
use reqmtls_observer::{Ending, Epoch, Extension, HandshakeType};

use super::examples::{Example, Kind::*, examples};
use super::scene::{
    CLIENT, SERVER, Scene, asked, complete, extension, flag, late, not_asked, tls_flags,
};
use crate::judge::finding::Party;
use crate::judge::knowledge::Psk;

const HANDSHAKE: Epoch = Epoch::Handshake;
const APPLICATION: Epoch = Epoch::Application;
const COMPRESSED: HandshakeType = HandshakeType::COMPRESSED_CERTIFICATE;

fn with_psk() -> Scene {
    Scene::new().psk_hellos(&[], &[])
}

/// A client that offers to authenticate after the handshake, and has completed it.
fn offering() -> Scene {
    let scene = Scene::new().hello(&late()).server_flight(None);
    scene.client_flight(None).data(CLIENT)
}

/// The same, asked.
fn asked_late() -> Scene {
    offering().request(APPLICATION, &[])
}

/// A client that does not offer it and is asked all the same.
fn asked_late_without_offer() -> Scene {
    not_asked()
        .client_flight(None)
        .data(CLIENT)
        .request(APPLICATION, &[])
}

/// An empty Certificate, and Finished.
fn absent() -> Scene {
    asked().client_flight(Some(0))
}

fn absent_with_flag() -> Scene {
    Scene::new()
        .hello(&flag())
        .server_flight(Some(&[]))
        .client_flight(Some(0))
}

fn chain() -> Scene {
    asked().client_flight(Some(1))
}

/// A TLS 1.2 connection in which the client is asked.
fn tls12() -> Scene {
    let scene = Scene::new().hello(&[]).server_hello12(&[]).request12();
    let scene = scene.certificate(CLIENT, Epoch::Plaintext, 0, &[]);
    let scene = scene
        .finished(CLIENT, APPLICATION)
        .finished(SERVER, APPLICATION);
    scene.policy(Policy::PostHandshake).completed()
}

fn server_certificate(count: usize) -> Scene {
    let scene = Scene::new().hello(&[]).server_hello(&[]).encrypted(&[]);
    scene.certificate(SERVER, HANDSHAKE, count, &[])
}

fn compressed_server(hello: &[Extension]) -> Scene {
    let scene = Scene::new().hello(hello).server_hello(&[]).encrypted(&[]);
    scene.other(SERVER, HANDSHAKE, COMPRESSED)
}

fn compressed_client(request: &[Extension]) -> Scene {
    let scene = Scene::new().hello(&[]).server_flight(Some(request));
    scene.other(CLIENT, HANDSHAKE, COMPRESSED)
}

fn compression() -> Vec<Extension> {
    vec![extension(27, &[2, 0, 2])]
}

fn bare_request(context: &[u8]) -> Scene {
    let scene = Scene::new().hello(&[]).server_hello(&[]).encrypted(&[]);
    scene.bare_request(HANDSHAKE, context, &[extension(13, &[0, 2, 8, 7])])
}

examples! {
    certificate_request_behind_encrypted_extensions_satisfies_tls_1:
        "TLS-1" Server Satisfied => asked();
    certificate_request_before_encrypted_extensions_violates_tls_1:
        "TLS-1" Server Violated => Scene::new().hello(&[]).server_hello(&[])
            .request(HANDSHAKE, &[]).encrypted(&[]);
    certificate_request_behind_certificate_violates_tls_1:
        "TLS-1" Server Violated => server_certificate(1).request(HANDSHAKE, &[]);
    no_certificate_request_with_a_psk_satisfies_tls_1:
        "TLS-1" Server Satisfied => with_psk().finished(SERVER, HANDSHAKE);
    certificate_request_with_a_psk_violates_tls_1:
        "TLS-1" Server Violated => with_psk().request(HANDSHAKE, &[]);
    certificate_request_after_a_resumption_satisfies_tls_1:
        "TLS-1" Server Satisfied => with_psk().psk(Psk::Resumption)
            .finished(SERVER, HANDSHAKE).request(APPLICATION, &[]);
    certificate_request_after_a_handshake_with_an_external_psk_violates_tls_1:
        "TLS-1" Server Violated => with_psk().psk(Psk::External)
            .finished(SERVER, HANDSHAKE).request(APPLICATION, &[]);
    certificate_request_with_cert_with_extern_psk_satisfies_tls_1:
        "TLS-1" Server Satisfied => Scene::new().psk(Psk::External)
            .psk_hellos(&[extension(33, &[])], &[extension(33, &[])]).request(HANDSHAKE, &[]);
    tls_1_says_nothing_where_nobody_is_asked:
        "TLS-1" Server Silent => not_asked();
    tls_1_says_nothing_of_tls_12:
        "TLS-1" Server Silent => tls12();

    an_empty_certificate_for_a_request_satisfies_tls_2:
        "TLS-2" Client Satisfied => absent();
    a_certificate_for_a_request_satisfies_tls_2:
        "TLS-2" Client Satisfied => chain();
    a_compressed_certificate_for_a_request_satisfies_tls_2:
        "TLS-2" Client Satisfied => compressed_client(&compression()).client_flight(None);
    no_certificate_without_a_request_satisfies_tls_2:
        "TLS-2" Client Satisfied => not_asked().client_flight(None);
    going_on_without_certificate_violates_tls_2:
        "TLS-2" Client Violated => asked().client_flight(None);
    a_certificate_without_a_request_violates_tls_2:
        "TLS-2" Client Violated => not_asked().client_flight(Some(0));
    a_compressed_certificate_without_a_request_violates_tls_2:
        "TLS-2" Client Violated => not_asked().other(CLIENT, HANDSHAKE, COMPRESSED);
    a_second_certificate_violates_tls_2:
        "TLS-2" Client Violated => asked().certificate(CLIENT, HANDSHAKE, 0, &[])
            .client_flight(Some(0));
    a_certificate_with_another_context_violates_tls_2:
        "TLS-2" Client Violated => asked().certificate(CLIENT, APPLICATION, 0, &[]);
    a_certificate_after_the_handshake_without_a_request_violates_tls_2:
        "TLS-2" Client Violated => offering().late_answer(0);
    certificates_of_a_client_that_has_none_violate_tls_2:
        "TLS-2" Client Violated => chain().has_certificate(false);
    going_on_without_finished_violates_tls_2:
        "TLS-2" Client Violated => asked().certificate(CLIENT, HANDSHAKE, 0, &[]).data(CLIENT);
    an_empty_certificate_of_a_client_that_has_one_is_reported:
        "TLS-2" Client Informational => absent().has_certificate(true);
    an_alert_in_place_of_certificate_is_reported_by_tls_2:
        "TLS-2" Client Informational => asked().client_sends(48);
    an_end_in_place_of_certificate_is_reported_by_tls_2:
        "TLS-2" Client Informational => asked().ends(CLIENT);
    tls_2_says_nothing_where_the_server_ends_first:
        "TLS-2" Client Silent => asked().ends(SERVER);
    tls_2_says_nothing_where_the_server_sends_an_alert:
        "TLS-2" Client Silent => asked().server_sends(80);
    tls_2_says_nothing_of_an_answer_that_is_cut_off:
        "TLS-2" Client Silent => asked().certificate(CLIENT, HANDSHAKE, 0, &[]).server_sends(116);
    tls_2_says_nothing_of_a_server_that_cannot_be_read:
        "TLS-2" Client Silent => Scene::new().hello(&[]).server_hello(&[])
            .unreadable(SERVER, HANDSHAKE).client_flight(Some(1));
    tls_2_says_nothing_of_tls_12:
        "TLS-2" Client Silent => tls12();

    certificate_verify_behind_a_certificate_satisfies_tls_3:
        "TLS-3" Client Satisfied => chain();
    no_certificate_verify_behind_an_empty_certificate_satisfies_tls_3:
        "TLS-3" Client Satisfied => absent();
    no_certificate_verify_violates_tls_3:
        "TLS-3" Client Violated => asked().certificate(CLIENT, HANDSHAKE, 1, &[])
            .finished(CLIENT, HANDSHAKE);
    certificate_verify_behind_an_empty_certificate_violates_tls_3:
        "TLS-3" Client Violated => asked().certificate(CLIENT, HANDSHAKE, 0, &[])
            .verify(CLIENT, HANDSHAKE);
    certificate_verify_alone_violates_tls_3:
        "TLS-3" Client Violated => not_asked().verify(CLIENT, HANDSHAKE);
    certificate_verify_of_a_server_satisfies_tls_3:
        "TLS-3" Server Satisfied => not_asked();
    no_certificate_verify_of_a_server_violates_tls_3:
        "TLS-3" Server Violated => server_certificate(1).finished(SERVER, HANDSHAKE);
    tls_3_says_nothing_of_a_client_that_is_cut_off:
        "TLS-3" Client Silent => asked().certificate(CLIENT, HANDSHAKE, 1, &[]);
    tls_3_says_nothing_of_a_compressed_certificate:
        "TLS-3" Server Silent => compressed_server(&compression()).verify(SERVER, HANDSHAKE);
    tls_3_says_nothing_of_a_client_in_tls_12:
        "TLS-3" Client Silent => tls12();

    going_on_without_a_certificate_satisfies_tls_4:
        "TLS-4" Server Satisfied => absent().completed();
    certificate_required_satisfies_tls_4:
        "TLS-4" Server Satisfied => absent().data(CLIENT).server_sends(116);
    a_ticket_shows_that_the_server_continued:
        "TLS-4" Server Satisfied => absent().ticket(&[]);
    the_servers_report_shows_that_it_continued:
        "TLS-4" Server Satisfied => absent().reporting_nobody();
    general_error_is_reported_by_tls_4:
        "TLS-4" Server Informational => absent().server_sends(117);
    an_end_without_an_alert_is_reported_by_tls_4:
        "TLS-4" Server Informational => absent().ends(SERVER);
    decrypt_error_names_another_reason_and_is_reported_by_tls_4:
        "TLS-4" Server Informational => absent().server_sends(51);
    bad_certificate_towards_a_client_without_the_flag_violates_tls_4:
        "TLS-4" Server Violated => absent().server_sends(42);
    bad_certificate_under_the_editors_copy_violates_tls_4:
        "TLS-4" Server Violated => absent_with_flag().rca().server_sends(42);
    handshake_failure_violates_tls_4:
        "TLS-4" Server Violated => absent_with_flag().server_sends(40);
    an_alert_after_half_rtt_data_is_the_answer:
        "TLS-4" Server Violated => asked().data(SERVER).client_flight(Some(0)).server_sends(42);
    certificate_required_towards_a_client_with_the_flag_follows_tls_4:
        "TLS-4" Server Follows("RM-3") => absent_with_flag().server_sends(116);
    bad_certificate_towards_a_client_with_the_flag_yields_to_rm_3:
        "TLS-4" Server Yields("RM-3") => absent_with_flag().server_sends(42);
    tls_4_says_nothing_of_half_rtt_data:
        "TLS-4" Server Silent => asked().data(SERVER).client_flight(Some(0));
    tls_4_says_nothing_of_a_certificate_that_is_not_empty:
        "TLS-4" Server Silent => chain().server_sends(42);
    tls_4_says_nothing_where_the_server_has_another_reason:
        "TLS-4" Server Silent => Scene::new().hello(&tls_flags(&[0])).server_flight(Some(&[]))
            .client_flight(Some(0)).server_sends(42);
    tls_4_says_nothing_of_tls_12:
        "TLS-4" Server Silent => tls12();

    an_alert_about_certificates_satisfies_tls_5:
        "TLS-5" Server Satisfied => chain().server_sends(48);
    certificate_revoked_satisfies_tls_5:
        "TLS-5" Server Satisfied => chain().server_sends(44);
    going_on_without_the_chain_satisfies_tls_5:
        "TLS-5" Server Satisfied => chain().completed().reporting_nobody();
    another_alert_behind_a_chain_violates_tls_5:
        "TLS-5" Server Violated => chain().server_sends(40);
    certificate_required_behind_a_chain_violates_tls_5:
        "TLS-5" Server Violated => chain().server_sends(116);
    access_denied_is_reported_by_tls_5:
        "TLS-5" Server Informational => chain().server_sends(49);
    general_error_is_reported_by_tls_5:
        "TLS-5" Server Informational => chain().server_sends(117);
    tls_5_says_nothing_of_decrypt_error:
        "TLS-5" Server Silent => chain().server_sends(51);
    tls_5_says_nothing_of_a_signature_that_does_not_verify:
        "TLS-5" Server Silent => chain().spoiling(CLIENT).server_sends(40);
    tls_5_says_nothing_where_flags_may_be_the_reason:
        "TLS-5" Server Silent => asked().certificate(CLIENT, HANDSHAKE, 1, &flag()).server_sends(40);
    tls_5_says_nothing_of_a_chain_that_is_accepted:
        "TLS-5" Server Silent => chain().completed().known(|it| it.authenticated = Some(Some(Hex(vec![9; 32]))));
    tls_5_says_nothing_of_a_chain_of_which_the_server_reports_nothing:
        "TLS-5" Server Silent => chain().completed();

    decrypt_error_of_a_server_satisfies_tls_6:
        "TLS-6" Server Satisfied => chain().spoiling(CLIENT).server_sends(51);
    another_alert_of_a_server_violates_tls_6:
        "TLS-6" Server Violated => chain().spoiling(CLIENT).server_sends(42);
    going_on_of_a_server_violates_tls_6:
        "TLS-6" Server Violated => chain().spoiling(CLIENT).completed();
    an_end_of_a_server_without_an_alert_is_reported_by_tls_6:
        "TLS-6" Server Informational => chain().spoiling(CLIENT).ends(SERVER);
    decrypt_error_of_a_client_satisfies_tls_6:
        "TLS-6" Client Satisfied => not_asked().spoiling(SERVER).client_sends(51);
    another_alert_of_a_client_violates_tls_6:
        "TLS-6" Client Violated => not_asked().spoiling(SERVER).client_sends(48);
    going_on_of_a_client_violates_tls_6:
        "TLS-6" Client Violated => not_asked().spoiling(SERVER).client_flight(None);
    tls_6_says_nothing_of_a_signature_that_verifies:
        "TLS-6" Server Silent => chain().server_sends(51);
    tls_6_says_nothing_of_a_server_of_which_nothing_is_known:
        "TLS-6" Client Silent => not_asked().client_sends(51).known(|it| it.server.signature_verifies = None);

    asking_a_client_that_offered_it_satisfies_tls_12:
        "TLS-12" Server Satisfied => asked_late();
    not_asking_a_client_that_did_not_offer_it_satisfies_tls_12:
        "TLS-12" Server Satisfied => not_asked().client_flight(None).policy(Policy::PostHandshake);
    asking_a_client_that_did_not_offer_it_violates_tls_12:
        "TLS-12" Server Violated => asked_late_without_offer();
    tls_12_says_nothing_of_a_server_that_never_asks:
        "TLS-12" Server Silent => not_asked().client_flight(None);
    tls_12_says_nothing_of_tls_12:
        "TLS-12" Server Silent => tls12();

    an_empty_answer_satisfies_tls_14:
        "TLS-14" Client Satisfied => asked_late().late_answer(0).completed();
    an_answer_with_a_certificate_satisfies_tls_14:
        "TLS-14" Client Satisfied => asked_late().late_answer(1).completed();
    data_before_the_answer_satisfies_tls_14:
        "TLS-14" Client Satisfied => asked_late().data(CLIENT).late_answer(0);
    data_within_the_answer_violates_tls_14:
        "TLS-14" Client Violated => asked_late().certificate(CLIENT, APPLICATION, 0, &[])
            .data(CLIENT).finished(CLIENT, APPLICATION);
    closing_within_the_answer_violates_tls_14:
        "TLS-14" Client Violated => asked_late().certificate(CLIENT, APPLICATION, 0, &[])
            .close_notify(CLIENT);
    closing_without_an_answer_is_reported_by_tls_14:
        "TLS-14" Client Informational => asked_late().close_notify(CLIENT);
    unexpected_message_for_a_request_that_was_not_offered_satisfies_tls_14:
        "TLS-14" Client Satisfied => asked_late_without_offer().alert(CLIENT, APPLICATION, 10);
    another_alert_for_a_request_that_was_not_offered_violates_tls_14:
        "TLS-14" Client Violated => asked_late_without_offer().alert(CLIENT, APPLICATION, 40);
    silence_about_a_request_that_was_not_offered_violates_tls_14:
        "TLS-14" Client Violated => asked_late_without_offer().ends(CLIENT);
    going_on_with_a_request_that_was_not_offered_violates_tls_14:
        "TLS-14" Client Violated => asked_late_without_offer().data(SERVER).data(CLIENT);
    tls_14_says_nothing_of_the_main_handshake:
        "TLS-14" Client Silent => absent();
    tls_14_says_nothing_of_a_client_that_may_not_have_read_the_request:
        "TLS-14" Client Silent => asked_late_without_offer().data(CLIENT);
    tls_14_says_nothing_of_an_answer_that_is_cut_off:
        "TLS-14" Client Silent => asked_late().certificate(CLIENT, APPLICATION, 0, &[])
            .alert(CLIENT, APPLICATION, 80);

    signature_algorithms_and_an_empty_context_satisfy_tls_15:
        "TLS-15" Server Satisfied => asked();
    no_signature_algorithms_violate_tls_15:
        "TLS-15" Server Violated => Scene::new().hello(&[]).server_hello(&[]).encrypted(&[])
            .bare_request(HANDSHAKE, &[], &flag());
    a_context_in_the_main_handshake_violates_tls_15:
        "TLS-15" Server Violated => bare_request(&[1]);
    a_context_for_the_second_time_violates_tls_15:
        "TLS-15" Server Violated => asked_late().request(APPLICATION, &[]);
    an_empty_context_after_the_handshake_that_is_new_satisfies_tls_15:
        "TLS-15" Server Satisfied => offering()
            .bare_request(APPLICATION, &[], &[extension(13, &[0, 2, 8, 7])]);
    tls_15_says_nothing_where_nobody_is_asked:
        "TLS-15" Server Silent => not_asked();

    a_certificate_of_the_server_satisfies_tls_16:
        "TLS-16" Server Satisfied => not_asked();
    an_empty_certificate_of_the_server_violates_tls_16:
        "TLS-16" Server Violated => server_certificate(0);
    decode_error_for_an_empty_certificate_satisfies_tls_16:
        "TLS-16" Client Satisfied => server_certificate(0).client_sends(50);
    another_alert_for_an_empty_certificate_violates_tls_16:
        "TLS-16" Client Violated => server_certificate(0).client_sends(42);
    going_on_with_an_empty_certificate_violates_tls_16:
        "TLS-16" Client Violated => server_certificate(0).finished(SERVER, HANDSHAKE).client_flight(None);
    an_end_without_an_alert_is_reported_by_tls_16:
        "TLS-16" Client Informational => server_certificate(0).ends(CLIENT);
    tls_16_says_nothing_of_a_client_that_receives_certificates:
        "TLS-16" Client Silent => not_asked().client_sends(50);
    tls_16_says_nothing_of_a_compressed_certificate:
        "TLS-16" Server Silent => compressed_server(&compression());

    compressing_for_a_client_that_offered_it_satisfies_tls_22:
        "TLS-22" Server Satisfied => compressed_server(&compression());
    compressing_for_a_client_that_did_not_offer_it_violates_tls_22:
        "TLS-22" Server Violated => compressed_server(&[]);
    compressing_for_a_server_that_offered_it_satisfies_tls_22:
        "TLS-22" Client Satisfied => compressed_client(&compression());
    compressing_for_a_server_that_did_not_offer_it_violates_tls_22:
        "TLS-22" Client Violated => compressed_client(&[]);
    tls_22_says_nothing_of_a_server_that_does_not_compress:
        "TLS-22" Server Silent => Scene::new().hello(&compression()).server_flight(None);
    tls_22_says_nothing_of_a_client_that_does_not_compress:
        "TLS-22" Client Silent => chain();
    tls_22_says_nothing_of_a_request_that_cannot_be_read:
        "TLS-22" Client Silent => Scene::new().hello(&[]).server_hello(&[])
            .unreadable(SERVER, HANDSHAKE).other(CLIENT, HANDSHAKE, COMPRESSED);
}

#[test]
fn an_open_direction_shows_no_missing_certificate() {
    let scene = asked().ending(CLIENT, Ending::Open);
    assert_eq!(scene.rulings_of("TLS-2"), []);
    assert_eq!(complete(&[], Some(&[])).rulings_of("TLS-2").len(), 1);
}

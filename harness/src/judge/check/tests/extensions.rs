//! RFC 9846 on extensions: unsolicited, misplaced, twice, changed, and without meaning.

use reqmtls_contract::Policy;
use reqmtls_observer::{CipherSuite, Epoch, Extension};

use super::examples::{Example, Kind::*, examples};
use super::scene::{
    CLIENT, FLAG, OTHER, SERVER, Scene, asked, complete, extension, flag, not_asked, other,
    tls_flags,
};
use crate::judge::finding::Party;

/// A type that nobody registered.
const UNKNOWN: u16 = 0x7777;

fn unknown() -> Vec<Extension> {
    vec![extension(UNKNOWN, &[1])]
}

fn in_encrypted_extensions(hello: &[Extension], more: &[Extension]) -> Scene {
    Scene::new().hello(hello).server_hello(&[]).encrypted(more)
}

/// The same to a client that is not known to know `tls_flags`.
fn to_any_client(more: &[Extension]) -> Scene {
    in_encrypted_extensions(&[], more).known(|it| it.client.knows_flags = None)
}

fn in_certificate(more: &[Extension]) -> Scene {
    asked().certificate(CLIENT, Epoch::Handshake, 1, more)
}

/// A key share in EncryptedExtensions, of a client that sent one itself.
fn misplaced() -> Scene {
    in_encrypted_extensions(&[extension(51, &[0, 0])], &[extension(51, &[])])
}

/// A key share in the client's Certificate.
fn misplaced_by_client() -> Scene {
    let key_share = [extension(51, &[])];
    let scene = Scene::new().hello(&key_share).server_hello(&key_share);
    let scene = scene.encrypted(&[]).request(Epoch::Handshake, &key_share);
    let scene = scene.server_authenticated();
    scene.certificate(CLIENT, Epoch::Handshake, 1, &key_share)
}

fn twice() -> Vec<Extension> {
    [flag(), other()].concat()
}

/// A ClientHello, a HelloRetryRequest, and a second ClientHello.
fn retried(first: &[Extension], retry: &[Extension], second: &[Extension]) -> Scene {
    let scene = Scene::new().hello(first).retry(retry).hello(second);
    scene.server_flight(None).client_flight(None).completed()
}

fn key_share(body: &[u8]) -> Extension {
    extension(51, body)
}

/// A server that takes TLS 1.2.
fn tls12(value: &[u8]) -> Scene {
    let scene = Scene::new().hello(&tls_flags(value)).server_hello12(&[]);
    scene.policy(Policy::RequestOnFlag)
}

fn refused12(value: &[u8], alert: u8) -> Scene {
    let scene = Scene::new().known(|it| it.server_accepts_tls13 = Some(false));
    scene.hello(&tls_flags(value)).server_refuses(alert)
}

examples! {
    responses_to_what_was_asked_satisfy_tls_7:
        "TLS-7" Server Satisfied => in_encrypted_extensions(
            &[extension(0, &[]), extension(16, &[])], &[extension(0, &[]), extension(16, &[])]);
    an_unsolicited_extension_in_encrypted_extensions_violates_tls_7:
        "TLS-7" Server Violated => to_any_client(&unknown());
    an_unsolicited_extension_in_server_hello_violates_tls_7:
        "TLS-7" Server Violated => Scene::new().hello(&[]).server_hello(&unknown());
    an_unsolicited_extension_in_hello_retry_request_violates_tls_7:
        "TLS-7" Server Violated => Scene::new().hello(&[]).retry(&unknown());
    an_unsolicited_extension_in_certificate_violates_tls_7:
        "TLS-7" Server Violated => Scene::new().hello(&[]).server_hello(&[]).encrypted(&[])
            .certificate(SERVER, Epoch::Handshake, 1, &[extension(18, &[])]);
    an_unsolicited_pre_shared_key_violates_tls_7:
        "TLS-7" Server Violated => Scene::new().hello(&[]).server_hello(&[extension(41, &[0, 0])]);
    an_answer_to_grease_violates_tls_7:
        "TLS-7" Server Violated => in_encrypted_extensions(
            &[extension(0x0a0a, &[])], &[extension(0x0a0a, &[])]);
    early_data_that_was_taken_back_is_not_asked_for:
        "TLS-7" Server Violated => Scene::new().hello(&[extension(42, &[])])
            .retry(&[]).hello(&[]).server_hello(&[]).encrypted(&[extension(42, &[])]);
    flags_under_another_number_ask_for_none_under_this_one:
        "TLS-7" Server Violated => in_encrypted_extensions(&[extension(0xfe01, OTHER)], &other());
    a_cookie_in_hello_retry_request_satisfies_tls_7:
        "TLS-7" Server Satisfied => Scene::new().hello(&[]).retry(&[extension(44, &[0, 1, 7])]);
    unsupported_extension_for_an_unsolicited_one_satisfies_tls_7:
        "TLS-7" Client Satisfied => Scene::new().hello(&[]).server_hello(&unknown()).client_sends(110);
    decode_error_for_an_unsolicited_extension_violates_tls_7:
        "TLS-7" Client Violated => Scene::new().hello(&[]).server_hello(&unknown()).client_sends(50);
    going_on_with_an_unsolicited_extension_violates_tls_7:
        "TLS-7" Client Violated => to_any_client(&unknown()).server_authenticated().client_flight(None);
    a_late_alert_before_any_data_is_the_answer_by_tls_7:
        "TLS-7" Client Follows("TLS-19") => to_any_client(&unknown()).server_authenticated()
            .client_flight(None).alert(CLIENT, Epoch::Application, 110);
    general_error_for_an_unsolicited_extension_is_reported_by_tls_7:
        "TLS-7" Client Informational => Scene::new().hello(&[]).server_hello(&unknown())
            .client_sends(117);
    certificate_with_what_was_asked_for_satisfies_tls_7:
        "TLS-7" Client Satisfied => Scene::new().hello(&[]).server_flight(Some(&[extension(5, &[])]))
            .certificate(CLIENT, Epoch::Handshake, 1, &[extension(5, &[1])]);
    an_unsolicited_extension_in_the_clients_certificate_violates_tls_7:
        "TLS-7" Client Violated => in_certificate(&unknown()).server_sends(110);
    unsupported_extension_of_a_server_satisfies_tls_7:
        "TLS-7" Server Satisfied => in_certificate(&unknown()).server_sends(110);
    going_on_of_a_server_violates_tls_7:
        "TLS-7" Server Violated => in_certificate(&unknown()).verify(CLIENT, Epoch::Handshake)
            .finished(CLIENT, Epoch::Handshake).completed();
    tls_7_says_nothing_of_client_hello:
        "TLS-7" Client Silent => Scene::new().hello(&unknown());
    tls_7_says_nothing_of_certificate_request_and_new_session_ticket:
        "TLS-7" Client Silent => not_asked().client_flight(None).ticket(&unknown());
    tls_7_says_nothing_of_a_server_that_only_refuses:
        "TLS-7" Server Silent => Scene::new().hello(&[]).server_refuses(40);
    tls_7_says_nothing_of_tls_12:
        "TLS-7" Server Silent => Scene::new().hello(&[]).server_hello12(&unknown());
    tls_7_says_nothing_of_a_request_that_cannot_be_read:
        "TLS-7" Client Silent => Scene::new().hello(&[]).server_hello(&[]).encrypted(&[])
            .malformed(SERVER, Epoch::Handshake, reqmtls_observer::HandshakeType::CERTIFICATE_REQUEST)
            .certificate(CLIENT, Epoch::Handshake, 1, &unknown());

    each_extension_once_satisfies_tls_8:
        "TLS-8" Client Satisfied => complete(&flag(), None);
    each_extension_of_a_server_once_satisfies_tls_8:
        "TLS-8" Server Satisfied => complete(&flag(), None);
    an_extension_twice_violates_tls_8:
        "TLS-8" Client Violated => Scene::new().hello(&twice()).server_refuses(47);
    a_server_that_receives_an_extension_twice_is_reported_by_tls_8:
        "TLS-8" Server Informational => Scene::new().hello(&twice()).server_refuses(50);
    an_extension_of_a_server_twice_violates_tls_8:
        "TLS-8" Server Violated => Scene::new().hello(&flag()).server_flight(Some(&twice()));
    an_extension_in_each_of_two_certificates_satisfies_tls_8:
        "TLS-8" Server Satisfied => Scene::new().hello(&flag()).server_hello(&[])
            .certificate(SERVER, Epoch::Handshake, 2, &flag());
    illegal_parameter_for_a_misplaced_extension_satisfies_tls_8:
        "TLS-8" Client Satisfied => misplaced().client_sends(47);
    another_alert_for_a_misplaced_extension_violates_tls_8:
        "TLS-8" Client Violated => misplaced().client_sends(110);
    going_on_with_a_misplaced_extension_violates_tls_8:
        "TLS-8" Client Violated => misplaced().server_authenticated().client_flight(None);
    illegal_parameter_of_a_server_for_a_misplaced_extension_satisfies_tls_8:
        "TLS-8" Server Satisfied => misplaced_by_client().server_sends(47);
    another_alert_of_a_server_for_a_misplaced_extension_violates_tls_8:
        "TLS-8" Server Violated => misplaced_by_client().server_sends(50);
    illegal_parameter_for_an_unsolicited_misplaced_extension_follows_tls_8:
        "TLS-8" Client Follows("TLS-7") => Scene::new().hello(&[])
            .server_hello(&[extension(44, &[])]).client_sends(47);
    unsupported_extension_for_a_misplaced_one_yields_to_tls_7:
        "TLS-8" Client Yields("TLS-7") => Scene::new().hello(&[])
            .server_hello(&[extension(44, &[])]).client_sends(110);
    tls_7_is_followed_against_tls_8:
        "TLS-7" Client Follows("TLS-8") => Scene::new().hello(&[])
            .server_hello(&[extension(44, &[])]).client_sends(110);
    tls_7_yields_to_tls_8:
        "TLS-7" Client Yields("TLS-8") => Scene::new().hello(&[])
            .server_hello(&[extension(44, &[])]).client_sends(47);
    illegal_parameter_of_a_server_for_an_unsolicited_misplaced_extension_follows_tls_8:
        "TLS-8" Server Follows("TLS-7") => in_certificate(&[extension(51, &[])]).server_sends(47);
    unsupported_extension_of_a_server_for_a_misplaced_one_yields_to_tls_7:
        "TLS-8" Server Yields("TLS-7") => in_certificate(&[extension(51, &[])]).server_sends(110);
    tls_7_is_followed_against_tls_8_by_a_server:
        "TLS-7" Server Follows("TLS-8") => in_certificate(&[extension(51, &[])]).server_sends(110);
    tls_7_yields_to_tls_8_at_a_server:
        "TLS-7" Server Yields("TLS-8") => in_certificate(&[extension(51, &[])]).server_sends(47);
    tls_8_says_nothing_of_a_server_without_extensions:
        "TLS-8" Server Silent => Scene::new().hello(&flag()).server_refuses(47);
    tls_8_says_nothing_of_a_client_in_tls_12:
        "TLS-8" Client Silent => Scene::new().hello(&twice()).server_hello12(&[]);

    the_same_client_hello_satisfies_tls_9:
        "TLS-9" Client Satisfied => retried(&flag(), &[], &flag());
    a_key_share_for_the_group_of_hello_retry_request_satisfies_tls_9:
        "TLS-9" Client Satisfied => retried(&[key_share(&[1])], &[key_share(&[2])], &[key_share(&[2, 2])]);
    another_key_share_without_being_asked_violates_tls_9:
        "TLS-9" Client Violated => retried(&[key_share(&[1])], &[], &[key_share(&[2])]);
    other_flags_violate_tls_9:
        "TLS-9" Client Violated => retried(&flag(), &[], &other());
    flags_left_out_violate_tls_9:
        "TLS-9" Client Violated => retried(&flag(), &[], &[]);
    flags_put_in_violate_tls_9:
        "TLS-9" Client Violated => retried(&[], &[], &flag());
    another_order_violates_tls_9:
        "TLS-9" Client Violated => retried(
            &[extension(0, &[]), extension(16, &[])], &[], &[extension(16, &[]), extension(0, &[])]);
    other_cipher_suites_violate_tls_9:
        "TLS-9" Client Violated => Scene::new().hello(&[]).retry(&[]).any_hello(
            CipherSuite::TLS13_AES_256_GCM_SHA384, &[extension(43, &[4, 3, 4, 3, 3])]);
    the_cookie_of_hello_retry_request_satisfies_tls_9:
        "TLS-9" Client Satisfied => retried(&[], &[extension(44, &[0, 1, 7])], &[extension(44, &[0, 1, 7])]);
    another_cookie_violates_tls_9:
        "TLS-9" Client Violated => retried(&[], &[extension(44, &[0, 1, 7])], &[extension(44, &[0, 1, 8])]);
    no_cookie_violates_tls_9:
        "TLS-9" Client Violated => retried(&[], &[extension(44, &[0, 1, 7])], &[]);
    early_data_taken_back_satisfies_tls_9:
        "TLS-9" Client Satisfied => retried(&[extension(42, &[])], &[], &[]);
    early_data_again_violates_tls_9:
        "TLS-9" Client Violated => retried(&[extension(42, &[])], &[], &[extension(42, &[])]);
    padding_and_new_binders_satisfy_tls_9:
        "TLS-9" Client Satisfied => retried(
            &[extension(41, &[1])], &[], &[extension(21, &[0]), extension(41, &[2])]);
    a_change_that_an_unknown_extension_may_permit_satisfies_tls_9:
        "TLS-9" Client Satisfied => retried(&unknown(), &unknown(), &[extension(UNKNOWN, &[2])]);
    flags_in_hello_retry_request_permit_no_change:
        "TLS-9" Client Violated => retried(&other(), &other(), &flag());
    tls_9_says_nothing_of_a_single_client_hello:
        "TLS-9" Client Silent => complete(&flag(), None);

    tls_12_as_without_flags_satisfies_tls_11:
        "TLS-11" Server Satisfied => tls12(FLAG);
    asking_by_another_policy_satisfies_tls_11:
        "TLS-11" Server Satisfied => tls12(FLAG).policy(Policy::Require).request12();
    asking_on_the_flag_violates_tls_11:
        "TLS-11" Server Violated => tls12(FLAG).request12();
    flags_in_server_hello_violate_tls_11:
        "TLS-11" Server Violated => Scene::new().hello(&flag()).server_hello12(&flag());
    refusing_malformed_flags_violates_tls_11:
        "TLS-11" Server Violated => refused12(&[0], 50);
    tls_11_says_nothing_of_tls_13:
        "TLS-11" Server Silent => complete(&flag(), None);
    tls_11_says_nothing_of_a_client_without_flags:
        "TLS-11" Server Silent => Scene::new().hello(&[]).server_hello12(&[]);
    tls_11_says_nothing_of_an_alert_about_something_else:
        "TLS-11" Server Silent => refused12(&[0], 40);
    tls_11_says_nothing_of_a_refusal_of_well_formed_flags:
        "TLS-11" Server Silent => refused12(FLAG, 47);
    tls_11_says_nothing_of_flags_under_another_number:
        "TLS-11" Server Silent => Scene::new().hello(&[extension(0xfe01, &[0])]).server_hello12(&[]);
}

//! What receivers answer to flags that are malformed or unsolicited, and to what they do not know.

use reqmtls_observer::{Ending, Epoch, Extension, HandshakeType, Side};

use super::examples::{Example, Kind::*, examples};
use super::scene::{
    CLIENT, FLAG, OTHER, SERVER, Scene, complete, extension, flag, not_asked, other, tls_flags,
};
use crate::judge::finding::Party;

const ZEROS: &[u8] = &[2, 8, 0];
const TOO_SHORT: &[u8] = &[1, 8, 8];
const TOO_LONG: &[u8] = &[2, 8];

/// A ClientHello with a value of `tls_flags`.
fn to_server(value: &[u8]) -> Scene {
    Scene::new().hello(&tls_flags(value))
}

/// EncryptedExtensions with a value of `tls_flags`, to a client that sent it or not.
fn to_client(is_asked: bool, value: &[u8]) -> Scene {
    let hello = if is_asked { other() } else { Vec::new() };
    let scene = Scene::new().hello(&hello).server_hello(&[]);
    scene.encrypted(&tls_flags(value))
}

/// The same in ServerHello.
fn in_server_hello(value: &[u8]) -> Scene {
    Scene::new().hello(&[]).server_hello(&tls_flags(value))
}

/// The client's Certificate with a value of `tls_flags`.
fn in_certificate(request: &[Extension], value: &[u8]) -> Scene {
    let scene = Scene::new().hello(&[]).server_flight(Some(request));
    scene.certificate(CLIENT, Epoch::Handshake, 1, &tls_flags(value))
}

/// The same to a server that sent `tls_flags` in CertificateRequest.
fn to_asking_server(value: &[u8]) -> Scene {
    in_certificate(&other(), value)
}

fn in_request(value: &[u8]) -> Scene {
    let scene = Scene::new().hello(&[]).server_hello(&[]).encrypted(&[]);
    scene.request(Epoch::Handshake, &tls_flags(value))
}

fn in_ticket(value: &[u8]) -> Scene {
    not_asked()
        .client_flight(None)
        .data(CLIENT)
        .ticket(&tls_flags(value))
}

/// A client that does not recognise an extension of CertificateRequest.
fn unrecognised_request() -> Scene {
    in_request(FLAG).unaware(CLIENT)
}

/// A receiver of which nobody said whether it implements the extension.
fn of_unknown(receiver: Side, scene: Scene) -> Scene {
    scene.known(|it| it.end_mut(receiver).knows_flags = None)
}

examples! {
    illegal_parameter_for_zeros_satisfies_tf_3:
        "TF-3" Server Satisfied => to_server(ZEROS).server_refuses(47);
    decode_error_for_zeros_violates_tf_3:
        "TF-3" Server Violated => to_server(&[1, 0]).server_refuses(50);
    silence_about_zeros_violates_tf_3:
        "TF-3" Server Violated => to_server(ZEROS).ends(SERVER);
    going_on_with_zeros_violates_tf_3:
        "TF-3" Server Violated => complete(&tls_flags(ZEROS), None);
    an_alert_after_going_on_violates_tf_3:
        "TF-3" Server Violated => complete(&tls_flags(ZEROS), None).server_sends(47);
    half_rtt_data_is_going_on_after_client_hello:
        "TF-3" Server Violated => to_server(ZEROS).server_flight(None).data(SERVER).server_sends(47);
    general_error_for_zeros_is_reported_by_tf_3:
        "TF-3" Server Informational => to_server(ZEROS).server_refuses(117);
    zeros_that_stand_twice_are_reported_by_tf_3:
        "TF-3" Server Informational => Scene::new()
            .hello(&[tls_flags(ZEROS), tls_flags(ZEROS)].concat()).server_refuses(50);
    illegal_parameter_of_a_client_for_zeros_satisfies_tf_3:
        "TF-3" Client Satisfied => to_client(true, ZEROS).client_sends(47);
    decode_error_of_a_client_for_zeros_violates_tf_3:
        "TF-3" Client Violated => in_request(ZEROS).client_sends(50);
    illegal_parameter_for_zeros_in_new_session_ticket_satisfies_tf_3:
        "TF-3" Client Satisfied => in_ticket(ZEROS).alert(CLIENT, Epoch::Application, 47);
    closing_after_an_answer_behind_zeros_in_new_session_ticket_violates_tf_3:
        "TF-3" Client Violated => in_ticket(ZEROS).data(SERVER).close_notify(CLIENT);
    illegal_parameter_for_unsolicited_zeros_follows_tf_3:
        "TF-3" Client Follows("TLS-7") => in_server_hello(ZEROS).client_sends(47);
    unsupported_extension_for_unsolicited_zeros_yields_to_tls_7:
        "TF-3" Client Yields("TLS-7") => in_server_hello(ZEROS).client_sends(110);
    tls_7_is_followed_against_tf_3:
        "TLS-7" Client Follows("TF-3") => in_server_hello(ZEROS).client_sends(110);
    tls_7_yields_to_tf_3:
        "TLS-7" Client Yields("TF-3") => in_server_hello(ZEROS).client_sends(47);
    illegal_parameter_of_a_server_for_unsolicited_zeros_follows_tf_3:
        "TF-3" Server Follows("TLS-7") => in_certificate(&[], ZEROS).server_sends(47);
    unsupported_extension_of_a_server_for_unsolicited_zeros_yields_to_tls_7:
        "TF-3" Server Yields("TLS-7") => in_certificate(&[], ZEROS).server_sends(110);
    tls_7_is_followed_against_tf_3_by_a_server:
        "TLS-7" Server Follows("TF-3") => in_certificate(&[], ZEROS).server_sends(110);
    tls_7_yields_to_tf_3_at_a_server:
        "TLS-7" Server Yields("TF-3") => in_certificate(&[], ZEROS).server_sends(47);
    tf_3_says_nothing_of_flags_that_are_right:
        "TF-3" Server Silent => to_server(FLAG).server_refuses(47);
    tf_3_says_nothing_of_a_server_that_does_not_know_the_extension:
        "TF-3" Server Silent => complete(&tls_flags(ZEROS), None).unaware(SERVER);
    tf_3_says_nothing_of_tls_12:
        "TF-3" Server Silent => to_server(ZEROS).server_hello12(&[]);
    tf_3_says_nothing_of_a_direction_that_is_open:
        "TF-3" Server Silent => to_server(ZEROS).ending(SERVER, Ending::Open);
    tf_3_says_nothing_where_the_client_ends_first:
        "TF-3" Server Silent => to_server(ZEROS).ends(CLIENT);
    tf_3_says_nothing_where_the_client_sends_an_alert:
        "TF-3" Server Silent => to_server(ZEROS).alert(CLIENT, Epoch::Plaintext, 80).ends(SERVER);
    tf_3_says_nothing_of_an_answer_that_cannot_be_read:
        "TF-3" Server Silent => to_server(ZEROS).unreadable(SERVER, Epoch::Handshake).ends(SERVER);
    tf_3_says_nothing_of_a_client_that_may_not_have_read_the_ticket:
        "TF-3" Client Silent => in_ticket(ZEROS).close_notify(CLIENT);
    tf_3_says_nothing_behind_another_offence:
        "TF-3" Client Silent => in_server_hello(TOO_SHORT).encrypted(&tls_flags(ZEROS)).client_sends(50);
    tf_3_speaks_behind_an_offence_that_was_passed_over:
        "TF-3" Client Violated => in_server_hello(TOO_SHORT).encrypted(&tls_flags(ZEROS))
            .server_authenticated().client_flight(None);

    another_alert_for_a_value_that_does_not_parse_violates_tf_4:
        "TF-4" Server Violated => to_server(TOO_LONG).server_refuses(110);
    going_on_with_a_value_that_does_not_parse_violates_tf_4:
        "TF-4" Server Violated => complete(&tls_flags(TOO_LONG), None);
    an_end_without_an_alert_is_reported_by_tf_4:
        "TF-4" Server Informational => to_server(TOO_LONG).ends(SERVER);
    another_alert_of_a_client_for_a_value_that_does_not_parse_violates_tf_4:
        "TF-4" Client Violated => to_client(true, TOO_LONG).client_sends(110);
    illegal_parameter_for_a_length_too_large_follows_tf_4:
        "TF-4" Server Follows("TLS-18") => to_server(TOO_LONG).server_refuses(47);
    decode_error_for_a_length_too_large_yields_to_tls_18:
        "TF-4" Server Yields("TLS-18") => to_server(TOO_LONG).server_refuses(50);
    illegal_parameter_for_a_length_of_zero_follows_tf_4:
        "TF-4" Server Follows("TLS-18") => to_server(&[0]).server_refuses(47);
    decode_error_for_no_octets_yields_to_tls_18:
        "TF-4" Server Yields("TLS-18") => to_server(&[]).server_refuses(50);
    illegal_parameter_for_octets_left_over_follows_tf_4:
        "TF-4" Server Follows("TLS-17") => to_server(TOO_SHORT).server_refuses(47);
    decode_error_for_octets_left_over_yields_to_tls_17:
        "TF-4" Server Yields("TLS-17") => to_server(TOO_SHORT).server_refuses(50);
    illegal_parameter_of_a_client_for_a_length_too_large_follows_tf_4:
        "TF-4" Client Follows("TLS-18") => in_request(TOO_LONG).client_sends(47);
    decode_error_of_a_client_for_a_length_too_large_yields_to_tls_18:
        "TF-4" Client Yields("TLS-18") => in_request(TOO_LONG).client_sends(50);
    illegal_parameter_of_a_client_for_octets_left_over_follows_tf_4:
        "TF-4" Client Follows("TLS-17") => in_request(TOO_SHORT).client_sends(47);
    decode_error_of_a_client_for_octets_left_over_yields_to_tls_17:
        "TF-4" Client Yields("TLS-17") => in_request(TOO_SHORT).client_sends(50);
    illegal_parameter_for_an_unsolicited_value_that_does_not_parse_follows_tf_4:
        "TF-4" Client Follows("TLS-7") => in_server_hello(TOO_LONG).client_sends(47);
    unsupported_extension_for_an_unsolicited_value_that_does_not_parse_yields_to_tls_7:
        "TF-4" Client Yields("TLS-7") => in_server_hello(TOO_LONG).client_sends(110);
    tls_7_is_followed_against_tf_4:
        "TLS-7" Client Follows("TF-4") => in_server_hello(TOO_LONG).client_sends(110);
    tls_7_yields_to_tf_4:
        "TLS-7" Client Yields("TF-4") => in_server_hello(TOO_LONG).client_sends(47);
    illegal_parameter_of_a_server_for_an_unsolicited_value_follows_tf_4:
        "TF-4" Server Follows("TLS-7") => in_certificate(&[], TOO_LONG).server_sends(47);
    unsupported_extension_of_a_server_for_an_unsolicited_value_yields_to_tls_7:
        "TF-4" Server Yields("TLS-7") => in_certificate(&[], TOO_LONG).server_sends(110);
    tls_7_is_followed_against_tf_4_by_a_server:
        "TLS-7" Server Follows("TF-4") => in_certificate(&[], TOO_LONG).server_sends(110);
    tls_7_yields_to_tf_4_at_a_server:
        "TLS-7" Server Yields("TF-4") => in_certificate(&[], TOO_LONG).server_sends(47);
    tf_4_says_nothing_of_zeros:
        "TF-4" Server Silent => to_server(ZEROS).server_refuses(47);
    tf_4_says_nothing_of_a_client_that_receives_what_parses:
        "TF-4" Client Silent => in_request(OTHER).client_sends(47);

    illegal_parameter_for_an_unsolicited_flag_satisfies_tf_7:
        "TF-7" Client Satisfied => to_client(true, FLAG).client_sends(47);
    another_alert_for_an_unsolicited_flag_violates_tf_7:
        "TF-7" Client Violated => to_client(true, FLAG).client_sends(110);
    silence_about_an_unsolicited_flag_violates_tf_7:
        "TF-7" Client Violated => to_client(true, FLAG).ends(CLIENT);
    going_on_with_an_unsolicited_flag_violates_tf_7:
        "TF-7" Client Violated => to_client(true, FLAG).server_authenticated().client_flight(None);
    a_second_client_hello_is_going_on_with_a_flag_in_hello_retry_request:
        "TF-7" Client Violated => Scene::new().hello(&other()).retry(&flag()).hello(&other());
    illegal_parameter_for_flags_without_the_extension_follows_tf_7:
        "TF-7" Client Follows("TLS-7") => to_client(false, FLAG).client_sends(47);
    unsupported_extension_for_flags_without_the_extension_yields_to_tls_7:
        "TF-7" Client Yields("TLS-7") => to_client(false, FLAG).client_sends(110);
    tls_7_is_followed_against_tf_7:
        "TLS-7" Client Follows("TF-7") => to_client(false, FLAG).client_sends(110);
    tls_7_yields_to_tf_7:
        "TLS-7" Client Yields("TF-7") => to_client(false, FLAG).client_sends(47);
    illegal_parameter_of_a_server_for_an_unsolicited_flag_satisfies_tf_7:
        "TF-7" Server Satisfied => to_asking_server(FLAG).server_sends(47);
    going_on_of_a_server_with_an_unsolicited_flag_violates_tf_7:
        "TF-7" Server Violated => to_asking_server(FLAG).finished(CLIENT, Epoch::Handshake).completed();
    illegal_parameter_of_a_server_for_flags_without_the_extension_follows_tf_7:
        "TF-7" Server Follows("TLS-7") => in_certificate(&[], OTHER).server_sends(47);
    unsupported_extension_of_a_server_yields_to_tls_7:
        "TF-7" Server Yields("TLS-7") => in_certificate(&[], OTHER).server_sends(110);
    tls_7_is_followed_against_tf_7_by_a_server:
        "TLS-7" Server Follows("TF-7") => in_certificate(&[], OTHER).server_sends(110);
    tls_7_yields_to_tf_7_at_a_server:
        "TLS-7" Server Yields("TF-7") => in_certificate(&[], OTHER).server_sends(47);
    a_client_that_sends_the_extension_shows_that_it_is_bound_by_tf_7:
        "TF-7" Client Violated => of_unknown(CLIENT, to_client(true, FLAG)).client_sends(110);
    a_server_that_sends_the_extension_shows_that_it_is_bound_by_tf_7:
        "TF-7" Server Violated => of_unknown(SERVER, to_asking_server(FLAG)).server_sends(110);
    what_is_known_of_a_client_wins_over_what_it_sends:
        "TF-7" Client Silent => to_client(true, FLAG).unaware(CLIENT).client_sends(47);
    illegal_parameter_of_a_client_that_may_know_flags_is_reported_by_tls_7:
        "TLS-7" Client Informational => of_unknown(CLIENT, in_server_hello(FLAG)).client_sends(47);
    illegal_parameter_of_a_server_that_may_know_flags_is_reported_by_tls_7:
        "TLS-7" Server Informational => of_unknown(SERVER, in_certificate(&[], OTHER)).server_sends(47);
    another_alert_of_a_client_that_may_know_flags_violates_tls_7:
        "TLS-7" Client Violated => of_unknown(CLIENT, in_server_hello(FLAG)).client_sends(50);
    illegal_parameter_of_a_client_that_does_not_know_flags_violates_tls_7:
        "TLS-7" Client Violated => in_server_hello(FLAG).unaware(CLIENT).client_sends(47);
    tf_7_says_nothing_of_a_flag_that_was_proposed:
        "TF-7" Client Silent => to_client(true, OTHER).client_sends(47);
    tf_7_says_nothing_of_a_server_that_proposed_the_flag:
        "TF-7" Server Silent => to_asking_server(OTHER).server_sends(47);
    tf_7_says_nothing_of_a_client_that_does_not_know_the_extension:
        "TF-7" Client Silent => to_client(true, FLAG).unaware(CLIENT).client_sends(110);
    tf_7_says_nothing_of_flags_in_certificate_request:
        "TF-7" Client Silent => in_request(FLAG).client_sends(47);

    going_on_with_unknown_flags_satisfies_tf_8:
        "TF-8" Server Satisfied => complete(&other(), None);
    unsupported_extension_for_unknown_flags_violates_tf_8:
        "TF-8" Server Violated => to_server(OTHER).server_refuses(110);
    illegal_parameter_for_unknown_flags_is_reported_by_tf_8:
        "TF-8" Server Informational => to_server(OTHER).server_refuses(47);
    going_on_of_a_client_with_unknown_flags_satisfies_tf_8:
        "TF-8" Client Satisfied => in_request(OTHER).server_authenticated().client_flight(Some(0));
    an_answer_behind_a_ticket_with_unknown_flags_satisfies_tf_8:
        "TF-8" Client Satisfied => in_ticket(OTHER).data(SERVER).close_notify(CLIENT);
    unsupported_extension_of_a_client_for_unknown_flags_violates_tf_8:
        "TF-8" Client Violated => in_request(OTHER).client_sends(110);
    tf_8_says_nothing_of_an_alert_about_something_else:
        "TF-8" Server Silent => to_server(OTHER).server_refuses(40);
    tf_8_says_nothing_of_the_flag_that_is_known:
        "TF-8" Server Silent => complete(&flag(), None);
    tf_8_says_nothing_of_resumption_across_names:
        "TF-8" Client Silent => in_ticket(&[2, 0, 1]).data(SERVER).close_notify(CLIENT);
    tf_8_says_nothing_of_a_client_that_may_not_have_read_the_ticket:
        "TF-8" Client Silent => in_ticket(OTHER).close_notify(CLIENT);
    tf_8_says_nothing_of_an_extension_that_stands_twice:
        "TF-8" Server Silent => Scene::new().hello(&[other(), other()].concat()).server_refuses(110);

    going_on_with_an_unrecognised_extension_satisfies_tls_13:
        "TLS-13" Server Satisfied => complete(&flag(), None).unaware(SERVER);
    going_on_with_grease_satisfies_tls_13:
        "TLS-13" Server Satisfied => complete(&[extension(0x1a1a, &[])], None);
    going_on_with_flags_under_another_number_satisfies_tls_13:
        "TLS-13" Server Satisfied => complete(&[extension(0xfe01, FLAG)], None);
    unsupported_extension_for_an_unrecognised_one_violates_tls_13:
        "TLS-13" Server Violated => to_server(FLAG).unaware(SERVER).server_refuses(110);
    decode_error_behind_an_unrecognised_extension_is_reported_by_tls_13:
        "TLS-13" Server Informational => to_server(&[0]).unaware(SERVER).server_refuses(50);
    going_on_of_a_client_with_an_unrecognised_extension_satisfies_tls_13:
        "TLS-13" Client Satisfied => unrecognised_request().server_authenticated()
            .client_flight(Some(0));
    unsupported_extension_of_a_client_for_an_unrecognised_one_violates_tls_13:
        "TLS-13" Client Violated => unrecognised_request().client_sends(110);
    decode_error_of_a_client_for_an_unrecognised_extension_is_reported_by_tls_13:
        "TLS-13" Client Informational => in_request(&[0]).unaware(CLIENT).client_sends(50);
    tls_13_says_nothing_where_the_second_client_hello_has_it_and_the_first_had_not:
        "TLS-13" Server Silent => Scene::new().hello(&[]).retry(&[]).hello(&flag()).unaware(SERVER)
            .server_refuses(110);
    tls_13_says_nothing_of_a_server_that_knows_the_extension:
        "TLS-13" Server Silent => complete(&flag(), None);
    tls_13_says_nothing_of_a_client_of_which_nothing_is_known:
        "TLS-13" Client Silent => in_request(FLAG).client_sends(110)
            .known(|it| it.client.knows_flags = None);
    tls_13_says_nothing_of_an_alert_about_something_else:
        "TLS-13" Server Silent => to_server(FLAG).unaware(SERVER).server_refuses(70);
    tls_13_says_nothing_where_pre_shared_key_is_not_last:
        "TLS-13" Server Silent => Scene::new().unaware(SERVER)
            .hello(&[extension(41, &[]), extension(62, FLAG)]).server_refuses(110);
    tls_13_says_nothing_of_what_a_response_did:
        "TLS-13" Client Silent => to_client(false, FLAG).unaware(CLIENT)
            .request(Epoch::Handshake, &flag()).client_sends(110);

    flags_with_nothing_behind_them_satisfy_tls_17:
        "TLS-17" Client Satisfied => to_server(FLAG);
    octets_left_over_violate_tls_17:
        "TLS-17" Client Violated => to_server(TOO_SHORT);
    flags_of_a_server_with_nothing_behind_them_satisfy_tls_17:
        "TLS-17" Server Satisfied => to_client(true, OTHER);
    octets_of_a_server_left_over_violate_tls_17:
        "TLS-17" Server Violated => to_client(true, TOO_SHORT);
    going_on_with_octets_left_over_violates_tls_17:
        "TLS-17" Server Violated => complete(&tls_flags(TOO_SHORT), None);
    decode_error_for_octets_left_over_follows_tls_17:
        "TLS-17" Server Follows("TF-4") => to_server(TOO_SHORT).server_refuses(50);
    illegal_parameter_for_octets_left_over_yields_to_tf_4:
        "TLS-17" Server Yields("TF-4") => to_server(TOO_SHORT).server_refuses(47);
    decode_error_of_a_client_for_octets_left_over_follows_tls_17:
        "TLS-17" Client Follows("TF-4") => in_request(TOO_SHORT).client_sends(50);
    illegal_parameter_of_a_client_for_octets_left_over_yields_to_tf_4:
        "TLS-17" Client Yields("TF-4") => in_request(TOO_SHORT).client_sends(47);
    decode_error_in_encrypted_extensions_follows_tls_17:
        "TLS-17" Client Follows("TLS-19") => to_client(false, TOO_SHORT).client_sends(50);
    illegal_parameter_in_encrypted_extensions_yields_to_tls_19:
        "TLS-17" Client Yields("TLS-19") => to_client(false, TOO_SHORT).client_sends(47);
    decode_error_for_unsolicited_octets_left_over_follows_tls_17:
        "TLS-17" Client Follows("TLS-7") => in_server_hello(TOO_SHORT).client_sends(50);
    unsupported_extension_for_unsolicited_octets_left_over_yields_to_tls_7:
        "TLS-17" Client Yields("TLS-7") => in_server_hello(TOO_SHORT).client_sends(110);
    tls_7_is_followed_against_tls_17:
        "TLS-7" Client Follows("TLS-17") => in_server_hello(TOO_SHORT).client_sends(110);
    tls_7_yields_to_tls_17:
        "TLS-7" Client Yields("TLS-17") => in_server_hello(TOO_SHORT).client_sends(50);
    decode_error_of_a_server_for_unsolicited_octets_left_over_follows_tls_17:
        "TLS-17" Server Follows("TLS-7") => in_certificate(&[], TOO_SHORT).server_sends(50);
    unsupported_extension_of_a_server_for_octets_left_over_yields_to_tls_7:
        "TLS-17" Server Yields("TLS-7") => in_certificate(&[], TOO_SHORT).server_sends(110);
    tls_7_is_followed_against_tls_17_by_a_server:
        "TLS-7" Server Follows("TLS-17") => in_certificate(&[], TOO_SHORT).server_sends(110);
    tls_7_yields_to_tls_17_at_a_server:
        "TLS-7" Server Yields("TLS-17") => in_certificate(&[], TOO_SHORT).server_sends(50);
    tls_17_says_nothing_of_a_client_without_flags:
        "TLS-17" Client Silent => complete(&[], None);
    tls_17_says_nothing_of_a_server_that_does_not_know_the_extension:
        "TLS-17" Server Silent => complete(&tls_flags(TOO_SHORT), None).unaware(SERVER);

    illegal_parameter_for_what_parses_and_makes_no_sense_satisfies_tls_18:
        "TLS-18" Server Satisfied => to_server(ZEROS).server_refuses(47);
    decode_error_for_what_parses_violates_tls_18:
        "TLS-18" Server Violated => to_server(ZEROS).server_refuses(50);
    decode_error_for_a_message_that_does_not_parse_satisfies_tls_18:
        "TLS-18" Server Satisfied => Scene::new().hello(&[]).server_flight(Some(&[]))
            .malformed(CLIENT, Epoch::Handshake, HandshakeType::CERTIFICATE).server_sends(50);
    illegal_parameter_of_a_client_for_zeros_satisfies_tls_18:
        "TLS-18" Client Satisfied => in_request(ZEROS).client_sends(47);
    decode_error_of_a_client_for_a_message_that_does_not_parse_satisfies_tls_18:
        "TLS-18" Client Satisfied => Scene::new().hello(&[]).server_hello(&[])
            .malformed(SERVER, Epoch::Handshake, HandshakeType::ENCRYPTED_EXTENSIONS).client_sends(50);
    another_alert_for_a_message_that_does_not_parse_violates_tls_18:
        "TLS-18" Client Violated => Scene::new().hello(&[]).server_hello(&[])
            .malformed(SERVER, Epoch::Handshake, HandshakeType::ENCRYPTED_EXTENSIONS).client_sends(47);
    decode_error_for_a_length_too_large_follows_tls_18:
        "TLS-18" Server Follows("TF-4") => to_server(TOO_LONG).server_refuses(50);
    illegal_parameter_for_a_length_too_large_yields_to_tf_4:
        "TLS-18" Server Yields("TF-4") => to_server(TOO_LONG).server_refuses(47);
    decode_error_of_a_client_for_a_length_too_large_follows_tls_18:
        "TLS-18" Client Follows("TF-4") => in_request(TOO_LONG).client_sends(50);
    illegal_parameter_of_a_client_for_a_length_too_large_yields_to_tf_4:
        "TLS-18" Client Yields("TF-4") => in_request(TOO_LONG).client_sends(47);
    decode_error_in_encrypted_extensions_follows_tls_18:
        "TLS-18" Client Follows("TLS-19") => to_client(false, TOO_LONG).client_sends(50);
    illegal_parameter_in_encrypted_extensions_yields_to_tls_19_at_tls_18:
        "TLS-18" Client Yields("TLS-19") => to_client(false, TOO_LONG).client_sends(47);
    decode_error_for_an_unsolicited_length_too_large_follows_tls_18:
        "TLS-18" Client Follows("TLS-7") => in_server_hello(TOO_LONG).client_sends(50);
    unsupported_extension_for_an_unsolicited_length_too_large_yields_to_tls_7:
        "TLS-18" Client Yields("TLS-7") => in_server_hello(TOO_LONG).client_sends(110);
    tls_7_is_followed_against_tls_18:
        "TLS-7" Client Follows("TLS-18") => in_server_hello(TOO_LONG).client_sends(110);
    tls_7_yields_to_tls_18:
        "TLS-7" Client Yields("TLS-18") => in_server_hello(TOO_LONG).client_sends(50);
    decode_error_of_a_server_for_an_unsolicited_length_too_large_follows_tls_18:
        "TLS-18" Server Follows("TLS-7") => in_certificate(&[], TOO_LONG).server_sends(50);
    unsupported_extension_of_a_server_for_a_length_too_large_yields_to_tls_7:
        "TLS-18" Server Yields("TLS-7") => in_certificate(&[], TOO_LONG).server_sends(110);
    tls_7_is_followed_against_tls_18_by_a_server:
        "TLS-7" Server Follows("TLS-18") => in_certificate(&[], TOO_LONG).server_sends(110);
    tls_7_yields_to_tls_18_at_a_server:
        "TLS-7" Server Yields("TLS-18") => in_certificate(&[], TOO_LONG).server_sends(50);
    tls_18_says_nothing_of_flags_that_are_right:
        "TLS-18" Server Silent => to_server(FLAG).server_refuses(50);
    tls_18_says_nothing_of_a_client_that_receives_flags_that_are_right:
        "TLS-18" Client Silent => in_request(OTHER).client_sends(50);

    illegal_parameter_for_a_forbidden_extension_satisfies_tls_19:
        "TLS-19" Client Satisfied => Scene::new().hello(&[extension(51, &[0, 0])]).server_hello(&[])
            .encrypted(&[extension(51, &[])]).client_sends(47);
    decode_error_for_a_forbidden_extension_violates_tls_19:
        "TLS-19" Client Violated => Scene::new().hello(&[extension(51, &[0, 0])]).server_hello(&[])
            .encrypted(&[extension(51, &[])]).client_sends(50);
    going_on_with_a_forbidden_extension_violates_tls_19:
        "TLS-19" Client Violated => to_client(false, FLAG).server_authenticated().client_flight(None);
    illegal_parameter_for_an_unsolicited_extension_follows_tls_19:
        "TLS-19" Client Follows("TLS-7") => to_client(false, FLAG).client_sends(47);
    unsupported_extension_for_an_unsolicited_one_yields_to_tls_7:
        "TLS-19" Client Yields("TLS-7") => to_client(false, FLAG).client_sends(110);
    tls_7_is_followed_against_tls_19:
        "TLS-7" Client Follows("TLS-19") => to_client(false, FLAG).client_sends(110);
    tls_7_yields_to_tls_19:
        "TLS-7" Client Yields("TLS-19") => to_client(false, FLAG).client_sends(47);
    tls_19_is_followed_against_tls_17:
        "TLS-19" Client Follows("TLS-17") => to_client(false, TOO_SHORT).client_sends(47);
    tls_19_yields_to_tls_17:
        "TLS-19" Client Yields("TLS-17") => to_client(false, TOO_SHORT).client_sends(50);
    tls_19_is_followed_against_tls_18:
        "TLS-19" Client Follows("TLS-18") => to_client(false, TOO_LONG).client_sends(47);
    tls_19_yields_to_tls_18:
        "TLS-19" Client Yields("TLS-18") => to_client(false, TOO_LONG).client_sends(50);
    tls_19_says_nothing_of_server_hello:
        "TLS-19" Client Silent => in_server_hello(FLAG).client_sends(47);
    tls_19_says_nothing_of_what_was_asked_for:
        "TLS-19" Client Silent => to_client(true, OTHER).client_sends(47);
}

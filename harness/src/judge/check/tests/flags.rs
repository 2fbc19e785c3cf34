//! The flags extension: what its senders do.

use reqmtls_observer::{Epoch, Extension};

use super::examples::{Example, Kind::*, examples};
use super::scene::{
    CLIENT, FLAG, OTHER, SERVER, Scene, complete, extension, flag, late, other, tls_flags,
};
use crate::judge::finding::Party;

/// A ClientHello with a value of `tls_flags`, and a server that continues.
fn with(value: &[u8]) -> Scene {
    complete(&tls_flags(value), None)
}

/// A server with a value in EncryptedExtensions.
fn encrypted(hello: &[Extension], value: &[u8]) -> Scene {
    let scene = Scene::new().hello(hello).server_hello(&[]);
    scene.encrypted(&tls_flags(value)).server_authenticated()
}

fn tls12() -> Scene {
    Scene::new().hello(&flag()).server_hello12(&flag())
}

/// A client with flags in its Certificate.
fn certificate(request: &[Extension]) -> Scene {
    let scene = Scene::new().hello(&[]).server_flight(Some(request));
    scene.certificate(CLIENT, Epoch::Handshake, 1, &other())
}

fn early_data(hello: &[Extension]) -> Scene {
    Scene::new().psk_hellos(&[&[extension(42, &[])], hello].concat(), &[])
}

examples! {
    flags_that_parse_satisfy_tf_1:
        "TF-1" Client Satisfied => with(FLAG);
    trailing_zeros_parse_and_satisfy_tf_1:
        "TF-1" Client Satisfied => with(&[2, 1, 0]);
    no_octets_violate_tf_1:
        "TF-1" Client Violated => with(&[]);
    a_length_of_zero_violates_tf_1:
        "TF-1" Client Violated => with(&[0]);
    a_length_too_large_violates_tf_1:
        "TF-1" Client Violated => with(&[2, 1]);
    a_length_too_small_violates_tf_1:
        "TF-1" Client Violated => with(&[1, 1, 1]);
    flags_of_a_server_that_parse_satisfy_tf_1:
        "TF-1" Server Satisfied => encrypted(&other(), OTHER);
    flags_of_a_server_that_do_not_parse_violate_tf_1:
        "TF-1" Server Violated => encrypted(&other(), &[2, 1]);
    tf_1_says_nothing_of_a_client_without_the_extension:
        "TF-1" Client Silent => complete(&[], None);
    tf_1_says_nothing_of_a_server_without_the_extension:
        "TF-1" Server Silent => with(FLAG);
    tf_1_says_nothing_of_tls_12:
        "TF-1" Client Silent => Scene::new().hello(&tls_flags(&[0])).server_hello12(&[]);
    tf_1_says_nothing_of_another_number:
        "TF-1" Client Silent => complete(&[extension(0xfe01, &[0])], None);

    the_fewest_octets_satisfy_tf_2:
        "TF-2" Client Satisfied => with(FLAG);
    an_all_zero_value_violates_tf_2:
        "TF-2" Client Violated => with(&[3, 0, 0, 0]);
    trailing_zeros_violate_tf_2:
        "TF-2" Client Violated => with(&[2, 1, 0]);
    the_fewest_octets_of_a_server_satisfy_tf_2:
        "TF-2" Server Satisfied => encrypted(&other(), OTHER);
    trailing_zeros_of_a_server_violate_tf_2:
        "TF-2" Server Violated => encrypted(&other(), &[2, 8, 0]);
    tf_2_says_nothing_of_a_client_whose_value_does_not_parse:
        "TF-2" Client Silent => with(&[0]);
    tf_2_says_nothing_of_a_server_whose_value_does_not_parse:
        "TF-2" Server Silent => encrypted(&other(), &[0]);

    an_octet_of_flags_satisfies_tf_5:
        "TF-5" Client Satisfied => with(OTHER);
    a_length_of_zero_violates_tf_5:
        "TF-5" Client Violated => with(&[0]);
    no_octets_violate_tf_5:
        "TF-5" Client Violated => with(&[]);
    tf_5_says_nothing_of_a_server:
        "TF-5" Client Silent => encrypted(&[], &[0]);

    acknowledging_what_was_proposed_satisfies_tf_6:
        "TF-6" Server Satisfied => encrypted(&other(), OTHER);
    acknowledging_nothing_satisfies_tf_6:
        "TF-6" Server Satisfied => complete(&[], None);
    a_flag_in_encrypted_extensions_that_was_not_proposed_violates_tf_6:
        "TF-6" Server Violated => encrypted(&flag(), OTHER);
    a_flag_in_server_hello_that_was_not_proposed_violates_tf_6:
        "TF-6" Server Violated => Scene::new().hello(&[]).server_hello(&other());
    a_flag_in_certificate_that_was_not_proposed_violates_tf_6:
        "TF-6" Server Violated => Scene::new().hello(&[]).server_hello(&[]).encrypted(&[])
            .certificate(SERVER, Epoch::Handshake, 1, &other());
    a_flag_that_is_proposed_too_late_violates_tf_6:
        "TF-6" Server Violated => Scene::new().hello(&[]).retry(&other()).hello(&other());
    acknowledging_what_the_server_proposed_satisfies_tf_6:
        "TF-6" Client Satisfied => certificate(&other());
    a_flag_of_the_client_that_was_not_proposed_violates_tf_6:
        "TF-6" Client Violated => certificate(&[]);
    a_flag_of_another_request_violates_tf_6:
        "TF-6" Client Violated => {
            let scene = Scene::new().hello(&late()).server_flight(Some(&other()));
            let scene = scene.client_flight(Some(0)).request(Epoch::Application, &[]);
            scene.certificate(CLIENT, Epoch::Application, 1, &other())
        };
    tf_6_says_nothing_of_a_client_that_sends_no_certificate:
        "TF-6" Client Silent => complete(&other(), None);
    tf_6_says_nothing_of_tls_12:
        "TF-6" Server Silent => tls12();

    flags_in_client_hello_satisfy_tf_9:
        "TF-9" Client Satisfied => with(FLAG);
    flags_in_server_hello_of_tls_13_satisfy_tf_9:
        "TF-9" Server Satisfied => Scene::new().hello(&flag()).server_hello(&flag());
    flags_in_server_hello_of_tls_12_violate_tf_9:
        "TF-9" Server Violated => tls12();
    tf_9_says_nothing_of_a_client_without_flags:
        "TF-9" Client Silent => complete(&[], None);
    tf_9_says_nothing_of_a_server_without_flags:
        "TF-9" Server Silent => complete(&flag(), None);

    proposing_the_flags_that_it_is_to_propose_satisfies_tf_10:
        "TF-10" Client Satisfied => with(FLAG).proposing(FLAG);
    proposing_nothing_violates_tf_10:
        "TF-10" Client Violated => complete(&[], None).proposing(FLAG);
    proposing_another_flag_violates_tf_10:
        "TF-10" Client Violated => with(OTHER).proposing(FLAG);
    tf_10_says_nothing_of_a_client_of_which_nothing_is_known:
        "TF-10" Client Silent => complete(&[], None);
    tf_10_says_nothing_of_what_is_malformed_on_purpose:
        "TF-10" Client Silent => with(&[0]).proposing(&[0]);
    tf_10_says_nothing_of_tls_12:
        "TF-10" Client Silent => Scene::new().hello(&[]).server_hello12(&[]).proposing(FLAG);

    an_acknowledgement_in_encrypted_extensions_satisfies_tf_11:
        "TF-11" Server Satisfied => encrypted(&other(), OTHER);
    an_acknowledgement_in_the_clients_certificate_satisfies_tf_11:
        "TF-11" Client Satisfied => certificate(&other());
    an_acknowledgement_in_certificate_request_yields_to_rca_1:
        "TF-11" Server Yields("RCA-1") => Scene::new().rca().hello(&flag()).server_flight(Some(&flag()));
    an_acknowledgement_of_the_flag_elsewhere_follows_tf_11:
        "TF-11" Server Follows("RCA-1") => encrypted(&flag(), FLAG).rca();
    tf_11_says_nothing_of_a_client_that_acknowledges_nothing:
        "TF-11" Client Silent => complete(&[], Some(&other()));
    tf_11_says_nothing_of_a_server_that_acknowledges_nothing:
        "TF-11" Server Silent => complete(&other(), Some(&[]));

    the_same_flag_satisfies_tf_12:
        "TF-12" Server Satisfied => encrypted(&other(), OTHER);
    the_same_flag_of_the_client_satisfies_tf_12:
        "TF-12" Client Satisfied => certificate(&other());
    tf_12_says_nothing_of_another_flag_of_a_server:
        "TF-12" Server Silent => encrypted(&flag(), OTHER);
    tf_12_says_nothing_of_another_flag_of_a_client:
        "TF-12" Client Silent => certificate(&flag());

    the_flag_with_early_data_violates_tf_13:
        "TF-13" Documents Violated => early_data(&flag());
    the_flag_with_early_data_violates_tf_13_under_the_editors_copy:
        "TF-13" Documents Violated => early_data(&flag()).rca();
    tf_13_says_nothing_of_early_data_without_the_flag:
        "TF-13" Documents Silent => early_data(&other());
    tf_13_says_nothing_of_the_flag_without_early_data:
        "TF-13" Documents Silent => complete(&flag(), None);
}

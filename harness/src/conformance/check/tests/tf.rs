//! The flags extension.

use reqmtls_contract::{Hex, Resumption};

use super::scene::{CLIENT, FLAG, OTHER, SERVER, Scene, extension, tls_flags, unreadable};
use reqmtls_observer::{Ending, Epoch, Extension};

const HANDSHAKE: Epoch = Epoch::Handshake;
const APPLICATION: Epoch = Epoch::Application;
const NOTHING: [&str; 0] = [];

/// A server that refuses ClientHello.
fn refusing(hello: &[Extension], alert: u8) -> Scene {
    let scene = Scene::new().hello(hello);
    scene.alert(SERVER, Epoch::Plaintext, alert)
}

/// A handshake that completes without a CertificateRequest.
fn complete(hello: &[Extension]) -> Scene {
    let scene = Scene::new().hello(hello).server_flight(None);
    scene.client_flight(None).completed()
}

#[test]
fn tf_1_is_broken_by_who_sends_a_value_that_does_not_parse() {
    for body in [&[][..], &[0], &[2, 1], &[1, 1, 1]] {
        let ruling = complete(&tls_flags(body)).says("TF-1");
        assert_eq!(ruling, ["client broken"], "{body:?}");
        let by_server = Scene::new().hello(&tls_flags(FLAG)).server_hello(&[]);
        let by_server = by_server.encrypted(&tls_flags(body));
        let both = ["client kept", "server broken"];
        assert_eq!(by_server.says("TF-1"), both, "{body:?}");
    }
}

#[test]
fn tf_1_is_kept_by_what_parses() {
    for body in [FLAG, OTHER, &[1, 0], &[2, 1, 0]] {
        let ruling = complete(&tls_flags(body)).says("TF-1");
        assert_eq!(ruling, ["client kept"], "{body:?}");
    }
    assert_eq!(complete(&[]).says("TF-1"), NOTHING);
}

#[test]
fn tf_2_is_broken_by_who_sends_more_octets_than_need_be() {
    for body in [&[1, 0][..], &[3, 0, 0, 0], &[2, 1, 0]] {
        let ruling = complete(&tls_flags(body)).says("TF-2");
        assert_eq!(ruling, ["client broken"], "{body:?}");
    }
    assert_eq!(complete(&tls_flags(FLAG)).says("TF-2"), ["client kept"]);
    assert_eq!(complete(&tls_flags(&[0])).says("TF-2"), NOTHING);
}

#[test]
fn tf_3_is_kept_by_illegal_parameter_alone() {
    for body in [&[1, 0][..], &[2, 1, 0]] {
        let answered = |alert| refusing(&tls_flags(body), alert).says("TF-3");
        assert_eq!(answered(47), ["server kept"]);
        assert_eq!(answered(50), ["server broken"]);
        assert_eq!(answered(110), ["server broken"]);
    }
}

#[test]
fn tf_3_is_broken_by_going_on_and_by_an_end_without_an_alert() {
    let zeros = tls_flags(&[1, 0]);
    assert_eq!(complete(&zeros).says("TF-3"), ["server broken"]);
    let late = complete(&zeros).alert(SERVER, APPLICATION, 47);
    assert_eq!(late.says("TF-3"), ["server broken"]);
    let silent = Scene::new().hello(&zeros);
    assert_eq!(silent.says("TF-3"), ["server broken"]);
}

#[test]
fn tf_3_is_about_receivers_that_know_the_extension_and_are_seen_to_answer() {
    let zeros = tls_flags(&[1, 0]);
    let unknowing = complete(&zeros).unknowing(SERVER);
    assert_eq!(unknowing.says("TF-3"), NOTHING);
    let tls12 = Scene::new().hello(&zeros).server_hello12(&[]);
    assert_eq!(tls12.says("TF-3"), NOTHING);
    let open = Scene::new().hello(&zeros).ending(SERVER, Ending::Open);
    assert_eq!(open.says("TF-3"), NOTHING);
    let client_first = Scene::new()
        .hello(&zeros)
        .alert(CLIENT, Epoch::Plaintext, 80);
    assert_eq!(client_first.says("TF-3"), NOTHING);
    assert_eq!(refusing(&tls_flags(FLAG), 47).says("TF-3"), NOTHING);
}

#[test]
fn an_answer_that_cannot_be_read_is_not_judged() {
    let scene = Scene::new().hello(&tls_flags(&[1, 0]));
    let scene = scene.push(SERVER, HANDSHAKE, unreadable());
    assert_eq!(scene.says("TF-3"), NOTHING);
}

#[test]
fn tf_3_holds_clients_as_well() {
    let offences = |body: &[u8]| {
        let zeros = tls_flags(body);
        let start = || Scene::new().hello(&tls_flags(OTHER));
        let request = || start().server_hello(&[]).encrypted(&[]);
        [
            start().retry(&zeros),
            start().server_hello(&zeros),
            start().server_hello(&[]).encrypted(&zeros),
            request().request(HANDSHAKE, &zeros),
            request().certificate(SERVER, HANDSHAKE, 1, &zeros),
        ]
    };
    for offence in offences(&[2, 8, 0]) {
        let answered = |alert| offence.clone().alert(CLIENT, HANDSHAKE, alert).says("TF-3");
        assert_eq!(answered(47), ["client kept"]);
        assert_eq!(answered(50), ["client broken"]);
        let went_on = offence.clone().client_flight(None);
        assert_eq!(went_on.says("TF-3"), ["client broken"]);
    }
}

#[test]
fn tf_3_holds_clients_after_the_handshake() {
    let scene = Scene::new().hello(&[]).server_flight(None);
    let scene = scene.client_flight(None).data(CLIENT);
    let ticket = scene.ticket(&tls_flags(&[1, 0]));
    let refused = ticket.clone().alert(CLIENT, APPLICATION, 47);
    assert_eq!(refused.says("TF-3"), ["client kept"]);
    let went_on = ticket.close_notify(CLIENT);
    assert_eq!(went_on.says("TF-3"), ["client broken"]);
}

#[test]
fn tf_3_pulls_against_tls_7_in_a_response_that_was_not_requested() {
    let offence = || Scene::new().hello(&[]).server_hello(&tls_flags(&[1, 0]));
    let answered = |alert| {
        offence()
            .alert(CLIENT, Epoch::Plaintext, alert)
            .says("TF-3")
    };
    assert_eq!(answered(47), ["TF-3 over TLS-7"]);
    assert_eq!(answered(110), ["TLS-7 over TF-3"]);
    assert_eq!(answered(50), ["client broken"]);
}

#[test]
fn tf_4_asks_for_illegal_parameter_and_the_syntax_for_decode_error() {
    for body in [&[2, 1][..], &[1, 1, 1], &[0, 1]] {
        let answered = |alert| refusing(&tls_flags(body), alert).says("TF-4");
        assert_eq!(answered(47), ["server kept"]);
        assert_eq!(answered(50), ["TF-1 over TF-4"]);
        assert_eq!(answered(110), ["server broken"]);
        assert_eq!(complete(&tls_flags(body)).says("TF-4"), ["server broken"]);
        let silent = Scene::new().hello(&tls_flags(body));
        assert_eq!(silent.says("TF-4"), ["server told"]);
    }
    assert_eq!(refusing(&tls_flags(&[1, 0]), 47).says("TF-4"), NOTHING);
}

#[test]
fn tf_5_says_which_reading_of_zero_length_was_followed() {
    for body in [&[][..], &[0]] {
        let answered = |alert| refusing(&tls_flags(body), alert).says("TF-5");
        assert_eq!(answered(47), ["client broken", "TF-4 over TF-1"]);
        assert_eq!(answered(50), ["client broken", "TF-1 over TF-4"]);
        assert_eq!(answered(40), ["client broken", "server broken"]);
        let went_on = complete(&tls_flags(body));
        assert_eq!(went_on.says("TF-5"), ["client broken", "server broken"]);
    }
}

#[test]
fn tf_5_forbids_zero_length_to_clients() {
    assert_eq!(complete(&tls_flags(FLAG)).says("TF-5"), ["client kept"]);
    let by_server = Scene::new().hello(&tls_flags(FLAG)).server_hello(&[]);
    let by_server = by_server.encrypted(&tls_flags(&[0]));
    let by_server = by_server.alert(CLIENT, HANDSHAKE, 50);
    assert_eq!(by_server.says("TF-5"), ["client kept", "TF-1 over TF-4"]);
}

#[test]
fn tf_6_is_broken_by_flags_that_were_not_proposed() {
    let other = tls_flags(OTHER);
    for proposed in [vec![], tls_flags(FLAG)] {
        let start = || Scene::new().hello(&proposed);
        let handshake = || start().server_hello(&[]).encrypted(&[]);
        let offences = [
            start().retry(&other),
            start().server_hello(&other),
            start().server_hello(&[]).encrypted(&other),
            handshake().certificate(SERVER, HANDSHAKE, 1, &other),
        ];
        for offence in offences {
            assert_eq!(offence.says("TF-6"), ["server broken"]);
        }
    }
    let by_client = Scene::new().hello(&[]).server_flight(Some(&[]));
    let by_client = by_client.certificate(CLIENT, HANDSHAKE, 1, &other);
    assert_eq!(by_client.says("TF-6"), ["client broken", "server kept"]);
}

#[test]
fn tf_6_takes_proposals_only_from_the_messages_that_were_answered() {
    let other = tls_flags(OTHER);
    let too_late = Scene::new().hello(&[]).retry(&other).hello(&other);
    assert_eq!(too_late.says("TF-6"), ["server broken"]);
    let first = Scene::new()
        .hello(&[extension(49, &[])])
        .server_flight(Some(&other));
    let second = first.client_flight(Some(0)).request(APPLICATION, &[]);
    let second = second.certificate(CLIENT, APPLICATION, 1, &other);
    assert_eq!(second.says("TF-6"), ["client broken", "server kept"]);
}

#[test]
fn tf_6_is_kept_by_acknowledging_what_was_proposed() {
    let other = tls_flags(OTHER);
    let acknowledged = Scene::new()
        .hello(&other)
        .server_hello(&[])
        .encrypted(&other);
    assert_eq!(acknowledged.says("TF-6"), ["server kept"]);
    let line = acknowledged.ruling("TF-6").message.unwrap();
    assert!(line.contains("EncryptedExtensions"), "{line}");
    let by_client = Scene::new().hello(&[]).server_flight(Some(&other));
    let by_client = by_client.certificate(CLIENT, HANDSHAKE, 1, &other);
    assert_eq!(by_client.says("TF-6"), ["client kept", "server kept"]);
    let proposing = Scene::new()
        .hello(&[])
        .server_flight(Some(&other))
        .ticket(&other);
    assert_eq!(proposing.says("TF-6"), ["server kept"]);
    let tls12 = Scene::new().hello(&[]).server_hello12(&[]);
    assert_eq!(tls12.says("TF-6"), NOTHING);
}

#[test]
fn tf_7_alone_holds_where_the_client_sent_the_extension() {
    let other = tls_flags(OTHER);
    let start = || Scene::new().hello(&tls_flags(FLAG));
    for offence in [
        start().retry(&other),
        start().server_hello(&other),
        start().server_hello(&[]).encrypted(&other),
    ] {
        let answered = |alert| offence.clone().alert(CLIENT, HANDSHAKE, alert).says("TF-7");
        assert_eq!(answered(47), ["client kept"]);
        assert_eq!(answered(110), ["client broken"]);
        assert_eq!(offence.says("TF-7"), ["client broken"]);
        let went_on = offence.clone().client_flight(None);
        assert_eq!(went_on.says("TF-7"), ["client broken"]);
        let unknowing = went_on.unknowing(CLIENT);
        assert_eq!(unknowing.says("TF-7"), NOTHING);
    }
}

#[test]
fn tf_7_pulls_against_tls_7_where_the_client_did_not() {
    let offence = || {
        let scene = Scene::new().hello(&[]).server_hello(&[]);
        scene.encrypted(&tls_flags(FLAG))
    };
    for id in ["TF-7", "TLS-7"] {
        let answered = |alert| offence().alert(CLIENT, HANDSHAKE, alert).says(id);
        assert_eq!(answered(47), ["TF-7 over TLS-7"]);
        assert_eq!(answered(110), ["TLS-7 over TF-7"]);
        assert_eq!(answered(50), ["client broken"]);
    }
}

#[test]
fn tf_7_holds_servers_to_the_clients_certificate() {
    let offence = |request: &[Extension]| {
        let scene = Scene::new().hello(&tls_flags(OTHER));
        let scene = scene.server_flight(Some(request));
        scene.certificate(CLIENT, HANDSHAKE, 1, &tls_flags(OTHER))
    };
    let answered = |request: &[Extension]| {
        let scene = offence(request).alert(SERVER, APPLICATION, 47);
        scene.says("TF-7")
    };
    assert_eq!(answered(&tls_flags(FLAG)), ["server kept"]);
    assert_eq!(answered(&[]), ["TF-7 over TLS-7"]);
    let went_on = offence(&[]).finished(CLIENT, HANDSHAKE).completed();
    assert_eq!(went_on.says("TF-7"), ["server broken"]);
    assert_eq!(offence(&tls_flags(OTHER)).completed().says("TF-7"), NOTHING);
}

#[test]
fn only_the_first_offence_has_to_be_answered() {
    let scene = Scene::new().hello(&tls_flags(FLAG));
    let scene = scene.server_hello(&tls_flags(&[1, 1, 1]));
    let scene = scene.encrypted(&tls_flags(OTHER));
    let scene = scene.alert(CLIENT, Epoch::Plaintext, 50);
    assert_eq!(scene.says("TF-7"), NOTHING);
    assert_eq!(scene.says("TF-4"), ["TF-1 over TF-4"]);
}

#[test]
fn tf_8_is_kept_by_passing_over_unknown_flags() {
    let other = tls_flags(OTHER);
    assert_eq!(complete(&other).says("TF-8"), ["server kept"]);
    let asked = Scene::new().hello(&[]).server_flight(Some(&other));
    let asked = asked.client_flight(Some(0)).completed();
    assert_eq!(asked.says("TF-8"), ["client kept"]);
    let ticket = complete(&[]).ticket(&other);
    assert_eq!(ticket.says("TF-8"), ["client kept"]);
    assert_eq!(complete(&tls_flags(FLAG)).says("TF-8"), NOTHING);
    let tls12 = Scene::new().hello(&other).server_hello12(&[]);
    assert_eq!(tls12.says("TF-8"), NOTHING);
    assert_eq!(complete(&other).unknowing(SERVER).says("TF-8"), NOTHING);
}

#[test]
fn tf_8_holds_beside_the_request_flag_in_a_response() {
    let scene = Scene::new().hello(&tls_flags(FLAG)).server_hello(&[]);
    let scene = scene.encrypted(&tls_flags(FLAG));
    let scene = scene.request(HANDSHAKE, &tls_flags(OTHER));
    assert_eq!(scene.client_flight(Some(0)).says("TF-8"), ["client kept"]);
}

#[test]
fn tf_8_is_broken_by_refusing_unknown_flags() {
    let other = tls_flags(OTHER);
    for alert in [47, 50, 110] {
        assert_eq!(refusing(&other, alert).says("TF-8"), ["server broken"]);
        let asked = Scene::new().hello(&[]).server_flight(Some(&other));
        let asked = asked.alert(CLIENT, HANDSHAKE, alert);
        assert_eq!(asked.says("TF-8"), ["client broken"]);
    }
    assert_eq!(refusing(&other, 40).says("TF-8"), NOTHING);
    let twice = [other.clone(), other].concat();
    assert_eq!(refusing(&twice, 47).says("TF-8"), NOTHING);
}

#[test]
fn tf_9_leaves_tls_12_without_the_extension() {
    let flagged = tls_flags(FLAG);
    let tls12 = Scene::new().hello(&flagged).server_hello12(&flagged);
    assert_eq!(tls12.says("TF-9"), ["client kept", "server broken"]);
    let tls13 = Scene::new().hello(&flagged).server_hello(&flagged);
    assert_eq!(tls13.says("TF-9"), ["client kept", "server kept"]);
    assert_eq!(complete(&[]).says("TF-9"), NOTHING);
}

#[test]
fn tf_10_wants_the_flags_as_set_up() {
    let flagged = tls_flags(FLAG);
    assert_eq!(
        complete(&flagged).sending_flags(FLAG).says("TF-10"),
        ["client kept"]
    );
    for hello in [
        vec![],
        tls_flags(OTHER),
        [flagged.clone(), flagged].concat(),
    ] {
        let scene = complete(&hello).sending_flags(FLAG);
        assert_eq!(scene.says("TF-10"), ["client broken"]);
    }
}

#[test]
fn tf_10_is_about_clients_that_are_told_to_propose_something() {
    let flagged = tls_flags(FLAG);
    assert_eq!(complete(&flagged).says("TF-10"), NOTHING);
    let malformed = complete(&tls_flags(&[0])).sending_flags(&[0]);
    assert_eq!(malformed.says("TF-10"), NOTHING);
    let edited = complete(&[]).sending_flags(FLAG).editing_flags();
    assert_eq!(edited.says("TF-10"), NOTHING);
}

#[test]
fn tf_10_takes_the_flags_of_the_second_connection_from_resumption() {
    let mut scene = complete(&tls_flags(OTHER)).sending_flags(FLAG);
    scene.client.resumption = Some(Resumption {
        tls_flags: Some(Hex(OTHER.to_vec())),
        early_data: false,
    });
    assert_eq!(scene.says("TF-10"), ["client broken"]);
    scene.connection = 1;
    assert_eq!(scene.says("TF-10"), ["client kept"]);
}

#[test]
fn a_value_that_stands_twice_is_told_whatever_the_alert() {
    let twice = vec![extension(62, &[1, 0]), extension(62, &[1, 0])];
    assert_eq!(refusing(&twice, 50).says("TF-3"), ["server told"]);
    assert_eq!(
        refusing(&twice, 50).says("TLS-8"),
        ["client broken", "server told"]
    );
}

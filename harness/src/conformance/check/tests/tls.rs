//! RFC 8446.

use reqmtls_contract::{Hex, Policy, Version};

use super::scene::{CLIENT, FLAG, OTHER, SERVER, Scene, extension, tls_flags};
use crate::wire::{Content, ContentType, Ending, Epoch, Extension};

const HANDSHAKE: Epoch = Epoch::Handshake;
const APPLICATION: Epoch = Epoch::Application;
const NOTHING: [&str; 0] = [];

fn asked() -> Scene {
    Scene::new().hello(&[]).server_flight(Some(&[]))
}

fn not_asked() -> Scene {
    Scene::new().hello(&[]).server_flight(None)
}

fn offering_post_handshake() -> Scene {
    let scene = Scene::new().hello(&[extension(49, &[])]);
    scene.server_flight(None).client_flight(None).data(CLIENT)
}

#[test]
fn tls_1_wants_certificate_request_after_encrypted_extensions() {
    assert_eq!(asked().says("TLS-1"), ["server kept"]);
    assert_eq!(not_asked().says("TLS-1"), NOTHING);
    let early = Scene::new().hello(&[]).server_hello(&[]);
    let early = early.request(HANDSHAKE, &[]).encrypted(&[]);
    assert_eq!(early.says("TLS-1"), ["server broken"]);
    let late = Scene::new().hello(&[]).server_hello(&[]).encrypted(&[]);
    let late = late.certificate(SERVER, HANDSHAKE, 1, &[]);
    assert_eq!(
        late.request(HANDSHAKE, &[]).says("TLS-1"),
        ["server broken"]
    );
}

#[test]
fn tls_1_forbids_certificate_request_with_a_psk() {
    let psk = Scene::new()
        .hello(&[])
        .server_hello(&[extension(41, &[0, 0])]);
    let psk = psk.encrypted(&[]);
    let kept = psk.clone().finished(SERVER, HANDSHAKE);
    assert_eq!(kept.says("TLS-1"), ["server kept"]);
    let after = kept.request(APPLICATION, &[]);
    assert_eq!(after.says("TLS-1"), ["server kept"]);
    let broken = psk.request(HANDSHAKE, &[]).finished(SERVER, HANDSHAKE);
    assert_eq!(broken.says("TLS-1"), ["server broken"]);
}

#[test]
fn tls_2_wants_certificate_if_and_only_if_asked() {
    assert_eq!(
        asked().client_flight(Some(0)).says("TLS-2"),
        ["client kept"]
    );
    assert_eq!(
        not_asked().client_flight(None).says("TLS-2"),
        ["client kept"]
    );
    assert_eq!(asked().client_flight(None).says("TLS-2"), ["client broken"]);
    assert_eq!(
        not_asked().client_flight(Some(0)).says("TLS-2"),
        ["client broken"]
    );
    let twice = asked()
        .certificate(CLIENT, HANDSHAKE, 0, &[])
        .client_flight(Some(0));
    assert!(twice.says("TLS-2").contains(&"client broken".to_owned()));
}

#[test]
fn tls_2_looks_at_what_the_client_has() {
    let with = asked().identity().client_flight(Some(1));
    assert_eq!(with.says("TLS-2"), ["client kept"]);
    let empty = asked().identity().client_flight(Some(0));
    assert_eq!(empty.says("TLS-2"), ["client told"]);
    let from_nowhere = asked().client_flight(Some(1));
    assert_eq!(from_nowhere.says("TLS-2"), ["client broken"]);
}

#[test]
fn tls_2_wants_finished_after_an_empty_certificate() {
    let stopped = asked().certificate(CLIENT, HANDSHAKE, 0, &[]);
    assert_eq!(stopped.says("TLS-2"), ["client broken"]);
    let refused = stopped.alert(SERVER, APPLICATION, 116);
    assert_eq!(refused.says("TLS-2"), NOTHING);
}

#[test]
fn tls_2_tells_of_a_client_that_ends_instead() {
    let alert = asked().alert(CLIENT, HANDSHAKE, 48);
    assert_eq!(alert.says("TLS-2"), ["client told"]);
    assert_eq!(asked().says("TLS-2"), ["client told"]);
    let server_first = asked().alert(SERVER, APPLICATION, 80);
    assert_eq!(server_first.says("TLS-2"), NOTHING);
}

#[test]
fn tls_2_holds_after_the_handshake_too() {
    let asked = || offering_post_handshake().request(APPLICATION, &[]);
    let answered = asked().certificate(CLIENT, APPLICATION, 0, &[]);
    let answered = answered.finished(CLIENT, APPLICATION).completed();
    assert_eq!(answered.says("TLS-2"), ["client kept", "client kept"]);
    let passed_over = asked().completed();
    assert_eq!(passed_over.says("TLS-2"), ["client kept", "client broken"]);
    let not_offered = not_asked().client_flight(None).request(APPLICATION, &[]);
    assert_eq!(not_offered.completed().says("TLS-2"), ["client kept"]);
    let unasked = offering_post_handshake().certificate(CLIENT, APPLICATION, 0, &[]);
    assert_eq!(unasked.says("TLS-2"), ["client broken"]);
}

#[test]
fn tls_3_wants_certificate_verify_after_a_certificate_that_is_not_empty() {
    let both = ["client kept", "server kept"];
    assert_eq!(asked().client_flight(Some(1)).says("TLS-3"), both);
    assert_eq!(asked().client_flight(Some(0)).says("TLS-3"), both);
    let missing = asked().certificate(CLIENT, HANDSHAKE, 1, &[]);
    let missing = missing.finished(CLIENT, HANDSHAKE);
    let broken = ["client broken", "server kept"];
    assert_eq!(missing.says("TLS-3"), broken);
    let empty = asked().certificate(CLIENT, HANDSHAKE, 0, &[]);
    assert_eq!(empty.verify(CLIENT, HANDSHAKE).says("TLS-3"), broken);
    let alone = not_asked().verify(CLIENT, HANDSHAKE);
    assert_eq!(alone.says("TLS-3"), broken);
    let server = Scene::new().hello(&[]).server_hello(&[]).encrypted(&[]);
    let server = server.certificate(SERVER, HANDSHAKE, 1, &[]);
    let server = server.finished(SERVER, HANDSHAKE);
    assert_eq!(server.says("TLS-3"), ["server broken"]);
}

#[test]
fn tls_3_does_not_hold_an_end_to_what_it_had_no_time_to_send() {
    let cut = asked().certificate(CLIENT, HANDSHAKE, 1, &[]);
    assert_eq!(cut.says("TLS-3"), ["server kept"]);
}

#[test]
fn tls_4_tells_what_the_server_does_about_an_empty_certificate() {
    let empty = || asked().client_flight(Some(0)).data(CLIENT);
    let alert = |alert| empty().alert(SERVER, APPLICATION, alert);
    assert_eq!(alert(116).says("TLS-4"), ["server told"]);
    assert_eq!(
        alert(116).ruling("TLS-4").got,
        "certificate_required(116) from the server"
    );
    assert_eq!(alert(42).says("TLS-4"), ["server told"]);
    let went_on = asked().client_flight(Some(0)).completed();
    assert_eq!(went_on.ruling("TLS-4").got, "the server went on");
    assert_eq!(asked().client_flight(Some(1)).says("TLS-4"), NOTHING);
}

#[test]
fn tls_4_pulls_against_rm_3_where_the_flag_is_set() {
    let refused = |alert| {
        let scene = Scene::new().hello(&tls_flags(FLAG));
        let scene = scene.server_flight(Some(&[])).client_flight(Some(0));
        scene.alert(SERVER, APPLICATION, alert)
    };
    assert_eq!(refused(116).says("TLS-4"), ["TLS-4 over RM-3"]);
    assert_eq!(refused(42).says("TLS-4"), ["RM-3 over TLS-4"]);
    assert_eq!(refused(42).rca().says("TLS-4"), ["server told"]);
}

#[test]
fn tls_5_tells_why_the_server_refused_a_chain() {
    let refused = |alert| {
        let scene = asked().identity().client_flight(Some(1));
        scene.alert(SERVER, APPLICATION, alert).ruling("TLS-5").got
    };
    assert_eq!(refused(48), "unknown_ca(48) from the server");
    let foreign = "handshake_failure(40) from the server, which is none of the named ones";
    assert_eq!(refused(40), foreign);
}

#[test]
fn tls_5_tells_of_a_server_that_goes_on_without_the_chain() {
    let mut scene = asked().identity().client_flight(Some(1)).completed();
    assert_eq!(scene.says("TLS-5"), ["server told"]);
    scene.report.peer_certificate = Some(Hex(vec![9; 32]));
    assert_eq!(scene.says("TLS-5"), NOTHING);
}

#[test]
fn tls_5_leaves_an_alert_that_is_about_something_else() {
    let mut bad = asked().identity().client_flight(Some(1));
    bad.client.bad_certificate_verify = true;
    let bad = bad.alert(SERVER, APPLICATION, 51);
    assert_eq!(bad.says("TLS-5"), NOTHING);
    let flags = asked().certificate(CLIENT, HANDSHAKE, 1, &tls_flags(FLAG));
    let flags = flags.alert(SERVER, APPLICATION, 47);
    assert_eq!(flags.says("TLS-5"), NOTHING);
}

#[test]
fn tls_6_wants_decrypt_error_from_the_server() {
    let mut scene = asked().identity().client_flight(Some(1));
    scene.client.bad_certificate_verify = true;
    let answered = |alert| {
        scene
            .clone()
            .alert(SERVER, APPLICATION, alert)
            .says("TLS-6")
    };
    assert_eq!(answered(51), ["server kept"]);
    assert_eq!(answered(42), ["server broken"]);
    assert_eq!(scene.clone().completed().says("TLS-6"), ["server broken"]);
    assert_eq!(scene.says("TLS-6"), ["server told"]);
    scene.client.bad_certificate_verify = false;
    assert_eq!(scene.alert(SERVER, APPLICATION, 51).says("TLS-6"), NOTHING);
}

#[test]
fn tls_6_wants_decrypt_error_from_the_client() {
    let mut scene = not_asked();
    scene.server.bad_certificate_verify = true;
    let answered = |alert| scene.clone().alert(CLIENT, HANDSHAKE, alert).says("TLS-6");
    assert_eq!(answered(51), ["client kept"]);
    assert_eq!(answered(48), ["client broken"]);
    assert_eq!(scene.client_flight(None).says("TLS-6"), ["client broken"]);
}

#[test]
fn tls_7_lets_servers_pass_over_what_they_do_not_know() {
    for body in [FLAG, &[], &[0], &[2, 1, 0]] {
        let hello = || Scene::new().unknowing(SERVER).hello(&tls_flags(body));
        assert_eq!(hello().server_flight(None).says("TLS-7"), ["server kept"]);
        for alert in [47, 50, 110] {
            let refused = hello().alert(SERVER, Epoch::Plaintext, alert);
            assert_eq!(refused.says("TLS-7"), ["server broken"]);
        }
        let other_reason = hello().alert(SERVER, Epoch::Plaintext, 70);
        assert_eq!(other_reason.says("TLS-7"), NOTHING);
    }
    let knowing = Scene::new().hello(&tls_flags(FLAG)).server_flight(None);
    assert_eq!(knowing.says("TLS-7"), NOTHING);
}

#[test]
fn tls_7_is_all_that_there_is_to_the_early_experiment() {
    let experiment = [extension(0xfe01, &[])];
    let hello = Scene::new().hello(&experiment);
    assert_eq!(
        hello.clone().server_flight(None).says("TLS-7"),
        ["server kept"]
    );
    let refused = hello.alert(SERVER, Epoch::Plaintext, 47);
    assert_eq!(refused.says("TLS-7"), ["server broken"]);
    let response = Scene::new()
        .hello(&[])
        .server_hello(&[])
        .encrypted(&experiment);
    let answered = |alert| {
        response
            .clone()
            .alert(CLIENT, HANDSHAKE, alert)
            .says("TLS-7")
    };
    assert_eq!(answered(110), ["client kept"]);
    assert_eq!(answered(47), ["client broken"]);
}

#[test]
fn tls_7_leaves_a_block_that_is_wrong_for_another_reason() {
    let behind_psk = [extension(41, &[]), extension(62, FLAG)];
    let hello = Scene::new().unknowing(SERVER).hello(&behind_psk);
    let refused = hello.alert(SERVER, Epoch::Plaintext, 47);
    assert_eq!(refused.says("TLS-7"), NOTHING);
}

#[test]
fn tls_7_wants_unsupported_extension_for_a_response_that_was_not_requested() {
    let flagged = tls_flags(FLAG);
    let start = || Scene::new().unknowing(CLIENT).hello(&[]);
    let handshake = || start().server_hello(&[]).encrypted(&[]);
    for response in [
        start().retry(&flagged),
        start().server_hello(&flagged),
        start().server_hello(&[]).encrypted(&flagged),
        handshake().certificate(SERVER, HANDSHAKE, 1, &flagged),
    ] {
        let answered = |alert| {
            response
                .clone()
                .alert(CLIENT, HANDSHAKE, alert)
                .says("TLS-7")
        };
        assert_eq!(answered(110), ["client kept"]);
        assert_eq!(answered(47), ["client broken"]);
        assert_eq!(response.says("TLS-7"), ["client told"]);
        let went_on = response.clone().client_flight(None);
        assert_eq!(went_on.says("TLS-7"), ["client broken"]);
    }
    let requested = Scene::new().unknowing(CLIENT).unknowing(SERVER);
    let requested = requested
        .hello(&flagged)
        .server_hello(&[])
        .encrypted(&flagged);
    let requested = requested.client_flight(None);
    assert_eq!(requested.says("TLS-7"), ["server kept"]);
}

#[test]
fn tls_7_lets_clients_pass_over_requests_that_they_do_not_know() {
    let flagged = tls_flags(FLAG);
    let scene = || Scene::new().unknowing(CLIENT).hello(&[]);
    let request = scene().server_flight(Some(&flagged));
    let went_on = request.clone().client_flight(Some(0));
    assert_eq!(went_on.says("TLS-7"), ["client kept"]);
    let refused = request.alert(CLIENT, HANDSHAKE, 110);
    assert_eq!(refused.says("TLS-7"), ["client broken"]);
    let ticket = scene().server_flight(None).client_flight(None);
    let ticket = ticket.ticket(&flagged);
    assert_eq!(ticket.clone().completed().says("TLS-7"), ["client kept"]);
    let refused = ticket.alert(CLIENT, APPLICATION, 47);
    assert_eq!(refused.says("TLS-7"), ["client broken"]);
}

#[test]
fn tls_7_does_not_blame_a_request_for_what_a_response_did() {
    let flagged = tls_flags(FLAG);
    let scene = Scene::new().unknowing(CLIENT).hello(&[]).server_hello(&[]);
    let scene = scene.encrypted(&flagged).request(HANDSHAKE, &flagged);
    let scene = scene.alert(CLIENT, HANDSHAKE, 110);
    assert_eq!(scene.says("TLS-7"), ["client kept"]);
}

#[test]
fn tls_8_forbids_an_extension_twice_and_tells_what_the_receiver_does() {
    let twice = [tls_flags(FLAG), tls_flags(OTHER)].concat();
    for alert in [47, 50, 110] {
        let refused = Scene::new()
            .hello(&twice)
            .alert(SERVER, Epoch::Plaintext, alert);
        assert_eq!(refused.says("TLS-8"), ["client broken", "server told"]);
    }
    let went_on = Scene::new().hello(&twice).server_flight(None);
    assert_eq!(went_on.says("TLS-8"), ["client broken", "server told"]);
    let by_server = Scene::new()
        .hello(&tls_flags(FLAG))
        .server_flight(Some(&twice));
    let by_server = by_server.alert(CLIENT, HANDSHAKE, 50);
    let both = ["client kept", "server broken", "client told"];
    assert_eq!(by_server.says("TLS-8"), both);
    assert_eq!(asked().says("TLS-8"), NOTHING);
}

#[test]
fn tls_8_counts_each_entry_of_certificate_by_itself() {
    let certificates = Scene::new().hello(&tls_flags(FLAG)).server_hello(&[]);
    let certificates = certificates.certificate(SERVER, HANDSHAKE, 2, &tls_flags(FLAG));
    assert_eq!(certificates.says("TLS-8"), ["client kept", "server kept"]);
}

#[test]
fn tls_8_wants_illegal_parameter_for_a_known_extension_in_the_wrong_message() {
    let wrong = || {
        let scene = Scene::new().hello(&[extension(51, &[0, 0])]);
        scene.server_hello(&[]).encrypted(&[extension(51, &[])])
    };
    let answered = |alert| wrong().alert(CLIENT, HANDSHAKE, alert).says("TLS-8");
    assert_eq!(answered(47), ["client kept"]);
    assert_eq!(answered(110), ["client broken"]);
    assert_eq!(wrong().client_flight(None).says("TLS-8"), ["client broken"]);
    let specified = Scene::new().hello(&[extension(10, &[]), extension(13, &[])]);
    let specified = specified.server_hello(&[]).encrypted(&[extension(10, &[])]);
    let specified = specified.request(HANDSHAKE, &[extension(13, &[])]);
    assert_eq!(specified.client_flight(None).says("TLS-8"), NOTHING);
}

#[test]
fn tls_9_wants_the_flags_of_the_first_client_hello() {
    let retried = |first: &[Extension], second: &[Extension]| {
        let scene = Scene::new().hello(first).retry(&[]).hello(second);
        scene.server_flight(None).client_flight(None).completed()
    };
    let (flagged, other) = (tls_flags(FLAG), tls_flags(OTHER));
    assert_eq!(retried(&flagged, &flagged).says("TLS-9"), ["client kept"]);
    for (first, second) in [(&flagged, &other), (&flagged, &vec![]), (&vec![], &flagged)] {
        let told = ["client broken", "server told"];
        assert_eq!(retried(first, second).says("TLS-9"), told);
    }
    assert_eq!(retried(&[], &[]).says("TLS-9"), NOTHING);
    let once = Scene::new().hello(&flagged).server_flight(None);
    assert_eq!(once.says("TLS-9"), NOTHING);
}

#[test]
fn tls_10_wants_close_notify_before_an_orderly_close() {
    let data = || not_asked().client_flight(None).data(CLIENT).data(SERVER);
    let both = data().close_notify(CLIENT).close_notify(SERVER);
    assert_eq!(both.says("TLS-10"), ["client kept", "server kept"]);
    let one = data().close_notify(CLIENT);
    assert_eq!(one.says("TLS-10"), ["client kept", "server broken"]);
    let reset = data().close_notify(SERVER).ending(CLIENT, Ending::Reset);
    assert_eq!(reset.says("TLS-10"), ["client broken", "server kept"]);
    let open = data()
        .ending(CLIENT, Ending::Open)
        .ending(SERVER, Ending::Open);
    assert_eq!(open.says("TLS-10"), NOTHING);
}

#[test]
fn tls_10_wants_both_sides_closed_after_a_fatal_alert() {
    let refused = || {
        asked()
            .client_flight(Some(0))
            .alert(SERVER, APPLICATION, 116)
    };
    assert_eq!(refused().says("TLS-10"), ["client kept", "server kept"]);
    let client = refused().ending(CLIENT, Ending::Open);
    assert_eq!(client.says("TLS-10"), ["client broken", "server kept"]);
    let server = refused().ending(SERVER, Ending::Open);
    assert_eq!(server.says("TLS-10"), ["client kept", "server broken"]);
    let more = refused().data(SERVER).after_end(SERVER);
    assert_eq!(more.says("TLS-10"), ["client kept", "server broken"]);
}

#[test]
fn tls_10_does_not_judge_what_cannot_be_read() {
    let opaque = Content::Opaque {
        content_type: ContentType::APPLICATION_DATA,
        len: 19,
    };
    let scene = not_asked().client_flight(None).close_notify(CLIENT);
    let scene = scene.push(SERVER, APPLICATION, opaque);
    assert_eq!(scene.says("TLS-10"), ["client kept"]);
}

#[test]
fn tls_11_leaves_the_flags_without_meaning_in_tls_12() {
    let policy = Policy::RequestOnFlag;
    let hello = |body| Scene::new().policy(policy).hello(&tls_flags(body));
    let kept = hello(FLAG).server_hello12(&[]);
    assert_eq!(kept.says("TLS-11"), ["server kept"]);
    assert_eq!(
        hello(FLAG).server_hello12(&[]).request12().says("TLS-11"),
        ["server broken"]
    );
    let always = hello(FLAG).policy(Policy::Require).server_hello12(&[]);
    assert_eq!(always.request12().says("TLS-11"), ["server kept"]);
    let answered = hello(FLAG).server_hello12(&tls_flags(FLAG));
    assert_eq!(answered.says("TLS-11"), ["server broken"]);
    assert_eq!(hello(FLAG).server_flight(Some(&[])).says("TLS-11"), NOTHING);
    let without = Scene::new().hello(&[]).server_hello12(&[]);
    assert_eq!(without.says("TLS-11"), NOTHING);
}

#[test]
fn tls_11_is_broken_by_refusing_malformed_flags() {
    let refused = |body, alert| {
        let mut scene = Scene::new().hello(&tls_flags(body));
        scene.server.versions = vec![Version::Tls12];
        scene.alert(SERVER, Epoch::Plaintext, alert)
    };
    assert_eq!(refused(&[0], 47).says("TLS-11"), ["server broken"]);
    assert_eq!(refused(&[0], 50).says("TLS-11"), ["server broken"]);
    assert_eq!(refused(&[0], 40).says("TLS-11"), NOTHING);
    assert_eq!(refused(FLAG, 47).says("TLS-11"), NOTHING);
    let old_client = Scene::new().bare_hello(&tls_flags(&[0]));
    let old_client = old_client.alert(SERVER, Epoch::Plaintext, 47);
    assert_eq!(old_client.says("TLS-11"), ["server broken"]);
    let passed_over = Scene::new().hello(&tls_flags(&[0])).server_hello12(&[]);
    let later = passed_over
        .clone()
        .data(SERVER)
        .alert(SERVER, APPLICATION, 50);
    assert_eq!(later.says("TLS-11"), ["server kept"]);
    assert_eq!(passed_over.says("TLS-11"), ["server kept"]);
}

#[test]
fn tls_12_forbids_asking_later_a_client_that_did_not_offer_it() {
    let offered = offering_post_handshake().request(APPLICATION, &[]);
    assert_eq!(offered.says("TLS-12"), ["server kept"]);
    let not_offered = not_asked().client_flight(None).data(CLIENT);
    let asked = not_offered.clone().request(APPLICATION, &[]);
    assert_eq!(asked.says("TLS-12"), ["server broken"]);
    let policy = Policy::PostHandshake;
    assert_eq!(
        not_offered.clone().policy(policy).says("TLS-12"),
        ["server kept"]
    );
    assert_eq!(not_offered.says("TLS-12"), NOTHING);
    assert_eq!(
        offering_post_handshake().policy(policy).says("TLS-12"),
        NOTHING
    );
}

//! RFC 8446 on extensions, versions and the end of a connection.

use reqmtls_contract::{Policy, Version};

use super::scene::{
    CLIENT, FLAG, OTHER, SERVER, Scene, asked, extension, not_asked, tls_flags, unreadable,
};
use reqmtls_observer::{Ending, Epoch, Extension};

const HANDSHAKE: Epoch = Epoch::Handshake;
const APPLICATION: Epoch = Epoch::Application;
const NOTHING: [&str; 0] = [];

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
fn tls_7_tells_of_a_client_that_knows_malformed_flags_by_itself() {
    let scene = Scene::new().unknowing(CLIENT).hello(&[]);
    let ticket = scene.server_flight(None).client_flight(None);
    let ticket = ticket.ticket(&tls_flags(&[1, 0]));
    for (alert, says) in [
        (47, "client told"),
        (50, "client told"),
        (110, "client broken"),
    ] {
        let refused = ticket.clone().alert(CLIENT, APPLICATION, alert);
        assert_eq!(refused.says("TLS-7"), [says]);
    }
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
fn tls_8_tells_once_of_a_message_with_both_faults() {
    let twice = [extension(51, &[]), extension(51, &[])];
    let scene = Scene::new().hello(&[extension(51, &[0, 0])]);
    let scene = scene.server_hello(&[]).encrypted(&twice);
    let scene = scene.alert(CLIENT, HANDSHAKE, 50);
    assert_eq!(scene.says("TLS-8"), ["server broken", "client told"]);
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
    let scene = not_asked().client_flight(None).close_notify(CLIENT);
    let scene = scene.push(SERVER, APPLICATION, unreadable());
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

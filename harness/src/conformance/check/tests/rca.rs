//! The editor's copy.

use reqmtls_contract::Policy;

use super::scene::{CLIENT, FLAG, OTHER, SERVER, Scene, extension, tls_flags, unreadable};
use reqmtls_observer::{Epoch, Extension, HandshakeMessage, HandshakeType};

fn asking(hello: &[Extension], request: &[Extension]) -> Scene {
    Scene::new().rca().hello(hello).server_flight(Some(request))
}

fn complete(hello: &[Extension], request: &[Extension]) -> Scene {
    asking(hello, request).client_flight(Some(0)).completed()
}

#[test]
fn rca_1_is_kept_by_the_flag_in_certificate_request() {
    let flagged = tls_flags(FLAG);
    let on_flag = complete(&flagged, &flagged).policy(Policy::RequestOnFlag);
    assert_eq!(on_flag.says("RCA-1"), ["server kept"]);
    assert_eq!(complete(&[], &[]).says("RCA-1"), [""; 0]);
}

#[test]
fn rca_1_is_broken_by_a_server_on_the_flag_that_does_not_acknowledge() {
    let policy = Policy::RequireOnFlag;
    let bare = complete(&tls_flags(FLAG), &tls_flags(OTHER)).policy(policy);
    assert_eq!(bare.says("RCA-1"), ["server broken"]);
    let not_asking = Scene::new()
        .rca()
        .policy(policy)
        .hello(&tls_flags(FLAG))
        .server_flight(None)
        .client_flight(None)
        .completed();
    assert_eq!(not_asking.says("RCA-1"), ["server broken"]);
    assert_eq!(not_asking.says("RCA-2"), [""; 0]);
}

#[test]
fn rca_1_leaves_a_client_hello_that_must_be_refused() {
    let twice = [tls_flags(FLAG), tls_flags(OTHER)].concat();
    let scene = complete(&twice, &[]).policy(Policy::RequireOnFlag);
    assert_eq!(scene.says("RCA-1"), [""; 0]);
}

#[test]
fn rca_1_is_about_full_handshakes_with_servers_that_know_the_flag() {
    let unknowing = complete(&tls_flags(FLAG), &[]).policy(Policy::RequireOnFlag);
    assert_eq!(unknowing.unknowing(SERVER).says("RCA-1"), [""; 0]);
    let resumed = Scene::new()
        .rca()
        .policy(Policy::RequireOnFlag)
        .hello(&tls_flags(FLAG))
        .server_hello(&[extension(41, &[0, 0])])
        .encrypted(&[])
        .finished(SERVER, Epoch::Handshake)
        .client_flight(None)
        .completed();
    assert_eq!(resumed.says("RCA-1"), [""; 0]);
}

#[test]
fn rca_3_takes_a_compressed_certificate_for_an_answer() {
    let flagged = tls_flags(FLAG);
    let kind = HandshakeType::COMPRESSED_CERTIFICATE;
    let compressed = HandshakeMessage::Other { kind };
    let scene = asking(&flagged, &flagged);
    let scene = scene.message(CLIENT, Epoch::Handshake, compressed);
    let scene = scene.verify(CLIENT, Epoch::Handshake).client_flight(None);
    assert_eq!(scene.says("RCA-3"), ["client kept"]);
    assert_eq!(scene.says("TLS-2"), [""; 0]);
    assert_eq!(scene.says("TLS-3"), ["server kept"]);
}

#[test]
fn rca_3_leaves_a_client_that_must_refuse_the_servers_messages() {
    let flagged = tls_flags(FLAG);
    let scene = Scene::new().rca().hello(&flagged).server_hello(&[]);
    let scene = scene
        .encrypted(&flagged)
        .request(Epoch::Handshake, &flagged);
    let refused = scene.alert(CLIENT, Epoch::Handshake, 47);
    assert_eq!(refused.says("RCA-3"), [""; 0]);
    assert_eq!(refused.says("RCA-4"), [""; 0]);
}

#[test]
fn rca_2_lets_a_server_ask_for_another_reason() {
    let flagged = tls_flags(FLAG);
    let bare = complete(&flagged, &[]).policy(Policy::Require);
    assert_eq!(bare.says("RCA-1"), [""; 0]);
    assert_eq!(bare.says("RCA-2"), ["server told"]);
    assert_eq!(complete(&[], &[]).says("RCA-2"), ["server told"]);
    assert_eq!(complete(&flagged, &flagged).says("RCA-2"), [""; 0]);
}

#[test]
fn rca_3_asks_for_certificate_where_the_flag_is_acknowledged() {
    let flagged = tls_flags(FLAG);
    let kept = complete(&flagged, &flagged);
    assert_eq!(kept.says("RCA-3"), ["client kept"]);
    let silent = asking(&flagged, &flagged).client_flight(None).completed();
    assert_eq!(silent.says("RCA-3"), ["client broken"]);
    assert_eq!(silent.says("RCA-4"), [""; 0]);
    assert_eq!(complete(&flagged, &[]).says("RCA-3"), [""; 0]);
}

#[test]
fn rca_4_tells_of_a_client_that_ends_in_place_of_certificate() {
    let flagged = tls_flags(FLAG);
    let kept = complete(&flagged, &flagged);
    assert_eq!(kept.says("RCA-4"), ["client kept"]);
    let ended = asking(&flagged, &flagged);
    for ended in [ended.clone(), ended.alert(CLIENT, Epoch::Handshake, 40)] {
        assert_eq!(ended.says("RCA-4"), ["client told"]);
        assert_eq!(ended.says("RCA-3"), [""; 0]);
    }
    let opaque = asking(&flagged, &flagged).push(CLIENT, Epoch::Handshake, unreadable());
    assert_eq!(opaque.says("RCA-4"), [""; 0]);
    let server_first = asking(&flagged, &flagged).alert(SERVER, Epoch::Application, 80);
    assert_eq!(server_first.says("RCA-4"), [""; 0]);
}

#[test]
fn rca_5_forbids_the_flag_that_client_hello_does_not_have() {
    let flagged = tls_flags(FLAG);
    assert_eq!(complete(&flagged, &flagged).says("RCA-5"), ["server kept"]);
    for hello in [vec![], tls_flags(OTHER)] {
        let unasked = complete(&hello, &flagged);
        assert_eq!(unasked.says("RCA-5"), ["server broken"]);
    }
    let late = Scene::new()
        .rca()
        .hello(&[])
        .server_flight(None)
        .client_flight(None)
        .request(Epoch::Application, &flagged);
    assert_eq!(late.says("RCA-5"), ["server broken"]);
}

#[test]
fn rca_6_asks_for_illegal_parameter_and_no_other_alert() {
    let flagged = tls_flags(FLAG);
    let unasked = || asking(&[], &flagged);
    let answered = |alert| {
        unasked()
            .alert(CLIENT, Epoch::Handshake, alert)
            .says("RCA-6")
    };
    assert_eq!(answered(47), ["client kept"]);
    assert_eq!(answered(110), ["client broken"]);
    assert_eq!(unasked().says("RCA-6"), ["client broken"]);
    assert_eq!(complete(&[], &flagged).says("RCA-6"), ["client broken"]);
    assert_eq!(complete(&flagged, &flagged).says("RCA-6"), [""; 0]);
    let unknowing = complete(&[], &flagged).unknowing(CLIENT);
    assert_eq!(unknowing.says("RCA-6"), [""; 0]);
}

#[test]
fn rca_7_asks_for_illegal_parameter_in_every_other_message() {
    let flagged = tls_flags(FLAG);
    let start = || Scene::new().rca().hello(&flagged);
    let handshake = Epoch::Handshake;
    let offences = [
        start().retry(&flagged),
        start().server_hello(&flagged),
        start().server_hello(&[]).encrypted(&flagged),
        start()
            .server_hello(&[])
            .encrypted(&[])
            .certificate(SERVER, handshake, 1, &flagged),
    ];
    for offence in offences {
        let answered = |alert| {
            offence
                .clone()
                .alert(CLIENT, handshake, alert)
                .says("RCA-7")
        };
        assert_eq!(answered(47), ["client kept"]);
        assert_eq!(answered(110), ["client broken"]);
        assert_eq!(offence.says("RCA-7"), ["client told"]);
        let went_on = offence.clone().client_flight(None).data(CLIENT);
        assert_eq!(went_on.says("RCA-7"), ["client broken"]);
    }
}

#[test]
fn rca_7_counts_new_session_ticket() {
    let flagged = tls_flags(FLAG);
    let ticket = Scene::new()
        .rca()
        .hello(&flagged)
        .server_flight(None)
        .client_flight(None)
        .ticket(&flagged)
        .data(CLIENT);
    let refused = ticket.clone().alert(CLIENT, Epoch::Application, 47);
    assert_eq!(refused.says("RCA-7"), ["client kept"]);
    let went_on = ticket.clone().close_notify(CLIENT);
    assert_eq!(went_on.says("RCA-7"), ["client broken"]);
    let early = ticket.alert(CLIENT, Epoch::Handshake, 48);
    assert_eq!(early.says("RCA-7"), [""; 0]);
}

#[test]
fn rca_7_pulls_against_tls_7_where_the_extension_was_not_offered() {
    let offence = || {
        let hello = Scene::new().rca().hello(&[]).server_hello(&[]);
        hello.encrypted(&tls_flags(FLAG))
    };
    let answered = |alert| {
        offence()
            .alert(CLIENT, Epoch::Handshake, alert)
            .says("RCA-7")
    };
    assert_eq!(answered(47), ["RCA-7 over TLS-7"]);
    assert_eq!(answered(110), ["TLS-7 over RCA-7"]);
    assert_eq!(answered(50), ["client broken"]);
}

#[test]
fn rca_8_asks_the_server_for_illegal_parameter() {
    let flagged = tls_flags(FLAG);
    let offence = |request: &[Extension]| {
        let scene = asking(&flagged, request);
        scene.certificate(CLIENT, Epoch::Handshake, 1, &flagged)
    };
    let answered = |request: &[Extension], alert| {
        let scene = offence(request).alert(SERVER, Epoch::Application, alert);
        scene.says("RCA-8")
    };
    assert_eq!(answered(&flagged, 47), ["server kept"]);
    assert_eq!(answered(&flagged, 110), ["server broken"]);
    assert_eq!(answered(&[], 47), ["RCA-8 over TLS-7"]);
    assert_eq!(answered(&[], 110), ["TLS-7 over RCA-8"]);
    let went_on = offence(&flagged)
        .finished(CLIENT, Epoch::Handshake)
        .completed();
    assert_eq!(went_on.says("RCA-8"), ["server broken"]);
    let unknowing = went_on.unknowing(SERVER);
    assert_eq!(unknowing.says("RCA-8"), [""; 0]);
}

//! The request mTLS flag, revision -00.

use reqmtls_contract::Policy;

use super::scene::{CLIENT, FLAG, OTHER, SERVER, Scene, extension, tls_flags};
use reqmtls_observer::{Epoch, Extension};

/// A handshake that completes.
fn complete(hello: &[Extension], request: Option<&[Extension]>) -> Scene {
    Scene::new()
        .hello(hello)
        .server_flight(request)
        .client_flight(request.map(|_| 0))
        .completed()
}

fn resumed(hello: &[Extension]) -> Scene {
    Scene::new()
        .hello(hello)
        .server_hello(&[extension(41, &[0, 0])])
        .encrypted(&[])
        .finished(SERVER, Epoch::Handshake)
        .client_flight(None)
        .completed()
}

#[test]
fn rm_1_tells_whether_the_server_asks_on_the_flag() {
    let asks = complete(&tls_flags(FLAG), Some(&[])).ruling("RM-1");
    assert_eq!(asks.got, "CertificateRequest on the flag");
    let does_not = complete(&tls_flags(FLAG), None);
    assert_eq!(
        does_not.ruling("RM-1").got,
        "no CertificateRequest, flag or not"
    );
    assert_eq!(does_not.says("RM-1"), ["server told"]);
}

#[test]
fn rm_1_is_about_the_flag_in_full_handshakes() {
    assert_eq!(complete(&[], Some(&[])).says("RM-1"), [""; 0]);
    assert_eq!(complete(&tls_flags(OTHER), Some(&[])).says("RM-1"), [""; 0]);
    assert_eq!(resumed(&tls_flags(FLAG)).says("RM-1"), [""; 0]);
}

#[test]
fn rm_is_about_tls_13() {
    for request in [None, Some(Policy::RequestOnFlag)] {
        let mut scene = Scene::new().hello(&tls_flags(FLAG)).server_hello12(&[]);
        scene.server.policy = request;
        let scene = scene.finished(SERVER, Epoch::Application);
        for id in ["RM-1", "RM-2", "RM-3", "RM-4", "RM-5"] {
            assert_eq!(scene.says(id), [""; 0], "{id}");
        }
    }
}

#[test]
fn rm_2_tells_where_flag_and_request_do_not_go_together() {
    assert_eq!(complete(&[], Some(&[])).says("RM-2"), ["told"]);
    assert_eq!(complete(&tls_flags(FLAG), None).says("RM-2"), ["told"]);
    assert_eq!(complete(&tls_flags(FLAG), Some(&[])).says("RM-2"), [""; 0]);
    assert_eq!(complete(&[], None).says("RM-2"), [""; 0]);
}

fn refused(hello: &[Extension], alert: u8) -> Scene {
    Scene::new()
        .hello(hello)
        .server_flight(Some(&[]))
        .client_flight(Some(0))
        .data(CLIENT)
        .alert(SERVER, Epoch::Application, alert)
}

#[test]
fn rm_3_pulls_against_tls_4() {
    let flagged = tls_flags(FLAG);
    assert_eq!(refused(&flagged, 42).says("RM-3"), ["RM-3 over TLS-4"]);
    assert_eq!(refused(&flagged, 116).says("RM-3"), ["TLS-4 over RM-3"]);
    assert_eq!(refused(&flagged, 40).says("RM-3"), ["server told"]);
    assert_eq!(complete(&flagged, Some(&[])).says("RM-3"), ["server told"]);
}

#[test]
fn rm_3_is_about_clients_that_set_the_flag() {
    assert_eq!(refused(&[], 42).says("RM-3"), [""; 0]);
    assert_eq!(complete(&tls_flags(FLAG), None).says("RM-3"), [""; 0]);
}

#[test]
fn rm_4_is_broken_by_who_sends_the_flag_elsewhere() {
    let flagged = tls_flags(FLAG);
    let both = ["client kept", "server kept"];
    assert_eq!(complete(&flagged, Some(&[])).says("RM-4"), both);
    let in_request = complete(&flagged, Some(&flagged));
    assert_eq!(
        in_request.says("RM-4"),
        ["client kept", "server broken", "client told"]
    );
    let in_certificate = Scene::new()
        .hello(&flagged)
        .server_flight(Some(&[]))
        .certificate(CLIENT, Epoch::Handshake, 1, &flagged)
        .alert(SERVER, Epoch::Application, 47);
    assert_eq!(
        in_certificate.says("RM-4"),
        ["client broken", "server told", "server kept"]
    );
    assert_eq!(complete(&[], Some(&tls_flags(OTHER))).says("RM-4"), [""; 0]);
}

#[test]
fn rm_5_is_kept_by_asking_just_the_clients_that_set_the_flag() {
    for policy in [Policy::RequestOnFlag, Policy::RequireOnFlag] {
        let asked = complete(&tls_flags(FLAG), Some(&[])).policy(policy);
        assert_eq!(asked.says("RM-5"), ["server kept"]);
        let not_asked = complete(&[], None).policy(policy);
        assert_eq!(not_asked.says("RM-5"), ["server kept"]);
    }
}

#[test]
fn rm_5_is_broken_by_asking_without_the_flag_and_by_not_asking_with_it() {
    let policy = Policy::RequestOnFlag;
    for hello in [vec![], tls_flags(OTHER)] {
        let asked = complete(&hello, Some(&[])).policy(policy);
        assert_eq!(asked.says("RM-5"), ["server broken"]);
    }
    let not_asked = complete(&tls_flags(FLAG), None).policy(policy);
    assert_eq!(not_asked.says("RM-5"), ["server broken"]);
    assert_eq!(not_asked.ruling("RM-5").got, "no CertificateRequest");
    let late = not_asked.request(Epoch::Application, &[]);
    let got = "CertificateRequest after the handshake";
    assert_eq!(late.ruling("RM-5").got, got);
    let late = complete(&[], None)
        .policy(policy)
        .request(Epoch::Application, &[]);
    assert_eq!(late.says("RM-5"), ["server broken"]);
}

#[test]
fn rm_5_leaves_a_client_hello_that_must_be_refused() {
    let twice = [tls_flags(FLAG), tls_flags(OTHER)].concat();
    let scene = complete(&twice, None).policy(Policy::RequestOnFlag);
    assert_eq!(scene.says("RM-5"), [""; 0]);
}

#[test]
fn rm_5_is_about_servers_on_the_flag_that_may_ask() {
    let asked = complete(&[], Some(&[])).policy(Policy::Request);
    assert_eq!(asked.says("RM-5"), [""; 0]);
    let resumed = resumed(&tls_flags(FLAG)).policy(Policy::RequestOnFlag);
    assert_eq!(resumed.says("RM-5"), [""; 0]);
    let changed = Scene::new()
        .policy(Policy::RequestOnFlag)
        .hello(&tls_flags(FLAG))
        .retry(&[])
        .hello(&[])
        .server_flight(None)
        .client_flight(None)
        .completed();
    assert_eq!(changed.says("RM-5"), [""; 0]);
    let refused = Scene::new()
        .policy(Policy::RequestOnFlag)
        .hello(&tls_flags(FLAG))
        .alert(SERVER, Epoch::Plaintext, 40);
    assert_eq!(refused.says("RM-5"), [""; 0]);
}

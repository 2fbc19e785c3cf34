//! RFC 8446 on client authentication.

use reqmtls_contract::{Hex, Policy};

use super::scene::{
    CLIENT, FLAG, SERVER, Scene, asked, extension, not_asked, tls_flags, unreadable,
};
use reqmtls_observer::Epoch;

const HANDSHAKE: Epoch = Epoch::Handshake;
const APPLICATION: Epoch = Epoch::Application;
const NOTHING: [&str; 0] = [];

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
fn tls_2_takes_for_an_answer_what_names_the_request() {
    let other = asked().certificate(CLIENT, APPLICATION, 0, &[]);
    assert_eq!(other.says("TLS-2"), ["client broken", "client told"]);
    let offering = Scene::new().hello(&[extension(49, &[])]);
    let main = offering.server_flight(Some(&[])).client_flight(Some(0));
    let late = main.request(APPLICATION, &[]).completed();
    assert_eq!(late.says("TLS-2"), ["client kept", "client broken"]);
}

#[test]
fn tls_2_does_not_judge_what_cannot_be_read() {
    let cut = asked().certificate(CLIENT, HANDSHAKE, 0, &[]);
    let cut = cut.push(CLIENT, HANDSHAKE, unreadable());
    assert_eq!(cut.says("TLS-2"), NOTHING);
}

#[test]
fn client_authentication_is_judged_in_tls_13_only() {
    let tls12 = || {
        let scene = Scene::new().hello(&[]).server_hello12(&[]).request12();
        scene.policy(Policy::PostHandshake)
    };
    for count in [0, 1] {
        let scene = tls12().certificate(CLIENT, Epoch::Plaintext, count, &[]);
        let scene = scene.finished(CLIENT, APPLICATION);
        let scene = scene.finished(SERVER, APPLICATION).completed();
        for id in [
            "TLS-1", "TLS-2", "TLS-3", "TLS-4", "TLS-5", "TLS-6", "TLS-12",
        ] {
            assert_eq!(scene.says(id), NOTHING, "{id}");
        }
    }
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

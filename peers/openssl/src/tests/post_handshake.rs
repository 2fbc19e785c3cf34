//! The policy that asks after the handshake.

use super::*;

fn offering(names: &Names) -> Setup {
    Setup {
        post_handshake_auth: true,
        identity: Some(names.client.clone()),
        ..names.client()
    }
}

fn completed(report: &ConnectionReport) {
    assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_a_client_that_offers_it() {
    let names = Names::new();
    for present in [true, false] {
        for flag in [Some(FLAG), None] {
            let client = Setup {
                identity: present.then(|| names.client.clone()),
                ..offering(&names)
            };
            let server = Setup {
                flag,
                ..names.server(Policy::PostHandshake)
            };
            let (client, server) = connect(client, server).await;
            completed(&client);
            completed(&server);
            assert_eq!(server.peer_certificate.is_some(), present, "{server:#?}");
            let answer = client.answer.unwrap();
            assert_eq!(answer.client_certificate, server.peer_certificate);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_ask_a_client_that_does_not_offer_it() {
    let names = Names::new();
    let client = Setup {
        post_handshake_auth: false,
        ..offering(&names)
    };
    let tls12 = Setup {
        versions: vec![Version::Tls12],
        ..names.server(Policy::PostHandshake)
    };
    for (client, server) in [
        (client, names.server(Policy::PostHandshake)),
        (offering(&names), tls12),
    ] {
        let (client, server) = connect(client, server).await;
        completed(&client);
        completed(&server);
        assert_eq!(server.peer_certificate, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_policy_asks_after_the_handshake() {
    let names = Names::new();
    let (client, server) = connect(offering(&names), names.server(Policy::Never)).await;
    completed(&client);
    completed(&server);
    assert_eq!(server.peer_certificate, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_a_certificate_of_another_authority() {
    let names = Names::new();
    let client = Setup {
        identity: Some(Names::new().client),
        ..offering(&names)
    };
    let (client, server) = connect(client, names.server(Policy::PostHandshake)).await;
    assert_eq!(server.outcome, Outcome::Refused, "{server:#?}");
    assert_eq!(client.outcome, Outcome::Refused, "{client:#?}");
    assert!(server.alert_sent.is_some(), "{server:#?}");
    assert_eq!(client.alert_received, server.alert_sent, "{client:#?}");
    assert_eq!(server.peer_certificate, None);
}

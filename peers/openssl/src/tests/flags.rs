//! What the ends do with `tls_flags`, well formed or not, wherever it stands.

use std::sync::atomic::{AtomicBool, Ordering};

use openssl::ssl::{ExtensionContext, SslVerifyMode};
use reqmtls_contract::{Group, TLS_FLAGS, Version};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = Names::new();
    for data in MALFORMED {
        for policy in policies(&peer()) {
            let setup = names.sending(data);
            let flags = setup.tls_flags.clone();
            let (client, server) = connect(setup, names.server(policy)).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(client.tls_flags_sent, flags, "{case}");
            assert_eq!(server.tls_flags_received, flags, "{case}");
            assert_eq!(server.outcome, Outcome::Refused, "{case}");
            assert_eq!(client.outcome, Outcome::Refused, "{case}");
            assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{case}");
            assert_eq!(client.alert_received, Some(ILLEGAL_PARAMETER), "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_flag_knows_nothing_of_the_extension() {
    let names = Names::new();
    for data in [&FLAG_80[..]].into_iter().chain(MALFORMED) {
        for policy in policies(&peer()).filter(|policy| !policy.is_on_flag()) {
            let server = Setup {
                flag: None,
                ..names.server(policy)
            };
            let client = Setup {
                identity: Some(names.client.clone()),
                ..names.sending(data)
            };
            let (client, server) = connect(client, server).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(client.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.tls_flags_received, None, "{case}");
            let asked = policy.requests(true);
            assert_eq!(server.peer_certificate.is_some(), asked, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_the_flag_for_absent_in_tls12() {
    let names = Names::new();
    for data in [&FLAG_80[..]].into_iter().chain(MALFORMED) {
        let client = Setup {
            identity: Some(names.client.clone()),
            ..names.sending(data)
        };
        let server = Setup {
            versions: vec![Version::Tls12],
            ..names.server(Policy::RequireOnFlag)
        };
        let (client, server) = connect(client, server).await;
        let case = format!("{data:?}: {client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.peer_certificate, None);
        assert_eq!(server.tls_flags_received, Some(Hex(data.to_vec())));
    }
}

/// What the server reports of a client that is asked for another group, and whose second
/// `ClientHello` has this value.
async fn second_hello(policy: Policy, data: &'static [u8]) -> ConnectionReport {
    let names = Names::new();
    let server = Setup {
        groups: vec![Group::Secp256r1],
        ..names.server(policy)
    };
    let client = Setup {
        groups: vec![Group::X25519, Group::Secp256r1],
        ..names.client()
    };
    let server = prepared(&peer(), Side::Server, server).unwrap();
    let mut builder = context::builder(&client).unwrap();
    let sent = AtomicBool::new(false);
    builder
        .add_custom_ext(
            TLS_FLAGS,
            ExtensionContext::CLIENT_HELLO,
            move |_, _, _| {
                let again = sent.swap(true, Ordering::Relaxed);
                Ok(Some(if again { data } else { &FLAG_80 }))
            },
            |_, _, _, _| Ok(()),
        )
        .unwrap();
    joined(&Bare::endpoint(Side::Client, builder), &server, 0)
        .await
        .1
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_other_flags_in_the_second_client_hello() {
    for policy in policies(&peer()).filter(|policy| !policy.requires()) {
        let server = second_hello(policy, &FLAG_80).await;
        assert_eq!(server.outcome, Outcome::Completed, "{policy} {server:#?}");
        let server = second_hello(policy, &OTHER_FLAGS).await;
        assert_eq!(server.outcome, Outcome::Refused, "{policy} {server:#?}");
        assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{policy}");
    }
}

/// What a client reports of a server that puts `tls_flags` into another message.
pub(super) async fn answered(
    setup: Setup,
    message: ExtensionContext,
    data: &'static [u8],
) -> ConnectionReport {
    let names = Names::new();
    let mut builder = context::builder(&names.server(Policy::Request)).unwrap();
    builder.set_verify(SslVerifyMode::PEER);
    put(&mut builder, message, data);
    let client = Setup {
        identity: Some(names.client.clone()),
        trust_anchors: Some(names.authority.clone()),
        ..setup
    };
    let client = prepared(&peer(), Side::Client, client).unwrap();
    joined(&client, &Bare::endpoint(Side::Server, builder), 0)
        .await
        .0
}

/// Makes a server put `tls_flags` into a message.
fn put(builder: &mut SslContextBuilder, message: ExtensionContext, data: &'static [u8]) {
    builder
        .add_custom_ext(
            TLS_FLAGS,
            ExtensionContext::CLIENT_HELLO | message,
            move |_, _, _| Ok(Some(data)),
            |_, _, _, _| Ok(()),
        )
        .unwrap();
}

const OF_ITS_OWN: [ExtensionContext; 2] = [
    ExtensionContext::TLS1_3_CERTIFICATE_REQUEST,
    ExtensionContext::TLS1_3_NEW_SESSION_TICKET,
];

pub(super) fn knowing(names: &Names) -> Setup {
    Setup {
        flag: Some(FLAG),
        ..names.sending(&FLAG_80)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ignores_flags_where_a_server_may_set_its_own() {
    let names = Names::new();
    for message in OF_ITS_OWN {
        let client = answered(knowing(&names), message, &OTHER_FLAGS).await;
        assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
        let silent = Setup {
            tls_flags: None,
            ..knowing(&names)
        };
        let client = answered(silent, message, &FLAG_80).await;
        assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_flag_refuses_malformed_values() {
    let names = Names::new();
    for message in OF_ITS_OWN {
        for data in MALFORMED {
            let client = answered(knowing(&names), message, data).await;
            assert_eq!(client.outcome, Outcome::Refused, "{data:?} {client:#?}");
            assert_eq!(client.alert_sent, Some(ILLEGAL_PARAMETER), "{data:?}");
            // It does not know what it sends.
            let unaware = names.sending(&FLAG_80);
            let client = answered(unaware, message, data).await;
            assert_eq!(client.outcome, Outcome::Completed, "{data:?} {client:#?}");
            let client = answered(names.client(), message, data).await;
            assert_eq!(client.outcome, Outcome::Completed, "{data:?} {client:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_acknowledgement_of_the_flag() {
    let names = Names::new();
    let unaware = names.sending(&FLAG_80);
    for message in [
        ExtensionContext::TLS1_3_HELLO_RETRY_REQUEST | ExtensionContext::TLS1_3_SERVER_HELLO,
        ExtensionContext::TLS1_3_SERVER_HELLO,
        ExtensionContext::TLS1_3_ENCRYPTED_EXTENSIONS,
        ExtensionContext::TLS1_3_CERTIFICATE,
    ] {
        for client in [knowing(&names), unaware.clone()] {
            let client = answered(client, message, &FLAG_80).await;
            assert_eq!(client.outcome, Outcome::Refused, "{client:#?}");
            assert_eq!(client.alert_sent, Some(ILLEGAL_PARAMETER), "{client:#?}");
        }
    }
}

//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

use reqmtls_contract::testing::{
    FLAG, FLAG_80, ILLEGAL_PARAMETER, MALFORMED, Names, connect, joined, policies, prepared,
};
use reqmtls_contract::{Hex, Outcome, Resumption, Sessions, Setup, Side};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = Names::new();
    for data in MALFORMED {
        for policy in policies(&Botan) {
            let (client, server) = connect(&Botan, names.sending(data), names.server(policy)).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(server.tls_flags_received, Some(Hex::from(data)), "{case}");
            assert_eq!(server.outcome, Outcome::Refused, "{case}");
            assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{case}");
            assert_eq!(client.alert_received, Some(ILLEGAL_PARAMETER), "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_the_flag_for_absent_in_tls12() {
    let names = Names::new();
    for data in [&FLAG_80[..], MALFORMED[2]] {
        let client = Setup {
            identity: Some(names.client.clone()),
            flag: Some(FLAG),
            ..names.sending(data)
        };
        let server = Setup {
            versions: vec![Version::Tls12],
            ..names.server(Policy::RequireOnFlag)
        };
        let (client, server) = connect(&Botan, client, server).await;
        let case = format!("{data:?}: {client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.peer_certificate, None, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_flags_once_after_hello_retry_request_and_before_a_session() {
    let names = Names::new();
    for sessions in Sessions::ALL {
        let client = Setup {
            identity: Some(names.client.clone()),
            flag: Some(FLAG),
            groups: vec![Group::Secp256r1, Group::X25519],
            resumption: Some(Resumption {
                tls_flags: Some(Hex::from(&FLAG_80[..])),
                early_data: false,
            }),
            ..names.client()
        };
        let server = Setup {
            groups: vec![Group::X25519],
            sessions: Some(*sessions),
            ..names.server(Policy::RequireOnFlag)
        };
        let client = prepared(&Botan, Side::Client, client).unwrap();
        let server = prepared(&Botan, Side::Server, server).unwrap();
        let (_, server_report) = joined(&client, &server, 0).await;
        assert_eq!(server_report.tls_flags_received, None, "{server_report:#?}");
        let (client, server) = joined(&client, &server, 1).await;
        let case = format!("{sessions}: {client:#?} {server:#?}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.tls_flags_received, client.tls_flags_sent, "{case}");
        let resumes = *sessions == Sessions::Shared;
        assert_eq!(server.resumed, Some(resumes), "{case}");
        assert_eq!(server.peer_certificate.is_none(), resumes, "{case}");
    }
}

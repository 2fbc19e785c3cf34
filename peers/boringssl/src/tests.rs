//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

mod misbehaviour;
mod resumption;

use reqmtls_contract::testing::{
    FLAG, FLAG_80, ILLEGAL_PARAMETER, MALFORMED, Names, joined, policies, prepared, spawn,
};
use reqmtls_contract::{ConnectionReport, Hex, Outcome, Setup};

use super::*;

fn peer() -> BoringSsl {
    BoringSsl::new()
}

/// What client and server report of a connection between the two ends of the peer.
async fn connect(client: Setup, server: Setup) -> (ConnectionReport, ConnectionReport) {
    reqmtls_contract::testing::connect(&peer(), client, server).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = Names::new();
    for data in MALFORMED {
        let flags = Some(Hex(data.to_vec()));
        let client = names.sending(data);
        for policy in policies(&peer()) {
            let (client, server) = connect(client.clone(), names.server(policy)).await;
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
async fn a_server_without_the_flag_takes_no_notice_of_the_extension() {
    let names = Names::new();
    for data in MALFORMED.into_iter().chain([&FLAG_80[..]]) {
        for (policy, present) in [
            (Policy::Never, false),
            (Policy::Request, false),
            (Policy::Require, true),
        ] {
            let client = Setup {
                tls_flags: Some(Hex(data.to_vec())),
                identity: present.then(|| names.client.clone()),
                ..names.client()
            };
            let server = Setup {
                flag: None,
                ..names.server(policy)
            };
            let (client, server) = connect(client, server).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(client.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.tls_flags_received, None, "{case}");
            assert_eq!(server.peer_certificate.is_some(), present, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_the_flag_for_absent_in_tls12() {
    let names = Names::new();
    for data in [&FLAG_80[..], &[2, 1, 0]] {
        let client = Setup {
            tls_flags: Some(Hex(data.to_vec())),
            identity: Some(names.client.clone()),
            ..names.client()
        };
        let server = Setup {
            versions: vec![Version::Tls12],
            ..names.server(Policy::RequireOnFlag)
        };
        let (client, server) = connect(client, server).await;
        assert_eq!(
            client.outcome,
            Outcome::Completed,
            "{client:#?} {server:#?}"
        );
        assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
        assert_eq!(server.peer_certificate, None);
        assert_eq!(server.tls_flags_received, Some(Hex(data.to_vec())));
    }
}

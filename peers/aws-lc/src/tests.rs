//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

use reqmtls_contract::testing::{
    FLAG, FLAG_80, ILLEGAL_PARAMETER, MALFORMED, Names, joined, policies, prepared,
};
use reqmtls_contract::{ConnectionReport, Hex, Outcome, Resumption, Setup};

use super::*;

/// What client and server report of a connection between the two ends of the peer.
async fn connect(client: Setup, server: Setup) -> (ConnectionReport, ConnectionReport) {
    reqmtls_contract::testing::connect(&AwsLc::new(), client, server).await
}

#[test]
fn the_library_says_which_version_it_is() {
    let library = AwsLc::new().describe().library;
    let version = library.strip_prefix("AWS-LC ").expect(&library);
    assert_eq!(version.split('.').count(), 3, "{library}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = Names::new();
    for data in MALFORMED {
        let flags = Some(Hex(data.to_vec()));
        for policy in policies(&AwsLc::new()) {
            let (client, server) = connect(names.sending(data), names.server(policy)).await;
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
        let (client, server) = connect(client, server).await;
        let case = format!("{data:?}: {client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.peer_certificate, None, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn early_data_is_reported_by_both_ends_accepted_or_not() {
    let names = Names::new();
    for accepts in [true, false] {
        let client = Setup {
            resumption: Some(Resumption {
                early_data: true,
                tls_flags: None,
            }),
            ..names.client()
        };
        let server = Setup {
            early_data: true,
            sessions: Some(Sessions::Shared),
            ..names.server(Policy::RequestOnFlag)
        };
        let peer = AwsLc::new();
        let client = prepared(&peer, Side::Client, client).unwrap();
        let first = prepared(&peer, Side::Server, server.clone()).unwrap();
        let (report, _) = joined(&client, &first, 0).await;
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        // Another job's server has other ticket keys, so it resumes nothing.
        let other = prepared(&peer, Side::Server, server).unwrap();
        let second = if accepts { &first } else { &other };
        let (client, server) = joined(&client, second, 1).await;
        for report in [&client, &server] {
            assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
            assert_eq!(report.early_data, Some(accepts), "{report:#?}");
            assert_eq!(report.resumed, Some(accepts), "{report:#?}");
        }
    }
}

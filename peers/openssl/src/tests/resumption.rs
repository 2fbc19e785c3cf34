//! Connection 1 offers the session of connection 0.

use reqmtls_contract::{Policy, Resumption};

use super::*;

const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

/// What client and server report of two connections.
async fn twice(client: Setup, server: Setup) -> [(ConnectionReport, ConnectionReport); 2] {
    let client = prepared(&peer(), Side::Client, client).unwrap();
    let server = prepared(&peer(), Side::Server, server).unwrap();
    [
        joined(&client, &server, 0).await,
        joined(&client, &server, 1).await,
    ]
}

fn resuming(names: &Names, tls_flags: Option<&[u8]>) -> Setup {
    let resumption = Resumption {
        tls_flags: tls_flags.map(Hex::from),
        early_data: false,
    };
    Setup {
        resumption: Some(resumption),
        identity: Some(names.client.clone()),
        ..names.client()
    }
}

fn completed((client, server): &(ConnectionReport, ConnectionReport), resumed: bool) {
    for report in [client, server] {
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        assert_eq!(report.resumed, Some(resumed), "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resumes_the_session_with_flags_of_the_resumption() {
    let names = Names::new();
    for policy in policies(&peer()) {
        for version in BOTH {
            for [first, second] in [
                [None, Some(&FLAG_80[..])],
                [Some(&FLAG_80[..]), None],
                [Some(&FLAG_80[..]), Some(&FLAG_80[..])],
            ] {
                let client = Setup {
                    versions: vec![version],
                    tls_flags: first.map(Hex::from),
                    ..resuming(&names, second)
                };
                let reports = twice(client, names.server(policy)).await;
                for ((report, flags), resumed) in
                    reports.iter().zip([first, second]).zip([false, true])
                {
                    completed(report, resumed);
                    let (client, server) = report;
                    let flags = flags.map(Hex::from);
                    assert_eq!(client.tls_flags_sent, flags, "{client:#?}");
                    assert_eq!(server.tls_flags_received, flags, "{server:#?}");
                    // A resumed session has the certificate of the handshake that made it.
                    let asked = policy.requests(first.is_some() && version == Version::Tls13);
                    assert_eq!(server.peer_certificate.is_some(), asked, "{server:#?}");
                    assert!(client.peer_certificate.is_some(), "{client:#?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resumes_without_a_certificate_under_a_policy_that_would_require_one() {
    let names = Names::new();
    let client = Setup {
        identity: None,
        ..resuming(&names, Some(&FLAG_80))
    };
    let [first, second] = twice(client, names.server(Policy::RequireOnFlag)).await;
    completed(&first, false);
    // The library does not hold a session's certificate against the policy of the day.
    completed(&second, true);
    assert_eq!(second.1.peer_certificate, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_another_job_is_not_resumed() {
    let names = Names::new();
    let client = prepared(&peer(), Side::Client, resuming(&names, None)).unwrap();
    for number in [0, 1] {
        let server = prepared(&peer(), Side::Server, names.server(Policy::Never)).unwrap();
        completed(&joined(&client, &server, number).await, false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_a_full_handshake_where_there_is_no_session() {
    let names = Names::new();
    let client = prepared(&peer(), Side::Client, resuming(&names, Some(&FLAG_80))).unwrap();
    let server = prepared(&peer(), Side::Server, names.server(Policy::RequireOnFlag)).unwrap();
    let reports = joined(&client, &server, 1).await;
    completed(&reports, false);
    assert!(reports.1.peer_certificate.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_malformed_flags_of_a_resumption() {
    let names = Names::new();
    let [first, (client, server)] =
        twice(resuming(&names, Some(&[1, 0])), names.server(Policy::Never)).await;
    completed(&first, false);
    assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{server:#?}");
    assert_eq!(
        client.alert_received,
        Some(ILLEGAL_PARAMETER),
        "{client:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_goes_as_early_data_and_again_where_it_was_rejected() {
    let names = Names::new();
    for accepts in [true, false] {
        let client = Setup {
            resumption: Some(Resumption {
                tls_flags: Some(Hex(FLAG_80.to_vec())),
                early_data: true,
            }),
            ..names.client()
        };
        let server = Setup {
            early_data: true,
            ..names.server(Policy::Never)
        };
        let client = prepared(&peer(), Side::Client, client).unwrap();
        let server = prepared(&peer(), Side::Server, server).unwrap();
        let first = joined(&client, &server, 0).await;
        completed(&first, false);
        assert_eq!(first.0.early_data, None);
        assert_eq!(first.1.early_data, None);
        let other = prepared(&peer(), Side::Server, names.server(Policy::Never)).unwrap();
        let second = joined(&client, if accepts { &server } else { &other }, 1).await;
        completed(&second, accepts);
        for report in [&second.0, &second.1] {
            assert_eq!(report.early_data, Some(accepts), "{report:#?}");
        }
        let early = |line: &String| line.starts_with("CLIENT_EARLY_TRAFFIC_SECRET ");
        assert!(second.0.key_log.iter().any(early), "{:#?}", second.0);
    }
}

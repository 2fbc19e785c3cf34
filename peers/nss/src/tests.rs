//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

use reqmtls_contract::testing::{
    ILLEGAL_PARAMETER, MALFORMED, Names, connect, joined, policies, prepared,
};
use reqmtls_contract::{Hex, Outcome, Side};

use super::*;

/// The library starts once for a process.
fn peer() -> &'static Nss {
    static PEER: std::sync::LazyLock<Nss> =
        std::sync::LazyLock::new(|| Nss::new().expect("it starts"));
    &PEER
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = Names::new();
    for data in MALFORMED {
        let flags = Some(Hex(data.to_vec()));
        for policy in policies(peer()) {
            let (client, server) = connect(peer(), names.sending(data), names.server(policy)).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(client.tls_flags_sent, flags, "{case}");
            assert_eq!(server.tls_flags_received, flags, "{case}");
            assert_eq!(server.outcome, Outcome::Refused, "{case}");
            assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{case}");
            assert_eq!(client.alert_received, Some(ILLEGAL_PARAMETER), "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_job_trusts_another_does_not() {
    let (names, others) = (Names::new(), Names::new());
    let client = prepared(peer(), Side::Client, names.client()).expect("a client");
    // Its anchors are trusted by the process from now on.
    let other = prepared(peer(), Side::Client, others.client()).expect("a client");
    let server = prepared(peer(), Side::Server, others.server(Policy::Never)).expect("a server");
    let (report, _) = joined(&other, &server, 0).await;
    assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
    let (report, _) = joined(&client, &server, 0).await;
    assert_eq!(report.outcome, Outcome::Refused, "{report:#?}");
}

//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

use std::sync::LazyLock;

use reqmtls_contract::testing::{
    ILLEGAL_PARAMETER, MALFORMED, Names, connect, joined, policies, prepared,
};
use reqmtls_contract::{Hex, Outcome, Setup, Side};

use super::*;

/// The library starts once for a process.
fn peer() -> &'static Nss {
    static PEER: LazyLock<Nss> = LazyLock::new(|| Nss::new().expect("it starts"));
    &PEER
}

/// The certificates are the process's: another authority of the same name could be taken for this one.
fn names() -> &'static Names {
    static NAMES: LazyLock<Names> = LazyLock::new(Names::new);
    &NAMES
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = names();
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
    let names = names();
    let without = Setup {
        trust_anchors: None,
        ..names.client()
    };
    // While one of them lives, its anchors are trusted by the process.
    let setups = [names.client(), without];
    let clients = setups.map(|it| prepared(peer(), Side::Client, it).expect("a client"));
    let server = prepared(peer(), Side::Server, names.server(Policy::Never)).expect("a server");
    for (client, outcome) in clients.iter().zip([Outcome::Completed, Outcome::Refused]) {
        let (report, _) = joined(client, &server, 0).await;
        assert_eq!(report.outcome, outcome, "{report:#?}");
    }
}

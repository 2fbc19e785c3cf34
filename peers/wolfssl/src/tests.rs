//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

use reqmtls_contract::testing::{ILLEGAL_PARAMETER, MALFORMED, Names, connect, policies};
use reqmtls_contract::{ConnectionState, Hex, Outcome, SUPPORTED_VERSIONS, Setup, TLS_FLAGS};

use super::*;

#[test]
fn the_library_says_which_version_it_is() {
    let library = WolfSsl::new().describe().library;
    let version = library.strip_prefix("wolfSSL ").expect(&library);
    assert_eq!(version.split('.').count(), 3, "{library}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_malformed_values_under_every_policy_after_a_retry_too() {
    let (names, peer) = (Names::new(), WolfSsl::new());
    for data in MALFORMED {
        let flags = Some(Hex(data.to_vec()));
        for policy in policies(&peer) {
            for groups in [vec![], vec![Group::Secp384r1]] {
                let server = Setup {
                    groups,
                    ..names.server(policy)
                };
                let (client, server) = connect(&peer, names.sending(data), server).await;
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
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_the_flag_for_absent_in_tls12() {
    let (names, peer) = (Names::new(), WolfSsl::new());
    for data in MALFORMED {
        let server = Setup {
            versions: vec![Version::Tls12],
            ..names.server(Policy::RequireOnFlag)
        };
        let (client, server) = connect(&peer, names.sending(data), server).await;
        let case = format!("{data:?}: {client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.key_log.len(), 1, "{case}");
    }
}

/// Without `edits` no end sends other flags after a retry.
#[test]
fn other_flags_in_a_second_hello_are_refused_and_the_same_are_not() {
    const ON: &[u8] = &[1, 1];
    let setup = Names::new().server(Policy::RequestOnFlag);
    for (second, refused) in [(Some(ON), false), (Some(&[1, 2][..]), true), (None, true)] {
        let (state, mut hello) = (ConnectionState::default(), hello::Hello::default());
        for data in [Some(ON), second] {
            hello.is_read = true;
            hello.note(&setup, &state, SUPPORTED_VERSIONS.into(), &[2, 3, 4]);
            if let Some(data) = data {
                hello.note(&setup, &state, TLS_FLAGS.into(), data);
            }
        }
        assert_eq!(hello.is_refused, refused, "{second:?}");
    }
}

//! The editor's copy: the server acknowledges the flag in `CertificateRequest`.

use std::sync::Mutex;

use openssl::ssl::ExtensionContext;
use reqmtls_contract::{Revision, TLS_FLAGS};

use super::flags::{answered, knowing};
use super::*;

fn editors_copy(setup: Setup) -> Setup {
    Setup {
        revision: Some(Revision::EditorsCopy),
        ..setup
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_is_acknowledged_in_certificate_request_alone_and_to_those_who_set_it() {
    let names = Names::new();
    let accepted = [
        (
            Some(FLAG_80),
            ExtensionContext::TLS1_3_CERTIFICATE_REQUEST,
            true,
        ),
        (None, ExtensionContext::TLS1_3_CERTIFICATE_REQUEST, false),
        (
            Some(FLAG_80),
            ExtensionContext::TLS1_3_NEW_SESSION_TICKET,
            false,
        ),
    ];
    for (sent, message, accepted) in accepted {
        let setup = Setup {
            tls_flags: sent.map(|data| Hex(data.to_vec())),
            ..editors_copy(knowing(&names))
        };
        let client = answered(setup, message, &FLAG_80).await;
        if accepted {
            assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
        } else {
            assert_eq!(client.alert_sent, Some(ILLEGAL_PARAMETER), "{client:#?}");
        }
    }
}

/// What a server's `CertificateRequest` carries of `tls_flags`.
async fn acknowledgement(server: Setup, sent: &'static [u8]) -> Option<Vec<u8>> {
    let names = Names::new();
    let server = prepared(&peer(), Side::Server, server).unwrap();
    let mut builder = context::builder(&names.client()).unwrap();
    let seen = Arc::new(Mutex::new(None));
    let sight = Arc::clone(&seen);
    builder
        .add_custom_ext(
            TLS_FLAGS,
            ExtensionContext::CLIENT_HELLO | ExtensionContext::TLS1_3_CERTIFICATE_REQUEST,
            move |_, _, _| Ok(Some(sent)),
            move |_, _, data, _| {
                *sight.lock().unwrap() = Some(data.to_vec());
                Ok(())
            },
        )
        .unwrap();
    let (_, report) = joined(&Bare::endpoint(Side::Client, builder), &server, 0).await;
    assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
    seen.lock().unwrap().take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_acknowledges_the_flag_where_it_asks_and_the_client_set_it() {
    let names = Names::new();
    for policy in policies(&peer()).filter(|policy| !policy.requires()) {
        let asks = policy.requests(true);
        let data = acknowledgement(editors_copy(names.server(policy)), &FLAG_80).await;
        assert_eq!(data, asks.then(|| FLAG_80.to_vec()), "{policy}");
        // Flag 0, which is another one.
        let data = acknowledgement(editors_copy(names.server(policy)), &[1, 1]).await;
        assert_eq!(data, None, "{policy}");
        let data = acknowledgement(names.server(policy), &FLAG_80).await;
        assert_eq!(data, None, "{policy} in draft-02");
    }
}

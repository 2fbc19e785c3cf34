//! The HTTP examples, against each other over TCP.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]
#![expect(
    clippy::duplicate_mod,
    reason = "each example is a program, with a module of its own"
)]

#[expect(dead_code, reason = "its main function is for the example alone")]
#[path = "../../examples/axum_server.rs"]
mod axum_server;
#[expect(dead_code, reason = "its main function is for the example alone")]
#[path = "../../examples/hyper_client.rs"]
mod hyper_client;
#[expect(dead_code, reason = "the examples share it, and each uses a part")]
#[path = "../../examples/shared/mod.rs"]
mod shared;

use hyper::Uri;
use rustls_tlsflags::Flags;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use shared::{Identity, Pki, Result, SERVER_NAME};

/// A server for this authority, until it is dropped with the test's runtime.
async fn server(pki: &Pki) -> Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = shared::acceptor(pki).unwrap();
    tokio::spawn(async move { axum_server::serve(listener, acceptor).await.unwrap() });
    format!("https://{SERVER_NAME}:{port}/").parse().unwrap()
}

/// What a handler answers to a client with these flags and this identity.
async fn answer(pki: &Pki, identity: Option<&Identity>, flags: &Flags) -> Result<String> {
    let uri = server(pki).await;
    let connector = shared::connector(&pki.authority, identity, flags).unwrap();
    let client = hyper_client::client(connector);
    let first = hyper_client::get(client.clone(), uri.clone()).await?;
    let second = hyper_client::get(client, uri).await?;
    assert_eq!(first, second);
    Ok(first)
}

#[tokio::test]
async fn a_handler_sees_by_which_certificate_a_client_with_the_flag_is_authenticated() {
    let pki = Pki::generate().unwrap();
    let seen = answer(&pki, Some(&pki.client), &Flags::request_mtls()).await;
    let fingerprint = hex::encode(Sha256::digest(&pki.client.chain().unwrap()[0]));
    assert_eq!(
        seen.unwrap(),
        format!("flag true, certificate {fingerprint}")
    );
}

#[tokio::test]
async fn a_handler_sees_that_a_client_without_the_flag_is_not_authenticated() {
    let pki = Pki::generate().unwrap();
    let seen = answer(&pki, Some(&pki.client), &Flags::new()).await;
    assert_eq!(seen.unwrap(), "flag false, not authenticated");
}

#[tokio::test]
async fn a_client_with_the_flag_and_no_certificate_reaches_no_handler() {
    let pki = Pki::generate().unwrap();
    let refused = answer(&pki, None, &Flags::request_mtls())
        .await
        .unwrap_err();
    let mut causes = vec![refused.to_string()];
    let mut error = refused.source();
    while let Some(cause) = error {
        causes.push(cause.to_string());
        error = cause.source();
    }
    let alert = "received fatal alert: CertificateRequired";
    assert!(causes.iter().any(|cause| cause == alert), "{causes:?}");
}

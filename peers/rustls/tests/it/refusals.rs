//! Flags that a server refuses, and with which alert.

use std::sync::Arc;

use rustls::{AlertDescription, NamedGroup};
use rustls_tlsflags::seam::{Edits, Message, Position, client_provider};
use rustls_tlsflags::{
    AcceptError, ClientAuthPolicy, FlagsError, TlsFlagsAcceptor, TlsFlagsConnector,
};

use crate::common::{
    Client, Pki, Server, alert_received, close, connected, handshake, stock, with_group,
};

fn misbehaving(pki: &Pki, edits: &Edits) -> TlsFlagsConnector {
    let provider = client_provider(&stock(), edits).unwrap();
    let config = pki.client(provider, rustls::ALL_VERSIONS, true);
    TlsFlagsConnector::from_config(Arc::new(config)).unwrap()
}

async fn outcome(edits: Edits) -> (std::io::Result<Client>, Result<Server, AcceptError>) {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequestOnFlag);
    handshake(&misbehaving(&pki, &edits), &acceptor).await
}

#[tokio::test]
async fn each_malformed_value_gets_its_alert() {
    for (body, error) in [
        (&[][..], FlagsError::EmptyExtension),
        (&[0], FlagsError::NoOctets),
        (
            &[2, 1],
            FlagsError::WrongLength {
                announced: 2,
                present: 1,
            },
        ),
        (
            &[1, 1, 9],
            FlagsError::WrongLength {
                announced: 1,
                present: 2,
            },
        ),
        (&[1, 0], FlagsError::AllZero),
        (&[3, 0, 0, 0], FlagsError::AllZero),
        (&[2, 1, 0], FlagsError::TrailingZeroOctet { octets: 2 }),
    ] {
        let (client, server) = outcome(Edits::new().insert(Message::ClientHello, 62, body)).await;
        match server.unwrap_err() {
            AcceptError::Flags(got) => assert_eq!(got, error, "{body:?}"),
            other => panic!("{body:?}: {other:?}"),
        }
        assert_eq!(alert_received(client), error.alert(), "{body:?}");
    }
}

#[tokio::test]
async fn two_extensions_are_refused() {
    let twice = Edits::new()
        .insert(Message::ClientHello, 62, [1, 1])
        .insert(Message::ClientHello, 62, [1, 1]);
    let (client, server) = outcome(twice).await;
    assert!(matches!(
        server.unwrap_err(),
        AcceptError::Flags(FlagsError::Duplicate)
    ));
    assert_eq!(alert_received(client), AlertDescription::IllegalParameter);
}

/// Handshakes with a server that sends HelloRetryRequest.
async fn retried(edits: Edits) -> (std::io::Result<Client>, Result<Server, AcceptError>) {
    let pki = Pki::new();
    let base = Arc::new(with_group(NamedGroup::secp384r1));
    let configs = pki.servers(&base, rustls::ALL_VERSIONS, |_| ());
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequestOnFlag).unwrap();
    handshake(&misbehaving(&pki, &edits), &acceptor).await
}

#[tokio::test]
async fn second_client_hello_must_carry_the_same_flags() {
    let first = Edits::new().insert(Message::FirstClientHello, 62, [1, 1]);
    for edits in [
        first.clone(),
        Edits::new().insert(Message::SecondClientHello, 62, [1, 1]),
        first.clone().insert(Message::SecondClientHello, 62, [1, 2]),
    ] {
        let (client, server) = retried(edits).await;
        let error = server.unwrap_err();
        assert!(
            matches!(error, AcceptError::Flags(FlagsError::Changed)),
            "{error:?}"
        );
        assert_eq!(alert_received(client), AlertDescription::IllegalParameter);
    }
    let same = first.insert(Message::SecondClientHello, 62, [1, 1]);
    let (client, server) = retried(same).await;
    close(client.unwrap(), server.unwrap()).await;
}

#[tokio::test]
async fn extension_behind_the_psk_is_refused() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let edits = Edits::new().insert_at(Message::ClientHello, 62, [1, 1], Position::Last);
    let connector = misbehaving(&pki, &edits);
    let (client, server) = connected(&connector, &acceptor).await;
    close(client, server).await;
    let (client, server) = handshake(&connector, &acceptor).await;
    assert!(matches!(
        server.unwrap_err(),
        AcceptError::Flags(FlagsError::BehindPreSharedKey)
    ));
    assert_eq!(alert_received(client), AlertDescription::IllegalParameter);
}

#[tokio::test]
async fn refused_stream_comes_back_to_the_caller() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let connector = misbehaving(&pki, &Edits::new().insert(Message::ClientHello, 62, [1, 0]));
    let (near, far) = tokio::io::duplex(1 << 16);
    let (client, server) = tokio::join!(
        connector.connect(crate::common::server_name(), near),
        acceptor.accept_fallible(far)
    );
    assert_eq!(alert_received(client), AlertDescription::IllegalParameter);
    let mut failed = server.unwrap_err();
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut failed.io, &mut rest)
        .await
        .unwrap();
}

#[tokio::test]
async fn stream_that_ends_before_client_hello_is_an_io_error() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let (near, far) = tokio::io::duplex(64);
    drop(near);
    let error = acceptor.accept(far).await.unwrap_err();
    assert!(matches!(error, AcceptError::Io(_)), "{error:?}");
}

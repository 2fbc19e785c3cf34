//! The editor's copy: acknowledgement in CertificateRequest.

use std::sync::Arc;

use rustls::{AlertDescription, Error, NamedGroup};
use rustls_tlsflags::seam::{self, Edits, Message};
use rustls_tlsflags::{
    AcceptError, ClientAuthPolicy, Codepoints, Flags, FlagsError, Revision, TLS_FLAGS,
    TlsFlagsAcceptor, TlsFlagsConnector, editors_copy, flags_error,
};

use crate::common::{Client, Pki, Server, close, connected, handshake, stock, with_group};

const BODY: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

fn client(pki: &Pki, flags: &Flags) -> TlsFlagsConnector {
    let builder = TlsFlagsConnector::builder(flags.clone());
    pki.build(builder.refuse_unsolicited(Revision::EditorsCopy), true)
}

/// A handshake with a server that edits its messages, whoever the client is.
async fn outcome(
    flags: &Flags,
    edits: &Edits,
    group: NamedGroup,
) -> (std::io::Result<Client>, Result<Server, AcceptError>) {
    let pki = Pki::new();
    let provider = seam::server_provider(&with_group(group), edits).unwrap();
    let configs = pki.servers(&provider, rustls::ALL_VERSIONS, |_| ());
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::Require).unwrap();
    handshake(&client(&pki, flags), &acceptor).await
}

#[tokio::test]
async fn acknowledged_flag_is_accepted_from_a_server_of_the_same_revision() {
    let pki = Pki::new();
    let configs = |provider| pki.servers(&provider, rustls::ALL_VERSIONS, |_| ());
    let provider = editors_copy::server_provider(&stock(), Codepoints::default());
    let acceptor = TlsFlagsAcceptor::new(configs(provider), ClientAuthPolicy::RequireOnFlag);
    let acceptor = acceptor.unwrap();
    let connector = client(&pki, &Flags::request_mtls());
    for _ in ["full", "resumed"] {
        let (client, server) = connected(&connector, &acceptor).await;
        assert!(server.stream.get_ref().1.peer_certificates().is_some());
        close(client, server).await;
    }
    let connector = client(&pki, &Flags::new());
    let (client, server) = connected(&connector, &acceptor).await;
    assert!(server.stream.get_ref().1.peer_certificates().is_none());
    close(client, server).await;
}

#[tokio::test]
async fn client_refuses_flags_where_they_must_not_be() {
    let (set, unset) = (Flags::request_mtls(), Flags::new());
    let insert = |message, body: &[u8]| Edits::new().insert(message, 62, body);
    let (now, retry) = (NamedGroup::X25519, NamedGroup::secp384r1);
    for (flags, edits, group) in [
        (&unset, insert(Message::CertificateRequest, &BODY), now),
        (&unset, insert(Message::CertificateRequest, &BODY), retry),
        (&set, insert(Message::CertificateRequest, &[2, 1, 0]), now),
        (&set, insert(Message::EncryptedExtensions, &BODY), now),
        (&unset, insert(Message::EncryptedExtensions, &BODY), now),
        (&set, insert(Message::EncryptedExtensions, &[1, 1]), now),
        (&set, insert(Message::Certificate, &BODY), now),
        (&set, insert(Message::ServerHello, &BODY), now),
        (&unset, insert(Message::ServerHello, &BODY), now),
        (&set, insert(Message::ServerHello, &BODY), retry),
        (&set, insert(Message::HelloRetryRequest, &BODY), retry),
        (&unset, insert(Message::HelloRetryRequest, &BODY), retry),
        (&unset, insert(Message::HelloRetryRequest, &[1, 1]), retry),
    ] {
        let case = format!("{flags:?} {edits:?} {group:?}");
        let (client, server) = outcome(flags, &edits, group).await;
        let error = client.expect_err(&case);
        assert_eq!(
            flags_error(&error, TLS_FLAGS),
            Some(FlagsError::Unsolicited),
            "{case}: {error}"
        );
        match server.unwrap_err() {
            AcceptError::Tls(Error::AlertReceived(alert)) => {
                assert_eq!(alert, AlertDescription::IllegalParameter, "{case}");
            }
            other => panic!("{case}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn client_ignores_other_flags_in_certificate_request() {
    for flags in [Flags::request_mtls(), Flags::new()] {
        let edits = Edits::new().insert(Message::CertificateRequest, 62, [1, 1]);
        let (client, server) = outcome(&flags, &edits, NamedGroup::X25519).await;
        close(client.unwrap(), server.unwrap()).await;
    }
}

#[tokio::test]
async fn server_refuses_flags_in_the_clients_certificate() {
    let pki = Pki::new();
    let provider = editors_copy::server_provider(&stock(), Codepoints::default());
    let configs = pki.servers(&provider, rustls::ALL_VERSIONS, |_| ());
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
    let edits =
        Edits::new()
            .insert(Message::ClientHello, 62, BODY)
            .insert(Message::Certificate, 62, BODY);
    let provider = seam::client_provider(&stock(), &edits).unwrap();
    let config = pki.client(provider, rustls::ALL_VERSIONS, true);
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    let (client, server) = handshake(&connector, &acceptor).await;
    let error = server.unwrap_err();
    assert!(
        matches!(error, AcceptError::Flags(FlagsError::Unsolicited)),
        "{error:?}"
    );
    let mut client = client.unwrap();
    let read = tokio::io::AsyncReadExt::read(&mut client, &mut [0]).await;
    assert_eq!(
        crate::common::alert_received(read.map(|_| client)),
        AlertDescription::IllegalParameter
    );
}

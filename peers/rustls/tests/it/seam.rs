//! The low-level seam, on what a server sends and on a client's Certificate.

use std::sync::Arc;

use rustls::{AlertDescription, CipherSuite, Error, HandshakeKind, InvalidMessage, NamedGroup};
use rustls_tlsflags::seam::{Edits, Message, client_provider, server_provider};
use rustls_tlsflags::{AcceptError, ClientAuthPolicy, TlsFlagsAcceptor, TlsFlagsConnector};

use crate::common::{Client, Pki, Server, close, connected, handshake, stock, with_group};

/// The flag, acknowledged.
const BODY: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

fn acceptor(pki: &Pki, edits: &Edits, group: Option<NamedGroup>) -> TlsFlagsAcceptor {
    let base = group.map_or_else(stock, with_group);
    let provider = server_provider(&base, edits).unwrap();
    let configs = pki.servers(&provider, rustls::ALL_VERSIONS, |config| {
        config.max_early_data_size = 4096;
    });
    TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap()
}

async fn outcome(
    edits: &Edits,
    group: Option<NamedGroup>,
) -> (std::io::Result<Client>, Result<Server, AcceptError>) {
    let pki = Pki::new();
    handshake(&pki.flagged(true), &acceptor(&pki, edits, group)).await
}

fn client_error(client: std::io::Result<Client>) -> Error {
    let error = client.expect_err("the client's handshake succeeded");
    error.downcast().expect("an error of rustls")
}

#[tokio::test]
async fn client_ignores_unknown_flags_in_certificate_request() {
    let edits = Edits::new().insert(Message::CertificateRequest, 62, BODY);
    let (client, server) = outcome(&edits, None).await;
    let server = server.unwrap();
    assert!(server.stream.get_ref().1.peer_certificates().is_some());
    close(client.unwrap(), server).await;
}

/// Each edit takes effect on the wire: a stock client refuses what it must not get.
#[tokio::test]
async fn stock_client_refuses_what_a_server_must_not_send() {
    use AlertDescription::{DecodeError, HandshakeFailure, IllegalParameter, UnsupportedExtension};
    let once = |message| Edits::new().insert(message, 62, BODY);
    let no_algorithms = Edits::new().remove(Message::CertificateRequest, 13);
    let twice = once(Message::CertificateRequest).insert(Message::CertificateRequest, 62, BODY);
    let retry = Some(NamedGroup::secp384r1);
    for (edits, group, alert) in [
        (once(Message::ServerHello), None, UnsupportedExtension),
        (once(Message::ServerHello), retry, UnsupportedExtension),
        (
            once(Message::HelloRetryRequest),
            retry,
            UnsupportedExtension,
        ),
        (
            once(Message::EncryptedExtensions),
            None,
            UnsupportedExtension,
        ),
        (once(Message::Certificate), None, DecodeError),
        (twice, None, IllegalParameter),
        (no_algorithms, None, HandshakeFailure),
    ] {
        let (client, server) = outcome(&edits, group).await;
        let error = client_error(client);
        match server.unwrap_err() {
            AcceptError::Tls(Error::AlertReceived(got)) => assert_eq!(got, alert, "{edits:?}"),
            other => panic!("{edits:?}: {error:?}, {other:?}"),
        }
    }
}

#[tokio::test]
async fn new_session_ticket_is_edited_outside_the_transcript() {
    let pki = Pki::new();
    for (edits, early_data) in [
        (
            Edits::new().insert(Message::NewSessionTicket, 62, BODY),
            true,
        ),
        (Edits::new().remove(Message::NewSessionTicket, 42), false),
    ] {
        let acceptor = acceptor(&pki, &edits, None);
        let provider = client_provider(&stock(), &Edits::new()).unwrap();
        let mut config = pki.client(provider, rustls::ALL_VERSIONS, true);
        config.enable_early_data = true;
        let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
        let (client, server) = connected(&connector, &acceptor).await;
        close(client, server).await;

        let mut tls = rustls::ClientConnection::new(
            Arc::clone(connector.config()),
            crate::common::server_name(),
        )
        .unwrap();
        assert_eq!(tls.early_data().is_some(), early_data);
        let (client, server) = connected(&connector, &acceptor).await;
        let kind = server.stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Resumed));
        close(client, server).await;
    }
}

#[tokio::test]
async fn a_server_edits_all_messages_at_once_with_every_suite() {
    let pki = Pki::new();
    // All of these are answers to what the client asks anyway, or ignored.
    let edits = Edits::new()
        .insert(Message::CertificateRequest, 62, BODY)
        .remove(Message::CertificateRequest, 47)
        .insert(Message::NewSessionTicket, 62, BODY)
        .insert(Message::NewSessionTicket, 0xfe01, vec![9; 900]);
    for suite in [
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    ] {
        let mut base = stock();
        base.cipher_suites.retain(|known| known.suite() == suite);
        let provider = server_provider(&base, &edits).unwrap();
        let configs = pki.servers(&provider, &[&rustls::version::TLS13], |_| ());
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
        let connector = pki.flagged(true);
        let (client, server) = connected(&connector, &acceptor).await;
        close(client, server).await;
        let (client, server) = connected(&connector, &acceptor).await;
        let tls = server.stream.get_ref().1;
        assert_eq!(tls.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(tls.negotiated_cipher_suite().unwrap().suite(), suite);
        close(client, server).await;
    }
}

#[tokio::test]
async fn client_certificate_is_edited() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Require);
    let edited = |edits: &Edits| {
        let provider = client_provider(&stock(), edits).unwrap();
        let config = pki.client(provider, rustls::ALL_VERSIONS, true);
        TlsFlagsConnector::from_config(Arc::new(config)).unwrap()
    };
    // rustls accepts no extension at all here, so this shows the edit itself.
    let unknown = Edits::new().insert(Message::Certificate, 62, BODY);
    let (_, server) = handshake(&edited(&unknown), &acceptor).await;
    let error = server.unwrap_err();
    assert!(
        matches!(
            error,
            AcceptError::Tls(Error::InvalidMessage(
                InvalidMessage::UnknownCertificateExtension
            ))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn server_certificate_is_edited() {
    let response = Edits::new().insert(Message::CertificateFirstEntry, 5, [1, 0, 0, 1, 0xaa]);
    let (client, server) = outcome(&response, None).await;
    close(client.unwrap(), server.unwrap()).await;
    let twice = response.insert(Message::Certificate, 5, [1, 0, 0, 1, 0xaa]);
    let (client, _) = outcome(&twice, None).await;
    let error = client_error(client);
    assert!(matches!(error, Error::InvalidMessage(_)), "{error:?}");
}

/// A flight longer than a fragment, so that an edited message begins in one
/// record and ends in the next.
#[tokio::test]
async fn messages_across_fragments_are_edited() {
    let edits = Edits::new()
        .insert(Message::CertificateRequest, 62, BODY)
        .insert(Message::Certificate, 5, [1, 0, 0, 1, 0xaa])
        .insert(Message::NewSessionTicket, 62, BODY);
    for names in (0..250).step_by(10) {
        let pki = Pki::with_server_names(names);
        let acceptor = acceptor(&pki, &edits, None);
        let connector = pki.flagged(true);
        let (client, server) = connected(&connector, &acceptor).await;
        close(client, server).await;
        let (client, server) = connected(&connector, &acceptor).await;
        let kind = server.stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Resumed));
        close(client, server).await;
    }
}

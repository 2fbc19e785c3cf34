//! TLS 1.2, where the flag has no meaning but must do no harm.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, HandshakeKind, ProtocolVersion};
use rustls_tlsflags::seam::{Edits, Message, client_provider};
use rustls_tlsflags::{
    AcceptorError, ClientAuth, ClientAuthPolicy, Flags, TlsFlagsAcceptor, TlsFlagsConnector,
};

use crate::common::{Pki, Versions, alert_received, close, connected, handshake, provider, stock};

/// The flag is set under both versions; one side speaks TLS 1.2 only.
async fn flag_counts_as_unset(client: Versions<'_>, server: Versions<'_>) {
    let pki = Pki::new();
    for (policy, expected) in [
        (ClientAuthPolicy::Never, ClientAuth::None),
        (ClientAuthPolicy::Require, ClientAuth::Required),
        (ClientAuthPolicy::Request, ClientAuth::Optional),
        (ClientAuthPolicy::RequireOnFlag, ClientAuth::None),
        (ClientAuthPolicy::RequestOnFlag, ClientAuth::None),
    ] {
        let acceptor = pki.acceptor_with(policy, server);
        let config = pki.client(provider(&stock(), &Flags::request_mtls()), client, true);
        let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
        let (client, server) = connected(&connector, &acceptor).await;
        let tls = server.stream.get_ref().1;
        assert_eq!(tls.protocol_version(), Some(ProtocolVersion::TLSv1_2));
        assert_eq!(server.client_auth, expected);
        assert_eq!(
            tls.peer_certificates().is_some(),
            expected != ClientAuth::None
        );
        assert_eq!(server.offer.flags, None);
        assert_eq!(server.offer.extension_data, Flags::request_mtls().encode());
        close(client, server).await;
    }
}

#[tokio::test]
async fn flag_counts_as_unset_if_the_server_speaks_tls12_only() {
    flag_counts_as_unset(rustls::ALL_VERSIONS, &[&TLS12]).await;
}

#[tokio::test]
async fn flag_counts_as_unset_if_the_client_speaks_tls12_only() {
    flag_counts_as_unset(&[&TLS12], rustls::ALL_VERSIONS).await;
}

#[tokio::test]
async fn works_with_every_tls12_suite_and_client_authentication() {
    let mut suites = 0;
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_RSA_SHA256] {
        let pki = Pki::of(algorithm);
        let name = if algorithm == &rcgen::PKCS_RSA_SHA256 {
            "_RSA_"
        } else {
            "_ECDSA_"
        };
        for suite in stock().cipher_suites {
            if suite.tls13().is_some() || !format!("{:?}", suite.suite()).contains(name) {
                continue;
            }
            let mut base = stock();
            base.cipher_suites = vec![suite];
            let acceptor = pki.acceptor_with(ClientAuthPolicy::Require, &[&TLS12]);
            let config = pki.client(provider(&base, &Flags::request_mtls()), &[&TLS12], true);
            let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let (client, server) = connected(&connector, &acceptor).await;
                let tls = server.stream.get_ref().1;
                assert_eq!(
                    tls.negotiated_cipher_suite().unwrap().suite(),
                    suite.suite()
                );
                assert_eq!(tls.handshake_kind(), Some(kind), "{suite:?}");
                assert!(tls.peer_certificates().is_some());
                close(client, server).await;
            }
            suites += 1;
        }
    }
    assert_eq!(suites, 6);
}

#[tokio::test]
async fn malformed_flags_are_ignored_under_tls12_and_refused_under_tls13() {
    let pki = Pki::new();
    let edits = Edits::new().insert(Message::ClientHello, 62, [2, 1, 0]);
    let provider = client_provider(&stock(), &edits).unwrap();
    let config = pki.client(provider, rustls::ALL_VERSIONS, true);
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();

    let acceptor = pki.acceptor_with(ClientAuthPolicy::Never, &[&TLS12]);
    let (client, server) = connected(&connector, &acceptor).await;
    close(client, server).await;

    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let (client, _) = handshake(&connector, &acceptor).await;
    assert_eq!(alert_received(client), AlertDescription::IllegalParameter);
}

#[test]
fn configs_must_agree_on_tls13() {
    let pki = Pki::new();
    let verifier = rustls::server::WebPkiClientVerifier::no_client_auth;
    let configs = rustls_tlsflags::ServerConfigs::new()
        .none(pki.server(Arc::new(stock()), &[&TLS12], verifier()))
        .required(pki.server(Arc::new(stock()), &[&TLS13], verifier()));
    let error = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap_err();
    assert_eq!(error, AcceptorError::MixedVersions);
}

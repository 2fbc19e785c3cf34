//! TLS 1.3 handshakes with flags.

use std::sync::Arc;

use rustls::version::TLS13;
use rustls::{HandshakeKind, NamedGroup, ProtocolVersion};
use rustls_tlsflags::{
    ClientAuth, ClientAuthPolicy, Flags, MAX_FLAG, TlsFlagsAcceptor, TlsFlagsConnector,
};

use crate::common::{Pki, close, connected, provider, stock, with_group};

#[tokio::test]
async fn server_sees_the_exact_flag_bytes() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let (client, server) = connected(&pki.flagged(false), &acceptor).await;
    assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
    let wire = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(server.offer.extension_data.as_deref(), Some(&wire[..]));
    let tls = client.get_ref().1;
    assert_eq!(tls.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(tls.handshake_kind(), Some(HandshakeKind::Full));
    close(client, server).await;
}

#[tokio::test]
async fn any_set_of_flags_arrives() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    for flags in [
        Flags::from_iter([0]),
        Flags::from_iter([0, 7, 8, 80, 81]),
        Flags::from_iter([MAX_FLAG]),
        (0..=MAX_FLAG).collect(),
    ] {
        let (client, server) = connected(&pki.connector(&flags, false), &acceptor).await;
        assert_eq!(server.offer.flags, Some(flags));
        close(client, server).await;
    }
}

#[tokio::test]
async fn no_flags_leave_the_extension_out() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
    let (client, server) = connected(&pki.connector(&Flags::new(), false), &acceptor).await;
    assert_eq!(server.offer.extension_data, None);
    assert_eq!(server.offer.flags, None);
    assert_eq!(server.client_auth, ClientAuth::None);
    close(client, server).await;
}

#[tokio::test]
async fn flags_survive_a_hello_retry_request() {
    let pki = Pki::new();
    for group in [NamedGroup::secp384r1, NamedGroup::secp256r1] {
        let configs = pki.servers(&Arc::new(with_group(group)), rustls::ALL_VERSIONS, |_| ());
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
        let (client, server) = connected(&pki.flagged(true), &acceptor).await;
        assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
        for kind in [
            client.get_ref().1.handshake_kind(),
            server.stream.get_ref().1.handshake_kind(),
        ] {
            assert_eq!(kind, Some(HandshakeKind::FullWithHelloRetryRequest));
        }
        close(client, server).await;
    }
}

#[tokio::test]
async fn works_with_every_tls13_suite() {
    let pki = Pki::new();
    let mut suites = 0;
    for suite in stock().cipher_suites {
        if suite.tls13().is_none() {
            continue;
        }
        let mut base = stock();
        base.cipher_suites = vec![suite];
        let configs = pki.servers(&Arc::new(base.clone()), &[&TLS13], |_| ());
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
        let config = pki.client(provider(&base, &Flags::request_mtls()), &[&TLS13], true);
        let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
        let (client, server) = connected(&connector, &acceptor).await;
        let negotiated = client.get_ref().1.negotiated_cipher_suite().unwrap();
        assert_eq!(negotiated.suite(), suite.suite());
        assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
        close(client, server).await;
        suites += 1;
    }
    assert_eq!(suites, 3);
}

#[tokio::test]
async fn works_in_the_smallest_fragments() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
    let provider = provider(&stock(), &Flags::request_mtls());
    let mut config = pki.client(provider, rustls::ALL_VERSIONS, true);
    config.max_fragment_size = Some(32);
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    let (client, server) = connected(&connector, &acceptor).await;
    assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
    close(client, server).await;
}

#[tokio::test]
async fn works_if_client_hello_fills_several_records() {
    let pki = Pki::new();
    for retry in [false, true] {
        let group = if retry {
            NamedGroup::secp384r1
        } else {
            NamedGroup::X25519
        };
        let base = Arc::new(with_group(group));
        let configs = pki.servers(&base, rustls::ALL_VERSIONS, |config| {
            config.alpn_protocols = vec![b"last".to_vec()];
        });
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
        let provider = provider(&stock(), &Flags::request_mtls());
        let mut config = pki.client(provider, rustls::ALL_VERSIONS, true);
        config.alpn_protocols = vec![vec![b'x'; 200]; 200];
        config.alpn_protocols.push(b"last".to_vec());
        let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
        let (client, server) = connected(&connector, &acceptor).await;
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"last"[..]));
        assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
        let kind = server.stream.get_ref().1.handshake_kind();
        assert_eq!(
            kind == Some(HandshakeKind::FullWithHelloRetryRequest),
            retry
        );
        close(client, server).await;
    }
}

#[tokio::test]
async fn many_handshakes_share_one_connector() {
    let pki = Pki::new();
    let (connector, acceptor) = (
        pki.flagged(true),
        pki.acceptor(ClientAuthPolicy::RequireOnFlag),
    );
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (connector, acceptor) = (connector.clone(), acceptor.clone());
            tokio::spawn(async move {
                let (client, server) = connected(&connector, &acceptor).await;
                assert!(server.stream.get_ref().1.peer_certificates().is_some());
                close(client, server).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn connector_refuses_a_config_that_would_send_no_flags() {
    let pki = Pki::new();
    let config = pki.client(Arc::new(stock()), rustls::ALL_VERSIONS, false);
    let builder = TlsFlagsConnector::builder(Flags::request_mtls());
    let error = builder.build(&stock(), |_| Ok(config)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration has another provider: expected one made with the builder given"
    );
}

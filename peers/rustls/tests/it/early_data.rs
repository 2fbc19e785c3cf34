//! 0-RTT by way of tokio-rustls.

use std::io::Read;
use std::sync::Arc;

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::version::TLS13;
use rustls::{HandshakeKind, NamedGroup};
use rustls_tlsflags::{ClientAuthPolicy, Flags, TlsFlagsAcceptor, TlsFlagsConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Pki, close, connected, provider, server_name, stock, with_group};

fn connector(pki: &Pki) -> TlsFlagsConnector {
    let provider = provider(&stock(), &Flags::request_mtls());
    let mut config = pki.client(provider, &[&TLS13], true);
    config.enable_early_data = true;
    TlsFlagsConnector::from_config(Arc::new(config))
        .unwrap()
        .with_options(|connector| connector.early_data(true))
}

fn acceptor(
    pki: &Pki,
    store: &Arc<ServerSessionMemoryCache>,
    group: NamedGroup,
    max_early_data_size: u32,
) -> TlsFlagsAcceptor {
    let configs = pki.servers(&Arc::new(with_group(group)), &[&TLS13], |config| {
        config.session_storage = Arc::clone(store) as Arc<dyn StoresServerSessions>;
        config.max_early_data_size = max_early_data_size;
    });
    TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap()
}

/// Resumes and sends 3000 octets early; returns whether they were accepted early.
async fn send_early(connector: &TlsFlagsConnector, acceptor: &TlsFlagsAcceptor) -> bool {
    let early = [7; 3000];
    let (near, far) = tokio::io::duplex(1 << 16);
    let client = async {
        let mut client = connector.connect(server_name(), near).await.unwrap();
        client.write_all(&early).await.unwrap();
        client.flush().await.unwrap();
        client
    };
    let (client, server) = tokio::join!(client, Box::pin(acceptor.accept(far)));
    let mut server = server.unwrap();
    let tls = server.stream.get_mut().1;
    let mut got = Vec::new();
    if let Some(mut data) = tls.early_data() {
        data.read_to_end(&mut got).unwrap();
    }
    let accepted = client.get_ref().1.is_early_data_accepted();
    assert_eq!(accepted, !got.is_empty());
    if !accepted {
        got = vec![0; early.len()];
        server.stream.read_exact(&mut got).await.unwrap();
    }
    assert_eq!(got, early);
    let tls = server.stream.get_ref().1;
    assert_eq!(tls.handshake_kind(), Some(HandshakeKind::Resumed));
    assert!(tls.peer_certificates().is_some());
    assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
    close(client, server).await;
    accepted
}

#[tokio::test]
async fn early_data_is_accepted() {
    let pki = Pki::new();
    let store = ServerSessionMemoryCache::new(16);
    let acceptor = acceptor(&pki, &store, NamedGroup::X25519, 8192);
    let connector = connector(&pki);
    let (client, server) = connected(&connector, &acceptor).await;
    close(client, server).await;
    assert!(send_early(&connector, &acceptor).await);
}

#[tokio::test]
async fn rejected_early_data_arrives_late() {
    let pki = Pki::new();
    let store = ServerSessionMemoryCache::new(16);
    let first = acceptor(&pki, &store, NamedGroup::X25519, 8192);
    let second = acceptor(&pki, &store, NamedGroup::X25519, 0);
    let connector = connector(&pki);
    let (client, server) = connected(&connector, &first).await;
    close(client, server).await;
    assert!(!send_early(&connector, &second).await);
}

#[tokio::test]
async fn early_data_rejected_by_a_hello_retry_request_arrives_late() {
    let pki = Pki::new();
    let store = ServerSessionMemoryCache::new(16);
    let first = acceptor(&pki, &store, NamedGroup::X25519, 8192);
    let second = acceptor(&pki, &store, NamedGroup::secp384r1, 8192);
    let connector = connector(&pki);
    let (client, server) = connected(&connector, &first).await;
    close(client, server).await;
    assert!(!send_early(&connector, &second).await);
}

//! Sessions: PSK binders with flags, and which sessions a server resumes.

use std::sync::Arc;

use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, HandshakeKind, NamedGroup, ServerConfig};
use rustls_tlsflags::{
    ClientAuth, ClientAuthPolicy, Flags, OwnSessions, TlsFlagsAcceptor, TlsFlagsConnector,
};

use crate::common::{
    Client, Pki, Server, alert_received, close, connected, handshake, provider, stock, with_group,
};

fn kinds(client: &Client, server: &Server) -> [Option<HandshakeKind>; 2] {
    [
        client.get_ref().1.handshake_kind(),
        server.stream.get_ref().1.handshake_kind(),
    ]
}

const FULL: [Option<HandshakeKind>; 2] = [Some(HandshakeKind::Full); 2];
const RESUMED: [Option<HandshakeKind>; 2] = [Some(HandshakeKind::Resumed); 2];

/// Two handshakes; says how the second went.
async fn second(
    connector: &TlsFlagsConnector,
    first: &TlsFlagsAcceptor,
    second: &TlsFlagsAcceptor,
) -> (Client, Server) {
    let (client, server) = connected(connector, first).await;
    assert!(!RESUMED.contains(&kinds(&client, &server)[1]));
    close(client, server).await;
    connected(connector, second).await
}

#[tokio::test]
async fn resumes_with_flags_before_the_psk() {
    let pki = Pki::new();
    for policy in [
        ClientAuthPolicy::Never,
        ClientAuthPolicy::RequestOnFlag,
        ClientAuthPolicy::RequireOnFlag,
    ] {
        let acceptor = pki.acceptor(policy);
        let (client, server) = second(&pki.flagged(true), &acceptor, &acceptor).await;
        assert_eq!(kinds(&client, &server), RESUMED);
        assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
        let authenticated = server.stream.get_ref().1.peer_certificates().is_some();
        assert_eq!(authenticated, policy != ClientAuthPolicy::Never);
        close(client, server).await;
    }
}

#[tokio::test]
async fn resumes_with_every_tls13_suite() {
    let pki = Pki::new();
    for suite in stock().cipher_suites {
        if suite.tls13().is_none() {
            continue;
        }
        let mut base = stock();
        base.cipher_suites = vec![suite];
        let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
        let config = pki.client(provider(&base, &Flags::request_mtls()), &[&TLS13], true);
        let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
        let (client, server) = second(&connector, &acceptor, &acceptor).await;
        assert_eq!(kinds(&client, &server), RESUMED, "{suite:?}");
        close(client, server).await;
    }
}

/// An acceptor with this group alone, and this store of sessions.
fn acceptor(
    pki: &Pki,
    group: NamedGroup,
    store: &Arc<dyn StoresServerSessions>,
    policy: ClientAuthPolicy,
) -> TlsFlagsAcceptor {
    let configs = pki.servers(
        &Arc::new(with_group(group)),
        rustls::ALL_VERSIONS,
        |config| {
            config.session_storage = Arc::clone(store);
        },
    );
    TlsFlagsAcceptor::new(configs, policy).unwrap()
}

fn store() -> Arc<dyn StoresServerSessions> {
    ServerSessionMemoryCache::new(64)
}

#[tokio::test]
async fn resumes_after_a_hello_retry_request() {
    let pki = Pki::new();
    let store = store();
    let policy = ClientAuthPolicy::RequireOnFlag;
    let first = acceptor(&pki, NamedGroup::X25519, &store, policy);
    let retrying = acceptor(&pki, NamedGroup::secp384r1, &store, policy);
    let (client, server) = second(&pki.flagged(true), &first, &retrying).await;
    assert_eq!(kinds(&client, &server), RESUMED);
    let group = client.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::secp384r1);
    assert!(server.stream.get_ref().1.peer_certificates().is_some());
    close(client, server).await;
}

/// Two connectors that share sessions: one sets the flag, the other does not.
fn sharing(pki: &Pki, versions: crate::common::Versions<'_>) -> [TlsFlagsConnector; 2] {
    let shared = Arc::new(ClientSessionMemoryCache::new(16));
    let [plain, flagged] = [Flags::new(), Flags::request_mtls()]
        .map(|flags| pki.client(provider(&stock(), &flags), versions, true));
    [plain, flagged.clone()].map(|mut config| {
        let own = OwnSessions::new(shared.clone(), config.crypto_provider());
        config.resumption = Resumption::store(Arc::new(own));
        // Sessions only pass between configurations with the same trust and
        // credentials.
        config.client_auth_cert_resolver = Arc::clone(&flagged.client_auth_cert_resolver);
        TlsFlagsConnector::from_config(Arc::new(config)).unwrap()
    })
}

#[tokio::test]
async fn a_shared_store_keeps_sessions_of_other_flags_apart() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let [plain, flagged] = sharing(&pki, &[&TLS13]);
    for (first, other) in [(&plain, &flagged), (&flagged, &plain)] {
        let (client, server) = connected(first, &acceptor).await;
        close(client, server).await;
        let (client, server) = connected(other, &acceptor).await;
        assert_eq!(kinds(&client, &server), FULL);
        close(client, server).await;
        let (client, server) = connected(other, &acceptor).await;
        assert_eq!(kinds(&client, &server), RESUMED);
        close(client, server).await;
    }
}

/// A client that resumes whatever the server has given it: the same session
/// store, trust and credentials under each set of flags, so that only the
/// server keeps sessions apart. TLS 1.2 sessions do not depend on the suite.
async fn session_without_authentication_is_not_resumed_where_it_is_required(
    versions: crate::common::Versions<'_>,
    set: impl Fn(&mut ServerConfig),
) {
    let pki = Pki::new();
    let configs = pki.servers(&Arc::new(stock()), versions, set);
    let never = TlsFlagsAcceptor::new(configs.clone(), ClientAuthPolicy::Never).unwrap();
    let request = TlsFlagsAcceptor::new(configs.clone(), ClientAuthPolicy::Request).unwrap();
    let require = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::Require).unwrap();
    let config = pki.client(provider(&stock(), &Flags::request_mtls()), versions, true);
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();

    for lenient in [&never, &request] {
        let (client, server) = second(&connector, lenient, lenient).await;
        assert_eq!(kinds(&client, &server), RESUMED);
        close(client, server).await;
        let (client, server) = connected(&connector, &require).await;
        assert_eq!(kinds(&client, &server), FULL);
        assert!(server.stream.get_ref().1.peer_certificates().is_some());
        assert_eq!(server.client_auth, ClientAuth::Required);
        close(client, server).await;
    }
    let (client, server) = connected(&connector, &require).await;
    assert_eq!(kinds(&client, &server), RESUMED);
    assert!(server.stream.get_ref().1.peer_certificates().is_some());
    close(client, server).await;
}

#[tokio::test]
async fn required_authentication_is_not_evaded_by_a_stored_tls13_session() {
    let shared = store();
    session_without_authentication_is_not_resumed_where_it_is_required(&[&TLS13], |config| {
        config.session_storage = Arc::clone(&shared);
    })
    .await;
}

#[tokio::test]
async fn required_authentication_is_not_evaded_by_a_tls13_ticket() {
    let shared = crate::backend::Ticketer::new().unwrap();
    session_without_authentication_is_not_resumed_where_it_is_required(&[&TLS13], |config| {
        config.ticketer = Arc::clone(&shared);
    })
    .await;
}

#[tokio::test]
async fn required_authentication_is_not_evaded_by_a_stored_tls12_session() {
    let shared = store();
    session_without_authentication_is_not_resumed_where_it_is_required(&[&TLS12], |config| {
        config.session_storage = Arc::clone(&shared);
    })
    .await;
}

#[tokio::test]
async fn required_authentication_is_not_evaded_by_a_tls12_ticket() {
    let shared = crate::backend::Ticketer::new().unwrap();
    session_without_authentication_is_not_resumed_where_it_is_required(&[&TLS12], |config| {
        config.ticketer = Arc::clone(&shared);
    })
    .await;
}

/// What [`OwnSessions`] is for: without it, the binder is wrong.
#[tokio::test]
async fn a_carelessly_shared_store_fails_safely() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let plain = pki.client(provider(&stock(), &Flags::new()), &[&TLS13], false);
    let mut flagged =
        rustls::ClientConfig::builder_with_provider(provider(&stock(), &Flags::request_mtls()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(Arc::clone(pki.roots()))
            .with_no_client_auth();
    flagged.resumption = plain.resumption.clone();
    flagged.client_auth_cert_resolver = Arc::clone(&plain.client_auth_cert_resolver);
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
        Arc::clone(pki.roots()),
        Arc::new(stock()),
    )
    .build()
    .unwrap();
    let [plain, flagged] = [plain, flagged].map(|mut config| {
        let verifier = Arc::clone(&verifier);
        config.dangerous().set_certificate_verifier(verifier);
        TlsFlagsConnector::from_config(Arc::new(config)).unwrap()
    });
    let (client, server) = connected(&plain, &acceptor).await;
    close(client, server).await;
    let (client, _) = handshake(&flagged, &acceptor).await;
    assert_eq!(alert_received(client), AlertDescription::DecryptError);
}

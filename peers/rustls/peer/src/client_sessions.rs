//! Sessions that the connections of a client's job share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqmtls_contract::Setup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, ResolvesClientCert, Resumption,
    Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, NamedGroup, SignatureScheme};

/// Servers that a job's sessions may be for: there is one.
const SESSIONS: usize = 8;

/// Lets the connections of a job share sessions, if it has more than one. `current` is which of them runs.
///
/// rustls resumes a session only with the very verifier and resolver that it was made with: they have one verifier.
pub(super) fn share(
    configs: &mut [&mut Arc<ClientConfig>],
    setup: &Setup,
    current: &Arc<AtomicUsize>,
) {
    if configs.len() < 2 {
        return;
    }
    let resolvers = configs
        .iter()
        .map(|config| Arc::clone(&config.client_auth_cert_resolver));
    let resolver = Arc::new(Resolver {
        of_connections: resolvers.collect(),
        current: Arc::clone(current),
    });
    let sessions = Arc::new(Sessions {
        store: ClientSessionMemoryCache::new(SESSIONS),
        has_groups: !setup.groups.is_empty(),
    });
    for shared in configs {
        let mut config = ClientConfig::clone(shared);
        config.client_auth_cert_resolver = Arc::<Resolver>::clone(&resolver);
        config.resumption = Resumption::store(Arc::<Sessions>::clone(&sessions));
        **shared = Arc::new(config);
    }
}

/// The sessions of a job.
///
/// With them rustls keeps the group that a server chose, for its next key share. But if a job names
/// groups, the key share is for the first.
#[derive(Debug)]
struct Sessions {
    store: ClientSessionMemoryCache,
    has_groups: bool,
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        if !self.has_groups {
            self.store.set_kx_hint(server_name, group);
        }
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.store.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.store.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.store.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.store.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(
        &self,
        server_name: ServerName<'static>,
        value: Tls13ClientSessionValue,
    ) {
        self.store.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(
        &self,
        server_name: &ServerName<'static>,
    ) -> Option<Tls13ClientSessionValue> {
        self.store.take_tls13_ticket(server_name)
    }
}

/// The resolver of the connection that runs. In TLS 1.2 its signature covers that connection's edits.
#[derive(Debug)]
struct Resolver {
    of_connections: Vec<Arc<dyn ResolvesClientCert>>,
    current: Arc<AtomicUsize>,
}

impl ResolvesClientCert for Resolver {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.of_connections
            .get(self.current.load(Ordering::Acquire))?
            .resolve(root_hint_subjects, sigschemes)
    }

    fn has_certs(&self) -> bool {
        self.of_connections
            .iter()
            .any(|resolver| resolver.has_certs())
    }
}

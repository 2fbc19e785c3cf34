//! Sessions that may be shared between clients with different edits.

use std::fmt;
use std::sync::Arc;

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

/// A view of a session store that only gives out sessions made with one provider.
///
/// A TLS 1.3 session remembers the suite that it was made with, and rustls
/// computes the PSK binder of a later ClientHello with that suite, its hash
/// included. So a session made with one set of flags must not be resumed with
/// another, or with none: the server would find the binder wrong and end the
/// handshake. By default each configuration has sessions of its own and
/// nothing can go wrong. Programs that share one store between configurations
/// give each of them, including those on a stock provider, its own view:
///
/// ```
/// use std::sync::Arc;
/// use rustls::RootCertStore;
/// use rustls::client::{ClientSessionMemoryCache, Resumption};
/// use rustls_tlsflags::{Flags, OwnSessions, TlsFlagsConnector};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let shared = Arc::new(ClientSessionMemoryCache::new(256));
/// let base = rustls::crypto::aws_lc_rs::default_provider();
/// let connector = TlsFlagsConnector::builder(Flags::request_mtls()).build(&base, |builder| {
///     let own = OwnSessions::new(shared, builder.crypto_provider());
///     let mut config = builder
///         .with_safe_default_protocol_versions()?
///         .with_root_certificates(RootCertStore::empty())
///         .with_no_client_auth();
///     config.resumption = Resumption::store(Arc::new(own));
///     Ok(config)
/// })?;
/// # let _ = connector;
/// # Ok(())
/// # }
/// ```
///
/// A session of another provider is taken out of the store and dropped.
pub struct OwnSessions {
    store: Arc<dyn ClientSessionStore>,
    provider: CryptoProvider,
}

impl OwnSessions {
    /// The sessions of `store` that were made with `provider`.
    pub fn new(store: Arc<dyn ClientSessionStore>, provider: &CryptoProvider) -> Self {
        Self {
            store,
            provider: provider.clone(),
        }
    }

    fn is_own(&self, session: &Tls13ClientSessionValue) -> bool {
        let mut suites = self.provider.cipher_suites.iter();
        suites.any(|suite| {
            suite
                .tls13()
                .is_some_and(|suite| std::ptr::eq(suite, session.suite()))
        })
    }
}

impl fmt::Debug for OwnSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSessions")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl ClientSessionStore for OwnSessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.store.set_kx_hint(server_name, group);
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
        std::iter::from_fn(|| self.store.take_tls13_ticket(server_name))
            .find(|session| self.is_own(session))
    }
}

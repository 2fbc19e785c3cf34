//! Keeps the sessions of one kind of client authentication apart from others.
//!
//! On resumption, rustls looks at neither the verifier of its configuration
//! nor whether the session has a client certificate: whatever session the
//! store gives out, or the ticket opens to, is resumed. So a session made
//! without client authentication must not be found by the configuration that
//! requires it. Here every key and every ticket is bound to the kind of client
//! authentication that it was made under, so that holds even if the caller's
//! configurations share one store or one ticket key.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{ProducesTickets, StoresServerSessions};

use crate::policy::ClientAuth;

/// `config` with sessions of its own.
pub(crate) fn isolate(config: Arc<ServerConfig>, client_auth: ClientAuth) -> Arc<ServerConfig> {
    let mut config = Arc::unwrap_or_clone(config);
    let tag = match client_auth {
        ClientAuth::None => b"tlsflags:none    ",
        ClientAuth::Optional => b"tlsflags:optional",
        ClientAuth::Required => b"tlsflags:required",
    };
    config.session_storage = Arc::new(OwnStore {
        inner: config.session_storage,
        tag,
    });
    config.ticketer = Arc::new(OwnTickets {
        inner: config.ticketer,
        tag,
    });
    Arc::new(config)
}

type Tag = &'static [u8; 17];

fn tagged(tag: Tag, bytes: &[u8]) -> Vec<u8> {
    [tag, bytes].concat()
}

#[derive(Debug)]
struct OwnStore {
    inner: Arc<dyn StoresServerSessions>,
    tag: Tag,
}

impl StoresServerSessions for OwnStore {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.inner.put(tagged(self.tag, &key), value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.get(&tagged(self.tag, key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.take(&tagged(self.tag, key))
    }

    fn can_cache(&self) -> bool {
        self.inner.can_cache()
    }
}

#[derive(Debug)]
struct OwnTickets {
    inner: Arc<dyn ProducesTickets>,
    tag: Tag,
}

impl ProducesTickets for OwnTickets {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.inner.encrypt(&tagged(self.tag, plain))
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.inner.decrypt(cipher)?;
        plain.strip_prefix(self.tag).map(<[u8]>::to_vec)
    }
}

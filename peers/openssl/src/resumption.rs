//! The session that a client keeps between two connections.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContextBuilder, SslSession, SslSessionCacheMode};

/// The newest session that the connections of one context were given.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<SslSession>>>);

impl Kept {
    /// Makes a context's connections keep their sessions here, and nowhere else.
    pub(crate) fn attach(&self, builder: &mut SslContextBuilder) {
        builder
            .set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        let kept = self.clone();
        builder.set_new_session_callback(move |_, session| *kept.lock() = Some(session));
    }

    /// Makes a connection of that context offer the session, if there is one.
    pub(crate) fn offer(&self, ssl: &mut Ssl) -> Result<(), ErrorStack> {
        let session = self.lock();
        let Some(session) = session.as_ref() else {
            return Ok(());
        };
        // SAFETY: `attach` made the session of a connection of the context that `ssl` is of too.
        unsafe { ssl.set_session(session) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<SslSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

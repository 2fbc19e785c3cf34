//! The session that a client keeps from one connection of its job for the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use boring::error::ErrorStack;
use boring::ssl::{Ssl, SslContextBuilder, SslSession, SslSessionCacheMode};

/// The newest session that a context's connections were given.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<SslSession>>>);

impl Kept {
    /// Makes the sessions of a context's connections arrive here.
    pub(crate) fn listen(&self, builder: &mut SslContextBuilder) {
        // Off for clients by default; without it the callback is not called.
        builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        let kept = self.clone();
        builder.set_new_session_callback(move |_, session| *kept.lock() = Some(session));
    }

    /// Makes a connection of the same context offer the session, if there is one.
    pub(crate) fn offer(&self, ssl: &mut Ssl) -> Result<(), ErrorStack> {
        match &*self.lock() {
            // SAFETY: the session came from a connection of the one context that this is kept for.
            Some(session) => unsafe { ssl.set_session(session) },
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<SslSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What the library reports of a connection by callbacks: key log lines, alerts, messages.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef};
use reqmtls_contract::ConnectionState;

use crate::ffi;

/// What the callbacks of one connection note.
#[derive(Clone, Default)]
pub(crate) struct Noted {
    pub(crate) state: ConnectionState,
    late: Arc<Mutex<Late>>,
}

/// What concerns authentication after the handshake.
#[derive(Default)]
pub(crate) struct Late {
    /// Server: whether the client may be asked then.
    pub(crate) may_be_asked: bool,
    /// How many Finished messages have come.
    pub(crate) finished: u32,
}

impl From<ConnectionState> for Noted {
    fn from(state: ConnectionState) -> Self {
        Self {
            state,
            late: Arc::default(),
        }
    }
}

impl Noted {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what the library reports of a connection arrive here.
    pub(crate) fn attach(&self, ssl: &mut Ssl) {
        if let Some(index) = index() {
            ssl.set_ex_data(index, self.clone());
        }
    }
}

/// Where a connection's callbacks note.
pub(crate) fn of(ssl: &SslRef) -> Option<&Noted> {
    ssl.ex_data(index()?)
}

fn index() -> Option<Index<Ssl, Noted>> {
    static INDEX: OnceLock<Option<Index<Ssl, Noted>>> = OnceLock::new();
    *INDEX.get_or_init(|| Ssl::new_ex_index().ok())
}

/// Makes a context's connections note.
pub(crate) fn register(builder: &mut SslContextBuilder) {
    builder.set_keylog_callback(|ssl, line| {
        if let Some(noted) = of(ssl) {
            noted.state.log_key(line);
        }
    });
    ffi::report_alerts(builder, |ssl, sent, description| {
        if let Some(noted) = of(ssl) {
            noted.state.note_alert(sent, description);
        }
    });
    // The library shows in no other way that a client without a certificate has answered.
    ffi::report_finished(builder, |ssl| {
        if let Some(noted) = of(ssl) {
            noted.lock().finished += 1;
        }
    });
}

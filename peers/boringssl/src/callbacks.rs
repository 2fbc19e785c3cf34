//! What the library reports of a connection by callbacks: key log lines and alerts.

use std::ffi::c_int;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use boring::ex_data::Index;
use boring::ssl::{Ssl, SslContextBuilder, SslRef};
use foreign_types::ForeignTypeRef;
use reqmtls_contract::ConnectionState;

/// What the callbacks of one connection note.
#[derive(Clone, Default)]
pub(crate) struct Noted {
    pub(crate) state: ConnectionState,
    hello: Arc<Mutex<Hello>>,
}

/// What a server has to know of a ClientHello later.
#[derive(Default)]
pub(crate) struct Hello {
    /// It offers early data.
    pub(crate) offers_early_data: bool,
    /// Its `tls_flags` are malformed, and the server implements them.
    pub(crate) malformed_flags: bool,
}

impl From<ConnectionState> for Noted {
    fn from(state: ConnectionState) -> Self {
        Self {
            state,
            hello: Arc::default(),
        }
    }
}

impl Noted {
    pub(crate) fn hello(&self) -> MutexGuard<'_, Hello> {
        self.hello.lock().unwrap_or_else(PoisonError::into_inner)
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
    // The crate's own callback hides the alert's number.
    // SAFETY: the builder's context is alive, and the callback has the type that the function takes.
    unsafe { boring_sys::SSL_CTX_set_info_callback(builder.as_ptr(), Some(info)) }
}

unsafe extern "C" fn info(ssl: *const boring_sys::SSL, kind: c_int, value: c_int) {
    const FATAL: c_int = 2;
    let sent = kind == boring_sys::SSL_CB_WRITE_ALERT;
    if !(sent || kind == boring_sys::SSL_CB_READ_ALERT) || value >> 8 != FATAL {
        return;
    }
    // SAFETY: the library passes the connection that the alert belongs to, alive during the call.
    let ssl = unsafe { SslRef::from_ptr(ssl.cast_mut()) };
    // The low octet is the alert's description.
    let [description, ..] = value.to_le_bytes();
    if let Some(noted) = of(ssl) {
        noted.state.note_alert(sent, description);
    }
}

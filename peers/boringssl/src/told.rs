//! What the library tells of a connection: key log lines, alerts, certificate, errors.

use std::ffi::c_int;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use boring::ex_data::Index;
use boring::hash::MessageDigest;
use boring::ssl::{ErrorCode, Ssl, SslContextBuilder, SslRef};
use foreign_types::ForeignTypeRef;
use reqmtls_contract::{ConnectionReport, Hex};
use tokio_boring::HandshakeError;

/// What has been told of one connection.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) key_log: Vec<String>,
    pub(crate) alert_sent: Option<u8>,
    pub(crate) alert_received: Option<u8>,
    pub(crate) tls_flags_received: Option<Hex>,
    /// A server saw early data offered.
    pub(crate) early_data_offered: bool,
    /// A server that knows the flag got a value that it has to refuse.
    pub(crate) malformed_flags: bool,
}

/// Shared by the connection's callbacks and its end.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Told>>);

impl Ear {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what the library tells of this connection arrive here.
    pub(crate) fn attach(&self, ssl: &mut Ssl) {
        if let Some(index) = index() {
            ssl.set_ex_data(index, self.clone());
        }
    }

    /// The ear that is attached to a connection.
    pub(crate) fn of(ssl: &SslRef) -> Option<&Self> {
        ssl.ex_data(index()?)
    }

    /// Moves what was told to the report.
    pub(crate) fn tell(&self, report: &mut ConnectionReport) {
        let told = std::mem::take(&mut *self.lock());
        report.key_log = told.key_log;
        report.alert_sent = told.alert_sent;
        report.alert_received = told.alert_received;
        report.tls_flags_received = told.tls_flags_received;
    }
}

fn index() -> Option<Index<Ssl, Ear>> {
    static INDEX: OnceLock<Option<Index<Ssl, Ear>>> = OnceLock::new();
    *INDEX.get_or_init(|| Ssl::new_ex_index().ok())
}

/// Makes a context's connections tell their ears.
pub(crate) fn listen(builder: &mut SslContextBuilder) {
    builder.set_keylog_callback(|ssl, line| {
        if let Some(ear) = Ear::of(ssl) {
            ear.lock().key_log.push(line.to_owned());
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
    let Some(ear) = Ear::of(ssl) else { return };
    // The low octet is the alert's description.
    let [description, ..] = value.to_le_bytes();
    let mut told = ear.lock();
    if sent {
        told.alert_sent.get_or_insert(description);
    } else {
        told.alert_received.get_or_insert(description);
    }
}

/// SHA-256 of the certificate that the other end proved.
pub(crate) fn peer_certificate(ssl: &SslRef) -> Option<Hex> {
    let digest = ssl
        .peer_certificate()?
        .digest(MessageDigest::sha256())
        .ok()?;
    Some(Hex(digest.to_vec()))
}

/// Notes what ended a handshake.
pub(crate) fn note<S>(report: &mut ConnectionReport, error: &HandshakeError<S>) {
    match (error.as_io_error(), error.code()) {
        (Some(transport), _) => report.break_off(transport),
        // Without an error of the transport's, this is its unexpected end.
        (None, Some(ErrorCode::SYSCALL)) => report.break_off(error),
        (None, _) => report.refuse(error),
    }
}

/// Notes what ended the exchange after a handshake.
pub(crate) fn note_io(report: &mut ConnectionReport, error: &io::Error) {
    match library_error(error) {
        Some(error) if error.ssl_error().is_some() => report.refuse(error),
        _ => report.break_off(error),
    }
}

/// The library's error in one of a stream.
pub(crate) fn library_error(error: &io::Error) -> Option<&boring::ssl::Error> {
    error.get_ref()?.downcast_ref()
}

//! What the library tells of a connection: key log lines, alerts, certificate, errors.

use std::ffi::c_int;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use foreign_types::ForeignTypeRef;
use openssl::ex_data::Index;
use openssl::hash::MessageDigest;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef};
use reqmtls_contract::{ConnectionReport, Hex};

/// What has been told of one connection.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) key_log: Vec<String>,
    pub(crate) alert_sent: Option<u8>,
    pub(crate) alert_received: Option<u8>,
    /// Client: the value to be sent.
    pub(crate) tls_flags_sent: Option<Hex>,
    /// Server: the last `ClientHello`'s value.
    pub(crate) tls_flags_received: Option<Hex>,
    /// Server: whether a `ClientHello` has come.
    pub(crate) hello_seen: bool,
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

    /// Keeps what a `ClientHello` has of `tls_flags`; whether it is what the one before it had, if any.
    ///
    /// Called before anything refuses the value: a malformed one is worth reporting too.
    pub(crate) fn hear_flags(&self, data: Option<&[u8]>) -> bool {
        let mut told = self.lock();
        let data = data.map(Hex::from);
        let as_before = !told.hello_seen || told.tls_flags_received == data;
        told.hello_seen = true;
        told.tls_flags_received = data;
        as_before
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
    // SAFETY: the builder's context is alive, and the callback has the type that the function takes
    // (SSL_CTX_set_info_callback(3)).
    unsafe { SSL_CTX_set_info_callback(builder.as_ptr(), Some(info)) }
}

// Public functions and constants of the library that the bindings lack.
const SSL_CB_WRITE: c_int = 0x08;
const SSL_CB_ALERT: c_int = 0x4000;

unsafe extern "C" {
    fn SSL_CTX_set_info_callback(
        context: *mut openssl_sys::SSL_CTX,
        callback: Option<unsafe extern "C" fn(*const openssl_sys::SSL, c_int, c_int)>,
    );
}

unsafe extern "C" fn info(ssl: *const openssl_sys::SSL, kind: c_int, value: c_int) {
    const FATAL: c_int = 2;
    if kind & SSL_CB_ALERT == 0 || value >> 8 != FATAL {
        return;
    }
    // SAFETY: the library passes the connection that the alert belongs to, alive during the call.
    let ssl = unsafe { SslRef::from_ptr(ssl.cast_mut()) };
    let Some(ear) = Ear::of(ssl) else { return };
    // The low octet is the alert's description.
    let [description, ..] = value.to_le_bytes();
    let mut told = ear.lock();
    if kind & SSL_CB_WRITE == 0 {
        told.alert_received.get_or_insert(description);
    } else {
        told.alert_sent.get_or_insert(description);
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
pub(crate) fn note(report: &mut ConnectionReport, error: &openssl::ssl::Error) {
    // An I/O error without one of the library's is the transport's.
    if error.ssl_error().is_some() {
        report.refuse(error);
    } else {
        report.break_off(error);
    }
}

/// Notes what ended the exchange after a handshake.
pub(crate) fn note_io(report: &mut ConnectionReport, error: &std::io::Error) {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<openssl::ssl::Error>())
    {
        Some(error) => note(report, error),
        None => report.break_off(error),
    }
}

//! Public functions of the library for which the safe crate has no methods.

use std::ffi::{c_int, c_long, c_uint, c_void};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef};
use openssl::x509::X509;

const SSL_CB_WRITE: c_int = 0x08;
const SSL_CB_ALERT: c_int = 0x4000;
const SSL_CTRL_CLEAR_MODE: c_int = 78;
const SSL_MODE_AUTO_RETRY: c_long = 4;
const SSL_EARLY_DATA_REJECTED: c_int = 1;
const SSL_EARLY_DATA_ACCEPTED: c_int = 2;
const SSL3_RT_HANDSHAKE: c_int = 22;
const SSL3_MT_FINISHED: u8 = 20;

type InfoCallback = unsafe extern "C" fn(*const openssl_sys::SSL, c_int, c_int);
type MessageCallback = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    *const c_void,
    usize,
    *mut openssl_sys::SSL,
    *mut c_void,
);

unsafe extern "C" {
    fn SSL_CTX_set_info_callback(
        context: *mut openssl_sys::SSL_CTX,
        callback: Option<InfoCallback>,
    );
    fn SSL_CTX_set_msg_callback(
        context: *mut openssl_sys::SSL_CTX,
        callback: Option<MessageCallback>,
    );
    fn SSL_get_early_data_status(ssl: *const openssl_sys::SSL) -> c_int;
    fn SSL_set_session_id_context(
        ssl: *mut openssl_sys::SSL,
        context: *const u8,
        length: c_uint,
    ) -> c_int;
    fn SSL_verify_client_post_handshake(ssl: *mut openssl_sys::SSL) -> c_int;
}

/// Whether the library was built with threads. Without, two of them corrupt each other's error queue.
pub(crate) fn has_threads() -> bool {
    let other = std::thread::spawn(|| {
        let Err(errors) = X509::from_der(&[]) else {
            return false;
        };
        errors.put();
        true
    });
    other.join().is_ok_and(|failed| failed) && ErrorStack::get().errors().is_empty()
}

/// Makes a context's connections report each error alert: whether it was sent, and its description.
pub(crate) fn report_alerts(builder: &mut SslContextBuilder, report: fn(&SslRef, bool, u8)) {
    static REPORT: std::sync::OnceLock<fn(&SslRef, bool, u8)> = std::sync::OnceLock::new();
    unsafe extern "C" fn info(ssl: *const openssl_sys::SSL, kind: c_int, value: c_int) {
        const FATAL: c_int = 2;
        if kind & SSL_CB_ALERT == 0 || value >> 8 != FATAL {
            return;
        }
        // SAFETY: the library passes the connection that the alert belongs to, alive during the call.
        let ssl = unsafe { SslRef::from_ptr(ssl.cast_mut()) };
        // The low octet is the alert's description.
        let [description, ..] = value.to_le_bytes();
        if let Some(report) = REPORT.get() {
            report(ssl, kind & SSL_CB_WRITE != 0, description);
        }
    }
    REPORT.get_or_init(|| report);
    // SAFETY: the builder's context is alive, and the callback has the type that the function takes.
    unsafe { SSL_CTX_set_info_callback(builder.as_ptr(), Some(info)) }
}

/// Makes a context's connections report each Finished that comes, before the library acts on it.
pub(crate) fn report_finished(builder: &mut SslContextBuilder, report: fn(&SslRef)) {
    static REPORT: std::sync::OnceLock<fn(&SslRef)> = std::sync::OnceLock::new();
    unsafe extern "C" fn message(
        written: c_int,
        _version: c_int,
        kind: c_int,
        octets: *const c_void,
        length: usize,
        ssl: *mut openssl_sys::SSL,
        _argument: *mut c_void,
    ) {
        if written != 0 || kind != SSL3_RT_HANDSHAKE || length == 0 {
            return;
        }
        // SAFETY: the library passes `length` octets, at least one, that live during the call.
        if unsafe { *octets.cast::<u8>() } != SSL3_MT_FINISHED {
            return;
        }
        // SAFETY: the library passes the connection that the message belongs to, alive during the call.
        let ssl = unsafe { SslRef::from_ptr(ssl) };
        if let Some(report) = REPORT.get() {
            report(ssl);
        }
    }
    REPORT.get_or_init(|| report);
    // SAFETY: the builder's context is alive, and the callback has the type that the function takes.
    unsafe { SSL_CTX_set_msg_callback(builder.as_ptr(), Some(message)) }
}

/// The data of an extension; to be called within the ClientHello callback only.
pub(crate) fn hello_extension(ssl: &SslRef, number: u16) -> Option<&[u8]> {
    let (mut data, mut length) = (ptr::null(), 0);
    // SAFETY: within the callback the library holds the extensions; it sets both out-parameters where it returns 1.
    let found = unsafe {
        openssl_sys::SSL_client_hello_get0_ext(
            ssl.as_ptr(),
            c_uint::from(number),
            &raw mut data,
            &raw mut length,
        )
    };
    if found != 1 {
        return None;
    }
    if length == 0 {
        return Some(&[]);
    }
    // SAFETY: the library gave `length` octets at `data`, which live as long as the callback's `ssl`.
    Some(unsafe { std::slice::from_raw_parts(data, length) })
}

/// Sets which sessions a connection may resume: those that were made under the same context, 32 octets at most.
pub(crate) fn set_session_id_context(ssl: &mut SslRef, context: &[u8]) -> Result<(), ErrorStack> {
    let length = c_uint::try_from(context.len()).unwrap_or(c_uint::MAX);
    // SAFETY: the connection is alive, and the library copies the octets.
    check(unsafe { SSL_set_session_id_context(ssl.as_ptr(), context.as_ptr(), length) })
}

/// Makes a context's clients offer `post_handshake_auth`.
pub(crate) fn offer_post_handshake_auth(builder: &mut SslContextBuilder) {
    // SAFETY: the builder's context is alive; the function sets a number in it.
    unsafe { openssl_sys::SSL_CTX_set_post_handshake_auth(builder.as_ptr(), 1) }
}

/// Prepares a CertificateRequest after the handshake.
pub(crate) fn verify_client_post_handshake(ssl: &SslRef) -> Result<(), ErrorStack> {
    // SAFETY: the connection is alive, and no other reference to it is in use during the call.
    check(unsafe { SSL_verify_client_post_handshake(ssl.as_ptr()) })
}

/// Makes reads return after a record that holds no application data, so that a caller sees what came of it.
pub(crate) fn return_from_reads(ssl: &mut Ssl) {
    // SAFETY: the connection is alive; the function clears a number in it.
    unsafe {
        openssl_sys::SSL_ctrl(
            ssl.as_ptr(),
            SSL_CTRL_CLEAR_MODE,
            SSL_MODE_AUTO_RETRY,
            ptr::null_mut(),
        )
    };
}

/// Whether early data was accepted, if the client offered any.
pub(crate) fn early_data_accepted(ssl: &SslRef) -> Option<bool> {
    // SAFETY: the connection is alive; the function reads a number of it.
    match unsafe { SSL_get_early_data_status(ssl.as_ptr()) } {
        SSL_EARLY_DATA_REJECTED => Some(false),
        SSL_EARLY_DATA_ACCEPTED => Some(true),
        _ => None,
    }
}

fn check(returned: c_int) -> Result<(), ErrorStack> {
    if returned == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}

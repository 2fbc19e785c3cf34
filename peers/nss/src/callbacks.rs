//! What the library calls while it works on a connection.

use std::ffi::c_uint;
use std::slice;

use reqmtls_contract::Side;

use crate::context::Context;
use crate::credentials::octets;
use crate::ffi;
use crate::library::{Argument, Fd};

/// The alert `illegal_parameter`.
const ILLEGAL_PARAMETER: u8 = 47;

/// # Safety
///
/// It is the address of a connection's context, which nobody else uses now.
unsafe fn context<'c>(argument: Argument) -> &'c mut Context<'c, 'c> {
    // SAFETY: what the caller promises.
    unsafe { &mut *argument.cast() }
}

/// Called for each message that is sent, to write `tls_flags` into it.
pub(crate) unsafe extern "C" fn write_flags(
    _: Fd,
    message: ffi::SSLHandshakeType,
    to: *mut u8,
    length: *mut c_uint,
    most: c_uint,
    argument: Argument,
) -> ffi::PRBool {
    // SAFETY: the library calls with the connection's context.
    let data = unsafe { context(argument) }.sends(message);
    match data {
        Some(data) if data.len() <= most as usize => {
            // SAFETY: there is room for that many octets, and for their number.
            unsafe {
                to.copy_from_nonoverlapping(data.as_ptr(), data.len());
                *length = c_uint::try_from(data.len()).unwrap_or_default();
            }
            1
        }
        _ => 0,
    }
}

/// Called for each `tls_flags` that comes.
pub(crate) unsafe extern "C" fn read_flags(
    socket: Fd,
    message: ffi::SSLHandshakeType,
    data: *const u8,
    length: c_uint,
    alert: *mut ffi::SSLAlertDescription,
    argument: Argument,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context, and that many octets.
    let (context, data) = unsafe {
        let data = match length {
            0 => &[],
            length => slice::from_raw_parts(data, length as usize),
        };
        (context(argument), data)
    };
    // An end that only sends the extension does not implement it.
    let is_fine = context.setup.flag.is_none_or(|flag| match message {
        ffi::ssl_hs_client_hello => context.decide(socket, flag, data),
        message => context.takes(message, flag, data),
    });
    if is_fine {
        return ffi::SECSuccess;
    }
    // SAFETY: there is room for the alert; the other sets the thread's error.
    unsafe {
        *alert = ILLEGAL_PARAMETER;
        ffi::PR_SetError(ffi::SSL_ERROR_APPLICATION_ABORT, 0);
    }
    ffi::SECFailure
}

/// Called for each secret of TLS 1.3.
pub(crate) unsafe extern "C" fn log_key(
    _: Fd,
    epoch: u16,
    direction: ffi::SSLSecretDirection,
    secret: *mut ffi::PK11SymKey,
    argument: Argument,
) {
    // SAFETY: the library calls with the connection's context, and with a key whose value lives as long as the key.
    let (context, secret) = unsafe {
        if ffi::PK11_ExtractKeyValue(secret) != ffi::SECSuccess {
            return;
        }
        (context(argument), octets(ffi::PK11_GetKeyData(secret)))
    };
    let writes = direction == ffi::ssl_secret_write;
    let sender = match (context.side, writes) {
        (Side::Client, true) | (Side::Server, false) => "CLIENT",
        _ => "SERVER",
    };
    let label = match epoch {
        1 => format!("{sender}_EARLY_TRAFFIC_SECRET"),
        2 => format!("{sender}_HANDSHAKE_TRAFFIC_SECRET"),
        later => format!("{sender}_TRAFFIC_SECRET_{}", later.saturating_sub(3)),
    };
    context.take_secret(label, secret);
}

/// Called for each alert.
pub(crate) unsafe extern "C" fn note_alert<const SENT: bool>(
    _: *const ffi::PRFileDesc,
    argument: Argument,
    alert: *const ffi::SSLAlert,
) {
    // SAFETY: the library calls with the connection's context, and with an alert.
    unsafe { context(argument).note_alert(SENT, (*alert).description) };
}

/// The library's own verification, within the bounds of the job.
pub(crate) unsafe extern "C" fn verify(
    argument: Argument,
    socket: Fd,
    check_signature: ffi::PRBool,
    is_server: ffi::PRBool,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context; its own function takes the store of certificates, and
    // the rest as it came.
    unsafe {
        let store = ffi::CERT_GetDefaultCertDB().cast();
        let status = ffi::SSL_AuthCertificate(store, socket, check_signature, is_server);
        if status == ffi::SECSuccess && !context(argument).is_own_chain(socket) {
            ffi::PR_SetError(ffi::SEC_ERROR_UNKNOWN_ISSUER, 0);
            return ffi::SECFailure;
        }
        status
    }
}

/// Client: presents the job's certificate, whatever the server's authorities are.
pub(crate) unsafe extern "C" fn present(
    argument: Argument,
    _: Fd,
    _authorities: *mut ffi::CERTDistNames,
    certificate: *mut *mut ffi::CERTCertificate,
    key: *mut *mut ffi::SECKEYPrivateKey,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context and with places for both, which are its own then.
    unsafe {
        let Some(own) = &context(argument).credentials.identity else {
            return ffi::SECFailure;
        };
        *certificate = ffi::CERT_DupCertificate(own.certificate.raw());
        *key = ffi::SECKEY_CopyPrivateKey(own.key.raw());
    }
    ffi::SECSuccess
}

/// Client: takes a session that the server gave.
pub(crate) unsafe extern "C" fn new_session(
    _: Fd,
    session: *const u8,
    length: c_uint,
    argument: Argument,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context, and that many octets.
    unsafe {
        let session = slice::from_raw_parts(session, length as usize);
        context(argument).session = Some(session.to_vec());
    }
    ffi::SECSuccess
}

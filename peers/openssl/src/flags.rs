//! The extension `tls_flags` as a custom extension of the library.
//!
//! The library refuses a number that it knows with `illegal_parameter` in every message that is not
//! named when it is registered, and ignores a number that it does not know.

use openssl::error::ErrorStack;
use openssl::ssl::{ExtensionContext, SslAlert, SslContextBuilder, SslRef};
use reqmtls_contract::{Hex, Revision, flag_is_set};

use crate::callbacks;

/// Makes a server implement `tls_flags`: its `ClientHello` callback sees only extensions that the library
/// knows. With revision `editors-copy`, a `CertificateRequest` in the handshake carries a flag that the client set.
pub(crate) fn register_server(
    builder: &mut SslContextBuilder,
    extension: u16,
    flag: u16,
    acknowledges: bool,
) -> Result<(), ErrorStack> {
    let messages = if acknowledges {
        ExtensionContext::CLIENT_HELLO | ExtensionContext::TLS1_3_CERTIFICATE_REQUEST
    } else {
        ExtensionContext::CLIENT_HELLO
    };
    builder.add_custom_ext(
        extension,
        messages,
        move |ssl, _, _| {
            let hello = callbacks::of(ssl)
                .and_then(|noted| noted.state.lock().hellos.last().cloned().flatten());
            Ok(is_set(hello.as_ref(), flag).then(|| alone(flag)))
        },
        |_, _, _, _| Ok(()),
    )
}

/// Makes a client implement `tls_flags`, and send the value of its connection.
///
/// `CertificateRequest` and `NewSessionTicket` may carry flags of the server's own, which a client
/// without `flag` does not read.
pub(crate) fn register_client(
    builder: &mut SslContextBuilder,
    extension: u16,
    flag: Option<u16>,
    revision: Revision,
) -> Result<(), ErrorStack> {
    let messages = ExtensionContext::CLIENT_HELLO
        | ExtensionContext::TLS1_3_CERTIFICATE_REQUEST
        | ExtensionContext::TLS1_3_NEW_SESSION_TICKET;
    builder.add_custom_ext(
        extension,
        messages,
        |ssl, _, _| Ok(sent(ssl).map(|data| data.0)),
        move |ssl, message, data, _| {
            let Some(flag) = flag else { return Ok(()) };
            let carried = flag_is_set(data, flag).map_err(|_| SslAlert::ILLEGAL_PARAMETER)?;
            let acknowledged = message == ExtensionContext::TLS1_3_CERTIFICATE_REQUEST
                && is_set(sent(ssl).as_ref(), flag);
            if revision == Revision::EditorsCopy && carried && !acknowledged {
                return Err(SslAlert::ILLEGAL_PARAMETER);
            }
            Ok(())
        },
    )
}

/// The value that a client's connection sends.
fn sent(ssl: &SslRef) -> Option<Hex> {
    callbacks::of(ssl)?.state.lock().tls_flags.clone()
}

/// Whether a value is well formed and sets a flag.
fn is_set(data: Option<&Hex>, flag: u16) -> bool {
    data.is_some_and(|data| flag_is_set(&data.0, flag) == Ok(true))
}

/// The `extension_data` that sets this flag alone.
fn alone(flag: u16) -> Vec<u8> {
    let [octets, _] = (flag / 8 + 1).to_le_bytes();
    let mut data = vec![octets];
    data.resize(usize::from(octets), 0);
    data.push(1 << (flag % 8));
    data
}

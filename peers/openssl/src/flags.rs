//! Extension 62 as the library's custom extension.
//!
//! The library refuses a number that it knows with `illegal_parameter` in every message that is not
//! named when it is registered, and takes a number that it does not know for absent.

use openssl::error::ErrorStack;
use openssl::ssl::{ExtensionContext, SslAlert, SslContextBuilder};
use reqmtls_contract::{Hex, PrepareError, Revision, Setup, flag_is_set};

use crate::told::Ear;

/// The octets of the longest `tls_flags`.
const MOST_OCTETS: u16 = 255;

/// Refuses a job that names a flag beyond the extension, or the revision `rca` without one.
pub(crate) fn check(setup: &Setup) -> Result<(), PrepareError> {
    match setup.flag {
        Some(flag) if flag / 8 >= MOST_OCTETS => Err(PrepareError::Invalid(format!(
            "got flag {flag}, expected at most {}",
            MOST_OCTETS * 8 - 1
        ))),
        None if setup.revision == Some(Revision::EditorsCopy) => Err(PrepareError::Invalid(
            "expected a flag for revision editors-copy".into(),
        )),
        _ => Ok(()),
    }
}

/// Makes a server know `tls_flags`: its `ClientHello` callback sees only extensions that the library
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
            let ear = Ear::of(ssl);
            let set = ear.is_some_and(|ear| is_set(ear.lock().tls_flags_received.as_ref(), flag));
            Ok(set.then(|| alone(flag)))
        },
        |_, _, _, _| Ok(()),
    )
}

/// Makes a client know `tls_flags`, and send the value that the connection's ear holds.
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
        |ssl, _, _| Ok(Ear::of(ssl).and_then(|ear| Some(ear.lock().tls_flags_sent.clone()?.0))),
        move |ssl, message, data, _| {
            let Some(flag) = flag else { return Ok(()) };
            let carried = flag_is_set(data, flag).map_err(|_| SslAlert::ILLEGAL_PARAMETER)?;
            let acknowledged = message == ExtensionContext::TLS1_3_CERTIFICATE_REQUEST
                && Ear::of(ssl).is_some_and(|ear| is_set(ear.lock().tls_flags_sent.as_ref(), flag));
            if revision == Revision::EditorsCopy && carried && !acknowledged {
                return Err(SslAlert::ILLEGAL_PARAMETER);
            }
            Ok(())
        },
    )
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

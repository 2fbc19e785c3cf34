//! Extension 62 as the library's custom extension.
//!
//! The library refuses a number that it knows with `illegal_parameter` in every message that is not
//! named when it is registered, and takes a number that it does not know for absent.

use openssl::error::ErrorStack;
use openssl::ssl::{ExtensionContext, SslAlert, SslContextBuilder};
use reqmtls_contract::{TLS_FLAGS, flag_is_set};

use crate::told::Ear;

/// Makes a server know `tls_flags`: its `ClientHello` callback sees only extensions that the library
/// knows.
pub(crate) fn register_server(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    builder.add_custom_ext(
        TLS_FLAGS,
        ExtensionContext::CLIENT_HELLO,
        |_, _, _| Ok(None::<Vec<u8>>),
        |_, _, _, _| Ok(()),
    )
}

/// Makes a client know `tls_flags`, and send the value that the connection's ear holds.
///
/// `CertificateRequest` and `NewSessionTicket` may carry flags of the server's own, which a client
/// without `flag` does not read.
pub(crate) fn register_client(
    builder: &mut SslContextBuilder,
    flag: Option<u16>,
) -> Result<(), ErrorStack> {
    let messages = ExtensionContext::CLIENT_HELLO
        | ExtensionContext::TLS1_3_CERTIFICATE_REQUEST
        | ExtensionContext::TLS1_3_NEW_SESSION_TICKET;
    builder.add_custom_ext(
        TLS_FLAGS,
        messages,
        |ssl, _, _| Ok(Ear::of(ssl).and_then(|ear| Some(ear.lock().tls_flags_sent.clone()?.0))),
        move |_, _, data, _| match flag.map(|flag| flag_is_set(data, flag)) {
            Some(Err(_)) => Err(SslAlert::ILLEGAL_PARAMETER),
            _ => Ok(()),
        },
    )
}

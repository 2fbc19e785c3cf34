//! The editor's copy of the request mTLS draft, where a server acknowledges.
//!
//! Opt-in, and not what the published revisions say. There (June 2025) the
//! flag is called `request_client_auth`, and a server that accepts it says so
//! in CertificateRequest:
//!
//! - [`server_provider`] makes the configuration given for
//!   [`crate::ServerConfigs::required`] or [`crate::ServerConfigs::optional`]
//!   acknowledge. A server must not acknowledge a flag that ClientHello did not
//!   have. So use it with the policies that ask on the flag, or give the
//!   configurations to [`crate::ServerConfigs::with_flag`], which takes them for
//!   the clients that set it.
//! - [`client_provider`] ends a handshake with `illegal_parameter` if the
//!   server acknowledges a flag that was not sent, sends the request flag in
//!   any message but CertificateRequest, or sends malformed flags.
//!
//! Both stand on [`Watch`], which has the rules and their limits.

use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use crate::flags::{Flags, FlagsError, TLS_FLAGS};
use crate::seam::{Edits, Message, Side, UNSOLICITED, Watch, interned_provider};

/// Like [`crate::provider`], for clients that hold the server to the editor's copy.
///
/// `request` is the number of the request mTLS flag, whether or not it is
/// among `flags`.
#[must_use]
pub fn client_provider(base: &CryptoProvider, flags: &Flags, request: u16) -> Arc<CryptoProvider> {
    let edits = carrying(flags, Message::ClientHello);
    let watch = Watch {
        sent: flags.clone(),
        request,
        acknowledged: true,
    };
    interned_provider(base, Side::Client, &edits, Some(&watch))
}

/// A provider for servers that acknowledge `flag` in every CertificateRequest.
///
/// They also refuse flags in the client's Certificate with `illegal_parameter`.
///
/// # Panics
///
/// If `flag` is above [`crate::MAX_FLAG`].
#[must_use]
pub fn server_provider(base: &CryptoProvider, flag: u16) -> Arc<CryptoProvider> {
    let flags = Flags::from_iter([flag]);
    let edits = carrying(&flags, Message::CertificateRequest);
    let watch = Watch {
        sent: flags,
        request: flag,
        acknowledged: true,
    };
    interned_provider(base, Side::Server, &edits, Some(&watch))
}

/// The error in flags that ended a handshake, if that is what `error` is about.
///
/// For the error of [`crate::TlsFlagsConnector::connect`]. How exactly flags in
/// an encrypted message were wrong is not told: they come as
/// [`FlagsError::Unsolicited`].
#[must_use]
pub fn flags_error(error: &io::Error) -> Option<FlagsError> {
    let inner = error.get_ref()?;
    if let Some(error) = inner.downcast_ref::<FlagsError>() {
        return Some(*error);
    }
    match inner.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::AlertReceived(alert)) if *alert == UNSOLICITED => {
            Some(FlagsError::Unsolicited)
        }
        _ => None,
    }
}

fn carrying(flags: &Flags, message: Message) -> Edits {
    match flags.encode() {
        Some(body) => Edits::new().insert(message, TLS_FLAGS, body),
        None => Edits::new(),
    }
}

//! The editor's copy of the request mTLS draft, where a server acknowledges.
//!
//! Opt-in, and not what the published revisions say. There (June 2025) the flag is called
//! `request_client_auth`, and a server that accepts it says so in CertificateRequest:
//!
//! - [`server_provider`] makes the configuration given for [`crate::ServerConfigs::required`] or
//!   [`crate::ServerConfigs::optional`] acknowledge. A server must not acknowledge a flag that ClientHello did
//!   not have. So use it with the policies that ask on the flag, or give the configurations to
//!   [`crate::ServerConfigs::for_clients_that_set`].
//! - A client made with [`crate::Revision::EditorsCopy`] holds the server to it: see
//!   [`crate::ConnectorBuilder::refuse_unsolicited`].

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use crate::draft::{Codepoints, Revision};
use crate::flags::Flags;
use crate::seam::{Edits, Message, Side, Watch, interned_provider};

/// A provider for servers that acknowledge the request mTLS flag in every CertificateRequest.
///
/// They also refuse flags in the client's Certificate with `illegal_parameter`. A CertificateRequest of more
/// than 6000 octets, which names a hundred authorities or more, is sent without.
///
/// # Panics
///
/// If the flag is above [`crate::MAX_FLAG`].
#[must_use]
pub fn server_provider(base: &CryptoProvider, codepoints: Codepoints) -> Arc<CryptoProvider> {
    let sent = Flags::from_iter([codepoints.request_mtls]);
    let edits = match sent.encode() {
        Some(body) => Edits::new().insert(Message::CertificateRequest, codepoints.extension, body),
        None => Edits::new(),
    };
    let watch = Watch {
        codepoints,
        sent,
        revision: Revision::EditorsCopy,
    };
    interned_provider(base, Side::Server, &edits, Some(&watch))
}

//! Under which number a connection carries flags.

use reqmtls_vocabulary::ExtensionType;

use crate::flags::{CARRIERS, TlsFlags};
use crate::message::HandshakeMessage;
use crate::{Entry, Transcript};

impl Transcript {
    /// The number under which the connection carries `tls_flags`, of those that are known: 62 as IANA has it if it
    /// stands in any message, else 0xfe01 as the one deployment has it if flags stand there. A value under the second
    /// number that does not decode may be something else.
    #[must_use]
    pub fn flags_extension(&self) -> Option<ExtensionType> {
        CARRIERS.into_iter().find(|number| {
            let messages = self.entries.iter().filter_map(Entry::message);
            let mut extensions = messages.flat_map(HandshakeMessage::extensions);
            extensions.any(|extension| {
                let is_assigned = *number == ExtensionType::TLS_FLAGS;
                let is_carrier = || is_assigned || TlsFlags::decode(&extension.body).is_ok();
                extension.kind == *number && is_carrier()
            })
        })
    }
}

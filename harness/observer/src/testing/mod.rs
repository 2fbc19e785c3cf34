//! Connections forged message by message, and sealed with known secrets.
//!
//! For the tests of this crate, for fuzz targets, and for whoever tests what reads transcripts: with the cargo
//! feature `testing` a connection of any form can be written down that no TLS stack would send.
//!
//! ```
//! use reqmtls_observer::testing::{Forge, extension, extensions, message};
//! use reqmtls_observer::{CipherSuite, Epoch, ExtensionType, HandshakeType, Side};
//!
//! let mut forge = Forge::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
//! forge
//!     .client_hello(&[extension(ExtensionType::TLS_FLAGS, &[1, 1])])
//!     .server_hello(&[]);
//! let encrypted = message(HandshakeType::ENCRYPTED_EXTENSIONS, &extensions(&[]));
//! forge.messages(Side::Server, Epoch::Handshake, &encrypted);
//! assert_eq!(
//!     forge.observe().text(80),
//!     "C  ClientHello           tls_flags={0}\nS  ServerHello\nS  {EncryptedExtensions}\n"
//! );
//! ```
//!
//! What is forged is sealed by the key schedule of the observer itself. So it cannot prove that this key schedule
//! is right; published traces, real TLS stacks and Wireshark do that.

mod forge;
mod seal;
mod wire;

pub use forge::{CLIENT_RANDOM, Forge};
pub use seal::Sealer;
pub use wire::{extension, extensions, message, record};

use crate::{Recording, What};

/// The same recording with the octets of each event cut anew: `cuts` are lengths, used in turn.
#[must_use]
pub fn rechunked(recording: &Recording, cuts: &[usize]) -> Recording {
    let mut cuts = cuts.iter().copied().cycle();
    let mut again = Recording::new();
    for event in recording.events() {
        let What::Data(octets) = &event.what else {
            again.push(event.clone());
            continue;
        };
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let length = cuts.next().unwrap_or(1).clamp(1, rest.len());
            again.data(event.at, event.from, &rest[..length]);
            rest = &rest[length..];
        }
    }
    again
}

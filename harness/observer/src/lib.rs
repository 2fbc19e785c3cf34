//! The wire observer: from the recording of a TLS connection and its secrets to
//! a typed, decrypted [`Transcript`].
//!
//! It shares no code with the ends that it observes: it has its own parsing, its
//! own key schedule and its own choice of cryptography. It reads TLS 1.3 with
//! all five cipher suites of RFC 9846 §B.4 (RFC 8446 §B.4), and TLS 1.2 with the suites in use that
//! have an AEAD.
//!
//! ```text
//! C  ClientHello           tls_flags={request_mtls}
//! S  ServerHello
//! S  {EncryptedExtensions}
//! S  {CertificateRequest}
//! S  {Certificate}         certificates=1
//! S  {CertificateVerify}
//! S  {Finished}
//! C  {Certificate}         certificates=0
//! C  {Finished}
//! S  [Alert]               fatal certificate_required(116)
//! ```
//!
//! [`Transcript::observe`] takes a [`Recording`] of what a relay passed on and a [`KeyLog`] of either end, and never
//! fails: what cannot be read is [`Content::Opaque`] or [`Content::Malformed`], and a [`Defect`] gives the reason.
//! [`capture::read`] makes recordings of the TCP connections in a pcap or pcapng file, [`capture::write`] is the way
//! back.
//!
//! ```
//! use std::time::Duration;
//!
//! use reqmtls_observer::{Codepoints, KeyLog, Recording, Side, Transcript};
//!
//! let mut recording = Recording::new();
//! recording.data(Duration::ZERO, Side::Client, &b"GET / HTTP/1.1\r\n\r\n"[..]);
//! let transcript = Transcript::observe(&recording, &KeyLog::default());
//! assert_eq!(
//!     transcript.text(Codepoints::default()),
//!     "! client: no ClientHello\n! client: bytes that are not a TLS record\n"
//! );
//! ```
//!
//! # Canonical order
//!
//! The two directions of a connection are independent after the hellos, so the
//! order in which a relay sees them differs from run to run. A transcript is
//! therefore ordered by epoch, within an epoch by direction, and only within a
//! direction by the order of the bytes:
//!
//! 1. in clear: as relayed, because each message there answers the one before;
//! 2. under early keys: the client's, for only a client has such keys;
//! 3. under handshake keys: all of the server's, then all of the client's;
//! 4. under application keys: the client's, the server's, then the client's
//!    `close_notify`, then the server's.
//!
//! A server uses its application keys right after its Finished, a client after
//! its own. So a server's refusal of the client's certificate is `S [Alert]`, and
//! stands after the client's data; a client's refusal of the server's
//! certificate is `C {Alert}`. Whatever follows the handshake (session tickets,
//! key updates, post-handshake authentication) is under application keys.
//!
//! TLS 1.2 has one set of keys for each direction, which stand as application
//! keys: both Finished are under them, and everything before
//! `ChangeCipherSpec` is in clear. `ChangeCipherSpec` itself is in the entries and
//! not in the text, since its place is not determined.
//!
//! Application data that one side sends without anything between is one entry,
//! whatever records it fell into.
//!
//! # Arrival order
//!
//! Some questions need the order in which octets were relayed: whether a server sent data before the client's
//! Finished arrived, whether an alert came before or after a message of the other side. For them each [`Entry`] has
//! the places in the recording of the events that brought its first and its last byte,
//! [`Transcript::by_arrival`] gives the entries in that order, and [`Entry::is_complete_before`] is whether one was
//! complete before another one began. None of this is in the text, since it differs from run to run.
//!
//! # Numbers
//!
//! `tls_flags` is extension 62, and the request mTLS flag is flag 80 until one is assigned: [`Codepoints`] has both, and
//! whoever decodes or prints flags gives them. Flags under the other number that is known for the extension, 0xfe01,
//! are shown with that number.
//!
//! # Compressed certificates
//!
//! A [`CompressedCertificate`] (RFC 8879) is the Certificate that it holds: [`HandshakeMessage::certificate`] gives it,
//! whether it was compressed or not. One that cannot be read is neither absent nor empty, and has a reason,
//! [`Unreadable`].
//!
//! # Limits
//!
//! Whoever sends is untrusted. Time and memory are in proportion to the octets that were recorded, and nothing is
//! reserved because a length announces it. Of a compressed certificate at most 1 MiB is decompressed, and of a side at
//! most 16 of them.

mod aead;
mod alert;
mod bytes;
pub mod capture;
mod carrier;
mod flags;
mod keylog;
mod message;
mod observe;
mod order;
mod reader;
mod record;
mod recording;
mod schedule;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod text;
mod tls12;
mod transcript;

pub use alert::Alert;
pub use bytes::{Octets, Octets32, shortened};
pub use flags::{TlsFlags, TlsFlagsError};
pub use keylog::{KeyLog, KeyLogDifference, KeyLogError, KeyLogProblem, Label};
pub use message::{
    Certificate, CertificateEntry, CertificateRequest, CertificateRequest12, CertificateVerify,
    ClientHello, CompressedCertificate, Extension, HandshakeMessage, ServerHello, Unreadable,
};
pub use observe::Wire;
pub use recording::{Ending, Event, Recording, What};
pub use reqmtls_vocabulary::{
    AlertDescription, AlertLevel, CertificateCompressionAlgorithm, CipherSuite, Codepoints,
    ContentType, DEFAULT_FLAG, ExtensionType, HandshakeType, ProtocolVersion, Side,
    SignatureScheme,
};
pub use transcript::{Content, Defect, Entry, Epoch, Flight, Place, Reason, Transcript};

//! The low-level seam: edit an extension block of a named handshake message.
//!
//! **Most programs need none of this**: [`crate::TlsFlagsConnector`] and
//! [`crate::TlsFlagsAcceptor`] stand on it. It is public, with the feature
//! `seam`, because a test peer has good reasons to send what a correct one
//! never does, such as malformed flags, or flags in a message where they do
//! not belong. A configuration with its providers only works with what
//! [`prepare_client`] and [`prepare_server`] make of it, over an [`EditedIo`].
//!
//! rustls has no API for extensions that it does not know. But everything that
//! must agree on the bytes of a handshake message can be reached from outside:
//!
//! - a message in the clear (ClientHello, HelloRetryRequest, ServerHello)
//!   passes the stream: [`EditedIo`] edits it there, record by record;
//! - an encrypted message (EncryptedExtensions, CertificateRequest,
//!   Certificate, NewSessionTicket) passes the `MessageEncrypter` of a TLS 1.3
//!   suite, on its way to becoming a record;
//! - the transcript, and with it every key, every Finished, every signature
//!   and every PSK binder, passes the `Hash` of the suite;
//! - the signature of a TLS 1.2 client covers the messages themselves: they
//!   pass its `Signer`.
//!
//! The same pure function edits in all four places, so they agree. rustls
//! believes that it sent the message as it wrote it; the other end and the
//! transcript have the edited one.
//!
//! # One provider for each set of edits
//!
//! rustls wants suites to be `&'static`, so a suite cannot hold what belongs
//! to one connection. Here it need not: [`client_provider`] and
//! [`server_provider`] make suites for one set of [`Edits`], and all state of
//! a connection lives in what a suite hands out (hash contexts, encrypters).
//! Nothing has to find out which connection a call belongs to.
//!
//! Suites are interned and never freed: each *distinct* pair of base suite and
//! set of edits costs a few hundred bytes once, however many connections or
//! configurations use it. A program that derives edits from input without
//! bound would leak without bound.
//!
//! # Limits
//!
//! - Encrypted ClientHello: not supported. QUIC: edited suites do not offer it.
//! - A compressed Certificate (RFC 8879) is left as it is.
//! - An encrypted message longer than 6000 octets, or one that would grow by
//!   more than 1024, is left as it is.
//! - A server that edits ServerHello in TLS 1.2 cannot verify the client's
//!   signature.

mod aead;
mod block;
mod edits;
mod fragment;
mod framer;
mod handshake;
mod hash;
mod io;
mod message;
mod outgoing;
mod provider;
mod records;
mod sessions;
mod signer;
mod stage;
mod transport;
mod watch;

pub use self::edits::{Change, Edit, Edits, Message, Position, SeamError, Side};
pub use self::io::EditedIo;
use self::provider::{Plan, plan_of};
pub use self::provider::{
    client_provider, prepare_client, prepare_server, server_provider, watching_provider,
};
pub(crate) use self::provider::{interned_provider, is_of_one_plan};
pub(crate) use self::records::HelloReader;
pub use self::sessions::OwnSessions;
pub use self::watch::Watch;

/// Longest encrypted message that is edited, in octets with its header.
pub const EDITABLE: usize = 6000;

/// Most that an encrypted message may grow, in octets.
pub const MAX_GROWTH: usize = 1024;

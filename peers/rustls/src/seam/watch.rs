//! Ends a handshake in which the other end sends flags where it must not.
//!
//! rustls skips an unknown extension in CertificateRequest, and answers one in
//! other messages with alerts of its own choosing, so the messages are looked
//! at before rustls has them.

use rustls::crypto::cipher::{InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter};
use rustls::{ContentType, Error};

use super::edits::Side;
use super::framer::header;
use super::message::{Kind, bodies};
use crate::draft::{Codepoints, Revision};
use crate::flags::{Flags, FlagsError};

const NEW_SESSION_TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;

/// Which flags of the other end are refused, with `illegal_parameter`.
///
/// Malformed values are refused in every message (draft-ietf-tls-tlsflags §2).
/// So is, in HelloRetryRequest, ServerHello, EncryptedExtensions and
/// Certificate, a flag that was not sent, and the request mTLS flag in any
/// case: no revision has it acknowledged there. A server only looks at the
/// client's Certificate.
///
/// # How
///
/// rustls is shown an EncryptedExtensions with two extensions of this number in place of the offending message,
/// and refuses that. So its error is one that the other end can only cause by sending the extension.
///
/// # Limits
///
/// rustls sends the alert only if the offending message begins in the record in which it ends. If it began in
/// an earlier record, the handshake ends without an alert. A client's Certificate under TLS 1.2 has no
/// extensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The numbers of the extension and of the request mTLS flag.
    pub codepoints: Codepoints,
    /// The flags that this end sends.
    pub sent: Flags,
    /// In the editor's copy, CertificateRequest acknowledges the request mTLS flag if it was sent, and
    /// NewSessionTicket never carries it. In the published revisions it is a flag like any that may be proposed
    /// in these two messages, and is ignored.
    pub revision: Revision,
}

impl Watch {
    /// Judges the flags in one message of the other end.
    pub(super) fn judge(&self, kind: Kind, message: &[u8]) -> Result<(), FlagsError> {
        // A message that cannot be read is for rustls to refuse.
        for body in bodies(kind, message, self.codepoints.extension).unwrap_or_default() {
            let flags = Flags::decode(body)?;
            let request = self.codepoints.request_mtls;
            let requests = flags.contains(request);
            let acknowledges = self.revision == Revision::EditorsCopy;
            let unsolicited = match kind {
                Kind::CertificateRequest => {
                    acknowledges && requests && !self.sent.contains(request)
                }
                Kind::NewSessionTicket => acknowledges && requests,
                _ => requests || flags.iter().any(|flag| !self.sent.contains(flag)),
            };
            if unsolicited {
                return Err(FlagsError::Unsolicited);
            }
        }
        Ok(())
    }
}

/// A decrypter that looks at the messages of the other end.
pub(super) fn watched(
    inner: Box<dyn MessageDecrypter>,
    side: Side,
    watch: &'static Watch,
) -> Box<dyn MessageDecrypter> {
    Box::new(WatchedDecrypter {
        inner,
        side,
        watch,
        is_over: false,
        message: Vec::new(),
        copy: Vec::new(),
    })
}

struct WatchedDecrypter {
    inner: Box<dyn MessageDecrypter>,
    side: Side,
    watch: &'static Watch,
    /// Nothing that is looked at comes any more under these keys.
    is_over: bool,
    /// A message that is not complete yet.
    message: Vec<u8>,
    /// For the record at hand.
    copy: Vec<u8>,
}

impl WatchedDecrypter {
    fn look_at(
        message: &mut Vec<u8>,
        handshake: &[u8],
        side: Side,
        watch: &Watch,
    ) -> Result<(), FlagsError> {
        message.extend_from_slice(handshake);
        while let Some((typ, length)) = header(message) {
            let Some(whole) = message.get(..4 + length) else {
                break;
            };
            if let Some(kind) = watched_kind(side, typ) {
                watch.judge(kind, whole)?;
            }
            message.drain(..4 + length);
        }
        Ok(())
    }
}

/// What a message of this type is, if flags are looked for in it.
fn watched_kind(side: Side, typ: u8) -> Option<Kind> {
    match (side, typ) {
        (_, CERTIFICATE) => Some(Kind::Certificate),
        (Side::Client, ENCRYPTED_EXTENSIONS) => Some(Kind::EncryptedExtensions),
        (Side::Client, CERTIFICATE_REQUEST) => Some(Kind::CertificateRequest),
        (Side::Client, NEW_SESSION_TICKET) => Some(Kind::NewSessionTicket),
        _ => None,
    }
}

/// An EncryptedExtensions with two empty extensions of one number.
fn twice(extension: u16) -> [u8; 14] {
    let [high, low] = extension.to_be_bytes();
    [
        ENCRYPTED_EXTENSIONS,
        0,
        0,
        10,
        0,
        8,
        high,
        low,
        0,
        0,
        high,
        low,
        0,
        0,
    ]
}

impl MessageDecrypter for WatchedDecrypter {
    fn decrypt<'a>(
        &mut self,
        mut msg: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        if self.is_over {
            return self.inner.decrypt(msg, seq);
        }
        // What is decrypted in place cannot be replaced any more, and rustls wants the outcome in the place of
        // the record: so a copy is decrypted.
        self.copy.clear();
        self.copy.extend_from_slice(&msg.payload);
        let copied = InboundOpaqueMessage::new(msg.typ, msg.version, &mut self.copy);
        let plain = self.inner.decrypt(copied, seq)?;
        let twice = twice(self.watch.codepoints.extension);
        let payload = if plain.typ == ContentType::Handshake
            && Self::look_at(&mut self.message, plain.payload, self.side, self.watch).is_err()
        {
            &twice[..]
        } else {
            plain.payload
        };
        // A record is longer than what it holds, by the tag at least.
        let Some(place) = msg.payload.get_mut(..payload.len()) else {
            return Err(Error::DecryptError);
        };
        place.copy_from_slice(payload);
        msg.typ = plain.typ;
        msg.version = plain.version;
        let length = payload.len();
        if msg.typ == ContentType::ApplicationData && self.side == Side::Server {
            // A client sends its Certificate before any application data, and under other keys.
            self.is_over = true;
            self.copy = Vec::new();
        }
        Ok(msg.into_plain_message_range(0..length))
    }
}

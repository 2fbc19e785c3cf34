//! Ends a handshake in which the other end sends flags where it must not.
//!
//! rustls skips an unknown extension in CertificateRequest, and answers one in
//! other messages with alerts of its own choosing, so the messages are looked
//! at before rustls has them.

use rustls::crypto::cipher::{InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter};
use rustls::{AlertDescription, ContentType, Error};

use super::edits::Side;
use super::framer::header;
use super::message::{Kind, bodies};
use crate::flags::{Flags, FlagsError, TLS_FLAGS};

const NEW_SESSION_TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;

/// In the error of a connection that [`WatchedDecrypter`] has ended.
///
/// rustls is shown an alert of an unknown level, and answers that with
/// `illegal_parameter`. Its error says that it received this alert.
pub(crate) const UNSOLICITED: AlertDescription = AlertDescription::Unknown(0xfe);

/// An alert of a level that does not exist, with [`UNSOLICITED`].
const REFUSED: [u8; 2] = [0xff, 0xfe];

/// Which flags of the other end are refused, with `illegal_parameter`.
///
/// Malformed values are refused in every message (draft-ietf-tls-tlsflags §2).
/// So is, in HelloRetryRequest, ServerHello, EncryptedExtensions and
/// Certificate, a flag that was not sent, and the request mTLS flag in any
/// case: no revision has it acknowledged there. A server only looks at the
/// client's Certificate.
///
/// # Limits
///
/// rustls sends the alert only if the offending message begins in the record
/// in which it ends. If it began in an earlier record, the handshake ends
/// without an alert. A client's Certificate under TLS 1.2 has no extensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The flags that this end sends.
    pub sent: Flags,
    /// The number of the request mTLS flag.
    pub request: u16,
    /// Whether the revision is the editor's copy: see [`crate::rca`]. There
    /// CertificateRequest acknowledges the request mTLS flag if it was sent,
    /// and NewSessionTicket never carries it. In the others it is a flag like
    /// any that may be proposed in these two messages, and is ignored.
    pub acknowledged: bool,
}

impl Watch {
    /// Judges the flags in one message of the other end.
    pub(super) fn judge(&self, kind: Kind, message: &[u8]) -> Result<(), FlagsError> {
        // A message that cannot be read is for rustls to refuse.
        for body in bodies(kind, message, TLS_FLAGS).unwrap_or_default() {
            let flags = Flags::decode(body)?;
            let requests = flags.contains(self.request);
            let unsolicited = match kind {
                Kind::CertificateRequest => {
                    self.acknowledged && requests && !self.sent.contains(self.request)
                }
                Kind::NewSessionTicket => self.acknowledged && requests,
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
        message: Vec::new(),
    })
}

struct WatchedDecrypter {
    inner: Box<dyn MessageDecrypter>,
    side: Side,
    watch: &'static Watch,
    /// A message that is not complete yet, or the part of it that is looked at.
    message: Vec<u8>,
}

impl WatchedDecrypter {
    fn look_at(&mut self, handshake: &[u8]) -> Result<(), FlagsError> {
        self.message.extend_from_slice(handshake);
        while let Some((typ, length)) = header(&self.message) {
            let Some(message) = self.message.get(..4 + length) else {
                break;
            };
            if let Some(kind) = watched_kind(self.side, typ) {
                self.watch.judge(kind, message)?;
            }
            self.message.drain(..4 + length);
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

impl MessageDecrypter for WatchedDecrypter {
    fn decrypt<'a>(
        &mut self,
        mut msg: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        // What is decrypted in place cannot be replaced any more, and rustls
        // wants the outcome in the place of the record: so a copy is decrypted.
        let mut copy = msg.payload.to_vec();
        let copied = InboundOpaqueMessage::new(msg.typ, msg.version, &mut copy);
        let plain = self.inner.decrypt(copied, seq)?;
        let is_fine = plain.typ != ContentType::Handshake || self.look_at(plain.payload).is_ok();
        let (typ, payload) = if is_fine {
            (plain.typ, plain.payload)
        } else {
            (ContentType::Alert, &REFUSED[..])
        };
        // A record is longer than what it holds, by the tag at least.
        let Some(place) = msg.payload.get_mut(..payload.len()) else {
            return Err(Error::DecryptError);
        };
        place.copy_from_slice(payload);
        msg.typ = typ;
        msg.version = plain.version;
        Ok(msg.into_plain_message_range(0..payload.len()))
    }
}

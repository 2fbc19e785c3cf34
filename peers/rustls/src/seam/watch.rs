//! Ends a handshake in which the other end sends flags where it must not.
//!
//! rustls skips an unknown extension in CertificateRequest, and answers one in
//! other messages with alerts of its own choosing, so the messages are looked
//! at before rustls has them.

use rustls::crypto::cipher::{AeadKey, Iv};
use rustls::crypto::cipher::{
    InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter, Tls13AeadAlgorithm,
};
use rustls::{AlertDescription, ContentType, Error, ProtocolVersion};

use super::edits::Side;
use super::framer::header;
use super::message::{Kind, bodies};
use crate::flags::{Flags, FlagsError, TLS_FLAGS};

const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const FINISHED: u8 = 20;

/// In the error of a connection that [`WatchedDecrypter`] has ended.
///
/// rustls is shown an alert of an unknown level, and answers that with
/// `illegal_parameter`. Its error says that it received this alert.
pub(crate) const UNSOLICITED: AlertDescription = AlertDescription::Unknown(0xfe);

/// What one end accepts of the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Watch {
    /// The flags that this end sends.
    pub(crate) sent: Flags,
    /// The request mTLS flag, which only CertificateRequest may carry back.
    pub(crate) request: u16,
}

impl Watch {
    /// Judges the flags in one message of the other end.
    pub(super) fn judge(&self, kind: Kind, message: &[u8]) -> Result<(), FlagsError> {
        // A message that cannot be read is for rustls to refuse.
        for body in bodies(kind, message, TLS_FLAGS).unwrap_or_default() {
            let flags = Flags::decode(body)?;
            let unsolicited = match kind {
                // Other flags may be proposed here (draft-ietf-tls-tlsflags §2).
                Kind::CertificateRequest => {
                    flags.contains(self.request) && !self.sent.contains(self.request)
                }
                _ => flags
                    .iter()
                    .any(|flag| flag == self.request || !self.sent.contains(flag)),
            };
            if unsolicited {
                return Err(FlagsError::Unsolicited);
            }
        }
        Ok(())
    }
}

/// A decrypter that looks at the messages under handshake keys.
pub(super) fn watched(
    aead: &dyn Tls13AeadAlgorithm,
    (key, iv): (AeadKey, Iv),
    side: Side,
    watch: &'static Watch,
) -> Box<dyn MessageDecrypter> {
    Box::new(WatchedDecrypter {
        inner: aead.decrypter(key, iv),
        side,
        watch,
        epoch: Epoch::Unknown,
        message: Vec::new(),
    })
}

struct WatchedDecrypter {
    inner: Box<dyn MessageDecrypter>,
    side: Side,
    watch: &'static Watch,
    epoch: Epoch,
    /// A message that is not complete yet.
    message: Vec<u8>,
}

/// Which keys these are; nobody says, but the first message shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Epoch {
    Unknown,
    Handshake,
    /// Keys of early or application data, or no message left to look at.
    Other,
}

impl WatchedDecrypter {
    fn look_at(&mut self, plain: &InboundPlainMessage<'_>) -> Result<(), FlagsError> {
        if self.epoch == Epoch::Unknown {
            let first = match self.side {
                Side::Client => ENCRYPTED_EXTENSIONS,
                Side::Server => CERTIFICATE,
            };
            let is_handshake = plain.typ == ContentType::Handshake;
            match plain.payload.first() {
                Some(typ) if is_handshake && *typ == first => self.epoch = Epoch::Handshake,
                _ => self.epoch = Epoch::Other,
            }
        }
        if self.epoch == Epoch::Other || plain.typ != ContentType::Handshake {
            return Ok(());
        }
        self.message.extend_from_slice(plain.payload);
        while let Some((typ, length)) = header(&self.message) {
            let Some(message) = self.message.get(..4 + length) else {
                break;
            };
            let kind = match typ {
                ENCRYPTED_EXTENSIONS => Some(Kind::EncryptedExtensions),
                CERTIFICATE_REQUEST => Some(Kind::CertificateRequest),
                CERTIFICATE => Some(Kind::Certificate),
                _ => None,
            };
            if let Some(kind) = kind {
                self.watch.judge(kind, message)?;
            }
            self.message.drain(..4 + length);
            if typ == FINISHED {
                self.epoch = Epoch::Other;
                break;
            }
        }
        Ok(())
    }
}

impl MessageDecrypter for WatchedDecrypter {
    fn decrypt<'a>(
        &mut self,
        mut msg: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        if self.epoch == Epoch::Other {
            return self.inner.decrypt(msg, seq);
        }
        // What is decrypted in place cannot be replaced any more, so the
        // handshake's few records are decrypted twice, and first as a copy.
        let mut copy = msg.payload.to_vec();
        let plain = InboundOpaqueMessage::new(msg.typ, msg.version, &mut copy);
        let plain = self.inner.decrypt(plain, seq)?;
        if self.look_at(&plain).is_ok() {
            return self.inner.decrypt(msg, seq);
        }
        let alert = [0xff, UNSOLICITED.into()];
        msg.payload[..alert.len()].copy_from_slice(&alert);
        msg.typ = ContentType::Alert;
        msg.version = ProtocolVersion::TLSv1_3;
        Ok(msg.into_plain_message_range(0..alert.len()))
    }
}

//! Ends a handshake in which the other end sends flags where it must not.
//!
//! rustls skips an unknown extension in CertificateRequest, and answers one in
//! other messages with alerts of its own choosing, so the messages are looked
//! at before rustls has them.

use rustls::crypto::cipher::{InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter};
use rustls::{ContentType, Error, InvalidMessage};

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
/// The alert is `decode_error` if the record of the offending message begins with the end of an earlier one's, or
/// if it comes behind application data in a record longer than 4096 octets. A client's Certificate under TLS 1.2
/// has no extensions.
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
        has_data: false,
        message: Vec::new(),
        copy: Vec::new(),
    })
}

struct WatchedDecrypter {
    inner: Box<dyn MessageDecrypter>,
    side: Side,
    watch: &'static Watch,
    /// Whether application data has come under these keys.
    has_data: bool,
    /// A message that is not complete yet.
    message: Vec<u8>,
    /// For the record at hand.
    copy: Vec<u8>,
}

/// The longest record that is copied once application data has come.
const COPIED: usize = 4096;

/// Judges the handshake messages that are complete with `handshake`. Keeps what is behind them in `message`.
fn look_at(message: &mut Vec<u8>, handshake: &[u8], side: Side, watch: &Watch) -> bool {
    message.extend_from_slice(handshake);
    while let Some((typ, length)) = header(message) {
        let Some(whole) = message.get(..4 + length) else {
            break;
        };
        let kind = watched_kind(side, typ);
        if kind.is_some_and(|kind| watch.judge(kind, whole).is_err()) {
            return false;
        }
        message.drain(..4 + length);
    }
    true
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

impl WatchedDecrypter {
    /// Decrypts in place, where no message can be replaced any more.
    fn decrypt_in_place<'a>(
        &mut self,
        msg: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let plain = self.inner.decrypt(msg, seq)?;
        let is_fine = plain.typ != ContentType::Handshake
            || look_at(&mut self.message, plain.payload, self.side, self.watch);
        if is_fine {
            Ok(plain)
        } else {
            Err(self.refusal())
        }
    }

    /// The error that rustls has of the message that it is shown.
    fn refusal(&self) -> Error {
        InvalidMessage::DuplicateExtension(self.watch.codepoints.extension).into()
    }
}

impl MessageDecrypter for WatchedDecrypter {
    fn decrypt<'a>(
        &mut self,
        mut msg: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        // A client sends its Certificate before any application data, and under other keys.
        if self.has_data && self.side == Side::Server {
            return self.inner.decrypt(msg, seq);
        }
        if self.has_data && msg.payload.len() > COPIED {
            return self.decrypt_in_place(msg, seq);
        }
        // rustls wants the outcome in the place of the record, and what is decrypted there cannot be replaced: so
        // a copy is decrypted.
        self.copy.clear();
        self.copy.extend_from_slice(&msg.payload);
        let copied = InboundOpaqueMessage::new(msg.typ, msg.version, &mut self.copy);
        let plain = self.inner.decrypt(copied, seq)?;
        let is_in_message = !self.message.is_empty();
        let twice = twice(self.watch.codepoints.extension);
        let payload = if plain.typ == ContentType::Handshake
            && !look_at(&mut self.message, plain.payload, self.side, self.watch)
        {
            if is_in_message {
                return Err(self.refusal());
            }
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
        if msg.typ == ContentType::ApplicationData && !self.has_data {
            self.has_data = true;
            self.copy = Vec::new();
        }
        Ok(msg.into_plain_message_range(0..length))
    }
}

#[cfg(test)]
mod tests {
    use rustls::ProtocolVersion;

    use super::*;

    /// Takes what an AEAD would add off again.
    struct Plain;

    const ADDED: usize = 17;

    impl MessageDecrypter for Plain {
        fn decrypt<'a>(
            &mut self,
            mut msg: InboundOpaqueMessage<'a>,
            _: u64,
        ) -> Result<InboundPlainMessage<'a>, Error> {
            let length = msg.payload.len() - ADDED;
            msg.typ = ContentType::from(msg.payload[length]);
            Ok(msg.into_plain_message_range(0..length))
        }
    }

    fn client() -> Box<dyn MessageDecrypter> {
        let watch = Box::leak(Box::new(Watch {
            codepoints: Codepoints::default(),
            sent: Flags::new(),
            revision: Revision::EditorsCopy,
        }));
        watched(Box::new(Plain), Side::Client, watch)
    }

    fn decrypted(
        decrypter: &mut dyn MessageDecrypter,
        typ: ContentType,
        payload: &[u8],
    ) -> Result<(ContentType, Vec<u8>), Error> {
        let mut record = payload.to_vec();
        record.push(typ.into());
        record.resize(payload.len() + ADDED, 0);
        let version = ProtocolVersion::TLSv1_3;
        let msg = InboundOpaqueMessage::new(ContentType::ApplicationData, version, &mut record);
        let plain = decrypter.decrypt(msg, 0)?;
        Ok((plain.typ, plain.payload.to_vec()))
    }

    /// EncryptedExtensions with a flag, which nobody has sent.
    const UNSOLICITED: [u8; 12] = [8, 0, 0, 8, 0, 6, 0, 62, 0, 2, 1, 1];

    fn refused() -> Error {
        InvalidMessage::DuplicateExtension(62).into()
    }

    #[test]
    fn rustls_is_shown_what_it_refuses_in_place_of_unsolicited_flags() {
        let shown = decrypted(&mut *client(), ContentType::Handshake, &UNSOLICITED);
        let refused = [8, 0, 0, 10, 0, 8, 0, 62, 0, 0, 0, 62, 0, 0];
        assert_eq!(shown, Ok((ContentType::Handshake, refused.to_vec())));
    }

    #[test]
    fn a_message_that_began_before_is_refused_by_an_error() {
        let mut client = client();
        let (first, second) = UNSOLICITED.split_at(5);
        let shown = decrypted(&mut *client, ContentType::Handshake, first);
        assert_eq!(shown, Ok((ContentType::Handshake, first.to_vec())));
        let shown = decrypted(&mut *client, ContentType::Handshake, second);
        assert_eq!(shown, Err(refused()));
    }

    #[test]
    fn long_records_behind_application_data_are_refused_by_an_error() {
        let mut client = client();
        let data = vec![7; 2 * COPIED];
        for _ in 0..2 {
            let shown = decrypted(&mut *client, ContentType::ApplicationData, &data);
            assert_eq!(shown, Ok((ContentType::ApplicationData, data.clone())));
        }
        let padding = [&[24, 0, 16, 0][..], &[0; 4096]].concat();
        let long = [&padding[..], &UNSOLICITED].concat();
        let shown = decrypted(&mut *client, ContentType::Handshake, &long);
        assert_eq!(shown, Err(refused()));
    }

    /// No alert looks like a refusal, whatever its level and description.
    #[test]
    fn alerts_pass_as_they_come() {
        for alert in [[2, 254], [1, 254], [255, 254], [2, 47]] {
            let shown = decrypted(&mut *client(), ContentType::Alert, &alert);
            assert_eq!(shown, Ok((ContentType::Alert, alert.to_vec())));
        }
    }
}

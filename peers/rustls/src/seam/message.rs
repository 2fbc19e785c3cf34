//! One pure function that edits one handshake message.

use super::block::{Block, Extension};
use super::edits::{Edits, Message};
use super::{EDITABLE, MAX_GROWTH};
use crate::reader::Reader;

/// The random that makes a ServerHello a HelloRetryRequest (RFC 9846 §4.2.3 (RFC 8446 §4.1.3)).
pub(super) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Where the random stands in ClientHello and ServerHello.
pub(super) const RANDOM: std::ops::Range<usize> = 6..38;

/// A message at hand, as opposed to the ones that an edit names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    FirstClientHello,
    SecondClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    CertificateRequest,
    Certificate,
    NewSessionTicket,
}

impl Kind {
    /// Whether edits of `message` may change this one, in its `entry`th block.
    pub(super) fn is_meant_by(self, message: Message, entry: usize) -> bool {
        match message {
            Message::ClientHello | Message::ClientHelloWithPsk | Message::ClientHelloWithoutPsk => {
                self.is_client_hello()
            }
            Message::FirstClientHello => self == Self::FirstClientHello,
            Message::SecondClientHello => self == Self::SecondClientHello,
            Message::ServerHello => self == Self::ServerHello,
            Message::HelloRetryRequest => self == Self::HelloRetryRequest,
            Message::EncryptedExtensions => self == Self::EncryptedExtensions,
            Message::CertificateRequest => self == Self::CertificateRequest,
            Message::Certificate => self == Self::Certificate,
            Message::CertificateFirstEntry => self == Self::Certificate && entry == 0,
            Message::NewSessionTicket => self == Self::NewSessionTicket,
        }
    }

    /// Whether some edit may change this kind of message.
    pub(super) fn is_named_in(self, edits: &Edits) -> bool {
        edits.iter().any(|edit| self.is_meant_by(edit.message, 0))
    }

    pub(super) fn is_client_hello(self) -> bool {
        matches!(self, Self::FirstClientHello | Self::SecondClientHello)
    }

    fn is_encrypted(self) -> bool {
        !self.is_client_hello() && !matches!(self, Self::ServerHello | Self::HelloRetryRequest)
    }
}

/// Edits `message`, which begins with its header; `None` leaves it as it is.
///
/// A ClientHello may be cut short inside its last extension, as the one that a
/// PSK binder covers is (RFC 9846 §4.3.11.2 (RFC 8446 §4.2.11.2)): what is there is edited, and the
/// lengths become those of the whole edited message. So the result is a prefix
/// of what the whole message would become.
///
/// A message that cannot be read, or whose lengths would overflow, stays as it
/// is. That depends on the message alone, so all places still agree.
pub(super) fn edit(edits: &Edits, kind: Kind, message: &[u8]) -> Option<Vec<u8>> {
    if !kind.is_named_in(edits) || kind.is_encrypted() && message.len() > EDITABLE {
        return None;
    }
    let mut reader = Reader::new(message);
    reader.take(1)?;
    let announced = reader.number(3)?;
    let body = reader.take_up_to(announced);
    if body.len() < announced && !kind.is_client_hello() {
        return None;
    }
    let whole = body.len() == announced;

    let mut reader = Reader::new(body);
    let mut edited = message[..4].to_vec();
    let growth = if kind == Kind::Certificate {
        edit_entries(edits, body, &mut edited)?
    } else {
        skip_to_extensions(kind, &mut reader)?;
        edited.extend_from_slice(&body[..reader.position()]);
        if whole && reader.is_empty() {
            // TLS 1.2 allows a hello without extensions, even without their length.
            2 + Block::default().edit(edits, kind, 0).write(&mut edited)?
        } else {
            let block = Block::read(&mut reader)?;
            block.edit(edits, kind, 0).write(&mut edited)?
        }
    };
    if kind.is_encrypted() && growth > isize::try_from(MAX_GROWTH).ok()? {
        return None;
    }
    put(&mut edited[1..4], announced.checked_add_signed(growth)?)?;
    Some(edited)
}

/// The bodies of all extensions of one type in `message`, which must be whole.
pub(super) fn bodies(kind: Kind, message: &[u8], number: u16) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(message);
    reader.take(1)?;
    let mut reader = Reader::new(reader.vector(3)?);
    let mut blocks = Vec::new();
    if kind == Kind::Certificate {
        reader.vector(1)?; // certificate_request_context
        let mut entries = Reader::new(reader.vector(3)?);
        while !entries.is_empty() {
            entries.vector(3)?; // cert_data
            blocks.push(Block::read(&mut entries)?);
        }
    } else {
        skip_to_extensions(kind, &mut reader)?;
        if !reader.is_empty() {
            blocks.push(Block::read(&mut reader)?);
        }
    }
    let extensions = blocks.into_iter().flat_map(|block| block.extensions);
    let found = extensions.filter_map(|extension| match extension {
        Extension::Read {
            number: read,
            bytes,
            ..
        } if read == number => Some(&bytes[4..]),
        _ => None,
    });
    Some(found.collect())
}

/// Moves past everything in front of the extensions of `kind`.
fn skip_to_extensions(kind: Kind, reader: &mut Reader<'_>) -> Option<()> {
    match kind {
        Kind::FirstClientHello | Kind::SecondClientHello => {
            reader.take(2 + 32)?; // legacy_version, random
            reader.vector(1)?; // legacy_session_id
            reader.vector(2)?; // cipher_suites
            reader.vector(1)?; // legacy_compression_methods
        }
        Kind::ServerHello | Kind::HelloRetryRequest => {
            reader.take(2 + 32)?; // legacy_version, random
            reader.vector(1)?; // legacy_session_id_echo
            reader.take(2 + 1)?; // cipher_suite, legacy_compression_method
        }
        Kind::EncryptedExtensions | Kind::Certificate => {}
        Kind::CertificateRequest => {
            reader.vector(1)?; // certificate_request_context
        }
        Kind::NewSessionTicket => {
            reader.take(4 + 4)?; // ticket_lifetime, ticket_age_add
            reader.vector(1)?; // ticket_nonce
            reader.vector(2)?; // ticket
        }
    }
    Some(())
}

/// Edits the entries of a Certificate, one extension block each.
fn edit_entries(edits: &Edits, body: &[u8], edited: &mut Vec<u8>) -> Option<isize> {
    let mut reader = Reader::new(body);
    reader.vector(1)?; // certificate_request_context
    let length_at = edited.len() + reader.position();
    let list_at = reader.position();
    let list = reader.vector(3)?;
    edited.extend_from_slice(&body[..list_at + 3]);

    let mut reader = Reader::new(list);
    let mut growth = 0;
    let mut entry = 0;
    while !reader.is_empty() {
        let begin = reader.position();
        reader.vector(3)?; // cert_data
        edited.extend_from_slice(&list[begin..reader.position()]);
        let block = Block::read(&mut reader)?;
        growth += block.edit(edits, Kind::Certificate, entry).write(edited)?;
        entry += 1;
    }
    let length = list.len().checked_add_signed(growth)?;
    put(&mut edited[length_at..length_at + 3], length)?;
    Some(growth)
}

/// Writes `number` big-endian over `field`; `None` if it does not fit.
fn put(field: &mut [u8], number: usize) -> Option<()> {
    let octets = number.to_be_bytes();
    let (high, low) = octets.split_at(octets.len() - field.len());
    field.copy_from_slice(low);
    high.iter().all(|&octet| octet == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::FlagsError;
    use crate::hello::tests::client_hello;
    use crate::hello::{PRE_SHARED_KEY, raw_flags_in_client_hello};
    use crate::seam::Position;

    fn flags() -> Edits {
        Edits::new().insert(Message::ClientHello, 62, [1, 1])
    }

    fn edited(edits: &Edits, kind: Kind, message: &[u8]) -> Vec<u8> {
        edit(edits, kind, message).expect("an edited message")
    }

    /// A message of this type around `body`.
    fn message(typ: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![typ];
        message.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
        message.extend(body);
        message
    }

    #[test]
    fn inserts_before_pre_shared_key_and_else_at_the_end() {
        let kind = Kind::FirstClientHello;
        assert_eq!(
            edited(
                &flags(),
                kind,
                &client_hello(&[(43, &[2, 3, 4]), (41, &[9; 50])])
            ),
            client_hello(&[(43, &[2, 3, 4]), (62, &[1, 1]), (41, &[9; 50])])
        );
        assert_eq!(
            edited(&flags(), kind, &client_hello(&[(43, &[2, 3, 4])])),
            client_hello(&[(43, &[2, 3, 4]), (62, &[1, 1])])
        );
    }

    #[test]
    fn inserts_last_if_told_so() {
        let last = Edits::new().insert_at(Message::ClientHello, 62, [1, 1], Position::Last);
        assert_eq!(
            edited(
                &last,
                Kind::SecondClientHello,
                &client_hello(&[(41, &[9; 50])])
            ),
            client_hello(&[(41, &[9; 50]), (62, &[1, 1])])
        );
    }

    #[test]
    fn removes_and_inserts_in_order() {
        let edits = Edits::new()
            .remove(Message::ClientHello, 62)
            .insert(Message::ClientHello, 62, [1, 2])
            .remove(Message::ClientHello, 43);
        assert_eq!(
            edited(
                &edits,
                Kind::FirstClientHello,
                &client_hello(&[(62, &[1, 1]), (43, &[0; 9]), (62, &[1, 4]), (10, &[])])
            ),
            client_hello(&[(10, &[]), (62, &[1, 2])])
        );
    }

    #[test]
    fn only_the_named_hello_is_edited() {
        let hello = client_hello(&[]);
        for (named, first, second) in [
            (Message::ClientHello, true, true),
            (Message::FirstClientHello, true, false),
            (Message::SecondClientHello, false, true),
            (Message::ServerHello, false, false),
        ] {
            let edits = Edits::new().insert(named, 62, [1, 1]);
            assert_eq!(
                edit(&edits, Kind::FirstClientHello, &hello).is_some(),
                first
            );
            assert_eq!(
                edit(&edits, Kind::SecondClientHello, &hello).is_some(),
                second
            );
        }
    }

    #[test]
    fn hellos_with_and_without_a_psk_are_told_apart_even_cut_short() {
        let edits = Edits::new()
            .insert(Message::ClientHelloWithoutPsk, 62, [1, 1])
            .insert(Message::ClientHelloWithPsk, 62, [1, 2])
            .remove(Message::ClientHelloWithPsk, 43);
        let kind = Kind::FirstClientHello;
        assert_eq!(
            edited(&edits, kind, &client_hello(&[(43, &[2, 3, 4])])),
            client_hello(&[(43, &[2, 3, 4]), (62, &[1, 1])])
        );
        let hello = client_hello(&[(43, &[2, 3, 4]), (41, &[9; 50])]);
        let whole = client_hello(&[(62, &[1, 2]), (41, &[9; 50])]);
        assert_eq!(edited(&edits, kind, &hello), whole);
        let cut = edited(&edits, kind, &hello[..hello.len() - 33]);
        assert_eq!(cut, whole[..whole.len() - 33]);
    }

    #[test]
    fn hello_without_an_extension_block_gets_one() {
        let mut hello = client_hello(&[]);
        hello.truncate(hello.len() - 2);
        hello[3] -= 2;
        assert_eq!(
            edited(&flags(), Kind::FirstClientHello, &hello),
            client_hello(&[(62, &[1, 1])])
        );
    }

    #[test]
    fn block_that_would_overflow_stays_as_it_is() {
        let hello = client_hello(&[(21, &vec![0; 65530])]);
        assert_eq!(edit(&flags(), Kind::FirstClientHello, &hello), None);
        let hello = client_hello(&[(21, &vec![0; 65525])]);
        assert!(edit(&flags(), Kind::FirstClientHello, &hello).is_some());
    }

    #[test]
    fn each_message_has_its_block_found() {
        let edits = |named| Edits::new().insert(named, 62, [1, 1]);
        let (before, after) = ([0, 4, 0, 43, 0, 0], [0, 10, 0, 43, 0, 0, 0, 62, 0, 2, 1, 1]);
        let hello = [&[3, 3][..], &[5; 32], &[2, 8, 8, 0x13, 1, 0]].concat();
        let ticket = [&[0; 8][..], &[1, 7, 0, 3, 1, 2, 3]].concat();
        for (named, kind, typ, front) in [
            (Message::ServerHello, Kind::ServerHello, 2, &hello[..]),
            (
                Message::HelloRetryRequest,
                Kind::HelloRetryRequest,
                2,
                &hello,
            ),
            (
                Message::EncryptedExtensions,
                Kind::EncryptedExtensions,
                8,
                &[],
            ),
            (
                Message::CertificateRequest,
                Kind::CertificateRequest,
                13,
                &[2, 1, 1],
            ),
            (
                Message::NewSessionTicket,
                Kind::NewSessionTicket,
                4,
                &ticket,
            ),
        ] {
            assert_eq!(
                edited(
                    &edits(named),
                    kind,
                    &message(typ, &[front, &before].concat())
                ),
                message(typ, &[front, &after].concat()),
                "{named:?}"
            );
        }
    }

    #[test]
    fn certificate_entries_are_edited_all_or_the_first() {
        let entry = |extensions: &[u8]| [&[0, 0, 2, 7, 7], extensions].concat();
        let certificate = |entries: &[Vec<u8>]| {
            let list = entries.concat();
            let length = u8::try_from(list.len()).unwrap();
            message(11, &[&[0, 0, 0, length], &list[..]].concat())
        };
        let (plain, flagged) = (entry(&[0, 0]), entry(&[0, 6, 0, 62, 0, 2, 1, 1]));
        let given = certificate(&[plain.clone(), plain.clone()]);
        let all = Edits::new().insert(Message::Certificate, 62, [1, 1]);
        assert_eq!(
            edited(&all, Kind::Certificate, &given),
            certificate(&[flagged.clone(), flagged.clone()])
        );
        let first = Edits::new().insert(Message::CertificateFirstEntry, 62, [1, 1]);
        assert_eq!(
            edited(&first, Kind::Certificate, &given),
            certificate(&[flagged, plain])
        );
    }

    #[test]
    fn long_encrypted_messages_stay_as_they_are() {
        let edits = Edits::new().insert(Message::EncryptedExtensions, 62, [1, 1]);
        let of_length = |length: u16| {
            let mut body = (length - 6).to_be_bytes().to_vec();
            body.extend([0, 21]);
            body.extend((length - 10).to_be_bytes());
            body.resize(usize::from(length) - 4, 0);
            message(8, &body)
        };
        assert_eq!(of_length(6000).len(), EDITABLE);
        let kind = Kind::EncryptedExtensions;
        assert!(edit(&edits, kind, &of_length(6000)).is_some());
        assert_eq!(edit(&edits, kind, &of_length(6001)), None);
    }

    proptest! {
        /// What a PSK binder covers is a prefix of what is sent.
        #[test]
        fn editing_a_truncated_hello_truncates_the_edited_one(
            in_front in prop::collection::vec((0u16..40, prop::collection::vec(any::<u8>(), 0..30)), 0..6),
            psk in prop::collection::vec(any::<u8>(), 40..200),
            cut in 1usize..40,
            last in any::<bool>(),
        ) {
            let mut extensions: Vec<(u16, &[u8])> =
                in_front.iter().map(|(number, data)| (*number, &data[..])).collect();
            extensions.push((PRE_SHARED_KEY, &psk));
            let hello = client_hello(&extensions);
            let position = if last { Position::Last } else { Position::default() };
            let edits = Edits::new()
                .remove(Message::ClientHello, 10)
                .insert_at(Message::ClientHello, 62, [1, 1], position);
            let whole = edited(&edits, Kind::FirstClientHello, &hello);
            let cut_off = edited(&edits, Kind::FirstClientHello, &hello[..hello.len() - cut]);
            let behind = if last { 6 } else { 0 };
            prop_assert_eq!(&cut_off[..], &whole[..whole.len() - cut - behind]);
            let flags = raw_flags_in_client_hello(&whole, 62);
            let behind = Err(FlagsError::BehindPreSharedKey);
            prop_assert_eq!(flags, if last { behind } else { Ok(Some(&[1, 1][..])) });
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            for kind in [
                Kind::FirstClientHello,
                Kind::SecondClientHello,
                Kind::ServerHello,
                Kind::HelloRetryRequest,
                Kind::EncryptedExtensions,
                Kind::CertificateRequest,
                Kind::Certificate,
                Kind::NewSessionTicket,
            ] {
                let edits = [
                    Message::ClientHello,
                    Message::ServerHello,
                    Message::HelloRetryRequest,
                    Message::EncryptedExtensions,
                    Message::CertificateRequest,
                    Message::Certificate,
                    Message::NewSessionTicket,
                ]
                .into_iter()
                .fold(Edits::new(), |edits, named| edits.insert(named, 62, [1, 1]));
                let _ = edit(&edits, kind, &bytes);
                let length = u8::try_from(bytes.len()).unwrap();
                let framed = [&[1, 0, 0, length], &bytes[..]].concat();
                let _ = edit(&edits, kind, &framed);
            }
        }
    }
}

//! One pure function that edits one handshake message.

use super::edits::{Change, Edits, Message, Position};
use super::{EDITABLE, MAX_GROWTH};
use crate::reader::Reader;

/// The random that makes a ServerHello a HelloRetryRequest (RFC 8446 §4.1.3).
pub(super) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Where the random stands in ClientHello and ServerHello.
pub(super) const RANDOM: std::ops::Range<usize> = 6..38;

const PRE_SHARED_KEY: u16 = 41;

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
    /// Whether edits of `message` change this one, in its `entry`th block.
    fn is_meant_by(self, message: Message, entry: usize) -> bool {
        match message {
            Message::ClientHello => {
                matches!(self, Self::FirstClientHello | Self::SecondClientHello)
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

    fn is_client_hello(self) -> bool {
        matches!(self, Self::FirstClientHello | Self::SecondClientHello)
    }

    fn is_encrypted(self) -> bool {
        !self.is_client_hello() && !matches!(self, Self::ServerHello | Self::HelloRetryRequest)
    }
}

/// Edits `message`, which begins with its header; `None` leaves it as it is.
///
/// A ClientHello may be cut short inside its last extension, as the one that a
/// PSK binder covers is (RFC 8446 §4.2.11.2): what is there is edited, and the
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

/// An extension block, perhaps cut short.
#[derive(Default)]
struct Block<'a> {
    /// The length that the block announced, as it was read.
    announced: usize,
    extensions: Vec<Extension<'a>>,
}

#[derive(Clone, Copy)]
enum Extension<'a> {
    /// As it was read: its header, and its body as far as it is there.
    Read {
        number: u16,
        announced: usize,
        bytes: &'a [u8],
    },
    Inserted {
        number: u16,
        body: &'a [u8],
    },
}

impl<'a> Block<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let announced = reader.number(2)?;
        let content = reader.take_up_to(announced);
        let mut extensions = Vec::new();
        let mut reader = Reader::new(content);
        while !reader.is_empty() {
            let begin = reader.position();
            let number = u16::try_from(reader.number(2)?).ok()?;
            let length = reader.number(2)?;
            let present = reader.take_up_to(length).len();
            if present < length && announced == content.len() {
                return None; // a whole block with an extension that is not
            }
            extensions.push(Extension::Read {
                number,
                announced: 4 + length,
                bytes: &content[begin..begin + 4 + present],
            });
        }
        Some(Self {
            announced,
            extensions,
        })
    }

    fn edit(mut self, edits: &'a Edits, kind: Kind, entry: usize) -> Self {
        for edit in edits {
            if !kind.is_meant_by(edit.message, entry) {
                continue;
            }
            match &edit.change {
                Change::Remove { extension } => {
                    self.extensions
                        .retain(|present| present.number() != *extension);
                }
                Change::Insert {
                    extension,
                    body,
                    position,
                } => {
                    let before_psk = self.extensions.iter().position(|present| {
                        kind.is_client_hello()
                            && *position == Position::BeforePreSharedKey
                            && present.number() == PRE_SHARED_KEY
                    });
                    let inserted = Extension::Inserted {
                        number: *extension,
                        body,
                    };
                    let at = before_psk.unwrap_or(self.extensions.len());
                    self.extensions.insert(at, inserted);
                }
            }
        }
        self
    }

    /// Appends the block to `out` and returns by how much it has grown.
    fn write(&self, out: &mut Vec<u8>) -> Option<isize> {
        let length = self.extensions.iter().map(Extension::length).sum::<usize>();
        out.extend(u16::try_from(length).ok()?.to_be_bytes());
        for extension in &self.extensions {
            match extension {
                Extension::Inserted { number, body } => {
                    out.extend(number.to_be_bytes());
                    out.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
                    out.extend_from_slice(body);
                }
                Extension::Read {
                    announced, bytes, ..
                } => {
                    out.extend_from_slice(bytes);
                    if bytes.len() < *announced {
                        break; // cut short here: nothing after it is known to be sent yet
                    }
                }
            }
        }
        let before = isize::try_from(self.announced).ok()?;
        Some(isize::try_from(length).ok()? - before)
    }
}

impl Extension<'_> {
    fn number(&self) -> u16 {
        match *self {
            Self::Read { number, .. } | Self::Inserted { number, .. } => number,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Read { announced, .. } => *announced,
            Self::Inserted { body, .. } => 4 + body.len(),
        }
    }
}

/// Writes `number` big-endian over `field`; `None` if it does not fit.
fn put(field: &mut [u8], number: usize) -> Option<()> {
    let octets = number.to_be_bytes();
    let (high, low) = octets.split_at(octets.len() - field.len());
    field.copy_from_slice(low);
    high.iter().all(|&octet| octet == 0).then_some(())
}

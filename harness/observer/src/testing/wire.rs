//! The structures of which connections are made, without any check of what is in them.

use crate::{ContentType, ExtensionType, HandshakeType};

/// A record in clear, of `legacy_record_version` 0x0303 (RFC 9846 §5.1 (RFC 8446 §5.1)).
///
/// # Panics
///
/// If the content is longer than a length of two octets can say.
#[must_use]
pub fn record(content_type: ContentType, content: &[u8]) -> Vec<u8> {
    [&[content_type.0, 3, 3], &length(content)[..], content].concat()
}

/// A handshake message with its header of four octets (RFC 9846 §4 (RFC 8446 §4)).
///
/// # Panics
///
/// If the body is longer than a length of three octets can say.
#[must_use]
pub fn message(kind: HandshakeType, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).ok().filter(|it| it >> 24 == 0);
    let [_, high, middle, low] = length.expect("a length of three octets").to_be_bytes();
    [&[kind.0, high, middle, low], body].concat()
}

/// An extension with its type and length (RFC 9846 §4.3 (RFC 8446 §4.2)).
///
/// # Panics
///
/// If the body is longer than a length of two octets can say.
#[must_use]
pub fn extension(kind: ExtensionType, body: &[u8]) -> Vec<u8> {
    [&kind.0.to_be_bytes()[..], &length(body), body].concat()
}

/// A block of extensions with its length, as it ends most messages.
///
/// # Panics
///
/// If the block is longer than a length of two octets can say.
#[must_use]
pub fn extensions(extensions: &[Vec<u8>]) -> Vec<u8> {
    let octets = extensions.concat();
    [&length(&octets)[..], &octets].concat()
}

fn length(octets: &[u8]) -> [u8; 2] {
    let length = u16::try_from(octets.len()).expect("a length of two octets");
    length.to_be_bytes()
}

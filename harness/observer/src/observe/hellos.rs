//! What both sides sent in clear, on which all decryption rests.

use std::borrow::Cow;

use crate::bytes::Octets32;
use crate::message::{ClientHello, HandshakeMessage, ServerHello};
use crate::reader::Reader;
use crate::record::Record;
use reqmtls_vocabulary::{ContentType, HandshakeType, ProtocolVersion};

/// The hellos of a connection.
#[derive(Debug)]
pub(super) struct Hellos {
    /// The random of the first ClientHello, even if the rest of it is malformed.
    pub(super) client_random: Option<Octets32>,
    /// The first ClientHello.
    pub(super) client: Option<ClientHello>,
    /// The ServerHello that is no HelloRetryRequest.
    pub(super) server: Option<ServerHello>,
}

impl Hellos {
    /// Finds the hellos in both sides' records. Each direction is read on its
    /// own, so that it does not matter how the two were interleaved.
    pub(super) fn find(client: &[Record<'_>], server: &[Record<'_>]) -> Self {
        let octets = handshake_in_clear(client);
        let first = next_message(&octets).filter(|(kind, _)| *kind == HandshakeType::CLIENT_HELLO);
        let random = first.and_then(|(_, message)| message.get(6..38)?.try_into().ok());
        let hello = first.map(|(kind, message)| read(kind, message));
        Self {
            client_random: random.map(Octets32),
            client: match hello {
                Some(HandshakeMessage::ClientHello(hello)) => Some(hello),
                _ => None,
            },
            server: server_hello(&handshake_in_clear(server)),
        }
    }

    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        self.server.as_ref().map(ServerHello::version)
    }
}

/// Reads a message with its header.
fn read(kind: HandshakeType, message: &[u8]) -> HandshakeMessage {
    HandshakeMessage::read(kind, &message[4..], ProtocolVersion::TLS13)
}

/// The first ServerHello that is no HelloRetryRequest.
fn server_hello(mut octets: &[u8]) -> Option<ServerHello> {
    while let Some((kind, message)) = next_message(octets) {
        if kind == HandshakeType::SERVER_HELLO
            && let HandshakeMessage::ServerHello(hello) = read(kind, message)
        {
            return Some(hello);
        }
        octets = &octets[message.len()..];
    }
    None
}

/// The octets of handshake messages before the first record that is surely encrypted.
fn handshake_in_clear<'r>(records: &'r [Record<'_>]) -> Cow<'r, [u8]> {
    let in_clear = records
        .iter()
        .take_while(|record| record.content_type != ContentType::APPLICATION_DATA);
    let mut handshake = in_clear.filter(|record| record.content_type == ContentType::HANDSHAKE);
    let first = handshake.next().map_or(&[][..], |record| &record.payload);
    let mut octets = Cow::Borrowed(first);
    for record in handshake {
        octets.to_mut().extend_from_slice(&record.payload);
    }
    octets
}

/// The first whole handshake message, with its header of four octets.
pub(super) fn next_message(bytes: &[u8]) -> Option<(HandshakeType, &[u8])> {
    let mut reader = Reader::new(bytes);
    let kind = HandshakeType(reader.u8("type").ok()?);
    let length = reader.u24("length").ok()?;
    Some((kind, bytes.get(..length + 4)?))
}

//! What both sides sent in clear, on which all decryption rests.

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
    pub(super) fn find(client: &[Record], server: &[Record]) -> Self {
        let from_client = messages_in_clear(client);
        let first = from_client
            .first()
            .filter(|(kind, _)| *kind == HandshakeType::CLIENT_HELLO);
        let random = first.and_then(|(_, body)| body.get(2..34)?.try_into().ok());
        let hello = first.map(|(kind, body)| read(*kind, body));
        let mut from_server = messages_in_clear(server).into_iter();
        Self {
            client_random: random.map(Octets32),
            client: match hello {
                Some(HandshakeMessage::ClientHello(hello)) => Some(hello),
                _ => None,
            },
            server: from_server.find_map(|(kind, body)| match read(kind, &body) {
                HandshakeMessage::ServerHello(hello) => Some(hello),
                _ => None,
            }),
        }
    }

    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        self.server.as_ref().map(ServerHello::version)
    }
}

fn read(kind: HandshakeType, body: &[u8]) -> HandshakeMessage {
    HandshakeMessage::read(kind, body, ProtocolVersion::TLS13)
}

/// The handshake messages before the first record that is surely encrypted.
fn messages_in_clear(records: &[Record]) -> Vec<(HandshakeType, Vec<u8>)> {
    let in_clear = records
        .iter()
        .take_while(|record| record.content_type != ContentType::APPLICATION_DATA);
    let handshake = in_clear.filter(|record| record.content_type == ContentType::HANDSHAKE);
    let bytes: Vec<u8> = handshake
        .flat_map(|record| &record.payload)
        .copied()
        .collect();
    let mut rest = &bytes[..];
    let mut messages = Vec::new();
    while let Some((kind, message)) = next_message(rest) {
        messages.push((kind, message[4..].to_vec()));
        rest = &rest[message.len()..];
    }
    messages
}

/// The first whole handshake message, with its header of four octets.
pub(super) fn next_message(bytes: &[u8]) -> Option<(HandshakeType, &[u8])> {
    let mut reader = Reader::new(bytes);
    let kind = HandshakeType(reader.u8("type").ok()?);
    let length = reader.u24("length").ok()?;
    Some((kind, bytes.get(..length + 4)?))
}

//! Handshake messages in plaintext records.

use super::framer::header;

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const HANDSHAKE: u8 = 22;

/// Longest handshake message that is gathered, in octets with its header.
///
/// rustls refuses longer ones itself.
const LONGEST_MESSAGE: usize = 4 + 0xffff;

/// Gathers one handshake message from a stream of plaintext records.
#[derive(Debug, Default)]
pub(super) struct Gather {
    header: Vec<u8>,
    payload_left: usize,
    message: Vec<u8>,
}

/// How far a [`Gather`] has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// More records have to come.
    Unfinished,
    /// The message is there, or is too long to be gathered.
    Finished,
}

impl Gather {
    /// Takes bytes of the stream; does nothing once `message` has `enough` octets.
    pub(super) fn push(&mut self, mut bytes: &[u8], enough: impl Fn(&[u8]) -> bool) -> Gathered {
        while !bytes.is_empty() && !enough(&self.message) {
            if self.payload_left == 0 {
                if self.header.len() == 5 {
                    self.header.clear();
                }
                let (taken, rest) = bytes.split_at((5 - self.header.len()).min(bytes.len()));
                self.header.extend_from_slice(taken);
                bytes = rest;
                if let [_, _, _, high, low] = self.header[..] {
                    self.payload_left = usize::from(u16::from_be_bytes([high, low]));
                }
                continue;
            }
            let (taken, rest) = bytes.split_at(self.payload_left.min(bytes.len()));
            if self.header[0] == HANDSHAKE {
                self.message.extend_from_slice(taken);
            }
            self.payload_left -= taken.len();
            bytes = rest;
        }
        if enough(&self.message) {
            Gathered::Finished
        } else {
            Gathered::Unfinished
        }
    }

    /// The type of the last record begun.
    pub(super) fn record_type(&self) -> Option<u8> {
        self.header.first().copied()
    }

    /// What was gathered so far.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }
}

/// Whether `bytes` hold a whole message, or one too long to be gathered.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    whole_length(bytes).is_some_and(|length| bytes.len() >= length) || bytes.len() > LONGEST_MESSAGE
}

/// The length of the message that `bytes` begin with, in octets with its header.
pub(super) fn whole_length(bytes: &[u8]) -> Option<usize> {
    header(bytes).map(|(_, length)| 4 + length)
}

/// Appends `payload` to `out` as handshake records of at most `chunk` octets.
pub(super) fn write_handshake(version: [u8; 2], payload: &[u8], chunk: usize, out: &mut Vec<u8>) {
    for fragment in payload.chunks(chunk.clamp(1, 1 << 14)) {
        let length = u16::try_from(fragment.len()).unwrap_or(u16::MAX);
        out.push(HANDSHAKE);
        out.extend(version);
        out.extend(length.to_be_bytes());
        out.extend_from_slice(fragment);
    }
}

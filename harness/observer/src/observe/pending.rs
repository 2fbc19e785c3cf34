//! Handshake octets on their way to whole messages (RFC 9846 §5.1 (RFC 8446 §5.1)).

use reqmtls_vocabulary::HandshakeType;

use super::hellos::next_message;
use crate::Epoch;
use crate::record::Record;

/// Handshake octets that are not yet a whole message. They are as many as a side sent, never as many as a length
/// announces.
#[derive(Default)]
pub(super) struct Pending {
    octets: Vec<u8>,
    /// How many of them belong to messages that were taken out.
    taken: usize,
    /// Under which keys they were.
    pub(super) epoch: Option<Epoch>,
    /// Where the next message begins.
    pub(super) origin: Origin,
    #[cfg(test)]
    moved: usize,
}

/// Where a message begins, and the length of the records that carry it so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// The number of the first record.
    pub(super) record: usize,
    /// The place of the event that brought its first byte.
    pub(super) start: usize,
    /// The length of the records in bytes, headers included.
    pub(super) wire_len: usize,
}

impl Origin {
    fn of(number: usize, record: &Record<'_>) -> Self {
        Self {
            record: number,
            start: record.start,
            wire_len: record.wire_len(),
        }
    }
}

impl Pending {
    /// Whether no message has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.taken == self.octets.len()
    }

    /// Adds a record's content.
    pub(super) fn add(&mut self, number: usize, record: &Record<'_>, content: &[u8]) {
        if self.is_empty() {
            self.origin = Origin::of(number, record);
        } else {
            self.origin.wire_len += record.wire_len();
        }
        // What is left behind taken messages came with the record before, so it is moved at most once.
        if self.taken > 0 {
            #[cfg(test)]
            {
                self.moved += self.octets.len() - self.taken;
            }
            self.octets.drain(..self.taken);
            self.taken = 0;
        }
        self.octets.extend_from_slice(content);
    }

    /// Takes out the next whole message with its header and its origin. The one behind it begins in the record that
    /// was added last.
    pub(super) fn take(
        &mut self,
        number: usize,
        record: &Record<'_>,
    ) -> Option<(HandshakeType, Vec<u8>, Origin)> {
        let (kind, message) = next_message(&self.octets[self.taken..])?;
        let message = message.to_vec();
        self.taken += message.len();
        let origin = std::mem::replace(&mut self.origin, Origin::of(number, record));
        Some((kind, message, origin))
    }

    /// Forgets the message that has begun.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::message;
    use crate::{Recording, Side, record::Records, testing};
    use std::time::Duration;

    type ContentType = crate::ContentType;

    /// Feeds records of these contents; the messages with their first records, and the octets that were moved.
    fn fed(contents: &[&[u8]]) -> (Vec<(HandshakeType, usize)>, usize) {
        let mut recording = Recording::new();
        for content in contents {
            let record = testing::record(ContentType::HANDSHAKE, content);
            recording.data(Duration::ZERO, Side::Client, record);
        }
        let records = Records::of(&recording, Side::Client).records;
        let (mut pending, mut found) = (Pending::default(), Vec::new());
        for (number, record) in records.iter().enumerate() {
            pending.add(number, record, &record.payload);
            while let Some((kind, _, origin)) = pending.take(number, record) {
                found.push((kind, origin.record));
            }
        }
        assert!(pending.is_empty());
        (found, pending.moved)
    }

    #[test]
    fn no_octet_is_moved_more_than_once() {
        // Records of 4,000 messages and a half, the other half first in the next one.
        let messages = message(HandshakeType::FINISHED, &[]).repeat(4001);
        let (one, other) = messages.split_at(messages.len() - 2);
        let behind = [other, &messages[..messages.len() - 4]].concat();
        let contents = [one, &behind].repeat(50);
        let (found, moved) = fed(&contents);
        assert_eq!(found.len(), 50 * 8001);
        assert_eq!(moved, 50 * 2);
        // A long message in records of one octet.
        let long = message(HandshakeType::CERTIFICATE, &vec![0; 100_000]);
        let contents: Vec<_> = long.chunks(1).collect();
        assert_eq!(fed(&contents), (vec![(HandshakeType::CERTIFICATE, 0)], 0));
    }

    #[test]
    fn a_message_begins_in_the_record_of_its_first_octet() {
        let messages = [
            message(HandshakeType::CERTIFICATE, &[1; 6]),
            message(HandshakeType::FINISHED, &[]),
            message(HandshakeType::KEY_UPDATE, &[0]),
        ];
        let octets = messages.concat();
        let (found, _) = fed(&[&octets[..3], &[], &octets[3..12], &octets[12..]]);
        assert_eq!(
            found,
            [
                (HandshakeType::CERTIFICATE, 0),
                (HandshakeType::FINISHED, 2),
                (HandshakeType::KEY_UPDATE, 3),
            ]
        );
    }
}

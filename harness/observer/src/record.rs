//! From one side's bytes to TLS records (RFC 8446 §5.1).

use std::time::Duration;

use super::recording::Recording;
use reqmtls_vocabulary::{ContentType, Side};

/// Length of a record's header in bytes.
pub(super) const HEADER: usize = 5;

/// The longest payload that is still taken for a record: that of TLS 1.2,
/// which is longer than that of TLS 1.3 (RFC 5246 §6.2.3).
const MAX_PAYLOAD: usize = (1 << 14) + 2048;

/// A whole record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The content type on the outside.
    pub(super) content_type: ContentType,
    /// The five octets in front, which the AEAD of TLS 1.3 authenticates.
    pub(super) header: [u8; HEADER],
    /// What follows them.
    pub(super) payload: Vec<u8>,
    /// When its last byte was relayed.
    pub(super) at: Duration,
    /// Place of the event that brought its first byte, among all events.
    pub(super) start: usize,
    /// Place of the event that brought its last byte, among all events.
    pub(super) arrival: usize,
}

impl Record {
    pub(super) fn wire_len(&self) -> usize {
        HEADER + self.payload.len()
    }
}

/// What one side's bytes were.
#[derive(Debug)]
pub(super) struct Records {
    /// The whole records, in order.
    pub(super) records: Vec<Record>,
    /// What follows the last whole record.
    pub(super) rest: Rest,
}

/// What follows the last whole record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    None,
    /// The start of a record.
    Truncated {
        /// Offset of its first byte.
        offset: usize,
    },
    /// Bytes that do not start a record.
    NotTls {
        /// Offset of the first of them.
        offset: usize,
        /// How many there are.
        len: usize,
    },
}

impl Records {
    /// Splits one side's bytes, however they were chunked.
    pub(super) fn of(recording: &Recording, side: Side) -> Self {
        let mut records = Vec::new();
        let mut pending = Vec::new();
        let mut start = 0;
        let mut offset = 0;
        for (arrival, at, bytes) in recording.chunks(side) {
            if pending.is_empty() {
                start = arrival;
            }
            pending.extend_from_slice(bytes);
            let mut used = 0;
            while let Some((header, payload)) = split(&pending[used..]) {
                used += HEADER + payload.len();
                records.push(Record {
                    content_type: ContentType(header[0]),
                    header,
                    payload: payload.to_vec(),
                    at,
                    start,
                    arrival,
                });
                start = arrival;
            }
            pending.drain(..used);
            offset += used;
        }
        let rest = match pending.len() {
            0 => Rest::None,
            _ if may_start_a_record(&pending) => Rest::Truncated { offset },
            len => Rest::NotTls { offset, len },
        };
        Self { records, rest }
    }
}

/// The first record's header and payload, if it is whole.
fn split(bytes: &[u8]) -> Option<([u8; HEADER], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    if !may_start_a_record(header) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    Some((*header, rest.get(..length)?))
}

/// Whether the bytes could be the start of a record, as far as they reach.
fn may_start_a_record(bytes: &[u8]) -> bool {
    let byte = |index| bytes.get(index).copied();
    let type_fits = byte(0).is_none_or(|octet| (20..=24).contains(&octet));
    let version_fits = byte(1).is_none_or(|octet| octet == 3);
    let length_fits = match (byte(3), byte(4)) {
        (Some(high), Some(low)) => usize::from(u16::from_be_bytes([high, low])) <= MAX_PAYLOAD,
        _ => true,
    };
    type_fits && version_fits && length_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(chunks: &[&[u8]]) -> Records {
        let mut recording = Recording::new();
        for (second, chunk) in (1..).zip(chunks) {
            recording.data(Duration::from_secs(second), Side::Server, *chunk);
        }
        Records::of(&recording, Side::Server)
    }

    #[test]
    fn joins_a_record_from_any_chunks() {
        let found = records(&[&[22], &[3, 3], &[], &[0, 2, 8], &[9, 21, 3, 3, 0], &[0]]);
        assert_eq!(found.rest, Rest::None);
        let [first, second] = &found.records[..] else {
            panic!("{found:?}")
        };
        assert_eq!(first.payload, [8, 9]);
        assert_eq!(first.at, Duration::from_secs(5));
        assert_eq!((first.start, first.arrival), (0, 4));
        assert_eq!(
            (second.content_type, second.wire_len()),
            (ContentType::ALERT, 5)
        );
        assert_eq!((second.start, second.arrival), (4, 5));
    }

    #[test]
    fn tells_a_truncated_record_from_bytes_that_are_not_tls() {
        let found = records(&[&[22, 3, 3, 0, 0, 22, 3, 1, 0, 5, 1]]);
        assert_eq!(found.rest, Rest::Truncated { offset: 5 });
        let found = records(&[&[22, 3, 3, 0, 0], b"HTTP/1.1"]);
        assert_eq!(found.rest, Rest::NotTls { offset: 5, len: 8 });
        let found = records(&[&[22, 3, 3, 0x7f, 0xff]]);
        assert_eq!(found.rest, Rest::NotTls { offset: 0, len: 5 });
    }
}

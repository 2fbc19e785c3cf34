//! From one side's bytes to TLS records (RFC 9846 §5.1 (RFC 8446 §5.1)).

use std::borrow::Cow;
use std::time::Duration;

use crate::recording::Recording;
use reqmtls_vocabulary::{ContentType, Side};

/// Length of a record's header in bytes.
pub(super) const HEADER: usize = 5;

/// The longest payload that is still taken for a record: that of TLS 1.2,
/// which is longer than that of TLS 1.3 (RFC 5246 §6.2.3).
const MAX_PAYLOAD: usize = (1 << 14) + 2048;

/// A whole record.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    /// The content type on the outside.
    pub(super) content_type: ContentType,
    /// The five octets in front, which the AEAD of TLS 1.3 authenticates.
    pub(super) header: [u8; HEADER],
    /// What follows them, where it stands in the recording if it came in one piece.
    pub(super) payload: Cow<'a, [u8]>,
    /// When its last byte was relayed.
    pub(super) at: Duration,
    /// Place of the event that brought its first byte, among all events.
    pub(super) start: usize,
    /// Place of the event that brought its last byte, among all events.
    pub(super) arrival: usize,
}

impl Record<'_> {
    pub(super) fn wire_len(&self) -> usize {
        HEADER + self.payload.len()
    }
}

/// What one side's bytes were.
#[derive(Debug)]
pub(super) struct Records<'a> {
    /// The whole records, in order.
    pub(super) records: Vec<Record<'a>>,
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

impl<'a> Records<'a> {
    /// Splits one side's bytes, however they were chunked.
    pub(super) fn of(recording: &'a Recording, side: Side) -> Self {
        let mut records = Vec::new();
        // The record that has begun and is not whole.
        let mut pending = Vec::new();
        let mut start = 0;
        let mut offset = 0;
        for (arrival, at, mut bytes) in recording.chunks(side) {
            let record = |start, header: [u8; HEADER], payload| Record {
                content_type: ContentType(header[0]),
                header,
                payload,
                at,
                start,
                arrival,
            };
            while !pending.is_empty() && !bytes.is_empty() {
                let (more, rest) = bytes.split_at(lacking(&pending).min(bytes.len()));
                pending.extend_from_slice(more);
                bytes = rest;
                if let Some((header, payload)) = split(&pending) {
                    records.push(record(start, header, payload.to_vec().into()));
                    offset += pending.len();
                    pending.clear();
                }
            }
            if bytes.is_empty() {
                continue;
            }
            start = arrival;
            while let Some((header, payload)) = split(bytes) {
                records.push(record(start, header, payload.into()));
                let length = HEADER + payload.len();
                offset += length;
                bytes = &bytes[length..];
            }
            pending.extend_from_slice(bytes);
        }
        let rest = match pending.len() {
            0 => Rest::None,
            _ if may_start_a_record(&pending) => Rest::Truncated { offset },
            len => Rest::NotTls { offset, len },
        };
        Self { records, rest }
    }
}

/// How many octets a record that has begun lacks: to the end of its header, then to its own end. What is none takes all.
fn lacking(begun: &[u8]) -> usize {
    let Some((header, rest)) = begun.split_first_chunk::<HEADER>() else {
        return HEADER - begun.len();
    };
    if may_start_a_record(header) {
        usize::from(u16::from_be_bytes([header[3], header[4]])) - rest.len()
    } else {
        usize::MAX
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

    fn recorded(chunks: &[&[u8]]) -> Recording {
        let mut recording = Recording::new();
        for (second, chunk) in (1..).zip(chunks) {
            recording.data(Duration::from_secs(second), Side::Server, *chunk);
        }
        recording
    }

    fn rest(chunks: &[&[u8]]) -> Rest {
        Records::of(&recorded(chunks), Side::Server).rest
    }

    #[test]
    fn joins_a_record_from_any_chunks() {
        let recording = recorded(&[&[22], &[3, 3], &[], &[0, 2, 8], &[9, 21, 3, 3, 0], &[0]]);
        let found = Records::of(&recording, Side::Server);
        assert_eq!(found.rest, Rest::None);
        let [first, second] = &found.records[..] else {
            panic!("{found:?}")
        };
        assert_eq!(first.payload[..], [8, 9]);
        assert_eq!(first.at, Duration::from_secs(5));
        assert_eq!((first.start, first.arrival), (0, 4));
        assert_eq!(
            (second.content_type, second.wire_len()),
            (ContentType::ALERT, 5)
        );
        assert_eq!((second.start, second.arrival), (4, 5));
    }

    #[test]
    fn distinguishes_a_truncated_record_from_bytes_that_are_not_tls() {
        assert_eq!(
            rest(&[&[22, 3, 3, 0, 0, 22, 3, 1, 0, 5, 1]]),
            Rest::Truncated { offset: 5 }
        );
        assert_eq!(
            rest(&[&[22, 3, 3, 0, 0], b"HTTP/1.1"]),
            Rest::NotTls { offset: 5, len: 8 }
        );
        assert_eq!(
            rest(&[&[22, 3, 3, 0x7f, 0xff]]),
            Rest::NotTls { offset: 0, len: 5 }
        );
    }
}

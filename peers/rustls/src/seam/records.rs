//! Handshake messages in plaintext records.

use super::framer::header;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

/// Longest handshake message that rustls accepts, in octets with its header.
const LONGEST_MESSAGE: usize = 0xffff;

/// Payload that rustls accepts in a record, in octets: fewer than these.
const RECORD_LIMIT: usize = (1 << 14) + 2048;

/// The level of an alert.
const WARNING: u8 = 1;

/// Warnings that rustls ignores before ClientHello.
const WARNINGS: u8 = 4;

/// Follows plaintext records and gathers one handshake message that they carry.
///
/// What is gathered is a copy of the message alone. It ends where the message does, and is given up as soon as
/// the records cannot carry one that rustls would accept: so it holds [`LONGEST_MESSAGE`] octets at most.
#[derive(Debug)]
pub(crate) struct HelloReader {
    /// The type of the message.
    wanted: u8,
    /// Whether records of other types may come before the message.
    skips_others: bool,
    /// Warnings that may still come before the message if other records may not.
    warnings: u8,
    header: [u8; 5],
    header_length: usize,
    payload_left: usize,
    message: Vec<u8>,
}

/// How far a [`HelloReader`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More octets have to come.
    Unfinished,
    /// The whole message is there.
    Whole,
    /// Something else has come, which is for rustls to answer.
    Other,
}

impl HelloReader {
    /// Gathers a message of this type, which nothing but warnings may precede.
    pub(super) fn first(wanted: u8) -> Self {
        Self {
            wanted,
            skips_others: false,
            warnings: WARNINGS,
            header: [0; 5],
            header_length: 0,
            payload_left: 0,
            message: Vec::new(),
        }
    }

    /// Gathers a message of this type, which records of other types may precede.
    pub(super) fn behind_others(wanted: u8) -> Self {
        Self {
            skips_others: true,
            ..Self::first(wanted)
        }
    }

    /// What was gathered so far.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    /// Goes on for another message of the same type, which records of other types may precede.
    pub(super) fn next(&mut self) {
        self.message = Vec::new();
        self.skips_others = true;
    }

    /// Takes octets of the stream, but none behind the message. Returns how many it took.
    pub(super) fn push(&mut self, bytes: &[u8]) -> (usize, Progress) {
        let mut rest = bytes;
        let mut progress = Progress::Unfinished;
        while !rest.is_empty() && progress == Progress::Unfinished {
            let taken = if self.payload_left == 0 {
                let taken = rest.len().min(5 - self.header_length);
                self.header[self.header_length..][..taken].copy_from_slice(&rest[..taken]);
                self.header_length += taken;
                progress = self.judge_header();
                taken
            } else {
                let present = &rest[..rest.len().min(self.payload_left)];
                let taken = if self.header[0] == HANDSHAKE {
                    let taken = self.gather(present);
                    progress = self.judge();
                    taken
                } else {
                    progress = self.skip(present[0]);
                    present.len()
                };
                self.payload_left -= taken;
                taken
            };
            rest = &rest[taken..];
        }
        (bytes.len() - rest.len(), progress)
    }

    /// Judges as much of a header as is there, as rustls does.
    fn judge_header(&mut self) -> Progress {
        let [typ, major, _, high, low] = self.header;
        let is_known = (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&typ);
        if !is_known || self.header_length >= 3 && major != 3 {
            return Progress::Other;
        }
        if self.header_length < 5 {
            return Progress::Unfinished;
        }
        self.header_length = 0;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let is_expected = match typ {
            HANDSHAKE => true,
            ALERT if !self.skips_others => {
                self.warnings = self.warnings.wrapping_sub(1);
                self.message.is_empty() && length == 2 && self.warnings < WARNINGS
            }
            _ => self.skips_others && self.message.is_empty(),
        };
        let is_empty = length == 0 && typ != APPLICATION_DATA;
        if !is_expected || is_empty || length >= RECORD_LIMIT {
            return Progress::Other;
        }
        self.payload_left = length;
        Progress::Unfinished
    }

    /// Skips octets of another record, of which this is the next one.
    fn skip(&self, next: u8) -> Progress {
        let begins_alert = self.header[0] == ALERT && self.payload_left == 2;
        if !self.skips_others && begins_alert && next != WARNING {
            return Progress::Other;
        }
        Progress::Unfinished
    }

    /// Takes what belongs to the message. Returns how much that was.
    fn gather(&mut self, payload: &[u8]) -> usize {
        let mut taken = 0;
        if self.message.len() < 4 {
            taken = payload.len().min(4 - self.message.len());
            self.message.extend_from_slice(&payload[..taken]);
        }
        let missing = match whole_length(&self.message) {
            Some(length) if self.judge() == Progress::Unfinished => {
                length.saturating_sub(self.message.len())
            }
            _ => 0,
        };
        let more = missing.min(payload.len() - taken);
        self.message
            .extend_from_slice(&payload[taken..taken + more]);
        taken + more
    }

    fn judge(&self) -> Progress {
        let length = whole_length(&self.message);
        match self.message.first() {
            Some(typ) if *typ != self.wanted => Progress::Other,
            _ if length.is_some_and(|length| length > LONGEST_MESSAGE) => Progress::Other,
            _ if length == Some(self.message.len()) => Progress::Whole,
            _ => Progress::Unfinished,
        }
    }
}

/// Whether `bytes` hold a whole message, or one longer than rustls accepts.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hello::tests::client_hello;

    fn record(typ: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&[typ, 3, 3][..], &length, payload].concat()
    }

    fn ends(mut reader: HelloReader, bytes: &[u8]) -> (usize, Progress) {
        reader.push(bytes)
    }

    #[test]
    fn rejects_what_rustls_rejects_at_the_header() {
        for header in [
            [22, 2, 3, 0, 1],       // not version 3
            [22, 3, 3, 0, 0],       // empty
            [20, 3, 3, 0, 0],       // empty
            [22, 3, 3, 0x48, 0x00], // as long as the limit
            [19, 3, 3, 0, 1],       // no such type
            [25, 3, 3, 0, 1],       // no such type
            *b"GET /",
        ] {
            for reader in [HelloReader::first(1), HelloReader::behind_others(1)] {
                assert_eq!(ends(reader, &header), (5, Progress::Other), "{header:?}");
            }
        }
        let longest = [22, 3, 3, 0x47, 0xff];
        let reader = HelloReader::first(1);
        assert_eq!(ends(reader, &longest), (5, Progress::Unfinished));
    }

    #[test]
    fn rejects_a_header_as_soon_as_rustls_does() {
        for part in [&b"G"[..], &[19], &[25], &[22, 2, 3]] {
            assert_eq!(
                ends(HelloReader::first(1), part),
                (part.len(), Progress::Other)
            );
            let (_, before) = ends(HelloReader::first(1), &part[..part.len() - 1]);
            assert_eq!(before, Progress::Unfinished);
        }
    }

    #[test]
    fn rejects_another_message_at_its_first_octet() {
        let finished = record(22, &[20]);
        assert_eq!(ends(HelloReader::first(1), &finished), (6, Progress::Other));
    }

    #[test]
    fn rejects_a_message_that_is_too_long_at_its_length() {
        for (length, progress) in [
            ([0, 0xff, 0xfb], Progress::Unfinished),
            ([0, 0xff, 0xfc], Progress::Other),
            ([0xff, 0, 0], Progress::Other),
        ] {
            let header = [&[1][..], &length].concat();
            assert_eq!(
                ends(HelloReader::first(1), &record(22, &header)),
                (9, progress)
            );
        }
    }

    #[test]
    fn only_a_later_message_may_stand_behind_other_records() {
        let others = [record(20, &[1]), record(23, &[]), record(23, &[7; 70])].concat();
        let hello = client_hello(&[]);
        let all = [others, record(22, &hello)].concat();
        let reader = HelloReader::behind_others(1);
        assert_eq!(ends(reader, &all), (all.len(), Progress::Whole));
        assert_eq!(ends(HelloReader::first(1), &all), (5, Progress::Other));
    }

    #[test]
    fn four_warnings_may_stand_before_the_first_message() {
        let hello = client_hello(&[]);
        let warnings = |count| record(21, &[1, 90]).repeat(count);
        let all = [warnings(4), record(22, &hello)].concat();
        assert_eq!(
            ends(HelloReader::first(1), &all),
            (all.len(), Progress::Whole)
        );
        assert_eq!(
            ends(HelloReader::first(1), &warnings(5)),
            (4 * 7 + 5, Progress::Other)
        );
        let (_, fatal) = ends(HelloReader::first(1), &record(21, &[2, 90]));
        assert_eq!(fatal, Progress::Other);
    }

    #[test]
    fn a_message_must_not_be_interleaved_with_other_records() {
        let hello = client_hello(&[]);
        let torn = [record(22, &hello[..1]), record(23, &[7])].concat();
        let reader = HelloReader::behind_others(1);
        assert_eq!(ends(reader, &torn), (11, Progress::Other));
    }

    #[test]
    fn the_records_go_on_behind_the_message() {
        let hello = client_hello(&[]);
        let mut reader = HelloReader::first(1);
        let both = [
            record(22, &[&hello[..], &hello[..9]].concat()),
            record(22, &hello[9..]),
        ]
        .concat();
        let (first, progress) = reader.push(&both);
        assert_eq!((first, progress), (5 + hello.len(), Progress::Whole));
        reader.next();
        assert_eq!(
            reader.push(&both[first..]),
            (both.len() - first, Progress::Whole)
        );
        assert_eq!(reader.message(), hello);
    }

    proptest! {
        #[test]
        fn neither_records_nor_reads_matter(
            fragments in prop::collection::vec(1usize..60, 1..10),
            reads in prop::collection::vec(1usize..60, 1..20),
        ) {
            let hello = client_hello(&[(43, &[2, 3, 4]), (41, &[9; 150])]);
            let mut stream = Vec::new();
            let mut rest = &hello[..];
            for fragment in fragments.iter().cycle() {
                let (taken, left) = rest.split_at((*fragment).min(rest.len()));
                stream.extend(record(22, taken));
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            let length = stream.len();
            stream.extend(record(23, &[8; 40]));
            let mut reader = HelloReader::first(1);
            let mut at = 0;
            for read in reads.iter().cycle() {
                let end = stream.len().min(at + read);
                let (taken, progress) = reader.push(&stream[at..end]);
                at += taken;
                if progress == Progress::Whole {
                    break;
                }
                prop_assert_eq!((at, progress), (end, Progress::Unfinished));
            }
            prop_assert_eq!(at, length);
            prop_assert_eq!(reader.message(), &hello[..]);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = HelloReader::behind_others(1);
            let (taken, _) = reader.push(&bytes);
            prop_assert!(taken <= bytes.len());
        }
    }
}

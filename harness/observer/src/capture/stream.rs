//! TCP reassembly: the segments between two ends, put together into connections (RFC 9293 §3.4).

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::segment::Segment;
use crate::{Recording, Side};

/// A TCP connection out of a capture.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The first line of the comment on its first packet, else its two ends.
    pub name: String,
    /// What follows that line.
    pub note: Option<String>,
    /// The end that opened it.
    pub client: SocketAddr,
    /// The end that was called.
    pub server: SocketAddr,
    /// When its first packet was captured, counted from 1970. The recording's times count from here.
    pub start: Duration,
    /// What passed.
    pub recording: Recording,
    /// What is not in the capture.
    pub gaps: Vec<Gap>,
}

/// Something of a connection that is not in the capture. What follows it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The server's SYN is missing, so that the place of its octets is not known.
    NoServerStart,
    /// Octets of a side are missing.
    Missing {
        /// Whose.
        side: Side,
        /// How many octets come before the gap.
        after: u64,
        /// How many are missing.
        length: u64,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServerStart => f.write_str(
                "server: the start of its octets (SYN) is not in the capture, all of them left out",
            ),
            Self::Missing {
                side,
                after,
                length,
            } => write!(
                f,
                "{}, octet {after}: {length} octets are not in the capture, all that follows left out",
                side.name()
            ),
        }
    }
}

/// The connections between two ends, one after the other.
#[derive(Debug, Default)]
pub(super) struct Streams {
    done: Vec<Connection>,
    current: Option<Stream>,
    startless: usize,
}

impl Streams {
    pub(super) fn segment(&mut self, segment: &Segment<'_>) {
        if segment.syn && !self.continues(segment) {
            let opened = Stream::open(segment);
            let finished = self.current.replace(opened);
            self.done.extend(finished.map(Stream::finish));
        }
        match &mut self.current {
            Some(stream) => stream.segment(segment),
            None if segment.payload.is_empty() => {}
            None => self.startless += 1,
        }
    }

    /// Whether a SYN belongs to the connection that is open.
    fn continues(&self, segment: &Segment<'_>) -> bool {
        let Some(stream) = &self.current else {
            return false;
        };
        let client = stream.direction(Side::Client);
        match segment.acknowledged {
            None => stream.client == segment.from && client.starts_at(segment.sequence),
            Some(number) => stream.client == segment.to && client.starts_at(number.wrapping_sub(1)),
        }
    }

    /// The connections, and how many segments with octets had none.
    pub(super) fn finish(mut self) -> (Vec<Connection>, usize) {
        self.done.extend(self.current.map(Stream::finish));
        (self.done, self.startless)
    }
}

/// A connection while its segments are put together.
#[derive(Debug)]
struct Stream {
    comment: Option<String>,
    client: SocketAddr,
    server: SocketAddr,
    start: Duration,
    recording: Recording,
    directions: [Direction; 2],
}

impl Stream {
    /// A connection that starts with this SYN of either side.
    fn open(segment: &Segment<'_>) -> Self {
        let mut directions = <[Direction; 2]>::default();
        let (client, server) = match segment.acknowledged {
            None => (segment.from, segment.to),
            // The SYN that this one answers is not in the capture, but it shows where that was.
            Some(number) => {
                directions[Side::Client as usize].open(number.wrapping_sub(1));
                (segment.to, segment.from)
            }
        };
        Self {
            comment: segment.comment.map(str::to_owned),
            client,
            server,
            start: segment.at,
            recording: Recording::new(),
            directions,
        }
    }

    fn direction(&self, side: Side) -> &Direction {
        &self.directions[side as usize]
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        let side = if segment.from == self.client {
            Side::Client
        } else {
            Side::Server
        };
        let at = segment.at.saturating_sub(self.start);
        if let Some(number) = segment.acknowledged.filter(|_| !segment.rst) {
            self.directions[side.peer() as usize].acknowledged(number);
        }
        let direction = &mut self.directions[side as usize];
        if direction.over {
            return;
        }
        let mut sequence = segment.sequence;
        if segment.syn {
            direction.open(sequence);
            sequence = sequence.wrapping_add(1);
        }
        for bytes in direction.octets(sequence, segment.payload, segment.fin) {
            self.recording.data(at, side, bytes);
        }
        if direction.ends() {
            self.recording.half_close(at, side);
        }
        if segment.rst {
            direction.over = true;
            self.recording.reset(at, side);
        }
    }

    fn finish(self) -> Connection {
        let ends = format!("{} to {}", self.client, self.server);
        let comment = self.comment.as_deref().unwrap_or(&ends);
        let (name, note) = comment.split_once('\n').unwrap_or((comment, ""));
        let name = name.to_owned();
        let note = (!note.is_empty()).then(|| note.to_owned());
        let gaps = Side::BOTH
            .into_iter()
            .filter_map(|side| self.direction(side).gap(side));
        Connection {
            gaps: gaps.collect(),
            name,
            note,
            client: self.client,
            server: self.server,
            start: self.start,
            recording: self.recording,
        }
    }
}

/// The octets of one side.
#[derive(Debug, Default)]
struct Direction {
    /// The sequence number of the SYN, once it is known.
    start: Option<u32>,
    /// How many octets are in the recording.
    passed: u64,
    /// Octets behind a gap, by their place.
    held: BTreeMap<u64, Vec<u8>>,
    /// How many octets there are in all, once the FIN was captured.
    end: Option<u64>,
    /// How many octets the other side acknowledged, the FIN counted as one.
    confirmed: u64,
    /// Whether octets came while the start was not known.
    lost: bool,
    /// Whether the end is in the recording.
    closed: bool,
    /// Whether the side has reset the connection.
    over: bool,
}

impl Direction {
    fn open(&mut self, sequence: u32) {
        self.start.get_or_insert(sequence);
    }

    fn starts_at(&self, sequence: u32) -> bool {
        self.start == Some(sequence)
    }

    /// The place of a sequence number among the octets; negative before the first.
    fn place(&self, sequence: u32) -> Option<i64> {
        let passed = self.passed.cast_signed();
        let next = self
            .start?
            .wrapping_add(1)
            .wrapping_add(truncated(self.passed));
        Some(passed + i64::from(sequence.wrapping_sub(next).cast_signed()))
    }

    fn acknowledged(&mut self, number: u32) {
        let place = self
            .place(number)
            .and_then(|place| u64::try_from(place).ok());
        self.confirmed = self.confirmed.max(place.unwrap_or(0));
    }

    /// Takes a segment's octets, and returns those that are next by now.
    fn octets(&mut self, sequence: u32, payload: &[u8], fin: bool) -> Vec<Vec<u8>> {
        let Some(place) = self.place(sequence) else {
            self.lost |= !payload.is_empty();
            return Vec::new();
        };
        // Octets that are there already come again in a retransmission.
        let again = usize::try_from(place.saturating_neg()).unwrap_or(0);
        let fresh = payload.get(again..).unwrap_or_default();
        let place = u64::try_from(place).unwrap_or(0);
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if fin && again <= payload.len() {
            self.end.get_or_insert(place + length(fresh));
        }
        if !fresh.is_empty() {
            let held = self.held.entry(place).or_default();
            if held.len() < fresh.len() {
                *held = fresh.to_vec();
            }
        }
        let mut next = Vec::new();
        while let Some(entry) = self.held.first_entry() {
            let Some(known) = self.passed.checked_sub(*entry.key()) else {
                break;
            };
            let bytes = entry.remove();
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            let fresh = bytes.get(known..).unwrap_or_default();
            if !fresh.is_empty() {
                self.passed += length(fresh);
                next.push(fresh.to_vec());
            }
        }
        next
    }

    /// Whether the end has been reached just now.
    fn ends(&mut self) -> bool {
        let reached = !self.closed && self.end == Some(self.passed);
        self.closed |= reached;
        reached
    }

    fn gap(&self, side: Side) -> Option<Gap> {
        if self.lost {
            return Some(Gap::NoServerStart);
        }
        let held = self.held.keys().next().copied();
        // Nobody knows whether an acknowledged octet is the FIN as long as the FIN is not there.
        let confirmed = self.confirmed.saturating_sub(1);
        let known = held.or(self.end).unwrap_or(confirmed);
        let length = known
            .checked_sub(self.passed)
            .filter(|length| *length > 0)?;
        Some(Gap::Missing {
            side,
            after: self.passed,
            length,
        })
    }
}

/// The low half, which is all that a sequence number holds.
fn truncated(count: u64) -> u32 {
    u32::try_from(count & u64::from(u32::MAX)).unwrap_or_default()
}

//! What passed between the two ends, in the order in which it was relayed.

use std::time::Duration;

use reqmtls_vocabulary::Side;
use serde::{Deserialize, Serialize};

use crate::bytes::Octets;

/// What one side did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It sent bytes.
    Data(Octets),
    /// It closed its sending direction.
    HalfClose,
    /// It tore the connection down.
    Reset,
}

/// One thing that happened on the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Time since the start of the recording.
    pub at: Duration,
    /// Who did it.
    pub from: Side,
    /// What it was.
    pub what: What,
}

/// How a side's direction of the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It had not ended when the recording stopped.
    Open,
    /// It was closed in order.
    HalfClose,
    /// It was reset.
    Reset,
}

/// Everything that passed between the two ends, in the order in which it was
/// relayed: an answer never stands before what it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    events: Vec<Event>,
}

impl Recording {
    /// An empty recording.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an event.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Appends bytes that a side sent, `at` after the start.
    pub fn data(&mut self, at: Duration, from: Side, bytes: impl Into<Octets>) {
        let what = What::Data(bytes.into());
        self.push(Event { at, from, what });
    }

    /// Appends the end of a side's direction, `at` after the start.
    pub fn half_close(&mut self, at: Duration, from: Side) {
        let what = What::HalfClose;
        self.push(Event { at, from, what });
    }

    /// Appends a side's reset of the connection, `at` after the start.
    pub fn reset(&mut self, at: Duration, from: Side) {
        let what = What::Reset;
        self.push(Event { at, from, what });
    }

    /// All events, in the order in which they were relayed.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many octets there are, of both sides together.
    #[must_use]
    pub fn octets(&self) -> usize {
        let sent = self.events.iter().map(|event| match &event.what {
            What::Data(octets) => octets.len(),
            What::HalfClose | What::Reset => 0,
        });
        sent.sum()
    }

    /// All bytes that one side sent.
    #[must_use]
    pub fn bytes(&self, from: Side) -> Vec<u8> {
        let mut all = Vec::new();
        for (_, _, bytes) in self.chunks(from) {
            all.extend_from_slice(bytes);
        }
        all
    }

    /// How a side's direction ended. A reset outweighs an orderly end.
    #[must_use]
    pub fn ending(&self, of: Side) -> Ending {
        let mut ending = Ending::Open;
        for event in self.events.iter().filter(|event| event.from == of) {
            match event.what {
                What::HalfClose if ending == Ending::Open => ending = Ending::HalfClose,
                What::Data(_) | What::HalfClose => {}
                What::Reset => ending = Ending::Reset,
            }
        }
        ending
    }

    /// The side whose direction ended first, in order or by a reset.
    pub(super) fn ended_first(&self) -> Option<Side> {
        let mut events = self.events.iter();
        let first = events.find(|event| !matches!(event.what, What::Data(_)));
        first.map(|event| event.from)
    }

    /// One side's non-empty chunks with their time and their place among all events.
    pub(super) fn chunks(&self, from: Side) -> impl Iterator<Item = (usize, Duration, &[u8])> {
        self.events
            .iter()
            .enumerate()
            .filter_map(move |(place, event)| match &event.what {
                What::Data(bytes) if event.from == from && !bytes.is_empty() => {
                    Some((place, event.at, &bytes[..]))
                }
                _ => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Recording {
        let mut recording = Recording::new();
        recording.data(Duration::from_millis(1), Side::Client, vec![1, 2]);
        recording.data(Duration::from_millis(2), Side::Server, vec![9]);
        recording.data(Duration::from_millis(3), Side::Client, vec![3]);
        recording.half_close(Duration::from_millis(4), Side::Client);
        recording.reset(Duration::from_millis(5), Side::Server);
        recording
    }

    #[test]
    fn joins_the_bytes_of_one_side() {
        assert_eq!(sample().bytes(Side::Client), [1, 2, 3]);
        assert_eq!(sample().bytes(Side::Server), [9]);
    }

    #[test]
    fn knows_how_each_side_ended() {
        assert_eq!(sample().ending(Side::Client), Ending::HalfClose);
        assert_eq!(sample().ending(Side::Server), Ending::Reset);
        assert_eq!(Recording::new().ending(Side::Server), Ending::Open);
        assert_eq!(sample().ended_first(), Some(Side::Client));
        assert_eq!(Recording::new().ended_first(), None);
    }

    #[test]
    fn serialises_bytes_as_hexadecimal_and_back() {
        let json = serde_json::to_string(&sample()).unwrap();
        assert!(
            json.contains(r#""from":"client","what":{"data":"0102"}"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Recording>(&json).unwrap(), sample());
    }
}

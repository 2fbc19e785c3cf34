//! From a recording and secrets to a transcript.

mod hellos;
mod keys;
mod pending;
mod side;

use super::bytes::Octets32;
use super::keylog::KeyLog;
use super::record::Records;
use super::recording::{Recording, What};
use super::transcript::{Content, Defect, Entry, Epoch, Flight, Place, Reason, Transcript};
use hellos::Hellos;
use reqmtls_vocabulary::Side;
use side::SideReader;

/// A recording split into records and read as far as it is in clear: what is the same whichever secrets are tried.
#[derive(Debug)]
pub struct Wire<'a> {
    recording: &'a Recording,
    client: Records<'a>,
    server: Records<'a>,
    hellos: Hellos,
}

impl<'a> Wire<'a> {
    /// Splits a recording.
    #[must_use]
    pub fn of(recording: &'a Recording) -> Self {
        let [client, server] = Side::BOTH.map(|side| Records::of(recording, side));
        let hellos = Hellos::find(&client.records, &server.records);
        Self {
            recording,
            client,
            server,
            hellos,
        }
    }

    /// The random of the ClientHello, by which key logs name the connection.
    #[must_use]
    pub fn client_random(&self) -> Option<Octets32> {
        self.hellos.client_random
    }

    /// Reads what the secrets open. It never fails: what cannot be read is an opaque entry or a defect. Secrets for
    /// other connections than the recorded one are not used.
    #[must_use]
    pub fn read(&self, log: &KeyLog) -> Transcript {
        let Self {
            recording, hellos, ..
        } = self;
        let mut defects = Vec::new();
        if hellos.client_random.is_none() {
            let (side, place) = (Side::Client, Place::Offset(0));
            defects.push(Defect {
                side,
                place,
                reason: Reason::NoClientHello,
            });
        }
        let mut found = Vec::new();
        for (side, records) in [(Side::Client, &self.client), (Side::Server, &self.server)] {
            let (entries, of_side) = SideReader::new(side, hellos, log).read(records);
            found.extend(entries);
            defects.extend(of_side);
        }
        Transcript {
            client_random: hellos.client_random,
            version: hellos.version(),
            cipher_suite: hellos.server.as_ref().map(|hello| hello.cipher_suite),
            entries: in_order(found),
            client_ending: recording.ending(Side::Client),
            server_ending: recording.ending(Side::Server),
            ended_first: recording.ended_first(),
            flights: flights(recording),
            defects,
        }
    }
}

impl Transcript {
    /// Reads what passed between the two ends, as [`Wire::read`] does.
    #[must_use]
    pub fn observe(recording: &Recording, log: &KeyLog) -> Self {
        Wire::of(recording).read(log)
    }
}

/// Puts entries in canonical order and joins those that are one.
fn in_order(mut found: Vec<Entry>) -> Vec<Entry> {
    // The sort is stable: within a direction the order is that of the bytes.
    found.sort_by_key(|entry| (entry.epoch, rank(entry)));
    let mut entries: Vec<Entry> = Vec::new();
    for entry in found {
        let is_new = entries.last_mut().is_none_or(|last| !joined(last, &entry));
        if is_new {
            entries.push(entry);
        }
    }
    entries
}

/// An entry's place within its epoch.
fn rank(entry: &Entry) -> usize {
    let closes = matches!(entry.content, Content::Alert(alert) if alert.is_close_notify());
    match (entry.epoch, entry.from) {
        (Epoch::Plaintext, _) => entry.arrival,
        (Epoch::Handshake, Side::Server) | (Epoch::EarlyData, _) => 0,
        (Epoch::Handshake, Side::Client) => 1,
        (Epoch::Application, Side::Client) => 2 * usize::from(closes),
        (Epoch::Application, Side::Server) => 2 * usize::from(closes) + 1,
    }
}

/// Adds an entry to the one before it, if both are the same stretch of data.
fn joined(last: &mut Entry, entry: &Entry) -> bool {
    if (last.from, last.epoch) != (entry.from, entry.epoch) {
        return false;
    }
    match (&mut last.content, &entry.content) {
        (Content::ApplicationData { len }, Content::ApplicationData { len: more }) => *len += more,
        (
            Content::Opaque { content_type, len },
            Content::Opaque {
                content_type: another,
                len: more,
            },
        ) if content_type == another => *len += more,
        _ => return false,
    }
    last.at = entry.at;
    last.arrival = entry.arrival;
    last.records.end = entry.records.end;
    last.wire_len += entry.wire_len;
    true
}

fn flights(recording: &Recording) -> Vec<Flight> {
    let mut flights: Vec<Flight> = Vec::new();
    for event in recording.events() {
        let What::Data(bytes) = &event.what else {
            continue;
        };
        match flights.last_mut() {
            _ if bytes.is_empty() => {}
            Some(flight) if flight.from == event.from => flight.bytes += bytes.len(),
            _ => flights.push(Flight {
                from: event.from,
                at: event.at,
                bytes: bytes.len(),
            }),
        }
    }
    flights
}

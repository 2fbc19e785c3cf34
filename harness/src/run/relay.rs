//! The octets of one connection, passed on between its two ends and recorded.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqmtls_observer::{Recording, What};
use reqmtls_vocabulary::Side;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::peer::Link;

/// The most octets of a connection that are recorded, of both sides together. The longest case here takes some
/// tens of thousands.
const MOST_OCTETS: usize = 4 << 20;

/// The most records of a connection: more than if each octet of a handshake had its own.
const MOST_RECORDS: usize = 8 << 10;

/// The most pieces in which the octets of a connection come, for the same reason.
const MOST_PIECES: usize = 32 << 10;

/// What is recorded of one connection.
pub(super) struct Recorder {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    recording: Recording,
    octets: usize,
    pieces: usize,
    client: Records,
    server: Records,
}

/// The records of one side, counted as their octets come.
#[derive(Default)]
struct Records {
    /// How many have begun.
    count: usize,
    /// How much has come of the header of the last one (RFC 9846 §5.1).
    header: Vec<u8>,
    /// How many octets of the last one are still to come.
    body: usize,
}

impl Records {
    const HEADER: usize = 5;

    fn take(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() && self.count <= MOST_RECORDS {
            if self.body == 0 {
                self.count += usize::from(self.header.is_empty());
                let length = octets.len().min(Self::HEADER - self.header.len());
                self.header.extend_from_slice(&octets[..length]);
                octets = &octets[length..];
                if let [_, _, _, high, low] = self.header[..] {
                    self.body = usize::from(u16::from_be_bytes([high, low]));
                    self.header.clear();
                }
            } else {
                let length = octets.len().min(self.body);
                self.body -= length;
                octets = &octets[length..];
            }
        }
    }
}

impl State {
    /// The limit that the connection is beyond.
    fn exceeded(&self) -> Option<String> {
        let records = self.client.count.max(self.server.count);
        let limits = [
            (self.octets, MOST_OCTETS, "octets"),
            (records, MOST_RECORDS, "records of one side"),
            (self.pieces, MOST_PIECES, "pieces"),
        ];
        let mut beyond = limits.iter().filter(|(count, most, _)| count > most);
        beyond
            .next()
            .map(|(_, most, what)| format!("{most} {what}"))
    }
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            state: Mutex::default(),
        }
    }

    /// The limit beyond which a side sent more than is recorded; its connection was cut then.
    pub(super) fn exceeded(&self) -> Option<String> {
        self.lock().exceeded()
    }

    /// The end that closed first, if it had sent nothing by then.
    pub(super) fn closed_before_it_sent(&self) -> Option<Side> {
        let mut sent = Vec::new();
        for event in self.lock().recording.events() {
            match event.what {
                What::Data(_) => sent.push(event.from),
                What::HalfClose | What::Reset => {
                    return Some(event.from).filter(|side| !sent.contains(side));
                }
            }
        }
        None
    }

    pub(super) fn finish(self) -> Recording {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).recording
    }

    /// Records octets, unless there are too many by now.
    fn data(&self, from: Side, octets: &[u8]) -> bool {
        let at = self.start.elapsed();
        let mut state = self.lock();
        state.octets += octets.len();
        state.pieces += 1;
        match from {
            Side::Client => state.client.take(octets),
            Side::Server => state.server.take(octets),
        }
        let fits = state.exceeded().is_none();
        if fits {
            state.recording.data(at, from, octets);
        }
        fits
    }

    fn note(&self, note: impl FnOnce(Duration, &mut Recording)) {
        note(self.start.elapsed(), &mut self.lock().recording);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes octets, closes and resets on in both directions until both have ended.
pub(super) async fn relay(client: Link, server: Link, recorder: &Recorder) {
    // An end that resets gets the other one's connection reset: decided before the streams are split.
    let (client_reads, client_writes) = tokio::io::split(client);
    let (server_reads, server_writes) = tokio::io::split(server);
    let ((client_reads, server_writes, reset_server), (server_reads, client_writes, reset_client)) = tokio::join!(
        pump(Side::Client, client_reads, server_writes, recorder),
        pump(Side::Server, server_reads, client_writes, recorder),
    );
    let client = client_reads.unsplit(client_writes);
    let server = server_reads.unsplit(server_writes);
    for (link, reset) in [(client, reset_client), (server, reset_server)] {
        if reset {
            // Where the reset cannot be passed on, the drop still closes.
            drop(link.reset_on_drop());
        }
    }
}

/// Passes on what one side sends until its stream ends; says whether it ended by a reset.
async fn pump(
    from: Side,
    mut source: ReadHalf<Link>,
    mut sink: WriteHalf<Link>,
    recorder: &Recorder,
) -> (ReadHalf<Link>, WriteHalf<Link>, bool) {
    let mut buffer = vec![0; 16 << 10];
    let mut open = true;
    loop {
        match source.read(&mut buffer).await {
            Ok(0) => {
                recorder.note(|at, recording| recording.half_close(at, from));
                if open {
                    drop(sink.shutdown().await);
                }
                return (source, sink, false);
            }
            Ok(length) => {
                let octets = &buffer[..length];
                if !recorder.data(from, octets) {
                    drop(sink.shutdown().await);
                    return (source, sink, true);
                }
                // A receiver that is gone does not end the recording of what is still sent.
                open = open && sink.write_all(octets).await.is_ok();
            }
            Err(error) => {
                let reset = error.kind() == io::ErrorKind::ConnectionReset;
                recorder.note(|at, recording| recording.reset(at, from));
                if open {
                    drop(sink.shutdown().await);
                }
                return (source, sink, reset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pieces a recorder takes before a limit, and which.
    fn takes(piece: &[u8]) -> (usize, String) {
        let recorder = Recorder::new();
        let taken = (0..).take_while(|_| recorder.data(Side::Client, piece));
        let count = taken.count();
        (count, recorder.exceeded().unwrap_or_default())
    }

    #[test]
    fn a_connection_is_cut_at_the_first_limit() {
        let large = [&[23, 3, 3, 0x40, 0][..], &[0; 1 << 14]].concat();
        let per_piece = large.len();
        assert_eq!(
            takes(&large),
            (MOST_OCTETS / per_piece, format!("{MOST_OCTETS} octets"))
        );
        let records = format!("{MOST_RECORDS} records of one side");
        assert_eq!(takes(&[22, 3, 3, 0, 0]), (MOST_RECORDS, records.clone()));
        let alerts = [21, 3, 3, 0, 2, 1, 90].repeat(1000);
        assert_eq!(takes(&alerts), (MOST_RECORDS / 1000, records));
        assert_eq!(
            takes(&[0xff]),
            (MOST_PIECES, format!("{MOST_PIECES} pieces"))
        );
    }

    #[test]
    fn records_are_counted_however_they_are_cut() {
        let octets = [&[22, 3, 3, 0, 3, 1, 2, 3][..], &[21, 3, 3, 0, 0], &[23, 3]].concat();
        for size in 1..octets.len() {
            let mut records = Records::default();
            octets.chunks(size).for_each(|piece| records.take(piece));
            assert_eq!(
                (records.count, records.body, records.header.len()),
                (3, 0, 2)
            );
        }
    }
}

//! Recordings to test with: real ones from rustls, and forged ones for what
//! rustls does not do.

mod forge;
mod real;

pub(super) use forge::{CLIENT_RANDOM, Forge, Keyed, block, extension, handshake};
pub(super) use real::{ClientAuth, Ends, Setup};

use super::recording::{Recording, What};

/// The same recording with every chunk cut anew: `cuts` are lengths, used in turn.
pub(super) fn rechunked(recording: &Recording, cuts: &[usize]) -> Recording {
    let mut cuts = cuts.iter().copied().cycle();
    let mut again = Recording::new();
    for event in recording.events() {
        let What::Data(bytes) = &event.what else {
            again.push(event.clone());
            continue;
        };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = cuts.next().unwrap_or(1).clamp(1, rest.len());
            again.data(event.at, event.from, &rest[..length]);
            rest = &rest[length..];
        }
    }
    again
}

/// The recording as it was when this many bytes had passed.
pub(super) fn cut_after(recording: &Recording, mut bytes_left: usize) -> Recording {
    let mut start = Recording::new();
    for event in recording.events() {
        match &event.what {
            What::Data(bytes) => {
                let length = bytes_left.min(bytes.len());
                start.data(event.at, event.from, &bytes[..length]);
                bytes_left -= length;
            }
            _ if bytes_left > 0 => start.push(event.clone()),
            _ => {}
        }
    }
    start
}

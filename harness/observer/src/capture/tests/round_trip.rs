//! What was written is the same when read.

use std::time::Duration;

use proptest::prelude::*;

use super::{CLIENT, SERVER};
use crate::capture::{WriteError, read, write};
use crate::{KeyLog, Recording, Side, What};

/// The start of all captures here, with a part of each unit.
const START: Duration = Duration::new(1_700_000_000, 123_456_789);

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(CLIENT), Just(SERVER)]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        20 => prop::collection::vec(any::<u8>(), 1..80).prop_map(|bytes| What::Data(bytes.into())),
        1 => (60_001..130_000_usize, any::<u8>())
            .prop_map(|(length, octet)| What::Data(vec![octet; length].into())),
        2 => Just(What::HalfClose),
        1 => Just(What::Reset),
    ]
}

prop_compose! {
    /// A recording that TCP can carry: nothing goes on after its side's end.
    fn recording()(events in prop::collection::vec((0..2_000_000_000_u64, side(), what()), 0..20)) -> Recording {
        let mut recording = Recording::new();
        let mut over = [false; 2];
        let mut at = Duration::ZERO;
        for (pause, from, what) in events {
            at += Duration::from_nanos(pause);
            let ended = std::mem::replace(&mut over[from as usize], !matches!(what, What::Data(_)));
            if ended {
                over[from as usize] = true;
            } else {
                recording.push(crate::Event { at, from, what });
            }
        }
        recording
    }
}

prop_compose! {
    fn secrets()(randoms in prop::collection::vec(any::<u8>(), 0..5)) -> KeyLog {
        let line = |random| format!("CLIENT_TRAFFIC_SECRET_0 {} {}\n", hex::encode([random; 32]), "a5".repeat(48));
        KeyLog::parse(&randoms.into_iter().map(line).collect::<String>()).unwrap()
    }
}

/// The recording as segments carry it: chunks of at most 60 000 octets.
fn in_segments(recording: &Recording) -> Recording {
    let mut cut = Recording::new();
    for event in recording.events() {
        match &event.what {
            What::Data(bytes) => {
                for piece in bytes.chunks(60_000) {
                    cut.data(event.at, event.from, piece);
                }
            }
            _ => cut.push(event.clone()),
        }
    }
    cut
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn recordings_and_secrets_come_back(
        recordings in prop::collection::vec(recording(), 0..5),
        secrets in secrets(),
    ) {
        let names: Vec<_> = (0..recordings.len()).map(|number| format!("case/{number} a--b")).collect();
        let named = names.iter().map(String::as_str).zip(&recordings);
        let capture = read(&write(named, &secrets, START).unwrap()).unwrap();
        prop_assert_eq!(&capture.secrets, &secrets);
        prop_assert_eq!(&capture.omissions, &[]);
        prop_assert_eq!(capture.connections.len(), recordings.len());
        let mut start = START;
        for ((name, recording), connection) in names.iter().zip(&recordings).zip(&capture.connections) {
            prop_assert_eq!(&connection.name, name);
            prop_assert_eq!(&connection.recording, &in_segments(recording));
            prop_assert_eq!(&connection.gaps, &[]);
            prop_assert_eq!(connection.start, start);
            start += recording.events().last().map_or(Duration::ZERO, |event| event.at);
        }
    }
}

#[test]
fn every_connection_has_ends_of_its_own() {
    let recording = Recording::new();
    let count = 40_000;
    let file = write(
        (0..count).map(|_| ("", &recording)),
        &KeyLog::default(),
        START,
    )
    .unwrap();
    let capture = read(&file).unwrap();
    assert_eq!(capture.connections.len(), count);
    let mut clients: Vec<_> = capture
        .connections
        .iter()
        .map(|connection| connection.client)
        .collect();
    clients.sort_unstable();
    clients.dedup();
    assert_eq!(clients.len(), count);
    assert_eq!(
        capture.connections[0].name,
        "192.0.2.1:49152 to 203.0.113.1:443"
    );
}

#[test]
fn a_side_that_goes_on_after_its_end_is_an_error() {
    let mut recording = Recording::new();
    recording.half_close(Duration::ZERO, CLIENT);
    recording.data(Duration::ZERO, SERVER, vec![1]);
    recording.data(Duration::ZERO, CLIENT, vec![1]);
    let error = write([("late", &recording)], &KeyLog::default(), START).unwrap_err();
    assert!(matches!(error, WriteError::AfterEnd { event: 2, .. }));
    assert_eq!(
        error.to_string(),
        "connection late, event 2: the client goes on after its end"
    );
}

#[test]
fn a_reset_may_follow_an_end() {
    let mut recording = Recording::new();
    recording.half_close(Duration::ZERO, CLIENT);
    recording.reset(Duration::from_nanos(1), CLIENT);
    let file = write([("", &recording)], &KeyLog::default(), START).unwrap();
    assert_eq!(read(&file).unwrap().connections[0].recording, recording);
}

#[test]
fn the_interface_is_described_before_the_secrets() {
    let line = format!("CLIENT_RANDOM {} {}", "01".repeat(32), "02".repeat(48));
    let file = write([], &KeyLog::parse(&line).unwrap(), START).unwrap();
    let mut kinds = Vec::new();
    let mut rest = &file[..];
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let [kind, length] =
            [0, 4].map(|at| u32::from_le_bytes(head[at..at + 4].try_into().unwrap()));
        kinds.push(kind);
        rest = &rest[length as usize..];
    }
    assert_eq!(kinds, [0x0a0d_0d0a, 1, 10]);
}

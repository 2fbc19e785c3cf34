//! What must hold for any bytes and for any way in which they arrive.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::ends::{ClientAuth, Ends, Setup};
use crate::testing::rechunked;
use crate::{Content, DEFAULT_FLAG, Epoch, KeyLog, Recording, Side, Transcript, What};

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Client), Just(Side::Server)]
}

/// Bytes of which some look like records.
fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let framed = (20..26_u8, vec(any::<u8>(), 0..80)).prop_map(|(kind, content)| {
        let length = u8::try_from(content.len()).unwrap();
        [&[kind, 3, 3, 0, length], &content[..]].concat()
    });
    let message = (0..26_u8, vec(any::<u8>(), 0..80)).prop_map(|(kind, body)| {
        let length = u8::try_from(body.len()).unwrap();
        [&[22, 3, 3, 0, length + 4, kind, 0, 0, length], &body[..]].concat()
    });
    prop_oneof![vec(any::<u8>(), 0..80), framed, message]
}

/// A refused handshake: it has every epoch, and both sides' last words.
fn refused() -> (Recording, KeyLog) {
    let ends = Ends::new(&Setup {
        auth: ClientAuth::Required,
        ..Setup::default()
    });
    (ends.connect(), ends.log())
}

/// Early data, a resumption and an orderly end.
fn resumed() -> (Recording, KeyLog) {
    let ends = Ends::new(&Setup {
        early_data: true,
        ..Setup::default()
    });
    ends.connect();
    (ends.connect(), ends.log())
}

/// The recording as it was when this many bytes had passed.
fn cut_after(recording: &Recording, mut bytes_left: usize) -> Recording {
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

fn alerts(transcript: &Transcript) -> usize {
    let entries = transcript.entries.iter();
    entries
        .filter(|entry| matches!(entry.content, Content::Alert(_)))
        .count()
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(chunks in vec((side(), chunk()), 0..12)) {
        let mut recording = Recording::new();
        for (from, bytes) in chunks {
            recording.data(Duration::ZERO, from, bytes);
        }
        let transcript = Transcript::observe(&recording, &KeyLog::default());
        // Without secrets nothing is ever decrypted.
        let text = transcript.text(DEFAULT_FLAG);
        let in_clear = transcript.entries.iter().all(|entry| {
            entry.epoch == Epoch::Plaintext || matches!(entry.content, Content::Opaque { .. })
        });
        prop_assert!(in_clear, "{}", text);
    }

    #[test]
    fn an_arbitrary_continuation_never_panics(
        chunks in vec((side(), chunk()), 0..6),
        kept in 0..4000_usize,
    ) {
        let (recording, log) = resumed();
        let mut recording = cut_after(&recording, kept);
        for (from, bytes) in chunks {
            recording.data(Duration::ZERO, from, bytes);
        }
        let text = Transcript::observe(&recording, &log).text(DEFAULT_FLAG);
        prop_assert!(!text.is_empty());
    }

    #[test]
    fn the_text_does_not_depend_on_chunks(cuts in vec(1..700_usize, 1..20)) {
        for (recording, log) in [refused(), resumed()] {
            let whole = Transcript::observe(&recording, &log).text(DEFAULT_FLAG);
            let again = Transcript::observe(&rechunked(&recording, &cuts), &log);
            prop_assert_eq!(again.text(DEFAULT_FLAG), whole);
        }
    }

    #[test]
    fn arbitrary_key_logs_never_panic(text in "\\PC{0,200}") {
        let _ = KeyLog::parse(&text);
    }
}

#[test]
fn a_recording_cut_at_any_byte_never_gains_an_alert() {
    for (recording, log) in [refused(), resumed()] {
        let whole = Transcript::observe(&recording, &log);
        let total = Side::BOTH
            .map(|side| recording.bytes(side).len())
            .iter()
            .sum();
        let mut before = 0;
        for length in 0..=total {
            let start = Transcript::observe(&cut_after(&recording, length), &log);
            let found = alerts(&start);
            assert!(found >= before, "an alert was lost at byte {length}");
            before = found;
            for entry in start
                .entries
                .iter()
                .filter(|e| matches!(e.content, Content::Alert(_)))
            {
                assert!(whole.entries.contains(entry), "{entry:?} at byte {length}");
            }
        }
        assert_eq!(before, alerts(&whole));
        assert!(before > 0);
    }
}

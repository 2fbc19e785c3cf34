//! Any octets of two ends with any key log, and records that open: the observer never fails, tells the
//! same twice, loses no octet, and does not mind how the octets were chunked.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use reqmtls_fuzz::Story;
use reqmtls_observer::testing::rechunked;
use reqmtls_observer::{
    Content, DEFAULT_FLAG, Ending, Entry, Epoch, KeyLog, Place, Recording, Side, Transcript,
};

fuzz_target!(|input: &[u8]| {
    let (recording, log) = Story::read(input).play();
    let transcript = Transcript::observe(&recording, &log);
    assert_eq!(transcript, Transcript::observe(&recording, &log));
    survives_json(&recording, &transcript);
    for side in Side::BOTH {
        accounts_for(&transcript, &recording, side);
    }
    arrives_with_its_events(&transcript, &recording);
    has_its_lines(&transcript);
    let text = transcript.text(DEFAULT_FLAG);
    let again = Transcript::observe(&rechunked(&recording, &[1]), &log);
    assert_eq!(again.text(DEFAULT_FLAG), text);
    nothing_opens_without_secrets(&recording);
});

fn survives_json(recording: &Recording, transcript: &Transcript) {
    let json = serde_json::to_string(recording).expect("JSON of a recording");
    let read: Recording = serde_json::from_str(&json).expect("a recording from its JSON");
    assert_eq!(&read, recording);
    let json = serde_json::to_string(transcript).expect("JSON of a transcript");
    let read: Transcript = serde_json::from_str(&json).expect("a transcript from its JSON");
    assert_eq!(&read, transcript);
}

/// What is told of a side's records agrees with the octets that it sent.
fn accounts_for(transcript: &Transcript, recording: &Recording, side: Side) {
    let bytes = recording.bytes(side);
    let records = records(&bytes);
    assert_eq!(transcript.bytes(side), bytes.len());
    let mut told = 0;
    for entry in transcript.entries.iter().filter(|entry| entry.from == side) {
        let of_entry = &records[entry.records.clone()];
        let (first, last) = (of_entry[0], of_entry[of_entry.len() - 1]);
        let ends = if of_entry.len() > 1 {
            first + last
        } else {
            first
        };
        let all: usize = of_entry.iter().sum();
        assert!((ends..=all).contains(&entry.wire_len), "{entry:?}");
        told += len(entry);
    }
    let payloads: usize = records.iter().map(|length| length - 5).sum();
    assert!(told <= payloads, "{told} of {payloads} octets");
    for defect in transcript
        .defects
        .iter()
        .filter(|defect| defect.side == side)
    {
        match defect.place {
            Place::Offset(offset) => assert!(offset <= bytes.len(), "{defect}"),
            Place::Record(number) => assert!(number < records.len(), "{defect}"),
        }
    }
}

/// The octets of a side that an entry stands for.
fn len(entry: &Entry) -> usize {
    match entry.content {
        Content::ApplicationData { len } | Content::Opaque { len, .. } => len,
        _ => entry.raw.len(),
    }
}

/// The lengths of the whole records at the start of some octets, headers included.
fn records(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [20..=24, 3, _, high, low, ..] = bytes {
        let length = usize::from(*high) * 256 + usize::from(*low);
        if length > (1 << 14) + 2048 || bytes.len() < 5 + length {
            break;
        }
        lengths.push(5 + length);
        bytes = &bytes[5 + length..];
    }
    lengths
}

/// Every entry begins and ends with events of its side.
fn arrives_with_its_events(transcript: &Transcript, recording: &Recording) {
    let entries = transcript.by_arrival();
    assert_eq!(entries.len(), transcript.entries.len());
    assert!(entries.is_sorted_by_key(|entry| entry.arrival));
    for entry in entries {
        assert!(entry.start <= entry.arrival, "{entry:?}");
        for place in [entry.start, entry.arrival] {
            assert_eq!(recording.events()[place].from, entry.from, "{entry:?}");
        }
    }
}

/// The text has a line for each entry but changes of ciphers, for each reset and for each kind of defect.
fn has_its_lines(transcript: &Transcript) {
    let text = transcript.text(DEFAULT_FLAG);
    let changes = |entry: &&Entry| !matches!(entry.content, Content::ChangeCipherSpec);
    let entries = transcript.entries.iter().filter(changes).count();
    let resets = Side::BOTH.map(|side| usize::from(transcript.ending(side) == Ending::Reset));
    let defects = transcript.defects.iter();
    let defects: BTreeSet<_> = defects
        .map(|defect| (defect.side, defect.reason.to_string()))
        .collect();
    let lines = entries + resets.iter().sum::<usize>() + defects.len();
    assert_eq!(text.lines().count(), lines, "{text}");
    let odd = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(odd, None, "{text:?}");
}

fn nothing_opens_without_secrets(recording: &Recording) {
    let transcript = Transcript::observe(recording, &KeyLog::default());
    for entry in &transcript.entries {
        let opaque = matches!(entry.content, Content::Opaque { .. });
        assert!(opaque || entry.epoch == Epoch::Plaintext, "{entry:?}");
    }
}

//! The two directions of a connection are interleaved as their packets were captured.

use super::{CLIENT, SERVER, Sent, captured, opening, sent};
use crate::capture::{read, write};
use crate::testing::Forge;
use crate::{CipherSuite, Side, Transcript, What};
use std::time::Duration;

/// What the recording of a capture holds, event by event.
fn events(segments: &[Sent]) -> Vec<(Side, String)> {
    let segments = [&opening()[..], segments].concat();
    let capture = captured(&segments);
    let events = capture.connections[0].recording.events().iter();
    let text = |what: &What| match what {
        What::Data(octets) => String::from_utf8(octets.to_vec()).unwrap(),
        other => format!("{other:?}"),
    };
    events
        .map(|event| (event.from, text(&event.what)))
        .collect()
}

fn expected(events: &[(Side, &str)]) -> Vec<(Side, String)> {
    let events = events.iter();
    events
        .map(|(side, text)| (*side, (*text).to_owned()))
        .collect()
}

#[test]
fn both_directions_are_in_the_order_of_their_packets() {
    let order = [
        sent(SERVER, 501, "", b"first"),
        sent(CLIENT, 101, "", b"second"),
        sent(CLIENT, 107, "", b"third"),
        sent(SERVER, 506, "F", b"fourth"),
        sent(CLIENT, 112, "F", b"fifth"),
    ];
    let wanted = [
        (SERVER, "first"),
        (CLIENT, "second"),
        (CLIENT, "third"),
        (SERVER, "fourth"),
        (SERVER, "HalfClose"),
        (CLIENT, "fifth"),
        (CLIENT, "HalfClose"),
    ];
    assert_eq!(events(&order), expected(&wanted));
}

#[test]
fn octets_behind_a_gap_arrive_when_it_is_filled() {
    // The client's second segment overtakes its first, or the first was lost: its receiver had neither before.
    let order = [
        sent(CLIENT, 105, "F", b"behind"),
        sent(SERVER, 501, "", b"meanwhile"),
        sent(CLIENT, 101, "", b"lost"),
        sent(SERVER, 510, "", b"answer"),
    ];
    let wanted = [
        (SERVER, "meanwhile"),
        (CLIENT, "lost"),
        (CLIENT, "behind"),
        (CLIENT, "HalfClose"),
        (SERVER, "answer"),
    ];
    assert_eq!(events(&order), expected(&wanted));
}

#[test]
fn octets_that_come_again_stay_where_they_came_first() {
    let order = [
        sent(CLIENT, 101, "", b"once"),
        sent(SERVER, 501, "", b"answer"),
        sent(CLIENT, 101, "", b"once"),
        sent(CLIENT, 103, "", b"ce and more"),
        sent(SERVER, 501, "F", b"answer"),
    ];
    let wanted = [
        (CLIENT, "once"),
        (SERVER, "answer"),
        (CLIENT, " and more"),
        (SERVER, "HalfClose"),
    ];
    assert_eq!(events(&order), expected(&wanted));
}

#[test]
fn a_gap_of_one_side_that_is_never_filled_leaves_the_other_in_order() {
    let order = [
        sent(CLIENT, 101, "", b"one"),
        sent(CLIENT, 109, "", b"behind"),
        sent(SERVER, 501, "", b"two"),
        sent(SERVER, 504, "R", b""),
    ];
    let wanted = [(CLIENT, "one"), (SERVER, "two"), (SERVER, "Reset")];
    assert_eq!(events(&order), expected(&wanted));
}

#[test]
fn a_transcript_arrives_the_same_through_a_capture() {
    let mut forge = Forge::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
    forge.client_hello(&[]).server_hello(&[]);
    for (side, data) in [
        (SERVER, &b"a"[..]),
        (CLIENT, b"b"),
        (SERVER, b"c"),
        (CLIENT, b"d"),
    ] {
        forge.data(side, crate::Epoch::Application, data);
    }
    let log = forge.log();
    let file = write([("", &forge.recording)], &log, Duration::ZERO).unwrap();
    let capture = read(&file).unwrap();
    let transcript = Transcript::observe(&capture.connections[0].recording, &capture.secrets);
    assert_eq!(transcript, forge.observe());
    assert!(transcript.entries.len() == 4 && transcript.entries[3].start == 2);
}

//! Files that are no captures, or broken ones: a clear error with its place, and never a panic.

use std::time::Duration;

use pcap_parser::Linktype;
use proptest::prelude::*;

use super::{CLIENT, SERVER, opening, packet, pcap};
use crate::capture::{read, write};
use crate::{KeyLog, Recording};

fn error(file: &[u8]) -> String {
    read(file).unwrap_err().to_string()
}

/// A small pcapng file with secrets.
fn sample() -> Vec<u8> {
    let mut recording = Recording::new();
    recording.data(Duration::from_millis(1), CLIENT, vec![22, 3, 1, 0, 1, 0]);
    recording.data(
        Duration::from_millis(2),
        SERVER,
        vec![21, 3, 3, 0, 2, 2, 40],
    );
    recording.half_close(Duration::from_millis(3), CLIENT);
    let line = format!("CLIENT_RANDOM {} {}", "01".repeat(32), "02".repeat(48));
    write(
        [("sample", &recording)],
        &KeyLog::parse(&line).unwrap(),
        Duration::ZERO,
    )
    .unwrap()
}

fn sample_of_the_older_format() -> Vec<u8> {
    let packets: Vec<_> = opening().iter().map(|sent| packet(sent, 4)).collect();
    pcap(Linktype::RAW, &packets)
}

/// A block of pcapng.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

fn section() -> Vec<u8> {
    let bytes = sample();
    let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    bytes[..length as usize].to_vec()
}

#[test]
fn files_that_are_no_captures_are_named() {
    assert_eq!(
        error(b""),
        "octet 0: got a file that begins with nothing, expected pcap or pcapng"
    );
    assert_eq!(
        error(b"GIF89a"),
        "octet 0: got a file that begins with 47494638, expected pcap or pcapng"
    );
}

#[test]
fn a_file_that_was_cut_says_where() {
    let whole = sample_of_the_older_format();
    let second = 24 + 16 + 40;
    let expected = format!("octet {second}: the file ends within a block, expected a whole one");
    assert_eq!(error(&whole[..second + 20]), expected);
    let whole = sample();
    let problem = error(&whole[..whole.len() - 1]);
    assert!(
        problem.ends_with("the file ends within a block, expected a whole one"),
        "{problem}"
    );
}

#[test]
fn a_packet_of_an_unknown_interface_says_which() {
    let mut packet = [0; 20];
    packet[0] = 3;
    let file = [section(), block(6, &packet)].concat();
    let place = section().len();
    assert_eq!(
        error(&file),
        format!(
            "octet {place}: got a packet of interface 3, expected one of the 0 that the section describes"
        )
    );
}

#[test]
fn an_unknown_link_type_says_what_is_read() {
    let file = pcap(Linktype(127), &[vec![0; 40]]);
    assert_eq!(
        error(&file),
        "octet 24: got packets of link type 127, expected Ethernet (1), raw IP (101, 228, 229), Linux cooked (113, 276) or loopback (0, 108)"
    );
}

#[test]
fn embedded_secrets_that_are_none_say_so() {
    let secrets = |text: &[u8]| {
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let padding = vec![0; text.len().next_multiple_of(4) - text.len()];
        let body = [&b"KSLT"[..], &length, text, &padding].concat();
        [section(), block(10, &body)].concat()
    };
    let place = section().len();
    assert_eq!(
        error(&secrets(b"CLIENT_RANDOM 00")),
        format!(
            "octet {place}: embedded secrets: key log line 1: got 2 fields, expected label, client random and secret"
        )
    );
    assert_eq!(
        error(&secrets(&[0xff; 3])),
        format!(
            "octet {place}: embedded secrets: got octets that are not text, expected key log lines"
        )
    );
}

#[test]
fn a_unit_of_time_beyond_all_measure_is_an_error() {
    // An interface with option 9, the resolution: ten to the minus 99.
    let file = [
        section(),
        block(1, &[101, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 99, 0, 0, 0]),
    ]
    .concat();
    let problem = error(&file);
    assert!(
        problem
            .ends_with("got time resolution 0x63, expected at most 19 decimal or 63 binary places"),
        "{problem}"
    );
}

#[test]
fn every_cut_of_a_capture_is_an_error_or_a_shorter_capture() {
    for whole in [sample(), sample_of_the_older_format()] {
        for length in 0..whole.len() {
            if let Err(error) = read(&whole[..length]) {
                assert!(error.offset <= length, "{error}");
            }
        }
    }
}

const LINKS: &[Linktype] = &[
    Linktype::ETHERNET,
    Linktype::RAW,
    Linktype::LINUX_SLL,
    Linktype::LINUX_SLL2,
    Linktype::NULL,
];

/// The first octets of packets, so that some of what follows is read as something.
const STARTS: &[&[u8]] = &[
    b"",
    &[0x45],
    &[0x60],
    &[2, 0, 0, 0, 0x46],
    &[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x86, 0xdd, 0x60, 0],
    &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 1, 8, 0, 0x45,
    ],
];

proptest! {
    #[test]
    fn no_octets_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(read(&bytes));
        drop(read(&[section(), bytes].concat()));
    }

    #[test]
    fn no_packet_makes_it_panic(
        link in prop::sample::select(LINKS),
        start in prop::sample::select(STARTS),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let packet = [start, &bytes].concat();
        prop_assert!(read(&pcap(link, &[packet])).is_ok());
    }

    #[test]
    fn no_change_of_a_capture_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        older in any::<bool>(),
    ) {
        let mut bytes = if older { sample_of_the_older_format() } else { sample() };
        for (place, octet) in changes {
            let place = place.index(bytes.len());
            bytes[place] = octet;
        }
        drop(read(&bytes));
    }
}

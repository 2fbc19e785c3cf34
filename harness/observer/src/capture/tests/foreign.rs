//! Captures as the network and other tools leave them.

use etherparse::PacketBuilder;
use pcap_parser::Linktype;

use super::{CLIENT, SERVER, captured, micros, opening, packet, pcap, sent};
use crate::capture::{Gap, Omission, read};
use crate::{Ending, Recording};

/// The only connection in a capture, whole.
#[track_caller]
fn whole(capture: &super::Capture) -> &Recording {
    let [connection] = &capture.connections[..] else {
        panic!("{capture:?}")
    };
    assert_eq!(connection.gaps, []);
    assert_eq!(capture.omissions, []);
    &connection.recording
}

#[test]
fn retransmitted_overlapping_and_disordered_segments_give_each_octet_once() {
    let mut segments = opening();
    segments.extend([
        sent(CLIENT, 100, "S", b""),
        sent(CLIENT, 104, "", b"def"),
        sent(CLIENT, 101, "", b"abc"),
        sent(CLIENT, 101, "", b"abc"),
        sent(SERVER, 506, "F", b""),
        sent(CLIENT, 103, "", b"cdefgh"),
        // A probe that keeps the connection alive: an octet before the next.
        sent(CLIENT, 108, "", b"?"),
        sent(SERVER, 501, "", b"12345"),
        sent(CLIENT, 109, "F", b""),
        sent(CLIENT, 109, "F", b""),
    ]);
    let capture = captured(&segments);
    let mut expected = Recording::new();
    expected.data(micros(5), CLIENT, &b"abc"[..]);
    expected.data(micros(5), CLIENT, &b"def"[..]);
    expected.data(micros(8), CLIENT, &b"gh"[..]);
    expected.data(micros(10), SERVER, &b"12345"[..]);
    expected.half_close(micros(10), SERVER);
    expected.half_close(micros(11), CLIENT);
    assert_eq!(whole(&capture), &expected);
    let connection = &capture.connections[0];
    assert_eq!(connection.name, "198.51.100.7:4000 to 198.51.100.8:8443");
}

#[test]
fn sequence_numbers_wrap() {
    let mut segments = vec![sent(CLIENT, u32::MAX - 2, "S", b"")];
    segments.extend([
        sent(CLIENT, 1, "", b"c"),
        sent(CLIENT, u32::MAX - 1, "", b"ab?"),
        sent(CLIENT, 2, "R", b""),
    ]);
    let mut segments_acknowledging_nothing = segments;
    for segment in &mut segments_acknowledging_nothing {
        segment.acknowledged = None;
    }
    let capture = captured(&segments_acknowledging_nothing);
    assert_eq!(whole(&capture).bytes(CLIENT), b"ab?c");
    assert_eq!(whole(&capture).ending(CLIENT), Ending::Reset);
}

#[test]
fn every_link_layer_and_both_versions_of_ip_are_read() {
    let mut segments = opening();
    segments.extend([
        sent(CLIENT, 101, "", b"request"),
        sent(SERVER, 501, "F", b"answer"),
    ]);
    for version in [4, 6] {
        let kind: &[u8] = if version == 4 { &[8, 0] } else { &[0x86, 0xdd] };
        let family = if version == 4 { 2 } else { 30 };
        let heads: [(Linktype, Vec<u8>); 8] = [
            (Linktype::RAW, vec![]),
            (Linktype(if version == 4 { 228 } else { 229 }), vec![]),
            (Linktype::ETHERNET, [&[2; 12][..], kind].concat()),
            // The same with a VLAN tag.
            (
                Linktype::ETHERNET,
                [&[2; 12][..], &[0x81, 0, 0, 5], kind].concat(),
            ),
            (Linktype::LINUX_SLL, [&[0; 14][..], kind].concat()),
            (Linktype::LINUX_SLL2, [kind, &[0; 18]].concat()),
            (Linktype::NULL, vec![family, 0, 0, 0]),
            (Linktype::LOOP, vec![0, 0, 0, family]),
        ];
        for (link, head) in heads {
            let packets: Vec<_> = segments
                .iter()
                .map(|sent| [head.clone(), packet(sent, version)].concat())
                .collect();
            let capture = read(&pcap(link, &packets)).unwrap();
            let recording = whole(&capture);
            assert_eq!(recording.bytes(CLIENT), b"request", "{link:?} {version}");
            assert_eq!(recording.bytes(SERVER), b"answer", "{link:?} {version}");
            assert_eq!(recording.ending(SERVER), Ending::HalfClose);
        }
    }
}

#[test]
fn the_padding_of_short_frames_is_not_data() {
    let mut segments = opening();
    segments.push(sent(CLIENT, 101, "", b"x"));
    let head = [&[2; 12][..], &[8, 0]].concat();
    let packets: Vec<_> = segments
        .iter()
        .map(|sent| {
            let mut frame = [head.clone(), packet(sent, 4)].concat();
            frame.resize(frame.len().max(60), 0);
            frame
        })
        .collect();
    let capture = read(&pcap(Linktype::ETHERNET, &packets)).unwrap();
    assert_eq!(whole(&capture).bytes(CLIENT), b"x");
}

#[test]
fn a_stream_whose_start_is_missing_is_reported_and_left_out() {
    let capture = captured(&[
        sent(CLIENT, 104, "", b"def"),
        sent(SERVER, 506, "", b"12345"),
        sent(CLIENT, 107, "F", b""),
    ]);
    assert!(capture.connections.is_empty());
    let [omission @ Omission::NoStart { segments: 2, .. }] = &capture.omissions[..] else {
        panic!("{capture:?}")
    };
    assert_eq!(
        omission.to_string(),
        "198.51.100.7:4000 and 198.51.100.8:8443: the start of the connection (SYN) is not in the capture, 2 segments left out"
    );
}

#[test]
fn the_servers_syn_alone_gives_both_starts() {
    let capture = captured(&[
        sent(SERVER, 500, "S", b""),
        sent(CLIENT, 101, "", b"abc"),
        sent(SERVER, 501, "", b"12"),
    ]);
    assert_eq!(whole(&capture).bytes(CLIENT), b"abc");
    assert_eq!(whole(&capture).bytes(SERVER), b"12");
}

#[test]
fn the_clients_syn_alone_leaves_the_servers_octets_out() {
    let capture = captured(&[
        sent(CLIENT, 100, "S", b""),
        sent(CLIENT, 101, "", b"abc"),
        sent(SERVER, 501, "", b"12"),
    ]);
    let connection = &capture.connections[0];
    assert_eq!(connection.recording.bytes(CLIENT), b"abc");
    assert_eq!(connection.recording.bytes(SERVER), b"");
    assert_eq!(connection.gaps, [Gap::NoServerStart]);
}

#[test]
fn a_gap_is_reported_and_what_follows_it_left_out() {
    let mut segments = opening();
    segments.extend([
        sent(CLIENT, 101, "", b"abc"),
        sent(CLIENT, 109, "F", b"later"),
    ]);
    let connection = &captured(&segments).connections[0];
    assert_eq!(connection.recording.bytes(CLIENT), b"abc");
    assert_eq!(connection.recording.ending(CLIENT), Ending::Open);
    let [gap] = &connection.gaps[..] else {
        panic!("{connection:?}")
    };
    assert_eq!(
        gap.to_string(),
        "client, octet 3: 5 octets are not in the capture, all that follows left out"
    );
}

#[test]
fn octets_that_only_the_other_side_saw_are_a_gap() {
    let mut segments = opening();
    segments.push(sent(CLIENT, 101, "", b"abc"));
    let mut answer = sent(SERVER, 501, "", b"12");
    answer.acknowledged = Some(114);
    segments.push(answer);
    let gap = Gap::Missing {
        side: CLIENT,
        after: 3,
        length: 9,
    };
    assert_eq!(captured(&segments).connections[0].gaps, [gap]);
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let mut segments = opening();
    segments.extend([sent(CLIENT, 101, "F", b"one"), sent(SERVER, 501, "F", b"")]);
    let again = [sent(CLIENT, 9000, "S", b""), sent(CLIENT, 9001, "", b"two")];
    segments.extend(again);
    let capture = captured(&segments);
    let bytes: Vec<_> = capture
        .connections
        .iter()
        .map(|connection| connection.recording.bytes(CLIENT))
        .collect();
    assert_eq!(bytes, [b"one", b"two"]);
}

#[test]
fn fragments_are_counted_and_other_packets_ignored() {
    let mut fragment = packet(&sent(CLIENT, 100, "S", b""), 4);
    // The flag for more fragments to follow.
    fragment[6] |= 0x20;
    let mut datagram = Vec::new();
    let builder = PacketBuilder::ipv4([198, 51, 100, 7], [198, 51, 100, 8], 64).udp(53, 53);
    builder.write(&mut datagram, b"question").unwrap();
    let packets = [fragment, datagram, vec![], vec![0x45]];
    let capture = read(&pcap(Linktype::RAW, &packets)).unwrap();
    assert!(capture.connections.is_empty());
    assert_eq!(capture.omissions, [Omission::Fragments(1)]);
}

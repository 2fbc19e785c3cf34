//! Captures written and read back, captures as other tools make them, and files that are none.

mod errors;
mod foreign;
mod order;
mod round_trip;

use std::net::IpAddr;
use std::time::Duration;

use etherparse::{IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, TcpHeader};
use pcap_parser::{LegacyPcapBlock, Linktype, PcapHeader, ToVec};

use super::{Capture, read};
use crate::Side;

const CLIENT: Side = Side::Client;
const SERVER: Side = Side::Server;

/// A segment for a capture of the older format, put together by hand.
#[derive(Clone, Copy)]
struct Sent {
    from: Side,
    sequence: u32,
    acknowledged: Option<u32>,
    flags: &'static str,
    payload: &'static [u8],
}

/// A segment with an acknowledgement of nothing in particular.
fn sent(from: Side, sequence: u32, flags: &'static str, payload: &'static [u8]) -> Sent {
    let acknowledged = Some(match from {
        Side::Client => 501,
        Side::Server => 101,
    });
    Sent {
        from,
        sequence,
        acknowledged: acknowledged.filter(|_| !(flags == "S" && from == CLIENT)),
        flags,
        payload,
    }
}

/// The three segments that open a connection; the client's octets start at 101, the server's at 501.
fn opening() -> Vec<Sent> {
    vec![
        sent(CLIENT, 100, "S", b""),
        sent(SERVER, 500, "S", b""),
        sent(CLIENT, 101, "", b""),
    ]
}

fn ends(version: u8) -> [IpAddr; 2] {
    let ends = match version {
        4 => ["198.51.100.7", "198.51.100.8"],
        _ => ["2001:db8::7", "2001:db8::8"],
    };
    ends.map(|address| address.parse().unwrap())
}

/// The IP packet of a segment.
fn packet(sent: &Sent, version: u8) -> Vec<u8> {
    let [client, server] = ends(version);
    let (source, destination, ports) = match sent.from {
        Side::Client => (client, server, (4000, 8443)),
        Side::Server => (server, client, (8443, 4000)),
    };
    let mut tcp = TcpHeader::new(ports.0, ports.1, sent.sequence, 1000);
    tcp.syn = sent.flags.contains('S');
    tcp.fin = sent.flags.contains('F');
    tcp.rst = sent.flags.contains('R');
    tcp.ack = sent.acknowledged.is_some();
    tcp.acknowledgment_number = sent.acknowledged.unwrap_or(0);
    let headers = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let header =
                Ipv4Header::new(0, 64, IpNumber::TCP, source.octets(), destination.octets());
            IpHeaders::Ipv4(header.unwrap(), etherparse::Ipv4Extensions::default())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => IpHeaders::Ipv6(
            Ipv6Header {
                source: source.octets(),
                destination: destination.octets(),
                next_header: IpNumber::TCP,
                hop_limit: 64,
                ..Ipv6Header::default()
            },
            etherparse::Ipv6Extensions::default(),
        ),
        _ => panic!("two versions of IP"),
    };
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ip(headers).tcp_header(tcp);
    builder.write(&mut bytes, sent.payload).unwrap();
    bytes
}

/// A file of the older format; the packet of each number is captured at that many microseconds.
fn pcap(link: Linktype, packets: &[Vec<u8>]) -> Vec<u8> {
    let header = PcapHeader {
        network: link,
        ..PcapHeader::new()
    };
    let mut file = header.to_vec_raw().unwrap();
    for (number, bytes) in (0..).zip(packets) {
        let length = u32::try_from(bytes.len()).unwrap();
        let block = LegacyPcapBlock {
            ts_sec: 1_700_000_000,
            ts_usec: number,
            caplen: length,
            origlen: length,
            data: bytes,
        };
        file.extend(block.to_vec_raw().unwrap());
    }
    file
}

/// The capture of these segments over IPv4 without a link layer.
fn captured(segments: &[Sent]) -> Capture {
    let packets: Vec<_> = segments.iter().map(|sent| packet(sent, 4)).collect();
    read(&pcap(Linktype::RAW, &packets)).unwrap()
}

fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

//! From a captured packet to its TCP segment.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;

use super::file::{FileError, Packet, Problem};

/// A TCP segment as it was captured.
#[derive(Clone, Debug)]
pub(super) struct Segment<'a> {
    pub(super) at: Duration,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledged: Option<u32>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
    pub(super) comment: Option<&'a str>,
}

/// What a packet is here.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A segment.
    Segment(Segment<'a>),
    /// A part of an IP packet, which is not put together here.
    Fragment,
    /// Not TCP.
    Other,
}

/// Looks for a segment in a packet.
pub(super) fn find<'a>(packet: &'a Packet<'_>) -> Result<Found<'a>, FileError> {
    let sliced = slice(packet.link, packet.bytes).map_err(|problem| FileError {
        offset: packet.offset,
        problem,
    })?;
    let Some(sliced) = sliced else {
        return Ok(Found::Other);
    };
    let (source, destination): (IpAddr, IpAddr) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(slice)) => {
            let header = slice.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        Some(LaxNetSlice::Ipv6(slice)) => {
            let header = slice.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        Some(LaxNetSlice::Arp(_)) | None => return Ok(Found::Other),
    };
    let payload = sliced.net.as_ref().and_then(LaxNetSlice::ip_payload_ref);
    if payload.is_some_and(|payload| payload.fragmented) {
        return Ok(Found::Fragment);
    }
    let Some(TransportSlice::Tcp(tcp)) = sliced.transport else {
        return Ok(Found::Other);
    };
    Ok(Found::Segment(Segment {
        at: packet.at,
        from: SocketAddr::new(source, tcp.source_port()),
        to: SocketAddr::new(destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: tcp.payload(),
        comment: packet.comment.as_deref(),
    }))
}

/// Takes the link layer off. `None` for what is too short to have one.
fn slice(link: Linktype, bytes: &[u8]) -> Result<Option<LaxSlicedPacket<'_>>, Problem> {
    let after = |length: usize| bytes.get(length..).unwrap_or_default();
    let typed = |place: usize, header: usize| {
        let kind = bytes.get(place..place + 2)?;
        let kind = EtherType(u16::from_be_bytes(kind.try_into().ok()?));
        Some(LaxSlicedPacket::from_ether_type(kind, after(header)))
    };
    Ok(match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(bytes).ok(),
        // The Linux cooked headers hold an EtherType: the first at its end, the second at its start.
        Linktype::LINUX_SLL => typed(14, 16),
        Linktype::LINUX_SLL2 => typed(0, 20),
        // Four octets name the family, in an order that only the capturing machine knows; the IP
        // header has its version.
        Linktype::NULL | Linktype::LOOP => LaxSlicedPacket::from_ip(after(4)).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 => LaxSlicedPacket::from_ip(bytes).ok(),
        Linktype(number) => return Err(Problem::LinkType(number)),
    })
}

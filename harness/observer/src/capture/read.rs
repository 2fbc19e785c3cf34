//! From a capture file to its TCP connections.

use std::fmt;
use std::net::SocketAddr;

use indexmap::IndexMap;

use super::file::{Content, FileError};
use super::segment::{Found, Segment, find};
use super::stream::{Connection, Streams};
use crate::KeyLog;

/// What a capture file holds of TCP.
#[derive(Debug)]
pub struct Capture {
    /// The connections whose start was captured, in the order of their first packets.
    pub connections: Vec<Connection>,
    /// The secrets that are embedded in the file.
    pub secrets: KeyLog,
    /// What could not be used.
    pub omissions: Vec<Omission>,
}

/// Packets that belong to no connection that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omission {
    /// Segments with octets whose connection's start is not in the file.
    NoStart {
        /// One end.
        one: SocketAddr,
        /// The other.
        other: SocketAddr,
        /// How many segments these are.
        segments: usize,
    },
    /// Fragments of IP packets.
    Fragments(usize),
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStart {
                one,
                other,
                segments,
            } => write!(
                f,
                "{one} and {other}: the start of the connection (SYN) is not in the capture, {segments} segments left out"
            ),
            Self::Fragments(count) => write!(f, "{count} fragments of IP packets left out"),
        }
    }
}

/// Reads a pcap or pcapng file: Ethernet, raw IP, Linux cooked or loopback, of IPv4 and IPv6.
pub fn read(file: &[u8]) -> Result<Capture, FileError> {
    let content = Content::read(file)?;
    let mut flows: IndexMap<_, Vec<Segment<'_>>> = IndexMap::new();
    let mut fragments = 0;
    for packet in &content.packets {
        match find(packet)? {
            Found::Segment(segment) => {
                let (from, to) = (segment.from, segment.to);
                let ends = (from.min(to), from.max(to));
                flows.entry(ends).or_default().push(segment);
            }
            Found::Fragment => fragments += 1,
            Found::Other => {}
        }
    }
    let mut connections = Vec::new();
    let mut omissions = Vec::new();
    for ((one, other), segments) in flows {
        let mut streams = Streams::default();
        for segment in &segments {
            streams.segment(segment);
        }
        let (found, startless) = streams.finish();
        connections.extend(found);
        if startless > 0 {
            let segments = startless;
            omissions.push(Omission::NoStart {
                one,
                other,
                segments,
            });
        }
    }
    connections.sort_by_key(|connection| connection.start);
    if fragments > 0 {
        omissions.push(Omission::Fragments(fragments));
    }
    Ok(Capture {
        connections,
        secrets: content.secrets,
        omissions,
    })
}

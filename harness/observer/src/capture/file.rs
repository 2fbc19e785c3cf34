//! The blocks of a capture file: packets with their times, and embedded secrets.

use std::time::Duration;

use pcap_parser::{
    Block, EnhancedPacketBlock, InterfaceDescriptionBlock, LegacyPcapBlock, Linktype, OptionCode,
    PcapHeader, PcapNGOption, SecretsType, SimplePacketBlock, parse_block_be, parse_block_le,
    parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};
use thiserror::Error;

use crate::{KeyLog, KeyLogError};

/// The first octets of a pcapng file.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Why a file could not be read as a capture.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("octet {offset}: {problem}")]
pub struct FileError {
    /// Where the trouble starts, counted from 0.
    pub offset: usize,
    /// What it is.
    pub problem: Problem,
}

/// What is wrong with a capture file.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Problem {
    /// It is no capture at all.
    #[error("got a file that begins with {}, expected pcap or pcapng", first_octets(.0))]
    NotACapture(Vec<u8>),
    /// The file ends within a block.
    #[error("the file ends within a block, expected a whole one")]
    Truncated,
    /// A block is not what its type demands.
    #[error("got a block that cannot be read, expected one as the pcap or pcapng format has it")]
    Block,
    /// A packet names an interface that was not described.
    #[error(
        "got a packet of interface {id}, expected one of the {known} that the section describes"
    )]
    Interface {
        /// The interface.
        id: u32,
        /// How many the section has described by then.
        known: usize,
    },
    /// Packets begin with something that is not read here.
    #[error(
        "got packets of link type {0}, expected Ethernet (1), raw IP (101, 228, 229), Linux cooked (113, 276) or loopback (0, 108)"
    )]
    LinkType(i32),
    /// The unit of an interface's times is not one that a number can hold.
    #[error("got time resolution {0:#04x}, expected at most 19 decimal or 63 binary places")]
    Resolution(u8),
    /// Embedded secrets are not key log lines.
    #[error("embedded secrets: {0}")]
    Secrets(KeyLogError),
    /// Embedded secrets are not text.
    #[error("embedded secrets: got octets that are not text, expected key log lines")]
    SecretsNotText,
}

fn first_octets(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        "nothing".to_owned()
    } else {
        hex::encode(bytes)
    }
}

/// A captured packet.
#[derive(Clone, Debug)]
pub(super) struct Packet<'a> {
    /// Offset of its block in the file.
    pub(super) offset: usize,
    /// When it was captured, counted from 1970.
    pub(super) at: Duration,
    /// What it begins with.
    pub(super) link: Linktype,
    /// What was captured of it.
    pub(super) bytes: &'a [u8],
    /// The comment on it.
    pub(super) comment: Option<String>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    pub(super) packets: Vec<Packet<'a>>,
    pub(super) secrets: KeyLog,
}

impl<'a> Content<'a> {
    /// Reads a whole file.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, FileError> {
        if file.starts_with(&PCAPNG) {
            Sections::default().read(file)
        } else {
            legacy(file)
        }
    }
}

/// Reads the older of the two formats.
fn legacy(file: &[u8]) -> Result<Content<'_>, FileError> {
    let (mut rest, header) = parse_pcap_header(file).map_err(|error| FileError {
        offset: 0,
        problem: if error.is_incomplete() && file.len() >= 4 {
            Problem::Truncated
        } else {
            Problem::NotACapture(file.iter().take(4).copied().collect())
        },
    })?;
    let parse = match &header {
        header if header.is_modified_format() => parse_pcap_frame_modified,
        header if header.is_bigendian() => parse_pcap_frame_be,
        _ => parse_pcap_frame,
    };
    let mut content = Content::default();
    while !rest.is_empty() {
        let offset = file.len() - rest.len();
        let (after, block) =
            parse(rest).map_err(|error| unreadable(offset, error.is_incomplete()))?;
        content.packets.push(Packet {
            offset,
            at: legacy_time(&header, &block),
            link: header.network,
            bytes: block.data,
            comment: None,
        });
        rest = after;
    }
    Ok(content)
}

fn legacy_time(header: &PcapHeader, block: &LegacyPcapBlock<'_>) -> Duration {
    let fraction = u64::from(block.ts_usec);
    let fraction = if header.is_nanosecond_precision() {
        Duration::from_nanos(fraction)
    } else {
        Duration::from_micros(fraction)
    };
    Duration::from_secs(block.ts_sec.into()) + fraction
}

fn unreadable(offset: usize, truncated: bool) -> FileError {
    let problem = if truncated {
        Problem::Truncated
    } else {
        Problem::Block
    };
    FileError { offset, problem }
}

/// An interface that packets were captured on.
struct Interface {
    link: Linktype,
    /// How many times a second its clock ticks.
    resolution: u128,
    /// Seconds that are added to its times.
    offset: i64,
    /// The most octets of a packet that it captures; 0 for all.
    snap_length: usize,
}

/// Reads the newer of the two formats, section by section.
#[derive(Default)]
struct Sections<'a> {
    big_endian: bool,
    interfaces: Vec<Interface>,
    content: Content<'a>,
}

impl<'a> Sections<'a> {
    fn read(mut self, file: &'a [u8]) -> Result<Content<'a>, FileError> {
        let mut rest = file;
        while !rest.is_empty() {
            let offset = file.len() - rest.len();
            let parse = if self.big_endian {
                parse_block_be
            } else {
                parse_block_le
            };
            let (after, block) =
                parse(rest).map_err(|error| unreadable(offset, error.is_incomplete()))?;
            let length = rest.len() - after.len();
            if length == 0 {
                return Err(unreadable(offset, false));
            }
            self.block(offset, block)
                .map_err(|problem| FileError { offset, problem })?;
            rest = after;
        }
        Ok(self.content)
    }

    fn block(&mut self, offset: usize, block: Block<'a>) -> Result<(), Problem> {
        match block {
            Block::SectionHeader(header) => {
                self.big_endian = header.big_endian();
                self.interfaces.clear();
            }
            Block::InterfaceDescription(description) => {
                self.interfaces.push(Interface::new(&description)?);
            }
            Block::EnhancedPacket(packet) => self.packet(offset, &packet)?,
            Block::SimplePacket(packet) => self.simple_packet(offset, &packet)?,
            Block::DecryptionSecrets(secrets) if secrets.secrets_type == SecretsType::TlsKeyLog => {
                let length = usize::try_from(secrets.secrets_len).unwrap_or(usize::MAX);
                let lines = secrets.data.get(..length).ok_or(Problem::Block)?;
                let lines = str::from_utf8(lines).map_err(|_| Problem::SecretsNotText)?;
                let log = KeyLog::parse(lines).map_err(Problem::Secrets)?;
                self.content.secrets.merge(log);
            }
            _ => {}
        }
        Ok(())
    }

    fn interface(&self, id: u32) -> Result<&Interface, Problem> {
        let known = self.interfaces.len();
        let index = usize::try_from(id).unwrap_or(usize::MAX);
        self.interfaces
            .get(index)
            .ok_or(Problem::Interface { id, known })
    }

    fn packet(&mut self, offset: usize, block: &EnhancedPacketBlock<'a>) -> Result<(), Problem> {
        let interface = self.interface(block.if_id)?;
        let length = usize::try_from(block.caplen).unwrap_or(usize::MAX);
        let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
        let packet = Packet {
            offset,
            at: interface.time(ticks),
            link: interface.link,
            bytes: block.data.get(..length).ok_or(Problem::Block)?,
            comment: comment(&block.options),
        };
        self.content.packets.push(packet);
        Ok(())
    }

    /// A packet without a time, of the section's first interface.
    fn simple_packet(
        &mut self,
        offset: usize,
        block: &SimplePacketBlock<'a>,
    ) -> Result<(), Problem> {
        let interface = self.interface(0)?;
        let mut length = usize::try_from(block.origlen).unwrap_or(usize::MAX);
        if interface.snap_length > 0 {
            length = length.min(interface.snap_length);
        }
        let packet = Packet {
            offset,
            at: Duration::ZERO,
            link: interface.link,
            bytes: block.data.get(..length).ok_or(Problem::Block)?,
            comment: None,
        };
        self.content.packets.push(packet);
        Ok(())
    }
}

impl Interface {
    fn new(description: &InterfaceDescriptionBlock<'_>) -> Result<Self, Problem> {
        let unit = description.if_tsresol;
        // The highest bit distinguishes powers of two from powers of ten.
        let resolution = match (unit & 0x80, unit & 0x7f) {
            (0, places @ ..=19) => 10_u128.pow(places.into()),
            (0x80, places @ ..=63) => 1 << places,
            _ => return Err(Problem::Resolution(unit)),
        };
        Ok(Self {
            link: description.linktype,
            resolution,
            offset: description.if_tsoffset,
            snap_length: usize::try_from(description.snaplen).unwrap_or(0),
        })
    }

    fn time(&self, ticks: u64) -> Duration {
        const NANOS: u128 = 1_000_000_000;
        let nanos = u128::from(ticks) * NANOS / self.resolution;
        let time = u64::try_from(nanos / NANOS).unwrap_or(u64::MAX);
        let seconds = time.saturating_add_signed(self.offset);
        Duration::new(seconds, u32::try_from(nanos % NANOS).unwrap_or_default())
    }
}

fn comment(options: &[PcapNGOption<'_>]) -> Option<String> {
    let comment = options
        .iter()
        .find(|option| option.code == OptionCode::Comment)?;
    Some(comment.as_str().ok()?.to_owned())
}

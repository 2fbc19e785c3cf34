//! From recordings to one pcapng file.

use std::borrow::Cow;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use etherparse::{PacketBuilder, TcpHeader, TcpOptionElement};
use pcap_parser::{
    DecryptionSecretsBlock, EnhancedPacketBlock, InterfaceDescriptionBlock, Linktype, OptionCode,
    PcapNGOption, SecretsType, SectionHeaderBlock, ToVec,
};
use thiserror::Error;

use crate::{KeyLog, Octets, Recording, Side, What};

/// Port 443, by which Wireshark knows to look for TLS; the address is for documentation (RFC 5737).
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 443);

/// The first of the clients' addresses, for documentation too.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// How many of them there are.
const CLIENT_COUNT: usize = 254;

/// The first of the ports that clients use, the ephemeral ones (RFC 6335 §6).
const FIRST_PORT: u16 = 49152;

/// How many of them there are.
const PORT_COUNT: usize = 1 << 14;

/// The most octets in one segment: with its headers it stays below what an IPv4 packet can hold.
const SEGMENT_SIZE: u16 = 60_000;

/// Where each side starts to count, the client first.
const INITIAL_SEQUENCE: [u32; 2] = [0x1000_0000, 0x5000_0000];

/// A window of 1 GiB, so that nothing here ever looks as if it did not fit (RFC 7323 §2).
const WINDOW: (u16, u8) = (u16::MAX, 14);

/// Times are in nanoseconds: ten to the minus this.
const RESOLUTION: u8 = 9;

/// Why recordings could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// There are no more addresses to distinguish connections by.
    #[error("got more than {} connections, expected at most as many in one capture", CLIENT_COUNT * PORT_COUNT)]
    TooMany,
    /// A side goes on after its end, which TCP cannot express.
    #[error("connection {connection}, event {event}: the {} goes on after its end", .side.name())]
    AfterEnd {
        /// The connection's name.
        connection: String,
        /// The number of the event, the first being 0.
        event: usize,
        /// Whose event it is.
        side: Side,
    },
    /// A block or packet cannot be encoded.
    #[error("cannot encode a {0}")]
    Encode(&'static str),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes named connections as one pcapng file, one after the other: the first starts at `start`,
/// counted from 1970, and each further one where the one before ends.
pub fn write<'a>(
    connections: impl IntoIterator<Item = (&'a str, &'a Recording)>,
    secrets: &KeyLog,
    start: Duration,
) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer::new(Vec::new(), start)?;
    writer.secrets(secrets)?;
    for (name, recording) in connections {
        writer.connection(name, "", recording)?;
    }
    Ok(writer.out)
}

/// Writes one pcapng file, connection by connection.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    connections: usize,
    start: Duration,
}

impl<W: io::Write> Writer<W> {
    /// Writes the start of the file. The first connection starts at `start`, counted from 1970, and each further
    /// one where the one before ends.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub fn new(mut out: W, start: Duration) -> Result<Self, WriteError> {
        out.write_all(&head()?)?;
        Ok(Self {
            out,
            connections: 0,
            start,
        })
    }

    /// Embeds secrets, for connections that follow.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub fn secrets(&mut self, secrets: &KeyLog) -> Result<(), WriteError> {
        if !secrets.is_empty() {
            self.out.write_all(&secrets_block(secrets)?)?;
        }
        Ok(())
    }

    /// Writes one connection. Its name is the first line of its first packet's comment, a note what follows.
    ///
    /// # Errors
    ///
    /// A recording that no packets can hold; what writing fails with.
    pub fn connection(
        &mut self,
        name: &str,
        note: &str,
        recording: &Recording,
    ) -> Result<(), WriteError> {
        let comment = match note {
            "" => name.to_owned(),
            note => format!("{name}\n{note}"),
        };
        let mut packets = Vec::new();
        let stream = Stream {
            name,
            comment: &comment,
            client: client(self.connections)?,
            start: self.start,
            sent: [0; 2],
            ended: [false; 2],
            file: &mut packets,
        };
        stream.write(recording)?;
        self.out.write_all(&packets)?;
        let length = recording.events().iter().map(|event| event.at).max();
        self.start = self.start.saturating_add(length.unwrap_or_default());
        self.connections += 1;
        Ok(())
    }

    /// What it was written to.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// The client's address and port, unlike any other connection's.
fn client(index: usize) -> Result<SocketAddrV4, WriteError> {
    let (host, port) = (index / PORT_COUNT, index % PORT_COUNT);
    if host >= CLIENT_COUNT {
        return Err(WriteError::TooMany);
    }
    let too_many = |_| WriteError::TooMany;
    let host = u32::from(CLIENTS) + u32::try_from(host).map_err(too_many)?;
    let port = FIRST_PORT + u16::try_from(port).map_err(too_many)?;
    Ok(SocketAddrV4::new(host.into(), port))
}

/// The blocks that stand before the packets.
fn head() -> Result<Vec<u8>, WriteError> {
    let mut section = SectionHeaderBlock {
        block_type: 0,
        block_len1: 0,
        bom: 0,
        major_version: 0,
        minor_version: 0,
        section_len: -1,
        options: vec![option(
            OptionCode::ShbUserAppl,
            concat!("reqmtls ", env!("CARGO_PKG_VERSION")),
        )],
        block_len2: 0,
    };
    let mut interface = InterfaceDescriptionBlock {
        block_type: 0,
        block_len1: 0,
        linktype: Linktype::RAW,
        reserved: 0,
        snaplen: 0,
        options: Vec::new(),
        block_len2: 0,
        if_tsresol: RESOLUTION,
        if_tsoffset: 0,
    };
    let mut file = encode(&mut section, "section header block")?;
    // Wireshark's tools look for interfaces up to the first block that is none.
    file.extend(encode(&mut interface, "interface description block")?);
    Ok(file)
}

/// A Decryption Secrets Block.
fn secrets_block(secrets: &KeyLog) -> Result<Vec<u8>, WriteError> {
    let lines = secrets.to_string();
    let what = "decryption secrets block";
    let mut block = DecryptionSecretsBlock {
        block_type: 0,
        block_len1: 0,
        secrets_type: SecretsType::TlsKeyLog,
        secrets_len: u32::try_from(lines.len()).map_err(|_| WriteError::Encode(what))?,
        data: lines.as_bytes(),
        options: Vec::new(),
        block_len2: 0,
    };
    encode(&mut block, what)
}

fn encode(block: &mut impl ToVec, what: &'static str) -> Result<Vec<u8>, WriteError> {
    block.to_vec().map_err(|_| WriteError::Encode(what))
}

/// An option; text that is longer than one can be is cut.
fn option(code: OptionCode, text: &str) -> PcapNGOption<'_> {
    let text = &text[..text.floor_char_boundary(text.len().min(u16::MAX.into()))];
    PcapNGOption {
        code,
        len: u16::try_from(text.len()).unwrap_or(u16::MAX),
        value: Cow::Borrowed(text.as_bytes()),
    }
}

/// What a segment does besides carrying octets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Syn,
    None,
    Fin,
    Rst,
}

/// One connection on its way into the file.
struct Stream<'a> {
    name: &'a str,
    /// That of its first packet.
    comment: &'a str,
    client: SocketAddrV4,
    start: Duration,
    /// What each side has sent in the space of sequence numbers, SYN and FIN included.
    sent: [u32; 2],
    ended: [bool; 2],
    file: &'a mut Vec<u8>,
}

impl Stream<'_> {
    fn write(mut self, recording: &Recording) -> Result<(), WriteError> {
        self.segment(Duration::ZERO, Side::Client, Flag::Syn, &[])?;
        self.segment(Duration::ZERO, Side::Server, Flag::Syn, &[])?;
        self.segment(Duration::ZERO, Side::Client, Flag::None, &[])?;
        let mut reset = [false; 2];
        for (number, event) in recording.events().iter().enumerate() {
            let (at, from) = (event.at, event.from);
            let over =
                reset[from as usize] || self.ended[from as usize] && event.what != What::Reset;
            if over {
                return Err(WriteError::AfterEnd {
                    connection: self.name.to_owned(),
                    event: number,
                    side: from,
                });
            }
            match &event.what {
                What::Data(Octets(bytes)) => {
                    for piece in bytes.chunks(SEGMENT_SIZE.into()) {
                        self.segment(at, from, Flag::None, piece)?;
                    }
                }
                What::HalfClose => {
                    self.ended[from as usize] = true;
                    self.segment(at, from, Flag::Fin, &[])?;
                }
                What::Reset => {
                    reset[from as usize] = true;
                    self.segment(at, from, Flag::Rst, &[])?;
                }
            }
        }
        Ok(())
    }

    fn segment(
        &mut self,
        at: Duration,
        from: Side,
        flag: Flag,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        const WHAT: &str = "segment";
        let broken = || WriteError::Encode(WHAT);
        let (source, destination) = match from {
            Side::Client => (self.client, SERVER),
            Side::Server => (SERVER, self.client),
        };
        let number =
            |side: Side| INITIAL_SEQUENCE[side as usize].wrapping_add(self.sent[side as usize]);
        let mut header = TcpHeader::new(source.port(), destination.port(), number(from), WINDOW.0);
        header.syn = flag == Flag::Syn;
        header.fin = flag == Flag::Fin;
        header.rst = flag == Flag::Rst;
        header.psh = !payload.is_empty();
        // Only the very first segment has nothing to acknowledge.
        let opening = header.syn && from == Side::Client;
        if !opening {
            header.ack = true;
            header.acknowledgment_number = number(from.peer());
        }
        if header.syn {
            let options = [
                TcpOptionElement::MaximumSegmentSize(SEGMENT_SIZE),
                TcpOptionElement::WindowScale(WINDOW.1),
            ];
            header.set_options(&options).map_err(|_| broken())?;
        }
        let counts = u32::from(header.syn || header.fin);
        let packet = PacketBuilder::ipv4(source.ip().octets(), destination.ip().octets(), 64)
            .tcp_header(header);
        let mut bytes = Vec::with_capacity(packet.size(payload.len()));
        packet.write(&mut bytes, payload).map_err(|_| broken())?;
        let length = u32::try_from(payload.len()).map_err(|_| broken())?;
        let sent = &mut self.sent[from as usize];
        *sent = sent.wrapping_add(counts).wrapping_add(length);
        let comment = opening.then_some(self.comment);
        self.packet(self.start.saturating_add(at), &bytes, comment)
    }

    fn packet(
        &mut self,
        at: Duration,
        bytes: &[u8],
        comment: Option<&str>,
    ) -> Result<(), WriteError> {
        const WHAT: &str = "packet with a time that a capture can hold";
        let broken = |_| WriteError::Encode(WHAT);
        let ticks = u64::try_from(at.as_nanos()).map_err(broken)?;
        let length = u32::try_from(bytes.len()).map_err(broken)?;
        let mut block = EnhancedPacketBlock {
            block_type: 0,
            block_len1: 0,
            if_id: 0,
            ts_high: u32::try_from(ticks >> 32).map_err(broken)?,
            ts_low: u32::try_from(ticks & u64::from(u32::MAX)).map_err(broken)?,
            caplen: length,
            origlen: length,
            data: bytes,
            options: comment
                .filter(|comment| !comment.is_empty())
                .map(|comment| option(OptionCode::Comment, comment))
                .into_iter()
                .collect(),
            block_len2: 0,
        };
        self.file.extend(encode(&mut block, WHAT)?);
        Ok(())
    }
}

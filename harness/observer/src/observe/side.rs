//! One side's records, read from first to last.

use super::hellos::Hellos;
use super::keys::{Keys, Opened, keys12};
use super::pending::Pending;
use crate::alert::Alert;
use crate::keylog::KeyLog;
use crate::message::HandshakeMessage;
use crate::record::{Record, Records, Rest};
use crate::tls12::Keys12;
use crate::transcript::{Content, Defect, Entry, Epoch, Place, Reason};
use reqmtls_vocabulary::{ContentType, HandshakeType, ProtocolVersion, Side};

/// The most compressed certificates of one side that are decompressed: a main handshake has one, and each
/// authentication after it another one.
const DECOMPRESSED: usize = 16;

/// Reads one side's records.
pub(super) struct SideReader<'a> {
    side: Side,
    version: Option<ProtocolVersion>,
    hellos: &'a Hellos,
    log: &'a KeyLog,
    keys: Keys,
    /// The keys of TLS 1.2, once its `ChangeCipherSpec` was seen.
    keys12: Option<Result<Keys12, Reason>>,
    handshake: Pending,
    client_hellos: usize,
    compressed_certificates: usize,
    closed: bool,
    found: Vec<Entry>,
    defects: Vec<Defect>,
    /// The reasons that are given once, however many records have them.
    given: Vec<Reason>,
}

impl<'a> SideReader<'a> {
    pub(super) fn new(side: Side, hellos: &'a Hellos, log: &'a KeyLog) -> Self {
        Self {
            side,
            version: hellos.version(),
            hellos,
            log,
            keys: Keys::new(side, hellos, log),
            keys12: None,
            handshake: Pending::default(),
            client_hellos: 0,
            compressed_certificates: 0,
            closed: false,
            found: Vec::new(),
            defects: Vec::new(),
            given: Vec::new(),
        }
    }

    /// Reads all records.
    pub(super) fn read(mut self, records: &Records<'_>) -> (Vec<Entry>, Vec<Defect>) {
        for (number, record) in records.records.iter().enumerate() {
            if self.closed {
                self.defect_once(Place::Record(number), Reason::AfterEnd);
            }
            self.record(number, record);
        }
        if !self.handshake.is_empty() {
            let place = Place::Record(self.handshake.origin.record);
            self.defect(place, Reason::TruncatedMessage);
        }
        match records.rest {
            Rest::None => {}
            Rest::Truncated { offset } => {
                self.defect(Place::Offset(offset), Reason::TruncatedRecord);
            }
            Rest::NotTls { offset, .. } => self.defect(Place::Offset(offset), Reason::NotTls),
        }
        (self.found, self.defects)
    }

    fn record(&mut self, number: usize, record: &Record<'_>) {
        if self.keys12.is_some() {
            self.protected12(number, record);
        } else if record.content_type == ContentType::APPLICATION_DATA {
            self.protected(number, record);
        } else {
            self.content(
                number,
                record,
                Epoch::Plaintext,
                record.content_type,
                &record.payload,
            );
        }
    }

    /// A record of TLS 1.3 that is encrypted (RFC 9846 §5.2 (RFC 8446 §5.2)).
    fn protected(&mut self, number: usize, record: &Record<'_>) {
        match self.keys.open(record) {
            Opened::Under {
                epoch,
                inner,
                without_finished,
            } => {
                if without_finished {
                    self.defect(Place::Record(number), Reason::NoFinished);
                }
                if let Some(last) = inner.iter().rposition(|&octet| octet != 0) {
                    let content_type = ContentType(inner[last]);
                    self.content(number, record, epoch, content_type, &inner[..last]);
                } else {
                    let (reason, outer) = (Reason::NoContentType, record.content_type);
                    self.malformed(number, record, epoch, outer, &inner, reason);
                }
            }
            Opened::Unreadable { epoch, reasons } => self.opaque(number, record, epoch, reasons),
        }
    }

    /// A record of TLS 1.2 after `ChangeCipherSpec`.
    fn protected12(&mut self, number: usize, record: &Record<'_>) {
        let opened = match &mut self.keys12 {
            Some(Ok(keys)) => keys
                .open(record)
                .ok_or(Reason::DoesNotDecrypt(Epoch::Application)),
            Some(Err(reason)) => Err(reason.clone()),
            None => return,
        };
        match opened {
            Ok(content) => {
                self.content(
                    number,
                    record,
                    Epoch::Application,
                    record.content_type,
                    &content,
                );
            }
            Err(reason) => self.opaque(number, record, Epoch::Application, vec![reason]),
        }
    }

    fn opaque(&mut self, number: usize, record: &Record<'_>, epoch: Epoch, reasons: Vec<Reason>) {
        for reason in reasons {
            match reason {
                Reason::DoesNotDecrypt(_) => self.defect(Place::Record(number), reason),
                _ => self.defect_once(Place::Record(number), reason),
            }
        }
        let content_type = record.content_type;
        let content = Content::Opaque {
            content_type,
            len: record.payload.len(),
        };
        self.push(number, record, epoch, content, &[]);
    }

    /// A record's content, decrypted where need be.
    fn content(
        &mut self,
        number: usize,
        record: &Record<'_>,
        epoch: Epoch,
        content_type: ContentType,
        bytes: &[u8],
    ) {
        match content_type {
            ContentType::HANDSHAKE => self.fragment(number, record, epoch, bytes),
            ContentType::APPLICATION_DATA => {
                let content = Content::ApplicationData { len: bytes.len() };
                self.push(number, record, epoch, content, &[]);
            }
            ContentType::ALERT => {
                if let Some(alert) = Alert::decode(bytes) {
                    self.closed |= alert.is_last(self.version);
                    self.push(number, record, epoch, Content::Alert(alert), bytes);
                } else {
                    let reason = Reason::AlertLength(bytes.len());
                    self.malformed(number, record, epoch, content_type, bytes, reason);
                }
            }
            ContentType::CHANGE_CIPHER_SPEC if epoch == Epoch::Plaintext => {
                self.push(number, record, epoch, Content::ChangeCipherSpec, &[]);
                if self
                    .version
                    .is_some_and(|version| version < ProtocolVersion::TLS13)
                {
                    self.keys12 = Some(keys12(self.side, self.hellos, self.log));
                }
            }
            _ => {
                let reason = Reason::UnexpectedType(content_type);
                self.malformed(number, record, epoch, content_type, bytes, reason);
            }
        }
    }

    fn malformed(
        &mut self,
        number: usize,
        record: &Record<'_>,
        epoch: Epoch,
        content_type: ContentType,
        bytes: &[u8],
        reason: Reason,
    ) {
        self.defect(Place::Record(number), reason);
        self.push(
            number,
            record,
            epoch,
            Content::Malformed { content_type },
            bytes,
        );
    }

    /// A fragment of handshake messages (RFC 9846 §5.1 (RFC 8446 §5.1)).
    fn fragment(&mut self, number: usize, record: &Record<'_>, epoch: Epoch, bytes: &[u8]) {
        if self.handshake.epoch != Some(epoch) {
            self.abandon_message();
            self.handshake.epoch = Some(epoch);
        }
        self.handshake.add(number, record, bytes);
        let version = self.version.unwrap_or(ProtocolVersion::TLS13);
        let mut rekeyed = false;
        while let Some((kind, raw, origin)) = self.handshake.take(number, record) {
            self.compressed_certificates +=
                usize::from(kind == HandshakeType::COMPRESSED_CERTIFICATE);
            let decompresses = self.compressed_certificates <= DECOMPRESSED;
            let message = HandshakeMessage::read_with(kind, &raw[4..], version, decompresses);
            rekeyed |= self.change_keys(epoch, &message);
            self.found.push(Entry {
                from: self.side,
                epoch,
                at: record.at,
                start: origin.start,
                arrival: record.arrival,
                records: origin.record..number + 1,
                wire_len: origin.wire_len,
                content: Content::Message(message),
                raw: raw.into(),
            });
        }
        if rekeyed {
            self.abandon_message();
        }
    }

    /// Follows a message after which its sender uses other keys; returns whether
    /// it is one.
    fn change_keys(&mut self, epoch: Epoch, message: &HandshakeMessage) -> bool {
        match (epoch, message) {
            (Epoch::Plaintext, HandshakeMessage::ClientHello(_)) => {
                self.client_hellos += 1;
                // No early data follows a second ClientHello (RFC 9846 §4.3.10 (RFC 8446 §4.2.10)).
                if self.client_hellos > 1 {
                    self.keys.advance(Epoch::Handshake);
                }
                false
            }
            (Epoch::EarlyData, HandshakeMessage::EndOfEarlyData) => {
                self.keys.advance(Epoch::Handshake);
                true
            }
            (Epoch::Handshake, HandshakeMessage::Finished) => {
                self.keys.advance(Epoch::Application);
                true
            }
            (Epoch::Application, HandshakeMessage::KeyUpdate { .. }) => {
                self.keys.update();
                true
            }
            _ => false,
        }
    }

    fn abandon_message(&mut self) {
        if !self.handshake.is_empty() {
            self.handshake.clear();
            let place = Place::Record(self.handshake.origin.record);
            self.defect(place, Reason::SpansKeyChange);
        }
    }

    fn push(
        &mut self,
        number: usize,
        record: &Record<'_>,
        epoch: Epoch,
        content: Content,
        raw: &[u8],
    ) {
        self.found.push(Entry {
            from: self.side,
            epoch,
            at: record.at,
            start: record.start,
            arrival: record.arrival,
            records: number..number + 1,
            wire_len: record.wire_len(),
            content,
            raw: raw.into(),
        });
    }

    fn defect(&mut self, place: Place, reason: Reason) {
        self.defects.push(Defect {
            side: self.side,
            place,
            reason,
        });
    }

    fn defect_once(&mut self, place: Place, reason: Reason) {
        if !self.given.contains(&reason) {
            self.given.push(reason.clone());
            self.defect(place, reason);
        }
    }
}

//! The typed, decrypted sequence of messages of one connection.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::bytes::{Octets, Octets32};
use crate::keylog::Label;
use crate::message::HandshakeMessage;
use reqmtls_vocabulary::{CipherSuite, ContentType, ProtocolVersion, Side};

use crate::recording::Ending;

/// What passed between two ends, from what was recorded alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The random of the ClientHello, by which key logs name the connection.
    pub client_random: Option<Octets32>,
    /// The version that the ServerHello chose.
    pub version: Option<ProtocolVersion>,
    /// The cipher suite that the ServerHello chose.
    pub cipher_suite: Option<CipherSuite>,
    /// What was sent, in canonical order (see the module's documentation).
    pub entries: Vec<Entry>,
    /// How the client's direction ended.
    pub client_ending: Ending,
    /// How the server's direction ended.
    pub server_ending: Ending,
    /// The side whose direction ended first; `None` if neither had ended when the recording stopped.
    pub ended_first: Option<Side>,
    /// Maximal runs of bytes of one side, in the order of time.
    pub flights: Vec<Flight>,
    /// What could not be read, the client's first, each side's in the order of its bytes.
    pub defects: Vec<Defect>,
}

impl Transcript {
    /// Maximal runs of bytes of one side, in the order of time.
    #[must_use]
    pub fn flights(&self) -> &[Flight] {
        &self.flights
    }

    /// How many bytes a side sent, record headers included.
    #[must_use]
    pub fn bytes(&self, from: Side) -> usize {
        let flights = self.flights.iter().filter(|flight| flight.from == from);
        flights.map(|flight| flight.bytes).sum()
    }

    /// The handshake messages that a side sent, in canonical order.
    pub fn messages(&self, from: Side) -> impl Iterator<Item = &HandshakeMessage> {
        self.entries
            .iter()
            .filter(move |entry| entry.from == from)
            .filter_map(Entry::message)
    }

    /// The alerts that a side sent, in canonical order.
    pub fn alerts(&self, from: Side) -> impl Iterator<Item = Alert> {
        let entries = self.entries.iter().filter(move |entry| entry.from == from);
        entries.filter_map(|entry| match entry.content {
            Content::Alert(alert) => Some(alert),
            _ => None,
        })
    }
}

/// Under which keys something was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Epoch {
    /// None.
    Plaintext,
    /// The client's early traffic keys.
    EarlyData,
    /// Handshake traffic keys.
    Handshake,
    /// Application traffic keys; for TLS 1.2 the only keys that there are.
    Application,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plaintext => "plaintext",
            Self::EarlyData => "early data",
            Self::Handshake => "handshake",
            Self::Application => "application",
        })
    }
}

/// One thing that a side sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who sent it.
    pub from: Side,
    /// Under which keys.
    pub epoch: Epoch,
    /// When its last byte was relayed, since the start of the recording.
    pub at: Duration,
    /// Place in the recording of the event that brought the first byte of its first record.
    pub start: usize,
    /// Place in the recording of the event that completed it: the one that brought the last byte of its last record.
    pub arrival: usize,
    /// The numbers of the side's records that carry it, the first being 0.
    pub records: Range<usize>,
    /// Length of those records in bytes, headers included. A record that
    /// carries several messages counts for each of them.
    pub wire_len: usize,
    /// What it is.
    pub content: Content,
    /// A message's bytes with its header of four octets; the content of an
    /// alert or of a malformed record; else empty.
    pub raw: Octets,
}

impl Entry {
    /// The handshake message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<&HandshakeMessage> {
        match &self.content {
            Content::Message(message) => Some(message),
            _ => None,
        }
    }
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A handshake message.
    Message(HandshakeMessage),
    /// An alert.
    Alert(Alert),
    /// Application data; what a side sends without anything between is one entry.
    ApplicationData {
        /// Length in bytes, without padding.
        len: usize,
    },
    /// A change of ciphers: in TLS 1.3 without meaning (RFC 9846 §E.4 (RFC 8446 §D.4)).
    ChangeCipherSpec,
    /// Records that could not be decrypted; a defect gives the reason.
    Opaque {
        /// The content type on the outside.
        content_type: ContentType,
        /// Length of the ciphertexts in bytes.
        len: usize,
    },
    /// A record whose content is not what its content type demands.
    Malformed {
        /// The content type, the inner one if there is one.
        content_type: ContentType,
    },
}

/// A maximal run of bytes of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Flight {
    /// Who sent them.
    pub from: Side,
    /// When the first of them was relayed, since the start of the recording.
    pub at: Duration,
    /// How many they are.
    pub bytes: usize,
}

/// Something that could not be read, or should not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// Whose bytes they are.
    pub side: Side,
    /// Where among them.
    pub place: Place,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Offset(offset) => write!(f, "{}, octet {offset}: ", self.side.name())?,
            Place::Record(record) => write!(f, "{}, record {record}: ", self.side.name())?,
        }
        self.reason.fmt(f)
    }
}

/// A place in what one side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Offset of a byte.
    Offset(usize),
    /// Number of a record, the first being 0.
    Record(usize),
}

/// What is wrong with what a side sent, or with the secrets for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The client's bytes do not begin with a ClientHello.
    #[error("no ClientHello")]
    NoClientHello,
    /// Records are encrypted, and nothing shows with what.
    #[error("encrypted records, but no ServerHello")]
    NoServerHello,
    /// The key log does not hold a secret that is needed.
    #[error("no secret {0} for this connection")]
    NoSecret(Label),
    /// The secret is not as long as the suite's hash.
    #[error("secret {0} does not fit the cipher suite")]
    SecretLength(Label),
    /// The observer cannot decrypt this cipher suite.
    #[error("cannot decrypt cipher suite {0}")]
    CipherSuite(CipherSuite),
    /// The secret is there, and the record is not sealed with it.
    #[error("record does not decrypt under {0} keys")]
    DoesNotDecrypt(Epoch),
    /// The side went on to its application keys without Finished.
    #[error("application keys without Finished")]
    NoFinished,
    /// An encrypted record holds nothing but padding (RFC 9846 §5.4 (RFC 8446 §5.4)).
    #[error("encrypted record without a content type")]
    NoContentType,
    /// A handshake message goes on across a change of keys (RFC 9846 §5.1 (RFC 8446 §5.1)).
    #[error("handshake message spans a change of keys")]
    SpansKeyChange,
    /// The side's bytes end within a handshake message.
    #[error("handshake message truncated at end of stream")]
    TruncatedMessage,
    /// The side's bytes end within a record.
    #[error("record truncated at end of stream")]
    TruncatedRecord,
    /// The side sent something that is not TLS.
    #[error("bytes that are not a TLS record")]
    NotTls,
    /// An alert record does not hold exactly one alert (RFC 9846 §5.1 (RFC 8446 §5.1)).
    #[error("alert of {0} bytes, expected 2")]
    AlertLength(usize),
    /// A record of this type has no place in TLS.
    #[error("unexpected record of type {0}")]
    UnexpectedType(ContentType),
    /// The side sent more after `close_notify`, or after an alert that ends the connection with an error
    /// (RFC 9846 §6.1, §6.2 (RFC 8446 §6.1, §6.2)).
    #[error("bytes after end: more records after a closing alert")]
    AfterEnd,
}

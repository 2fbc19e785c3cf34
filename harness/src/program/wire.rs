//! One connection of a program, as the wire shows it.

use std::fmt;

use reqmtls_observer::{AlertDescription, Content, Ending, HandshakeMessage, Side};
use reqmtls_vocabulary::words;
use serde::{Deserialize, Serialize};

use crate::judge::requirement::Id;
use crate::judge::{self, Finding, Party, Recorded, Ruling};

words! {
    /// How a connection went.
    pub enum Course {
        /// The server answered the request.
        Answered = "answered",
        /// The server refused it, by an alert.
        Refused = "refused",
        /// The client refused it, by an alert.
        Objected = "objected",
        /// The client closed it when it was asked for a certificate, without an alert.
        Dropped = "dropped",
        /// The client closed it without a request, after a handshake or in place of one.
        Left = "left",
        /// It was still open when the deadline of the program had passed.
        Open = "open",
    }
}

words! {
    /// What a client sent of itself.
    pub enum Sent {
        /// No Certificate.
        Nothing = "nothing",
        /// A Certificate message without a certificate.
        Empty = "empty",
        /// A certificate.
        Certificate = "certificate",
    }
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Whether the server sent CertificateRequest.
    pub asked: bool,
    /// What the client sent of itself.
    pub sent: Sent,
    /// How it went.
    pub course: Course,
    /// The error alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// The version that was negotiated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The requirements that the client violates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violates: Vec<Id>,
}

impl Connection {
    /// Reads it off; `is_cut`: the program was ended while it was open, which is no fault of it.
    pub(super) fn of(recorded: &Recorded, is_cut: bool) -> Self {
        let transcript = &recorded.transcript;
        let judged =
            judge::Connection::judged(transcript.clone(), recorded.knowledge.clone(), None);
        let facts = &judged.facts;
        let mut messages = transcript.messages(Side::Client);
        let sent = match messages.find(|message| message.is_certificate()) {
            Some(_) if facts.client_certificate.is_some() => Sent::Certificate,
            Some(message) if is_unread(message) => Sent::Certificate,
            Some(_) => Sent::Empty,
            None => Sent::Nothing,
        };
        let mut entries = transcript.entries.iter();
        let is_answered = entries.any(|entry| {
            entry.from == Side::Server && matches!(entry.content, Content::ApplicationData { .. })
        });
        let course = match facts.alert {
            Some((Side::Server, _)) => Course::Refused,
            Some((Side::Client, _)) => Course::Objected,
            None if is_answered => Course::Answered,
            None if is_cut || transcript.ending(Side::Client) == Ending::Open => Course::Open,
            None if facts.certificate_request && sent == Sent::Nothing => Course::Dropped,
            None => Course::Left,
        };
        let findings = judged.rulings.iter().filter_map(Ruling::finding);
        let of_client = findings.filter(|it| !is_cut && it.counts() && it.party == Party::Client);
        let mut violates: Vec<_> = of_client.flat_map(|it: Finding| it.requirements).collect();
        violates.sort_unstable();
        violates.dedup();
        Self {
            asked: facts.certificate_request,
            sent,
            course,
            alert: facts.alert.map(|(_, alert)| alert.description.0),
            version: transcript.version.map(|version| version.to_string()),
            violates,
        }
    }

    /// The name of its alert, with its number.
    pub(super) fn alert(&self) -> Option<String> {
        let number = self.alert?;
        Some(format!("{}({number})", AlertDescription(number)))
    }
}

/// Whether a Certificate is one that cannot be read: it is not known to be empty.
fn is_unread(message: &HandshakeMessage) -> bool {
    match message {
        HandshakeMessage::CompressedCertificate(compressed) => compressed.certificate.is_err(),
        HandshakeMessage::Malformed { .. } => true,
        _ => false,
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.asked { "asked" } else { "not asked" })?;
        match self.sent {
            Sent::Nothing => {}
            Sent::Empty => f.write_str(", empty Certificate")?,
            Sent::Certificate => f.write_str(", certificate")?,
        }
        write!(f, ", {}", self.course)?;
        self.alert().map_or(Ok(()), |alert| write!(f, " {alert}"))
    }
}

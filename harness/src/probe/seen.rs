//! What one connection shows, in short.

use std::fmt;

use reqmtls_observer::{
    Alert, AlertDescription, Content, Ending, Entry, Epoch, ExtensionType, HandshakeMessage, Side,
    Transcript,
};
use reqmtls_vocabulary::{Codepoints, ProtocolVersion, words};
use serde::Serialize;

use crate::judge::alert_name;

words! {
    /// How a connection went, as the wire shows it.
    pub enum Outcome {
        /// The handshake was completed, and the server sent application data.
        Answered = "answered",
        /// The handshake was completed, and the server sent close_notify in place of an answer.
        Closed = "closed",
        /// The handshake was completed, and nothing more came within the time that an answer is awaited.
        Silent = "silent",
        /// The server sent an error alert.
        Refused = "refused",
        /// The server ended the connection by neither an alert nor close_notify.
        Dropped = "dropped",
        /// The reference client sent an error alert.
        ClientRefused = "client-refused",
        /// The handshake was not completed in time.
        Unfinished = "unfinished",
        /// No connection was made, or what stands before TLS went wrong.
        NotReached = "not-reached",
    }
}

impl Outcome {
    /// Whether TLS stood: the handshake was completed, and no alert followed.
    #[must_use]
    pub fn stands(self) -> bool {
        matches!(self, Self::Answered | Self::Closed | Self::Silent)
    }
}

/// An error alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AlertSeen {
    /// Its number in the TLS Alerts registry.
    pub number: u8,
    /// Its name there, if it is known here.
    pub name: Option<&'static str>,
}

impl From<Alert> for AlertSeen {
    fn from(alert: Alert) -> Self {
        Self {
            number: alert.description.0,
            name: alert.description.name(),
        }
    }
}

impl fmt::Display for AlertSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&alert_name(AlertDescription(self.number)))
    }
}

/// What one connection shows, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that is seen or not"
)]
pub struct Seen {
    /// How it went.
    pub outcome: Outcome,
    /// The alert, if one end sent an error alert: the server's, else the client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertSeen>,
    /// Whether the server chose TLS 1.3; absent: it chose nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls13: Option<bool>,
    /// Whether the server sent HelloRetryRequest.
    pub retried: bool,
    /// Whether the server sent CertificateRequest in the main handshake.
    pub asked: bool,
    /// Whether that carried `tls_flags` with the request flag, as the editor's copy acknowledges it.
    pub acknowledged: bool,
    /// Whether the server sent CertificateRequest after the handshake.
    pub asked_late: bool,
    /// Whether the server authenticated with the session that the client offered.
    pub resumed: bool,
    /// Whether the server accepted early data; absent: none was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_data: Option<bool>,
    /// Whether the server sent a session ticket.
    pub ticket: bool,
}

impl Seen {
    /// A connection that was not made.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            outcome: Outcome::NotReached,
            alert: None,
            tls13: None,
            retried: false,
            asked: false,
            acknowledged: false,
            asked_late: false,
            resumed: false,
            early_data: None,
            ticket: false,
        }
    }

    /// Reads it off a transcript.
    #[must_use]
    pub fn of(transcript: &Transcript, codepoints: Codepoints) -> Self {
        let of_server = || transcript.messages(Side::Server);
        let error = |side| transcript.alerts(side).find(|alert| alert.is_error());
        let requests = transcript.entries.iter().filter(|entry| {
            matches!(
                entry.message(),
                Some(
                    HandshakeMessage::CertificateRequest(_)
                        | HandshakeMessage::CertificateRequest12(_)
                )
            )
        });
        let (late, main): (Vec<_>, Vec<_>) =
            requests.partition(|entry| entry.epoch == Epoch::Application);
        let acknowledges = |entry: &&Entry| {
            let mut extensions = entry.message().into_iter().flat_map(|it| it.extensions());
            extensions.any(|extension| {
                let flags = extension.tls_flags(codepoints);
                matches!(flags, Some(Ok(flags)) if flags.contains(codepoints.flag))
            })
        };
        let carries = |message: &HandshakeMessage, kind| {
            let mut extensions = message.extensions().into_iter();
            extensions.any(|extension| extension.kind == kind)
        };
        let offers_early = transcript
            .messages(Side::Client)
            .any(|message| carries(message, ExtensionType::EARLY_DATA));
        let accepts_early = of_server().any(|message| {
            matches!(message, HandshakeMessage::EncryptedExtensions { .. })
                && carries(message, ExtensionType::EARLY_DATA)
        });
        Self {
            outcome: outcome(transcript),
            alert: error(Side::Server)
                .or(error(Side::Client))
                .map(AlertSeen::from),
            tls13: transcript
                .version
                .map(|version| version == ProtocolVersion::TLS13),
            retried: of_server()
                .any(|message| matches!(message, HandshakeMessage::HelloRetryRequest(_))),
            asked: !main.is_empty(),
            acknowledged: main.iter().any(acknowledges),
            asked_late: !late.is_empty(),
            resumed: of_server().any(|message| {
                matches!(message, HandshakeMessage::ServerHello(_))
                    && carries(message, ExtensionType::PRE_SHARED_KEY)
            }),
            early_data: offers_early.then_some(accepts_early),
            ticket: of_server()
                .any(|message| matches!(message, HandshakeMessage::NewSessionTicket { .. })),
        }
    }

    /// How it went and by which alert, which two connections may have in common.
    #[must_use]
    pub fn reaction(&self) -> Reaction {
        Reaction {
            outcome: self.outcome,
            alert: self.alert,
        }
    }
}

impl Reaction {
    /// Whether TLS came to the same: what is said on top of it is no matter of flags.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self == other || (self.outcome.stands() && other.outcome.stands())
    }
}

/// How a server took something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reaction {
    /// How the connection went.
    pub outcome: Outcome,
    /// The alert that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertSeen>,
}

impl fmt::Display for Reaction {
    /// As what a server does: `goes on`, `refuses by certificate_required(116)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.outcome, self.alert) {
            (Outcome::Refused, Some(alert)) => write!(f, "refuses by {alert}"),
            (Outcome::ClientRefused, Some(alert)) => {
                write!(f, "is refused by the probe's client by {alert}")
            }
            (Outcome::Answered, _) => f.write_str("goes on"),
            (Outcome::Closed, _) => f.write_str("closes in place of an answer"),
            (Outcome::Silent, _) => f.write_str("completes the handshake and answers nothing"),
            (Outcome::Dropped, _) => f.write_str("drops the connection without an alert"),
            (Outcome::Unfinished, _) => f.write_str("does not complete the handshake in time"),
            (_, _) => f.write_str("is not reached"),
        }
    }
}

fn outcome(transcript: &Transcript) -> Outcome {
    let error = |side| transcript.alerts(side).any(Alert::is_error);
    let finished = |side| {
        let mut messages = transcript.messages(side);
        messages.any(|message| *message == HandshakeMessage::Finished)
    };
    let entry = |side, wanted: &dyn Fn(&Content) -> bool| {
        let mut entries = transcript.entries.iter();
        entries.find(|entry| entry.from == side && wanted(&entry.content))
    };
    let is_close =
        |content: &Content| matches!(content, Content::Alert(alert) if alert.is_close_notify());
    let is_data = |content: &Content| matches!(content, Content::ApplicationData { .. });
    let closed = |side| entry(side, &is_close);
    let stands = Side::BOTH.into_iter().all(finished);
    let is_first =
        |entry: &Entry| closed(Side::Client).is_none_or(|ours| entry.arrival < ours.arrival);
    let has_ended = transcript.ending(Side::Server) != Ending::Open
        && transcript.ended_first == Some(Side::Server);
    if error(Side::Server) {
        Outcome::Refused
    } else if error(Side::Client) {
        Outcome::ClientRefused
    } else if stands && entry(Side::Server, &is_data).is_some() {
        Outcome::Answered
    } else if closed(Side::Server).is_some_and(is_first) && stands {
        Outcome::Closed
    } else if has_ended {
        Outcome::Dropped
    } else if stands {
        Outcome::Silent
    } else {
        Outcome::Unfinished
    }
}

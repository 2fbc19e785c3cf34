//! A connection that somebody recorded: judged as one of a cell is, by what is known of it.

use std::fmt;
use std::net::SocketAddr;

use reqmtls_contract::Revision;
use reqmtls_observer::capture::{Connection, Gap};
use reqmtls_observer::{Codepoints, DEFAULT_FLAG, KeyLog, Transcript};

use super::check::{self, View};
use super::evidence::is_judged;
use super::{Knowledge, Ruling};

/// A connection that somebody recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The name that the capture gives it, else its two ends.
    pub name: String,
    /// The end that opened it.
    pub client: SocketAddr,
    /// The end that was called.
    pub server: SocketAddr,
    /// What passed.
    pub transcript: Transcript,
    /// What is not in the capture.
    pub gaps: Vec<Gap>,
    /// What is known beyond that.
    pub knowledge: Knowledge,
    /// Whence the number of the extension is.
    pub numbering: Numbering,
    /// Why what the capture says of the connection is not used, if it says something that looks like knowledge.
    pub unused_note: Option<String>,
}

/// Whence the number of the extension `tls_flags` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// The user gave it.
    Given,
    /// The capture has it in what it says of the connection.
    Noted,
    /// Of the known numbers it is the one under which flags stand.
    Detected,
    /// Flags stand under none of the known numbers.
    Assumed,
}

impl Numbering {
    /// The number of the extension where the user gives this one or none, and whence it is.
    #[must_use]
    pub fn of(transcript: &Transcript, given: Option<u16>) -> (u16, Self) {
        if let Some(number) = given {
            return (number, Self::Given);
        }
        match transcript.flags_extension() {
            Some(number) => (number.0, Self::Detected),
            None => (Codepoints::default().extension.0, Self::Assumed),
        }
    }
}

impl fmt::Display for Numbering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "as --extension says",
            Self::Noted => "as the capture says",
            Self::Detected => "detected; --extension NUMBER decides",
            Self::Assumed => "assumed: no flags under 62 or 0xfe01; --extension NUMBER decides",
        })
    }
}

impl Recorded {
    /// Decrypts a connection of a capture. What is known of it is what the capture says; without that, the numbers.
    #[must_use]
    pub fn of(connection: &Connection, log: &KeyLog) -> Self {
        let transcript = Transcript::observe(&connection.recording, log);
        let (noted, unused_note) = noted(connection.note.as_deref());
        let (knowledge, numbering) = noted.map_or_else(
            || {
                let (extension, numbering) = Numbering::of(&transcript, None);
                let nothing = Knowledge::none(DEFAULT_FLAG, Revision::Draft02);
                let knowledge = Knowledge {
                    extension,
                    ..nothing
                };
                (knowledge, numbering)
            },
            |knowledge| (knowledge, Numbering::Noted),
        );
        Self {
            name: connection.name.clone(),
            client: connection.client,
            server: connection.server,
            transcript,
            gaps: connection.gaps.clone(),
            knowledge,
            numbering,
            unused_note,
        }
    }

    /// What each requirement that applies says; `None` if the connection is not of TLS 1.3, and nothing of it
    /// concerns `tls_flags` either.
    #[must_use]
    pub fn rulings(&self) -> Option<Vec<Ruling>> {
        let view = View::new(&self.transcript, &self.knowledge);
        let rulings = check::rule(&view);
        (view.is_tls13() || !rulings.is_empty()).then_some(rulings)
    }

    /// Whether all of it could be read. What depends on the rest is not judged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let mut defects = self.transcript.defects.iter();
        self.gaps.is_empty() && defects.all(|defect| is_judged(&defect.reason))
    }
}

/// What a capture says of a connection, or why that is not used. Captures of others have comments of any kind.
fn noted(note: Option<&str>) -> (Option<Knowledge>, Option<String>) {
    let Some(note) = note.filter(|note| note.starts_with('{')) else {
        return (None, None);
    };
    match serde_json::from_str(note) {
        Ok(knowledge) => (Some(knowledge), None),
        Err(error) => (None, Some(error.to_string())),
    }
}

use reqmtls_vocabulary::words;
use serde::{Deserialize, Serialize};

use crate::{Answer, Hex};

/// What an end says of a job: the answer to `report`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// One for each connection that was opened, in sequence.
    pub connections: Vec<ConnectionReport>,
}

/// What an end says of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectionReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The library's own error text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The description of the fatal alert that the end sent, if the library tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_sent: Option<u8>,
    /// The description of the fatal alert that the end received, if the library tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_received: Option<u8>,
    /// Client: the `extension_data` of `tls_flags` that it sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_flags_sent: Option<Hex>,
    /// Server: the `extension_data` of `tls_flags` that it saw in ClientHello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_flags_received: Option<Hex>,
    /// SHA-256 of the other end's certificate (DER, end entity), if it sent one that was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_certificate: Option<Hex>,
    /// Whether the connection resumed a session, if the library tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// Whether early data was accepted, if any was offered and the library tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_data: Option<bool>,
    /// Client: what the server answered after the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Key log lines in NSS format.
    #[serde(default)]
    pub key_log: Vec<String>,
}

words! {
    /// How a connection ended.
    pub enum Outcome {
        /// Handshake, request, answer and `close_notify` all took place.
        Completed = "completed",
        /// TLS ended it: an error alert was sent or received, or the library gave up.
        Refused = "refused",
        /// Something else than TLS ended it: the transport, the deadline, a fault of the peer.
        Broken = "broken",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro that declares the enum derives the same for all"
)]
impl Default for Outcome {
    fn default() -> Self {
        Self::Broken
    }
}

impl ConnectionReport {
    /// Notes that the library ended the connection, in its own words.
    pub fn refuse(&mut self, error: &impl ToString) {
        self.outcome = Outcome::Refused;
        self.error = Some(error.to_string());
    }

    /// Notes that the connection broke without TLS ending it.
    pub fn break_off(&mut self, error: &impl ToString) {
        self.outcome = Outcome::Broken;
        self.error = Some(error.to_string());
    }

    /// What a server answers after the handshake.
    #[must_use]
    pub fn to_answer(&self) -> Answer {
        Answer {
            client_certificate: self.peer_certificate.clone(),
            tls_flags: self.tls_flags_received.clone(),
        }
    }
}

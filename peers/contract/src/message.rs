use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Description, Report};

/// The first line of each connection to a peer: what the connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "open", rename_all = "lowercase", deny_unknown_fields)]
pub enum Open {
    /// Asks and replies, a line of JSON each.
    Control {
        /// The contract's version.
        reqmtls: u32,
    },
    /// After one line of reply, raw TLS in the role that the job names.
    Tls {
        /// The contract's version.
        reqmtls: u32,
        /// The id of a prepared job.
        job: String,
        /// Which of the job's connections this is, from 0.
        connection: u32,
    },
}

/// A line that the harness writes on a control connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Ask {
    /// What are you?
    Describe,
    /// Get ready for this job.
    Prepare {
        /// The job, still as JSON: see [`crate::Job::from_value`].
        job: Value,
    },
    /// What became of this job? Ends the job.
    Report {
        /// The job's id.
        job: String,
    },
    /// Exit when this connection ends.
    Hold,
}

/// A line that the peer writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
pub enum Reply {
    /// To `describe`.
    Description(Description),
    /// To `prepare`: TLS connections of this job may come.
    Prepared,
    /// To `prepare`: the peer cannot do this.
    Unsupported {
        /// What it cannot do, by its name in the contract.
        capability: String,
    },
    /// To `report`.
    Report(Report),
    /// To `hold`.
    Held,
    /// To the first line of a TLS connection: the next octet is TLS.
    Open,
    /// To anything that makes no sense.
    Error {
        /// What was got and what was expected.
        message: String,
    },
}

impl Reply {
    /// An error reply.
    pub fn error(message: &impl ToString) -> Self {
        Self::Error {
            message: message.to_string(),
        }
    }
}

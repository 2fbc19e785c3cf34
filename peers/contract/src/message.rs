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
    /// After one line of reply, raw TLS, from the side that the job names.
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
///
/// What has no keys has braces all the same: for a variant without, serde would ignore unknown keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Ask {
    /// What are you?
    Describe {},
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
    Hold {},
}

/// A line that the peer writes. For the braces see [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "lowercase", deny_unknown_fields)]
pub enum Reply {
    /// To `describe`.
    Description(Description),
    /// To `prepare`: TLS connections of this job may come.
    Prepared {},
    /// To `prepare`: the peer cannot do this.
    Unsupported {
        /// What it cannot do, by its name in the contract.
        capability: String,
    },
    /// To `report`.
    Report(Report),
    /// To `hold`.
    Held {},
    /// To the first line of a TLS connection: the next octet is TLS.
    Open {},
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

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;
    use crate::{Answer, read_line};

    async fn refused<T: serde::de::DeserializeOwned>(line: &str) -> String {
        let line = format!("{line}\n");
        let read: Result<Option<T>, Error> = read_line(&mut line.as_bytes()).await;
        match read {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{line} was read"),
        }
    }

    #[tokio::test]
    async fn an_unknown_key_of_any_line_is_an_error() {
        let told = [
            refused::<Open>(r#"{"open":"control","reqmtls":2,"more":1}"#).await,
            refused::<Ask>(r#"{"ask":"describe","more":1}"#).await,
            refused::<Ask>(r#"{"ask":"hold","more":1}"#).await,
            refused::<Ask>(r#"{"ask":"report","job":"a","more":1}"#).await,
            refused::<Reply>(r#"{"reply":"prepared","more":1}"#).await,
            refused::<Reply>(r#"{"reply":"error","message":"","more":1}"#).await,
            refused::<Reply>(r#"{"reply":"report","connections":[],"more":1}"#).await,
            refused::<Reply>(r#"{"reply":"report","connections":[{"outcome":"broken","more":1}]}"#)
                .await,
            refused::<Answer>(r#"{"client_certificate":null,"tls_flags":null,"more":1}"#).await,
        ];
        for told in told {
            assert!(told.contains("unknown field `more`"), "{told}");
        }
    }

    #[tokio::test]
    async fn the_exchange_of_the_page_is_of_these_messages() {
        async fn read<T: serde::de::DeserializeOwned>(line: &str) -> T {
            let line = format!("{line}\n");
            let read = read_line(&mut line.as_bytes()).await;
            read.unwrap().unwrap()
        }
        let page = include_str!("../../README.md");
        let block = page
            .split("```text\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next());
        let mut kinds = std::collections::BTreeSet::new();
        for line in block.unwrap().lines() {
            if let Some((_, sent)) = line.split_once(" > ") {
                if sent.starts_with("{\"open\"") {
                    read::<Open>(sent).await;
                } else if let Ask::Prepare { job } = read(sent).await {
                    let job = crate::Job::from_value(&job).map_err(|error| error.to_string());
                    let expected = Err("unsupported: setup.delegated_credentials".to_owned());
                    assert!(job.is_ok() || job == expected, "{job:?}");
                }
            } else if let Some((_, replied)) = line.split_once(" < ") {
                let reply: Reply = read(replied).await;
                if let Reply::Report(report) = &reply {
                    assert!(!report.connections[0].key_log.is_empty());
                }
                let value = serde_json::to_value(&reply).unwrap();
                kinds.insert(value["reply"].as_str().unwrap().to_owned());
            }
        }
        let expected = [
            "description",
            "error",
            "held",
            "open",
            "prepared",
            "report",
            "unsupported",
        ];
        assert!(kinds.iter().eq(&expected), "{kinds:?}");
    }

    #[tokio::test]
    async fn a_line_is_an_object() {
        let told = refused::<Answer>("[null,null]").await;
        assert_eq!(
            told,
            r#"got "[null,null]", expected a line of the contract: not a JSON object"#
        );
    }
}

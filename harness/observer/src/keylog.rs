//! Secrets that the ends of a connection log, in the format of NSS.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bytes::{Octets, Octets32};
use reqmtls_vocabulary::Side;

/// Which secret a key log line holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Label {
    /// `CLIENT_EARLY_TRAFFIC_SECRET`: keys of 0-RTT data.
    ClientEarlyTraffic,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`
    ClientHandshakeTraffic,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`
    ServerHandshakeTraffic,
    /// `CLIENT_TRAFFIC_SECRET_0`
    ClientTraffic0,
    /// `SERVER_TRAFFIC_SECRET_0`
    ServerTraffic0,
    /// `EXPORTER_SECRET`
    Exporter,
    /// `EARLY_EXPORTER_SECRET`, which some libraries write `EARLY_EXPORTER_MASTER_SECRET`
    EarlyExporter,
    /// `CLIENT_RANDOM`: the master secret of TLS 1.2.
    Master,
    /// A label that is of no use here.
    Other(String),
}

impl Label {
    /// The least in their order.
    const FIRST: Self = Self::ClientEarlyTraffic;

    /// The label of a side's handshake traffic secret.
    #[must_use]
    pub fn handshake_traffic(side: Side) -> Self {
        match side {
            Side::Client => Self::ClientHandshakeTraffic,
            Side::Server => Self::ServerHandshakeTraffic,
        }
    }

    /// The label of a side's first application traffic secret.
    #[must_use]
    pub fn application_traffic(side: Side) -> Self {
        match side {
            Side::Client => Self::ClientTraffic0,
            Side::Server => Self::ServerTraffic0,
        }
    }

    /// The label as it stands in a key log.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::ClientEarlyTraffic => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::ClientHandshakeTraffic => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshakeTraffic => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientTraffic0 => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerTraffic0 => "SERVER_TRAFFIC_SECRET_0",
            Self::Exporter => "EXPORTER_SECRET",
            Self::EarlyExporter => "EARLY_EXPORTER_SECRET",
            Self::Master => "CLIENT_RANDOM",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        match name {
            "CLIENT_EARLY_TRAFFIC_SECRET" => Self::ClientEarlyTraffic,
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Self::ClientHandshakeTraffic,
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Self::ServerHandshakeTraffic,
            "CLIENT_TRAFFIC_SECRET_0" => Self::ClientTraffic0,
            "SERVER_TRAFFIC_SECRET_0" => Self::ServerTraffic0,
            "EXPORTER_SECRET" => Self::Exporter,
            "EARLY_EXPORTER_SECRET" | "EARLY_EXPORTER_MASTER_SECRET" => Self::EarlyExporter,
            "CLIENT_RANDOM" => Self::Master,
            _ => Self::Other(name.to_owned()),
        }
    }
}

impl From<String> for Label {
    fn from(name: String) -> Self {
        Self::from(&*name)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.name().to_owned()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a key log was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("key log line {line}: {problem}")]
pub struct KeyLogError {
    /// Number of the line, the first being 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: KeyLogProblem,
}

/// What is wrong with a key log line.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum KeyLogProblem {
    /// It has not three fields.
    #[error("got {0} fields, expected label, client random and secret")]
    Fields(usize),
    /// A field is not hexadecimal.
    #[error("{field} is not hexadecimal: {reason}")]
    Hexadecimal {
        /// `client random` or `secret`.
        field: &'static str,
        /// The hexadecimal decoder's error.
        reason: hex::FromHexError,
    },
    /// The client random has another length.
    #[error("client random has {0} bytes, expected 32")]
    RandomLength(usize),
    /// A secret that is needed has a length that no hash of TLS has.
    #[error("secret has {0} bytes, expected 32 or 48")]
    SecretLength(usize),
    /// The label holds characters that no label has and that should reach no terminal.
    #[error("label {0:?} holds other than visible ASCII characters")]
    Label(String),
    /// An earlier line holds another secret for the same label and client random.
    #[error("{0} differs from an earlier line for the same client random")]
    Conflict(Label),
}

/// In what two key logs of one connection differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyLogDifference {
    /// Only the second log has this secret.
    MissingInFirst(Label),
    /// Only the first log has this secret.
    MissingInSecond(Label),
    /// Both logs have this secret, and they differ.
    Secret(Label),
}

impl fmt::Display for KeyLogDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingInFirst(label) => write!(f, "{label} is missing in the first key log"),
            Self::MissingInSecond(label) => write!(f, "{label} is missing in the second key log"),
            Self::Secret(label) => write!(f, "{label} differs between the two key logs"),
        }
    }
}

/// Secrets of any number of connections, by client random. Prints as key log lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLog {
    secrets: BTreeMap<(Octets32, Label), Octets>,
}

impl KeyLog {
    /// Reads key log lines. Blank lines and lines that start with `#` are ignored.
    pub fn parse(text: &str) -> Result<Self, KeyLogError> {
        let mut log = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            log.line(line).map_err(|problem| KeyLogError {
                line: index + 1,
                problem,
            })?;
        }
        Ok(log)
    }

    fn line(&mut self, line: &str) -> Result<(), KeyLogProblem> {
        let mut fields = line.split_whitespace();
        let (Some(label), Some(random), Some(secret), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(KeyLogProblem::Fields(line.split_whitespace().count()));
        };
        if !label.chars().all(|c| c.is_ascii_graphic()) {
            return Err(KeyLogProblem::Label(label.to_owned()));
        }
        let label = Label::from(label);
        let random = <[u8; 32]>::try_from(decode("client random", random)?)
            .map_err(|random| KeyLogProblem::RandomLength(random.len()))?;
        let secret = decode("secret", secret)?;
        if !matches!((&label, secret.len()), (Label::Other(_), _) | (_, 32 | 48)) {
            return Err(KeyLogProblem::SecretLength(secret.len()));
        }
        match self.secrets.entry((Octets32(random), label)) {
            Entry::Occupied(earlier) if earlier.get()[..] != secret[..] => {
                Err(KeyLogProblem::Conflict(earlier.key().1.clone()))
            }
            Entry::Occupied(_) => Ok(()),
            Entry::Vacant(place) => {
                place.insert(Octets(secret));
                Ok(())
            }
        }
    }

    /// The secret for a label of the connection with this client random.
    #[must_use]
    pub fn get(&self, random: Octets32, label: &Label) -> Option<&[u8]> {
        self.secrets
            .get(&(random, label.clone()))
            .map(|secret| &secret[..])
    }

    /// The secrets of the connection with this client random.
    #[must_use]
    pub fn of(&self, random: Octets32) -> Self {
        let own = self.connection(random).into_iter();
        let own = own.map(|(label, secret)| ((random, label.clone()), secret.clone()));
        Self {
            secrets: own.collect(),
        }
    }

    /// Whether there is a secret of another connection than the one with this client random.
    #[must_use]
    pub fn has_other_than(&self, random: Octets32) -> bool {
        self.secrets.keys().any(|(other, _)| *other != random)
    }

    /// Whether there is no secret at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Adds the secrets of another log. Where both have one, this log's stays:
    /// [`KeyLog::compare`] reports whether they agree.
    pub fn merge(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for (key, secret) in other.secrets {
            self.secrets.entry(key).or_insert(secret);
        }
    }

    /// In what two logs differ for one connection, by label.
    #[must_use]
    pub fn compare(first: &Self, second: &Self, random: Octets32) -> Vec<KeyLogDifference> {
        let (first, second) = (first.connection(random), second.connection(random));
        let mut differences = Vec::new();
        for (label, secret) in &first {
            match second.get(label) {
                None => differences.push(KeyLogDifference::MissingInSecond((*label).clone())),
                Some(other) if other != secret => {
                    differences.push(KeyLogDifference::Secret((*label).clone()));
                }
                Some(_) => {}
            }
        }
        let missing = second.keys().filter(|label| !first.contains_key(*label));
        differences.extend(missing.map(|&label| KeyLogDifference::MissingInFirst(label.clone())));
        differences
    }

    fn connection(&self, of: Octets32) -> BTreeMap<&Label, &Octets> {
        let from = self.secrets.range((of, Label::FIRST)..);
        let own = from.take_while(|((random, _), _)| *random == of);
        own.map(|((_, label), secret)| (label, secret)).collect()
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, KeyLogProblem> {
    hex::decode(text).map_err(|reason| KeyLogProblem::Hexadecimal { field, reason })
}

impl fmt::Display for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((random, label), secret) in &self.secrets {
            writeln!(f, "{label} {random} {secret}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, random: u8, secret: u8) -> String {
        format!(
            "{label} {} {}\n",
            hex::encode([random; 32]),
            hex::encode([secret; 48])
        )
    }

    #[test]
    fn finds_secrets_by_client_random_and_label() {
        let text = format!(
            "# comment\n\n{}{}{}",
            line("CLIENT_TRAFFIC_SECRET_0", 1, 2),
            line("CLIENT_TRAFFIC_SECRET_0", 3, 4),
            line("CLIENT_RANDOM", 1, 5),
        );
        let log = KeyLog::parse(&text).unwrap();
        let get = |random, label| log.get(Octets32([random; 32]), &label);
        assert_eq!(get(1, Label::ClientTraffic0), Some(&[2; 48][..]));
        assert_eq!(get(3, Label::ClientTraffic0), Some(&[4; 48][..]));
        assert_eq!(get(1, Label::Master), Some(&[5; 48][..]));
        assert_eq!(get(3, Label::Master), None);
        assert!(log.has_other_than(Octets32([1; 32])));
        let own = log.of(Octets32([1; 32]));
        assert_eq!(own.to_string().lines().count(), 2);
        assert!(!own.has_other_than(Octets32([1; 32])));
        assert_eq!(KeyLog::parse(&log.to_string()).unwrap(), log);
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        let error = |text: &str| KeyLog::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("\nEXPORTER_SECRET 00"),
            "key log line 2: got 2 fields, expected label, client random and secret"
        );
        assert_eq!(
            error("EXPORTER_SECRET 00 00"),
            "key log line 1: client random has 1 bytes, expected 32"
        );
        assert_eq!(
            error(&format!("EXPORTER_SECRET {} 0011", "00".repeat(32))),
            "key log line 1: secret has 2 bytes, expected 32 or 48"
        );
        assert_eq!(
            error(&format!("EXPORTER_SECRET {} x0", "00".repeat(32))),
            "key log line 1: secret is not hexadecimal: Invalid character 'x' at position 0"
        );
    }

    #[test]
    fn rejects_a_label_with_control_characters() {
        let error = KeyLog::parse(&line("SOME\u{1b}[2J", 1, 2)).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"key log line 1: label "SOME\u{1b}[2J" holds other than visible ASCII characters"#
        );
    }

    #[test]
    fn rejects_two_secrets_for_one_label() {
        let text = line("EXPORTER_SECRET", 1, 2) + &line("EXPORTER_SECRET", 1, 3);
        let error = KeyLog::parse(&text).unwrap_err();
        assert_eq!(error.problem, KeyLogProblem::Conflict(Label::Exporter));
        assert!(KeyLog::parse(&line("EXPORTER_SECRET", 1, 2).repeat(2)).is_ok());
    }

    #[test]
    fn compares_two_logs_of_one_connection() {
        let first = line("CLIENT_TRAFFIC_SECRET_0", 1, 2)
            + &line("SERVER_TRAFFIC_SECRET_0", 1, 2)
            + &line("CLIENT_RANDOM", 1, 2);
        let second = line("CLIENT_TRAFFIC_SECRET_0", 1, 2)
            + &line("SERVER_TRAFFIC_SECRET_0", 1, 3)
            + &line("EXPORTER_SECRET", 1, 2)
            + &line("EXPORTER_SECRET", 9, 2);
        let [first, second] = [first, second].map(|text| KeyLog::parse(&text).unwrap());
        assert_eq!(
            KeyLog::compare(&first, &second, Octets32([1; 32])),
            [
                KeyLogDifference::Secret(Label::ServerTraffic0),
                KeyLogDifference::MissingInSecond(Label::Master),
                KeyLogDifference::MissingInFirst(Label::Exporter),
            ]
        );
        assert_eq!(KeyLog::compare(&first, &first, Octets32([1; 32])), []);
    }

    #[test]
    fn knows_the_other_name_of_the_early_exporter_secret() {
        let log = KeyLog::parse(&line("EARLY_EXPORTER_MASTER_SECRET", 1, 2)).unwrap();
        assert!(log.get(Octets32([1; 32]), &Label::EarlyExporter).is_some());
    }

    #[test]
    fn merging_leaves_the_first_secret() {
        let mut log = KeyLog::parse(&line("EXPORTER_SECRET", 1, 2)).unwrap();
        let other = line("EXPORTER_SECRET", 1, 9) + &line("CLIENT_RANDOM", 1, 3);
        log.merge(KeyLog::parse(&other).unwrap());
        assert_eq!(
            log.get(Octets32([1; 32]), &Label::Exporter),
            Some(&[2; 48][..])
        );
        assert_eq!(
            log.get(Octets32([1; 32]), &Label::Master),
            Some(&[3; 48][..])
        );
    }
}

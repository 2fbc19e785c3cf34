//! Octet strings that print and serialise as hexadecimal.

use std::fmt;
use std::ops::Deref;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Octets from the wire. Serialises as lower-case hexadecimal.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(pub Vec<u8>);

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Octets {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The hexadecimal text of octets for people: `…` stands for those after the first `most`.
#[must_use]
pub fn shortened(octets: &[u8], most: usize) -> String {
    let start = octets.get(..most).unwrap_or(octets);
    let more = if start.len() < octets.len() {
        "…"
    } else {
        ""
    };
    hex::encode(start) + more
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A certificate chain in full would bury everything around it.
        f.write_str(&shortened(&self.0, 16))?;
        match self.0.len() {
            0..=16 => Ok(()),
            length => write!(f, "({length} bytes)"),
        }
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Thirty-two octets: a hello's random or a SHA-256 fingerprint. Serialises
/// as lower-case hexadecimal.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(transparent)
)]
pub struct Octets32(
    #[cfg_attr(
        feature = "schema",
        schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$"))
    )]
    pub [u8; 32],
);

impl fmt::Display for Octets32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Octets32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Octets32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Octets32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let octets = Octets::deserialize(deserializer)?;
        <[u8; 32]>::try_from(octets.0).map(Self).map_err(|got| {
            D::Error::custom(format!(
                "got {} bytes of hexadecimal, expected 32",
                got.len()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialises_as_hexadecimal_and_back() {
        let octets = Octets(vec![0, 0xab, 255]);
        let json = serde_json::to_string(&octets).unwrap();
        assert_eq!(json, "\"00abff\"");
        assert_eq!(serde_json::from_str::<Octets>(&json).unwrap(), octets);
    }

    #[test]
    fn rejects_a_random_of_another_length() {
        let error = serde_json::from_str::<Octets32>("\"00ff\"").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("got 2 bytes of hexadecimal, expected 32")
        );
    }
}

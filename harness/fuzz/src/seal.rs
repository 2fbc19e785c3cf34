//! Records sealed with secrets that everybody knows (RFC 8446 §5.2, §5.3, §7.2, §7.3).
//!
//! A fuzzer cannot guess what an AEAD opens, so it tells what stands inside of a record, and the record is
//! sealed here.

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use hkdf::Hkdf;
use reqmtls_observer::{CipherSuite, KeyLog, Label, Octets32, Side};
use sha2::{Sha256, Sha384};

use crate::Keyed;

/// The length of the tag of either AEAD in octets.
const TAG: usize = 16;

/// The suites that are sealed with; for another one nothing is sealed.
#[derive(Clone, Copy)]
enum Suite {
    Aes128GcmSha256,
    Aes256GcmSha384,
}

/// Seals the records of both ends of one connection.
pub struct Sealer {
    client_random: Octets32,
    suite: Suite,
    traffic: BTreeMap<(Side, Keyed), Traffic>,
}

/// One end's keys of one epoch.
struct Traffic {
    secret: Vec<u8>,
    sequence: u64,
}

impl Sealer {
    /// Seals for the connection of this client random; `None` for a suite that is not known here.
    #[must_use]
    pub fn new(client_random: Octets32, suite: CipherSuite) -> Option<Self> {
        let suite = match suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => Suite::Aes128GcmSha256,
            CipherSuite::TLS13_AES_256_GCM_SHA384 => Suite::Aes256GcmSha384,
            _ => return None,
        };
        let epochs = [Keyed::Early, Keyed::Handshake, Keyed::Application];
        let of = |side| epochs.map(|keyed| ((side, keyed), Traffic::first(suite, side, keyed)));
        Some(Self {
            client_random,
            suite,
            traffic: Side::BOTH.into_iter().flat_map(of).collect(),
        })
    }

    /// The first secrets as the ends would log them.
    ///
    /// # Panics
    ///
    /// If these lines are no key log.
    #[must_use]
    pub fn log(&self) -> KeyLog {
        let mut lines = String::new();
        for &(side, keyed) in self.traffic.keys() {
            let label = match (side, keyed) {
                (Side::Server, Keyed::Early) => continue,
                (Side::Client, Keyed::Early) => Label::ClientEarlyTraffic,
                (side, Keyed::Handshake) => Label::handshake_traffic(side),
                (side, Keyed::Application) => Label::application_traffic(side),
            };
            let secret = hex::encode(first_secret(self.suite, side, keyed));
            lines += &format!("{label} {} {secret}\n", self.client_random);
        }
        KeyLog::parse(&lines).expect("these are key log lines")
    }

    /// The end's next record, which holds this content and what stands behind it.
    pub fn seal(&mut self, side: Side, keyed: Keyed, content: &[u8]) -> Vec<u8> {
        let suite = self.suite;
        let traffic = self.traffic.get_mut(&(side, keyed));
        traffic.map_or(Vec::new(), |traffic| traffic.seal(suite, content))
    }

    /// Goes on to the end's next generation of application keys.
    pub fn next_keys(&mut self, side: Side) {
        let suite = self.suite;
        if let Some(traffic) = self.traffic.get_mut(&(side, Keyed::Application)) {
            traffic.secret = suite.expand(&traffic.secret, "traffic upd", traffic.secret.len());
            traffic.sequence = 0;
        }
    }
}

impl Traffic {
    fn first(suite: Suite, side: Side, keyed: Keyed) -> Self {
        Self {
            secret: first_secret(suite, side, keyed),
            sequence: 0,
        }
    }

    fn seal(&mut self, suite: Suite, msg: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(msg.len() + TAG)
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        let header = [23, 3, 3, high, low];
        let payload = Payload { msg, aad: &header };
        let key = |length| suite.expand(&self.secret, "key", length);
        let nonce = self.nonce(suite).into();
        let sealed = match suite {
            Suite::Aes128GcmSha256 => {
                Aes128Gcm::new_from_slice(&key(16)).map(|aead| aead.encrypt(&nonce, payload))
            }
            Suite::Aes256GcmSha384 => {
                Aes256Gcm::new_from_slice(&key(32)).map(|aead| aead.encrypt(&nonce, payload))
            }
        };
        self.sequence += 1;
        let sealed = sealed.expect("a key of the suite's length");
        [&header[..], &sealed.expect("a record is not too long")].concat()
    }

    fn nonce(&self, suite: Suite) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&suite.expand(&self.secret, "iv", 12));
        for (octet, count) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *octet ^= count;
        }
        nonce
    }
}

/// A secret that keeps nothing secret: one octet over and over.
fn first_secret(suite: Suite, side: Side, keyed: Keyed) -> Vec<u8> {
    let octet = match keyed {
        Keyed::Early => 0x10,
        Keyed::Handshake => 0x20,
        Keyed::Application => 0x30,
    };
    vec![octet + u8::from(side == Side::Server); suite.hash_len()]
}

impl Suite {
    fn hash_len(self) -> usize {
        match self {
            Self::Aes128GcmSha256 => 32,
            Self::Aes256GcmSha384 => 48,
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
    fn expand(self, secret: &[u8], label: &str, length: usize) -> Vec<u8> {
        let label = format!("tls13 {label}");
        let [length_octet, label_octet] =
            [length, label.len()].map(|length| u8::try_from(length).unwrap_or(u8::MAX));
        let info = [&[0, length_octet, label_octet], label.as_bytes(), &[0]].concat();
        let mut output = vec![0; length];
        let expanded = match self {
            Self::Aes128GcmSha256 => {
                Hkdf::<Sha256>::from_prk(secret).map(|hkdf| hkdf.expand(&info, &mut output))
            }
            Self::Aes256GcmSha384 => {
                Hkdf::<Sha384>::from_prk(secret).map(|hkdf| hkdf.expand(&info, &mut output))
            }
        };
        expanded
            .expect("a secret of the hash's length")
            .expect("an output of some octets");
        output
    }
}

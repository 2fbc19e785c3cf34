//! Records sealed with secrets that everybody knows.

use std::collections::BTreeMap;

use crate::schedule::{Suite, TrafficKeys};
use crate::tls12::{Keys12, Suite12};
use crate::{CipherSuite, ContentType, Epoch, KeyLog, Label, Octets32, Side};

use super::wire::record;

/// The epochs of TLS 1.3 that have keys.
const KEYED: [Epoch; 3] = [Epoch::EarlyData, Epoch::Handshake, Epoch::Application];

/// The master secret of every connection of TLS 1.2.
const MASTER: [u8; 48] = [0x40; 48];

/// Seals the records of both ends of one connection. Its secrets are one octet over and over, so it keeps nothing
/// secret.
pub struct Sealer {
    client_random: Octets32,
    keys: Keys,
}

enum Keys {
    Tls13 {
        suite: Suite,
        of: BTreeMap<(Side, Epoch), TrafficKeys>,
    },
    Tls12([Keys12; 2]),
}

impl Sealer {
    /// Seals for a connection of TLS 1.3; `None` for a suite that the observer does not know.
    #[must_use]
    pub fn new(client_random: Octets32, suite: CipherSuite) -> Option<Self> {
        let suite = Suite::of(suite)?;
        let mut of = BTreeMap::new();
        for side in Side::BOTH {
            for epoch in KEYED {
                let keys = TrafficKeys::new(suite, &secret(suite, side, epoch))?;
                of.insert((side, epoch), keys);
            }
        }
        Some(Self {
            client_random,
            keys: Keys::Tls13 { suite, of },
        })
    }

    /// Seals for a connection of TLS 1.2; `None` for a suite that the observer does not know.
    #[must_use]
    pub fn tls12(
        client_random: Octets32,
        server_random: Octets32,
        suite: CipherSuite,
    ) -> Option<Self> {
        let suite = Suite12::of(suite)?;
        let of = |side| Keys12::new(suite, &MASTER, client_random, server_random, side);
        Some(Self {
            client_random,
            keys: Keys::Tls12([of(Side::Client)?, of(Side::Server)?]),
        })
    }

    /// The secrets as both ends would log them: of application keys the first generation.
    ///
    /// # Panics
    ///
    /// If these lines are no key log, which they always are.
    #[must_use]
    pub fn log(&self) -> KeyLog {
        let line = |label: Label, secret: &[u8]| {
            format!("{label} {} {}", self.client_random, hex::encode(secret))
        };
        let lines: Vec<_> = match &self.keys {
            Keys::Tls12(_) => vec![line(Label::Master, &MASTER)],
            Keys::Tls13 { suite, of } => of
                .keys()
                .filter_map(|&(side, epoch)| {
                    Some(line(label(side, epoch)?, &secret(*suite, side, epoch)))
                })
                .collect(),
        };
        KeyLog::parse(&lines.join("\n")).expect("these are key log lines")
    }

    /// The side's next record under the keys of an epoch. TLS 1.2 has one set of keys, whatever the epoch.
    ///
    /// # Panics
    ///
    /// If the content is too long for a record, or if TLS 1.3 has no keys of that epoch.
    pub fn seal(
        &mut self,
        from: Side,
        epoch: Epoch,
        content_type: ContentType,
        content: &[u8],
    ) -> Vec<u8> {
        match &mut self.keys {
            Keys::Tls13 { .. } => {
                self.seal_inner(from, epoch, &[content, &[content_type.0]].concat())
            }
            Keys::Tls12(of) => record(content_type, &of[from as usize].seal(content_type, content)),
        }
    }

    /// The side's next record of TLS 1.3, of which the inside is given with its type and padding
    /// (RFC 9846 §5.2 (RFC 8446 §5.2)).
    ///
    /// # Panics
    ///
    /// As [`Sealer::seal`] does, and in TLS 1.2, which has no such inside.
    pub fn seal_inner(&mut self, from: Side, epoch: Epoch, inner: &[u8]) -> Vec<u8> {
        let keys = self.traffic(from, epoch);
        let empty = vec![0; inner.len() + keys.tag_len()];
        let mut sealed = record(ContentType::APPLICATION_DATA, &empty);
        if let Some((header, payload)) = sealed.split_first_chunk_mut() {
            payload.copy_from_slice(&keys.seal(*header, inner));
        }
        sealed
    }

    /// Goes on to the side's next generation of application keys (RFC 9846 §7.2 (RFC 8446 §7.2)). TLS 1.2 has none.
    pub fn next_keys(&mut self, from: Side) {
        if let Keys::Tls13 { of, .. } = &mut self.keys {
            let keys = of.get_mut(&(from, Epoch::Application));
            if let Some(keys) = keys
                && let Some(next) = keys.next_generation()
            {
                *keys = next;
            }
        }
    }

    /// Counts a record as sealed that was sent otherwise.
    ///
    /// # Panics
    ///
    /// In TLS 1.2, and if TLS 1.3 has no keys of that epoch.
    pub fn skip(&mut self, from: Side, epoch: Epoch) {
        self.traffic(from, epoch).skip();
    }

    fn traffic(&mut self, from: Side, epoch: Epoch) -> &mut TrafficKeys {
        let Keys::Tls13 { of, .. } = &mut self.keys else {
            panic!("TLS 1.2 has no traffic secrets");
        };
        let keys = of.get_mut(&(from, epoch));
        keys.unwrap_or_else(|| panic!("there are no {epoch} keys"))
    }
}

/// No server has early keys: there is no label for what stands for them here.
fn label(side: Side, epoch: Epoch) -> Option<Label> {
    match (epoch, side) {
        (Epoch::EarlyData, Side::Client) => Some(Label::ClientEarlyTraffic),
        (Epoch::Handshake, _) => Some(Label::handshake_traffic(side)),
        (Epoch::Application, _) => Some(Label::application_traffic(side)),
        (Epoch::EarlyData, Side::Server) | (Epoch::Plaintext, _) => None,
    }
}

fn secret(suite: Suite, side: Side, epoch: Epoch) -> Vec<u8> {
    let octet = match epoch {
        Epoch::Plaintext => 0,
        Epoch::EarlyData => 0x10,
        Epoch::Handshake => 0x20,
        Epoch::Application => 0x30,
    };
    vec![octet + u8::from(side == Side::Server); suite.hash.len()]
}

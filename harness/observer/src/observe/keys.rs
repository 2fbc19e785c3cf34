//! The keys of one side, and which of them are in use.

use std::collections::BTreeSet;

use super::hellos::Hellos;
use crate::keylog::{KeyLog, Label};
use crate::message::ClientHello;
use crate::record::Record;
use crate::schedule::{Suite, TrafficKeys};
use crate::tls12::{Keys12, Suite12};
use crate::transcript::{Epoch, Reason};
use reqmtls_vocabulary::{CipherSuite, ContentType, ExtensionType, ProtocolVersion, Side};

/// Keys, or the reason why there are none.
type Slot = Result<TrafficKeys, Reason>;

/// One side's keys of TLS 1.3.
pub(super) struct Keys {
    /// The epoch under which the next encrypted record is expected.
    current: Epoch,
    early: Early,
    handshake: Slot,
    application: Slot,
}

/// The client's early keys. The ServerHello does not show their suite if the server rejects them, so the first
/// record decides.
enum Early {
    /// None are expected.
    None,
    /// The secret is known; these are the keys for each suite offered that fits it.
    Candidates(Vec<TrafficKeys>),
    /// Keys are expected, and this is why there are none.
    Missing(Reason),
}

/// What became of a record.
pub(super) enum Opened {
    /// It was sealed under the keys of an epoch.
    Under {
        /// The epoch.
        epoch: Epoch,
        /// The content, its type and padding still behind it.
        inner: Vec<u8>,
        /// Whether the side left its handshake keys without Finished.
        without_finished: bool,
    },
    /// It cannot be read, for these reasons.
    Unreadable {
        /// The epoch under which a record was expected.
        epoch: Epoch,
        /// Why not.
        reasons: Vec<Reason>,
    },
}

impl Keys {
    /// The keys of one side of a connection.
    pub(super) fn new(side: Side, hellos: &Hellos, log: &KeyLog) -> Self {
        let early = match side {
            Side::Client => Early::new(hellos, log),
            Side::Server => Early::None,
        };
        Self {
            current: match early {
                Early::None => Epoch::Handshake,
                Early::Candidates(_) | Early::Missing(_) => Epoch::EarlyData,
            },
            early,
            handshake: slot(Label::handshake_traffic(side), hellos, log),
            application: slot(Label::application_traffic(side), hellos, log),
        }
    }

    /// Opens a record under the keys in use or under those that follow: that
    /// early data was rejected shows only in that the client went on to its
    /// handshake keys.
    pub(super) fn open(&mut self, record: &Record<'_>) -> Opened {
        for epoch in [Epoch::EarlyData, Epoch::Handshake, Epoch::Application] {
            if epoch < self.current {
                continue;
            }
            if let Some(inner) = self.open_under(epoch, record) {
                let without_finished = self.current == Epoch::Handshake
                    && epoch == Epoch::Application
                    && self.handshake.is_ok();
                self.current = epoch;
                return Opened::Under {
                    epoch,
                    inner,
                    without_finished,
                };
            }
        }
        let missing = match self.current {
            Epoch::Application => vec![self.application.as_ref().err()],
            Epoch::EarlyData => vec![self.early.missing(), self.handshake.as_ref().err()],
            Epoch::Plaintext | Epoch::Handshake => vec![self.handshake.as_ref().err()],
        };
        let mut reasons: Vec<Reason> = missing.into_iter().flatten().cloned().collect();
        if reasons.is_empty() {
            reasons.push(Reason::DoesNotDecrypt(self.current));
            // A damaged record was sealed all the same: those after it may still open.
            match (self.current, &mut self.handshake, &mut self.application) {
                (Epoch::Handshake, Ok(keys), _) | (Epoch::Application, _, Ok(keys)) => keys.skip(),
                _ => {}
            }
        }
        Opened::Unreadable {
            epoch: self.current,
            reasons,
        }
    }

    fn open_under(&mut self, epoch: Epoch, record: &Record<'_>) -> Option<Vec<u8>> {
        let slot = match epoch {
            Epoch::Plaintext => return None,
            Epoch::EarlyData => return self.early.open(record),
            Epoch::Handshake => &mut self.handshake,
            Epoch::Application => &mut self.application,
        };
        slot.as_mut().ok()?.open(record.header, &record.payload)
    }

    /// Goes on to an epoch, never back to an earlier one.
    pub(super) fn advance(&mut self, to: Epoch) {
        self.current = self.current.max(to);
    }

    /// Goes on to the next generation of application keys.
    pub(super) fn update(&mut self) {
        if let Some(next) = self
            .application
            .as_ref()
            .ok()
            .and_then(TrafficKeys::next_generation)
        {
            self.application = Ok(next);
        }
    }
}

impl Early {
    fn new(hellos: &Hellos, log: &KeyLog) -> Self {
        let label = Label::ClientEarlyTraffic;
        let (Some(random), Some(hello)) = (hellos.client_random, &hellos.client) else {
            return Self::None;
        };
        if !hello.offers(ExtensionType::EARLY_DATA) {
            return Self::None;
        }
        match log.get(random, &label) {
            None => Self::Missing(Reason::NoSecret(label)),
            Some(secret) => match candidates(hello, secret) {
                keys if keys.is_empty() => Self::Missing(Reason::SecretLength(label)),
                keys => Self::Candidates(keys),
            },
        }
    }

    fn open(&mut self, record: &Record<'_>) -> Option<Vec<u8>> {
        let Self::Candidates(candidates) = self else {
            return None;
        };
        let mut index = 0..candidates.len();
        let (found, inner) = index.find_map(|index| {
            let inner = candidates[index].open(record.header, &record.payload)?;
            Some((index, inner))
        })?;
        *candidates = vec![candidates.swap_remove(found)];
        Some(inner)
    }

    fn missing(&self) -> Option<&Reason> {
        match self {
            Self::Missing(reason) => Some(reason),
            Self::None | Self::Candidates(_) => None,
        }
    }
}

fn candidates(hello: &ClientHello, secret: &[u8]) -> Vec<TrafficKeys> {
    // A hostile hello offers one suite many times: each is tried on every record.
    let suites: BTreeSet<_> = hello.cipher_suites.iter().copied().collect();
    let suites = suites.into_iter().filter_map(Suite::of);
    suites
        .filter_map(|suite| TrafficKeys::new(suite, secret))
        .collect()
}

fn slot(label: Label, hellos: &Hellos, log: &KeyLog) -> Slot {
    let server = hellos.server.as_ref().ok_or(Reason::NoServerHello)?;
    let random = hellos.client_random.ok_or(Reason::NoClientHello)?;
    let suite = tls13_suite(hellos, server.cipher_suite)?;
    let Some(secret) = log.get(random, &label) else {
        return Err(Reason::NoSecret(label));
    };
    TrafficKeys::new(suite, secret).ok_or(Reason::SecretLength(label))
}

fn tls13_suite(hellos: &Hellos, suite: CipherSuite) -> Result<Suite, Reason> {
    match hellos.version() {
        Some(ProtocolVersion::TLS13) => Suite::of(suite).ok_or(Reason::CipherSuite(suite)),
        // Before ChangeCipherSpec nothing of TLS 1.2 is encrypted.
        _ => Err(Reason::UnexpectedType(ContentType::APPLICATION_DATA)),
    }
}

/// One side's keys of TLS 1.2.
pub(super) fn keys12(side: Side, hellos: &Hellos, log: &KeyLog) -> Result<Keys12, Reason> {
    let server = hellos.server.as_ref().ok_or(Reason::NoServerHello)?;
    let random = hellos.client_random.ok_or(Reason::NoClientHello)?;
    let unsupported = || Reason::CipherSuite(server.cipher_suite);
    let suite = Suite12::of(server.cipher_suite).ok_or_else(unsupported)?;
    let master = log
        .get(random, &Label::Master)
        .ok_or(Reason::NoSecret(Label::Master))?;
    Keys12::new(suite, master, random, server.random, side).ok_or_else(unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Octets32, ProtocolVersion};

    #[test]
    fn a_suite_that_is_offered_many_times_is_tried_once() {
        let hello = ClientHello {
            random: Octets32([1; 32]),
            legacy_version: ProtocolVersion::TLS12,
            session_id_len: 0,
            cipher_suites: [0x1301, 0x1302, 0x1303, 0x0a0a]
                .map(CipherSuite)
                .repeat(1000),
            extensions: Vec::new(),
        };
        // Two of them have the hash that the secret fits.
        assert_eq!(candidates(&hello, &[7; 32]).len(), 2);
        assert_eq!(candidates(&hello, &[7; 48]).len(), 1);
    }
}

//! Connections put together message by message.

use std::collections::BTreeMap;
use std::time::Duration;

use aes_gcm::aead::{Aead, Payload};

use super::super::bytes::Octets32;
use super::super::keylog::{KeyLog, Label};
use super::super::recording::Recording;
use super::super::schedule::{AeadKey, Suite, TrafficKeys};
use reqmtls_vocabulary::CipherSuite;
use reqmtls_vocabulary::Side;

/// Keys to seal a record with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Keyed {
    Early,
    Handshake,
    /// Application keys of a generation, the first being 0.
    Application(u8),
}

/// A connection in the making. Its secrets are fixed; its time is the number
/// of the event, in seconds.
pub(in super::super) struct Forge {
    pub(in super::super) recording: Recording,
    suite: CipherSuite,
    keys: BTreeMap<(Side, Keyed), TrafficKeys>,
}

pub(in super::super) const CLIENT_RANDOM: Octets32 = Octets32([0xc1; 32]);

impl Forge {
    pub(in super::super) fn new(suite: u16) -> Self {
        let suite = CipherSuite(suite);
        Self {
            recording: Recording::new(),
            suite,
            keys: BTreeMap::new(),
        }
    }

    /// The secrets of the connection as both ends would log them.
    pub(in super::super) fn log(&self) -> KeyLog {
        let line = |label: Label, side, keyed| {
            format!(
                "{label} {CLIENT_RANDOM} {}\n",
                hex::encode(self.secret(side, keyed))
            )
        };
        let mut lines = vec![line(Label::ClientEarlyTraffic, Side::Client, Keyed::Early)];
        for side in Side::BOTH {
            lines.push(line(Label::handshake_traffic(side), side, Keyed::Handshake));
            lines.push(line(
                Label::application_traffic(side),
                side,
                Keyed::Application(0),
            ));
        }
        KeyLog::parse(&lines.concat()).unwrap()
    }

    fn secret(&self, side: Side, keyed: Keyed) -> Vec<u8> {
        let start = match keyed {
            Keyed::Early => 1,
            Keyed::Handshake => 2,
            Keyed::Application(_) => 3,
        };
        let length = Suite::of(self.suite).unwrap().hash.len();
        vec![16 * start + u8::from(side == Side::Client); length]
    }

    /// Bytes as they are.
    pub(in super::super) fn raw(&mut self, from: Side, bytes: &[u8]) -> &mut Self {
        let at = Duration::from_secs(self.recording.events().len() as u64);
        self.recording.data(at, from, bytes);
        self
    }

    /// A record in clear.
    pub(in super::super) fn clear(&mut self, from: Side, kind: u8, content: &[u8]) -> &mut Self {
        let record = record(kind, content);
        self.raw(from, &record)
    }

    /// A ClientHello with these extensions besides those that make it one of TLS 1.3.
    pub(in super::super) fn client_hello(&mut self, extensions: &[Vec<u8>]) -> &mut Self {
        let mut body = [&[3, 3][..], &CLIENT_RANDOM.0, &[0, 0, 4]].concat();
        body.extend([0x13, 0x02]);
        body.extend(self.suite.0.to_be_bytes());
        body.extend([1, 0]);
        body.extend(block(&[&[extension(43, &[2, 3, 4])], extensions].concat()));
        self.clear(Side::Client, 22, &handshake(1, &body))
    }

    /// A ServerHello, or with `retry` a HelloRetryRequest.
    pub(in super::super) fn server_hello(&mut self, retry: bool) -> &mut Self {
        let random = if retry {
            super::super::message::RETRY_RANDOM
        } else {
            [0x51; 32]
        };
        let mut body = [&[3, 3][..], &random, &[0]].concat();
        body.extend(self.suite.0.to_be_bytes());
        body.push(0);
        body.extend(block(&[extension(43, &[3, 4])]));
        self.clear(Side::Server, 22, &handshake(2, &body))
    }

    /// An encrypted record.
    pub(in super::super) fn seal(
        &mut self,
        from: Side,
        keyed: Keyed,
        kind: u8,
        content: &[u8],
    ) -> &mut Self {
        self.seal_padded(from, keyed, &[content, &[kind]].concat())
    }

    /// Counts a record as sealed that was sent otherwise.
    pub(in super::super) fn passed(&mut self, from: Side, keyed: Keyed) {
        self.keys(from, keyed).skip();
    }

    fn keys(&mut self, from: Side, keyed: Keyed) -> &mut TrafficKeys {
        let suite = Suite::of(self.suite).unwrap();
        let secret = self.secret(from, keyed);
        self.keys.entry((from, keyed)).or_insert_with(|| {
            let mut keys = TrafficKeys::new(suite, &secret).unwrap();
            if let Keyed::Application(generation) = keyed {
                for _ in 0..generation {
                    keys = keys.next_generation().unwrap();
                }
            }
            keys
        })
    }

    /// An encrypted record of which the inside is given with its type and padding.
    pub(in super::super) fn seal_padded(
        &mut self,
        from: Side,
        keyed: Keyed,
        inner: &[u8],
    ) -> &mut Self {
        let suite = self.suite;
        let keys = self.keys(from, keyed);
        let tag = if suite == CipherSuite::TLS13_AES_128_CCM_8_SHA256 {
            8
        } else {
            16
        };
        let mut sealed = record(23, &vec![0; inner.len() + tag]);
        let (header, body) = sealed.split_at_mut(5);
        let (key, nonce) = keys.next_nonce();
        body.copy_from_slice(&seal(key, nonce, header, inner));
        self.raw(from, &sealed)
    }
}

fn seal(key: &AeadKey, nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let (nonce, payload) = (&nonce.into(), Payload { msg, aad });
    match key {
        AeadKey::Aes128Gcm(key) => key.encrypt(nonce, payload),
        AeadKey::Aes256Gcm(key) => key.encrypt(nonce, payload),
        AeadKey::ChaCha20Poly1305(key) => key.encrypt(nonce, payload),
        AeadKey::Aes128Ccm(key) => key.encrypt(nonce, payload),
        AeadKey::Aes128Ccm8(key) => key.encrypt(nonce, payload),
    }
    .unwrap()
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3, high, low], content].concat()
}

/// A handshake message.
pub(in super::super) fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, high, middle, low], body].concat()
}

/// An extension.
pub(in super::super) fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), body].concat()
}

/// A block of extensions with its length.
pub(in super::super) fn block(extensions: &[Vec<u8>]) -> Vec<u8> {
    let bytes = extensions.concat();
    [
        &u16::try_from(bytes.len()).unwrap().to_be_bytes()[..],
        &bytes,
    ]
    .concat()
}

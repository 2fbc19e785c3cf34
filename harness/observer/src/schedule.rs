//! Traffic keys from traffic secrets, and records opened with them
//! (RFC 9846 §5.2, §5.3, §7.2, §7.3 (RFC 8446 §5.2, §5.3, §7.2, §7.3)).

use hkdf::Hkdf;
use sha2::{Sha256, Sha384};

use crate::CipherSuite;
use crate::aead::{AeadKey, Algorithm};
use crate::record::HEADER;

/// Length of a nonce in bytes, and of the IV that it is made of.
const IV: usize = 12;

/// Length of the longest key in bytes.
const MAX_KEY: usize = 32;

/// Length of the longest output of a hash in bytes.
const MAX_HASH: usize = 48;

/// The hash of a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// Length of its output, and of every traffic secret, in bytes.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// HMAC (RFC 2104), which is what HKDF-Extract computes (RFC 5869 §2.2).
    pub(super) fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Hkdf::<Sha256>::extract(Some(key), data).0.to_vec(),
            Self::Sha384 => Hkdf::<Sha384>::extract(Some(key), data).0.to_vec(),
        }
    }
}

/// A secret from which others are expanded, in the form that they share.
enum Expander {
    Sha256(Hkdf<Sha256>),
    Sha384(Hkdf<Sha384>),
}

impl Expander {
    /// `None` if the secret is shorter than the hash.
    fn new(hash: Hash, secret: &[u8]) -> Option<Self> {
        match hash {
            Hash::Sha256 => Hkdf::from_prk(secret).ok().map(Self::Sha256),
            Hash::Sha384 => Hkdf::from_prk(secret).ok().map(Self::Sha384),
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 9846 §7.1 (RFC 8446 §7.1)).
    fn label<const LENGTH: usize>(&self, label: &str, length: usize) -> Option<[u8; LENGTH]> {
        let mut output = [0; LENGTH];
        let octets = output.get_mut(..length)?;
        let [high, low] = u16::try_from(length).ok()?.to_be_bytes();
        let prefix = b"tls13 ";
        let label_length = u8::try_from(prefix.len() + label.len()).ok()?;
        let info = [
            &[high, low, label_length],
            &prefix[..],
            label.as_bytes(),
            &[0],
        ];
        match self {
            Self::Sha256(prk) => prk.expand_multi_info(&info, octets),
            Self::Sha384(prk) => prk.expand_multi_info(&info, octets),
        }
        .ok()?;
        Some(output)
    }
}

/// A cipher suite of TLS 1.3 in its parts (RFC 9846 §B.4 (RFC 8446 §B.4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) algorithm: Algorithm,
    pub(super) hash: Hash,
}

impl Suite {
    /// The parts of a TLS 1.3 suite, or `None` if it is none or not known.
    pub(super) fn of(suite: CipherSuite) -> Option<Self> {
        let (algorithm, hash) = match suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => (Algorithm::Aes128Gcm, Hash::Sha256),
            CipherSuite::TLS13_AES_256_GCM_SHA384 => (Algorithm::Aes256Gcm, Hash::Sha384),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => {
                (Algorithm::ChaCha20Poly1305, Hash::Sha256)
            }
            CipherSuite::TLS13_AES_128_CCM_SHA256 => (Algorithm::Aes128Ccm, Hash::Sha256),
            CipherSuite::TLS13_AES_128_CCM_8_SHA256 => (Algorithm::Aes128Ccm8, Hash::Sha256),
            _ => return None,
        };
        Some(Self { algorithm, hash })
    }
}

/// One direction's keys for one epoch and generation.
pub(super) struct TrafficKeys {
    suite: Suite,
    secret: Vec<u8>,
    key: AeadKey,
    iv: [u8; IV],
    /// Number of records passed so far.
    sequence: u64,
}

impl TrafficKeys {
    /// The keys of a traffic secret; `None` if the secret has another length
    /// than the suite's hash.
    pub(super) fn new(suite: Suite, secret: &[u8]) -> Option<Self> {
        if secret.len() != suite.hash.len() {
            return None;
        }
        let expander = Expander::new(suite.hash, secret)?;
        let key_len = suite.algorithm.key_len();
        let key: [u8; MAX_KEY] = expander.label("key", key_len)?;
        Some(Self {
            suite,
            secret: secret.to_vec(),
            key: suite.algorithm.with_key(&key[..key_len])?,
            iv: expander.label("iv", IV)?,
            sequence: 0,
        })
    }

    /// The keys after a `KeyUpdate` (RFC 9846 §7.2 (RFC 8446 §7.2)).
    pub(super) fn next_generation(&self) -> Option<Self> {
        let length = self.suite.hash.len();
        let expander = Expander::new(self.suite.hash, &self.secret)?;
        let next: [u8; MAX_HASH] = expander.label("traffic upd", length)?;
        Self::new(self.suite, &next[..length])
    }

    /// Opens the next record. The sequence number moves on only if that succeeds.
    pub(super) fn open(&mut self, header: [u8; HEADER], payload: &[u8]) -> Option<Vec<u8>> {
        let inner = self
            .key
            .open(nonce(self.iv, self.sequence), &header, payload)?;
        self.skip();
        Some(inner)
    }

    /// Seals the next record.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn seal(&mut self, header: [u8; HEADER], inner: &[u8]) -> Vec<u8> {
        let nonce = nonce(self.iv, self.sequence);
        self.skip();
        self.key.seal(nonce, &header, inner)
    }

    /// Length of the AEAD's tag in bytes.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn tag_len(&self) -> usize {
        self.suite.algorithm.tag_len()
    }

    /// Passes over a record that does not open but was sealed with these keys.
    pub(super) fn skip(&mut self) {
        self.sequence += 1;
    }
}

/// The nonce of a record (RFC 9846 §5.3 (RFC 8446 §5.3)).
pub(super) fn nonce(mut iv: [u8; 12], sequence: u64) -> [u8; 12] {
    for (octet, count) in iv[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *octet ^= count;
    }
    iv
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> (Vec<u8>, Vec<u8>) {
        let secret = hex::decode(secret).unwrap();
        let expander = Expander::new(Hash::Sha256, &secret).unwrap();
        let expand =
            |label, length| expander.label::<16>(label, length).unwrap()[..length].to_vec();
        (expand("key", 16), expand("iv", 12))
    }

    /// RFC 8448 §3: the server's and the client's handshake traffic keys.
    #[test]
    fn derives_the_keys_of_the_published_trace() {
        let (key, iv) = keys("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        assert_eq!(hex::encode(key), "3fce516009c21727d0f2e4e86ee403bc");
        assert_eq!(hex::encode(iv), "5d313eb2671276ee13000b30");
        let (key, iv) = keys("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
        assert_eq!(hex::encode(key), "dbfaa693d1762c5b666af5d950258d01");
        assert_eq!(hex::encode(iv), "5bd3c71b836e0b76bb73265f");
    }

    /// RFC 8448 §3: the client's second record under its application keys, an alert.
    #[test]
    fn opens_a_record_of_the_published_trace() {
        let secret = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
        let record = hex::decode("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3").unwrap();
        let (header, payload) = record.split_first_chunk().unwrap();
        let suite = Suite::of(CipherSuite(0x1301)).unwrap();
        let mut keys = TrafficKeys::new(suite, &hex::decode(secret).unwrap()).unwrap();
        assert_eq!(keys.open(*header, payload), None);
        keys.skip();
        assert_eq!(keys.open(*header, payload), Some(vec![1, 0, 21]));
        assert_eq!(keys.open(*header, payload), None);
    }

    /// RFC 4231 §4.3, test case 2.
    #[test]
    fn computes_hmac() {
        let data = b"what do ya want for nothing?";
        let mac = hex::encode(Hash::Sha256.hmac(b"Jefe", data));
        assert_eq!(
            mac,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let mac = hex::encode(Hash::Sha384.hmac(b"Jefe", data));
        assert!(
            mac.starts_with("af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e")
        );
    }

    #[test]
    fn a_nonce_is_the_iv_with_the_sequence_number_in_its_last_octets() {
        assert_eq!(nonce([0xff; 12], 0x0102)[8..], [0xff, 0xff, 0xfe, 0xfd]);
    }

    #[test]
    fn rejects_a_secret_of_another_length() {
        let suite = Suite::of(CipherSuite(0x1302)).unwrap();
        assert!(TrafficKeys::new(suite, &[1; 32]).is_none());
        assert!(TrafficKeys::new(suite, &[1; 48]).is_some());
    }
}

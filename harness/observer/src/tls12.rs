//! Record protection of TLS 1.2 with an AEAD (RFC 5246 §6.2.3.3, RFC 5288 §3,
//! RFC 7905 §2).

#[cfg(any(test, feature = "testing"))]
use crate::ContentType;
use crate::aead::{AeadKey, Algorithm};
use crate::bytes::Octets32;
use crate::record::Record;
use crate::schedule::{Hash, nonce};
use crate::{CipherSuite, Side};

/// Length of an AEAD's tag in bytes, the same for every suite here.
const TAG: usize = 16;

/// A cipher suite of TLS 1.2 in its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite12 {
    algorithm: Algorithm,
    hash: Hash,
}

impl Suite12 {
    /// The parts of a suite, or `None` if it is not known or has no AEAD.
    pub(super) fn of(suite: CipherSuite) -> Option<Self> {
        let (algorithm, hash) = match suite {
            CipherSuite::RSA_AES_128_GCM_SHA256
            | CipherSuite::DHE_RSA_AES_128_GCM_SHA256
            | CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256
            | CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256 => (Algorithm::Aes128Gcm, Hash::Sha256),
            CipherSuite::RSA_AES_256_GCM_SHA384
            | CipherSuite::DHE_RSA_AES_256_GCM_SHA384
            | CipherSuite::ECDHE_ECDSA_AES_256_GCM_SHA384
            | CipherSuite::ECDHE_RSA_AES_256_GCM_SHA384 => (Algorithm::Aes256Gcm, Hash::Sha384),
            CipherSuite::ECDHE_RSA_CHACHA20_POLY1305_SHA256
            | CipherSuite::ECDHE_ECDSA_CHACHA20_POLY1305_SHA256
            | CipherSuite::DHE_RSA_CHACHA20_POLY1305_SHA256 => {
                (Algorithm::ChaCha20Poly1305, Hash::Sha256)
            }
            _ => return None,
        };
        Some(Self { algorithm, hash })
    }

    /// Length of the nonce's part that comes from the key block, in bytes. The
    /// rest of it, if any, stands in front of each ciphertext.
    fn fixed_iv_len(self) -> usize {
        if self.algorithm == Algorithm::ChaCha20Poly1305 {
            12
        } else {
            4
        }
    }

    /// The PRF (RFC 5246 §5).
    fn prf(self, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
        let mut output = Vec::new();
        let mut a = self.hash.hmac(secret, seed);
        while output.len() < length {
            output.extend(self.hash.hmac(secret, &[&a, seed].concat()));
            a = self.hash.hmac(secret, &a);
        }
        output.truncate(length);
        output
    }
}

/// One direction's keys.
pub(super) struct Keys12 {
    suite: Suite12,
    key: AeadKey,
    iv: Vec<u8>,
    sequence: u64,
}

impl Keys12 {
    /// One side's write keys (RFC 5246 §6.3).
    pub(super) fn new(
        suite: Suite12,
        master: &[u8],
        client_random: Octets32,
        server_random: Octets32,
        side: Side,
    ) -> Option<Self> {
        let (key_len, iv_len) = (suite.algorithm.key_len(), suite.fixed_iv_len());
        let seed = [&b"key expansion"[..], &server_random.0, &client_random.0].concat();
        let block = suite.prf(master, &seed, 2 * (key_len + iv_len));
        let (keys, ivs) = block.split_at(2 * key_len);
        let of_side = |both: &[u8], length: usize| match side {
            Side::Client => both[..length].to_vec(),
            Side::Server => both[length..].to_vec(),
        };
        Some(Self {
            suite,
            key: suite.algorithm.with_key(&of_side(keys, key_len))?,
            iv: of_side(ivs, iv_len),
            sequence: 0,
        })
    }

    /// Opens the next record.
    pub(super) fn open(&mut self, record: &Record<'_>) -> Option<Vec<u8>> {
        let sequence = self.sequence;
        self.sequence += 1;
        let explicit_len = if self.iv.len() == 12 { 0 } else { 8 };
        let (explicit, ciphertext) = record.payload.split_at_checked(explicit_len)?;
        let nonce = self.nonce(sequence, explicit)?;
        let length = ciphertext.len().checked_sub(TAG)?;
        let aad = aad(
            sequence,
            [record.header[0], record.header[1], record.header[2]],
            length,
        )?;
        self.key.open(nonce, &aad, ciphertext)
    }

    /// Seals the payload of the next record. The explicit part of its nonce is the sequence number
    /// (RFC 5288 §3).
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn seal(&mut self, content_type: ContentType, content: &[u8]) -> Vec<u8> {
        let explicit = self.sequence.to_be_bytes();
        let nonce = self.nonce(self.sequence, &explicit);
        let aad = aad(self.sequence, [content_type.0, 3, 3], content.len());
        self.sequence += 1;
        let explicit = if self.iv.len() == 12 {
            &[][..]
        } else {
            &explicit
        };
        let (nonce, aad) = nonce.zip(aad).expect("a content that fits a record");
        [explicit, &self.key.seal(nonce, &aad, content)].concat()
    }

    /// `None` if the explicit part has a length that no nonce has.
    fn nonce(&self, sequence: u64, explicit: &[u8]) -> Option<[u8; 12]> {
        match <[u8; 12]>::try_from(&self.iv[..]) {
            Ok(iv) => Some(nonce(iv, sequence)),
            Err(_) => [&self.iv, explicit].concat().try_into().ok(),
        }
    }
}

/// The additional data of a record: its number, type and version, and the length of its content
/// (RFC 5246 §6.2.3.3). `None` for a length that no record has.
fn aad(sequence: u64, type_and_version: [u8; 3], length: usize) -> Option<Vec<u8>> {
    let length = u16::try_from(length).ok()?.to_be_bytes();
    Some([&sequence.to_be_bytes()[..], &type_and_version, &length].concat())
}

impl std::fmt::Debug for Keys12 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys12")
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

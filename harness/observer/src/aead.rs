//! AEAD algorithms: records opened and, for tests, sealed.

use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;

type Aes128Ccm = Ccm<aes::Aes128, U16, U12>;
type Aes128Ccm8 = Ccm<aes::Aes128, U8, U12>;

/// An AEAD algorithm with a key.
#[derive(Clone)]
pub(crate) enum AeadKey {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
    Aes128Ccm(Box<Aes128Ccm>),
    Aes128Ccm8(Box<Aes128Ccm8>),
}

/// An AEAD algorithm without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes128Ccm8,
}

impl Algorithm {
    /// Length of its key in bytes.
    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Length of its tag in bytes.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn tag_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm | Self::ChaCha20Poly1305 | Self::Aes128Ccm => 16,
            Self::Aes128Ccm8 => 8,
        }
    }

    /// `None` if the key has another length than [`Algorithm::key_len`].
    pub(crate) fn with_key(self, key: &[u8]) -> Option<AeadKey> {
        Some(match self {
            Self::Aes128Gcm => AeadKey::Aes128Gcm(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Self::Aes256Gcm => AeadKey::Aes256Gcm(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Self::ChaCha20Poly1305 => {
                AeadKey::ChaCha20Poly1305(Box::new(KeyInit::new_from_slice(key).ok()?))
            }
            Self::Aes128Ccm => AeadKey::Aes128Ccm(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Self::Aes128Ccm8 => AeadKey::Aes128Ccm8(Box::new(KeyInit::new_from_slice(key).ok()?)),
        })
    }
}

impl AeadKey {
    /// Opens a ciphertext; `None` if it was not sealed with this key, nonce and
    /// additional data.
    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        let (nonce, payload) = (&nonce.into(), Payload { msg, aad });
        match self {
            Self::Aes128Gcm(key) => key.decrypt(nonce, payload),
            Self::Aes256Gcm(key) => key.decrypt(nonce, payload),
            Self::ChaCha20Poly1305(key) => key.decrypt(nonce, payload),
            Self::Aes128Ccm(key) => key.decrypt(nonce, payload),
            Self::Aes128Ccm8(key) => key.decrypt(nonce, payload),
        }
        .ok()
    }

    /// Seals a plaintext.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
        let (nonce, payload) = (&nonce.into(), Payload { msg, aad });
        match self {
            Self::Aes128Gcm(key) => key.encrypt(nonce, payload),
            Self::Aes256Gcm(key) => key.encrypt(nonce, payload),
            Self::ChaCha20Poly1305(key) => key.encrypt(nonce, payload),
            Self::Aes128Ccm(key) => key.encrypt(nonce, payload),
            Self::Aes128Ccm8(key) => key.encrypt(nonce, payload),
        }
        .expect("a record is not too long for its AEAD")
    }
}

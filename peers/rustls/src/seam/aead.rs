//! An encrypter that edits handshake messages before they become records.

use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundOpaqueMessage, OutboundPlainMessage,
    Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error};

use super::Plan;
use super::framer::{Framer, Place};

/// The AEAD of a TLS 1.3 suite, for handshakes whose messages are edited.
pub(super) struct EditedAead {
    pub(super) inner: &'static dyn Tls13AeadAlgorithm,
    pub(super) plan: &'static Plan,
}

impl Tls13AeadAlgorithm for EditedAead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let inner = self.inner.encrypter(key, iv);
        if !self.plan.edits.touch_encrypted() {
            return inner;
        }
        Box::new(EditedEncrypter {
            inner,
            framer: Framer::new(self.plan, Place::Encrypted),
        })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.inner.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.inner.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

struct EditedEncrypter {
    inner: Box<dyn MessageEncrypter>,
    framer: Framer,
}

impl MessageEncrypter for EditedEncrypter {
    fn encrypt(
        &mut self,
        msg: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        if msg.typ != ContentType::Handshake {
            return self.inner.encrypt(msg, seq);
        }
        let mut edited = Vec::new();
        self.framer.push(&msg.payload.to_vec(), &mut edited);
        if edited.is_empty() {
            // A handshake record must not be empty (RFC 8446 §5.1).
            self.framer.lend(&mut edited);
        }
        let msg = OutboundPlainMessage {
            typ: msg.typ,
            version: msg.version,
            payload: edited.as_slice().into(),
        };
        self.inner.encrypt(msg, seq)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.inner.encrypted_payload_len(payload_len)
    }
}

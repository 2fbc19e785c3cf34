//! An encrypter that edits handshake messages before they become records.

use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundOpaqueMessage, OutboundPlainMessage,
    Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error};

use super::Plan;
use super::fragment::RECORD;
use super::framer::{Framer, Place};
use super::watch::watched;

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
        let inner = self.inner.decrypter(key, iv);
        match &self.plan.watch {
            Some(watch) => watched(inner, self.plan.side, watch),
            None => inner,
        }
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
        let written = msg.payload.to_vec();
        self.framer
            .push(&written, &mut |bytes| edited.extend_from_slice(bytes));
        if edited.is_empty() {
            // A handshake record must not be empty (RFC 9846 §5.1 (RFC 8446 §5.1)).
            self.framer
                .lend(&mut |bytes| edited.extend_from_slice(bytes));
        }
        if edited.len() > RECORD {
            return Err(Error::General(format!(
                "an edited record has {} octets, expected {RECORD} at most: \
                 serve the configuration with TlsFlagsAcceptor, which limits fragments",
                edited.len()
            )));
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

#[cfg(test)]
mod tests {
    use rustls::ProtocolVersion;
    use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256 as SUITE;

    use super::*;
    use crate::seam::{Edits, Message, Side};

    #[test]
    fn no_record_is_empty_if_its_message_is_held_back() {
        let edits = Edits::new().insert(Message::CertificateRequest, 62, [1, 1]);
        let side = Side::Server;
        let aead = EditedAead {
            inner: SUITE.tls13().unwrap().aead_alg,
            plan: Box::leak(Box::new(Plan {
                side,
                edits,
                watch: None,
            })),
        };
        let mut encrypter = aead.encrypter([0; 32].into(), [0; 12].into());
        let mut sealed = |payload: &[u8], seq| {
            let msg = OutboundPlainMessage {
                typ: ContentType::Handshake,
                version: ProtocolVersion::TLSv1_3,
                payload: payload.into(),
            };
            encrypter.encrypt(msg, seq).unwrap().payload.as_ref().len()
        };
        let overhead = 1 + 16; // inner content type, tag
        let message = [13, 0, 0, 3, 0, 0, 0];
        assert_eq!(sealed(&message[..5], 0), 1 + overhead);
        assert_eq!(sealed(&message[5..], 1), 6 + 6 + overhead);
    }
}

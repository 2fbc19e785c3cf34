//! Misbehaviour: a key whose signature in CertificateVerify does not verify.

use std::sync::Arc;

use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

/// What TLS 1.3 signs begins with 64 of these, RFC 8446 §4.4.3; in TLS 1.2 it is something else.
const PADDING: [u8; 64] = [0x20; 64];

/// A key that signs as `inner` does, but for one bit.
#[derive(Debug)]
pub(super) struct BadKey {
    pub(super) inner: Arc<dyn SigningKey>,
    /// Whether TLS 1.2 signatures are CertificateVerify too. A server's are elsewhere.
    pub(super) tls12: bool,
}

impl SigningKey for BadKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(BadSigner {
            inner: self.inner.choose_scheme(offered)?,
            tls12: self.tls12,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }
}

#[derive(Debug)]
struct BadSigner {
    inner: Box<dyn Signer>,
    tls12: bool,
}

impl Signer for BadSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = self.inner.sign(message)?;
        if (self.tls12 || message.starts_with(&PADDING))
            && let Some(octet) = signature.last_mut()
        {
            // The last octet holds no length, so the signature is still well encoded.
            *octet ^= 1;
        }
        Ok(signature)
    }

    fn scheme(&self) -> SignatureScheme {
        self.inner.scheme()
    }
}

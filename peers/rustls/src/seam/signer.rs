//! A client key that signs, in TLS 1.2, the messages as they were sent.

use std::fmt;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::Plan;
use super::framer::{Framer, Place};

/// Resolves to the same certificates, with keys that sign edited transcripts.
#[derive(Debug)]
pub(super) struct EditedResolver {
    pub(super) inner: Arc<dyn ResolvesClientCert>,
    pub(super) plan: &'static Plan,
}

impl ResolvesClientCert for EditedResolver {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let certified = self.inner.resolve(root_hint_subjects, sigschemes)?;
        Some(Arc::new(CertifiedKey {
            cert: certified.cert.clone(),
            key: Arc::new(EditedKey {
                inner: Arc::clone(&certified.key),
                plan: self.plan,
            }),
            ocsp: certified.ocsp.clone(),
        }))
    }

    fn only_raw_public_keys(&self) -> bool {
        self.inner.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

#[derive(Debug)]
struct EditedKey {
    inner: Arc<dyn SigningKey>,
    plan: &'static Plan,
}

impl SigningKey for EditedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(EditedSigner {
            inner: self.inner.choose_scheme(offered)?,
            plan: self.plan,
        }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.inner.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }
}

struct EditedSigner {
    inner: Box<dyn Signer>,
    plan: &'static Plan,
}

impl Signer for EditedSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        // TLS 1.3 signs a hash behind 64 spaces (RFC 9846 §4.5.2 (RFC 8446 §4.4.3)); TLS 1.2
        // signs the messages, of which ClientHello is the first (RFC 5246
        // §7.4.8), and a ClientHello is shorter than 2^16 octets.
        if !message.starts_with(&[1, 0]) {
            return self.inner.sign(message);
        }
        let mut edited = Vec::with_capacity(message.len());
        let mut framer = Framer::new(self.plan, Place::Transcript12);
        framer.push(message, &mut |bytes| edited.extend_from_slice(bytes));
        self.inner.sign(&edited)
    }

    fn scheme(&self) -> SignatureScheme {
        self.inner.scheme()
    }
}

impl fmt::Debug for EditedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EditedSigner")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

//! From a job's setup to what rustls takes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reqmtls_contract::{
    CipherSuite, Group, Identity, PrepareError, Revision, Setup, Side, Version,
};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{KeyLog, NamedGroup, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};
use rustls_tlsflags::Codepoints;
use sha2::{Digest, Sha256};

use crate::signing::BadKey;

/// The version of rustls that this workspace locks; a test holds it against the lock file.
pub(super) const RUSTLS: &str = "0.23.46";

/// Key log lines of one connection.
#[derive(Default)]
pub(super) struct KeyLogLines(Mutex<Vec<String>>);

impl KeyLogLines {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn so_far(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for KeyLogLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLogLines").finish_non_exhaustive()
    }
}

impl KeyLog for KeyLogLines {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}", hex(client_random), hex(secret));
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

fn hex(octets: &[u8]) -> String {
    reqmtls_contract::Hex::from(octets).to_string()
}

/// The numbers of a setup whose request mTLS flag is this one.
pub(super) fn codepoints(setup: &Setup, request_mtls: u16) -> Codepoints {
    Codepoints {
        extension: setup.extension_number(),
        request_mtls,
    }
}

pub(super) fn revision(setup: &Setup) -> rustls_tlsflags::Revision {
    match setup.revision {
        None | Some(Revision::Draft02) => rustls_tlsflags::Revision::Draft02,
        Some(Revision::EditorsCopy) => rustls_tlsflags::Revision::EditorsCopy,
    }
}

/// The provider with the groups and TLS 1.3 suites of a setup, in its order.
pub(super) fn provider(base: &CryptoProvider, setup: &Setup) -> CryptoProvider {
    let mut provider = base.clone();
    if !setup.groups.is_empty() {
        provider.kx_groups = setup
            .groups
            .iter()
            .filter_map(|name| group(base, *name))
            .collect();
    }
    if !setup.cipher_suites.is_empty() {
        let tls12 = base
            .cipher_suites
            .iter()
            .filter(|suite| suite.tls13().is_none());
        let tls13 = setup
            .cipher_suites
            .iter()
            .filter_map(|name| suite(base, *name));
        provider.cipher_suites = tls13.chain(tls12.copied()).collect();
    }
    provider
}

pub(super) fn group(
    provider: &CryptoProvider,
    name: Group,
) -> Option<&'static dyn SupportedKxGroup> {
    let name = match name {
        Group::X25519 => NamedGroup::X25519,
        Group::Secp256r1 => NamedGroup::secp256r1,
        Group::Secp384r1 => NamedGroup::secp384r1,
        Group::X25519Mlkem768 => NamedGroup::X25519MLKEM768,
    };
    provider
        .kx_groups
        .iter()
        .copied()
        .find(|group| group.name() == name)
}

pub(super) fn suite(provider: &CryptoProvider, name: CipherSuite) -> Option<SupportedCipherSuite> {
    let number = match name {
        CipherSuite::Aes128GcmSha256 => 0x1301,
        CipherSuite::Aes256GcmSha384 => 0x1302,
        CipherSuite::Chacha20Poly1305Sha256 => 0x1303,
        CipherSuite::Aes128CcmSha256 => 0x1304,
        CipherSuite::Aes128Ccm8Sha256 => 0x1305,
    };
    provider
        .cipher_suites
        .iter()
        .copied()
        .find(|suite| u16::from(suite.suite()) == number)
}

pub(super) fn versions(setup: &Setup) -> Vec<&'static SupportedProtocolVersion> {
    if setup.versions.is_empty() {
        return rustls::ALL_VERSIONS.to_vec();
    }
    let version = |version: &Version| match version {
        Version::Tls12 => &rustls::version::TLS12,
        Version::Tls13 => &rustls::version::TLS13,
    };
    setup.versions.iter().map(version).collect()
}

/// What a setup has in PEM, read once.
pub(super) struct Loaded {
    /// The trust anchors; empty where the setup has none.
    pub(super) roots: Arc<RootCertStore>,
    /// The identity, if the setup has one.
    pub(super) identity: Option<CertifiedKey>,
}

impl Loaded {
    /// Reads the PEM of a side's setup.
    pub(super) fn of(
        base: &CryptoProvider,
        setup: &Setup,
        side: Side,
    ) -> Result<Self, PrepareError> {
        let roots = Arc::new(roots(setup)?);
        let identity = setup.identity.as_ref();
        let identity = identity.map(|it| certified_key(base, it, setup, side));
        Ok(Self {
            roots,
            identity: identity.transpose()?,
        })
    }
}

fn roots(setup: &Setup) -> Result<RootCertStore, PrepareError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(setup.trust_anchors.as_deref().unwrap_or_default())? {
        roots
            .add(certificate)
            .map_err(|error| invalid(format!("trust anchor: {error}")))?;
    }
    Ok(roots)
}

fn identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), PrepareError> {
    let key = PrivateKeyDer::from_pem_slice(identity.private_key.as_bytes())
        .map_err(|error| invalid(format!("private key: {error}")))?;
    Ok((certificates(&identity.certificates)?, key))
}

/// The key that an end proves its identity with.
fn certified_key(
    base: &CryptoProvider,
    identity: &Identity,
    setup: &Setup,
    side: Side,
) -> Result<CertifiedKey, PrepareError> {
    let (chain, key) = self::identity(identity)?;
    let mut certified = CertifiedKey::from_der(chain, key, base).map_err(invalid)?;
    if setup.bad_certificate_verify {
        certified.key = Arc::new(BadKey {
            inner: certified.key,
            tls12: side == Side::Client,
        });
    }
    Ok(certified)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, PrepareError> {
    let certificates: Result<_, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    certificates.map_err(|error| invalid(format!("certificate: {error}")))
}

pub(super) fn invalid(error: impl fmt::Display) -> PrepareError {
    PrepareError::Invalid(error.to_string())
}

pub(super) fn fingerprint(chain: Option<&[CertificateDer<'_>]>) -> Option<reqmtls_contract::Hex> {
    let certificate = chain?.first()?;
    Some(reqmtls_contract::Hex(Sha256::digest(certificate).to_vec()))
}

pub(super) fn key_log() -> Arc<KeyLogLines> {
    Arc::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_locked_one() {
        let lock = include_str!("../../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"rustls\"\nversion = \"{RUSTLS}\"\n")));
    }
}

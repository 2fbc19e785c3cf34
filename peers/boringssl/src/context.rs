//! From a job's setup to a context of BoringSSL.

use std::ffi::c_int;
use std::ptr;

use boring::error::ErrorStack;
use boring::pkey::PKey;
use boring::ssl::{SslContextBuilder, SslMethod, SslRef, SslSignatureAlgorithm, SslVersion};
use boring::x509::X509;
use boring::x509::store::X509StoreBuilder;
use foreign_types::ForeignTypeRef;
use reqmtls_contract::{CipherSuite, Group, Keys, PrepareError, Setup, Version};

use crate::callbacks;

/// The version of the crate whose source is linked; BoringSSL itself has no version numbers.
pub(crate) const BORING_SYS: &str = "5.4.0";

/// A context with all that both sides have in common.
pub(crate) fn builder(setup: &Setup) -> Result<SslContextBuilder, PrepareError> {
    let mut builder = SslContextBuilder::new(SslMethod::tls()).map_err(invalid)?;
    let version = |version: &Version| match version {
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    builder
        .set_min_proto_version(setup.versions.iter().min().map(version))
        .map_err(invalid)?;
    builder
        .set_max_proto_version(setup.versions.iter().max().map(version))
        .map_err(invalid)?;
    if !setup.groups.is_empty() {
        let names: Vec<_> = setup.groups.iter().map(|name| group(*name)).collect();
        builder.set_curves_list(&names.join(":")).map_err(invalid)?;
    }
    if !setup.cipher_suites.is_empty() {
        set_cipher_suites(&mut builder, &setup.cipher_suites).map_err(invalid)?;
    }
    if setup.keys == Some(Keys::Ed25519) {
        // By itself it signs with such a key, but accepts none (ssl/extensions.cc, kVerifySignatureAlgorithms).
        let accepted = [SslSignatureAlgorithm::ED25519];
        builder
            .set_verify_algorithm_prefs(&accepted)
            .map_err(invalid)?;
    }
    if let Some(identity) = &setup.identity {
        let chain = X509::stack_from_pem(identity.certificates.as_bytes()).map_err(invalid)?;
        let key = PKey::private_key_from_pem(identity.private_key.as_bytes()).map_err(invalid)?;
        let mut chain = chain.into_iter();
        let own = chain
            .next()
            .ok_or_else(|| PrepareError::Invalid("identity without a certificate".into()))?;
        builder.set_certificate(&own).map_err(invalid)?;
        for certificate in chain {
            builder.add_extra_chain_cert(certificate).map_err(invalid)?;
        }
        builder.set_private_key(&key).map_err(invalid)?;
    }
    let mut store = X509StoreBuilder::new().map_err(invalid)?;
    let anchors = setup.trust_anchors.as_deref().unwrap_or_default();
    for certificate in X509::stack_from_pem(anchors.as_bytes()).map_err(invalid)? {
        store.add_cert(&certificate).map_err(invalid)?;
    }
    builder.set_cert_store_builder(store);
    callbacks::register(&mut builder);
    Ok(builder)
}

/// Sets the suites of TLS 1.3, for which the safe crate has no method.
pub(crate) fn set_cipher_suites(
    builder: &mut SslContextBuilder,
    suites: &[CipherSuite],
) -> Result<(), ErrorStack> {
    let numbers: Vec<u16> = suites.iter().map(|suite| number(*suite)).collect();
    // SAFETY: the builder's context is alive, and the library copies the numbers; flags may be null.
    let set = unsafe {
        boring_sys::SSL_CTX_set1_tls13_ciphers(
            builder.as_ptr(),
            numbers.as_ptr(),
            ptr::null(),
            numbers.len(),
        )
    };
    check(set)
}

/// Sets which sessions a connection may resume: those that were made under the same context, of 32 octets at most.
pub(crate) fn set_session_id_context(ssl: &mut SslRef, context: &[u8]) -> Result<(), ErrorStack> {
    // SAFETY: the connection is alive, and the library copies the octets.
    let set = unsafe {
        boring_sys::SSL_set_session_id_context(ssl.as_ptr(), context.as_ptr(), context.len())
    };
    check(set)
}

/// The library's way to say that a call succeeded.
pub(crate) fn check(returned: c_int) -> Result<(), ErrorStack> {
    if returned == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}

/// Makes a connection refuse flags that are malformed or that it did not solicit, in every message
/// of TLS 1.3 but ClientHello.
pub(crate) fn enforce_tls_flags(ssl: &mut SslRef) {
    // SAFETY: the connection is alive.
    unsafe { boring_sys::SSL_set_enforce_tls_flags(ssl.as_ptr(), 1) }
}

/// A suite's number in the TLS Cipher Suites registry, RFC 9846 §B.4 (RFC 8446 §B.4).
fn number(suite: CipherSuite) -> u16 {
    match suite {
        CipherSuite::Aes128GcmSha256 => 0x1301,
        CipherSuite::Aes256GcmSha384 => 0x1302,
        CipherSuite::Chacha20Poly1305Sha256 => 0x1303,
        CipherSuite::Aes128CcmSha256 => 0x1304,
        CipherSuite::Aes128Ccm8Sha256 => 0x1305,
    }
}

/// The library's name of a group.
pub(crate) fn group(group: Group) -> &'static str {
    match group {
        Group::X25519 => "X25519",
        Group::Secp256r1 => "P-256",
        Group::Secp384r1 => "P-384",
        Group::X25519Mlkem768 => "X25519MLKEM768",
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn invalid(error: ErrorStack) -> PrepareError {
    PrepareError::Invalid(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_locked_one() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!(
            "name = \"boring-sys\"\nversion = \"{BORING_SYS}\"\n"
        )));
    }
}

//! From a job's setup to a context of OpenSSL.

use std::io::{self, Read, Write};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{HandshakeError, Ssl, SslContextBuilder, SslMethod, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use reqmtls_contract::{CipherSuite, Group, PrepareError, Setup, Version};

use crate::callbacks;

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
        builder.set_groups_list(&names.join(":")).map_err(invalid)?;
    }
    if !setup.cipher_suites.is_empty() {
        let names: Vec<_> = setup
            .cipher_suites
            .iter()
            .map(|suite| suite.as_str())
            .collect();
        builder
            .set_ciphersuites(&names.join(":"))
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
        store.add_cert(certificate).map_err(invalid)?;
    }
    builder.set_cert_store(store.build());
    callbacks::register(&mut builder);
    Ok(builder)
}

/// Whether a client can offer nothing but this suite.
///
/// The library takes the name of a suite that its security level then forbids, so ask for a
/// ClientHello: one that was written waits for an answer.
pub(crate) fn offers(suite: CipherSuite) -> bool {
    let connect = || {
        let mut builder = SslContextBuilder::new(SslMethod::tls())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
        builder.set_ciphersuites(suite.as_str())?;
        Ssl::new(&builder.build()).map(|ssl| ssl.connect(Nobody))
    };
    matches!(connect(), Ok(Err(HandshakeError::WouldBlock(_))))
}

/// Another end that takes everything and sends nothing.
#[derive(Debug)]
struct Nobody;

impl Read for Nobody {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Nobody {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

//! Whether a server configuration speaks TLS 1.3.

use std::sync::Arc;

use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, PeerIncompatible, ServerConfig};

/// Asks `config` itself, since rustls does not tell which versions it enables.
///
/// It is shown a ClientHello that offers TLS 1.3 alone. rustls first settles
/// the version, then resolves a certificate: here, to none at all.
pub(crate) fn speaks_tls13(config: &ServerConfig) -> bool {
    let mut config = config.clone();
    config.cert_resolver = Arc::new(NoCertificate);
    let mut acceptor = Acceptor::default();
    let accepted = acceptor
        .read_tls(&mut &CLIENT_HELLO[..])
        .ok()
        .and_then(|_| acceptor.accept().ok().flatten());
    let outcome = accepted.map(|accepted| accepted.into_connection(Arc::new(config)).map(drop));
    !matches!(
        outcome,
        Some(Err((
            Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled),
            _
        )))
    )
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// A record with a ClientHello that only ever gets as far as its version.
#[rustfmt::skip]
const CLIENT_HELLO: [u8; 75] = [
    22, 3, 1, 0, 70, // record: handshake
    1, 0, 0, 66, // client_hello
    3, 3, // legacy_version
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // random
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, // legacy_session_id
    0, 2, 0x13, 0x01, // cipher_suites
    1, 0, // legacy_compression_methods
    0, 23, // extensions
    0, 43, 0, 3, 2, 3, 4, // supported_versions: TLS 1.3
    0, 13, 0, 4, 0, 2, 4, 3, // signature_algorithms: ecdsa_secp256r1_sha256
    0, 10, 0, 4, 0, 2, 0, 29, // supported_groups: x25519
];

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::version::{TLS12, TLS13};

    use super::*;

    fn config(versions: &[&'static rustls::SupportedProtocolVersion]) -> ServerConfig {
        ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(NoCertificate))
    }

    #[test]
    fn probe_gets_past_the_parser() {
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut &CLIENT_HELLO[..]).unwrap();
        let accepted = acceptor.accept().map_err(|(error, _)| error).unwrap();
        let config = Arc::new(config(&[&TLS13]));
        let (error, _) = accepted.unwrap().into_connection(config).err().unwrap();
        assert_eq!(
            error,
            Error::General("no server certificate chain resolved".into())
        );
    }

    #[test]
    fn finds_out_which_configurations_speak_tls13() {
        assert!(speaks_tls13(&config(&[&TLS13])));
        assert!(speaks_tls13(&config(&[&TLS12, &TLS13])));
        assert!(!speaks_tls13(&config(&[&TLS12])));
    }
}

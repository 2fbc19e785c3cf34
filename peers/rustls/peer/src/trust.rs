//! Verifiers of certificates.

use std::sync::Arc;

use reqmtls_contract::PrepareError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use rustls_tlsflags::ClientAuth;

use crate::application::Trust;
use crate::config::invalid;

/// What a client verifies servers with; `None`: nothing is trusted.
pub(super) fn of_servers(
    trust: Trust,
    base: &CryptoProvider,
    roots: &Arc<RootCertStore>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, PrepareError> {
    if trust == Trust::Anybody {
        return Ok(Some(Arc::new(Anybody::new(base, false))));
    }
    if roots.is_empty() {
        return Ok(None);
    }
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::new(base.clone()));
    let verifier = builder.build().map_err(invalid)?;
    Ok(Some(verifier))
}

/// What a server verifies clients with.
pub(super) fn of_clients(
    trust: Trust,
    base: &CryptoProvider,
    roots: &Arc<RootCertStore>,
    client_auth: ClientAuth,
) -> Result<Arc<dyn ClientCertVerifier>, PrepareError> {
    let is_required = match client_auth {
        ClientAuth::None => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientAuth::Optional => false,
        ClientAuth::Required => true,
    };
    if trust == Trust::Anybody {
        return Ok(Arc::new(Anybody::new(base, is_required)));
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::new(base.clone()));
    if !is_required {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(invalid)?;
    Ok(verifier)
}

/// Accepts every certificate whose key made the signature in CertificateVerify.
#[derive(Debug)]
struct Anybody {
    algorithms: WebPkiSupportedAlgorithms,
    is_required: bool,
}

impl Anybody {
    fn new(provider: &CryptoProvider, is_required: bool) -> Self {
        Self {
            algorithms: provider.signature_verification_algorithms,
            is_required,
        }
    }
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

//! The certificates of a run: fresh for each, and gone with it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use reqmtls_contract::Identity;

/// The name in the server's certificate, which clients look for.
pub const SERVER_NAME: &str = "server.reqmtls.test";

/// One authority, and an end-entity certificate of its for each end; ECDSA on P-256.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate, which both ends trust; PEM.
    pub authority: String,
    /// The server's, valid for [`SERVER_NAME`].
    pub server: Identity,
    /// The client's, valid for client authentication.
    pub client: Identity,
}

impl Certificates {
    /// Makes keys and certificates.
    pub fn generate() -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "reqmtls authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = authority.self_signed(&key)?.pem();
        let issuer = Issuer::new(authority, key);
        Ok(Self {
            authority: certificate,
            server: end_entity(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth, &issuer)?,
            client: end_entity(
                "client.reqmtls.test",
                ExtendedKeyUsagePurpose::ClientAuth,
                &issuer,
            )?,
        })
    }
}

fn end_entity(
    name: &str,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Identity, rcgen::Error> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok(Identity {
        certificates: certificate.pem(),
        private_key: key.serialize_pem(),
    })
}

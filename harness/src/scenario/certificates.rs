//! The certificates of a run: fresh for each, and gone with it.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use reqmtls_contract::Identity;

/// The name in the server's certificate, which clients expect.
pub const SERVER_NAME: &str = "server.reqmtls.test";

/// How many intermediates the long chain has: as many as every library here follows.
const INTERMEDIATES: usize = 4;
/// What each of them carries beside a certificate's usual content, in octets.
const BALLAST: usize = 1500;

/// One authority that both ends trust, an end-entity certificate for the server, and for the client a
/// valid one and one for each defect that it may have; ECDSA on P-256.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate, which both ends trust; PEM.
    pub authority: String,
    /// The server's, valid for the name that clients expect.
    pub server: Identity,
    /// The client's, valid for client authentication.
    pub client: Identity,
    /// Issued by an authority that no end trusts.
    pub untrusted: Identity,
    /// Valid until the year 2001.
    pub expired: Identity,
    /// Valid from the year 2400.
    pub not_yet_valid: Identity,
    /// Valid for server authentication only.
    pub wrong_key_usage: Identity,
    /// Its own issuer.
    pub self_signed: Identity,
    /// Issued by an intermediate that is not in the chain.
    pub intermediate_missing: Identity,
    /// Issued by the last of several large intermediates, which are in the chain.
    pub long_chain: Identity,
}

impl Certificates {
    /// Names in place of PEM.
    pub(super) fn nominal() -> Self {
        let identity = |name: &str| Identity {
            certificates: name.to_owned(),
            private_key: name.to_owned(),
        };
        Self {
            authority: "authority".to_owned(),
            server: identity("server"),
            client: identity("client"),
            untrusted: identity("untrusted"),
            expired: identity("expired"),
            not_yet_valid: identity("not-yet-valid"),
            wrong_key_usage: identity("wrong-key-usage"),
            self_signed: identity("self-signed"),
            intermediate_missing: identity("intermediate-missing"),
            long_chain: identity("long-chain"),
        }
    }

    /// Makes keys and certificates.
    pub fn generate() -> Result<Self, rcgen::Error> {
        Self::generate_for(&[SERVER_NAME])
    }

    /// Makes keys and certificates, the server's for these names and addresses.
    pub(crate) fn generate_for(names: &[&str]) -> Result<Self, rcgen::Error> {
        let (authority, certificate) = authority("reqmtls authority")?;
        let (stranger, _) = self::authority("unknown authority")?;
        let (chain, last) = intermediates(&authority)?;
        let mut expired = client();
        expired.not_before = date_time_ymd(2000, 1, 1);
        expired.not_after = date_time_ymd(2001, 1, 1);
        let mut not_yet_valid = client();
        not_yet_valid.not_before = date_time_ymd(2400, 1, 1);
        not_yet_valid.not_after = date_time_ymd(2401, 1, 1);
        let mut wrong_key_usage = client();
        wrong_key_usage.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut long_chain = issue(&client(), &last)?;
        let intermediate_missing = issue(&client(), &last)?;
        long_chain.certificates.push_str(&chain);
        let all: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut server = CertificateParams::new(all)?;
        name(&mut server, names.first().unwrap_or(&SERVER_NAME));
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        Ok(Self {
            authority: certificate,
            server: issue(&server, &authority)?,
            client: issue(&client(), &authority)?,
            untrusted: issue(&client(), &stranger)?,
            expired: issue(&expired, &authority)?,
            not_yet_valid: issue(&not_yet_valid, &authority)?,
            wrong_key_usage: issue(&wrong_key_usage, &authority)?,
            self_signed: self_signed()?,
            intermediate_missing,
            long_chain,
        })
    }
}

fn name(params: &mut CertificateParams, name: &str) {
    params.distinguished_name.push(DnType::CommonName, name);
}

fn authority_params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    name(&mut params, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// An authority of its own, and its certificate in PEM.
fn authority(common_name: &str) -> Result<(Issuer<'static, KeyPair>, String), rcgen::Error> {
    let params = authority_params(common_name);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), certificate))
}

/// Authorities below an authority, each issued by the one before: their certificates from the last to
/// the first, in PEM, and the last as issuer.
fn intermediates(
    authority: &Issuer<'_, KeyPair>,
) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let next = |number: usize, above: &Issuer<'_, KeyPair>| {
        let mut params = authority_params(&format!("reqmtls intermediate {number}"));
        params.use_authority_key_identifier_extension = true;
        // Under the arc of examples; no library knows it, and it is not critical.
        let ballast = CustomExtension::from_oid_content(
            &[2, 999, 1],
            [vec![0x04, 0x82, 0x05, 0xdc], vec![0; BALLAST]].concat(),
        );
        params.custom_extensions = vec![ballast];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, above)?.pem();
        Ok::<_, rcgen::Error>((certificate, Issuer::new(params, key)))
    };
    let (mut chain, mut last) = next(1, authority)?;
    for number in 2..=INTERMEDIATES {
        let (certificate, issuer) = next(number, &last)?;
        chain.insert_str(0, &certificate);
        last = issuer;
    }
    Ok((chain, last))
}

fn client() -> CertificateParams {
    let mut params = CertificateParams::default();
    name(&mut params, "client.reqmtls.test");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn issue(
    params: &CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Identity, rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok(Identity {
        certificates: params.signed_by(&key, issuer)?.pem(),
        private_key: key.serialize_pem(),
    })
}

fn self_signed() -> Result<Identity, rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok(Identity {
        certificates: client().self_signed(&key)?.pem(),
        private_key: key.serialize_pem(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_chain_has_several_kilobytes() {
        let chain = Certificates::generate()
            .expect("certificates")
            .long_chain
            .certificates;
        assert_eq!(
            chain.matches("BEGIN CERTIFICATE").count(),
            1 + INTERMEDIATES
        );
        // PEM is a third longer than what goes over the wire.
        assert!(
            chain.len() * 3 / 4 > INTERMEDIATES * BALLAST,
            "{}",
            chain.len()
        );
    }
}

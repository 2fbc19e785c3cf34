//! The certificates of a run: fresh for each, and gone with it.

use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, Error, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use reqmtls_contract::{Identity, Keys};

/// The name in the server's certificate, which clients expect.
pub const SERVER_NAME: &str = "server.reqmtls.test";

/// How many intermediates the long chain has: as many as every library here follows.
const INTERMEDIATES: usize = 4;
/// What each of them carries beside a certificate's usual content, in octets.
const BALLAST: usize = 1500;

/// Valid certificates with keys of each kind, and one of the client's for each defect that it may have, with keys for
/// ECDSA on P-256.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// ECDSA on P-256.
    pub p256: Valid,
    rsa: Valid,
    ed25519: Valid,
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

/// One authority that both ends trust, and a certificate of its for each end. All keys are of one kind.
#[derive(Clone, Debug)]
pub struct Valid {
    /// The authority's certificate, which both ends trust; PEM.
    pub authority: String,
    /// The server's, valid for the name that clients expect.
    pub server: Identity,
    /// The client's, valid for client authentication.
    pub client: Identity,
}

impl Valid {
    /// Makes keys of this kind and certificates; none: for ECDSA on P-256.
    pub fn generate(keys: Option<Keys>) -> Result<Self, Error> {
        // Under one name a library might take the authority of one kind for that of another.
        let name = match keys {
            None => "reqmtls authority",
            Some(Keys::Rsa) => "reqmtls RSA authority",
            Some(Keys::Ed25519) => "reqmtls Ed25519 authority",
        };
        let (authority, certificate) = authority(name, keys)?;
        Self::issued(keys, &[SERVER_NAME], &authority, certificate)
    }

    fn issued(
        keys: Option<Keys>,
        names: &[&str],
        authority: &Issuer<'_, KeyPair>,
        certificate: String,
    ) -> Result<Self, Error> {
        Ok(Self {
            server: issue(&server(keys, names)?, &key(keys)?, authority)?,
            client: issue(&client(), &key(keys)?, authority)?,
            authority: certificate,
        })
    }

    fn nominal(keys: &str) -> Self {
        Self {
            authority: format!("{keys} authority"),
            server: nominal(&format!("{keys} server")),
            client: nominal(&format!("{keys} client")),
        }
    }
}

/// Names in place of PEM.
fn nominal(name: &str) -> Identity {
    Identity {
        certificates: name.to_owned(),
        private_key: name.to_owned(),
    }
}

impl Certificates {
    /// Names in place of PEM.
    pub(super) fn nominal() -> Self {
        Self {
            p256: Valid::nominal("p256"),
            rsa: Valid::nominal("rsa"),
            ed25519: Valid::nominal("ed25519"),
            untrusted: nominal("untrusted"),
            expired: nominal("expired"),
            not_yet_valid: nominal("not-yet-valid"),
            wrong_key_usage: nominal("wrong-key-usage"),
            self_signed: nominal("self-signed"),
            intermediate_missing: nominal("intermediate-missing"),
            long_chain: nominal("long-chain"),
        }
    }

    /// The valid ones with keys of this kind; none: for ECDSA on P-256.
    #[must_use]
    pub fn valid(&self, keys: Option<Keys>) -> &Valid {
        match keys {
            None => &self.p256,
            Some(Keys::Rsa) => &self.rsa,
            Some(Keys::Ed25519) => &self.ed25519,
        }
    }

    /// Makes keys and certificates.
    pub fn generate() -> Result<Self, Error> {
        Self::generate_for(&[SERVER_NAME])
    }

    /// Makes keys and certificates, the server's on P-256 for these names and addresses.
    pub(crate) fn generate_for(names: &[&str]) -> Result<Self, Error> {
        let (authority, certificate) = authority("reqmtls authority", None)?;
        let (stranger, _) = self::authority("unknown authority", None)?;
        let (chain, last) = intermediates(&authority)?;
        let mut expired = client();
        expired.not_before = date_time_ymd(2000, 1, 1);
        expired.not_after = date_time_ymd(2001, 1, 1);
        let mut not_yet_valid = client();
        not_yet_valid.not_before = date_time_ymd(2400, 1, 1);
        not_yet_valid.not_after = date_time_ymd(2401, 1, 1);
        let mut wrong_key_usage = client();
        wrong_key_usage.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let issued = |params: &CertificateParams, issuer: &Issuer<'_, KeyPair>| {
            issue(params, &KeyPair::generate()?, issuer)
        };
        let mut long_chain = issued(&client(), &last)?;
        let intermediate_missing = issued(&client(), &last)?;
        long_chain.certificates.push_str(&chain);
        Ok(Self {
            p256: Valid::issued(None, names, &authority, certificate)?,
            rsa: Valid::generate(Some(Keys::Rsa))?,
            ed25519: Valid::generate(Some(Keys::Ed25519))?,
            untrusted: issued(&client(), &stranger)?,
            expired: issued(&expired, &authority)?,
            not_yet_valid: issued(&not_yet_valid, &authority)?,
            wrong_key_usage: issued(&wrong_key_usage, &authority)?,
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

/// A key of this kind; none: for ECDSA on P-256.
fn key(keys: Option<Keys>) -> Result<KeyPair, Error> {
    match keys {
        None => KeyPair::generate(),
        Some(Keys::Rsa) => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        Some(Keys::Ed25519) => {
            // In the first version of PKCS #8: libraries do not read the second, which rcgen writes.
            let key = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1());
            KeyPair::try_from(key.map_err(|_| Error::RingUnspecified)?.as_ref())
        }
    }
}

/// An authority of its own, and its certificate in PEM.
fn authority(
    common_name: &str,
    keys: Option<Keys>,
) -> Result<(Issuer<'static, KeyPair>, String), Error> {
    let params = authority_params(common_name);
    let key = key(keys)?;
    let certificate = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), certificate))
}

/// Authorities below an authority, each issued by the one before: their certificates from the last to
/// the first, in PEM, and the last as issuer.
fn intermediates(
    authority: &Issuer<'_, KeyPair>,
) -> Result<(String, Issuer<'static, KeyPair>), Error> {
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
        Ok::<_, Error>((certificate, Issuer::new(params, key)))
    };
    let (mut chain, mut last) = next(1, authority)?;
    for number in 2..=INTERMEDIATES {
        let (certificate, issuer) = next(number, &last)?;
        chain.insert_str(0, &certificate);
        last = issuer;
    }
    Ok((chain, last))
}

fn server(keys: Option<Keys>, names: &[&str]) -> Result<CertificateParams, Error> {
    let all: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(all)?;
    name(&mut params, names.first().unwrap_or(&SERVER_NAME));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if keys == Some(Keys::Rsa) {
        // As public authorities issue them. TLS 1.3 has no use for it, but NSS accepts none without
        // (lib/certdb/certdb.c, CERT_CheckKeyUsage).
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
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
    key: &KeyPair,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Identity, Error> {
    Ok(Identity {
        certificates: params.signed_by(key, issuer)?.pem(),
        private_key: key.serialize_pem(),
    })
}

fn self_signed() -> Result<Identity, Error> {
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

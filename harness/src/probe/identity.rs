//! The certificate that a probe presents.

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use reqmtls_contract::Identity;
use reqmtls_vocabulary::words;

/// The test key testECCP256 of RFC 9500 §2.3, as PKCS #8. It is public, and proves nothing.
const TEST_ECC_P256: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5stb3YCqRa6clejB
VHZnn/7JU8FoUecR50OTlYnGT8GhRANCAARCJUj4j7eC/7Xso3REUscqHlWPvW9z
vl5I6TIyzEXFsWxM0QxMuNW4oXE56UiCyJklcpk0JfQUGat+kKQqSUJy
-----END PRIVATE KEY-----
";

words! {
    /// Whose the certificate is that a probe presents.
    pub enum Whose {
        /// Made on the spot: no server trusts its issuer.
        MadeUp = "made-up",
        /// The user's.
        Given = "given",
        /// Made on the spot under the test key testECCP256 of RFC 9500 §2.3.
        Rfc9500 = "rfc9500",
    }
}

/// A certificate under the test key testECCP256 of RFC 9500 §2.3, its own issuer.
///
/// # Errors
///
/// What the library fails with.
pub fn rfc9500() -> Result<Identity, rcgen::Error> {
    let key = KeyPair::from_pem(TEST_ECC_P256)?;
    let mut params = CertificateParams::default();
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "client.reqmtls.test");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(Identity {
        certificates: params.self_signed(&key)?.pem(),
        private_key: TEST_ECC_P256.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key as RFC 9500 §2.3 prints it, without the leading octet of its form.
    const PUBLIC: &str = "422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1\
                          6c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272";

    #[test]
    fn the_key_is_the_one_of_the_rfc() {
        let key = KeyPair::from_pem(TEST_ECC_P256).unwrap();
        assert_eq!(hex::encode(key.public_key_raw()), format!("04{PUBLIC}"));
        let certificate = rfc9500().unwrap().certificates;
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    }
}

//! Certificate, CertificateRequest and CertificateVerify
//! (RFC 9846 §4.4.2, §4.5.1, §4.5.2 (RFC 8446 §4.3.2, §4.4.2, §4.4.3); for TLS 1.2 RFC 5246 §7.4.2, §7.4.4).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::extension::Extension;
use crate::bytes::{Octets, Octets32};
use crate::reader::{ReadError, Reader};
use reqmtls_vocabulary::SignatureScheme;

/// A Certificate message of either version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The request that it answers; empty in a main handshake and in TLS 1.2.
    pub context: Octets,
    /// The chain, the end's own certificate first; empty if it has none.
    pub certificates: Vec<CertificateEntry>,
}

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateEntry {
    /// SHA-256 of its DER.
    pub sha256: Octets32,
    /// Length of its DER in bytes.
    pub der_len: usize,
    /// Extensions that accompany it; none in TLS 1.2.
    pub extensions: Vec<Extension>,
}

impl Certificate {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let context = reader.vec8("certificate request context")?.rest().into();
        let certificates = chain(reader, Extension::block)?;
        Ok(Self {
            context,
            certificates,
        })
    }

    pub(super) fn read_tls12(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let certificates = chain(reader, |_| Ok(Vec::new()))?;
        Ok(Self {
            context: Octets::default(),
            certificates,
        })
    }
}

fn chain(
    reader: &mut Reader<'_>,
    extensions: impl Fn(&mut Reader<'_>) -> Result<Vec<Extension>, ReadError>,
) -> Result<Vec<CertificateEntry>, ReadError> {
    let mut list = reader.vec24("certificate list")?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        let der = list.vec24("certificate")?.rest();
        certificates.push(CertificateEntry {
            sha256: Octets32(Sha256::digest(der).into()),
            der_len: der.len(),
            extensions: extensions(&mut list)?,
        });
    }
    Ok(certificates)
}

/// A CertificateRequest of TLS 1.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    /// Empty in a main handshake (RFC 9846 §4.4.2 (RFC 8446 §4.3.2)).
    pub context: Octets,
    /// All extensions, in wire order.
    pub extensions: Vec<Extension>,
}

impl CertificateRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            context: reader.vec8("certificate request context")?.rest().into(),
            extensions: Extension::block(reader)?,
        })
    }
}

/// A CertificateRequest of TLS 1.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest12 {
    /// The kinds of certificate that would do.
    pub certificate_types: Vec<u8>,
    /// The signature schemes that would do.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The names of the authorities that would do, each as DER.
    pub authorities: Vec<Octets>,
}

impl CertificateRequest12 {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let certificate_types = reader.vec8("certificate types")?.rest().to_vec();
        let mut schemes = reader.vec16("signature schemes")?;
        let mut signature_schemes = Vec::new();
        while !schemes.is_empty() {
            signature_schemes.push(SignatureScheme(schemes.u16("signature scheme")?));
        }
        let mut names = reader.vec16("certificate authorities")?;
        let mut authorities = Vec::new();
        while !names.is_empty() {
            authorities.push(names.vec16("certificate authority")?.rest().into());
        }
        Ok(Self {
            certificate_types,
            signature_schemes,
            authorities,
        })
    }
}

/// A CertificateVerify of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateVerify {
    /// The scheme of its signature.
    pub scheme: SignatureScheme,
}

impl CertificateVerify {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let scheme = SignatureScheme(reader.u16("signature scheme")?);
        reader.vec16("signature")?;
        Ok(Self { scheme })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_chain_with_extensions_of_each_entry() {
        let bytes = [
            1, 7, 0, 0, 18, 0, 0, 3, b'a', b'b', b'c', 0, 5, 0, 62, 0, 1, 9, 0, 0, 0, 0, 0,
        ];
        let certificate = Certificate::read(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(certificate.context[..], [7]);
        let [first, second] = &certificate.certificates[..] else {
            panic!("{certificate:?}")
        };
        assert!(first.sha256.to_string().starts_with("ba7816bf8f01cfea"));
        assert_eq!(first.extensions[0].body[..], [9]);
        assert_eq!((second.der_len, second.extensions.len()), (0, 0));
    }

    #[test]
    fn reads_an_empty_certificate() {
        let certificate = Certificate::read(&mut Reader::new(&[0, 0, 0, 0])).unwrap();
        assert_eq!(certificate.certificates, []);
    }

    #[test]
    fn reads_a_certificate_request_of_tls12() {
        let bytes = [1, 64, 0, 2, 4, 3, 0, 5, 0, 3, 1, 2, 3];
        let request = CertificateRequest12::read(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(request.certificate_types, [64]);
        assert_eq!(
            request.signature_schemes,
            [SignatureScheme::ECDSA_SECP256R1_SHA256]
        );
        assert_eq!(request.authorities, [Octets(vec![1, 2, 3])]);
    }
}

//! ClientHello, ServerHello and HelloRetryRequest (RFC 9846 §4.2 (RFC 8446 §4.1)).

use serde::{Deserialize, Serialize};

use super::extension::Extension;
use crate::bytes::Octets32;
use crate::reader::{ReadError, Reader};
use reqmtls_vocabulary::{CipherSuite, ExtensionType, ProtocolVersion};

/// The random by which a ServerHello is a HelloRetryRequest (RFC 9846 §4.2.3 (RFC 8446 §4.1.3)).
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ClientHello (RFC 9846 §4.2.2 (RFC 8446 §4.1.2)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientHello {
    /// Its random, by which key logs name the connection.
    pub random: Octets32,
    /// The version field, which TLS 1.3 freezes at TLS 1.2.
    pub legacy_version: ProtocolVersion,
    /// Length of the session id in bytes.
    pub session_id_len: usize,
    /// The cipher suites offered, in order of preference.
    pub cipher_suites: Vec<CipherSuite>,
    /// All extensions, in wire order.
    pub extensions: Vec<Extension>,
}

impl ClientHello {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let legacy_version = ProtocolVersion(reader.u16("legacy_version")?);
        let random = Octets32(reader.array("random")?);
        let session_id_len = reader.vec8("session id")?.rest().len();
        let mut suites = reader.vec16("cipher suites")?;
        let mut cipher_suites = Vec::new();
        while !suites.is_empty() {
            cipher_suites.push(CipherSuite(suites.u16("cipher suite")?));
        }
        reader.vec8("compression methods")?;
        let extensions = Extension::optional_block(reader)?;
        Ok(Self {
            random,
            legacy_version,
            session_id_len,
            cipher_suites,
            extensions,
        })
    }

    /// Whether an extension of this type is present.
    #[must_use]
    pub fn offers(&self, kind: ExtensionType) -> bool {
        self.extensions
            .iter()
            .any(|extension| extension.kind == kind)
    }
}

/// A ServerHello (RFC 9846 §4.2.3 (RFC 8446 §4.1.3)) or a HelloRetryRequest (RFC 9846 §4.2.4 (RFC 8446 §4.1.4)),
/// which share their form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerHello {
    /// Its random; for a HelloRetryRequest the fixed one that makes it such.
    pub random: Octets32,
    /// The version field, which TLS 1.3 freezes at TLS 1.2.
    pub legacy_version: ProtocolVersion,
    /// Length of the session id in bytes.
    pub session_id_len: usize,
    /// The cipher suite chosen.
    pub cipher_suite: CipherSuite,
    /// All extensions, in wire order.
    pub extensions: Vec<Extension>,
}

impl ServerHello {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let legacy_version = ProtocolVersion(reader.u16("legacy_version")?);
        let random = Octets32(reader.array("random")?);
        let session_id_len = reader.vec8("session id")?.rest().len();
        let cipher_suite = CipherSuite(reader.u16("cipher suite")?);
        reader.u8("compression method")?;
        let extensions = Extension::optional_block(reader)?;
        Ok(Self {
            random,
            legacy_version,
            session_id_len,
            cipher_suite,
            extensions,
        })
    }

    /// The version chosen: `supported_versions` where present (RFC 9846 §4.3.1 (RFC 8446 §4.2.1)),
    /// else the version field.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        let mut extensions = self.extensions.iter();
        let selected = extensions.find(|e| e.kind == ExtensionType::SUPPORTED_VERSIONS);
        match selected.map(|extension| &extension.body[..]) {
            Some(&[high, low]) => ProtocolVersion(u16::from_be_bytes([high, low])),
            _ => self.legacy_version,
        }
    }

    pub(super) fn is_retry(&self) -> bool {
        self.random.0 == RETRY_RANDOM
    }
}

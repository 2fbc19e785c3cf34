//! Handshake messages, with the fields that matter to a judgement.

mod certificate;
mod compressed;
mod decompress;
mod extension;
mod hello;

use serde::{Deserialize, Serialize};

use super::reader::{ReadError, Reader};
pub use certificate::{
    Certificate, CertificateEntry, CertificateRequest, CertificateRequest12, CertificateVerify,
};
pub use compressed::{CompressedCertificate, Unreadable};
pub use extension::Extension;
#[cfg(any(test, feature = "testing"))]
pub(super) use hello::RETRY_RANDOM;
pub use hello::{ClientHello, ServerHello};
use reqmtls_vocabulary::{HandshakeType, ProtocolVersion};

/// A handshake message (RFC 9846 §4 (RFC 8446 §4); for TLS 1.2 RFC 5246 §7.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeMessage {
    /// `ClientHello`
    ClientHello(ClientHello),
    /// `ServerHello`
    ServerHello(ServerHello),
    /// `HelloRetryRequest`, a ServerHello by its form and recognised by its random
    HelloRetryRequest(ServerHello),
    /// `EncryptedExtensions`
    EncryptedExtensions {
        /// All extensions, in wire order.
        extensions: Vec<Extension>,
    },
    /// `CertificateRequest` of TLS 1.3
    CertificateRequest(CertificateRequest),
    /// `CertificateRequest` of TLS 1.2
    CertificateRequest12(CertificateRequest12),
    /// `Certificate` of either version
    Certificate(Certificate),
    /// `CompressedCertificate` of TLS 1.3, which stands in the place of a Certificate
    CompressedCertificate(CompressedCertificate),
    /// `CertificateVerify` of either version
    CertificateVerify(CertificateVerify),
    /// `Finished` of either version
    Finished,
    /// `NewSessionTicket` of TLS 1.3
    NewSessionTicket {
        /// Lifetime of the ticket, in seconds.
        lifetime: u32,
        /// All extensions, in wire order.
        extensions: Vec<Extension>,
    },
    /// `KeyUpdate`
    KeyUpdate {
        /// Whether the other side has to update its keys too: 0 no, 1 yes.
        request_update: u8,
    },
    /// `EndOfEarlyData`
    EndOfEarlyData,
    /// A message of which only the type is read: one of TLS 1.2 that does not
    /// matter here, or one whose type is not known.
    Other {
        /// Its type.
        kind: HandshakeType,
    },
    /// A message whose body is not what its type demands.
    Malformed {
        /// Its type.
        kind: HandshakeType,
        /// What is wrong with the body.
        reason: String,
    },
}

impl HandshakeMessage {
    /// Reads a message's body in the form that the version gives its type. It never fails: a body that is
    /// not in that form is [`HandshakeMessage::Malformed`].
    #[must_use]
    pub fn read(kind: HandshakeType, body: &[u8], version: ProtocolVersion) -> Self {
        Self::read_with(kind, body, version, true)
    }

    /// The same, with the choice whether a `CompressedCertificate` is decompressed.
    pub(super) fn read_with(
        kind: HandshakeType,
        body: &[u8],
        version: ProtocolVersion,
        decompresses: bool,
    ) -> Self {
        let mut reader = Reader::new(body);
        let message = Self::read_body(kind, &mut reader, version, decompresses);
        let name = kind.name().unwrap_or("the message");
        match message.and_then(|message| reader.end(name).map(|()| message)) {
            Ok(message) => message,
            Err(error) => Self::Malformed {
                kind,
                reason: error.to_string(),
            },
        }
    }

    fn read_body(
        kind: HandshakeType,
        reader: &mut Reader<'_>,
        version: ProtocolVersion,
        decompresses: bool,
    ) -> Result<Self, ReadError> {
        let tls13 = version == ProtocolVersion::TLS13;
        Ok(match kind {
            HandshakeType::CLIENT_HELLO => Self::ClientHello(ClientHello::read(reader)?),
            HandshakeType::SERVER_HELLO => match ServerHello::read(reader)? {
                hello if hello.is_retry() => Self::HelloRetryRequest(hello),
                hello => Self::ServerHello(hello),
            },
            HandshakeType::CERTIFICATE if tls13 => Self::Certificate(Certificate::read(reader)?),
            HandshakeType::CERTIFICATE => Self::Certificate(Certificate::read_tls12(reader)?),
            HandshakeType::COMPRESSED_CERTIFICATE if tls13 => {
                Self::CompressedCertificate(CompressedCertificate::read(reader, decompresses)?)
            }
            HandshakeType::CERTIFICATE_REQUEST if tls13 => {
                Self::CertificateRequest(CertificateRequest::read(reader)?)
            }
            HandshakeType::CERTIFICATE_REQUEST => {
                Self::CertificateRequest12(CertificateRequest12::read(reader)?)
            }
            HandshakeType::CERTIFICATE_VERIFY => {
                Self::CertificateVerify(CertificateVerify::read(reader)?)
            }
            HandshakeType::FINISHED => {
                reader.rest();
                Self::Finished
            }
            HandshakeType::ENCRYPTED_EXTENSIONS => Self::EncryptedExtensions {
                extensions: Extension::block(reader)?,
            },
            HandshakeType::NEW_SESSION_TICKET if tls13 => {
                let lifetime = reader.u32("ticket lifetime")?;
                reader.u32("ticket age_add")?;
                reader.vec8("ticket nonce")?;
                reader.vec16("ticket")?;
                Self::NewSessionTicket {
                    lifetime,
                    extensions: Extension::block(reader)?,
                }
            }
            HandshakeType::KEY_UPDATE => Self::KeyUpdate {
                request_update: reader.u8("request_update")?,
            },
            HandshakeType::END_OF_EARLY_DATA => Self::EndOfEarlyData,
            _ => {
                reader.rest();
                Self::Other { kind }
            }
        })
    }

    /// The message's type.
    #[must_use]
    pub fn kind(&self) -> HandshakeType {
        match self {
            Self::ClientHello(_) => HandshakeType::CLIENT_HELLO,
            Self::ServerHello(_) | Self::HelloRetryRequest(_) => HandshakeType::SERVER_HELLO,
            Self::EncryptedExtensions { .. } => HandshakeType::ENCRYPTED_EXTENSIONS,
            Self::CertificateRequest(_) | Self::CertificateRequest12(_) => {
                HandshakeType::CERTIFICATE_REQUEST
            }
            Self::Certificate(_) => HandshakeType::CERTIFICATE,
            Self::CompressedCertificate(_) => HandshakeType::COMPRESSED_CERTIFICATE,
            Self::CertificateVerify(_) => HandshakeType::CERTIFICATE_VERIFY,
            Self::Finished => HandshakeType::FINISHED,
            Self::NewSessionTicket { .. } => HandshakeType::NEW_SESSION_TICKET,
            Self::KeyUpdate { .. } => HandshakeType::KEY_UPDATE,
            Self::EndOfEarlyData => HandshakeType::END_OF_EARLY_DATA,
            Self::Other { kind } | Self::Malformed { kind, .. } => *kind,
        }
    }

    /// The message's name as it is printed. An unknown type prints in hexadecimal.
    #[must_use]
    pub fn name(&self) -> String {
        match self.registered_name() {
            Some(name) => name.to_owned(),
            None => format!("Handshake({})", self.kind()),
        }
    }

    /// The message's name, if its type is known.
    pub(super) fn registered_name(&self) -> Option<&'static str> {
        match self {
            Self::HelloRetryRequest(_) => Some("HelloRetryRequest"),
            _ => self.kind().name(),
        }
    }

    /// Whether this stands in the place of a Certificate: it is one, compressed or not, readable or not.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        let kind = self.kind();
        kind == HandshakeType::CERTIFICATE || kind == HandshakeType::COMPRESSED_CERTIFICATE
    }

    /// The Certificate that this is, compressed or not. `None` if it is none, and if it cannot be read, which
    /// [`HandshakeMessage::is_certificate`] distinguishes.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Certificate(certificate) => Some(certificate),
            Self::CompressedCertificate(compressed) => compressed.certificate.as_ref().ok(),
            _ => None,
        }
    }

    /// Every extension that the message carries, in wire order; for
    /// Certificate those of all its entries, compressed or not.
    #[must_use]
    pub fn extensions(&self) -> Vec<&Extension> {
        match self {
            Self::ClientHello(ClientHello { extensions, .. })
            | Self::ServerHello(ServerHello { extensions, .. })
            | Self::HelloRetryRequest(ServerHello { extensions, .. })
            | Self::CertificateRequest(CertificateRequest { extensions, .. })
            | Self::EncryptedExtensions { extensions }
            | Self::NewSessionTicket { extensions, .. } => extensions.iter().collect(),
            _ => {
                let entries = self
                    .certificate()
                    .map(|certificate| &certificate.certificates);
                let entries = entries.into_iter().flatten();
                entries.flat_map(|entry| &entry.extensions).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read13(kind: u8, body: &[u8]) -> HandshakeMessage {
        HandshakeMessage::read(HandshakeType(kind), body, ProtocolVersion::TLS13)
    }

    fn malformed(kind: u8, reason: &str) -> HandshakeMessage {
        HandshakeMessage::Malformed {
            kind: HandshakeType(kind),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_malformed_body_has_a_reason() {
        assert_eq!(
            read13(8, &[0, 4, 0, 62]),
            malformed(8, "extensions needs 4 bytes, 2 left")
        );
        assert_eq!(
            read13(24, &[0, 1, 2]),
            malformed(24, "2 bytes follow KeyUpdate, expected none")
        );
        assert_eq!(
            read13(5, &[1]),
            malformed(5, "1 bytes follow EndOfEarlyData, expected none")
        );
    }

    #[test]
    fn reads_unknown_types() {
        let message = read13(99, &[1, 2, 3]);
        assert_eq!(
            message,
            HandshakeMessage::Other {
                kind: HandshakeType(99)
            }
        );
        assert_eq!(message.name(), "Handshake(0x63)");
        assert_eq!(read13(254, &[]).name(), "MessageHash");
    }

    #[test]
    fn recognises_a_hello_retry_request_by_its_random() {
        let mut body = vec![3, 3];
        body.extend(RETRY_RANDOM);
        body.extend([0, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        let message = read13(2, &body);
        let HandshakeMessage::HelloRetryRequest(retry) = &message else {
            panic!("{message:?}")
        };
        assert_eq!(retry.version(), ProtocolVersion::TLS13);
        assert_eq!(message.name(), "HelloRetryRequest");
        body[33] ^= 1;
        assert_eq!(read13(2, &body).name(), "ServerHello");
    }

    #[test]
    fn every_truncation_of_a_client_hello_is_malformed_or_without_extensions() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([
            1, 5, 0, 4, 0x13, 0x01, 0x13, 0x02, 1, 0, 0, 6, 0, 62, 0, 2, 1, 1,
        ]);
        let HandshakeMessage::ClientHello(hello) = read13(1, &body) else {
            panic!()
        };
        assert_eq!(hello.session_id_len, 1);
        assert_eq!(hello.cipher_suites.len(), 2);
        assert_eq!(hello.extensions.len(), 1);
        for length in 0..body.len() {
            match read13(1, &body[..length]) {
                HandshakeMessage::Malformed { .. } => {}
                // Without the whole block it is a hello of TLS 1.2, where extensions may be absent.
                HandshakeMessage::ClientHello(hello) => {
                    assert_eq!((length, hello.extensions.len()), (body.len() - 8, 0));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

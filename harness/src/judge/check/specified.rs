//! Which extension is specified for which message, RFC 9846 §4.3 (RFC 8446 §4.2), as data.

use reqmtls_observer::{ExtensionType, HandshakeMessage, Side};

use super::View;
use Place::{
    CertificateEntry, CertificateRequest, ClientHello, EncryptedExtensions, HelloRetryRequest,
    NewSessionTicket, ServerHello,
};

/// A message that carries extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    CertificateRequest,
    /// Each entry of Certificate has a block of its own.
    CertificateEntry,
    NewSessionTicket,
}

impl Place {
    pub(super) fn of(message: &HandshakeMessage) -> Option<Self> {
        Some(match message {
            HandshakeMessage::ClientHello(_) => ClientHello,
            HandshakeMessage::ServerHello(_) => ServerHello,
            HandshakeMessage::HelloRetryRequest(_) => HelloRetryRequest,
            HandshakeMessage::EncryptedExtensions { .. } => EncryptedExtensions,
            HandshakeMessage::CertificateRequest(_) => CertificateRequest,
            HandshakeMessage::Certificate(_) => CertificateEntry,
            HandshakeMessage::NewSessionTicket { .. } => NewSessionTicket,
            _ => return None,
        })
    }
}

const IN_HELLO_AND_ANSWER: &[Place] = &[ClientHello, EncryptedExtensions];
const IN_REQUESTS: &[Place] = &[ClientHello, CertificateRequest];
const IN_REQUESTS_AND_CERTIFICATE: &[Place] = &[ClientHello, CertificateRequest, CertificateEntry];
const IN_ALL_HELLOS: &[Place] = &[ClientHello, ServerHello, HelloRetryRequest];

/// The table of RFC 9846 §4.3, in its order. What it does not list is not judged by its place.
const TABLE: &[(ExtensionType, &[Place])] = &[
    (
        ExtensionType::SERVER_NAME,
        &[ClientHello, EncryptedExtensions, CertificateRequest],
    ),
    (ExtensionType::STATUS_REQUEST, IN_REQUESTS_AND_CERTIFICATE),
    (ExtensionType::SUPPORTED_GROUPS, IN_HELLO_AND_ANSWER),
    (ExtensionType::SIGNATURE_ALGORITHMS, IN_REQUESTS),
    // use_srtp, heartbeat
    (ExtensionType(14), IN_HELLO_AND_ANSWER),
    (ExtensionType(15), IN_HELLO_AND_ANSWER),
    (ExtensionType::ALPN, IN_HELLO_AND_ANSWER),
    // RFC 8446 lists it; RFC 9846 §4.5.1.1 describes it.
    (
        ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
        IN_REQUESTS_AND_CERTIFICATE,
    ),
    (ExtensionType::CLIENT_CERTIFICATE_TYPE, IN_HELLO_AND_ANSWER),
    (ExtensionType::SERVER_CERTIFICATE_TYPE, IN_HELLO_AND_ANSWER),
    (ExtensionType::PADDING, &[ClientHello]),
    (ExtensionType::COMPRESS_CERTIFICATE, IN_REQUESTS),
    (ExtensionType::RECORD_SIZE_LIMIT, IN_HELLO_AND_ANSWER),
    // delegated_credential, supported_ekt_ciphers
    (ExtensionType(34), IN_REQUESTS_AND_CERTIFICATE),
    (ExtensionType(39), IN_HELLO_AND_ANSWER),
    (ExtensionType::PRE_SHARED_KEY, &[ClientHello, ServerHello]),
    (
        ExtensionType::EARLY_DATA,
        &[ClientHello, EncryptedExtensions, NewSessionTicket],
    ),
    (ExtensionType::SUPPORTED_VERSIONS, IN_ALL_HELLOS),
    (ExtensionType::COOKIE, &[ClientHello, HelloRetryRequest]),
    (ExtensionType::PSK_KEY_EXCHANGE_MODES, &[ClientHello]),
    (ExtensionType::CERTIFICATE_AUTHORITIES, IN_REQUESTS),
    (ExtensionType::OID_FILTERS, &[CertificateRequest]),
    (ExtensionType::POST_HANDSHAKE_AUTH, &[ClientHello]),
    (ExtensionType::SIGNATURE_ALGORITHMS_CERT, IN_REQUESTS),
    (ExtensionType::KEY_SHARE, IN_ALL_HELLOS),
    // transparency_info, external_id_hash, external_session_id
    (ExtensionType(52), IN_REQUESTS_AND_CERTIFICATE),
    (ExtensionType(55), IN_HELLO_AND_ANSWER),
    (ExtensionType(56), IN_HELLO_AND_ANSWER),
    (
        ExtensionType::QUIC_TRANSPORT_PARAMETERS,
        IN_HELLO_AND_ANSWER,
    ),
    // ticket_request, ech_outer_extensions
    (ExtensionType(58), IN_HELLO_AND_ANSWER),
    (ExtensionType(64768), &[ClientHello]),
    (
        ExtensionType::ENCRYPTED_CLIENT_HELLO,
        &[ClientHello, HelloRetryRequest, EncryptedExtensions],
    ),
];

/// `tls_flags`, draft-ietf-tls-tlsflags §4: every message with extensions, in TLS 1.3.
const TLS_FLAGS: &[Place] = &[
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    CertificateRequest,
    CertificateEntry,
    NewSessionTicket,
];

/// What every implementation has to know, RFC 9846 §9.2 (RFC 8446 §9.2).
const MANDATORY: [ExtensionType; 7] = [
    ExtensionType::SUPPORTED_VERSIONS,
    ExtensionType::COOKIE,
    ExtensionType::SIGNATURE_ALGORITHMS,
    ExtensionType::SIGNATURE_ALGORITHMS_CERT,
    ExtensionType::SUPPORTED_GROUPS,
    ExtensionType::KEY_SHARE,
    ExtensionType::SERVER_NAME,
];

/// Whether an extension is specified for a message; `None` if no table here says.
pub(super) fn is_specified(view: &View<'_>, kind: ExtensionType, place: Place) -> Option<bool> {
    let flags = (kind == view.knowledge.codepoints().extension).then_some(TLS_FLAGS);
    let row = || TABLE.iter().find(|(listed, _)| *listed == kind);
    let places = flags.or_else(|| row().map(|(_, places)| *places))?;
    Some(places.contains(&place))
}

/// Whether an end recognises an extension: it is mandatory, or the end itself sends it.
pub(super) fn recognises(view: &View<'_>, end: Side, kind: ExtensionType) -> bool {
    MANDATORY.contains(&kind) || view.has_sent(end, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the notation of RFC 9846 §4.3: CH, SH, EE, CT, CR, NST, HRR.
    #[test]
    fn the_table_reads_as_that_of_the_rfc() {
        let name = |place: &Place| match place {
            ClientHello => "CH",
            ServerHello => "SH",
            HelloRetryRequest => "HRR",
            EncryptedExtensions => "EE",
            CertificateRequest => "CR",
            CertificateEntry => "CT",
            NewSessionTicket => "NST",
        };
        let rows = TABLE.iter().map(|(kind, places)| {
            let places: Vec<_> = places.iter().map(name).collect();
            format!("{} {}", kind.0, places.join(","))
        });
        let expected = "0 CH,EE,CR; 5 CH,CR,CT; 10 CH,EE; 13 CH,CR; 14 CH,EE; 15 CH,EE; 16 CH,EE; \
            18 CH,CR,CT; 19 CH,EE; 20 CH,EE; 21 CH; 27 CH,CR; 28 CH,EE; 34 CH,CR,CT; 39 CH,EE; 41 CH,SH; \
            42 CH,EE,NST; 43 CH,SH,HRR; 44 CH,HRR; 45 CH; 47 CH,CR; 48 CR; 49 CH; 50 CH,CR; 51 CH,SH,HRR; \
            52 CH,CR,CT; 55 CH,EE; 56 CH,EE; 57 CH,EE; 58 CH,EE; 64768 CH; 65037 CH,HRR,EE";
        assert_eq!(rows.collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn tls_flags_have_a_place_in_every_message_with_extensions() {
        assert_eq!(TLS_FLAGS.len(), 7);
    }
}

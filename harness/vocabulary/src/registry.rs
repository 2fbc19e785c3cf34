//! Numbers of the TLS registries with their names. Unknown numbers are values too,
//! and print in hexadecimal.

/// Declares a number of a TLS registry as a newtype that holds unknown values too.
macro_rules! registry {
    (
        $(#[$doc:meta])*
        $type:ident($number:ty), $width:literal {
            $($constant:ident = $value:literal $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $type(pub $number);

        impl $type {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self($value);
            )*

            /// Every number that is known here, in the order of the registry.
            pub const KNOWN: &'static [Self] = &[$(Self::$constant,)*];

            /// The number of that registered name, if it is known here.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::KNOWN.iter().copied().find(|number| number.name() == Some(name))
            }

            /// The registered name, if the number is known here.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!("0x{:0", $width, "x}"), self.0),
                }
            }
        }
    };
}
registry! {
    /// A protocol version (RFC 9846 §4.2.2 (RFC 8446 §4.1.2)).
    ProtocolVersion(u16), "4" {
        SSL3 = 0x0300 "SSLv3",
        TLS10 = 0x0301 "TLSv1.0",
        TLS11 = 0x0302 "TLSv1.1",
        TLS12 = 0x0303 "TLSv1.2",
        TLS13 = 0x0304 "TLSv1.3",
    }
}

registry! {
    /// A handshake message's type (RFC 9846 §4 (RFC 8446 §4) and, for TLS 1.2, RFC 5246 §7.4).
    HandshakeType(u8), "2" {
        HELLO_REQUEST = 0 "HelloRequest",
        CLIENT_HELLO = 1 "ClientHello",
        SERVER_HELLO = 2 "ServerHello",
        NEW_SESSION_TICKET = 4 "NewSessionTicket",
        END_OF_EARLY_DATA = 5 "EndOfEarlyData",
        ENCRYPTED_EXTENSIONS = 8 "EncryptedExtensions",
        CERTIFICATE = 11 "Certificate",
        SERVER_KEY_EXCHANGE = 12 "ServerKeyExchange",
        CERTIFICATE_REQUEST = 13 "CertificateRequest",
        SERVER_HELLO_DONE = 14 "ServerHelloDone",
        CERTIFICATE_VERIFY = 15 "CertificateVerify",
        CLIENT_KEY_EXCHANGE = 16 "ClientKeyExchange",
        FINISHED = 20 "Finished",
        CERTIFICATE_URL = 21 "CertificateURL",
        CERTIFICATE_STATUS = 22 "CertificateStatus",
        KEY_UPDATE = 24 "KeyUpdate",
        COMPRESSED_CERTIFICATE = 25 "CompressedCertificate",
        MESSAGE_HASH = 254 "MessageHash",
    }
}

registry! {
    /// A cipher suite (RFC 9846 §B.4 (RFC 8446 §B.4); for TLS 1.2 those with an AEAD that is in use).
    CipherSuite(u16), "4" {
        TLS13_AES_128_GCM_SHA256 = 0x1301 "TLS_AES_128_GCM_SHA256",
        TLS13_AES_256_GCM_SHA384 = 0x1302 "TLS_AES_256_GCM_SHA384",
        TLS13_CHACHA20_POLY1305_SHA256 = 0x1303 "TLS_CHACHA20_POLY1305_SHA256",
        TLS13_AES_128_CCM_SHA256 = 0x1304 "TLS_AES_128_CCM_SHA256",
        TLS13_AES_128_CCM_8_SHA256 = 0x1305 "TLS_AES_128_CCM_8_SHA256",
        RSA_AES_128_GCM_SHA256 = 0x009c "TLS_RSA_WITH_AES_128_GCM_SHA256",
        RSA_AES_256_GCM_SHA384 = 0x009d "TLS_RSA_WITH_AES_256_GCM_SHA384",
        DHE_RSA_AES_128_GCM_SHA256 = 0x009e "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        DHE_RSA_AES_256_GCM_SHA384 = 0x009f "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        ECDHE_ECDSA_AES_128_GCM_SHA256 = 0xc02b "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ECDHE_ECDSA_AES_256_GCM_SHA384 = 0xc02c "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ECDHE_RSA_AES_128_GCM_SHA256 = 0xc02f "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ECDHE_RSA_AES_256_GCM_SHA384 = 0xc030 "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ECDHE_RSA_CHACHA20_POLY1305_SHA256 = 0xcca8 "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ECDHE_ECDSA_CHACHA20_POLY1305_SHA256 = 0xcca9 "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        DHE_RSA_CHACHA20_POLY1305_SHA256 = 0xccaa "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    }
}

registry! {
    /// An extension's type (RFC 9846 §4.3 (RFC 8446 §4.2) and the IANA registry).
    ExtensionType(u16), "4" {
        SERVER_NAME = 0 "server_name",
        MAX_FRAGMENT_LENGTH = 1 "max_fragment_length",
        STATUS_REQUEST = 5 "status_request",
        SUPPORTED_GROUPS = 10 "supported_groups",
        EC_POINT_FORMATS = 11 "ec_point_formats",
        SIGNATURE_ALGORITHMS = 13 "signature_algorithms",
        ALPN = 16 "application_layer_protocol_negotiation",
        SIGNED_CERTIFICATE_TIMESTAMP = 18 "signed_certificate_timestamp",
        CLIENT_CERTIFICATE_TYPE = 19 "client_certificate_type",
        SERVER_CERTIFICATE_TYPE = 20 "server_certificate_type",
        PADDING = 21 "padding",
        ENCRYPT_THEN_MAC = 22 "encrypt_then_mac",
        EXTENDED_MASTER_SECRET = 23 "extended_master_secret",
        COMPRESS_CERTIFICATE = 27 "compress_certificate",
        RECORD_SIZE_LIMIT = 28 "record_size_limit",
        SESSION_TICKET = 35 "session_ticket",
        PRE_SHARED_KEY = 41 "pre_shared_key",
        EARLY_DATA = 42 "early_data",
        SUPPORTED_VERSIONS = 43 "supported_versions",
        COOKIE = 44 "cookie",
        PSK_KEY_EXCHANGE_MODES = 45 "psk_key_exchange_modes",
        CERTIFICATE_AUTHORITIES = 47 "certificate_authorities",
        OID_FILTERS = 48 "oid_filters",
        POST_HANDSHAKE_AUTH = 49 "post_handshake_auth",
        SIGNATURE_ALGORITHMS_CERT = 50 "signature_algorithms_cert",
        KEY_SHARE = 51 "key_share",
        QUIC_TRANSPORT_PARAMETERS = 57 "quic_transport_parameters",
        TLS_FLAGS = 62 "tls_flags",
        APPLICATION_SETTINGS = 17613 "application_settings",
        EARLY_EXPERIMENT = 0xfe01 "tls_flags_experiment",
        ENCRYPTED_CLIENT_HELLO = 0xfe0d "encrypted_client_hello",
        RENEGOTIATION_INFO = 0xff01 "renegotiation_info",
    }
}

registry! {
    /// A group of the key exchange (RFC 9846 §4.3.8 (RFC 8446 §4.2.7) and the IANA registry).
    NamedGroup(u16), "4" {
        SECP256R1 = 0x0017 "secp256r1",
        SECP384R1 = 0x0018 "secp384r1",
        SECP521R1 = 0x0019 "secp521r1",
        X25519 = 0x001d "x25519",
        X448 = 0x001e "x448",
        BRAINPOOL_P256R1 = 0x001f "brainpoolP256r1tls13",
        BRAINPOOL_P384R1 = 0x0020 "brainpoolP384r1tls13",
        BRAINPOOL_P512R1 = 0x0021 "brainpoolP512r1tls13",
        FFDHE2048 = 0x0100 "ffdhe2048",
        FFDHE3072 = 0x0101 "ffdhe3072",
        FFDHE4096 = 0x0102 "ffdhe4096",
        FFDHE6144 = 0x0103 "ffdhe6144",
        FFDHE8192 = 0x0104 "ffdhe8192",
        MLKEM512 = 0x0200 "MLKEM512",
        MLKEM768 = 0x0201 "MLKEM768",
        MLKEM1024 = 0x0202 "MLKEM1024",
        SECP256R1_MLKEM768 = 0x11eb "SecP256r1MLKEM768",
        X25519_MLKEM768 = 0x11ec "X25519MLKEM768",
        SECP384R1_MLKEM1024 = 0x11ed "SecP384r1MLKEM1024",
    }
}

registry! {
    /// A signature scheme (RFC 9846 §4.3.3 (RFC 8446 §4.2.3)).
    SignatureScheme(u16), "4" {
        RSA_PKCS1_SHA1 = 0x0201 "rsa_pkcs1_sha1",
        ECDSA_SHA1 = 0x0203 "ecdsa_sha1",
        RSA_PKCS1_SHA256 = 0x0401 "rsa_pkcs1_sha256",
        ECDSA_SECP256R1_SHA256 = 0x0403 "ecdsa_secp256r1_sha256",
        RSA_PKCS1_SHA384 = 0x0501 "rsa_pkcs1_sha384",
        ECDSA_SECP384R1_SHA384 = 0x0503 "ecdsa_secp384r1_sha384",
        RSA_PKCS1_SHA512 = 0x0601 "rsa_pkcs1_sha512",
        ECDSA_SECP521R1_SHA512 = 0x0603 "ecdsa_secp521r1_sha512",
        RSA_PSS_RSAE_SHA256 = 0x0804 "rsa_pss_rsae_sha256",
        RSA_PSS_RSAE_SHA384 = 0x0805 "rsa_pss_rsae_sha384",
        RSA_PSS_RSAE_SHA512 = 0x0806 "rsa_pss_rsae_sha512",
        ED25519 = 0x0807 "ed25519",
        ED448 = 0x0808 "ed448",
        RSA_PSS_PSS_SHA256 = 0x0809 "rsa_pss_pss_sha256",
        RSA_PSS_PSS_SHA384 = 0x080a "rsa_pss_pss_sha384",
        RSA_PSS_PSS_SHA512 = 0x080b "rsa_pss_pss_sha512",
    }
}

registry! {
    /// An algorithm of certificate compression (RFC 8879 §7.3).
    CertificateCompressionAlgorithm(u16), "4" {
        ZLIB = 1 "zlib",
        BROTLI = 2 "brotli",
        ZSTD = 3 "zstd",
    }
}

registry! {
    /// An alert's level.
    AlertLevel(u8), "2" {
        WARNING = 1 "warning",
        FATAL = 2 "fatal",
    }
}

registry! {
    /// An alert's description (IANA registry "TLS Alerts").
    AlertDescription(u8), "2" {
        CLOSE_NOTIFY = 0 "close_notify",
        UNEXPECTED_MESSAGE = 10 "unexpected_message",
        BAD_RECORD_MAC = 20 "bad_record_mac",
        DECRYPTION_FAILED = 21 "decryption_failed",
        RECORD_OVERFLOW = 22 "record_overflow",
        DECOMPRESSION_FAILURE = 30 "decompression_failure",
        HANDSHAKE_FAILURE = 40 "handshake_failure",
        NO_CERTIFICATE = 41 "no_certificate",
        BAD_CERTIFICATE = 42 "bad_certificate",
        UNSUPPORTED_CERTIFICATE = 43 "unsupported_certificate",
        CERTIFICATE_REVOKED = 44 "certificate_revoked",
        CERTIFICATE_EXPIRED = 45 "certificate_expired",
        CERTIFICATE_UNKNOWN = 46 "certificate_unknown",
        ILLEGAL_PARAMETER = 47 "illegal_parameter",
        UNKNOWN_CA = 48 "unknown_ca",
        ACCESS_DENIED = 49 "access_denied",
        DECODE_ERROR = 50 "decode_error",
        DECRYPT_ERROR = 51 "decrypt_error",
        TOO_MANY_CIDS_REQUESTED = 52 "too_many_cids_requested",
        EXPORT_RESTRICTION = 60 "export_restriction",
        PROTOCOL_VERSION = 70 "protocol_version",
        INSUFFICIENT_SECURITY = 71 "insufficient_security",
        INTERNAL_ERROR = 80 "internal_error",
        INAPPROPRIATE_FALLBACK = 86 "inappropriate_fallback",
        USER_CANCELED = 90 "user_canceled",
        NO_RENEGOTIATION = 100 "no_renegotiation",
        MISSING_EXTENSION = 109 "missing_extension",
        UNSUPPORTED_EXTENSION = 110 "unsupported_extension",
        CERTIFICATE_UNOBTAINABLE = 111 "certificate_unobtainable",
        UNRECOGNIZED_NAME = 112 "unrecognized_name",
        BAD_CERTIFICATE_STATUS_RESPONSE = 113 "bad_certificate_status_response",
        BAD_CERTIFICATE_HASH_VALUE = 114 "bad_certificate_hash_value",
        UNKNOWN_PSK_IDENTITY = 115 "unknown_psk_identity",
        CERTIFICATE_REQUIRED = 116 "certificate_required",
        GENERAL_ERROR = 117 "general_error",
        NO_APPLICATION_PROTOCOL = 120 "no_application_protocol",
        ECH_REQUIRED = 121 "ech_required",
    }
}

registry! {
    /// A record's content type.
    ContentType(u8), "2" {
        CHANGE_CIPHER_SPEC = 20 "change_cipher_spec",
        ALERT = 21 "alert",
        HANDSHAKE = 22 "handshake",
        APPLICATION_DATA = 23 "application_data",
        HEARTBEAT = 24 "heartbeat",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_known_numbers_by_name() {
        assert_eq!(ExtensionType(62).to_string(), "tls_flags");
        assert_eq!(CipherSuite(0x1305).to_string(), "TLS_AES_128_CCM_8_SHA256");
        assert_eq!(HandshakeType(8).to_string(), "EncryptedExtensions");
    }

    #[test]
    fn prints_unknown_numbers_in_hexadecimal() {
        assert_eq!(ExtensionType(0x0a0a).to_string(), "0x0a0a");
        assert_eq!(HandshakeType(99).to_string(), "0x63");
        assert_eq!(ProtocolVersion(0x7f1c).to_string(), "0x7f1c");
    }

    #[test]
    fn finds_numbers_by_their_names() {
        assert_eq!(
            AlertDescription::find("certificate_required"),
            Some(AlertDescription(116))
        );
        assert_eq!(AlertDescription::find("certificate-required"), None);
        for alert in AlertDescription::KNOWN {
            assert_eq!(alert.name().and_then(AlertDescription::find), Some(*alert));
        }
    }

    #[test]
    fn serialises_as_a_number() {
        assert_eq!(
            serde_json::to_string(&ExtensionType::TLS_FLAGS).unwrap(),
            "62"
        );
    }
}

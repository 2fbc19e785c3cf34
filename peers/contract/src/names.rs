use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Enums whose values have one name each, in Rust and on the wire of the contract.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$value_meta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$value_meta])* $variant,)*
        }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value's name in the contract.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("got {text:?}, expected one of {}", names.join(", "))
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

names! {
    /// Which end of the TLS connection a peer plays.
    Role {
        /// The end that sends ClientHello.
        Client = "client",
        /// The end that sends ServerHello.
        Server = "server",
    }
}

names! {
    /// When a server asks for a certificate, and whether it goes on without one.
    Policy {
        /// Never sends CertificateRequest.
        Never = "never",
        /// Asks every client, goes on without a certificate.
        Request = "request",
        /// Asks every client, refuses one without a certificate.
        Require = "require",
        /// Asks only the clients that set the flag, goes on without a certificate.
        RequestOnFlag = "request-on-flag",
        /// Asks only the clients that set the flag, refuses those of them without a certificate.
        RequireOnFlag = "require-on-flag",
        /// Does not ask in the main handshake. Asks after it, RFC 8446 §4.6.2, the clients that
        /// offered `post_handshake_auth`, once it has read the request, and goes on without a
        /// certificate.
        PostHandshake = "post-handshake",
    }
}

impl Policy {
    /// Whether a server with this policy sends CertificateRequest to a client in the main handshake.
    #[must_use]
    pub const fn requests(self, flag_set: bool) -> bool {
        match self {
            Self::Never | Self::PostHandshake => false,
            Self::Request | Self::Require => true,
            Self::RequestOnFlag | Self::RequireOnFlag => flag_set,
        }
    }

    /// Whether a server that asks refuses a client without a certificate.
    #[must_use]
    pub const fn requires(self) -> bool {
        matches!(self, Self::Require | Self::RequireOnFlag)
    }

    /// Whether it looks at the flag.
    #[must_use]
    pub const fn is_on_flag(self) -> bool {
        matches!(self, Self::RequestOnFlag | Self::RequireOnFlag)
    }
}

names! {
    /// A revision of the request mTLS flag.
    Revision {
        /// draft-jhoyla-req-mtls-flag-00 to -02: a hint in ClientHello.
        Rm = "rm",
        /// Its editor's copy of June 2025: the server acknowledges in CertificateRequest.
        Rca = "rca",
    }
}

names! {
    /// A handshake message with an extension block, RFC 8446 §4.2.
    Message {
        /// Every ClientHello of the connection.
        ClientHello = "client_hello",
        /// Only the first.
        FirstClientHello = "first_client_hello",
        /// Only the one after HelloRetryRequest.
        SecondClientHello = "second_client_hello",
        /// Not HelloRetryRequest.
        ServerHello = "server_hello",
        /// By wire format a ServerHello.
        HelloRetryRequest = "hello_retry_request",
        /// The server's.
        EncryptedExtensions = "encrypted_extensions",
        /// In the main handshake.
        CertificateRequest = "certificate_request",
        /// The first certificate of the chain; of the end that edits.
        Certificate = "certificate",
        /// After the handshake.
        NewSessionTicket = "new_session_ticket",
    }
}

names! {
    /// A protocol version.
    Version {
        /// TLS 1.2, RFC 5246.
        Tls12 = "tls1.2",
        /// TLS 1.3, RFC 8446.
        Tls13 = "tls1.3",
    }
}

names! {
    /// A group for key exchange, by its name in the TLS Supported Groups registry, lower case.
    Group {
        /// 0x001d.
        X25519 = "x25519",
        /// 0x0017.
        Secp256r1 = "secp256r1",
        /// 0x0018.
        Secp384r1 = "secp384r1",
        /// 0x11ec, a post-quantum hybrid whose key share exceeds one kilobyte.
        X25519Mlkem768 = "x25519mlkem768",
    }
}

names! {
    /// A TLS 1.3 cipher suite, RFC 8446 §B.4.
    CipherSuite {
        /// 0x1301.
        Aes128GcmSha256 = "TLS_AES_128_GCM_SHA256",
        /// 0x1302.
        Aes256GcmSha384 = "TLS_AES_256_GCM_SHA384",
        /// 0x1303.
        Chacha20Poly1305Sha256 = "TLS_CHACHA20_POLY1305_SHA256",
        /// 0x1304.
        Aes128CcmSha256 = "TLS_AES_128_CCM_SHA256",
        /// 0x1305.
        Aes128Ccm8Sha256 = "TLS_AES_128_CCM_8_SHA256",
    }
}

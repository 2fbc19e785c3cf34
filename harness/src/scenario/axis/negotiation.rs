//! Protocol versions, groups and cipher suites.

use reqmtls_contract::{CipherSuite, Group, Version};
use reqmtls_vocabulary::Side;

use super::{Axis, nothing, value};

/// An axis of protocol versions for one end.
macro_rules! versions {
    ($name:literal, $side:expr, $end:ident, $does:literal) => {
        Axis {
            name: $name,
            about: concat!("The protocol versions that the ", $does, "."),
            side: Some($side),
            needs: None,
            values: &[
                value(
                    "both",
                    "TLS 1.3, and TLS 1.2 where the library has it.",
                    nothing,
                ),
                value("tls13", "TLS 1.3 alone.", |draft| {
                    draft.$end.versions = vec![Version::Tls13]
                }),
                value("tls12", "TLS 1.2 alone.", |draft| {
                    draft.$end.versions = vec![Version::Tls12]
                }),
            ],
        }
    };
}

pub(super) const CLIENT_VERSIONS: Axis =
    versions!("client.versions", Side::Client, client, "client offers");
pub(super) const SERVER_VERSIONS: Axis =
    versions!("server.versions", Side::Server, server, "server accepts");

/// An axis of key exchange groups for one end.
macro_rules! groups {
    ($name:literal, $side:expr, $end:ident, $does:literal) => {
        Axis {
            name: $name,
            about: concat!("The key exchange groups that the ", $does, "."),
            side: Some($side),
            needs: None,
            values: &[
                value("default", "What the library has by itself.", nothing),
                value("x25519", "X25519 alone.", |draft| {
                    draft.$end.groups = vec![Group::X25519]
                }),
                value("secp256r1", "NIST P-256 alone.", |draft| {
                    draft.$end.groups = vec![Group::Secp256r1]
                }),
                value("secp384r1", "NIST P-384 alone.", |draft| {
                    draft.$end.groups = vec![Group::Secp384r1]
                }),
                value(
                    "x25519mlkem768",
                    "The hybrid of X25519 and ML-KEM-768 alone.",
                    |draft| {
                        draft.$end.groups = vec![Group::X25519Mlkem768];
                    },
                ),
            ],
        }
    };
}

pub(super) const CLIENT_GROUPS: Axis =
    groups!("client.groups", Side::Client, client, "client offers");
pub(super) const SERVER_GROUPS: Axis =
    groups!("server.groups", Side::Server, server, "server accepts");

/// A suite that both ends allow alone.
macro_rules! suite {
    ($name:literal, $suite:ident) => {
        value($name, concat!("`", $name, "` alone."), |draft| {
            draft.client.cipher_suites = vec![CipherSuite::$suite];
            draft.server.cipher_suites = vec![CipherSuite::$suite];
        })
    };
}

pub(super) const CIPHER: Axis = Axis {
    name: "cipher",
    about: "The TLS 1.3 cipher suites that both ends allow.",
    side: None,
    needs: None,
    values: &[
        value("default", "What the libraries have by themselves.", nothing),
        suite!("tls_aes_128_gcm_sha256", Aes128GcmSha256),
        suite!("tls_aes_256_gcm_sha384", Aes256GcmSha384),
        suite!("tls_chacha20_poly1305_sha256", Chacha20Poly1305Sha256),
    ],
};

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{
    CipherSuite, Group, Hex, Keys, Message, Policy, Revision, Sessions, Side, TLS_FLAGS, Version,
};

/// What one end has to play in one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Unique among the jobs that the peer holds.
    pub id: String,
    /// Which end the peer plays.
    pub side: Side,
    /// How it plays it.
    pub setup: Setup,
}

/// How an end is set up. What is absent is left to the library's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Protocol versions that the end offers or accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
    /// Groups in order of preference. A client sends a key share for the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// TLS 1.3 cipher suites in order of preference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<CipherSuite>,
    /// Of what kind the keys of the job's certificates are, of either end's and of those who issue them; absent: ECDSA
    /// on P-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
    /// The revision of the request mTLS flag that the end follows; absent: `draft-02`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Client: the `extension_data` of `tls_flags` in ClientHello, sent octet for octet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_flags: Option<Hex>,
    /// The number of the request mTLS flag. An end with it implements `tls_flags`: it refuses malformed and
    /// unsolicited flags, under every policy. An end without it is the unmodified library, which does not know
    /// the extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<u16>,
    /// The number of the extension `tls_flags`; absent: 62, as IANA has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<u16>,
    /// Server: when it asks for a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The end's own certificate chain and private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Certificates that the end trusts to issue the other end's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    /// Client: the name sent in `server_name` and looked for in the server's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Client: connection 1 offers the session of connection 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumption: Option<Resumption>,
    /// Server: which sessions it resumes; absent: what the peer does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Sessions>,
    /// Server: it accepts early data with the sessions that it resumes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub early_data: bool,
    /// Client: it offers `post_handshake_auth`, RFC 9846 §4.3.6 (RFC 8446 §4.2.6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_handshake_auth: bool,
    /// Misbehaviour: extensions put into or taken out of messages that the end sends, in sequence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Misbehaviour: the signature in the end's CertificateVerify does not verify.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bad_certificate_verify: bool,
    /// The most milliseconds that one connection may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

impl Job {
    /// The most time that one connection may take: what the setup says, or 10 s.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.setup.deadline_ms.unwrap_or(10_000))
    }
}

impl Setup {
    /// The number of the extension `tls_flags`.
    #[must_use]
    pub fn extension_number(&self) -> u16 {
        self.extension.unwrap_or(TLS_FLAGS)
    }
}

/// What a client does on connection 1, which offers the session of connection 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumption {
    /// The `extension_data` of `tls_flags` in its ClientHello, in place of the job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_flags: Option<Hex>,
    /// Whether the request goes as early data, RFC 9846 §4.3.10 (RFC 8446 §4.2.10).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub early_data: bool,
}

/// One extension put into, or taken out of, a message that the end sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The message.
    pub message: Message,
    /// The extension's number in the TLS `ExtensionType` registry.
    pub extension: u16,
    /// Its `extension_data`; absent: every extension of that number is taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Hex>,
    /// Whether it stands last, behind `pre_shared_key` too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

/// A certificate chain, end entity first, and its private key, PKCS #8; both PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The chain, end entity first.
    pub certificates: String,
    /// The private key of the end entity.
    pub private_key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

/// Why a job was not prepared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PrepareError {
    /// The peer lacks a capability that the job needs, or does not know a name in it.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The job makes no sense: malformed, or its PEM does not load.
    #[error("{0}")]
    Invalid(String),
}

impl Job {
    /// Reads a job. A name that this version does not know is unsupported, never ignored.
    pub fn from_value(value: &Value) -> Result<Self, PrepareError> {
        let setup = value.get("setup").and_then(Value::as_object);
        let side = value.get("side").and_then(Value::as_str);
        let revision = format!("{}.revision", side.unwrap_or_default());
        for (key, value) in setup.into_iter().flatten() {
            let known = match key.as_str() {
                "versions" => unknown_name(value, "version", Version::ALL, Version::as_str),
                "groups" => unknown_name(value, "group", Group::ALL, Group::as_str),
                "cipher_suites" => {
                    unknown_name(value, "cipher", CipherSuite::ALL, CipherSuite::as_str)
                }
                "keys" => unknown_name(value, "keys", Keys::ALL, Keys::as_str),
                "policy" => unknown_name(value, "server.policy", Policy::ALL, Policy::as_str),
                "sessions" => {
                    unknown_name(value, "server.sessions", Sessions::ALL, Sessions::as_str)
                }
                "revision" => unknown_name(value, &revision, Revision::ALL, Revision::as_str),
                "tls_flags"
                | "flag"
                | "extension"
                | "identity"
                | "trust_anchors"
                | "server_name"
                | "resumption"
                | "early_data"
                | "post_handshake_auth"
                | "edits"
                | "bad_certificate_verify"
                | "deadline_ms" => None,
                _ => Some(format!("setup.{key}")),
            };
            if let Some(capability) = known {
                return Err(PrepareError::Unsupported(capability));
            }
        }
        Self::deserialize(value)
            .map_err(|error| PrepareError::Invalid(format!("malformed job: {error}")))
    }
}

/// The capability named by the first text in `value` (a text or a list) that is none of `all`.
fn unknown_name<T: Copy>(
    value: &Value,
    prefix: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Option<String> {
    let texts = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let unknown = |text: &&str| !all.iter().any(|known| name(*known) == *text);
    texts
        .iter()
        .filter_map(Value::as_str)
        .find(unknown)
        .map(|text| format!("{prefix}.{text}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(setup: &Value) -> Result<Job, PrepareError> {
        Job::from_value(&json!({ "id": "a", "side": "server", "setup": setup }))
    }

    fn unsupported(setup: &Value) -> String {
        match job(setup) {
            Err(PrepareError::Unsupported(capability)) => capability,
            other => panic!("got {other:?}, expected unsupported"),
        }
    }

    #[test]
    fn names_an_unknown_setup_key() {
        assert_eq!(
            unsupported(&json!({ "delegated_credential": true })),
            "setup.delegated_credential"
        );
    }

    #[test]
    fn names_unknown_values_by_their_capability() {
        assert_eq!(
            unsupported(&json!({ "policy": "sometimes" })),
            "server.policy.sometimes"
        );
        assert_eq!(
            unsupported(&json!({ "versions": ["tls1.3", "tls1.4"] })),
            "version.tls1.4"
        );
        assert_eq!(
            unsupported(&json!({ "groups": ["sect163k1"] })),
            "group.sect163k1"
        );
        assert_eq!(
            unsupported(&json!({ "cipher_suites": ["TLS_NULL"] })),
            "cipher.TLS_NULL"
        );
        assert_eq!(unsupported(&json!({ "keys": "dsa" })), "keys.dsa");
        assert_eq!(
            unsupported(&json!({ "revision": "draft-99" })),
            "server.revision.draft-99"
        );
    }

    #[test]
    fn a_wrong_type_is_invalid_not_unsupported() {
        let error = job(&json!({ "flag": "eighty" })).unwrap_err();
        assert!(matches!(error, PrepareError::Invalid(_)), "{error}");
    }

    #[test]
    fn a_message_that_cannot_be_edited_is_an_error() {
        let edits = json!({ "edits": [{ "message": "finished", "extension": 62 }] });
        let error = job(&edits).unwrap_err();
        assert!(error.to_string().contains("finished"), "{error}");
        assert!(error.to_string().contains("client_hello"), "{error}");
    }

    #[test]
    fn debug_output_holds_no_private_key() {
        let identity = Identity {
            certificates: "C".into(),
            private_key: "secret".into(),
        };
        assert!(!format!("{identity:?}").contains("secret"));
    }
}

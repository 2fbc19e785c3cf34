//! What is known of a connection beyond its octets.

use reqmtls_contract::{
    ConnectionReport, Hex, Outcome, Policy, Provenance, Revision, Setup, TLS_FLAGS, Version,
};
use reqmtls_vocabulary::{Codepoints, ExtensionType, Side, words};
use serde::{Deserialize, Serialize};

/// What is known of a connection beyond its octets. Whatever is absent is not known, and what would need it
/// is not judged.
///
/// A cell knows how both ends were set up. Of somebody else's connection only the options of `reqmtls judge`
/// are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// The number of the extension `tls_flags`.
    pub extension: u16,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision of the request mTLS flag by which the connection is judged.
    pub revision: Revision,
    /// The end that sends ClientHello.
    #[serde(default)]
    pub client: EndKnowledge,
    /// The end that answers it.
    #[serde(default)]
    pub server: EndKnowledge,
    /// The `extension_data` of `tls_flags` that the client is to propose; `Some(None)`: none at all.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "twice")]
    pub proposed: Option<Option<Hex>>,
    /// Whether the client has a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_has_certificate: Option<bool>,
    /// When the server asks for a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Whether the server negotiates TLS 1.3 with a client that offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_accepts_tls13: Option<bool>,
    /// SHA-256 of the certificate by which the server says that it authenticated the client;
    /// `Some(None)`: it says that it did not.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "twice")]
    pub authenticated: Option<Option<Hex>>,
    /// What the pre-shared keys that the client offers are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psk: Option<Psk>,
}

/// What is known of one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndKnowledge {
    /// Whether it implements `tls_flags`; to any other end it is an unknown extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knows_flags: Option<bool>,
    /// Whether the signature in its CertificateVerify verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_verifies: Option<bool>,
    /// Whether it breaks rules on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub misbehaves: bool,
    /// Whose behaviour it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

impl EndKnowledge {
    /// What an end's setup says of it.
    fn of(setup: &Setup) -> Self {
        Self {
            knows_flags: Some(setup.flag.is_some()),
            signature_verifies: Some(!setup.bad_certificate_verify),
            misbehaves: false,
            provenance: None,
        }
    }
}

words! {
    /// What a pre-shared key is (RFC 9846 §2.2).
    pub enum Psk {
        /// Established by an earlier connection.
        Resumption = "resumption",
        /// Provisioned by other means.
        External = "external",
    }
}

impl Knowledge {
    /// Nothing but the numbers and the revision.
    #[must_use]
    pub fn none(flag: u16, revision: Revision) -> Self {
        Self {
            extension: TLS_FLAGS,
            flag,
            revision,
            client: EndKnowledge::default(),
            server: EndKnowledge::default(),
            proposed: None,
            client_has_certificate: None,
            policy: None,
            server_accepts_tls13: None,
            authenticated: None,
            psk: None,
        }
    }

    /// What two setups say of one of their connections, the first being 0.
    #[must_use]
    pub fn of_setups(self, client: &Setup, server: &Setup, connection: u32) -> Self {
        self.of_client(client, connection).of_server(server)
    }

    /// What a client's setup says of one of its connections, the first being 0. It offers no other pre-shared key
    /// than that of a session before.
    #[must_use]
    pub fn of_client(mut self, setup: &Setup, connection: u32) -> Self {
        let edits_flags = setup
            .edits
            .iter()
            .any(|edit| edit.extension == self.extension);
        let proposed = match &setup.resumption {
            Some(resumption) if connection > 0 => &resumption.tls_flags,
            _ => &setup.tls_flags,
        };
        self.client = EndKnowledge::of(setup);
        // An end that is to edit the extension is to send something else.
        self.proposed = (!edits_flags).then(|| proposed.clone());
        self.client_has_certificate = Some(setup.identity.is_some());
        self.psk = Some(Psk::Resumption);
        self
    }

    /// What a server's setup says.
    #[must_use]
    pub fn of_server(mut self, setup: &Setup) -> Self {
        self.server = EndKnowledge::of(setup);
        self.policy = setup.policy;
        self.server_accepts_tls13 =
            Some(setup.versions.is_empty() || setup.versions.contains(&Version::Tls13));
        self
    }

    /// What the server's own report of a completed connection says of the client. One that did not complete
    /// has authenticated nobody, whatever was accepted before.
    #[must_use]
    pub fn with_server_report(mut self, report: &ConnectionReport) -> Self {
        let completed = report.outcome == Outcome::Completed;
        self.authenticated = completed.then(|| report.peer_certificate.clone());
        self
    }

    /// The numbers of the extension and of the flag.
    #[must_use]
    pub fn codepoints(&self) -> Codepoints {
        Codepoints {
            extension: ExtensionType(self.extension),
            flag: self.flag,
        }
    }

    /// What is known of an end.
    #[must_use]
    pub fn end(&self, side: Side) -> &EndKnowledge {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The same, to be changed.
    pub fn end_mut(&mut self, side: Side) -> &mut EndKnowledge {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// An optional value that may itself be absent: a missing key is not known, `null` is known to be none.
mod twice {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::option_option,
        clippy::ref_option,
        reason = "unknown and known to be none are two things, and serde has the field by reference"
    )]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value
            .as_ref()
            .and_then(Option::as_ref)
            .serialize(serializer)
    }

    #[expect(
        clippy::option_option,
        reason = "unknown and known to be none are two things"
    )]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_known_to_be_none_survive_json() {
        for proposed in [None, Some(None), Some(Some(Hex(vec![1, 1])))] {
            let knowledge = Knowledge {
                proposed,
                ..Knowledge::none(80, Revision::Draft02)
            };
            let json = serde_json::to_string(&knowledge).unwrap();
            assert_eq!(
                serde_json::from_str::<Knowledge>(&json).unwrap(),
                knowledge,
                "{json}"
            );
        }
    }
}

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::{Job, Provenance, Revision, Setup, Side, TLS_FLAGS};

/// What a peer can do, each with whose behaviour it then shows.
///
/// A capability is named after the key of a setup that needs it: `SIDE.KEY`, with `.VALUE` behind it where
/// the key has values; `version.`, `group.`, `cipher.` and `keys.` with their value are the same for both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Capabilities(BTreeMap<String, Provenance>);

impl Capabilities {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These too, of this provenance.
    #[must_use]
    pub fn with<T: Display>(
        mut self,
        provenance: Provenance,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        let names = names.into_iter().map(|name| (name.to_string(), provenance));
        self.0.extend(names);
        self
    }

    /// The same for each value of a kind: `version.tls1.2`, `version.tls1.3`.
    #[must_use]
    pub fn with_each<T: Display>(
        self,
        provenance: Provenance,
        kind: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let names = values.into_iter().map(|value| format!("{kind}.{value}"));
        self.with(provenance, names)
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Every capability with its provenance, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Provenance)> {
        self.0
            .iter()
            .map(|(name, provenance)| (&**name, *provenance))
    }

    /// The first capability that a job needs and that is not here.
    #[must_use]
    pub fn missing(&self, job: &Job) -> Option<String> {
        job.needs().into_iter().find(|name| !self.has(name))
    }

    /// Whose behaviour an end of this setup shows: of all that the setup needs, what is furthest from the
    /// unmodified library.
    #[must_use]
    pub fn provenance(&self, side: Side, setup: &Setup) -> Provenance {
        let of = setup
            .needs(side)
            .into_iter()
            .filter_map(|name| self.0.get(&name).copied());
        of.max().unwrap_or(Provenance::Library)
    }
}

impl Job {
    /// The capabilities that a peer must have for this job.
    #[must_use]
    pub fn needs(&self) -> Vec<String> {
        self.setup.needs(self.side)
    }
}

impl Setup {
    /// The capabilities that a peer must have to play that side with this setup. They follow from the setup alone.
    #[must_use]
    pub fn needs(&self, side: Side) -> Vec<String> {
        let (side, setup) = (side.name(), self);
        let mut needs = vec![side.to_owned()];
        needs.extend(setup.versions.iter().map(|it| format!("version.{it}")));
        needs.extend(setup.groups.iter().map(|it| format!("group.{it}")));
        needs.extend(setup.cipher_suites.iter().map(|it| format!("cipher.{it}")));
        needs.extend(setup.keys.iter().map(|it| format!("keys.{it}")));
        needs.extend(setup.policy.iter().map(|it| format!("server.policy.{it}")));
        needs.extend(
            setup
                .sessions
                .iter()
                .map(|it| format!("server.sessions.{it}")),
        );
        let later = setup.resumption.as_ref();
        let keys = [
            (
                "tls-flags",
                setup.tls_flags.is_some() || later.is_some_and(|it| it.tls_flags.is_some()),
            ),
            ("flag", setup.flag.is_some()),
            (
                "extension",
                setup.extension.is_some_and(|number| number != TLS_FLAGS),
            ),
            (
                "revision.editors-copy",
                setup.revision == Some(Revision::EditorsCopy),
            ),
            ("resumption", later.is_some()),
            (
                "early-data",
                setup.early_data || later.is_some_and(|it| it.early_data),
            ),
            ("post-handshake-auth", setup.post_handshake_auth),
            ("edits", !setup.edits.is_empty()),
            ("bad-certificate-verify", setup.bad_certificate_verify),
        ];
        let keys = keys.into_iter().filter(|(_, is_needed)| *is_needed);
        needs.extend(keys.map(|(key, _)| format!("{side}.{key}")));
        needs
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(side: &str, setup: &serde_json::Value) -> Job {
        Job::from_value(&json!({ "id": "a", "side": side, "setup": setup })).unwrap()
    }

    #[test]
    fn lists_what_a_job_needs() {
        let job = job(
            "server",
            &json!({ "policy": "request-on-flag", "versions": ["tls1.3"], "groups": ["x25519"], "keys": "rsa", "flag": 80 }),
        );
        let expected = [
            "server",
            "version.tls1.3",
            "group.x25519",
            "keys.rsa",
            "server.policy.request-on-flag",
            "server.flag",
        ];
        assert_eq!(job.needs(), expected);
    }

    #[test]
    fn what_goes_beyond_a_plain_handshake_is_a_capability() {
        let job = job(
            "client",
            &json!({
                "revision": "editors-copy",
                "extension": 65025,
                "resumption": { "tls_flags": "0101", "early_data": true },
                "post_handshake_auth": true,
                "edits": [{ "message": "certificate", "extension": 62, "data": "0101" }],
                "bad_certificate_verify": true,
            }),
        );
        let expected = [
            "client",
            "client.tls-flags",
            "client.extension",
            "client.revision.editors-copy",
            "client.resumption",
            "client.early-data",
            "client.post-handshake-auth",
            "client.edits",
            "client.bad-certificate-verify",
        ];
        assert_eq!(job.needs(), expected);
    }

    #[test]
    fn the_registered_number_of_the_extension_is_no_capability() {
        assert_eq!(
            job("client", &json!({ "extension": 62 })).needs(),
            ["client"]
        );
    }

    #[test]
    fn a_job_shows_what_is_furthest_from_the_unmodified_library() {
        let capabilities = Capabilities::new()
            .with(Provenance::Library, ["client", "client.resumption"])
            .with(Provenance::Glue, ["client.tls-flags"])
            .with(Provenance::Patch, ["client.flag"]);
        let of = |setup| capabilities.provenance(Side::Client, &job("client", &setup).setup);
        assert_eq!(of(json!({ "resumption": {} })), Provenance::Library);
        assert_eq!(of(json!({ "tls_flags": "0101" })), Provenance::Glue);
        assert_eq!(
            of(json!({ "tls_flags": "0101", "flag": 80 })),
            Provenance::Patch
        );
        assert_eq!(
            capabilities
                .missing(&job("client", &json!({ "early_data": true })))
                .as_deref(),
            Some("client.early-data")
        );
    }

    #[test]
    fn capabilities_are_an_object_of_names_and_provenances() {
        let capabilities =
            Capabilities::new().with_each(Provenance::Library, "version", ["tls1.3"]);
        let json = serde_json::to_value(&capabilities).unwrap();
        assert_eq!(json, json!({ "version.tls1.3": "library" }));
        let unknown = serde_json::from_value::<Capabilities>(json!({ "client": "theirs" }));
        assert!(
            unknown
                .unwrap_err()
                .to_string()
                .contains("expected one of library, glue, patch, reference")
        );
    }
}

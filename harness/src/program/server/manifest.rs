//! `peers/programs/NAME.toml` of role `server`: how a real program listens, and how each policy is written.

use std::collections::BTreeMap;
use std::path::Path;

use reqmtls_vocabulary::words;
use serde::Deserialize;

use super::super::manifest::{Role, check, texts_of};
use super::super::place::Place;
use crate::peer::manifest::ManifestError;
use crate::peer::tool::Tool;
use crate::probe::Starttls;

/// What stands where the policy is written.
const POLICY: &str = "{policy}";

words! {
    /// When a program that knows no flag asks for a certificate.
    pub enum Policy {
        /// Never.
        Off = "off",
        /// It asks everyone, and goes on without.
        Optional = "optional",
        /// It asks everyone, and refuses who has none.
        Required = "required",
    }
}

/// One program. Every text may have placeholders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerManifest {
    /// The name of its file, without the ending.
    #[serde(skip)]
    pub name: String,
    /// What readers know it by.
    pub title: String,
    /// Always `server`.
    pub role: Role,
    /// What the machine must have.
    #[serde(rename = "tool")]
    pub tools: Vec<Tool>,
    /// Shows the version: the first line with a digit.
    pub version: Vec<String>,
    /// Program and arguments. It stays in the foreground.
    pub command: Vec<String>,
    /// Files to write into the folder before anything is started: name and content.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Variables of its environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Commands that come before it.
    #[serde(default)]
    pub prepare: Vec<Vec<String>>,
    /// What stands for `{policy}` under each policy that it has. Where that is a whole word of the command, its words.
    pub policies: BTreeMap<Policy, String>,
    /// What stands before TLS.
    pub starttls: Option<Starttls>,
    /// What a client sends once TLS stands; absent: an HTTP request, or what ends a session of `starttls`.
    pub request: Option<String>,
    /// What readers should know of it.
    pub note: Option<String>,
}

impl ServerManifest {
    /// Reads every manifest of a folder whose role is `server`, by name.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is none.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, ManifestError> {
        let mut manifests = Vec::new();
        for (path, text) in texts_of(folder, Role::Server)? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let manifest = Self::parse(&name, &text);
            manifests.push(manifest.map_err(|message| ManifestError::Parse { path, message })?);
        }
        manifests.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(manifests)
    }

    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut manifest: Self = toml_edit::de::from_str(text).map_err(|it| it.to_string())?;
        name.clone_into(&mut manifest.name);
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let prepare = self.prepare.iter().map(|command| ("prepare", command));
        let commands = [("version", &self.version), ("command", &self.command)];
        let commands = commands.into_iter().chain(prepare);
        check(&self.name, &self.tools, commands, self.files.iter())?;
        if self.policies.is_empty() {
            return Err("policies: got none, expected off, optional or required".to_owned());
        }
        let words = self.prepare.iter().flatten().chain(&self.command);
        let texts = words.chain(self.files.values()).chain(self.env.values());
        let texts: Vec<_> = texts.collect();
        if !texts.iter().any(|text| text.contains(POLICY)) {
            return Err(format!(
                "got no {POLICY}, expected it in a file, a variable or a command"
            ));
        }
        for text in texts.into_iter().chain(self.policies.values()) {
            Place::check(&text.replace(POLICY, ""))?;
        }
        Ok(())
    }

    /// What the machine lacks.
    #[must_use]
    pub fn missing(&self) -> Option<&Tool> {
        self.tools.iter().find(|tool| !tool.is_present())
    }

    /// A text under a policy.
    pub(super) fn text(&self, text: &str, policy: Policy) -> String {
        text.replace(POLICY, self.policy(policy))
    }

    /// A command under a policy.
    pub(super) fn command(&self, policy: Policy) -> Vec<String> {
        let words = self.command.iter().flat_map(|word| {
            if word == POLICY {
                let words = self.policy(policy).split_whitespace();
                words.map(str::to_owned).collect()
            } else {
                vec![self.text(word, policy)]
            }
        });
        words.collect()
    }

    fn policy(&self, policy: Policy) -> &str {
        self.policies.get(&policy).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
        title = "Some"
        role = "server"
        version = ["some", "--version"]
        command = ["some", "{policy}", "--port={port}"]
        [policies]
        off = ""
        required = "--verify {authority}"
        [[tool]]
        program = "sh"
        package = "dash"
    "#;

    #[test]
    fn a_policy_is_words_of_the_command() {
        let manifest = ServerManifest::parse("some", SOUND).unwrap();
        assert_eq!(manifest.command(Policy::Off), ["some", "--port={port}"]);
        assert_eq!(
            manifest.command(Policy::Required),
            ["some", "--verify", "{authority}", "--port={port}"]
        );
    }

    #[test]
    fn every_mistake_is_named() {
        for (from, to, expected) in [
            ("title = ", "titel = ", "unknown field `titel`"),
            ("{port}", "{prt}", "got placeholder {prt}, expected one of"),
            ("{policy}", "x", "got no {policy}"),
            ("off = ", "of = ", "off, optional, required"),
            ("[\"some\", \"--version\"]", "[]", "version: got no program"),
        ] {
            assert!(SOUND.contains(from), "{from}");
            let error = ServerManifest::parse("some", &SOUND.replace(from, to)).unwrap_err();
            assert!(error.contains(expected), "{to}: {error}");
        }
    }

    #[test]
    fn the_committed_manifests_are_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/programs");
        let manifests = ServerManifest::load_all(&folder).unwrap_or_else(|error| panic!("{error}"));
        assert!(manifests.len() >= 10, "{}", manifests.len());
    }
}

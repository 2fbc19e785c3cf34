//! `peers/*/peer.toml`: what a peer is called, and how its program comes to be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::image::Program;
use super::tool::Tool;
use crate::scenario::Pairings;

/// The manifest's name in a peer's folder.
pub const FILE: &str = "peer.toml";

/// One `peer.toml`, or one variant of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The peer's short name, as it stands in pairings.
    pub name: String,
    /// The package of this workspace whose binary is the peer; built static.
    pub package: Option<String>,
    /// The package links the libraries that are installed, and is not built static.
    #[serde(default)]
    pub dynamic: bool,
    /// The peer's program where it is no package of this workspace, below the peer's folder or `{out}`.
    pub program: Option<String>,
    /// What stands behind the program's name in its command line, before `--listen`. Where `{out}` is named here, all
    /// of it belongs to the program.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Shared libraries that the program opens while it runs.
    #[serde(default)]
    pub loads: Vec<String>,
    /// The peer is compiled into the harness and runs inside it.
    #[serde(default)]
    pub in_process: bool,
    /// The peer is the other end where a scenario is about one end only.
    #[serde(default)]
    pub reference: bool,
    /// Whom it meets where a scenario pairs every peer with every other: absent, all of them.
    pub pairings: Option<Pairings>,
    /// The place of its columns among the others: the lower, the further to the left.
    #[serde(default = "last")]
    pub column: u32,
    /// What of ours stands in front of the library where the provenance is `glue`.
    pub glue: Option<String>,
    /// What of ours changes the library where the provenance is `patch`.
    pub patch: Option<String>,
    /// What this peer is, beside its library; Markdown.
    #[serde(default)]
    pub about: String,
    /// What must be on the machine to build it.
    #[serde(default, rename = "tool")]
    pub tools: Vec<Tool>,
    /// Variables to set for the build.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Commands to run before the package is built, in the peer's folder.
    #[serde(default)]
    pub prepare: Vec<Step>,
    /// Other versions or libraries behind the same program: a name, and keys that stand in place of the peer's.
    #[serde(default, rename = "variant")]
    variants: Vec<serde_json::Map<String, serde_json::Value>>,
    /// The folder that holds the manifest.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Its program, where there is one in place of a build.
    #[serde(skip)]
    pub built: Option<Program>,
}

/// A command of a build. `{out}` stands for a folder of its own that all checkouts share, and that is made anew
/// when anything that is named here has changed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Files and folders, below the peer's, that it makes something of.
    #[serde(default)]
    pub inputs: Vec<PathBuf>,
    /// Packages of `Cargo.lock` that it makes something of.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Variables to set for the build that follows.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Why peers or programs could not be listed.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not a manifest.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// There is no manifest.
    #[error("no {expected} of {folder}")]
    None {
        /// Where it was looked for.
        folder: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
}

impl Manifest {
    /// Reads every `peer.toml` one folder below `peers`, in the order of columns.
    pub fn load_all(peers: &Path) -> Result<Vec<Self>, ManifestError> {
        let read = |source| ManifestError::Read {
            path: peers.to_owned(),
            source,
        };
        let mut folders = Vec::new();
        for entry in fs::read_dir(peers).map_err(read)? {
            let folder = entry.map_err(read)?.path();
            if folder.join(FILE).is_file() {
                folders.push(folder);
            }
        }
        if folders.is_empty() {
            return Err(ManifestError::None {
                folder: peers.to_owned(),
                expected: "peer.toml in any folder",
            });
        }
        folders.sort();
        let mut manifests = Vec::new();
        for folder in folders {
            manifests.extend(Self::load(&folder)?);
        }
        manifests.sort_by_key(|manifest| manifest.column);
        for (place, second) in manifests.iter().enumerate() {
            let mut earlier = manifests[..place].iter();
            if let Some(first) = earlier.find(|first| first.name == second.name) {
                return Err(ManifestError::Parse {
                    path: second.folder.join(FILE),
                    message: format!(
                        "got name {:?}, which a peer in {} has too",
                        second.name,
                        first.folder.display()
                    ),
                });
            }
        }
        Ok(manifests)
    }

    /// The reference's, which is part of the program.
    ///
    /// # Panics
    ///
    /// Never in a program that was tested.
    #[must_use]
    pub fn reference() -> Self {
        let text = include_str!("../../../peers/rustls/peer.toml");
        let mut peers = Self::parse(text).expect("the manifest was tested");
        let mut peer = peers.remove(0);
        peer.folder = "rustls".into();
        peer
    }

    /// What it needs and no package has, named by a variable: only some machines can build it.
    #[must_use]
    pub fn unpackaged(&self) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.variable.is_some())
    }

    /// The name of its folder.
    #[must_use]
    pub fn family(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The names of these peers, by the folder that holds them.
    #[must_use]
    pub fn by_folder(peers: &[Self]) -> BTreeMap<&Path, Vec<&str>> {
        let mut folders: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for peer in peers {
            folders
                .entry(peer.folder.as_path())
                .or_default()
                .push(peer.name.as_str());
        }
        folders
    }

    /// Reads the `peer.toml` of one folder: the peer, then its variants.
    pub fn load_folder(folder: &Path) -> Result<Vec<Self>, ManifestError> {
        let absolute = std::path::absolute(folder);
        let absolute = absolute.map_err(|source| ManifestError::Read {
            path: folder.to_owned(),
            source,
        })?;
        Self::load(&absolute)
    }

    fn load(folder: &Path) -> Result<Vec<Self>, ManifestError> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(|source| ManifestError::Read {
            path: path.clone(),
            source,
        })?;
        let mut peers = Self::parse(&text).map_err(|message| ManifestError::Parse {
            path: path.clone(),
            message,
        })?;
        for peer in &mut peers {
            folder.clone_into(&mut peer.folder);
        }
        Ok(peers)
    }

    fn parse(text: &str) -> Result<Vec<Self>, String> {
        // Typed first, for an error with its line.
        let peer: Self = toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
        let mut keys: serde_json::Map<_, _> =
            toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
        keys.remove("variant");
        let variants = peer.variants.clone();
        peer.check()?;
        let mut peers = vec![peer];
        for (number, own) in (1..).zip(variants) {
            let at = |what: String| format!("[[variant]] number {number}: {what}");
            if !own.contains_key("name") {
                return Err(at("expected a name".to_owned()));
            }
            let mut keys = keys.clone();
            keys.extend(own);
            let variant: Self =
                serde_json::from_value(keys.into()).map_err(|it| at(it.to_string()))?;
            variant.check().map_err(at)?;
            peers.push(variant);
        }
        Ok(peers)
    }

    fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        if !self.in_process && self.package.is_some() == self.program.is_some() {
            return Err("expected exactly one of package and program".to_owned());
        }
        self.tools.iter().try_for_each(Tool::check)
    }
}

/// Whether a name may become part of paths, images and pages.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(format!(
        "got name {name:?}, expected small letters, digits, . and -, a letter first"
    ))
}

/// The column of a peer whose manifest names none.
fn last() -> u32 {
    u32::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> tempfile::TempDir {
        let peers = tempfile::tempdir().unwrap();
        fs::create_dir(peers.path().join("some")).unwrap();
        fs::write(peers.path().join("some/peer.toml"), text).unwrap();
        peers
    }

    fn error(text: &str) -> String {
        let peers = write(text);
        let error = Manifest::load_all(peers.path()).unwrap_err().to_string();
        error.replace(peers.path().to_str().unwrap(), "peers")
    }

    #[test]
    fn reads_every_key() {
        let peers = write(
            r#"
            name = "some"
            package = "some-peer"
            [[tool]]
            program = "cc"
            package = "gcc"
            [[prepare]]
            command = ["./prepare", "{out}"]
            env = { SOURCE = "{out}/source" }
            "#,
        );
        let manifests = Manifest::load_all(peers.path()).unwrap();
        assert_eq!(manifests[0].name, "some");
        assert_eq!(manifests[0].tools[0].name(), "cc");
        assert_eq!(manifests[0].prepare[0].env["SOURCE"], "{out}/source");
    }

    #[test]
    fn names_line_and_column_of_an_unknown_key() {
        let error = error("name = \"some\"\npackag = \"x\"\n");
        assert!(
            error.starts_with("peers/some/peer.toml: TOML parse error at line 2, column 1"),
            "{error}"
        );
    }

    #[test]
    fn asks_for_one_of_package_and_program() {
        assert_eq!(
            error("name = \"some\""),
            "peers/some/peer.toml: expected exactly one of package and program"
        );
    }

    #[test]
    fn a_folder_without_manifests_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Manifest::load_all(folder.path()),
            Err(ManifestError::None { .. })
        ));
    }

    #[test]
    fn a_name_is_no_path_and_no_option() {
        for name in ["../x", "--help", "a/b", "A", "", "1"] {
            let error = Manifest::parse(&format!("name = {name:?}\npackage = 'p'")).unwrap_err();
            assert!(
                error.starts_with(&format!("got name {name:?}, expected")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_variant_has_the_peers_keys_but_for_its_own() {
        let text = "name = 'some'\npackage = 'p'\ncolumn = 3\nenv = { A = '1' }\n[[variant]]\nname = 'some-2'\nenv = { B = '2' }\n";
        let peers = Manifest::parse(text).unwrap();
        let names: Vec<_> = peers
            .iter()
            .map(|it| (it.name.as_str(), it.column))
            .collect();
        assert_eq!(names, [("some", 3), ("some-2", 3)]);
        assert_eq!(peers[1].package.as_deref(), Some("p"));
        assert!(!peers[1].env.contains_key("A"));
    }

    #[test]
    fn a_variant_has_a_name_and_known_keys() {
        let error = |own: &str| {
            Manifest::parse(&format!("name = 'some'\npackage = 'p'\n[[variant]]\n{own}"))
                .unwrap_err()
        };
        assert_eq!(error("column = 2"), "[[variant]] number 1: expected a name");
        let unknown = error("name = 'a'\npackag = 'x'");
        assert!(
            unknown.starts_with("[[variant]] number 1: unknown field `packag`"),
            "{unknown}"
        );
    }
}

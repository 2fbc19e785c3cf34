//! `peers/*/peer.toml`: what a peer is called, and how its program comes to be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// One `peer.toml`.
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
    pub program: Option<PathBuf>,
    /// The peer is compiled into the harness and runs inside it.
    #[serde(default)]
    pub in_process: bool,
    /// The peer is the other end where a scenario is about one end only.
    #[serde(default)]
    pub reference: bool,
    /// The place of its columns among the others: the lower, the further to the left.
    #[serde(default = "last")]
    pub column: u32,
    /// What of ours stands in front of the library where the provenance is `glue`.
    pub glue: Option<String>,
    /// What of ours changes the library where the provenance is `patch`.
    pub patch: Option<String>,
    /// What must be on the machine to build it.
    #[serde(default, rename = "tool")]
    pub tools: Vec<Tool>,
    /// Variables to set for the build.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Commands to run before the package is built, in the peer's folder.
    #[serde(default)]
    pub prepare: Vec<Step>,
    /// The folder that holds the manifest.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Something that a build needs on the machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// A program that must be in `PATH`.
    pub program: Option<String>,
    /// A shared library that must be installed, e.g. `libclang`.
    pub library: Option<String>,
    /// A header that must be installed, e.g. `gnutls/gnutls.h`: a library may be there without what it is built by.
    pub header: Option<String>,
    /// The Debian package that has it.
    pub package: String,
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

/// Why the peers could not be listed.
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
    /// No folder holds a manifest.
    #[error("no peer.toml in any folder of {0}, expected one for each peer")]
    None(PathBuf),
}

impl Manifest {
    /// Reads every `peer.toml` one folder below `peers`, in the order of columns.
    pub fn load_all(peers: &Path) -> Result<Vec<Self>, ManifestError> {
        let read = |source| ManifestError::Read {
            path: peers.to_owned(),
            source,
        };
        let mut manifests = Vec::new();
        for entry in fs::read_dir(peers).map_err(read)? {
            let folder = entry.map_err(read)?.path();
            let path = folder.join("peer.toml");
            if path.is_file() {
                manifests.push(Self::load(&path, folder)?);
            }
        }
        if manifests.is_empty() {
            return Err(ManifestError::None(peers.to_owned()));
        }
        manifests.sort_by(|one, other| (one.column, &one.name).cmp(&(other.column, &other.name)));
        let twice = manifests.iter().enumerate().find_map(|(place, second)| {
            let first = manifests[..place]
                .iter()
                .find(|first| first.name == second.name)?;
            Some((first, second))
        });
        if let Some((first, second)) = twice {
            return Err(ManifestError::Parse {
                path: second.folder.join("peer.toml"),
                message: format!(
                    "got name {:?}, which {} has too",
                    second.name,
                    first.folder.display()
                ),
            });
        }
        Ok(manifests)
    }

    /// Reads the `peer.toml` of one folder.
    pub fn load_folder(folder: &Path) -> Result<Self, ManifestError> {
        let absolute = std::path::absolute(folder);
        let folder = absolute.map_err(|source| ManifestError::Read {
            path: folder.to_owned(),
            source,
        })?;
        Self::load(&folder.join("peer.toml"), folder)
    }

    fn load(path: &Path, folder: PathBuf) -> Result<Self, ManifestError> {
        let parse = |message| ManifestError::Parse {
            path: path.to_owned(),
            message,
        };
        let text = fs::read_to_string(path).map_err(|source| ManifestError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut manifest: Self =
            toml_edit::de::from_str(&text).map_err(|error| parse(error.to_string()))?;
        if !manifest.in_process && manifest.package.is_some() == manifest.program.is_some() {
            return Err(parse(
                "expected exactly one of package and program".to_owned(),
            ));
        }
        if let Some(tool) = manifest.tools.iter().find(|tool| {
            let kinds = [&tool.program, &tool.library, &tool.header];
            kinds.into_iter().flatten().count() != 1
        }) {
            return Err(parse(format!(
                "tool of package {:?}: expected exactly one of program, library and header",
                tool.package
            )));
        }
        manifest.folder = folder;
        Ok(manifest)
    }
}

/// The column of a peer whose manifest names none.
fn last() -> u32 {
    u32::MAX
}

impl Tool {
    /// What is looked for: the name of the program, the library or the header.
    #[must_use]
    pub fn name(&self) -> &str {
        self.program
            .as_deref()
            .or(self.library.as_deref())
            .or(self.header.as_deref())
            .unwrap_or_default()
    }

    /// Whether the machine has it.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match (&self.program, &self.library) {
            (Some(program), _) => {
                in_folders(std::env::var_os("PATH"), |name| name == program.as_str())
            }
            (_, Some(library)) => library_is_present(library),
            _ => self.header.as_deref().is_some_and(header_is_present),
        }
    }
}

/// Looks where C compilers look.
fn header_is_present(header: &str) -> bool {
    let folders = ["/usr/include", "/usr/local/include"].map(Path::new);
    folders.iter().any(|folder| folder.join(header).is_file())
}

/// Looks where bindgen looks: `LIBCLANG_PATH`, then the folders of the system and of LLVM.
fn library_is_present(library: &str) -> bool {
    let prefix = format!("{library}.so");
    let versioned = format!("{library}-");
    let matches = |name: &str| {
        name.starts_with(&prefix) || (name.starts_with(&versioned) && name.contains(".so"))
    };
    let mut folders: Vec<PathBuf> = ["/usr/lib", "/usr/lib64", "/usr/local/lib"]
        .map(PathBuf::from)
        .into();
    let below = fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    for folder in below.filter(|folder| folder.is_dir()) {
        folders.push(folder.join("lib"));
        folders.push(folder);
    }
    let system = std::env::join_paths(folders).ok();
    in_folders(std::env::var_os("LIBCLANG_PATH"), matches) || in_folders(system, matches)
}

fn in_folders(folders: Option<std::ffi::OsString>, matches: impl Fn(&str) -> bool) -> bool {
    let Some(folders) = folders else { return false };
    std::env::split_paths(&folders)
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_str().is_some_and(&matches))
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
            Err(ManifestError::None(_))
        ));
    }

    #[test]
    fn finds_a_program_that_exists_and_none_that_does_not() {
        let tool = |program: &str| Tool {
            program: Some(program.into()),
            library: None,
            header: None,
            package: "p".into(),
        };
        assert!(tool("sh").is_present());
        assert!(!tool("no-such-program-here").is_present());
        let header = |header: &str| Tool {
            program: None,
            header: Some(header.into()),
            ..tool("")
        };
        assert!(header("stdio.h").is_present());
        assert!(!header("no/such/header.h").is_present());
    }
}

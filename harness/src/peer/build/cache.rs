//! What the builds of all checkouts share, by content: prepared sources, and what is compiled of them.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::BuildError;
use crate::peer::manifest::Manifest;

/// The folder that checkouts share.
pub(super) struct Cache(PathBuf);

impl Cache {
    /// `reqmtls` in the user's folder of caches; a machine without one shares nothing.
    pub(super) fn locate(root: &Path) -> Self {
        let absolute = |name| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|it| it.is_absolute())
        };
        let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        Self(caches.map_or_else(|| root.join("target/cache"), |it| it.join("reqmtls")))
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Waits until nobody else works on a place of the cache. The lock goes with its holder, also with one that is
    /// killed.
    pub(super) async fn lock(
        &self,
        place: &Path,
        progress: &mut impl FnMut(&str),
    ) -> Result<File, BuildError> {
        let mut name = place.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let parent = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent).map_err(BuildError::file(parent))?;
        let file = File::create(&path).map_err(BuildError::file(&path))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                progress(&format!("waiting for another build: {}", path.display()));
            }
            Err(TryLockError::Error(source)) => return Err(BuildError::File { path, source }),
        }
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
        locked
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(BuildError::file(&path))
    }
}

/// What a peer's build is made of beside the code of its package: variables, steps, the files that they name as
/// inputs, the files of the machine that they need, and the versions of the packages that they take sources from.
pub(super) fn key(root: &Path, manifest: &Manifest) -> Result<String, BuildError> {
    let mut hash = Sha256::new();
    let mut add = |octets: &[u8]| {
        hash.update((octets.len() as u64).to_be_bytes());
        hash.update(octets);
    };
    for (name, value) in &manifest.env {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    let variables = manifest
        .tools
        .iter()
        .filter_map(|it| it.variable.as_deref());
    for variable in variables {
        let value = env::var_os(variable).unwrap_or_default();
        add(variable.as_bytes());
        add(value.as_encoded_bytes());
    }
    // Steps take octets from them, which another version has otherwise.
    for file in manifest.tools.iter().filter_map(|it| it.file.as_deref()) {
        if let Ok(found) = fs::metadata(file) {
            add(file.as_bytes());
            add(&found.len().to_be_bytes());
            add(&found.mtime().to_be_bytes());
        }
    }
    for step in &manifest.prepare {
        for word in &step.command {
            add(word.as_bytes());
        }
        for (name, value) in &step.env {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        for input in &step.inputs {
            for file in files(&manifest.folder.join(input))? {
                let name = file.strip_prefix(&manifest.folder).unwrap_or(&file);
                add(name.as_os_str().as_encoded_bytes());
                add(&fs::read(&file).map_err(BuildError::file(&file))?);
            }
        }
        if !step.packages.is_empty() {
            let path = root.join("Cargo.lock");
            let lock = fs::read_to_string(&path).map_err(BuildError::file(&path))?;
            for package in &step.packages {
                for entry in lock
                    .split("[[package]]")
                    .filter(|entry| is_of(entry, package))
                {
                    add(entry.as_bytes());
                }
            }
        }
    }
    Ok(hex::encode(&hash.finalize()[..8]))
}

/// Whether an entry of Cargo.lock is of a package.
fn is_of(entry: &str, package: &str) -> bool {
    let name = format!("name = {package:?}");
    entry.lines().any(|line| line == name)
}

/// A file, or every file below a folder, in the order of names.
fn files(path: &Path) -> Result<Vec<PathBuf>, BuildError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(BuildError::file(path))?;
    let below = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut below: Vec<_> = below
        .collect::<io::Result<_>>()
        .map_err(BuildError::file(path))?;
    below.sort();
    let mut all = Vec::new();
    for path in below {
        all.extend(files(&path)?);
    }
    Ok(all)
}

/// Copies a file to where it appears whole, also while the one before it is running.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).map_err(BuildError::file(parent))?;
    let unfinished = tempfile::NamedTempFile::new_in(parent).map_err(BuildError::file(parent))?;
    fs::copy(from, unfinished.path()).map_err(BuildError::file(from))?;
    let kept = unfinished.into_temp_path().persist(to);
    kept.map_err(|error| BuildError::file(to)(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &Path, text: &str) -> Manifest {
        fs::write(folder.join("peer.toml"), text).unwrap();
        Manifest::load_folder(folder).unwrap().remove(0)
    }

    const STEPS: &str = "name = \"some\"\npackage = \"some\"\n[[prepare]]\ncommand = [\"./make\", \"{out}\"]\n\
                         inputs = [\"make\", \"patches\"]\npackages = [\"some-sys\"]\n";

    fn checkout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("patches")).unwrap();
        fs::write(folder.path().join("make"), "make").unwrap();
        fs::write(folder.path().join("patches/1"), "one").unwrap();
        let lock = "[[package]]\nname = \"other\"\nversion = \"1\"\n\n[[package]]\nname = \"some-sys\"\nversion = \"2\"\n";
        fs::write(folder.path().join("Cargo.lock"), lock).unwrap();
        folder
    }

    #[test]
    fn the_same_content_in_another_folder_has_the_same_key() {
        let [one, other] = [checkout(), checkout()];
        let of = |folder: &Path| key(folder, &manifest(folder, STEPS)).unwrap();
        assert_eq!(of(one.path()), of(other.path()));
    }

    #[test]
    fn whatever_a_step_is_made_of_changes_the_key() {
        type Change = fn(&Path);
        let changes: [Change; 4] = [
            |it| fs::write(it.join("patches/1"), "two").unwrap(),
            |it| fs::write(it.join("patches/2"), "").unwrap(),
            |it| fs::write(it.join("make"), "make it").unwrap(),
            |it| fs::write(it.join("Cargo.lock"), "[[package]]\nname = \"some-sys\"\n").unwrap(),
        ];
        let before = checkout();
        let before = key(before.path(), &manifest(before.path(), STEPS)).unwrap();
        for change in changes {
            let folder = checkout();
            change(folder.path());
            let after = key(folder.path(), &manifest(folder.path(), STEPS)).unwrap();
            assert_ne!(before, after);
        }
        let folder = checkout();
        fs::write(
            folder.path().join("Cargo.lock"),
            "[[package]]\nname = \"some-sys\"\nversion = \"2\"\n",
        )
        .unwrap();
        let other_packages = key(folder.path(), &manifest(folder.path(), STEPS)).unwrap();
        assert_eq!(before, other_packages);
    }

    #[test]
    fn another_version_of_a_file_that_is_needed_changes_the_key() {
        let folder = checkout();
        let file = folder.path().join("some.jar");
        let steps = format!("{STEPS}\n[[tool]]\nfile = {file:?}\npackage = \"some\"\n");
        let keys = ["one", "other"].map(|octets| {
            fs::write(&file, octets).unwrap();
            key(folder.path(), &manifest(folder.path(), &steps)).unwrap()
        });
        assert_ne!(keys[0], keys[1]);
    }

    #[tokio::test]
    async fn a_second_build_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().to_owned());
        let place = folder.path().join("place");
        let first = cache.lock(&place, &mut |_: &str| {}).await.unwrap();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut sender = Some(sender);
        let mut progress = |line: &str| {
            let sender = sender.take().unwrap();
            sender.send(line.to_owned()).unwrap();
        };
        let release = async {
            let line = receiver.await.unwrap();
            drop(first);
            line
        };
        let (second, line) = tokio::join!(cache.lock(&place, &mut progress), release);
        second.unwrap();
        assert!(line.starts_with("waiting for another build"), "{line}");
    }
}

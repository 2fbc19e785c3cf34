//! Files that are whole or absent, also while two runs write at once.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How the name of a file starts that is not whole.
const UNFINISHED: &str = ".reqmtls-";

/// Whether a file of this name is one that did not become whole.
pub(super) fn is_unfinished(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}

/// A file that grows beside its place, and takes it when it is whole.
#[derive(Debug)]
pub(crate) struct Growing {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Growing {
    /// Makes the folder and the file that will be at `path`, readable with these permissions.
    ///
    /// # Errors
    ///
    /// What the file system fails with, with the path.
    pub(crate) fn create(path: &Path, permissions: u32) -> io::Result<Self> {
        let named = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("cannot write {}: {error}", path.display()),
            )
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(named)?;
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(permissions))
            .tempfile_in(folder)
            .map_err(named)?;
        Ok(Self {
            out: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Puts the file at its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Write for Growing {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.out.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Tries whether a file could be written, and leaves nothing.
///
/// # Errors
///
/// What the file system fails with, with the path.
pub fn try_write(path: &Path) -> io::Result<()> {
    Growing::create(path, 0o600).map(drop)
}

/// Writes a file whole or not at all: a reader never sees half of it.
///
/// # Errors
///
/// What the file system fails with, with the path.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o644)
}

/// The same, readable by its owner alone.
///
/// # Errors
///
/// What the file system fails with, with the path.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o600)
}

fn write(path: &Path, content: &[u8], permissions: u32) -> io::Result<()> {
    let mut file = Growing::create(path, permissions)?;
    file.write_all(content)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_become_whole_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latest/result.jsonl");
        let mut file = Growing::create(&path, 0o600).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(
            fs::read_dir(folder.path().join("latest")).unwrap().count(),
            0
        );
        write_whole(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = write_whole(&path.join("result"), b"")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot write ") && error.contains("file/result"),
            "{error}"
        );
    }
}

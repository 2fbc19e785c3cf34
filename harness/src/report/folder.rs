//! The folder of a run's results: its owner's alone, and one run's at a time.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use thiserror::Error;

use super::file::is_unfinished;
use super::{CAPTURE, RESULT};

/// The room that results may take: a whole run takes some 160 MB.
const ROOM: u64 = 256 << 20;

/// The folder in it that has what the last whole run left.
pub const WHOLE: &str = "whole";

/// The file by which a run has the folder to itself.
const LOCK: &str = ".lock";

/// Why results cannot be written to a folder.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The file system refuses.
    #[error("cannot write {}: {error}", path.display())]
    Refused {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no room.
    #[error("cannot write {}: got {free} octets of room, expected {ROOM}", path.display())]
    Room {
        /// The folder.
        path: PathBuf,
        /// How many octets are free.
        free: u64,
    },
    /// Another run writes there.
    #[error("another run writes to {}: wait for its end, or name another folder with --results", .0.display())]
    Taken(PathBuf),
}

/// A folder that this run has to itself until this is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked for as long as it is open, and no longer than the process lives.
    _lock: File,
}

impl Folder {
    /// Makes the folder, if it is not there, readable by its owner alone: it will hold the secrets of a run. Removes
    /// what a run left unfinished in it.
    ///
    /// # Errors
    ///
    /// What would keep results from being written at the end of a run.
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        let refused = |error| FolderError::Refused {
            path: path.to_owned(),
            error,
        };
        let mut builder = DirBuilder::new();
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(refused)?;
        }
        match builder.mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
                fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(refused)?;
            }
            made => made.map_err(refused)?,
        }
        let lock = path.join(LOCK);
        let lock = File::options().create(true).append(true).open(lock);
        let lock = lock.map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Taken(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let room = statvfs(path).map_err(|error| refused(error.into()))?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free < ROOM {
            let path = path.to_owned();
            return Err(FolderError::Room { path, free });
        }
        for entry in fs::read_dir(path).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            if is_unfinished(&entry.file_name()) {
                fs::remove_file(entry.path()).map_err(refused)?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Keeps what this run left for when later ones, of a few cells, have taken its place. It is in the folder that is
    /// its owner's alone, and takes no room before that.
    ///
    /// # Errors
    ///
    /// What the file system fails with.
    pub fn keep(&self) -> io::Result<()> {
        let whole = self.path.join(WHOLE);
        fs::create_dir_all(&whole)?;
        for name in [RESULT, CAPTURE] {
            let (from, to) = (self.path.join(name), whole.join(name));
            match fs::remove_file(&to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::write_secret;

    #[test]
    fn a_folder_is_its_owners_and_one_runs_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let latest = root.path().join("results/latest");
        fs::create_dir_all(&latest).unwrap();
        fs::set_permissions(&latest, Permissions::from_mode(0o777)).unwrap();
        fs::write(latest.join(".reqmtls-half"), "").unwrap();
        let folder = Folder::take(&latest).unwrap();
        let mode = fs::metadata(&latest).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(!latest.join(".reqmtls-half").exists());
        let error = Folder::take(&latest).unwrap_err().to_string();
        assert!(error.starts_with("another run writes to "), "{error}");
        drop(folder);
        Folder::take(&latest).unwrap();
    }

    #[test]
    fn what_a_whole_run_left_outlives_the_next() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::take(root.path()).unwrap();
        for content in ["one", "other"] {
            for name in [RESULT, CAPTURE] {
                write_secret(&root.path().join(name), content.as_bytes()).unwrap();
            }
            folder.keep().unwrap();
        }
        write_secret(&root.path().join(CAPTURE), b"of a few cells").unwrap();
        let kept = root.path().join(WHOLE).join(CAPTURE);
        assert_eq!(fs::read(&kept).unwrap(), b"other");
        let mode = fs::metadata(kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let root = tempfile::tempdir().unwrap();
        let latest = root.path().join("latest");
        fs::write(&latest, "").unwrap();
        let error = Folder::take(&latest).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot write ") && error.contains("latest: "),
            "{error}"
        );
    }
}

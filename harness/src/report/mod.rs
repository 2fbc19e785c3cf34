//! What people and programs read of a run: one file for each kind of report.

mod capture;
mod json;
mod markdown;
mod requirements;
mod terminal;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub use self::capture::capture;
pub use self::json::{SCHEMA, json};
pub use self::markdown::markdown;
pub(crate) use self::markdown::{command, reproduction};
pub use self::requirements::{requirements, unexercised};
pub use self::terminal::{Terminal, summary};

/// Writes a file whole or not at all: a reader never sees half of it, nor do two runs at once.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".reqmtls-")
        .tempfile_in(folder)?;
    file.write_all(content)?;
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(permissions)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

//! `reqmtls schema`: the JSON Schema of scenario files.

use std::io::{self, Write};

use crate::scenario::schema_text;

/// Writes it to stdout.
pub(super) fn obey() -> anyhow::Result<u8> {
    io::stdout().write_all(schema_text().as_bytes())?;
    Ok(0)
}

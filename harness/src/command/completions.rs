//! `reqmtls completions`: what makes a shell complete the command line, from its own definitions.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Writes a script to stdout.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    let mut command = super::Arguments::command();
    generate(arguments.shell, &mut command, "reqmtls", &mut script);
    io::stdout().write_all(&script)?;
    Ok(0)
}

//! `reqmtls man`: the manual's pages, from the definitions of the command line.

use std::io::{self, Write};

use anyhow::{Context, anyhow};
use clap::{Args, CommandFactory};
use clap_mangen::Man;

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The subcommand that the page is of [default: the page of the program, which lists them]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Writes a page to stdout.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut program = super::Arguments::command();
    // What subcommands have of the program comes to them here.
    program.build();
    let command = match &arguments.command {
        None => program,
        Some(name) => {
            let of = program.get_subcommands().map(clap::Command::get_name);
            let expected = of.collect::<Vec<_>>().join(", ");
            let found = program.find_subcommand(name).cloned();
            found.ok_or_else(|| anyhow!("got {name:?}, expected one of {expected}"))?
        }
    };
    let mut page = Vec::new();
    Man::new(command)
        .render(&mut page)
        .context("cannot make the page")?;
    io::stdout().write_all(&page)?;
    Ok(0)
}

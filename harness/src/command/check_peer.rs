//! `reqmtls check-peer`: whether a program follows the peer contract.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::root::Root;
use super::{EXIT_FINDINGS, EXIT_NOTHING, EXIT_PEER, complain};
use crate::check_peer::{self, CheckError, Checked, Verdict};
use crate::peer::manifest::Manifest;
use crate::peer::{Program, build};

/// Arguments of `check-peer`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The peer's program, or its folder with peer.toml, from which it is built
    #[arg(value_name = "PROGRAM|FOLDER")]
    peer: PathBuf,
    /// What stands behind the program's name in its command line, before --listen
    #[arg(value_name = "ARGUMENT", last = true)]
    words: Vec<String>,
    /// Only the rules that contain these words
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
}

/// Checks a peer, with a line to stdout for each rule of peers/README.md.
pub(super) fn obey(
    root: impl Fn() -> anyhow::Result<Root>,
    arguments: &Arguments,
) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    if !arguments.peer.is_dir() {
        let path = std::path::absolute(&arguments.peer)
            .with_context(|| arguments.peer.display().to_string())?;
        let program = Program {
            arguments: arguments.words.clone(),
            ..Program::alone(path)
        };
        return check(&runtime, &program, arguments.only.as_deref());
    }
    let mut code = 0;
    for manifest in Manifest::load_folder(&arguments.peer)? {
        let progress = |line: &str| complain(&format!("{}: {line}", manifest.name));
        let checked = match runtime.block_on(build::build(&root()?.folder, &manifest, progress)) {
            Ok(program) => check(&runtime, &program, arguments.only.as_deref())?,
            Err(error) => {
                complain(&format!("{}: not built: {error}", manifest.name));
                EXIT_PEER
            }
        };
        code = code.max(checked);
    }
    Ok(code)
}

pub(super) fn check(
    runtime: &tokio::runtime::Runtime,
    program: &Program,
    only: Option<&str>,
) -> anyhow::Result<u8> {
    let (mut right, mut wrong, mut skipped) = (0, 0, 0);
    let mut written = Ok(());
    let outcome = runtime.block_on(check_peer::check(program, only, |checked| {
        match checked.verdict {
            Verdict::Right => right += 1,
            Verdict::Wrong(_) => wrong += 1,
            Verdict::Skipped(_) => skipped += 1,
        }
        if written.is_ok() {
            written = write(&checked);
        }
    }));
    match outcome {
        Ok(()) => {}
        Err(CheckError::Start(error)) => {
            complain(&format!("error: {error}"));
            return Ok(EXIT_PEER);
        }
        Err(error) => return Err(error.into()),
    }
    written?;
    if right + wrong + skipped == 0 {
        complain(&format!("no rule contains {:?}", only.unwrap_or_default()));
        return Ok(EXIT_NOTHING);
    }
    complain(&format!(
        "{}: {right} rules followed, {wrong} not, {skipped} not looked at",
        program.path.display()
    ));
    Ok(if wrong == 0 { 0 } else { EXIT_FINDINGS })
}

fn write(checked: &Checked) -> io::Result<()> {
    let rule = &checked.rule;
    let mut out = io::stdout().lock();
    match &checked.verdict {
        Verdict::Right => writeln!(out, "right    {rule}"),
        Verdict::Wrong(text) => writeln!(out, "WRONG    {rule}\n         {}", indent(text)),
        Verdict::Skipped(text) => writeln!(out, "skipped  {rule}: {text}"),
    }
}

fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n         ")
}

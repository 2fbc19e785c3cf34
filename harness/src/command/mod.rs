//! The command line: one file for each subcommand, with its arguments, what it writes where, and its exit codes.
//! Data goes to stdout, what people read of the progress to stderr.

mod accept;
mod capture;
mod check_peer;
mod completions;
mod connection;
mod decode;
mod diff;
mod explain;
mod image;
mod interrupt;
mod judge;
mod list;
mod man;
mod merge;
mod peers;
mod probe;
mod programs;
mod report;
mod root;
mod run;
mod schema;
mod selection;
mod serve;
mod stdout;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use colorchoice_clap::Color;

use self::interrupt::{block_on, interrupted};
use self::root::Root;
use crate::report::paint::{BAD, painted};

/// Findings, transcripts that are not the accepted ones, or something that violates a requirement.
const EXIT_FINDINGS: u8 = 1;
/// Bad usage, or a bad scenario.
const EXIT_USAGE: u8 = 2;
/// A peer could not be built, started or reached.
const EXIT_PEER: u8 = 3;
/// Nothing was selected, or there is nothing to judge.
const EXIT_NOTHING: u8 = 4;

/// What each exit code means.
pub(crate) const EXIT_CODES: [(u8, &str); 5] = [
    (0, "all as it should be"),
    (
        EXIT_FINDINGS,
        "findings that are not known, known ones that no longer occur, cells that vary, or transcripts that are not the accepted ones",
    ),
    (
        EXIT_USAGE,
        "bad usage, a bad scenario, or what else keeps a command from its work, such as results that cannot be written",
    ),
    (
        EXIT_PEER,
        "a peer could not be built, started or reached, a cell failed, or a run was interrupted",
    ),
    (EXIT_NOTHING, "nothing was selected"),
];

const EXAMPLES: &str = "\
Examples:
  reqmtls run                                     every case, on the pairings that it is for
  reqmtls run request-mtls/set --server openssl   the cases that set the flag, against OpenSSL
  reqmtls run --mode process --jobs 2             without containers, two cells at once
  reqmtls list                                    what would run
  reqmtls peers                                   what there is to run against
";

/// What stands below the options.
fn after_help() -> String {
    let codes = EXIT_CODES.map(|(code, meaning)| format!("\n  {code}  {meaning}"));
    format!("{EXAMPLES}\nExit codes:{}", codes.concat())
}

/// Runs scenarios of the request mTLS flag between TLS implementations and judges what the wire shows.
#[derive(Debug, Parser)]
#[command(name = "reqmtls", version, after_help = after_help())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The folder with scenarios/, peers/ and results/ [default: the nearest one upwards, else what is built in]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run cells, and write matrix and results
    #[command(after_help = after_help())]
    Run(run::Arguments),
    /// List scenarios, cases and pairings that a run would take
    List(list::Arguments),
    /// List the peers, or install, build and test what they are made of
    Peers(peers::Arguments),
    /// Start real programs against the reference, and write what they do when they are asked for a certificate
    Programs(programs::Arguments),
    /// Check that a program follows the peer contract of peers/README.md
    CheckPeer(check_peer::Arguments),
    /// Explain octets of `tls_flags`, a ClientHello or a capture
    Decode(decode::Arguments),
    /// Judge every TLS 1.3 connection of a capture by all requirements that can be judged from it
    Judge(judge::Arguments),
    /// Probe anybody's TLS 1.3 server: whom it asks for a certificate, and how it takes flags
    Probe(probe::Arguments),
    /// Serve anybody's client as the reference: each connection printed, judged and answered over HTTP
    Serve(serve::Arguments),
    /// Explain one cell of the last run: messages, requirements, reports, drift
    Explain(explain::Arguments),
    /// Take the transcripts of the last run over as the accepted ones
    Accept(accept::Arguments),
    /// Make an image of the harness and its peers, which runs cells wherever there is a container engine
    Image(image::Arguments),
    /// Put the results of all shards of a run together
    Merge(merge::Arguments),
    /// Render every report again from a stored result
    Report(report::Arguments),
    /// Tell what changed between two runs
    Diff(diff::Arguments),
    /// Print the JSON Schema of scenario files, or of results
    Schema(schema::Arguments),
    /// Print a script that makes a shell complete the command line
    Completions(completions::Arguments),
    /// Print the manual's page of the program or of a subcommand
    Man(man::Arguments),
}

impl Command {
    /// Whether its exit code is a verdict, which a stdout that nobody reads to the end must not turn into a good one.
    fn judges(&self) -> bool {
        use Command::{CheckPeer, Diff, Judge, Probe};
        matches!(self, CheckPeer(_) | Diff(_) | Judge(_) | Probe(_))
    }
}

/// Reads the command line, obeys it, and returns how it went.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed stdout is no error of ours.
            drop(error.print());
            return if error.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    arguments.color.write_global();
    match obey(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) && !arguments.command.judges() => ExitCode::SUCCESS,
        Err(error) => {
            let text = format!("{error:#}");
            // Diagnostics of scenarios name themselves errors.
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            complain(&format!("{}: {text}", painted(BAD, "error")));
            ExitCode::from(if error.is::<PeerError>() {
                EXIT_PEER
            } else {
                EXIT_USAGE
            })
        }
    }
}

/// Writes a value to stdout as one JSON document.
fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    use io::Write;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// Writes a line to stderr; a closed one ends nothing.
fn complain(line: &str) {
    use io::Write;
    drop(writeln!(anstream::stderr(), "{line}"));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// An error that means that peers could not be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct PeerError(crate::run::RunError);

fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let root = || Root::find(arguments.root.as_deref());
    match &arguments.command {
        Command::Run(arguments) => run::obey(&root()?, arguments),
        Command::List(arguments) => list::obey(&root()?, arguments),
        Command::Peers(arguments) => peers::obey(&root()?, arguments),
        Command::Programs(arguments) => programs::obey(&root()?.folder, arguments),
        Command::CheckPeer(arguments) => check_peer::obey(root, arguments),
        Command::Decode(arguments) => decode::obey(arguments),
        Command::Judge(arguments) => judge::obey(arguments),
        Command::Probe(arguments) => probe::obey(arguments),
        Command::Serve(arguments) => serve::obey(root, arguments),
        Command::Explain(arguments) => explain::obey(&root()?, arguments),
        Command::Accept(arguments) => accept::obey(&root()?, arguments),
        Command::Image(arguments) => image::obey(&root()?, arguments),
        Command::Merge(arguments) => merge::obey(&root()?, arguments),
        Command::Report(arguments) => report::obey(&root()?, arguments),
        Command::Diff(arguments) => diff::obey(arguments),
        Command::Schema(arguments) => schema::obey(arguments),
        Command::Completions(arguments) => completions::obey(arguments),
        Command::Man(arguments) => man::obey(arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_readme_names_the_commands_that_have_json() {
        let readme = include_str!("../../../README.md").replace('\n', " ");
        let (before, _) = readme.split_once(" have `--json`").unwrap();
        let sentence = before.rsplit(". ").next().unwrap();
        let mut named: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
        let command = Arguments::command();
        let has_json =
            |it: &&clap::Command| it.get_arguments().any(|it| it.get_long() == Some("json"));
        let having = command.get_subcommands().filter(has_json);
        let mut having: Vec<&str> = having.map(clap::Command::get_name).collect();
        named.sort_unstable();
        having.sort_unstable();
        assert_eq!(named, having);
    }
}

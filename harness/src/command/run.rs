//! `reqmtls run`: cells run, judged and reported.

use std::io::{self, LineWriter};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use futures_util::FutureExt;
use reqmtls_contract::TLS_FLAGS;
use reqmtls_vocabulary::{ExtensionType, words};

use super::root::Root;
use super::selection::{Selected, Selection};
use super::stdout::{Queue, queue};
use super::{EXIT_FINDINGS, EXIT_NOTHING, EXIT_PEER, PeerError, block_on, complain, interrupted};
use crate::judge::Conformance;
use crate::report::{
    self, Annotations, CAPTURE, Captured, Detail, Folder, Lines, Places, RESULT, Reporter, Stored,
    Subject, Tally, Terminal, try_write,
};
use crate::run::{self, Drift, Event, Place, Plan, Shard};
use crate::scenario::{Case, MAX_FLAG};

words! {
    /// What stdout gets.
    enum Format {
        /// Nothing: what people read goes to stderr.
        Text = "text",
        /// The lines of result.jsonl, as they come.
        Json = "json",
    }
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// How many cells run at once [default: four for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Where peers that are programs run: process or container [default: containers where an engine answers]
    #[arg(long, value_name = "MODE", value_parser = place)]
    mode: Option<Place>,
    /// The most seconds that one cell's connection may take
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// How often each cell runs: any that shows two things is reported, and exit code 1
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    /// Only one shard of the cells: I/N is the I-th of N; `reqmtls merge` puts their results together
    #[arg(long, value_name = "I/N", env = "REQMTLS_SHARD")]
    shard: Option<Shard>,
    /// Install what building the peers needs and this machine lacks, where it has apt-get
    #[arg(long)]
    install: bool,
    /// Where results go [default: results/ of the root, or its editors-copy/]
    #[arg(long, value_name = "DIR", env = "REQMTLS_RESULTS")]
    results: Option<PathBuf>,
    /// The number of the request mTLS flag
    #[arg(long, default_value_t = reqmtls_observer::DEFAULT_FLAG, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_FLAG)))]
    flag: u16,
    /// The number of the extension `tls_flags`: 62, or 0xfe01 as the deployed experiment has it
    #[arg(long, default_value_t = TLS_FLAGS, value_name = "NUMBER", value_parser = number)]
    extension: u16,
    /// What stdout gets: text, which is nothing, or json, the lines of result.jsonl as they come
    #[arg(long, default_value_t = Format::Text, value_name = "FORMAT", value_parser = Format::from_str)]
    format: Format,
    /// Write the summary alone, and what is broken
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Write known deviations and what is unsupported too, each cell of a finding, and what builds write
    #[arg(short, long)]
    verbose: bool,
}

impl Arguments {
    /// Whether what is selected runs as it is published: once, under the usual numbers, and not in shards.
    fn is_default(&self) -> bool {
        self.shard.is_none()
            && self.repeat == 1
            && self.flag == reqmtls_observer::DEFAULT_FLAG
            && self.extension == TLS_FLAGS
    }

    fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        }
    }
}

fn place(text: &str) -> Result<Place, String> {
    Place::from_str(text)
}

/// A number of sixteen bits, decimal or hexadecimal.
pub(super) fn number(text: &str) -> Result<u16, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let expected = "expected a number from 0 to 65535 such as 62 or 0xfe01";
    let number = parsed.map_err(|_| format!("got {text}, {expected}"))?;
    let ours = [ExtensionType::TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT];
    let extension = ExtensionType(number);
    match extension.name() {
        Some(name) if !ours.contains(&extension) => Err(format!(
            "got {text}, which is {name}, {expected} that no other extension has"
        )),
        _ => Ok(number),
    }
}

pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let Selected {
        scenarios,
        known,
        notes,
        cases,
        peers,
        clients,
        servers,
        whole,
        narrowed,
        everywhere,
        left_out,
    } = arguments.selection.select(root)?;
    for line in left_out {
        complain(&line);
    }
    if cases.is_empty() {
        complain("nothing was selected");
        return Ok(EXIT_NOTHING);
    }
    let revision = arguments.selection.revision;
    let published = root.results(revision);
    let results = arguments.results.as_ref().unwrap_or(&published).clone();
    let latest = results.join("latest");
    let is_published = root.is_checkout && whole && everywhere && arguments.is_default();
    let places = is_published.then(|| places(root, &results));
    let snapshots = accepted(root, &published);
    let names = peers.iter().map(|peer| peer.name.clone()).collect();
    let subject = Subject::new(revision, scenarios, names, notes);
    let subject = subject.with_programs(&root.folder.join("results/programs.json"))?;
    let plan = Plan {
        root: root.folder.clone(),
        cases,
        peers,
        clients,
        servers,
        narrowed,
        install: arguments.install,
        pairings: arguments.selection.pairings,
        shard: arguments.shard,
        jobs: arguments.jobs.map_or_else(jobs, usize::from),
        place: arguments.mode,
        repeat: arguments.repeat,
        timeout: Duration::from_secs(arguments.timeout),
        known,
        snapshots,
        extension: arguments.extension,
        flag: arguments.flag,
        revision,
    };
    let stop = interrupted()?.shared();
    // Before anything runs: results that cannot be written would be noticed too late.
    let folder = Folder::take(&latest)?;
    if let Some(Places { folder, readme }) = &places {
        try_write(&folder.join("matrix.md"))?;
        readme.as_deref().map_or(Ok(()), try_write)?;
    }
    let mut files: Vec<Box<dyn Reporter>> = vec![
        Box::new(Stored::create(&latest.join(RESULT))?),
        Box::new(Captured::new(&latest.join(CAPTURE))),
    ];
    files.extend(report::files(subject, &latest, places));
    let mut reports = Reports::new(files, arguments.detail());
    let (outcome, written) = block_on(async {
        let (queue, writing) = queue(io::stdout());
        reports.stdout = to_stdout(arguments.format, &plan.cases, queue.clone());
        let has_room = async move || queue.room().await;
        let take = |event| reports.take(&event);
        let outcome = run::run(&plan, stop.clone(), has_room, take).await;
        reports.stdout = None;
        Ok((outcome, writing.end(stop).await))
    })?;
    outcome.map_err(|error| match error {
        run::RunError::Accepted(error) => error.into(),
        error => anyhow::Error::from(PeerError(error)),
    })?;
    if let Some(error) = reports.failure {
        return Err(error).context("the results are not whole");
    }
    let tally = reports.tally;
    if whole && arguments.is_default() && !tally.interrupted {
        folder.keep().context("the results are not kept")?;
    }
    let stay = if tally.interrupted {
        "those of an earlier run stay in "
    } else {
        ""
    };
    complain(&format!("results: {stay}{}", latest.display()));
    let written = reports.unwritten.map_or(written, Err);
    if written.context("stdout is not whole")? {
        return Ok(exit_code(&tally));
    }
    complain("interrupted: stdout was not read to its end");
    Ok(EXIT_PEER)
}

/// All that takes the events of a run.
struct Reports {
    terminal: Terminal<io::Stderr>,
    files: Vec<Box<dyn Reporter>>,
    stdout: Option<Box<dyn Reporter>>,
    tally: Tally,
    /// Why files are not whole.
    failure: Option<io::Error>,
    /// Why stdout is not whole, though it has a reader.
    unwritten: Option<io::Error>,
}

impl Reports {
    fn new(files: Vec<Box<dyn Reporter>>, detail: Detail) -> Self {
        Self {
            terminal: Terminal::stderr(detail),
            files,
            stdout: None,
            tally: Tally::default(),
            failure: None,
            unwritten: None,
        }
    }

    fn take(&mut self, event: &Event) {
        // A stderr that is closed must not end a run.
        drop(self.terminal.event(event));
        // An interrupted run is no result, and one with a gap is none either: what an earlier one left stays.
        if matches!(event, Event::Interrupted) {
            self.files.clear();
        }
        if let Err(error) = self.files.iter_mut().try_for_each(|it| it.event(event)) {
            self.failure = Some(error);
            self.files.clear();
        }
        // A reader that has gone is no fault of the run, which goes on and ends as it would have.
        if let Some(Err(error)) = self.stdout.as_mut().map(|it| it.event(event)) {
            self.unwritten = Some(error).filter(|it| it.kind() != io::ErrorKind::BrokenPipe);
            self.stdout = None;
        }
        drop(self.tally.event(event));
    }
}

/// Where the results of a whole run are published.
fn places(root: &Root, results: &Path) -> Places {
    let readme = root.folder.join("README.md");
    let has_readme = results == root.folder.join("results") && readme.is_file();
    Places {
        readme: has_readme.then_some(readme),
        folder: results.to_owned(),
    }
}

/// The folder of accepted transcripts. Who has no checkout has accepted nothing until they do, and that a transcript
/// is new says nothing then.
fn accepted(root: &Root, published: &Path) -> Option<PathBuf> {
    let snapshots = published.join("snapshots");
    let has_some = root.is_checkout || snapshots.is_dir();
    if !has_some {
        complain("no accepted transcripts: reqmtls accept takes those of this run over");
    }
    has_some.then_some(snapshots)
}

/// What stdout gets.
fn to_stdout(format: Format, cases: &[Arc<Case>], out: Queue) -> Option<Box<dyn Reporter>> {
    let out = LineWriter::new(out);
    match format {
        Format::Json => Some(Box::new(Lines(out))),
        Format::Text if std::env::var_os("GITHUB_ACTIONS").is_some() => {
            Some(Box::new(Annotations::new(out, cases)))
        }
        Format::Text => None,
    }
}

/// Four cells for each core: most of a cell's time is spent in waiting for the other end.
fn jobs() -> usize {
    4 * std::thread::available_parallelism().map_or(2, NonZero::get)
}

/// What a run's exit code is by what it came to.
pub(super) fn exit_code(tally: &Tally) -> u8 {
    let broken = tally.missing + tally.lost + tally.of(Conformance::Failed);
    if tally.interrupted || broken > 0 {
        EXIT_PEER
    } else if tally.cells == 0 {
        EXIT_NOTHING
    } else if tally.newly_deviating
        + tally.varying
        + tally.stale
        + tally.drifted(Drift::Changed)
        + tally.drifted(Drift::New)
        > 0
    {
        EXIT_FINDINGS
    } else {
        0
    }
}

//! Arguments, exit codes, and what each command writes where: data on stdout, people on stderr.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use reqmtls_contract::Revision;

use crate::conformance::Conformance;
use crate::conformance::known::Known;
use crate::decode;
use crate::event::Run;
use crate::explain;
use crate::peer::build;
use crate::peer::manifest::Manifest;
use crate::report;
use crate::run::{self, Plan, Where};
use crate::scenario::{self, Case, End, KNOWN_DEVIATIONS, Scenario, Selector};
use crate::snapshot::Drift;

const EXIT_FINDINGS: u8 = 1;
const EXIT_USAGE: u8 = 2;
const EXIT_PEER: u8 = 3;
const EXIT_NOTHING: u8 = 4;

const EXAMPLES: &str = "\
Examples:
  reqmtls run                                     every case on every pairing
  reqmtls run request-mtls/set --server openssl   the cases that set the flag, against OpenSSL
  reqmtls run --mode process --jobs 2             without containers, two cells at once
  reqmtls list                                    what would run
  reqmtls peers                                   what there is to run against

Exit codes:
  0  all as it should be
  1  findings, or transcripts that are not the accepted ones
  2  bad usage or a bad scenario
  3  a peer could not be built, started or reached
  4  nothing was selected";

/// Runs scenarios of the request mTLS flag between TLS implementations and judges what the wire shows.
#[derive(Debug, Parser)]
#[command(name = "reqmtls", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The folder with scenarios/, peers/ and results/ [default: the nearest one upwards]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run cells, and write matrix and results
    #[command(after_help = EXAMPLES)]
    Run(RunArguments),
    /// List scenarios, cases and pairings that a run would take
    List(Selection),
    /// List the peers: what there is and how each is built
    Peers,
    /// Explain and judge octets of `tls_flags`, a ClientHello or a capture
    Decode(decode::Arguments),
    /// Explain one cell of the last run: messages, requirements, reports, drift
    Explain {
        /// The case's id
        case: String,
        /// The pairing: CLIENT--SERVER
        pairing: String,
        /// The revision that the run was of
        #[arg(long, default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
        revision: Revision,
    },
    /// Print the JSON Schema of scenario files, with every axis and its values
    Schema,
}

#[derive(Debug, Args)]
struct Selection {
    /// Cases by id or its first segments, `*` for any one segment, e.g. request-mtls/*/absent
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// Only these peers as client
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    client: Vec<String>,
    /// Only these peers as server
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    server: Vec<String>,
    /// The revision of the request mTLS flag: the drafts -00 to -02, or their editor's copy
    #[arg(long, value_name = "REVISION", default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
}

#[derive(Debug, Args)]
struct RunArguments {
    #[command(flatten)]
    selection: Selection,
    /// How many cells run at once
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Where peers that are programs run
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    mode: Mode,
    /// The most seconds that one cell's connection may take
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Where results go [default: results/ of the root]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// The number of the request mTLS flag
    #[arg(long, default_value_t = 80, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=2039))]
    flag: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Containers where an engine answers, else processes
    Auto,
    /// Containers
    Container,
    /// Processes of this machine
    Process,
}

/// Reads the command line, obeys it, and says how it went.
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
    match obey(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<PeerError>() {
                EXIT_PEER
            } else {
                EXIT_USAGE
            })
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// An error that means that peers could not be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct PeerError(#[from] run::RunError);

fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let root = || root(arguments.root.as_deref());
    match &arguments.command {
        Command::Run(run) => obey_run(&root()?, run),
        Command::List(selection) => list(&root()?, selection),
        Command::Peers => peers(&root()?),
        Command::Decode(arguments) => decode::decode(arguments),
        Command::Explain {
            case,
            pairing,
            revision,
        } => {
            let text = explain::explain(&root()?, *revision, case, pairing)?;
            io::stdout().write_all(text.as_bytes())?;
            Ok(0)
        }
        Command::Schema => {
            io::stdout().write_all(scenario::schema_text().as_bytes())?;
            Ok(0)
        }
    }
}

fn root(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let is_root =
        |folder: &Path| folder.join("scenarios").is_dir() && folder.join("peers").is_dir();
    if let Some(folder) = given {
        if is_root(folder) {
            return Ok(folder.to_owned());
        }
        bail!(
            "{}: expected a folder with scenarios/ and peers/ in it",
            folder.display()
        );
    }
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let found = here
        .ancestors()
        .find(|folder| is_root(folder))
        .map(Path::to_owned);
    found.ok_or_else(|| {
        anyhow!(
            "neither {} nor a folder above it has scenarios/ and peers/; --root names one",
            here.display()
        )
    })
}

/// What a selection comes to.
struct Selected {
    scenarios: Vec<Scenario>,
    known: Known,
    cases: Vec<Case>,
    peers: Vec<Manifest>,
    clients: Vec<String>,
    servers: Vec<String>,
    /// Whether nothing is left out.
    whole: bool,
}

impl Selected {
    /// Whether the implementation that can be made to break rules is among these.
    fn can_misbehave(&self, names: &[String]) -> bool {
        let mut able = self.peers.iter().filter(|peer| peer.in_process);
        able.any(|peer| names.contains(&peer.name))
    }
}

fn select(root: &Path, selection: &Selection) -> anyhow::Result<Selected> {
    let mut scenarios = scenario::load_dir(&root.join("scenarios"))?;
    let peers = Manifest::load_all(&root.join("peers"))?;
    let names: Vec<_> = peers.iter().map(|peer| peer.name.as_str()).collect();
    let known = root.join("scenarios").join(KNOWN_DEVIATIONS);
    let known = Known::load(&known, &scenarios, &names)?;
    scenarios.retain(|scenario| scenario.is_of(selection.revision));
    let selectors: Vec<_> = selection
        .cases
        .iter()
        .map(|pattern| Selector::parse(pattern, &scenarios))
        .collect::<Result<_, _>>()?;
    let all = scenarios.iter().flat_map(|scenario| &scenario.cases);
    let chosen = |case: &&Case| {
        selectors.is_empty() || selectors.iter().any(|selector| selector.matches(&case.id))
    };
    let cases = all.filter(chosen).cloned().collect();
    Ok(Selected {
        known,
        clients: players(&names, &selection.client, "--client")?,
        servers: players(&names, &selection.server, "--server")?,
        whole: selection.cases.is_empty()
            && selection.client.is_empty()
            && selection.server.is_empty(),
        scenarios,
        cases,
        peers,
    })
}

fn players(names: &[&str], wanted: &[String], option: &str) -> anyhow::Result<Vec<String>> {
    if wanted.is_empty() {
        return Ok(names.iter().map(|name| (*name).to_owned()).collect());
    }
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        bail!(
            "got {option} {unknown}, expected one of {}",
            names.join(", ")
        );
    }
    Ok(wanted.to_vec())
}

fn obey_run(root: &Path, arguments: &RunArguments) -> anyhow::Result<u8> {
    let Selected {
        scenarios,
        known,
        cases,
        peers,
        clients,
        servers,
        whole,
    } = select(root, &arguments.selection)?;
    if cases.is_empty() {
        eprintln!("nothing was selected");
        return Ok(EXIT_NOTHING);
    }
    let revision = arguments.selection.revision;
    let published = run::results(root, revision);
    let results = arguments.results.clone().unwrap_or(published.clone());
    let plan = Plan {
        root: root.to_owned(),
        cases,
        peers,
        clients,
        servers,
        jobs: arguments.jobs.into(),
        mode: match arguments.mode {
            Mode::Auto => Where::Auto,
            Mode::Container => Where::Container,
            Mode::Process => Where::Process,
        },
        timeout: Duration::from_secs(arguments.timeout),
        known,
        snapshots: published.join("snapshots"),
        flag: arguments.flag,
        revision,
    };
    let mut terminal = report::Terminal::stderr();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let run = runtime.block_on(run::run(&plan, interrupted(), |event| {
        // A stderr that is closed must not end a run.
        drop(terminal.event(event));
    }));
    let run = run.map_err(PeerError)?;

    let reporting = Instant::now();
    let matrix = report::markdown(&run, &scenarios);
    let json = serde_json::to_vec(&report::json(&run, &scenarios)?)?;
    let write = |path: PathBuf, content: &[u8]| {
        report::write_whole(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))
    };
    write(results.join("latest").join("result.json"), &json)?;
    write(results.join("latest").join("matrix.md"), matrix.as_bytes())?;
    let requirements = report::requirements(&run);
    let latest = results.join("latest");
    write(latest.join("run.pcapng"), &report::capture(&run)?)?;
    write(latest.join("requirements.md"), requirements.as_bytes())?;
    // What is published shows everything or stays as it is.
    if whole && run.missing.is_empty() && !run.interrupted {
        write(results.join("matrix.md"), matrix.as_bytes())?;
        write(results.join("requirements.md"), requirements.as_bytes())?;
    }
    drop(terminal.end(&run, reporting.elapsed()));
    eprintln!("results: {}", results.join("latest").display());
    io::stdout().write_all(matrix.as_bytes())?;
    Ok(exit_code(&run))
}

fn exit_code(run: &Run) -> u8 {
    let broken = !run.missing.is_empty() || run.interrupted || run.count(Conformance::Failed) > 0;
    if broken {
        EXIT_PEER
    } else if run.cells.is_empty() {
        EXIT_NOTHING
    } else if run.count_unknown()
        + run.stale.len()
        + run.count_drift(Drift::Changed)
        + run.count_drift(Drift::New)
        > 0
    {
        EXIT_FINDINGS
    } else {
        0
    }
}

/// Ready at Ctrl-C or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        // Without handlers the signals end the process; peers then end by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn list(root: &Path, selection: &Selection) -> anyhow::Result<u8> {
    let selected = select(root, selection)?;
    let mut out = io::stdout().lock();
    for scenario in &selected.scenarios {
        let cases: Vec<_> = selected
            .cases
            .iter()
            .filter(|case| case.scenario == scenario.id)
            .collect();
        if cases.is_empty() {
            continue;
        }
        writeln!(
            out,
            "{}: {} ({} cases)",
            scenario.id,
            scenario.title,
            cases.len()
        )?;
        for case in cases {
            writeln!(out, "  {}", case.id)?;
        }
    }
    writeln!(out, "clients: {}", selected.clients.join(", "))?;
    writeln!(out, "servers: {}", selected.servers.join(", "))?;
    // An end that misbehaves is always the same one.
    let players = |case: &Case, end, names: &[String]| {
        if case.misbehaving.contains(&end) {
            usize::from(selected.can_misbehave(names))
        } else {
            names.len()
        }
    };
    let cells = selected.cases.iter().map(|case| {
        let clients = players(case, End::Client, &selected.clients);
        clients * players(case, End::Server, &selected.servers)
    });
    writeln!(
        out,
        "would run: {} cases, {} cells",
        selected.cases.len(),
        cells.sum::<usize>()
    )?;
    Ok(if selected.cases.is_empty() {
        EXIT_NOTHING
    } else {
        0
    })
}

fn peers(root: &Path) -> anyhow::Result<u8> {
    let manifests = Manifest::load_all(&root.join("peers"))?;
    let mut out = io::stdout().lock();
    let mut code = 0;
    for manifest in &manifests {
        let how = match (&manifest.package, &manifest.program) {
            _ if manifest.in_process => "compiled into the harness".to_owned(),
            (Some(package), _) => format!("cargo package {package}, static"),
            (_, program) => format!(
                "program {}",
                program.as_deref().unwrap_or(Path::new("")).display()
            ),
        };
        writeln!(out, "{}: {how}", manifest.name)?;
        for step in &manifest.prepare {
            writeln!(out, "  first: {}", step.command.join(" "))?;
        }
        for tool in &manifest.tools {
            let state = if tool.is_present() {
                "present"
            } else {
                "missing"
            };
            writeln!(
                out,
                "  needs {}: {state} (Debian package {})",
                tool.name(),
                tool.package
            )?;
            if state == "missing" {
                code = EXIT_PEER;
            }
        }
        let description = if manifest.in_process {
            use reqmtls_contract::Peer;
            Some(reqmtls_peer_rustls::Rustls::new().describe())
        } else {
            describe_built(root, manifest)
        };
        match description {
            Some(description) => {
                writeln!(out, "  library: {}", description.library)?;
                writeln!(
                    out,
                    "  capabilities: {}",
                    description.capabilities.join(" ")
                )?;
            }
            None => writeln!(out, "  not built yet: reqmtls run builds it")?,
        }
    }
    Ok(code)
}

/// Asks a peer that is already built; building one takes minutes and is for `run`.
fn describe_built(root: &Path, manifest: &Manifest) -> Option<reqmtls_contract::Description> {
    let program = build::built(root, manifest)?;
    let runtime = tokio::runtime::Runtime::new().ok()?;
    runtime.block_on(async {
        let peer = crate::peer::RunningPeer::process(&manifest.name, &program)
            .await
            .ok()?;
        let description = peer.description.clone();
        peer.stop().await;
        Some(description)
    })
}

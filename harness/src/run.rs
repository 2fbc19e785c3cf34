//! Which cells run, how many at once, and what becomes of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use futures_util::stream::{self, StreamExt};
use reqmtls_contract::{ConnectionReport, Report};
use reqmtls_peer_rustls::Rustls;
use std::sync::Arc;
use thiserror::Error;

use crate::cell::{Cell, CellError, Evidence};
use crate::certificates::Certificates;
use crate::conformance::{Conformance, Facts, Finding, judge, misreports};
use crate::event::{self, CellResult, Event, Run, Timings, pairing};
use crate::peer::manifest::Manifest;
use crate::peer::{Mode, RunningPeer, build, engine_answers};
use crate::scenario::Case;
use crate::setup;
use crate::snapshot::Accepted;
use crate::wire::{KeyLog, KeyLogDifference, Side, Transcript};

/// Where peers that are programs run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Where {
    /// In containers where an engine answers, else as processes.
    #[default]
    Auto,
    /// In containers.
    Container,
    /// As processes of this machine.
    Process,
}

/// What to run.
#[derive(Debug)]
pub struct Plan {
    /// The folder of the workspace.
    pub root: PathBuf,
    /// The cases.
    pub cases: Vec<Case>,
    /// The peers, in the order of columns.
    pub peers: Vec<Manifest>,
    /// The names of those that play clients.
    pub clients: Vec<String>,
    /// The names of those that play servers.
    pub servers: Vec<String>,
    /// How many cells run at once.
    pub jobs: usize,
    /// Where peers run.
    pub mode: Where,
    /// The most time that one cell's connection may take.
    pub timeout: Duration,
    /// The folder of accepted transcripts.
    pub snapshots: PathBuf,
    /// The number of the request mTLS flag.
    pub flag: u16,
}

/// Why a run could not take place at all.
#[derive(Debug, Error)]
pub enum RunError {
    /// Containers were asked for and no engine answers.
    #[error("no container engine answers: {0}; --mode process does without")]
    Engine(String),
    /// No certificates.
    #[error("cannot make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// A snapshot cannot be read.
    #[error("cannot read the snapshot of {pairing}: {source}")]
    Snapshot {
        /// The pairing.
        pairing: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs a plan. When `stop` is ready no further cell starts, peers are ended, and what there is by
/// then is returned.
pub async fn run(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    mut emit: impl FnMut(&Event),
) -> Result<Run, RunError> {
    let mut run = Run {
        started: SystemTime::now(),
        ended: SystemTime::now(),
        flag: plan.flag,
        peers: Vec::new(),
        missing: Vec::new(),
        cells: Vec::new(),
        interrupted: false,
        timings: Timings::default(),
    };
    let mut running = Vec::new();
    let work = async {
        start_peers(plan, &mut run, &mut running, &mut emit).await?;
        run_cells(plan, &mut run, &running, &mut emit).await
    };
    tokio::pin!(stop);
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = &mut stop => None,
    };
    if outcome.is_none() {
        run.interrupted = true;
        emit(&Event::Interrupted);
    }
    let stopping = Instant::now();
    futures_util::future::join_all(running.into_iter().map(RunningPeer::stop)).await;
    run.timings.stop = stopping.elapsed();
    run.ended = SystemTime::now();
    outcome.unwrap_or(Ok(()))?;
    run.cells.sort_by_key(|cell| {
        let place = |name: &str| plan.peers.iter().position(|peer| peer.name == name);
        let case = plan.cases.iter().position(|case| case.id == cell.case);
        (case, place(&cell.client), place(&cell.server))
    });
    Ok(run)
}

async fn start_peers(
    plan: &Plan,
    run: &mut Run,
    running: &mut Vec<RunningPeer>,
    emit: &mut impl FnMut(&Event),
) -> Result<(), RunError> {
    let wanted: Vec<_> = plan
        .peers
        .iter()
        .filter(|peer| plan.clients.contains(&peer.name) || plan.servers.contains(&peer.name))
        .collect();
    let programs = wanted.iter().any(|peer| !peer.in_process);
    let mode = if programs {
        choose_mode(plan.mode, emit).await?
    } else {
        Mode::Process
    };

    let building = Instant::now();
    let mut built = Vec::new();
    for manifest in wanted {
        if manifest.in_process {
            built.push((manifest, None));
            continue;
        }
        let progress = |line: &str| {
            emit(&Event::Building {
                peer: manifest.name.clone(),
                line: line.to_owned(),
            });
        };
        match build::build(&plan.root, manifest, progress).await {
            Ok(program) => built.push((manifest, Some(program))),
            Err(error) => miss(run, &manifest.name, format!("not built: {error}"), emit),
        }
    }
    run.timings.build = building.elapsed();

    let starting = Instant::now();
    let starts = built
        .iter()
        .map(|(manifest, program)| start(manifest, program.as_deref(), mode));
    let started = futures_util::future::join_all(starts).await;
    for ((manifest, _), outcome) in built.iter().zip(started) {
        match outcome {
            Ok(peer) => {
                let described = event::Peer {
                    name: peer.name.clone(),
                    mode: peer.mode,
                    description: peer.description.clone(),
                };
                emit(&Event::Up(described.clone()));
                run.peers.push(described);
                running.push(peer);
            }
            Err(error) => miss(run, &manifest.name, format!("not started: {error}"), emit),
        }
    }
    run.timings.start = starting.elapsed();
    Ok(())
}

fn miss(run: &mut Run, peer: &str, reason: String, emit: &mut impl FnMut(&Event)) {
    emit(&Event::Missing {
        peer: peer.to_owned(),
        reason: reason.clone(),
    });
    run.missing.push((peer.to_owned(), reason));
}

async fn choose_mode(wanted: Where, emit: &mut impl FnMut(&Event)) -> Result<Mode, RunError> {
    if wanted == Where::Process {
        return Ok(Mode::Process);
    }
    match engine_answers().await {
        Ok(()) => Ok(Mode::Container),
        Err(reason) if wanted == Where::Container => Err(RunError::Engine(reason)),
        Err(reason) => {
            let text =
                format!("no container engine answers ({reason}): peers run as local processes");
            emit(&Event::Notice(text));
            Ok(Mode::Process)
        }
    }
}

async fn start(
    manifest: &Manifest,
    program: Option<&Path>,
    mode: Mode,
) -> Result<RunningPeer, crate::peer::StartError> {
    match program {
        None => Ok(RunningPeer::in_process(
            &manifest.name,
            Arc::new(Rustls::new()),
        )),
        Some(program) if mode == Mode::Container => {
            RunningPeer::container(&manifest.name, program).await
        }
        Some(program) => RunningPeer::process(&manifest.name, program).await,
    }
}

async fn run_cells(
    plan: &Plan,
    run: &mut Run,
    running: &[RunningPeer],
    emit: &mut impl FnMut(&Event),
) -> Result<(), RunError> {
    let certificates = Certificates::generate()?;
    let players = |names: &[String]| -> Vec<&RunningPeer> {
        running
            .iter()
            .filter(|peer| names.contains(&peer.name))
            .collect()
    };
    let (clients, servers) = (players(&plan.clients), players(&plan.servers));
    let mut accepted = HashMap::new();
    let mut cells = Vec::new();
    for case in &plan.cases {
        for client in &clients {
            for server in &servers {
                let pairing = pairing(&client.name, &server.name);
                let key = (case.scenario.clone(), pairing.clone());
                if let Entry::Vacant(entry) = accepted.entry(key) {
                    let loaded = Accepted::load(&plan.snapshots, &case.scenario, &pairing)
                        .map_err(|source| RunError::Snapshot { pairing, source })?;
                    entry.insert(loaded);
                }
                cells.push((case, *client, *server));
            }
        }
    }
    emit(&Event::Cells { count: cells.len() });
    let start = Instant::now();
    let mut results = stream::iter(cells)
        .map(|(case, client, server)| {
            let accepted = &accepted[&(case.scenario.clone(), pairing(&client.name, &server.name))];
            run_cell(plan, case, client, server, &certificates, accepted)
        })
        .buffer_unordered(plan.jobs);
    while let Some(result) = results.next().await {
        let event = Event::Cell(Box::new(result));
        emit(&event);
        if let Event::Cell(result) = event {
            run.cells.push(*result);
        }
    }
    run.timings.cells = start.elapsed();
    Ok(())
}

async fn run_cell(
    plan: &Plan,
    case: &Case,
    client: &RunningPeer,
    server: &RunningPeer,
    certificates: &Certificates,
    accepted: &Accepted,
) -> CellResult {
    let start = Instant::now();
    let id = format!("{} {}", case.id, pairing(&client.name, &server.name));
    let cell = Cell {
        id: &id,
        client: (
            client,
            setup::client(&case.settings, certificates, plan.flag),
        ),
        server: (
            server,
            setup::server(&case.settings, certificates, plan.flag),
        ),
        deadline: plan.timeout,
    };
    let mut result = CellResult {
        scenario: case.scenario.clone(),
        case: case.id.clone(),
        client: client.name.clone(),
        server: server.name.clone(),
        conformance: Conformance::Failed,
        drift: None,
        findings: Vec::new(),
        reason: None,
        facts: None,
        text: String::new(),
        transcript: None,
        recording: crate::wire::Recording::default(),
        client_report: Report::default(),
        server_report: Report::default(),
        milliseconds: 0,
    };
    match cell.run().await {
        Ok(evidence) => conclude(&mut result, case, evidence, plan.flag, accepted),
        Err(CellError::Unsupported { side, capability }) => {
            result.conformance = Conformance::Unsupported;
            result.reason = Some(format!("the {} lacks {capability}", side.name()));
        }
        Err(CellError::Failed { reason, evidence }) => {
            let transcript = Transcript::observe(&evidence.recording, &KeyLog::default());
            result.text = transcript.text(plan.flag);
            result.transcript = Some(transcript);
            result.recording = evidence.recording;
            result.reason = Some(reason);
        }
    }
    result.milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    result
}

/// From evidence to transcript and verdict.
fn conclude(
    result: &mut CellResult,
    case: &Case,
    evidence: Evidence,
    flag: u16,
    accepted: &Accepted,
) {
    let Evidence {
        recording,
        client,
        server,
    } = evidence;
    let reports = [(Side::Client, only(&client)), (Side::Server, only(&server))];
    let (transcript, mut findings, mut broken) = observe(&recording, reports);
    let text = transcript.text(flag);
    let facts = Facts::of(&transcript);
    broken.extend(transcript.defects.iter().map(ToString::to_string));
    if facts.outcome == crate::conformance::Outcome::Broken {
        let said = reports.iter().filter_map(|(side, report)| {
            Some(format!("{}: {}", side.name(), report.error.as_deref()?))
        });
        let said: Vec<_> = said.collect();
        broken.push(format!(
            "the connection ended without alert or orderly close ({})",
            said.join("; ")
        ));
    }
    for (side, report) in reports {
        findings.extend(misreports(&facts, side, report));
    }
    if broken.is_empty() {
        let mut judged = judge(&case.expected, &transcript, flag);
        judged.append(&mut findings);
        findings = judged;
        result.conformance = if findings.is_empty() {
            Conformance::Conforms
        } else {
            Conformance::Deviates
        };
    } else {
        result.reason = Some(broken.join("; "));
    }
    // A case's id starts with its scenario's, which the snapshot's folder names.
    let short = case
        .id
        .strip_prefix(&format!("{}/", case.scenario))
        .unwrap_or(&case.id);
    result.drift = Some(accepted.drift(short, &text));
    result.findings = findings;
    result.facts = Some(facts);
    result.text = text;
    result.transcript = Some(transcript);
    result.recording = recording;
    result.client_report = client;
    result.server_report = server;
}

fn only(report: &Report) -> &ConnectionReport {
    // `Cell::run` has made sure that there is exactly one.
    &report.connections[0]
}

/// Decrypts with what both ends' key logs say together, and holds the two against each other.
fn observe(
    recording: &crate::wire::Recording,
    reports: [(Side, &ConnectionReport); 2],
) -> (Transcript, Vec<Finding>, Vec<String>) {
    let (mut findings, mut broken) = (Vec::new(), Vec::new());
    let mut logs = reports.map(|(side, report)| {
        KeyLog::parse(&report.key_log.join("\n")).unwrap_or_else(|error| {
            broken.push(format!("the {}'s key log: {error}", side.name()));
            KeyLog::default()
        })
    });
    for ((side, report), log) in reports.iter().zip(&logs) {
        if log.is_empty() && report.key_log.is_empty() {
            broken.push(format!("the {} handed over no key log lines", side.name()));
        }
    }
    let random = Transcript::observe(recording, &KeyLog::default()).client_random;
    let [client, server] = &mut logs;
    let differing = random.map_or_else(Vec::new, |random| KeyLog::compare(client, server, random));
    let differing = differing.iter().filter(|difference| {
        // An end that gave up earlier knows fewer secrets: no contradiction.
        matches!(difference, KeyLogDifference::Secret { .. })
    });
    for difference in differing {
        // The secret that decrypts the recording is the true one.
        let reads = |log: &KeyLog| Transcript::observe(recording, log).defects.is_empty();
        let liars = [(Side::Client, reads(client)), (Side::Server, reads(server))];
        for (side, _) in liars.into_iter().filter(|(_, reads)| !reads) {
            findings.push(Finding {
                requirements: Vec::new(),
                side,
                message: None,
                got: format!("a key log that does not decrypt the connection ({difference})"),
                expected: "the secrets of this connection".to_owned(),
            });
        }
    }
    if !findings.is_empty() && findings.iter().all(|finding| finding.side == Side::Client) {
        std::mem::swap(client, server);
    }
    let mut log = std::mem::take(client);
    log.merge(server);
    (Transcript::observe(recording, &log), findings, broken)
}

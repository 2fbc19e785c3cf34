//! Which cells run, how many at once, and what becomes of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use futures_util::stream::{self, StreamExt};
use reqmtls_contract::Revision;
use reqmtls_peer_rustls::Rustls;
use std::sync::Arc;
use thiserror::Error;

use crate::cell::{Cell, CellError, Evidence};
use crate::certificates::Certificates;
use crate::conformance::Conformance;
use crate::conformance::known::Known;
use crate::event::{self, CellResult, Connection, Event, Run, Timings, pairing};
use crate::peer::manifest::Manifest;
use crate::peer::{Mode, RunningPeer, build, engine_answers};
use crate::scenario::Case;
use crate::setup::{Common, Setups};
use crate::snapshot::Accepted;
use crate::verdict::{self, Found};
use reqmtls_observer::{KeyLog, Side, Transcript};

/// The name of an end that breaks rules.
pub const MISBEHAVING: &str = "misbehaving";

/// How many connections of one sweep run at once.
const SWEEP: usize = 4;

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
    /// The deviations that are known.
    pub known: Known,
    /// The folder of accepted transcripts.
    pub snapshots: PathBuf,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision of the request mTLS flag.
    pub revision: Revision,
}

/// Where a workspace keeps what it publishes of a revision.
#[must_use]
pub fn results(root: &Path, revision: Revision) -> PathBuf {
    let results = root.join("results");
    match revision {
        Revision::Draft02 => results,
        Revision::EditorsCopy => results.join(revision.as_str()),
    }
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
        revision: plan.revision,
        peers: Vec::new(),
        missing: Vec::new(),
        cells: Vec::new(),
        stale: Vec::new(),
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
        let place = |name: &str| {
            let mut peers = plan.peers.iter();
            peers.position(|peer| peer.name == name)
        };
        let case = plan.cases.iter().position(|case| case.id == cell.case);
        (case, place(&cell.client), place(&cell.server))
    });
    plan.known.apply(&mut run);
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

/// A cell that is to run.
struct Wanted<'a> {
    case: &'a Case,
    client: &'a RunningPeer,
    server: &'a RunningPeer,
}

impl Wanted<'_> {
    /// The name of an end; that of the one that breaks rules says so.
    fn name(&self, side: Side) -> &str {
        let peer = match side {
            Side::Client => self.client,
            Side::Server => self.server,
        };
        if verdict::misbehaves(self.case, side) {
            MISBEHAVING
        } else {
            &peer.name
        }
    }

    fn pairing(&self) -> String {
        pairing(self.name(Side::Client), self.name(Side::Server))
    }

    /// The cell's result as long as nothing better is proven.
    fn result(&self) -> CellResult {
        CellResult {
            scenario: self.case.scenario.clone(),
            case: self.case.id.clone(),
            misbehaving: Side::BOTH
                .into_iter()
                .filter(|side| verdict::misbehaves(self.case, *side))
                .collect(),
            client: self.name(Side::Client).to_owned(),
            server: self.name(Side::Server).to_owned(),
            conformance: Conformance::Failed,
            drift: None,
            findings: Vec::new(),
            caught: Vec::new(),
            reason: None,
            text: String::new(),
            connections: Vec::new(),
            milliseconds: 0,
        }
    }
}

/// Every case on every pairing that it is for.
fn wanted<'a>(plan: &'a Plan, running: &'a [RunningPeer]) -> Vec<Wanted<'a>> {
    let players = |names: &[String]| -> Vec<&RunningPeer> {
        let named = |peer: &&RunningPeer| names.contains(&peer.name);
        running.iter().filter(named).collect()
    };
    let (clients, servers) = (players(&plan.clients), players(&plan.servers));
    let mut cells = Vec::new();
    for case in &plan.cases {
        // Only the in-tree implementation breaks rules.
        let players = |all: &Vec<&'a RunningPeer>, side| -> Vec<&'a RunningPeer> {
            let able = |peer: &&&RunningPeer| {
                !verdict::misbehaves(case, side) || peer.mode == Mode::InProcess
            };
            all.iter().filter(able).copied().collect()
        };
        for client in players(&clients, Side::Client) {
            for server in players(&servers, Side::Server) {
                cells.push(Wanted {
                    case,
                    client,
                    server,
                });
            }
        }
    }
    cells
}

async fn run_cells(
    plan: &Plan,
    run: &mut Run,
    running: &[RunningPeer],
    emit: &mut impl FnMut(&Event),
) -> Result<(), RunError> {
    let common = Common {
        certificates: Certificates::generate()?,
        flag: plan.flag,
        revision: plan.revision,
    };
    let cells = wanted(plan, running);
    let mut accepted = HashMap::new();
    for wanted in &cells {
        let (scenario, pairing) = (&wanted.case.scenario, wanted.pairing());
        if let Entry::Vacant(entry) = accepted.entry((scenario.clone(), pairing.clone())) {
            let loaded = Accepted::load(&plan.snapshots, scenario, &pairing)
                .map_err(|source| RunError::Snapshot { pairing, source })?;
            entry.insert(loaded);
        }
    }
    emit(&Event::Cells { count: cells.len() });
    let start = Instant::now();
    let mut results = stream::iter(cells)
        .map(|wanted| {
            let accepted = &accepted[&(wanted.case.scenario.clone(), wanted.pairing())];
            let common = &common;
            async move { run_cell(plan, common, &wanted, accepted).await }
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
    common: &Common,
    wanted: &Wanted<'_>,
    accepted: &Accepted,
) -> CellResult {
    let start = Instant::now();
    let mut result = wanted.result();
    let jobs = common.setups(&wanted.case.settings);
    let mut outcomes = stream::iter(jobs)
        .map(|setups| run_job(plan, wanted, setups))
        .buffered(SWEEP);
    let mut found = Found::default();
    while let Some((setups, outcome)) = outcomes.next().await {
        match outcome {
            Ok(evidence) => {
                let job = verdict::conclude(wanted.case, common, &setups, evidence);
                collect(&mut found, job, setups.sweep.is_some());
            }
            Err(CellError::Unsupported { side, capability }) => {
                result.conformance = Conformance::Unsupported;
                result.reason = Some(format!("the {} lacks {capability}", side.name()));
                break;
            }
            Err(CellError::Failed { reason, recordings }) => {
                let texts = recordings.iter().map(|recording| {
                    Transcript::observe(recording, &KeyLog::default()).text(plan.flag)
                });
                result.text = texts.collect();
                result.reason = Some(reason);
                break;
            }
        }
    }
    if result.reason.is_none() {
        conclude(&mut result, wanted.case, found, accepted);
    }
    result.milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    result
}

async fn run_job(
    plan: &Plan,
    wanted: &Wanted<'_>,
    setups: Setups,
) -> (Setups, Result<Vec<Evidence>, CellError>) {
    let pairing = wanted.pairing();
    let id = match setups.sweep {
        Some(flag) => format!("{} {pairing} flag {flag}", wanted.case.id),
        None => format!("{} {pairing}", wanted.case.id),
    };
    let cell = Cell {
        id: &id,
        client: (wanted.client, setups.told.client.clone()),
        server: (wanted.server, setups.told.server.clone()),
        connections: if setups.told.client.resumption.is_some() {
            2
        } else {
            1
        },
        deadline: plan.timeout,
    };
    let outcome = cell.run().await;
    (setups, outcome)
}

/// Adds what was found in one job. Of a sweep only the first of connections that are alike stays.
fn collect(found: &mut Found, mut job: Found, sweep: bool) {
    found.broken.append(&mut job.broken);
    for finding in job.findings {
        if !found.findings.contains(&finding) {
            found.findings.push(finding);
        }
    }
    for id in job.caught {
        if !found.caught.contains(&id) {
            found.caught.push(id);
        }
    }
    for mut connection in job.connections {
        if sweep {
            connection.text = alike(&connection.text);
            let known = &mut found.connections;
            if let Some(first) = known.iter_mut().find(|it| it.text == connection.text) {
                let more = connection.label.trim_start_matches("flag ");
                first.label = sweep_label(&first.label, more);
                continue;
            }
        }
        found.connections.push(connection);
    }
}

/// A transcript's text without the number of the one flag that each ClientHello names.
fn alike(text: &str) -> String {
    let mut parts = text.split("tls_flags={");
    let mut alike = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        alike.push_str("tls_flags={…}");
        alike.push_str(part.split_once('}').map_or(part, |(_, after)| after));
    }
    alike
}

/// `flag 0-79` and `80` are `flag 0-80`.
fn sweep_label(label: &str, next: &str) -> String {
    let number = next.parse::<u32>().ok();
    let (head, last) = label
        .rsplit_once([' ', '-', ','])
        .unwrap_or(("flag", label));
    let follows = last.parse::<u32>().ok().map(|last| last + 1) == number;
    let in_range = label.as_bytes().get(head.len()) == Some(&b'-');
    match (follows, in_range) {
        (true, true) => format!("{head}-{next}"),
        (true, false) => format!("{label}-{next}"),
        (false, _) => format!("{label},{next}"),
    }
}

/// From what was found to the cell's verdict.
fn conclude(result: &mut CellResult, case: &Case, found: Found, accepted: &Accepted) {
    let Found {
        connections,
        findings,
        caught,
        mut broken,
    } = found;
    broken.extend(verdict::caught_otherwise(case, &caught));
    result.text = text(&connections);
    if broken.is_empty() {
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
    result.drift = Some(accepted.drift(short, &result.text));
    result.findings = findings;
    result.caught = caught;
    result.connections = connections;
}

/// The transcripts of a cell, under their labels where there are several.
fn text(connections: &[Connection]) -> String {
    let labelled = |connection: &Connection| match &*connection.label {
        "" => connection.text.clone(),
        label => format!("-- {label}\n{}", connection.text),
    };
    connections.iter().map(labelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_a_sweep_are_ranges() {
        let mut label = "flag 0".to_owned();
        for next in ["1", "2", "5", "6", "9", "80"] {
            label = sweep_label(&label, next);
        }
        assert_eq!(label, "flag 0-2,5-6,9,80");
    }

    #[test]
    fn texts_that_differ_in_the_flag_alone_are_alike() {
        let hello = |flags| format!("C  ClientHello           tls_flags={{{flags}}}\n");
        let text = |flags| format!("{}S  HelloRetryRequest\n{}", hello(flags), hello(flags));
        assert_eq!(alike(&text("7")), alike(&text("request_mtls")));
        assert_ne!(alike(&text("7")), alike("S  ServerHello\n"));
    }
}

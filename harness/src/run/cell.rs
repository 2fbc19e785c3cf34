//! One cell: its jobs run, judged, and put together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use indexmap::IndexSet;
use reqmtls_contract::{ConnectionReport, Message, Outcome};
use reqmtls_observer::{HandshakeMessage, KeyLog, Recording, TlsFlags, Transcript};
use reqmtls_vocabulary::{ProtocolVersion, Side};

use super::accepted::Accepted;
use super::event::{Cell, Connection, Drift, Label, Player, Reason, Repeats, Trace};
use super::job::{JobError, TwoEnds};
use crate::judge::{self, Conformance, Evidence, Finding, Judged, Knowledge};
use crate::peer::RunningPeer;
use crate::scenario::{Case, Material, Setups};

/// How many connections of one sweep run at once.
const SWEEP: usize = 4;

/// More octets than a handshake has: judging them has a thread of its own.
const LONG: usize = 64 << 10;

/// What is the same for every cell of a run.
pub(super) struct Common {
    /// Of what setups are made.
    pub(super) material: Material,
    /// The accepted transcripts, if there are any to hold against.
    pub(super) accepted: Option<Accepted>,
    /// The most time that one connection may take.
    pub(super) timeout: Duration,
    /// How often each cell runs.
    pub(super) repeat: u32,
}

/// A cell that is to run.
pub(super) struct Planned {
    /// The case.
    pub(super) case: Arc<Case>,
    /// The peer that is client.
    pub(super) client: Arc<RunningPeer>,
    /// The peer that is server.
    pub(super) server: Arc<RunningPeer>,
}

impl Planned {
    fn peer(&self, side: Side) -> &RunningPeer {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// An end, and whose behaviour it shows with that setup.
    fn player(&self, side: Side, setups: &Setups) -> Player {
        let peer = self.peer(side);
        let setup = match side {
            Side::Client => &setups.actual.client,
            Side::Server => &setups.actual.server,
        };
        Player {
            peer: peer.name.clone(),
            provenance: peer.description.capabilities.provenance(side, setup),
            misbehaves: self.case.misbehaves(side),
        }
    }

    /// Runs the cell as often as it is to run. Of what varies, the worst counts, with the findings of all.
    pub(super) async fn run(self, common: Arc<Common>) -> (Cell, Vec<Trace>) {
        let this = Arc::new(self);
        let mut repeats = Repeats::default();
        let (mut worst, mut traces) = this.run_once(&common, 0).await;
        repeats.add(&worst);
        let mut findings = worst.findings.clone();
        for number in 1..common.repeat {
            let (cell, its_traces) = this.run_once(&common, number).await;
            let is_worse = cell.conformance as usize > worst.conformance as usize;
            if repeats.add(&cell) || is_worse {
                add_new(&mut findings, &cell.findings);
            }
            if is_worse {
                (worst, traces) = (cell, its_traces);
            }
        }
        if worst.is_judged() {
            worst.findings = findings;
        }
        worst.repeats = (common.repeat > 1).then_some(repeats);
        (worst, traces)
    }

    /// Runs the cell to its end.
    async fn run_once(self: &Arc<Self>, common: &Arc<Common>, number: u32) -> (Cell, Vec<Trace>) {
        let start = Instant::now();
        let this = self;
        let mut jobs = this.case.jobs(&common.material).peekable();
        let players = Side::BOTH.map(|side| {
            let setups = jobs.peek();
            setups.map(|setups| this.player(side, setups))
        });
        let [Some(client), Some(server)] = players else {
            unreachable!("a case has at least one job");
        };
        let mut found = Found {
            reason: jobs.peek().and_then(|setups| this.lacks(setups)),
            ..Found::default()
        };
        let mut running = stream::iter(jobs)
            .map(|setups| run_job(this, common, setups, number))
            .buffered(SWEEP);
        while found.reason.is_none()
            && let Some((setups, outcome)) = running.next().await
        {
            match outcome {
                Ok(evidence) => {
                    let (this, common) = (Arc::clone(this), Arc::clone(common));
                    let players = [client.clone(), server.clone()];
                    let octets = evidence.iter().map(Evidence::octets);
                    let is_long = octets.sum::<usize>() > LONG;
                    let judge = move || this.judge(&common.material, setups, evidence, &players);
                    // What takes long delays nobody who relays; waking a thread takes longer than most judging.
                    let judged = if is_long {
                        tokio::task::spawn_blocking(judge).await
                    } else {
                        tokio::spawn(async { judge() }).await
                    };
                    match judged {
                        Ok(judged) => found.add(judged),
                        Err(panic) => found.fail(format!("the judge panicked: {panic}")),
                    }
                }
                Err(JobError::Unsupported { side, capability }) => {
                    found.reason = Some(Reason::Unsupported { side, capability });
                }
                Err(JobError::Gone(side)) => found.reason = Some(Reason::Gone(side)),
                Err(JobError::Failed { reason, recordings }) => {
                    let count = setups.connections();
                    let labelled = (0..).zip(recordings);
                    let labelled = labelled
                        .map(|(number, recording)| (label(&setups, number, count), recording));
                    found.undecided = labelled.collect();
                    found.fail(reason);
                }
            }
        }
        drop(running);
        let mut cell = Cell {
            case: this.case.id.clone(),
            client,
            server,
            conformance: Conformance::Failed,
            drift: None,
            accepted: None,
            findings: Vec::new(),
            caught: Vec::new(),
            reason: None,
            connections: Vec::new(),
            repeats: None,
            milliseconds: 0,
        };
        let traces = found.conclude(&mut cell, &this.case, common);
        cell.milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        (cell, traces)
    }

    /// What one end lacks for what the other one does to it: nobody can spoil what the two never come to.
    fn lacks(&self, setups: &Setups) -> Option<Reason> {
        let (client, server) = (&setups.actual.client, &setups.actual.server);
        let can = |peer: &RunningPeer, name: &str| {
            let mut names = peer.description.capabilities.iter();
            names.any(|(own, _)| own.starts_with(name))
        };
        let mut edits = server.edits.iter();
        if edits.any(|edit| edit.message == Message::NewSessionTicket)
            && !can(&self.client, "client.resumption")
        {
            return Some(Reason::Unsupported {
                side: Side::Client,
                capability: "client.resumption".to_owned(),
            });
        }
        if client.edits.iter().any(|edit| edit.last) && !can(&self.server, "server.sessions.") {
            return Some(Reason::Unsupported {
                side: Side::Server,
                capability: "server.sessions.shared".to_owned(),
            });
        }
        None
    }

    /// Judges one job.
    fn judge(
        &self,
        material: &Material,
        setups: Setups,
        evidence: Vec<Evidence>,
        players: &[Player; 2],
    ) -> JudgedJob {
        let knowledge = |number| {
            let ends = &setups.declared;
            let nothing = Knowledge {
                extension: material.extension,
                ..Knowledge::none(material.flag, material.revision)
            };
            let mut knowledge = nothing.of_setups(&ends.client, &ends.server, number);
            for (side, player) in Side::BOTH.into_iter().zip(players) {
                knowledge.end_mut(side).misbehaves = player.misbehaves;
                knowledge.end_mut(side).provenance = Some(player.provenance);
            }
            knowledge
        };
        let job = (0..)
            .zip(&evidence)
            .map(|(number, evidence)| (knowledge(number), evidence));
        let judged = judge::judge(&self.case.expected, job.collect());
        JudgedJob {
            setups,
            evidence,
            judged,
        }
    }
}

struct JudgedJob {
    setups: Setups,
    evidence: Vec<Evidence>,
    judged: Judged,
}

async fn run_job(
    planned: &Planned,
    common: &Common,
    setups: Setups,
    number: u32,
) -> (Setups, Result<Vec<Evidence>, JobError>) {
    let pairing = format!("{}--{}", planned.client.name, planned.server.name);
    let case = &planned.case.id;
    // Ids are unique in a run.
    let id = match setups.swept {
        Some(flag) => format!("{case} {pairing} run {number} flag {flag}"),
        None => format!("{case} {pairing} run {number}"),
    };
    let ends = TwoEnds {
        id: &id,
        client: (&planned.client, setups.actual.client.clone()),
        server: (&planned.server, setups.actual.server.clone()),
        connections: setups.connections(),
        deadline: common.timeout,
    };
    let outcome = ends.run().await;
    (setups, outcome)
}

/// Adds the findings that say something else than those that are there.
fn add_new(findings: &mut Vec<Finding>, others: &[Finding]) {
    for other in others {
        if findings.iter().all(|it| it.said() != other.said()) {
            findings.push(other.clone());
        }
    }
}

fn label(setups: &Setups, number: u32, connections: u32) -> Label {
    match setups.swept {
        Some(flag) => Label::Flags(vec![flag..=flag]),
        None if connections > 1 => Label::Number(number),
        None => Label::Only,
    }
}

/// Whether a connection completed without authentication although the server's policy requires a certificate of
/// this client. The flag means nothing in TLS 1.2.
fn bypassed(connection: &judge::Connection) -> bool {
    let (facts, knowledge) = (&connection.facts, &connection.knowledge);
    let Some(policy) = knowledge.policy else {
        return false;
    };
    let flags = facts
        .first_tls_flags()
        .and_then(|data| TlsFlags::decode(data).ok());
    let is_tls13 = connection.transcript.version == Some(ProtocolVersion::TLS13);
    let set = is_tls13 && flags.is_some_and(|flags| flags.contains(knowledge.flag));
    let requires = policy.requires() && policy.requests(set);
    requires && facts.outcome == Outcome::Completed && facts.authenticated.is_none()
}

/// How many flights of the handshake there are up to the one with the client's CertificateVerify. Tickets and
/// application data are left out: whether they cross the other side's messages is a matter of timing.
fn flights_to_proof(transcript: &Transcript) -> Option<usize> {
    let mut flights = 0;
    let mut last = None;
    for entry in transcript.by_arrival() {
        match entry.message() {
            None | Some(HandshakeMessage::NewSessionTicket { .. }) => {}
            Some(message) => {
                if last.replace(entry.from) != Some(entry.from) {
                    flights += 1;
                }
                let is_proof = matches!(message, HandshakeMessage::CertificateVerify(_));
                if is_proof && entry.from == Side::Client {
                    return Some(flights);
                }
            }
        }
    }
    None
}

/// What the jobs of a cell have shown so far.
#[derive(Default)]
struct Found {
    judged: Judged,
    connections: Vec<(Connection, Trace)>,
    reason: Option<Reason>,
    /// Recordings of a job that was not judged.
    undecided: Vec<(Label, Recording)>,
}

impl Found {
    fn fail(&mut self, failure: String) {
        self.reason = Some(Reason::Failed(vec![failure]));
    }

    /// Adds what was found in one job. Of a sweep only the first of connections that are alike stays.
    fn add(&mut self, job: JudgedJob) {
        let JudgedJob {
            setups,
            evidence,
            judged,
        } = job;
        self.judged.failures.extend(judged.failures);
        for finding in judged.findings {
            if !self.judged.findings.contains(&finding) {
                self.judged.findings.push(finding);
            }
        }
        for id in judged.caught {
            if !self.judged.caught.contains(&id) {
                self.judged.caught.push(id);
            }
        }
        let count = setups.connections();
        for (number, (connection, evidence)) in
            (0..).zip(judged.connections.into_iter().zip(evidence))
        {
            // The swept flag is printed as the one that it is about, so that connections which differ in nothing
            // else have one text.
            let flag = setups.swept.unwrap_or(connection.knowledge.flag);
            let text = connection.transcript.text(flag);
            let alike = self
                .connections
                .iter_mut()
                .find(|(known, _)| setups.swept.is_some() && known.text == text);
            if let (Some((first, _)), Some(flag)) = (alike, setups.swept) {
                first.label.add(flag);
                continue;
            }
            // Exporter secrets decrypt nothing, and there are libraries that derive another.
            let logs = [&evidence.client.key_log, &evidence.server.key_log];
            let lines = logs.into_iter().flatten();
            let lines = lines.filter(|line| !line.starts_with("EXPORTER_SECRET"));
            let key_log: IndexSet<_> = lines.cloned().collect();
            let public = |report: ConnectionReport| ConnectionReport {
                key_log: Vec::new(),
                ..report
            };
            let bypassed = bypassed(&connection);
            let trace = Trace {
                name: String::new(),
                recording: evidence.recording,
                key_log: key_log.into_iter().collect(),
                knowledge: Some(connection.knowledge),
            };
            let connection = Connection {
                label: label(&setups, number, count),
                bypassed,
                text,
                facts: Some(connection.facts),
                rulings: connection.rulings,
                flights_to_proof: flights_to_proof(&connection.transcript),
                flights: connection.transcript.flights,
                client_report: Some(public(evidence.client)),
                server_report: Some(public(evidence.server)),
            };
            self.connections.push((connection, trace));
        }
    }

    /// From what was found to the cell's verdict. A failed cell has neither findings nor drift: what it shows may
    /// be anybody's fault.
    fn conclude(mut self, cell: &mut Cell, case: &Case, common: &Common) -> Vec<Trace> {
        self.judged.caught.sort_unstable();
        let otherwise = judge::caught_otherwise(&case.expected, &self.judged.caught);
        self.judged.failures.extend(otherwise);
        if self.reason.is_none() && !self.judged.failures.is_empty() {
            self.reason = Some(Reason::Failed(std::mem::take(&mut self.judged.failures)));
        }
        for (label, recording) in self.undecided {
            let transcript = Transcript::observe(&recording, &KeyLog::default());
            let connection = Connection {
                label,
                text: transcript.text(common.material.flag),
                bypassed: false,
                facts: None,
                rulings: Vec::new(),
                flights_to_proof: None,
                flights: transcript.flights,
                client_report: None,
                server_report: None,
            };
            let trace = Trace {
                name: String::new(),
                recording,
                key_log: Vec::new(),
                knowledge: None,
            };
            self.connections.push((connection, trace));
        }
        let (connections, mut traces): (Vec<_>, Vec<_>) = self.connections.into_iter().unzip();
        cell.connections = connections;
        for (trace, connection) in traces.iter_mut().zip(&cell.connections) {
            let name = format!("{} {} {}", cell.case, cell.pairing(), connection.label);
            name.trim_end().clone_into(&mut trace.name);
        }
        cell.reason = self.reason;
        match &cell.reason {
            Some(Reason::Unsupported { .. }) => {
                cell.conformance = Conformance::Unsupported;
                cell.connections.clear();
                traces.clear();
            }
            Some(Reason::Failed(_) | Reason::Gone(_)) => {
                for connection in &mut cell.connections {
                    (connection.facts, connection.rulings) = (None, Vec::new());
                }
            }
            None => {
                let deviates = self.judged.findings.iter().any(Finding::counts);
                cell.conformance = if deviates {
                    Conformance::Deviates
                } else {
                    Conformance::Conforms
                };
                if let Some(accepted) = &common.accepted {
                    let drift = accepted.drift(
                        &cell.case,
                        &cell.pairing(),
                        &cell.comparable(common.material.extension),
                    );
                    if drift == Drift::Changed {
                        let accepted = accepted.get(&cell.case, &cell.pairing());
                        cell.accepted = accepted.map(str::to_owned);
                    }
                    cell.drift = Some(drift);
                }
                cell.findings = self.judged.findings;
                cell.caught = self.judged.caught;
            }
        }
        traces
    }
}

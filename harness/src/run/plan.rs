//! Which cells run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqmtls_contract::{Job, Revision};
use reqmtls_vocabulary::Side;

use super::cell::Planned;
use super::shard::Shard;
use crate::peer::RunningPeer;
use crate::peer::manifest::Manifest;
use crate::scenario::{Case, Known, Material, Pairings};

/// What to run.
#[derive(Debug)]
pub struct Plan {
    /// The folder of the workspace.
    pub root: PathBuf,
    /// The cases.
    pub cases: Vec<Arc<Case>>,
    /// The peers, in the order of columns.
    pub peers: Vec<Manifest>,
    /// The names of those that play clients.
    pub clients: Vec<String>,
    /// The names of those that play servers.
    pub servers: Vec<String>,
    /// Whether there are peers that were not chosen to play.
    pub narrowed: bool,
    /// Whether what building them needs and this machine lacks is installed.
    pub install: bool,
    /// Who runs against whom, whatever the scenarios say.
    pub pairings: Option<Pairings>,
    /// Only the cells of this shard.
    pub shard: Option<Shard>,
    /// How many cells run at once.
    pub jobs: usize,
    /// Where peers that are programs run; absent: in containers where an engine answers, else as processes.
    pub place: Option<Place>,
    /// The most time that one cell's connection may take.
    pub timeout: Duration,
    /// How often each cell runs.
    pub repeat: u32,
    /// The deviations that are known.
    pub known: Known,
    /// The folder of accepted transcripts; none, if there is nothing to hold transcripts against.
    pub snapshots: Option<PathBuf>,
    /// The number of the extension `tls_flags`.
    pub extension: u16,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision of the request mTLS flag.
    pub revision: Revision,
}

reqmtls_vocabulary::words! {
    /// Where peers that are programs run.
    pub enum Place {
        /// As processes of this machine.
        Process = "process",
        /// In containers.
        Container = "container",
    }
}

/// A peer as far as planning needs to know it.
pub trait Candidate {
    /// Its name.
    fn name(&self) -> &str;
    /// Whether it is the other end where a scenario is about one end only.
    fn is_reference(&self) -> bool;
    /// Whether it meets the reference and itself alone, also where every peer meets every other.
    fn keeps_to_reference(&self) -> bool;
    /// Whether it can break rules as a case wants it to.
    fn can_misbehave(&self, case: &Case, side: Side) -> bool;
}

/// The pairs of a case among these peers: the places of client and server in the list.
///
/// Where an end breaks rules on purpose, one peer plays it: the first that can, the reference before others.
pub fn pairs<C: Candidate>(
    case: &Case,
    peers: &[C],
    clients: &[String],
    servers: &[String],
    pairings: Option<Pairings>,
) -> Vec<(usize, usize)> {
    let players = |side: Side, names: &[String]| -> Vec<usize> {
        let named: Vec<usize> = (0..peers.len())
            .filter(|place| names.iter().any(|name| name == peers[*place].name()))
            .collect();
        if !case.misbehaves(side) {
            return named;
        }
        let able = |place: &&usize| peers[**place].can_misbehave(case, side);
        let references = named.iter().filter(|place| peers[**place].is_reference());
        let first = references.chain(&named).find(able);
        // Where nobody can, the cell says what is lacking.
        first.or(named.first()).copied().into_iter().collect()
    };
    let (clients, servers) = (
        players(Side::Client, clients),
        players(Side::Server, servers),
    );
    let with_reference =
        pairings.unwrap_or(case.pairings) == Pairings::WithReference && case.misbehaving.is_empty();
    let mut pairs = Vec::new();
    for client in &clients {
        for server in &servers {
            let pair = [&peers[*client], &peers[*server]];
            let is_with_reference = pair.iter().any(|peer| peer.is_reference());
            let keeps = pairings.is_none() && pair.iter().any(|peer| peer.keeps_to_reference());
            let is_left_out = with_reference || (keeps && client != server);
            if is_with_reference || !case.misbehaving.is_empty() || !is_left_out {
                pairs.push((*client, *server));
            }
        }
    }
    pairs
}

/// A peer that runs, with what setups are made of.
struct Running<'a> {
    peer: &'a RunningPeer,
    manifest: &'a Manifest,
    material: &'a Material,
}

impl Candidate for Running<'_> {
    fn name(&self) -> &str {
        &self.peer.name
    }

    fn is_reference(&self) -> bool {
        self.manifest.reference
    }

    fn keeps_to_reference(&self) -> bool {
        self.manifest.pairings == Some(Pairings::WithReference)
    }

    fn can_misbehave(&self, case: &Case, side: Side) -> bool {
        let Some(setups) = case.jobs(self.material).next() else {
            return false;
        };
        let setup = match side {
            Side::Client => setups.actual.client,
            Side::Server => setups.actual.server,
        };
        let id = String::new();
        let job = Job { id, side, setup };
        self.peer.description.capabilities.missing(&job).is_none()
    }
}

/// Which cells can start by now.
#[derive(Clone, Copy)]
pub(super) enum Wave<'a> {
    /// Those of this peer with all that are up, once it is.
    Up(&'a str),
    /// The rest, once all are up that will come: those in which an end breaks rules on purpose whom the reference
    /// cannot play. Who does depends on who is there.
    Rest,
}

impl Wave<'_> {
    fn has(self, case: &Case, ends: [&Running<'_>; 2]) -> bool {
        let played_by_reference = |(side, end): (Side, &Running<'_>)| {
            !case.misbehaves(side) || (end.is_reference() && end.can_misbehave(case, side))
        };
        let is_settled = Side::BOTH.into_iter().zip(ends).all(played_by_reference);
        match self {
            Self::Up(name) => is_settled && ends.iter().any(|end| end.name() == name),
            Self::Rest => !is_settled,
        }
    }
}

/// The cells of a wave: every case on every pairing that it is for, as far as they are in the plan's shard.
pub(super) fn cells(
    plan: &Plan,
    wave: Wave<'_>,
    running: &[Arc<RunningPeer>],
    material: &Material,
) -> Vec<Planned> {
    let manifest = |name: &str| plan.peers.iter().find(|manifest| manifest.name == name);
    let candidates: Vec<_> = running
        .iter()
        .filter_map(|peer| {
            Some(Running {
                peer,
                manifest: manifest(&peer.name)?,
                material,
            })
        })
        .collect();
    let mut cells = Vec::new();
    for case in &plan.cases {
        for (client, server) in pairs(
            case,
            &candidates,
            &plan.clients,
            &plan.servers,
            plan.pairings,
        ) {
            let is_now = wave.has(case, [&candidates[client], &candidates[server]]);
            let (client, server) = (&running[client], &running[server]);
            let has = |shard: Shard| shard.has(&case.id, &client.name, &server.name);
            if is_now && plan.shard.is_none_or(has) {
                cells.push(Planned {
                    case: Arc::clone(case),
                    client: Arc::clone(client),
                    server: Arc::clone(server),
                });
            }
        }
    }
    cells
}

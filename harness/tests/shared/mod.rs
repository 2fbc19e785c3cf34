//! What tests share that run cells on the peers of the workspace.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqmtls::judge::Conformance;
use reqmtls::peer::manifest::Manifest;
use reqmtls::run::{Cell, Ended, Event, Peer, Place, Plan, Trace, results, run};
use reqmtls::scenario::{self, Known};
use reqmtls_contract::{Revision, TLS_FLAGS};
use tokio::sync::Mutex;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = harness
        .parent()
        .expect("the harness is a folder of the workspace");
    root.to_owned()
}

/// Every case of a revision, on every peer.
pub(crate) fn plan(revision: Revision) -> Plan {
    let root = root();
    let all =
        scenario::load_dir(&root.join("scenarios")).unwrap_or_else(|errors| panic!("{errors}"));
    let peers = Manifest::load_all(&root.join("peers")).expect("the peers are listed");
    // What only some machines can build is in no published result.
    let everywhere = peers.iter().filter(|peer| peer.unpackaged().is_none());
    let names: Vec<_> = everywhere.map(|peer| peer.name.clone()).collect();
    let known = Known::load(&Manifest::by_folder(&peers), &all);
    let of_revision = all.into_iter().filter(|scenario| scenario.is_of(revision));
    Plan {
        cases: of_revision
            .flat_map(|scenario| scenario.cases)
            .map(Arc::new)
            .collect(),
        peers,
        clients: names.clone(),
        servers: names,
        narrowed: false,
        install: false,
        pairings: None,
        shard: None,
        jobs: 8,
        place: None,
        timeout: Duration::from_secs(10),
        repeat: 1,
        known: known.unwrap_or_else(|error| panic!("{error}")),
        snapshots: Some(results(&root, revision).join("snapshots")),
        extension: TLS_FLAGS,
        flag: 80,
        revision,
        root,
    }
}

/// What a run left.
pub(crate) struct Ran {
    pub(crate) peers: Vec<Peer>,
    /// In the order of cases and pairings.
    pub(crate) cells: Vec<(Cell, Vec<Trace>)>,
    pub(crate) ended: Ended,
}

/// Tests take turns: the peers of several runs at once would keep each other from being ready in time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Runs a plan on peers that are all there.
pub(crate) async fn run_through(plan: &Plan) -> Ran {
    let _turn = TURN.lock().await;
    let (mut peers, mut cells, mut ended) = (Vec::new(), Vec::new(), None);
    let outcome = run(
        plan,
        std::future::pending(),
        async || (),
        |event| match event {
            Event::Notice(text) => eprintln!("{text}"),
            Event::Missing(missing) => panic!("{}: {}", missing.name, missing.reason),
            Event::Up(peer) => peers.push(peer),
            Event::Cell(cell, traces) => cells.push((*cell, traces)),
            Event::Ended(end) => ended = Some(end),
            _ => {}
        },
    );
    outcome.await.unwrap_or_else(|error| panic!("{error}"));
    let place = |cell: &Cell| {
        let case = plan.cases.iter().position(|case| case.id == cell.case);
        let peer = |name: &str| plan.peers.iter().position(|peer| peer.name == name);
        (case, peer(&cell.client.peer), peer(&cell.server.peer))
    };
    cells.sort_by_key(|(cell, _)| place(cell));
    Ran {
        peers,
        cells,
        ended: ended.expect("a run ends"),
    }
}

/// The cells that failed, with their reasons.
pub(crate) fn failed(ran: &Ran) -> Vec<String> {
    let cells = ran.cells.iter().map(|(cell, _)| cell);
    let failed = cells.filter(|cell| cell.conformance == Conformance::Failed);
    failed
        .map(|cell| format!("{} {}: {:?}", cell.case, cell.pairing(), cell.reason))
        .collect()
}

/// The same plan, with programs there.
pub(crate) fn at(place: Place, plan: Plan) -> Plan {
    Plan {
        place: Some(place),
        ..plan
    }
}

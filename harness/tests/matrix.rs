//! Every case of every scenario on every pairing of the machine, on real peers.
//!
//! Snapshots are in `results/snapshots/`; `cargo insta review`, or `INSTA_UPDATE=always cargo test`, accepts
//! changed ones. `reqmtls run` then writes `results/matrix.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqmtls::conformance::Conformance;
use reqmtls::conformance::known::Known;
use reqmtls::event::{Event, Run};
use reqmtls::peer::Mode;
use reqmtls::peer::manifest::Manifest;
use reqmtls::report;
use reqmtls::run::{Plan, Where, results, run};
use reqmtls::scenario::{self, Case, End, Scenario};
use reqmtls::snapshot;
use reqmtls_contract::Revision;

fn root() -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness
        .parent()
        .expect("the harness is a folder of the workspace")
        .to_owned()
}

fn scenarios(revision: Revision) -> Vec<Scenario> {
    let all = scenario::load_dir(&root().join("scenarios"));
    let mut scenarios = all.unwrap_or_else(|errors| panic!("{errors}"));
    scenarios.retain(|scenario| scenario.is_of(revision));
    scenarios
}

fn known(peers: &[String]) -> Known {
    let folder = root().join("scenarios");
    let all = scenario::load_dir(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    let path = folder.join(scenario::KNOWN_DEVIATIONS);
    Known::load(&path, &all, &peers).unwrap_or_else(|error| panic!("{error}"))
}

async fn run_all(mode: Where, revision: Revision) -> Run {
    let peers = Manifest::load_all(&root().join("peers")).expect("the peers are listed");
    let names: Vec<_> = peers.iter().map(|peer| peer.name.clone()).collect();
    let known = known(&names);
    let plan = Plan {
        root: root(),
        cases: scenarios(revision)
            .into_iter()
            .flat_map(|scenario| scenario.cases)
            .collect(),
        peers,
        clients: names.clone(),
        servers: names,
        jobs: 8,
        mode,
        timeout: Duration::from_secs(10),
        known,
        snapshots: results(&root(), revision).join("snapshots"),
        flag: 80,
        revision,
    };
    let outcome = run(&plan, std::future::pending(), |event| {
        if let Event::Notice(text) = event {
            eprintln!("{text}");
        }
    });
    let run = outcome.await.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        run.missing.is_empty(),
        "peers are missing: {:#?}",
        run.missing
    );
    // One end of the cells of a misbehaving end is always the same.
    let players = |case: &Case, end, names: &[String]| {
        if case.misbehaving.contains(&end) {
            1
        } else {
            names.len()
        }
    };
    let pairings = |case: &Case| {
        players(case, End::Client, &plan.clients) * players(case, End::Server, &plan.servers)
    };
    let count = plan.cases.iter().map(pairings).sum::<usize>();
    assert_eq!(run.cells.len(), count, "every case on every pairing");
    let failed = run
        .cells
        .iter()
        .filter(|cell| cell.conformance == Conformance::Failed);
    let failed: Vec<_> = failed
        .map(|cell| format!("{} {}: {:?}", cell.case, cell.pairing(), cell.reason))
        .collect();
    assert!(failed.is_empty(), "cells failed: {failed:#?}");
    run
}

/// The text of each scenario on each pairing, as its snapshot holds it.
fn texts(run: &Run) -> BTreeMap<(String, String), String> {
    let mut cells: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for cell in &run.cells {
        let short = cell
            .case
            .strip_prefix(&format!("{}/", cell.scenario))
            .expect("a case of its scenario");
        let key = (cell.scenario.clone(), cell.pairing());
        cells
            .entry(key)
            .or_default()
            .push((short, cell.text.as_str()));
    }
    cells
        .into_iter()
        .map(|(key, cells)| (key, snapshot::text(cells)))
        .collect()
}

async fn accepted_and_published(revision: Revision) {
    let run = run_all(Where::Auto, revision).await;
    let results = results(&root(), revision);
    for ((scenario, pairing), text) in texts(&run) {
        insta::with_settings!({
            snapshot_path => results.join("snapshots").join(scenario),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(pairing, text);
        });
    }
    for (name, current) in [
        ("matrix.md", report::markdown(&run, &scenarios(revision))),
        ("requirements.md", report::requirements(&run)),
    ] {
        let path = results.join(name);
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == current,
            "{} is not current; `cargo run --release -- run --revision {revision}` writes it:\n{current}",
            path.display()
        );
    }
    assert_eq!(report::unexercised(&run), [""; 0]);
    assert_eq!(run.stale, [""; 0]);
    assert_eq!(
        run.count_unknown(),
        0,
        "deviations that are not known: see the matrix"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_are_the_accepted_ones_and_the_matrix_is_current() {
    accepted_and_published(Revision::Draft02).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_of_the_editors_copy() {
    accepted_and_published(Revision::EditorsCopy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_and_processes_give_the_same_transcripts() {
    // Without an engine this fails and says so: equality that nobody looked at is not equality.
    let containers = run_all(Where::Container, Revision::Draft02).await;
    let processes = run_all(Where::Process, Revision::Draft02).await;
    let modes = |run: &Run| run.peers.iter().map(|peer| peer.mode).collect::<Vec<_>>();
    assert!(
        modes(&containers).contains(&Mode::Container)
            && !modes(&containers).contains(&Mode::Process)
    );
    assert!(
        modes(&processes).contains(&Mode::Process) && !modes(&processes).contains(&Mode::Container)
    );
    assert_eq!(texts(&containers), texts(&processes));
}

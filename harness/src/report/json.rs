//! `result.json`: everything that a run produced, keyed by names.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::conformance::Conformance;
use crate::event::{CellResult, Run};
use crate::scenario::Scenario;

/// The version of the file's shape; grows when a key changes its meaning or goes.
pub const SCHEMA: u32 = 2;

/// The whole run as JSON.
///
/// `start_time`, `end_time`, `clients`, `servers`, `tests`, `results` and `measurements` have the
/// names and shapes that readers of the QUIC interop runner's `result.json` know; the rest is keyed by
/// scenario, case and pairing.
///
/// # Errors
///
/// A value that JSON cannot hold.
pub fn json(run: &Run, scenarios: &[Scenario]) -> serde_json::Result<Value> {
    let names = |of: fn(&CellResult) -> &str| {
        let mut names: Vec<&str> = Vec::new();
        for cell in &run.cells {
            if !names.contains(&of(cell)) {
                names.push(of(cell));
            }
        }
        names
    };
    let clients = names(|cell| &cell.client);
    let servers = names(|cell| &cell.server);
    let mut peers = Map::new();
    for peer in &run.peers {
        peers.insert(peer.name.clone(), serde_json::to_value(peer)?);
    }
    let mut keyed = Map::new();
    for scenario in scenarios {
        let mut cases = Map::new();
        for case in &scenario.cases {
            let mut cells = Map::new();
            for cell in run.cells.iter().filter(|cell| cell.case == case.id) {
                cells.insert(cell.pairing(), without_raw(serde_json::to_value(cell)?));
            }
            if !cells.is_empty() {
                cases.insert(case.id.clone(), Value::Object(cells));
            }
        }
        if !cases.is_empty() {
            keyed.insert(
                scenario.id.clone(),
                json!({ "title": scenario.title, "cases": cases }),
            );
        }
    }
    let tests: Map<_, _> = scenarios
        .iter()
        .flat_map(|scenario| scenario.cases.iter().map(move |case| (scenario, case)))
        .map(|(scenario, case)| {
            (
                case.id.clone(),
                json!({ "name": case.id, "desc": scenario.title }),
            )
        })
        .collect();
    let results: Vec<Vec<Value>> = clients
        .iter()
        .flat_map(|client| servers.iter().map(move |server| (client, server)))
        .map(|(client, server)| {
            let of = run
                .cells
                .iter()
                .filter(|cell| cell.client == *client && cell.server == *server);
            of.map(|cell| json!({ "abbr": cell.case, "name": cell.case, "result": word(cell) }))
                .collect()
        })
        .collect();
    Ok(json!({
        "schema": SCHEMA,
        "start_time": seconds(run.started),
        "end_time": seconds(run.ended),
        "interrupted": run.interrupted,
        "flag": run.flag,
        "revision": run.revision,
        "peers": peers,
        "missing": run.missing.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "stale": run.stale,
        "timings": run.timings,
        "clients": clients,
        "servers": servers,
        "tests": tests,
        "results": results,
        "measurements": [],
        "scenarios": keyed,
    }))
}

/// A cell without the bytes of each message, which stand in the recording too.
fn without_raw(mut cell: Value) -> Value {
    let connections = cell["connections"].as_array_mut();
    for connection in connections.into_iter().flatten() {
        let entries = connection["transcript"]["entries"].as_array_mut();
        for entry in entries.into_iter().flatten() {
            entry.as_object_mut().map(|entry| entry.remove("raw"));
        }
    }
    cell
}

/// The word of the QUIC interop runner that comes nearest. What failed has not succeeded.
fn word(cell: &CellResult) -> &'static str {
    match cell.conformance {
        Conformance::Conforms => "succeeded",
        Conformance::Unsupported => "unsupported",
        Conformance::Deviates | Conformance::Failed => "failed",
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

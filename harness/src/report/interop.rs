//! `interop.json`: a run as the QUIC interop runner writes its result.json, so that its web page can show it. A
//! scenario is a test there: it succeeded on a pairing if no cell of it deviates or failed.

use std::io;
use std::path::{Path, PathBuf};

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::Reporter;
use super::file::write_whole;
use crate::judge::Conformance;
use crate::run::{Cell, Event};

/// Collects what each scenario came to on each pairing, and writes it at the end.
#[derive(Debug)]
pub struct Interop {
    path: PathBuf,
    start: f64,
    peers: Vec<String>,
    scenarios: IndexSet<String>,
    results: IndexMap<(String, String, String), Outcome>,
}

/// What a scenario came to on a pairing; the worse wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Unsupported,
    Succeeded,
    Failed,
}

#[derive(Serialize)]
struct File<'a> {
    start_time: f64,
    end_time: f64,
    log_dir: &'a str,
    servers: &'a [String],
    clients: &'a [String],
    urls: IndexMap<&'a str, &'a str>,
    tests: IndexMap<&'a str, Test<'a>>,
    quic_draft: u32,
    quic_version: &'a str,
    /// For each client and, within it, each server.
    results: Vec<Vec<Ran<'a>>>,
    measurements: Vec<Vec<()>>,
}

#[derive(Serialize)]
struct Test<'a> {
    name: &'a str,
    desc: String,
}

#[derive(Serialize)]
struct Ran<'a> {
    abbr: &'a str,
    name: &'a str,
    result: Option<Outcome>,
}

impl Interop {
    /// Writes to the file that will be at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            start: 0.0,
            peers: Vec::new(),
            scenarios: IndexSet::new(),
            results: IndexMap::new(),
        }
    }

    fn add(&mut self, cell: &Cell) {
        let scenario = cell.case.scenario().to_owned();
        let outcome = match cell.conformance {
            Conformance::Conforms => Outcome::Succeeded,
            Conformance::Deviates | Conformance::Failed => Outcome::Failed,
            Conformance::Unsupported => Outcome::Unsupported,
        };
        self.scenarios.insert(scenario.clone());
        let key = (cell.client.peer.clone(), cell.server.peer.clone(), scenario);
        let worst = self.results.entry(key).or_insert(outcome);
        *worst = outcome.max(*worst);
    }

    fn write(&mut self, end_time: f64) -> io::Result<()> {
        self.scenarios.sort_unstable();
        let of = |client: &String, server: &String| -> Vec<Ran<'_>> {
            let scenarios = self.scenarios.iter();
            let ran = scenarios.map(|scenario| {
                let key = (client.clone(), server.clone(), scenario.clone());
                Ran {
                    abbr: scenario,
                    name: scenario,
                    result: self.results.get(&key).copied(),
                }
            });
            ran.collect()
        };
        let clients = self.peers.iter();
        let results: Vec<_> = clients
            .flat_map(|client| self.peers.iter().map(move |server| of(client, server)))
            .collect();
        let test = |scenario| Test {
            name: scenario,
            desc: format!("reqmtls run {scenario}"),
        };
        let file = File {
            start_time: self.start,
            end_time,
            log_dir: "",
            servers: &self.peers,
            clients: &self.peers,
            urls: IndexMap::new(),
            tests: self.scenarios.iter().map(|it| (&**it, test(it))).collect(),
            // There is no QUIC here: the numbers that the page wants.
            quic_draft: 0,
            quic_version: "0x0",
            measurements: results.iter().map(|_| Vec::new()).collect(),
            results,
        };
        write_whole(&self.path, &serde_json::to_vec(&file)?)
    }
}

impl Reporter for Interop {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            // Whole seconds: fractions are not read back from text to the last bit.
            Event::Started(started) => self.start = started.time.floor(),
            Event::Up(peer) => self.peers.push(peer.name.clone()),
            Event::Cell(cell, _) => self.add(cell),
            Event::Ended(ended) => return self.write(ended.time.floor()),
            _ => {}
        }
        Ok(())
    }
}

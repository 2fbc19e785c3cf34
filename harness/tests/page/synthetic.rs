//! A run of ten thousand cells that never took place.

use std::path::Path;

use reqmtls::judge::requirement::Id;
use reqmtls::judge::{Conformance, Finding, Party, Ruling, Verdict};
use reqmtls::peer::Mode;
use reqmtls::report::{Notes, Published, Reporter, Subject};
use reqmtls::run::{Cell, Connection, Drift, Ended, Event, Label, Peer, Player, Timings};
use reqmtls::scenario;
use reqmtls_contract::{Capabilities, ConnectionReport, Description, Provenance, Revision};
use tempfile::TempDir;

/// How many cells it has.
pub(crate) const CELLS: usize = 10_000;
/// What a peer may write to get more than text out of the page.
pub(crate) const HOSTILE: &str =
    "</script><img src=x onerror=injected=1><script>window.injected=1</script>";

const PEERS: usize = 6;

/// The run, and the folder of its reports.
pub(crate) struct Synthetic {
    pub(crate) folder: TempDir,
    cells: Vec<Cell>,
}

impl Synthetic {
    pub(crate) fn make() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let mut all = scenario::load_dir(&root).unwrap_or_else(|errors| panic!("{errors}"));
        all.retain(|scenario| scenario.is_of(Revision::Draft02) && !scenario.self_test);
        let names: Vec<String> = (0..PEERS).map(|number| format!("p{number}")).collect();
        let cases: Vec<_> = all
            .iter()
            .flat_map(|it| it.cases.iter().map(|case| case.id.clone()))
            .collect();
        let pairs = names
            .iter()
            .flat_map(|client| names.iter().map(move |server| (client, server)));
        let pairs: Vec<_> = pairs.collect();
        // More pairings than peers give, where the cases are too few: then clients of further names.
        let mut cells = Vec::new();
        let mut round = 0;
        while cells.len() < CELLS {
            for case in &cases {
                for (client, server) in &pairs {
                    let client = match round {
                        0 => (*client).clone(),
                        _ => format!("{client}-{round}"),
                    };
                    if cells.len() < CELLS {
                        cells.push(cell(cells.len(), case, &client, server));
                    }
                }
            }
            round += 1;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let notes = Notes::default();
        let subject = Subject::new(Revision::Draft02, all, names.clone(), notes);
        let mut published = Published::new(subject, folder.path().to_owned(), None);
        let ups = names.iter().map(|name| Event::Up(peer(name)));
        let run = cells.iter().cloned();
        let run = run.map(|cell| Event::Cell(Box::new(cell), Vec::new()));
        let ended = Ended {
            time: 0.0,
            interrupted: false,
            stale: Vec::new(),
            timings: Timings::default(),
        };
        for event in ups.chain(run).chain([Event::Ended(ended)]) {
            published.event(&event).expect("the reports are written");
        }
        Self { folder, cells }
    }

    /// How many cells with this server deviate.
    pub(crate) fn deviating_of(&self, server: &str) -> usize {
        let of =
            |cell: &&Cell| cell.server.peer == server && cell.conformance == Conformance::Deviates;
        self.cells.iter().filter(of).count()
    }

    /// Where a deviating cell is in the page.
    pub(crate) fn a_deviating_cell(&self) -> String {
        let deviates = |cell: &&Cell| cell.conformance == Conformance::Deviates;
        let cell = self.cells.iter().find(deviates).expect("one deviates");
        format!("{}/{}", cell.case, cell.pairing())
    }
}

fn peer(name: &str) -> Peer {
    Peer {
        name: name.to_owned(),
        mode: Mode::Process,
        description: Description {
            reqmtls: 2,
            name: name.to_owned(),
            library: format!("library {name} {HOSTILE}"),
            capabilities: Capabilities::new(),
        },
        family: name.to_owned(),
        about: String::new(),
        glue: None,
        patch: None,
    }
}

fn cell(number: usize, case: &scenario::CaseId, client: &str, server: &str) -> Cell {
    let player = |peer: &str| Player {
        peer: peer.to_owned(),
        provenance: Provenance::Library,
        misbehaves: false,
    };
    let deviates = number % 97 == 5;
    let finding = Finding {
        requirements: vec![id("TLS-4")],
        party: Party::Server,
        provenance: Some(Provenance::Library),
        message: None,
        got: format!("server said {HOSTILE}"),
        expected: "something else".to_owned(),
        inferred: false,
        known: None,
    };
    let verdict = if deviates {
        Verdict::Violated {
            expected: "something else".to_owned(),
        }
    } else {
        Verdict::Satisfied
    };
    let report = ConnectionReport {
        error: Some(format!("error {HOSTILE} \u{1b}[31m")),
        ..ConnectionReport::default()
    };
    // Some hundred transcripts that differ, as in a run of many peers.
    let number_of_certificates = number % 311;
    let text = format!(
        "C  ClientHello           tls_flags={{request_mtls}}\nS  ServerHello\nS  {{CertificateRequest}}\n\
         S  {{Certificate}}         certificates={number_of_certificates}\nS  [Alert]               fatal \
         certificate_required(116)\n"
    );
    Cell {
        case: case.clone(),
        client: player(client),
        server: player(server),
        conformance: if deviates {
            Conformance::Deviates
        } else {
            Conformance::Conforms
        },
        drift: Some(Drift::Same),
        accepted: None,
        repeats: None,
        findings: Vec::from_iter(deviates.then_some(finding)),
        caught: Vec::new(),
        reason: None,
        connections: vec![Connection {
            label: Label::Only,
            text,
            bypassed: false,
            facts: None,
            rulings: vec![Ruling {
                requirement: id("TLS-4"),
                party: Party::Server,
                provenance: Some(Provenance::Library),
                verdict,
                message: None,
                got: format!("number {}", number % 13),
            }],
            flights_to_proof: None,
            flights: Vec::new(),
            client_report: Some(report.clone()),
            server_report: Some(report),
        }],
        milliseconds: 3,
    }
}

fn id(text: &str) -> Id {
    Id::find(text).expect(text)
}

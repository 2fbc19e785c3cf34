//! Whether cost is linear: many beside few, each by the piece.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::FutureExt;
use reqmtls::report::{self, Notes, Reporter, Stored, Subject, replay};
use reqmtls::run::{Cell, Ended, Event, Peer, Started, Timings, Trace};
use reqmtls::scenario::{PUBLISHED, load_dir, parse};
use reqmtls_contract::Revision;
use tempfile::TempDir;

use crate::measure::{Clock, Row, measure, measure_few, peak};
use crate::shared::root;

pub(crate) fn rows(ran: &[(Cell, Vec<Trace>)]) -> Vec<Row> {
    let mut rows = Vec::new();
    let certificates = [
        "absent",
        "present",
        "untrusted",
        "expired",
        "self-signed",
        "not-yet-valid",
        "long-chain",
    ];
    let policies = [
        "never",
        "request",
        "require",
        "request-on-flag",
        "require-on-flag",
    ];
    let groups = [
        "default",
        "x25519",
        "secp256r1",
        "secp384r1",
        "x25519mlkem768",
    ];
    let suites = [
        "default",
        "tls_aes_128_gcm_sha256",
        "tls_aes_256_gcm_sha384",
        "tls_chacha20_poly1305_sha256",
    ];
    let axes = [
        ("client.certificate", &certificates[..]),
        ("server.policy", &policies),
        ("client.groups", &groups),
        ("server.groups", &groups),
        ("cipher", &suites),
        ("client.flag", &["unset", "set"]),
    ];
    let expand = |count: usize| {
        let mut text =
            "title = \"many\"\ndocument = \"draft-jhoyla-req-mtls-flag-00\"\n[axes]\n".to_owned();
        for (name, values) in &axes[..count] {
            writeln!(text, "{name:?} = {values:?}").unwrap();
        }
        text += "[[expect]]\ncertificate_request = \"any\"\nauthenticated = \"any\"\noutcome = \"completed\"\nbecause = [\"TLS-1\"]\n";
        let size: usize = axes[..count]
            .iter()
            .map(|(_, values)| values.len())
            .product();
        (size, text)
    };
    let (few, few_text) = expand(3);
    let (many, many_text) = expand(6);
    let expanded = |text: &str, size: usize, times: usize| {
        let time = Clock::Wall.time(|| {
            for _ in 0..times {
                assert_eq!(
                    parse(Path::new("many.toml"), text).unwrap().cases.len(),
                    size
                );
            }
        });
        ((size * times) as u64, time)
    };
    rows.extend(
        measure(
            &format!("expansion of {many} cases beside {few}"),
            " cases/s",
            async || expanded(&few_text, few, 20),
            async || expanded(&many_text, many, 1),
        )
        .now_or_never(),
    );
    let few = Reports::of(ran, 10, PEERS);
    for cases in [1, 10, 100] {
        rows.extend(Reports::of(ran, cases, PEERS).beside_reading());
    }
    let (many, most) = (
        Reports::of(ran, 100, PEERS),
        Reports::of(ran, 100, MANY_PEERS),
    );
    rows.extend(many.beside(&few));
    rows.extend(most.beside(&few));
    rows.extend([many.memory(), most.memory()]);
    rows
}

/// Ten peers, each with each.
const PEERS: usize = 10;

/// As many as a hundred thousand cells need.
const MANY_PEERS: usize = 32;

/// What makes this program say how much memory it needs, and for what.
const PEAK: &str = "peak";

/// The memory that the reports of a result need, or reading it, if the arguments ask for that: a process of its own tells
/// it, for the most that one has had never grows less.
pub(crate) fn peak_of_arguments() -> Option<f64> {
    let mut arguments = std::env::args().skip(1);
    arguments.next().filter(|it| it == PEAK)?;
    let (path, peers) = (arguments.next().unwrap(), arguments.next().unwrap());
    let peers: usize = peers.parse().unwrap();
    read(Path::new(&path), &mut reporters(peers, Path::new(&path)));
    Some(peak())
}

/// A stored result.
struct Reports {
    count: u64,
    peers: usize,
    folder: TempDir,
}

fn names(peers: usize) -> Vec<String> {
    (0..peers).map(|number| format!("peer-{number}")).collect()
}

/// The reporters of so many peers beside a result; none for none.
fn reporters(peers: usize, path: &Path) -> Vec<Box<dyn Reporter>> {
    if peers == 0 {
        return Vec::new();
    }
    let all = load_dir(&root().join("scenarios")).unwrap();
    let published = root().join("scenarios").join(PUBLISHED);
    let notes = Notes::load(&published, &all).unwrap();
    let of_revision = all.into_iter().filter(|it| it.is_of(Revision::Draft02));
    let subject = Subject::new(
        Revision::Draft02,
        of_revision.collect(),
        names(peers),
        notes,
    );
    report::files(subject, path.parent().unwrap(), None)
}

fn read(path: &Path, reporters: &mut [Box<dyn Reporter>]) {
    replay(path, |event| {
        for reporter in &mut *reporters {
            reporter.event(&event).unwrap();
        }
    })
    .unwrap();
}

impl Reports {
    fn of(ran: &[(Cell, Vec<Trace>)], cases: usize, peers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.jsonl");
        Self {
            count: store(&ran[..cases], &names(peers), &path),
            peers,
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("result.jsonl")
    }

    /// How long they take, or reading alone, as often as the cells are so many.
    fn time(&self, with_reports: bool, cells: u64) -> (u64, Duration) {
        let times = (cells / self.count).max(1);
        let peers = if with_reports { self.peers } else { 0 };
        let time = (0..times).map(|_| {
            let mut reporters = reporters(peers, &self.path());
            Clock::Wall.time(|| read(&self.path(), &mut reporters))
        });
        (times * self.count, time.sum())
    }

    fn beside_reading(&self) -> Option<Row> {
        let what = format!("the reports of {} cells beside reading them", self.count);
        let row = measure(
            &what,
            " cells/s",
            async || self.time(false, self.count),
            async || self.time(true, self.count),
        );
        row.now_or_never()
    }

    fn beside(&self, few: &Self) -> Option<Row> {
        let what = format!(
            "the reports of {} cells beside those of {}, by the cell",
            self.count, few.count
        );
        let row = measure_few(
            &what,
            " cells/s",
            async || few.time(true, 10_000),
            async || self.time(true, self.count),
        );
        row.now_or_never()
    }

    fn memory(&self) -> Row {
        let what = format!(
            "peak memory of the reports of {} cells beside that of reading them",
            self.count
        );
        eprintln!("{what}");
        let peak = |peers: usize| {
            let mut this = Command::new(std::env::current_exe().unwrap());
            let this = this.arg(PEAK).arg(self.path()).arg(peers.to_string());
            let output = this.output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            text.trim().parse().unwrap()
        };
        Row::once(&what, " MB", peak(0), peak(self.peers))
    }
}

/// Writes a result in which all peers show what one did; how many cells it has.
fn store(ran: &[(Cell, Vec<Trace>)], names: &[String], path: &Path) -> u64 {
    let mut stored = Stored::create(path).unwrap();
    let mut write = |event: Event| stored.event(&event).unwrap();
    write(Event::Started(Started {
        time: 1.0,
        extension: reqmtls_contract::TLS_FLAGS,
        flag: 80,
        revision: Revision::Draft02,
        sharded: None,
    }));
    let description: reqmtls_contract::Description = serde_json::from_value(serde_json::json!({
        "reqmtls": reqmtls_contract::VERSION, "name": "some", "library": "some 1.0", "capabilities": {}
    }))
    .unwrap();
    for name in names {
        write(Event::Up(Peer {
            name: name.clone(),
            mode: reqmtls::peer::Mode::InProcess,
            description: description.clone(),
            family: name.clone(),
            about: String::new(),
            glue: None,
            patch: None,
        }));
    }
    let count = ran.len() * names.len() * names.len();
    write(Event::Cells { count });
    for (cell, _) in ran {
        for client in names {
            for server in names {
                let mut cell = cell.clone();
                cell.client.peer.clone_from(client);
                cell.server.peer.clone_from(server);
                write(Event::Cell(Box::new(cell), Vec::new()));
            }
        }
    }
    write(Event::Ended(Ended {
        time: 2.0,
        interrupted: false,
        stale: Vec::new(),
        timings: Timings::default(),
    }));
    count as u64
}

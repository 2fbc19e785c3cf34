//! Whether cost is linear: many beside few, each by the piece.

use std::fmt::Write;
use std::path::Path;

use futures_util::FutureExt;
use reqmtls::report::{self, Notes, Reporter, Stored, Subject, replay};
use reqmtls::run::{Cell, Ended, Event, Peer, Started, Timings, Trace};
use reqmtls::scenario::{PUBLISHED, load_dir, parse};
use reqmtls_contract::Revision;

use crate::measure::{Clock, Row, measure};
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
    for cases in [1, 10, 100] {
        rows.extend(reports(ran, cases));
    }
    rows
}

/// Ten peers, each with each.
const PEERS: usize = 10;

/// Reports of so many cases beside reading them.
fn reports(ran: &[(Cell, Vec<Trace>)], cases: usize) -> Option<Row> {
    let all = load_dir(&root().join("scenarios")).unwrap();
    let published = root().join("scenarios").join(PUBLISHED);
    let notes = || Notes::load(&published, &all).unwrap();
    let of_revision = all.iter().filter(|it| it.is_of(Revision::Draft02));
    let of_revision: Vec<_> = of_revision.cloned().collect();
    let names: Vec<_> = (0..PEERS).map(|number| format!("peer-{number}")).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.jsonl");
    let count = store(&ran[..cases], &names, &path);
    let read = |reporters: &mut Vec<Box<dyn Reporter>>| {
        replay(&path, |event| {
            for reporter in &mut *reporters {
                reporter.event(&event).unwrap();
            }
        })
        .unwrap();
    };
    let what = format!("the reports of {count} cells beside reading them");
    let row = measure(
        &what,
        " cells/s",
        async || (count, Clock::Wall.time(|| read(&mut Vec::new()))),
        async || {
            let subject = Subject::new(
                Revision::Draft02,
                of_revision.clone(),
                names.clone(),
                notes(),
            );
            let mut reporters = report::files(subject, folder.path(), None);
            (count, Clock::Wall.time(|| read(&mut reporters)))
        },
    );
    row.now_or_never()
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

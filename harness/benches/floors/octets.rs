//! The observer beside tshark, and judging beside observing.

use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::FutureExt;
use reqmtls::judge::{Connection, Knowledge};
use reqmtls::run::{Cell, Trace};
use reqmtls_contract::Revision;
use reqmtls_observer::testing::{Forge, message};
use reqmtls_observer::{
    CipherSuite, Epoch, HandshakeType, KeyLog, Recording, Side, Transcript, capture,
};

use crate::measure::{Clock, Row, measure};

/// How often each connection stands in the capture: starting tshark is to count little.
const TIMES: usize = 8;

/// How many messages a short connection has.
const SHORT: usize = 100;

pub(crate) fn rows(ran: &[(Cell, Vec<Trace>)]) -> Vec<Row> {
    let traces: Vec<_> = ran.iter().flat_map(|(_, traces)| traces).collect();
    let logs = traces
        .iter()
        .map(|it| KeyLog::parse(&it.key_log.join("\n")).unwrap());
    let logs: Vec<_> = logs.collect();
    let mut secrets = KeyLog::default();
    for log in &logs {
        secrets.merge(log.clone());
    }
    let all = (0..TIMES).flat_map(|_| &traces);
    let named = all.map(|trace| (trace.name.as_str(), &trace.recording));
    let file = capture::write(named, &secrets, Duration::from_secs(1)).unwrap();
    let observed = || -> Vec<_> {
        let pairs = traces.iter().zip(&logs);
        pairs
            .map(|(trace, log)| Transcript::observe(&trace.recording, log))
            .collect()
    };
    let messages: usize = observed().iter().map(|it| it.entries.len()).sum();
    let octets = |trace: &&Trace| Side::BOTH.map(|side| trace.recording.bytes(side).len());
    let octets: usize = traces.iter().flat_map(octets).sum();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.pcapng");
    std::fs::write(&path, &file).unwrap();
    let theirs = || {
        let mut command = Command::new("tshark");
        command.args([
            "-Y",
            "tls",
            "-T",
            "fields",
            "-e",
            "tls.handshake.type",
            "-r",
        ]);
        command
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    let ours = || {
        let capture = capture::read(&file).unwrap();
        let connections = capture.connections.iter();
        let observe = |it: &capture::Connection| {
            let transcript = Transcript::observe(&it.recording, &capture.secrets);
            transcript.text(80).len()
        };
        assert!(connections.map(observe).all(|length| length > 0));
    };
    let mut rows = Vec::new();
    if theirs().is_ok_and(|status| status.success()) {
        for (count, unit) in [
            (traces.len(), " connections/s"),
            (messages, " messages/s"),
            (octets >> 10, " KiB/s"),
        ] {
            let count = (count * TIMES) as u64;
            let what = "the observer beside tshark on one capture, secrets inside";
            let theirs = async || (count, Clock::Wall.time(|| drop(theirs())));
            let ours = async || (count, Clock::Wall.time(ours));
            let row = measure(what, unit, theirs, ours).now_or_never();
            rows.extend(row.map(|it| it.at_most(0.1)));
        }
    } else {
        eprintln!("skipped: no tshark");
    }

    let known = traces.iter().filter_map(|trace| trace.knowledge.clone());
    let known: Vec<_> = known.collect();
    assert_eq!(known.len(), traces.len());
    let count = traces.len() as u64;
    let judged = || {
        let pairs = observed().into_iter().zip(&known);
        let judged = pairs.map(|(it, knowledge)| Connection::judged(it, knowledge.clone(), None));
        assert!(judged.map(|it| it.rulings.len()).sum::<usize>() > known.len());
    };
    let what = "observing and judging a connection beside observing it";
    let floor = async || {
        (
            count,
            Clock::Wall.time(|| assert_eq!(observed().len(), traces.len())),
        )
    };
    let judged = async || (count, Clock::Wall.time(judged));
    rows.extend(measure(what, "/s", floor, judged).now_or_never());
    rows.extend(lengths());
    rows
}

/// The messages of a long connection beside those of short ones.
fn lengths() -> Vec<Row> {
    let (short, short_log) = of_tickets(SHORT);
    let mut rows = Vec::new();
    for length in [10 * SHORT, 100 * SHORT] {
        let (long, long_log) = of_tickets(length);
        let judged = |recording: &Recording, log: &KeyLog| {
            let transcript = Transcript::observe(recording, log);
            let knowledge = Knowledge::none(80, Revision::Draft02);
            let judged = Connection::judged(transcript, knowledge, None);
            judged.transcript.text(80).len()
        };
        let floor = async || {
            let times = length / SHORT;
            let time = Clock::Wall.time(|| {
                assert!((0..times).all(|_| judged(&short, &short_log) > SHORT));
            });
            (length as u64, time)
        };
        let measured = async || {
            let time = Clock::Wall.time(|| assert!(judged(&long, &long_log) > length));
            (length as u64, time)
        };
        let what = format!(
            "observing and judging a connection of {length} messages beside one of {SHORT}, by the message"
        );
        rows.extend(measure(&what, " messages/s", floor, measured).now_or_never());
    }
    rows
}

/// A connection of so many session tickets.
fn of_tickets(count: usize) -> (Recording, KeyLog) {
    let mut forge = Forge::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
    forge.client_hello(&[]).server_hello(&[]);
    let finished = message(HandshakeType::FINISHED, &[]);
    let extensions = message(HandshakeType::ENCRYPTED_EXTENSIONS, &[0, 0]);
    forge.messages(Side::Server, Epoch::Handshake, &extensions);
    for side in [Side::Server, Side::Client] {
        forge.messages(side, Epoch::Handshake, &finished);
    }
    // Lifetime, age, an empty nonce, an empty ticket, no extensions.
    let ticket = message(HandshakeType::NEW_SESSION_TICKET, &[0; 13]);
    for _ in 0..count {
        forge.messages(Side::Server, Epoch::Application, &ticket);
    }
    let log = forge.log();
    (forge.recording, log)
}

//! Every peer's own server, under each policy that the matrix has: a probe sees what the matrix accepted of it.

use std::fmt::Write;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use reqmtls::peer::{ControlError, RunningPeer};
use reqmtls::probe::{Asks, Judged, Malformed, Played, Probed, Verdict, scenarios};
use reqmtls::run::{Accepted, MISBEHAVING, results};
use reqmtls::scenario::{Case, Material};
use reqmtls_contract::{Job, Revision, Setup, Side};
use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::servers::{material, plan, probed};
use crate::shared::{peers, root};

/// The scenarios whose servers are probed: each policy, and a server that never asks and implements the extension.
const SERVERS: [&str; 2] = ["request-mtls", "encoding"];

/// The values of the scenario `encoding` that are malformed.
const MALFORMED: [&str; 6] = [
    "no-octets",
    "zero-length",
    "all-zero",
    "trailing-zero",
    "length-too-short",
    "length-too-long",
];

/// What the matrix has of servers that are set up in one way.
struct Column<'a> {
    server: Setup,
    /// The cases with such a server, by what their client is.
    cases: Vec<(&'a Case, Setup)>,
    accepted: &'a Accepted,
}

impl<'a> Column<'a> {
    /// The servers of the scenarios that are probed, each once.
    fn all(cases: &'a [Case], material: &Material, accepted: &'a Accepted) -> Vec<Self> {
        let mut columns: Vec<Self> = Vec::new();
        for case in cases.iter().filter(|case| !case.sweep) {
            let Some(setups) = case.jobs(material).next() else {
                continue;
            };
            let server = setups.declared.server;
            let place = columns.iter().position(|column| column.server == server);
            let place = match place {
                Some(place) => place,
                None if SERVERS.contains(&case.id.scenario()) => {
                    columns.push(Self {
                        server,
                        cases: Vec::new(),
                        accepted,
                    });
                    columns.len() - 1
                }
                None => continue,
            };
            columns[place].cases.push((case, setups.declared.client));
        }
        columns
    }

    /// The case that a client plays, and its accepted transcript.
    fn of(&self, played: &Played, peer: &str) -> Option<(&'a Case, &'a str)> {
        let mut cases = self.cases.iter();
        let (case, _) = cases.find(|(_, client)| *client == played.play.client)?;
        Some((case, self.text(case, peer)?))
    }

    fn text(&self, case: &Case, peer: &str) -> Option<&'a str> {
        let client = if case.misbehaves(Side::Client) {
            MISBEHAVING
        } else {
            "rustls"
        };
        self.accepted.get(&case.id, &format!("{client}--{peer}"))
    }

    /// What the accepted transcript shows of the case whose id begins so.
    fn shown(&self, start: &str, peer: &str) -> Option<Shown<'a>> {
        let mut cases = self.cases.iter();
        let (case, _) = cases.find(|(case, _)| case.id.as_str().starts_with(start))?;
        let text = self.text(case, peer)?;
        // One peer sends close_notify at level fatal, which is no error.
        let is_error = |line: &&str| line.starts_with("S ") && !line.ends_with("close_notify(0)");
        let mut errors = text.lines().filter(is_error);
        let alert = errors.find_map(|line| line.split_once(" fatal "));
        Some(Shown {
            asked: text.contains("{CertificateRequest}"),
            alert: alert.map(|(_, alert)| alert),
        })
    }

    /// Holds a probe against what the matrix has; with how many clients.
    async fn hold(&self, place: usize, peer: &RunningPeer, material: &Material) -> usize {
        let id = format!("probed {place}");
        let probe = probe(peer, id, &self.server, material);
        let Some((probed, judged)) = Box::pin(probe).await else {
            return 0;
        };
        let mut count = 0;
        for played in &probed.played {
            if let Some((case, accepted)) = self.of(played, &peer.name) {
                count += 1;
                let (name, id) = (&peer.name, case.id.as_str());
                assert_eq!(text(played).trim_end(), accepted, "{name}: {id}");
            }
        }
        self.hold_verdict(&judged.verdict, &peer.name);
        count
    }

    /// Holds a verdict against what the matrix has.
    fn hold_verdict(&self, verdict: &Verdict, peer: &str) {
        let policy = self.server.policy;
        let shown = |start: &str| self.shown(start, peer);
        let plain = shown("request-mtls/unmodified/absent/");
        let set = shown("request-mtls/set/absent/");
        if let (Some(plain), Some(set)) = (plain, set) {
            let asks = match (plain.asked, set.asked) {
                (false, false) => Asks::Nobody,
                (true, true) => Asks::Everyone,
                (false, true) => Asks::OnFlag,
                (true, false) => Asks::WithoutFlag,
            };
            assert_eq!(verdict.asks, Some(asks), "{peer} {policy:?}");
            for (shown, taken) in [
                (plain, verdict.no_certificate),
                (set, verdict.no_certificate_on_flag),
            ] {
                let alert = taken.map(|it| it.alert.map(|alert| alert.to_string()));
                let expected = shown.asked.then(|| shown.alert.map(str::to_owned));
                assert_eq!(alert, expected, "{peer} {policy:?}");
            }
        }
        let malformed = MALFORMED.map(|value| shown(&format!("encoding/{value}/")));
        // A value that is well formed, as what a malformed one is held against.
        if let Some(unknown) = shown("encoding/unknown/") {
            let refused = malformed.iter().filter(|shown| **shown != Some(unknown));
            let expected = match refused.count() {
                0 => Malformed::Ignored,
                count if count == MALFORMED.len() => Malformed::Refused,
                _ => Malformed::Mixed,
            };
            assert_eq!(verdict.malformed, Some(expected), "{peer} {policy:?}");
        }
    }
}

/// What an accepted transcript shows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shown<'a> {
    /// Whether the server asked.
    asked: bool,
    /// The server's error alert.
    alert: Option<&'a str>,
}

/// Probes a peer's server; none where it cannot be set up so.
async fn probe(
    peer: &RunningPeer,
    id: String,
    server: &Setup,
    material: &Material,
) -> Option<(Probed, Judged)> {
    let ready = peer.ready().await.unwrap();
    let job = Job {
        id,
        side: Side::Server,
        setup: Setup {
            deadline_ms: Some(5000),
            ..server.clone()
        },
    };
    let mut end = match ready.prepare(job).await {
        Ok(end) => end,
        Err(ControlError::Unsupported(_)) => return None,
        Err(error) => panic!("{}: {error}", peer.name),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plan = plan(listener.local_addr().unwrap(), material.clone(), true);
    let gate = async {
        let mut relays = JoinSet::new();
        for number in 0.. {
            let (mut outer, _) = listener.accept().await.unwrap();
            let (mut inner, end_plays) = end.open(number).await.unwrap();
            tokio::spawn(end_plays);
            relays.spawn(async move { copy_bidirectional(&mut outer, &mut inner).await });
        }
    };
    let probed = tokio::select! {
        probed = probed(&plan) => probed,
        () = gate => unreachable!("it takes connections for ever"),
    };
    end.report().await.unwrap();
    Some(probed.unwrap_or_else(|error| panic!("{}: {error}", peer.name)))
}

/// The transcripts of a client's connections, under labels where there are several, as the matrix has them.
fn text(played: &Played) -> String {
    let mut text = String::new();
    for connected in &played.connections {
        if played.connections.len() > 1 {
            // A String takes whatever is written to it.
            let _ = writeln!(text, "-- connection {}", connected.number);
        }
        text += &connected.transcript.text(80);
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_sees_what_the_matrix_has_of_each_peer() {
    let material = material(Revision::Draft02);
    let scenarios = scenarios(&material).unwrap();
    let folder = results(&root(), Revision::Draft02).join("snapshots");
    let ids = scenarios.iter().map(|it| &*it.id);
    let accepted = Accepted::load(&folder, ids).unwrap();
    let cases: Vec<_> = scenarios.into_iter().flat_map(|it| it.cases).collect();
    let columns = Column::all(&cases, &material, &accepted);
    let hold = async |peer: RunningPeer| {
        let columns = columns.iter().enumerate();
        let held = columns.map(|(place, column)| column.hold(place, &peer, &material));
        let played: usize = join_all(held).await.into_iter().sum();
        eprintln!("{}: {played} clients played", peer.name);
        assert!(played > 0, "{}", peer.name);
        peer.stop().await;
    };
    // A probe waits most of its time.
    let peers = stream::iter(peers().await);
    peers.for_each_concurrent(3, hold).await;
}

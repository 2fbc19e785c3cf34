//! A probe: the client's side of the cases that need no control over the server, against anybody's server.
//!
//! Every connection is recorded, decrypted and judged as one of a cell is; of the server nothing is known but what
//! it shows.

mod dial;
mod document;
mod exchange;
mod findings;
mod identity;
mod judged;
mod play;
mod seen;
mod starttls;
mod verdict;
mod words;

use std::net::SocketAddr;
use std::time::Duration;

use reqmtls_contract::Group;
use reqmtls_observer::{KeyLog, Recording, Transcript};
use reqmtls_vocabulary::Side;
use serde::Serialize;
use thiserror::Error;
use tokio::time::{Interval, MissedTickBehavior};

pub use self::document::{Document, SCHEMA};
pub use self::findings::{Grouped, grouped};
pub use self::identity::{Whose, rfc9500};
pub use self::judged::{Judged, judge};
pub use self::play::{Need, Play, Plays, is_baseline, plays, scenarios};
pub use self::seen::{AlertSeen, Outcome, Reaction, Seen};
pub use self::starttls::Starttls;
pub use self::verdict::{Asks, Malformed, Verdict};

use self::dial::Dialer;
use crate::scenario::Material;

/// The most octets that are recorded of one connection.
const MOST_OCTETS: usize = 256 << 10;
/// After so many connections in sequence to which the server sent nothing, the probe stops.
const MOST_UNANSWERED: usize = 3;
/// The groups for which a client sends its one key share, until the server asks for another one.
const RETRY_GROUPS: &[&[Group]] = &[
    &[Group::X25519Mlkem768, Group::Secp256r1, Group::Secp384r1],
    &[Group::Secp384r1, Group::Secp256r1, Group::X25519],
    &[Group::Secp256r1, Group::X25519, Group::Secp384r1],
    &[Group::X25519, Group::Secp256r1, Group::Secp384r1],
];

/// Whom to probe, and how.
#[derive(Debug)]
pub struct Plan {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The name sent in `server_name`, unless it is an address.
    pub server_name: String,
    /// The protocols of ALPN, preferred first.
    pub alpn: Vec<Vec<u8>>,
    /// What stands before TLS.
    pub starttls: Option<Starttls>,
    /// What the client sends once TLS stands.
    pub request: Vec<u8>,
    /// The clients to play.
    pub plays: Plays,
    /// The numbers and the revision.
    pub material: Material,
    /// Whether the server implements `tls_flags`, if the user knows.
    pub server_knows_flags: Option<bool>,
    /// The most time that one connection may take.
    pub timeout: Duration,
    /// How long an answer is awaited, and then the server's close.
    pub wait: Duration,
    /// The least time from the start of one connection to that of the next.
    pub pause: Duration,
    /// The most time that all of it may take.
    pub limit: Duration,
}

/// Why there is nothing to report.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// No connection.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// Where the server was expected.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// A connection, and no octet on it until the deadline.
    #[error(
        "{address} took the connection, got a ClientHello ({id}) and sent no octet for {} s, expected a ServerHello of TLS 1.3", limit.as_secs_f64()
    )]
    Silent {
        /// Where the server listens.
        address: SocketAddr,
        /// The case.
        id: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// A connection, and no handshake of TLS 1.3 with it.
    #[error("{address} does not do TLS 1.3: {id}: got {got}, expected {expected}")]
    NoTls13 {
        /// Where the server was expected.
        address: SocketAddr,
        /// The case.
        id: String,
        /// What came.
        got: String,
        /// What would be right.
        expected: &'static str,
    },
}

/// One connection of a probe.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Which connection of its client it is, the first being 0.
    pub number: u32,
    /// What passed.
    pub recording: Recording,
    /// Its secrets.
    pub key_log: KeyLog,
    /// What passed, decrypted.
    pub transcript: Transcript,
    /// What it shows, in short.
    pub seen: Seen,
    /// The first line that the server answered.
    pub answer: Option<String>,
    /// What the client reports to have ended it.
    pub error: Option<String>,
    /// Whether it was cut by this program: what the client left undone then was not its choice.
    pub is_cut: bool,
    /// How long it took.
    pub took: Duration,
}

/// One client, and its connections.
#[derive(Clone, Debug)]
pub struct Played {
    /// The client.
    pub play: Play,
    /// The connections, one after the other.
    pub connections: Vec<Connected>,
}

impl Played {
    /// The last connection: the one that the case is about.
    #[must_use]
    pub fn last(&self) -> Option<&Seen> {
        self.connections.last().map(|it| &it.seen)
    }
}

/// What a probe leaves behind.
#[derive(Debug, Default)]
pub struct Probed {
    /// The clients that were played.
    pub played: Vec<Played>,
    /// What was left out, and why.
    pub left_out: Vec<LeftOut>,
    /// Why it stopped before its end, if it did.
    pub stopped: Option<String>,
}

/// Cases that were left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// Which.
    pub cases: Vec<String>,
}

impl LeftOut {
    /// Adds a case to those that are left out for the same reason.
    fn add(all: &mut Vec<Self>, reason: &str, case: String) {
        match all.iter_mut().find(|it| it.reason == reason) {
            Some(same) if same.cases.contains(&case) => {}
            Some(same) => same.cases.push(case),
            None => all.push(Self {
                reason: reason.to_owned(),
                cases: vec![case],
            }),
        }
    }
}

/// Probes a server. `progress` gets the id of each client before it is played.
///
/// # Errors
///
/// The server is not reached, or the first connection shows no TLS 1.3.
pub async fn probe(plan: &Plan, mut progress: impl FnMut(&str)) -> Result<Probed, ProbeError> {
    let mut running = Running::new(plan);
    let run = running.run(&mut progress);
    match tokio::time::timeout(plan.limit, run).await {
        Ok(Err(error)) => return Err(error),
        Ok(Ok(())) => {}
        Err(_) => {
            let limit = plan.limit.as_secs();
            running.probed.stopped = Some(format!("the limit of {limit} s for all of it passed"));
        }
    }
    Ok(running.probed)
}

/// With which groups of a client the server asks for another key share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retries {
    /// It is not tried yet.
    Untried,
    /// With none that was tried.
    Never,
    /// With these.
    With(&'static [Group]),
}

/// A probe on its way.
struct Running<'a> {
    plan: &'a Plan,
    dialer: Dialer<'a>,
    pace: Option<Interval>,
    probed: Probed,
    /// Connections in sequence to which the server sent nothing.
    unanswered: usize,
    /// What is known of HelloRetryRequest.
    retries: Retries,
}

impl<'a> Running<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut pace = (!plan.pause.is_zero()).then(|| tokio::time::interval(plan.pause));
        if let Some(pace) = &mut pace {
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        Self {
            plan,
            dialer: Dialer::new(plan),
            pace,
            probed: Probed {
                left_out: plan.plays.left_out.clone(),
                ..Probed::default()
            },
            unanswered: 0,
            retries: Retries::Untried,
        }
    }

    async fn run(&mut self, progress: &mut impl FnMut(&str)) -> Result<(), ProbeError> {
        for (number, play) in self.plan.plays.plays.iter().enumerate() {
            if let Some(reason) = self.lacks(play) {
                LeftOut::add(&mut self.probed.left_out, reason, play.id.clone());
                continue;
            }
            progress(&play.id);
            if play.needs == Need::Retry {
                self.play_retry(play).await;
            } else {
                self.play(play.clone()).await;
            }
            if number == 0 {
                self.gate(play)?;
            }
            if self.unanswered >= MOST_UNANSWERED {
                let after = &play.id;
                self.probed.stopped = Some(format!(
                    "to {MOST_UNANSWERED} connections in sequence the server sent nothing, the last one of {after}"
                ));
                break;
            }
        }
        Ok(())
    }

    /// Why a client would show nothing.
    fn lacks(&self, play: &Play) -> Option<&'static str> {
        let before = || {
            self.probed
                .played
                .iter()
                .filter(|it| it.play.sets_flag() == play.sets_flag())
        };
        let was_asked = |it: &Played| it.last().is_some_and(|seen| seen.asked);
        match play.needs {
            Need::Retry => (self.retries == Retries::Never)
                .then_some("the server took the key share of every group that it was sent"),
            Need::Request | Need::Acceptance if !before().any(was_asked) => {
                Some("the server does not ask such a client")
            }
            Need::Nothing | Need::Request => None,
            Need::Acceptance => {
                let accepted = before().any(|it| {
                    it.play.client.identity == play.client.identity
                        && !it.play.misbehaves
                        && it
                            .last()
                            .is_some_and(|seen| seen.asked && seen.outcome.stands())
                });
                (!accepted)
                    .then_some("the server does not accept the certificate without the defect")
            }
        }
    }

    /// Plays a client that is to get HelloRetryRequest: with each group in turn until it does.
    async fn play_retry(&mut self, play: &Play) {
        let candidates: Vec<&'static [Group]> = match self.retries {
            Retries::With(groups) => vec![groups],
            Retries::Untried => RETRY_GROUPS.to_vec(),
            Retries::Never => Vec::new(),
        };
        for groups in candidates {
            let mut play = play.clone();
            play.client.groups = groups.to_vec();
            self.play(play).await;
            let last = self.probed.played.last();
            if last.and_then(Played::last).is_some_and(|seen| seen.retried) {
                self.retries = Retries::With(groups);
                return;
            }
            // What was not answered with HelloRetryRequest is no such case.
            self.probed.played.pop();
        }
        // A server that asked before was seen to: it is not forgotten for one connection that failed.
        if self.retries == Retries::Untried {
            self.retries = Retries::Never;
        }
    }

    async fn play(&mut self, play: Play) {
        let mut connections = Vec::new();
        let endpoint = self.dialer.prepare(&play);
        for number in 0..play.connections() {
            if let Some(pace) = &mut self.pace {
                pace.tick().await;
            }
            let connected = self.dialer.connect(&endpoint, number).await;
            let is_answered = connected.recording.bytes(Side::Server);
            self.unanswered = if is_answered.is_empty() {
                self.unanswered + 1
            } else {
                0
            };
            connections.push(connected);
        }
        self.probed.played.push(Played { play, connections });
    }

    /// Whether the first connection shows that there is a server of TLS 1.3 to go on with.
    fn gate(&self, play: &Play) -> Result<(), ProbeError> {
        let address = self.plan.address;
        let first = self.probed.played.first();
        let Some(first) = first.and_then(|it| it.connections.first()) else {
            return Ok(());
        };
        let seen = &first.seen;
        let reason = || first.error.clone().unwrap_or_default();
        if seen.outcome == Outcome::NotReached {
            return Err(ProbeError::Connect {
                address,
                reason: reason(),
            });
        }
        let is_refused_late = seen.outcome == Outcome::Refused && seen.tls13 == Some(true);
        if seen.tls13 == Some(true) && (seen.outcome.stands() || is_refused_late) {
            return Ok(());
        }
        let id = play.id.clone();
        let is_silent = first.recording.bytes(Side::Server).is_empty();
        if is_silent && first.took >= self.plan.timeout {
            return Err(ProbeError::Silent {
                address,
                id,
                limit: self.plan.timeout,
            });
        }
        let (got, expected) = dial::instead(first);
        Err(ProbeError::NoTls13 {
            address,
            id,
            got,
            expected,
        })
    }
}

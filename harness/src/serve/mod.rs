//! The reference as a server for anybody's client: each connection relayed, recorded, judged, and answered over HTTP.
//!
//! Whoever connects is untrusted: connections, octets and time are limited.

mod exchange;
mod host;
mod http;
mod seen;
mod website;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::select_all;
use reqmtls_contract::{ConnectionReport, PrepareError, Setup, Side};
use reqmtls_observer::{KeyLog, Recording, Transcript};
use reqmtls_peer_rustls::Trust;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) use self::exchange::Pages;
pub(crate) use self::http::{Page, Request};
pub(crate) use self::website::Website;

use self::host::{Choice, Host};
use crate::judge::{Connection, Knowledge, Numbering, Psk, Recorded};
use crate::run::{Meeting, Recorder};

/// The most octets of one connection, of both sides together: a ClientHello and a chain of certificates of the longest
/// that rustls reads, and what HTTP needs.
const MOST_OCTETS: usize = 512 << 10;

/// The names in a certificate that is made up for a server of this machine.
pub(crate) const NAMES: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// What a server takes from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most connections at once; others wait until one of these has ended.
    pub(crate) at_once: usize,
    /// The most connections in all.
    pub(crate) in_all: Option<u32>,
    /// The most time that one connection may take; a request must have come in half of it.
    pub(crate) deadline: Duration,
    /// What open connections get to end once no further one is taken.
    pub(crate) grace: Duration,
}

/// How a server is set up.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What it is called in output.
    pub(crate) name: String,
    /// What it is given.
    pub(crate) setup: Setup,
    /// What is known of it beforehand: its own setup.
    pub(crate) knowledge: Knowledge,
    /// The protocols of ALPN, preferred first.
    pub(crate) protocols: Vec<Vec<u8>>,
    /// Whose certificates it accepts.
    pub(crate) trust: Trust,
    /// What it answers.
    pub(crate) pages: Arc<dyn Pages>,
}

/// An address, and the servers behind it.
pub(crate) struct Door {
    listener: TcpListener,
    /// The one for clients that send none of the names of the others.
    first: Host,
    named: Vec<(String, Host)>,
    open: Arc<Open>,
}

/// One connection that has ended.
pub(crate) struct Served {
    /// Its number, the first being 1.
    pub(crate) number: u32,
    /// Whether it was still open when no further one was taken.
    pub(crate) after_stop: bool,
    /// What passed, and what is known of it.
    pub(crate) recorded: Recorded,
    /// The octets.
    pub(crate) recording: Recording,
    /// The secrets.
    pub(crate) key_log: KeyLog,
    /// What the server says of it.
    pub(crate) report: ConnectionReport,
}

/// The recorders of the connections that are open, by number.
#[derive(Default)]
struct Open(Mutex<HashMap<u32, Arc<Recorder>>>);

impl Plan {
    /// The server, at an address where it listens.
    ///
    /// # Errors
    ///
    /// A setup that the reference cannot have, or that makes no sense.
    pub(crate) fn at(self, listener: TcpListener, limits: &Limits) -> Result<Door, PrepareError> {
        let open = Arc::new(Open::default());
        Ok(Door {
            listener,
            first: Host::prepare(self, &open, limits)?,
            named: Vec::new(),
            open,
        })
    }
}

impl Door {
    /// Adds a server for the clients that send this name.
    ///
    /// # Errors
    ///
    /// A setup that the reference cannot have, or that makes no sense.
    pub(crate) fn add(
        &mut self,
        server_name: String,
        plan: Plan,
        limits: &Limits,
    ) -> Result<(), PrepareError> {
        let host = Host::prepare(plan, &self.open, limits)?;
        self.named.push((server_name, host));
        Ok(())
    }

    /// Runs one connection to its end.
    async fn serve(
        &self,
        number: u32,
        stream: TcpStream,
        client: SocketAddr,
        deadline: Duration,
    ) -> io::Result<Ended> {
        let server = stream.local_addr()?;
        let passing = Arc::new(Recorder::of_at_most(MOST_OCTETS));
        self.open.insert(number, &passing);
        let choice = Choice::of(&self.first, &self.named);
        let meeting = Meeting {
            end: &choice,
            side: Side::Server,
            connection: number,
            deadline,
        };
        let report = meeting.with(stream, &passing).await;
        self.open.remove(number);
        let host = choice.made();
        Ok(Ended {
            number,
            name: host.name.clone(),
            knowledge: host.knowledge.clone(),
            ends: (client, server),
            recording: passing.so_far(),
            report,
        })
    }
}

/// One connection that has ended, as octets.
struct Ended {
    number: u32,
    /// What the server is called.
    name: String,
    /// What is known of it beforehand.
    knowledge: Knowledge,
    /// The client's address and the server's.
    ends: (SocketAddr, SocketAddr),
    recording: Recording,
    report: ConnectionReport,
}

impl Ended {
    /// Reads it. One at a time, as a transcript can take far more memory than what it is made of.
    fn read(self, after_stop: bool) -> Served {
        let Self {
            number,
            name,
            knowledge,
            ends: (client, server),
            recording,
            report,
        } = self;
        // What the library hands over is key log lines.
        let key_log = KeyLog::parse(&report.key_log.join("\n")).unwrap_or_default();
        let recorded = Recorded {
            name: format!("connection {number}, {name}"),
            client,
            server,
            transcript: Transcript::observe(&recording, &key_log),
            gaps: Vec::new(),
            knowledge: known(&knowledge, &report),
            numbering: Numbering::Given,
            unused_note: None,
        };
        Served {
            number,
            after_stop,
            recorded,
            recording,
            key_log,
            report,
        }
    }
}

/// What is known of a connection, the server's own report included.
fn known(knowledge: &Knowledge, report: &ConnectionReport) -> Knowledge {
    let mut knowledge = knowledge.clone().with_server_report(report);
    if report.resumed == Some(true) {
        knowledge.psk = Some(Psk::Resumption);
    }
    knowledge
}

/// One connection so far, judged.
fn so_far(knowledge: &Knowledge, recording: &Recording, report: &ConnectionReport) -> Connection {
    let key_log = KeyLog::parse(&report.key_log.join("\n")).unwrap_or_default();
    let transcript = Transcript::observe(recording, &key_log);
    Connection::judged(transcript, known(knowledge, report), None)
}

impl Open {
    fn insert(&self, number: u32, recorder: &Arc<Recorder>) {
        self.lock().insert(number, Arc::clone(recorder));
    }

    fn remove(&self, number: u32) {
        self.lock().remove(&number);
    }

    /// What has been recorded of a connection that is open.
    fn so_far(&self, number: u32) -> Recording {
        let recorder = self.lock().get(&number).cloned();
        recorder.map_or_else(Recording::new, |recorder| recorder.so_far())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Arc<Recorder>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}

/// Serves until `stop` is ready or the most connections have been taken, and hands over each one as it ends. What is
/// still open then gets its grace, and is cut off.
///
/// # Errors
///
/// What listening fails with, and what `emit` does.
pub(crate) async fn serve(
    doors: &[Arc<Door>],
    limits: Limits,
    stop: impl Future<Output = ()>,
    mut emit: impl FnMut(Served) -> io::Result<()>,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    let mut taken = 0;
    tokio::pin!(stop);
    loop {
        let is_wanted = limits.in_all.is_none_or(|most| taken < most);
        if !is_wanted && tasks.is_empty() {
            return Ok(());
        }
        tokio::select! {
            () = &mut stop => break,
            Some(done) = tasks.join_next(), if !tasks.is_empty() => ended(done, false, &mut emit)?,
            next = accept(doors), if is_wanted && tasks.len() < limits.at_once => {
                let (door, stream, client) = next?;
                taken += 1;
                let number = taken;
                tasks.spawn(async move {
                    door.serve(number, stream, client, limits.deadline).await
                });
            }
        }
    }
    let rest = async {
        while let Some(done) = tasks.join_next().await {
            ended(done, true, &mut emit)?;
        }
        Ok(())
    };
    tokio::time::timeout(limits.grace, rest)
        .await
        .unwrap_or(Ok(()))
}

fn ended(
    done: Result<io::Result<Ended>, tokio::task::JoinError>,
    after_stop: bool,
    emit: &mut impl FnMut(Served) -> io::Result<()>,
) -> io::Result<()> {
    // A connection does not panic; if one does, the whole server should.
    match done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())) {
        Ok(ended) => emit(ended.read(after_stop)),
        // It was gone before it had an address: nothing passed.
        Err(_) => Ok(()),
    }
}

/// The next connection at any of the doors.
async fn accept(doors: &[Arc<Door>]) -> io::Result<(Arc<Door>, TcpStream, SocketAddr)> {
    loop {
        let listening = doors.iter().map(|door| Box::pin(door.listener.accept()));
        let (next, place, _) = select_all(listening).await;
        match next {
            Ok((stream, client)) => return Ok((Arc::clone(&doors[place]), stream, client)),
            // Gone before it was taken.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

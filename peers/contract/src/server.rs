use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{
    Ask, ConnectionReport, Description, Endpoint, Job, Open, Peer, PrepareError, Reply, Report,
    VERSION, drive, prepare, read_line, write_line,
};

/// How long a connection may take to say what it is, and a held peer waits to be held.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves the contract on a listening port; with `until_released`, until the connection that holds it ends.
///
/// # Errors
///
/// `TimedOut` where `until_released` and no connection asked to hold within 10 s; what `accept`
/// fails with.
pub async fn serve(
    peer: Arc<dyn Peer>,
    listener: TcpListener,
    until_released: bool,
) -> io::Result<()> {
    let (hold, mut news) = watch::channel(Hold::None);
    let server = Arc::new(Server {
        description: peer.describe(),
        peer,
        jobs: Mutex::default(),
        hold,
    });
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await?;
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                if let Err(error) = server.connection(stream).await {
                    eprintln!("connection: {error}");
                }
            });
        }
    };
    let released = async {
        if !until_released {
            return std::future::pending().await;
        }
        match timeout(PATIENCE, news.wait_for(|hold| *hold != Hold::None)).await {
            Ok(_) => {}
            Err(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "no connection asked to hold this peer",
                ));
            }
        }
        // The sender lives in `server`, which outlives this.
        drop(news.wait_for(|hold| *hold == Hold::Ended).await);
        Ok(())
    };
    tokio::select! {
        result = accept => result,
        result = released => result,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    None,
    Held,
    Ended,
}

struct Server {
    peer: Arc<dyn Peer>,
    description: Description,
    jobs: Mutex<HashMap<String, Arc<Running>>>,
    hold: watch::Sender<Hold>,
}

/// A prepared job and what became of its connections so far.
struct Running {
    endpoint: Arc<dyn Endpoint>,
    deadline: Duration,
    connections: watch::Sender<Vec<Connection>>,
}

#[derive(Clone)]
struct Connection {
    number: u32,
    /// `None` while it runs.
    report: Option<ConnectionReport>,
}

impl Server {
    async fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let open = match timeout(PATIENCE, read_line::<Open>(&mut stream)).await {
            Ok(Ok(Some(open))) => open,
            // Nothing was said: somebody looked whether the port is open.
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return write_line(&mut stream, &Reply::error(&error)).await,
            Err(_) => {
                return write_line(&mut stream, &Reply::error(&"no first line within 10 s")).await;
            }
        };
        let (Open::Control { reqmtls } | Open::Tls { reqmtls, .. }) = open;
        if reqmtls != VERSION {
            let message = format!("got version {reqmtls} of the contract, expected {VERSION}");
            return write_line(&mut stream, &Reply::error(&message)).await;
        }
        match open {
            Open::Control { .. } => self.control(stream).await,
            Open::Tls {
                job, connection, ..
            } => self.tls(stream, &job, connection).await,
        }
    }

    /// Asks and replies until the harness closes; then the jobs prepared here are forgotten.
    async fn control(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        // Dropped before the stream: the jobs are gone when the harness sees the end.
        let mut session = Session {
            server: self,
            jobs: Vec::new(),
            holds: false,
        };
        loop {
            let reply = match read_line::<Ask>(&mut stream).await {
                Ok(Some(ask)) => session.reply(ask).await,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Reply::error(&error),
                Err(error) => return Err(error),
            };
            write_line(&mut stream, &reply).await?;
        }
    }

    async fn tls(&self, mut stream: TcpStream, job: &str, number: u32) -> io::Result<()> {
        let running = self.jobs().get(job).cloned();
        let Some(running) = running else {
            return write_line(
                &mut stream,
                &Reply::error(&format!("got unknown job {job:?}")),
            )
            .await;
        };
        let fresh = running.connections.send_if_modified(|connections| {
            let fresh = connections
                .iter()
                .all(|connection| connection.number != number);
            if fresh {
                connections.push(Connection {
                    number,
                    report: None,
                });
            }
            fresh
        });
        if !fresh {
            let message = format!("got connection {number} of job {job:?} twice");
            return write_line(&mut stream, &Reply::error(&message)).await;
        }
        let opened = write_line(&mut stream, &Reply::Open {}).await;
        let report = match &opened {
            Ok(()) => drive(&*running.endpoint, number, &mut stream, running.deadline).await,
            Err(error) => {
                let mut report = ConnectionReport::default();
                report.break_off(&error);
                report
            }
        };
        running.connections.send_modify(|connections| {
            for connection in connections
                .iter_mut()
                .filter(|connection| connection.number == number)
            {
                connection.report = Some(report.clone());
            }
        });
        opened
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Arc<Running>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One control connection.
struct Session<'a> {
    server: &'a Server,
    jobs: Vec<String>,
    holds: bool,
}

impl Session<'_> {
    async fn reply(&mut self, ask: Ask) -> Reply {
        match ask {
            Ask::Describe {} => Reply::Description(self.server.description.clone()),
            Ask::Prepare { job } => self.prepare(&job),
            Ask::Report { job } => self.report(&job).await,
            Ask::Hold {} => self.hold(),
        }
    }

    /// The first connection that asks holds the peer, and no other: who could ask too could end it.
    fn hold(&mut self) -> Reply {
        let first = self.server.hold.send_if_modified(|hold| {
            let first = *hold == Hold::None;
            if first {
                *hold = Hold::Held;
            }
            first
        });
        self.holds |= first;
        if self.holds {
            Reply::Held {}
        } else {
            Reply::error(&"got hold, which another connection has asked before")
        }
    }

    fn prepare(&mut self, value: &serde_json::Value) -> Reply {
        let job = match Job::from_value(value) {
            Ok(job) => job,
            Err(error) => return refusal(error),
        };
        let id = job.id.clone();
        let deadline = job.deadline();
        let endpoint = match prepare(&*self.server.peer, &self.server.description, job) {
            Ok(endpoint) => endpoint,
            Err(error) => return refusal(error),
        };
        match self.server.jobs().entry(id.clone()) {
            Entry::Occupied(_) => return Reply::error(&format!("got job {id:?} twice")),
            Entry::Vacant(entry) => {
                let connections = watch::Sender::new(Vec::new());
                entry.insert(Arc::new(Running {
                    endpoint,
                    deadline,
                    connections,
                }));
            }
        }
        self.jobs.push(id);
        Reply::Prepared {}
    }

    /// Waits for the job's open connections, each of which has its deadline.
    async fn report(&self, id: &str) -> Reply {
        let running = self.server.jobs().remove(id);
        let Some(running) = running else {
            return Reply::error(&format!("got unknown job {id:?}"));
        };
        let mut connections = running.connections.subscribe();
        let done = connections
            .wait_for(|all| all.iter().all(|connection| connection.report.is_some()))
            .await;
        let mut all = match done {
            Ok(all) => all.clone(),
            Err(error) => return Reply::error(&error),
        };
        all.sort_by_key(|connection| connection.number);
        Reply::Report(Report {
            connections: all
                .into_iter()
                .filter_map(|connection| connection.report)
                .collect(),
        })
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let mut jobs = self.server.jobs();
        for id in &self.jobs {
            jobs.remove(id);
        }
        if self.holds {
            self.server.hold.send_replace(Hold::Ended);
        }
    }
}

fn refusal(error: PrepareError) -> Reply {
    match error {
        PrepareError::Unsupported(capability) => Reply::Unsupported { capability },
        PrepareError::Invalid(message) => Reply::Error { message },
    }
}

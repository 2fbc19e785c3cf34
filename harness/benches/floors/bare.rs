//! Two ends with nothing between them but their octets: prepared, connected, and asked for their reports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqmtls::peer::{Engine, Program, RunningPeer, build};
use reqmtls::run::{Place, Plan};
use reqmtls::scenario::Setups;
use reqmtls_contract::{
    Ask, ConnectionReport, Description, Job, Open, Peer, Reply, Setup, Side, VERSION, drive,
    prepare, read_line, write_line,
};
use reqmtls_peer_rustls::Rustls;
use tokio::io::{BufReader, DuplexStream, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

const DEADLINE: Duration = Duration::from_secs(10);

/// How the peer of a plan is reached.
pub(crate) enum Bare {
    InProcess(Arc<Rustls>, Box<Description>),
    Remote(Box<Remote>),
}

/// A program that runs, and a control connection for each side.
pub(crate) struct Remote {
    address: SocketAddr,
    controls: [Mutex<BufReader<TcpStream>>; 2],
    peer: RunningPeer,
}

/// A program, and where it runs.
pub(crate) struct Startable {
    name: String,
    program: Program,
    engine: Option<Arc<Engine>>,
}

impl Startable {
    /// The peer of a plan; none if it is not built, or no engine answers.
    pub(crate) async fn of(plan: &Plan) -> Option<Self> {
        let manifest = &plan.peers[0];
        let name = manifest.name.clone();
        let Some(program) = build::built(&plan.root, manifest) else {
            eprintln!("skipped: peer {name} is not built");
            return None;
        };
        let engine = match plan.place {
            Some(Place::Container) => match Engine::connect().await {
                Ok(engine) => Some(engine),
                Err(reason) => {
                    eprintln!("skipped: no container engine answers: {reason}");
                    return None;
                }
            },
            _ => None,
        };
        Some(Self {
            name,
            program,
            engine,
        })
    }

    /// Removes what its starts left in the engine.
    pub(crate) async fn end(&self) {
        if let Some(engine) = &self.engine {
            engine.end().await;
        }
    }

    /// Starts it.
    pub(crate) async fn start(&self) -> Remote {
        let peer = match &self.engine {
            Some(engine) => RunningPeer::container(&self.name, &self.program, engine).await,
            None => RunningPeer::process(&self.name, &self.program).await,
        };
        let peer = peer.unwrap();
        let address = peer.address().await.unwrap();
        let control = async || {
            let open = Open::Control { reqmtls: VERSION };
            Mutex::new(BufReader::new(opened(address, &open).await))
        };
        Remote {
            address,
            controls: [control().await, control().await],
            peer,
        }
    }
}

impl Bare {
    /// The peer of a plan; none if it is not there.
    pub(crate) async fn start(plan: &Plan) -> Option<Self> {
        if plan.peers[0].in_process {
            let peer = Rustls::new();
            let description = Box::new(peer.describe());
            return Some(Self::InProcess(Arc::new(peer), description));
        }
        let startable = Startable::of(plan).await?;
        Some(Self::Remote(Box::new(startable.start().await)))
    }

    /// One connection of a job of its own.
    pub(crate) async fn handshake(&self, setups: &Setups) {
        match self {
            Self::InProcess(peer, description) => in_process(peer, description, setups).await,
            Self::Remote(peer) => peer.handshake_with(peer, setups).await,
        }
    }

    /// Ends the peer.
    pub(crate) async fn stop(self) {
        if let Self::Remote(peer) = self {
            peer.stop().await;
        }
    }
}

fn job(side: Side, setup: &Setup) -> Job {
    let mut setup = setup.clone();
    setup.deadline_ms = Some(10_000);
    Job {
        id: format!("bare as {side}"),
        side,
        setup,
    }
}

async fn in_process(peer: &Rustls, description: &Description, setups: &Setups) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let spawn =
        |side: Side, setup: &Setup, mut stream: DuplexStream| -> JoinHandle<ConnectionReport> {
            let endpoint = prepare(peer as &dyn Peer, description, job(side, setup)).unwrap();
            tokio::spawn(async move { drive(&*endpoint, 0, &mut stream, DEADLINE).await })
        };
    let server = spawn(Side::Server, &setups.actual.server, near);
    let client = spawn(Side::Client, &setups.actual.client, far);
    server.await.unwrap();
    client.await.unwrap();
}

impl Remote {
    /// One connection of a job of its own, with this one as client.
    pub(crate) async fn handshake_with(&self, server: &Self, setups: &Setups) {
        let to_client = job(Side::Client, &setups.actual.client);
        let to_server = job(Side::Server, &setups.actual.server);
        let ask = |job: &Job| Ask::Prepare {
            job: serde_json::to_value(job).unwrap(),
        };
        tokio::join!(server.ask(0, ask(&to_server)), self.ask(1, ask(&to_client)));
        let mut server_stream = server.open(&to_server.id).await;
        let mut client_stream = self.open(&to_client.id).await;
        // Which end closes how is for the transcript.
        drop(copy_bidirectional(&mut client_stream, &mut server_stream).await);
        drop((client_stream, server_stream));
        let report = |job: &Job| Ask::Report {
            job: job.id.clone(),
        };
        tokio::join!(
            server.ask(0, report(&to_server)),
            self.ask(1, report(&to_client))
        );
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        drop(self.controls);
        self.peer.stop().await;
    }

    async fn ask(&self, control: usize, ask: Ask) {
        let mut control = self.controls[control].lock().await;
        write_line(&mut *control, &ask).await.unwrap();
        let reply: Option<Reply> = read_line(&mut *control).await.unwrap();
        let done = matches!(reply, Some(Reply::Prepared {} | Reply::Report(_)));
        assert!(done, "{reply:?}");
    }

    async fn open(&self, job: &str) -> TcpStream {
        let open = Open::Tls {
            reqmtls: VERSION,
            job: job.to_owned(),
            connection: 0,
        };
        let mut stream = opened(self.address, &open).await;
        let reply: Option<Reply> = read_line(&mut stream).await.unwrap();
        assert_eq!(reply, Some(Reply::Open {}));
        stream
    }
}

async fn opened(address: SocketAddr, open: &Open) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    write_line(&mut stream, open).await.unwrap();
    stream
}

//! Two ends with nothing between them but their octets: prepared, connected, and asked for their reports.

use std::sync::Arc;
use std::time::Duration;

use reqmtls::peer::{Program, build};
use reqmtls::run::Plan;
use reqmtls::scenario::Setups;
use reqmtls_contract::{
    Ask, ConnectionReport, Job, Open, Peer, Reply, Setup, Side, VERSION, drive, prepare, read_line,
    write_line,
};
use reqmtls_peer_rustls::Rustls;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

const DEADLINE: Duration = Duration::from_secs(10);

/// How a peer is reached.
pub(crate) enum Bare {
    InProcess(Arc<Rustls>),
    Process(Box<Process>),
}

/// A program, and a control connection for each side.
pub(crate) struct Process {
    address: String,
    controls: [Mutex<BufReader<TcpStream>>; 2],
    _program: Child,
}

impl Bare {
    /// The peer of a plan; none if it is not built.
    pub(crate) async fn start(plan: &Plan) -> Option<Self> {
        let manifest = &plan.peers[0];
        if manifest.in_process {
            return Some(Self::InProcess(Arc::new(Rustls::new())));
        }
        let Some(program) = build::built(&plan.root, manifest) else {
            eprintln!("skipped: peer {} is not built", manifest.name);
            return None;
        };
        Some(Self::Process(Box::new(Process::start(&program).await)))
    }

    /// One connection of a job of its own.
    pub(crate) async fn handshake(&self, setups: &Setups) {
        let setups = [
            (Side::Server, &setups.actual.server),
            (Side::Client, &setups.actual.client),
        ];
        match self {
            Self::InProcess(peer) => in_process(peer, setups).await,
            Self::Process(process) => process.handshake(setups).await,
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

async fn in_process(peer: &Rustls, setups: [(Side, &Setup); 2]) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let spawn =
        |(side, setup): (Side, &Setup), mut stream: DuplexStream| -> JoinHandle<ConnectionReport> {
            let endpoint = prepare(peer as &dyn Peer, job(side, setup)).unwrap();
            tokio::spawn(async move { drive(&*endpoint, 0, &mut stream, DEADLINE).await })
        };
    let [server, client] = setups;
    let (server, client) = (spawn(server, near), spawn(client, far));
    server.await.unwrap();
    client.await.unwrap();
}

impl Process {
    async fn start(program: &Program) -> Self {
        #[derive(Deserialize)]
        struct Listening {
            listening: String,
        }
        let mut command = program.command();
        let command = command.args(["--listen", "127.0.0.1:0"]).kill_on_drop(true);
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        let Listening { listening } = serde_json::from_str(&line).unwrap();
        let control = async || {
            let open = Open::Control { reqmtls: VERSION };
            Mutex::new(BufReader::new(opened(&listening, &open).await))
        };
        Self {
            controls: [control().await, control().await],
            address: listening,
            _program: child,
        }
    }

    async fn handshake(&self, setups: [(Side, &Setup); 2]) {
        let [server, client] = setups.map(|(side, setup)| job(side, setup));
        let ask = |job: &Job| Ask::Prepare {
            job: serde_json::to_value(job).unwrap(),
        };
        tokio::join!(self.ask(0, ask(&server)), self.ask(1, ask(&client)));
        let mut to_server = self.open(&server.id).await;
        let mut to_client = self.open(&client.id).await;
        // Which end closes how is for the transcript.
        drop(copy_bidirectional(&mut to_client, &mut to_server).await);
        drop((to_client, to_server));
        let report = |job: &Job| Ask::Report {
            job: job.id.clone(),
        };
        tokio::join!(self.ask(0, report(&server)), self.ask(1, report(&client)));
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
        let mut stream = opened(&self.address, &open).await;
        let reply: Option<Reply> = read_line(&mut stream).await.unwrap();
        assert_eq!(reply, Some(Reply::Open {}));
        stream
    }
}

async fn opened(address: &str, open: &Open) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    write_line(&mut stream, open).await.unwrap();
    stream
}

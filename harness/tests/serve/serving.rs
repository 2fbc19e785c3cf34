//! `reqmtls serve` as a process, and the reference as its client.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqmtls_contract::{
    Answer, ConnectionReport, Hex, Job, Peer, Setup, Side, Stream, drive, prepare,
};
use reqmtls_peer_rustls::{Application, Exchange, Rustls, Trust};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The most time that anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What a connection of `serve` may take here, in seconds.
pub(crate) const TIMEOUT: &str = "2";

/// The flag alone: the octet of its number is the eleventh.
pub(crate) const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A server of its own, ended when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) ports: Vec<u16>,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

pub(crate) fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_reqmtls").into()
}

impl Serving {
    /// Starts it with these arguments, of which so many servers follow.
    pub(crate) fn start(servers: usize, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--json",
                "--timeout",
                TIMEOUT,
            ])
            .arg("--authority")
            .arg(folder.path().join("authority.pem"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = lines(child.stderr.take().unwrap());
        let mut ports = Vec::new();
        while ports.len() < servers {
            let line = errors.recv_timeout(PATIENCE).expect("it listens");
            if let Some((_, port)) = line.split_once(": https://localhost:") {
                ports.push(port.trim_end_matches('/').parse().unwrap());
            }
        }
        Self {
            lines: lines(child.stdout.take().unwrap()),
            child,
            folder,
            ports,
            errors,
        }
    }

    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("authority.pem")).unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.ports[0])).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What it writes of the next connection that ends.
    pub(crate) fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a connection");
        serde_json::from_str(&line).unwrap()
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().expect("an exit code");
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            // Its stderr closes when it ends.
            drop(self.errors.recv_timeout(Duration::from_millis(50)));
        }
    }

    pub(crate) fn interrupt(&self) {
        let id = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(id, Signal::INT).unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the reference says as a client, and what it read.
#[derive(Debug)]
struct Says {
    text: Vec<u8>,
    /// Goes on until it cannot.
    endless: bool,
    read: Mutex<String>,
}

#[async_trait]
impl Exchange for Says {
    fn request(&self) -> &[u8] {
        &self.text
    }

    async fn read(&self, stream: &mut dyn Stream) -> std::io::Result<Option<Answer>> {
        while self.endless && stream.write_all(&[b'a'; 4096]).await.is_ok() {}
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await?;
        *self.read.lock().unwrap() = String::from_utf8_lossy(&text).into_owned();
        stream.shutdown().await?;
        Ok(None)
    }

    async fn serve(
        &self,
        _: u32,
        _: &[u8],
        _: &mut dyn Stream,
        _: &ConnectionReport,
    ) -> std::io::Result<()> {
        unreachable!("it is a client")
    }
}

/// One connection of the reference as a client: what it reports, and what it read.
pub(crate) fn reference(
    serving: &Serving,
    port: u16,
    setup: Setup,
    says: &str,
    endless: bool,
) -> (ConnectionReport, String) {
    let says = Arc::new(Says {
        text: says.as_bytes().to_vec(),
        endless,
        read: Mutex::default(),
    });
    let peer = Rustls::new().with_application(Application {
        exchange: Arc::<Says>::clone(&says),
        protocols: Vec::new(),
        trust: Trust::Anchors,
    });
    let job = Job {
        id: "client".to_owned(),
        side: Side::Client,
        setup: Setup {
            trust_anchors: Some(serving.authority()),
            server_name: Some(setup.server_name.unwrap_or_else(|| "localhost".to_owned())),
            flag: Some(80),
            ..setup
        },
    };
    let end = prepare(&peer, &peer.describe(), job).unwrap_or_else(|error| panic!("{error:?}"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        drive(&*end, 0, &mut stream, PATIENCE).await
    });
    let read = says.read.lock().unwrap().clone();
    (report, read)
}

pub(crate) const GET_JSON: &str = "GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) fn flag_set() -> Setup {
    Setup {
        tls_flags: Some(Hex(FLAG_80.to_vec())),
        ..Setup::default()
    }
}

pub(crate) fn content(answer: &str) -> Value {
    let (head, content) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{answer:?}"));
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    serde_json::from_str(content).unwrap()
}

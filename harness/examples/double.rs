//! A peer with one thing wrong, for the tests of `reqmtls check-peer`: the in-tree implementation with the fault that
//! the variable `REQMTLS_DOUBLE` names, and without one if it is empty.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Description, Endpoint, Job, Outcome, Peer, Policy, PrepareError, Provenance,
    Side, Stream, serve,
};
use reqmtls_peer_rustls::Rustls;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

/// The in-tree implementation with a fault in what it describes, does or reports.
struct Double {
    inner: Rustls,
    fault: String,
}

impl Peer for Double {
    fn describe(&self) -> Description {
        let mut description = self.inner.describe();
        let more = match &*self.fault {
            "declares what does not exist" => "client.telepathy",
            "declares what it does not do" => "client.post-handshake-auth",
            _ => return description,
        };
        description.capabilities = description.capabilities.with(Provenance::Library, [more]);
        description
    }

    fn prepare(&self, mut job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let setup = &mut job.setup;
        match &*self.fault {
            "sends no flags" => setup.tls_flags = None,
            "asks everybody" if setup.policy == Some(Policy::RequestOnFlag) => {
                setup.policy = Some(Policy::Request);
            }
            "takes malformed flags" if job.side == Side::Server => {
                setup.flag = setup.flag.filter(|_| {
                    let policy = setup.policy.unwrap_or(Policy::Never);
                    policy.is_on_flag() || setup.revision.is_some()
                });
            }
            "offers every suite" => setup.cipher_suites.clear(),
            "has a key of one kind" if setup.keys.is_some() => setup.identity = None,
            "takes no early data" => setup.early_data = false,
            _ => {}
        }
        Ok(Arc::new(End {
            inner: self.inner.prepare(job)?,
            fault: self.fault.clone(),
        }))
    }
}

struct End {
    inner: Arc<dyn Endpoint>,
    fault: String,
}

#[async_trait]
impl Endpoint for End {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        self.inner.run(connection, stream, report).await;
        match &*self.fault {
            "hands over no key log" => report.key_log.clear(),
            "always completes" => report.outcome = Outcome::Completed,
            "accepts every certificate, as it says" => {
                report.peer_certificate = Some(reqmtls_contract::Hex(vec![7; 32]));
            }
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fault = std::env::var("REQMTLS_DOUBLE").unwrap_or_default();
    let held = arguments.iter().any(|it| it == "--held") && fault != "is not held";
    let listen = arguments.iter().skip_while(|it| *it != "--listen").nth(1);
    let outer = TcpListener::bind(listen.map_or("127.0.0.1:0", String::as_str)).await?;
    let inner = TcpListener::bind("127.0.0.1:0").await?;
    let address = inner.local_addr()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut line = json!({ "reqmtls": 2, "listening": outer.local_addr()? });
    if fault == "names another key" {
        line = json!({ "reqmtls": 2, "port": outer.local_addr()?.port() });
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    if fault == "writes more than a line" {
        writeln!(stdout, "ready")?;
    }
    stdout.flush()?;
    let peer = Arc::new(Double {
        inner: Rustls::new(),
        fault: fault.clone(),
    });
    tokio::select! {
        served = serve(peer, inner, held) => served?,
        passed = pass_on(outer, address, fault.clone()) => passed?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let code = if fault == "exits with code 3" { 3 } else { 0 };
    Ok(ExitCode::from(code))
}

async fn pass_on(outer: TcpListener, inner: SocketAddr, fault: String) -> std::io::Result<()> {
    loop {
        let (harness, _) = outer.accept().await?;
        let fault = fault.clone();
        tokio::spawn(async move {
            // How a connection ends is what the harness sees.
            drop(pass_one_on(harness, inner, &fault).await);
        });
    }
}

/// Passes octets on, and what the peer replies with the fault in it.
async fn pass_one_on(
    mut harness: TcpStream,
    inner: SocketAddr,
    fault: &str,
) -> std::io::Result<()> {
    harness.set_nodelay(true)?;
    let peer = TcpStream::connect(inner).await?;
    peer.set_nodelay(true)?;
    let (from_peer, mut to_peer) = peer.into_split();
    let mut from_peer = BufReader::new(from_peer);
    let (mut from_harness, mut to_harness) = split(&mut harness);
    let up = async {
        // A reset has to stay one.
        let copied = copy(&mut from_harness, &mut to_peer).await;
        if copied.is_err() {
            to_peer.as_ref().set_zero_linger()?;
        }
        to_peer.shutdown().await
    };
    let down = async {
        loop {
            let mut line = String::new();
            if from_peer.read_line(&mut line).await? == 0 {
                break;
            }
            let is_open = line.contains("\"open\"");
            match replied(&line, fault) {
                Some(reply) => to_harness.write_all(reply.as_bytes()).await?,
                None => break,
            }
            if is_open {
                copy(&mut from_peer, &mut to_harness).await?;
                if fault == "resets" {
                    return Err(std::io::ErrorKind::ConnectionReset.into());
                }
                break;
            }
        }
        to_harness.shutdown().await
    };
    let ended = tokio::try_join!(up, down);
    if ended.is_err() {
        harness.set_zero_linger()?;
    }
    Ok(())
}

/// What the harness gets in place of a reply; `None`: nothing, and the end.
fn replied(line: &str, fault: &str) -> Option<String> {
    let mut reply: Value = serde_json::from_str(line).ok()?;
    let kind = reply["reply"].as_str().unwrap_or_default().to_owned();
    match (fault, &*kind) {
        ("closes in place of an error", "error") => return None,
        ("prepares everything", "unsupported") => reply = json!({ "reply": "prepared" }),
        ("lets everybody hold", "error") if line.contains("got hold") => {
            reply = json!({ "reply": "held" });
        }
        ("names no capability", "unsupported") => reply["capability"] = json!("client"),
        ("reports more", "report") => reply["seconds"] = json!(1),
        ("speaks version 3", "description") => reply["reqmtls"] = json!(3),
        ("refuses with an error", "unsupported") => {
            reply = json!({ "reply": "error", "message": "cannot do that" });
        }
        _ => return Some(line.to_owned()),
    }
    Some(format!("{reply}\n"))
}

//! The in-tree peer with a fault that strikes in the cells of one case, for the tests of what faults cost:
//! `faulty --fault NAME --case CASE --listen ADDRESS:PORT [--held]`.

use std::io::{self, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Description, Endpoint, Job, Peer, PrepareError, Stream, serve,
};
use reqmtls_peer_rustls::Rustls;
use reqmtls_vocabulary::Side;
use rustix::process::{Signal, getpid, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpListener;

/// What a terminal, HTML and Markdown would act on.
const HOSTILE: &str = "\x1b[31m<script>alert(1)</script> | `x` [y](hostile) \\[y](hostile) https://hostile\n# h\u{202e}";

struct Faulty {
    inner: Rustls,
    fault: String,
    case: String,
    /// How many jobs it had of the case.
    jobs: AtomicUsize,
    /// What became of the connections that it tried to open.
    dialled: String,
}

struct End {
    inner: Arc<dyn Endpoint>,
    /// Empty where it does not strike.
    fault: String,
}

impl Peer for Faulty {
    fn describe(&self) -> Description {
        let mut description = self.inner.describe();
        match &*self.fault {
            "speaks in escapes" => HOSTILE.clone_into(&mut description.library),
            "dials" => self.dialled.clone_into(&mut description.library),
            _ => {}
        }
        description
    }

    fn prepare(&self, mut job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let strikes = job.id.starts_with(&format!("{} ", self.case));
        let mut fault = if strikes {
            self.fault.clone()
        } else {
            String::new()
        };
        if fault == "dies preparing" || self.fault == "dies preparing anything" {
            eprintln!("first\nout of {HOSTILE}paper");
            std::process::exit(7);
        }
        if ["varies", "misreports"].contains(&&*fault)
            && job.side == Side::Client
            && self.jobs.fetch_add(1, Ordering::Relaxed) % 3 == 2
        {
            if fault == "varies" {
                job.setup.tls_flags = None;
            } else {
                "misreports more".clone_into(&mut fault);
            }
        }
        let inner = self.inner.prepare(job)?;
        Ok(Arc::new(End { inner, fault }))
    }
}

#[async_trait]
impl Endpoint for End {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        match &*self.fault {
            "eats memory" => eat().await,
            "dies relaying" => std::process::abort(),
            "stops" => {
                stop();
                // A thread that is stopped last does not go on with the job.
                std::future::pending::<()>().await;
            }
            "hangs" => std::future::pending().await,
            "sends octets without end" => flood(stream, &[0xff; 4096]).await,
            "sends empty records without end" => flood(stream, &[22, 3, 3, 0, 0]).await,
            "sends alerts without end" => flood(stream, &[21, 3, 3, 0, 2, 1, 90]).await,
            "closes at once" => return,
            "half-closes" => half_close(stream).await,
            "resets" => reset(stream).await,
            "writes octet by octet" => {
                let mut slow = OctetByOctet(stream);
                self.inner.run(connection, &mut slow, report).await;
            }
            "speaks in escapes" => report.break_off(&HOSTILE.repeat(1000)),
            _ => self.inner.run(connection, stream, report).await,
        }
        if self.fault.starts_with("misreports") {
            report.resumed = Some(true);
        }
        if self.fault == "misreports more" {
            report.alert_sent = Some(42);
        }
        if self.fault == "dies reporting" {
            std::process::exit(7);
        }
    }
}

/// Stops as a debugger or Ctrl-Z does.
fn stop() {
    if let Err(error) = kill_process(getpid(), Signal::STOP) {
        eprintln!("cannot stop: {error}");
    }
}

/// Takes more memory than a container has.
async fn eat() {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for _ in 0..96 {
        all.push(vec![1; 16 << 20]);
        tokio::task::yield_now().await;
    }
    eprintln!("got {} pieces of memory", all.len());
}

/// Writes the same octets again and again, until nobody takes them any more.
async fn flood(stream: &mut dyn Stream, octets: &[u8]) {
    let many = octets.repeat(1000);
    while stream.write_all(&many).await.is_ok() {}
    // What the other end has sent is no reason for a reset.
    let _ = stream.read(&mut [0; 4096]).await;
}

/// Ends its direction without an octet, and reads what comes.
async fn half_close(stream: &mut dyn Stream) {
    drop(stream.shutdown().await);
    while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {}
}

/// Leaves octets unread, for which the system resets a connection that is closed.
async fn reset(stream: &mut dyn Stream) {
    drop(stream.read(&mut [0]).await);
}

/// Every octet in a piece of its own.
struct OctetByOctet<'a>(&'a mut dyn Stream);

impl AsyncRead for OctetByOctet<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for OctetByOctet<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let one = &octets[..octets.len().min(1)];
        Pin::new(&mut *self.0).poll_write(context, one)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}

/// Tries to open connections, and says what became of each.
fn dial(addresses: &str) -> String {
    let tried = addresses.split(',').map(|address| {
        let outcome = address
            .parse()
            .map_err(|error| format!("{error:?}"))
            .and_then(|address| {
                TcpStream::connect_timeout(&address, Duration::from_secs(2))
                    .map_err(|error| error.kind().to_string())
            });
        match outcome {
            Ok(_) => format!("{address} opened"),
            Err(error) => format!("{address} {error}"),
        }
    });
    tried.collect::<Vec<_>>().join(", ")
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let value = arguments.iter().skip_while(|it| *it != name).nth(1);
        value.cloned().unwrap_or_default()
    };
    let (fault, case) = (value("--fault"), value("--case"));
    let listener = TcpListener::bind(value("--listen")).await?;
    let address = listener.local_addr()?;
    let mut stdout = io::stdout();
    match &*fault {
        "does not start" => {
            eprintln!("no {HOSTILE} here");
            return Ok(ExitCode::from(7));
        }
        "writes a line without end" => {
            while stdout.write_all(&[b'x'; 4096]).is_ok() {}
            return Ok(ExitCode::SUCCESS);
        }
        "writes deep JSON" => stdout.write_all("[".repeat(4096).as_bytes())?,
        "logs without end" => {
            std::thread::spawn(|| while io::stderr().write_all(&[b'x'; 4096]).is_ok() {});
        }
        _ => {}
    }
    writeln!(stdout, "{{\"reqmtls\":2,\"listening\":\"{address}\"}}")?;
    stdout.flush()?;
    let dialled = if fault == "dials" {
        dial(&case)
    } else {
        String::new()
    };
    let peer = Faulty {
        inner: Rustls::new(),
        fault,
        case,
        jobs: AtomicUsize::new(0),
        dialled,
    };
    let ignores = peer.fault == "ignores its end";
    serve(Arc::new(peer), listener, true).await?;
    if ignores {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    Ok(ExitCode::SUCCESS)
}

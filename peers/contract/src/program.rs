use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Peer, VERSION, serve};

/// The `main` of a Rust peer: reads the command line and serves until told to stop.
///
/// Writes one line of JSON to stdout when it listens. Exit code 0 after SIGTERM, SIGINT or the end
/// of the connection that held it; 2 for bad usage; 1 where it cannot listen.
pub fn main(peer: impl Peer) -> ExitCode {
    let name = peer.describe().name;
    let arguments = match Arguments::parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{name} peer: {error}\nusage: --listen ADDRESS:PORT [--held]");
            return ExitCode::from(2);
        }
    };
    match run(peer, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(
                "{name} peer: cannot listen on {}: {error}",
                arguments.listen
            );
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    listen: SocketAddr,
    /// Exit when the connection that holds the peer ends, or none comes.
    held: bool,
}

impl Arguments {
    fn parse() -> Result<Self, lexopt::Error> {
        let mut listen = None;
        let mut held = false;
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                lexopt::Arg::Long("listen") => {
                    let value = parser.value()?;
                    let address = value.to_str().and_then(|text| text.parse().ok());
                    listen = Some(address.ok_or_else(|| {
                        format!(
                            "got --listen {}, expected an address such as 127.0.0.1:0",
                            value.display()
                        )
                    })?);
                }
                lexopt::Arg::Long("held") => held = true,
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self {
            listen: listen.ok_or("missing --listen ADDRESS:PORT")?,
            held,
        })
    }
}

#[tokio::main]
async fn run(peer: impl Peer, arguments: &Arguments) -> std::io::Result<()> {
    // Process 1 of a container ignores signals that it has no handler for.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(arguments.listen).await?;
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "{}",
        json!({ "reqmtls": VERSION, "listening": listener.local_addr()? })
    )?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        result = serve(Arc::new(peer), listener, arguments.held) => result,
    }
}

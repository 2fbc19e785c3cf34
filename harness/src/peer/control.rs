//! The harness's side of the peer contract.

use std::io;
use std::net::SocketAddr;

use reqmtls_contract::{
    Ask, Description, Job, Open, Reply, Report, VERSION, read_line, write_line,
};
use thiserror::Error;
use tokio::io::BufReader;
use tokio::net::TcpStream;

/// Why a peer did not do what the contract says.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Its port cannot be reached.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where it should listen.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The connection failed, or a line is none of the contract's.
    #[error("{0}")]
    Line(#[from] io::Error),
    /// It closed the connection instead of replying.
    #[error("the peer closed the connection instead of replying to {0}")]
    Closed(&'static str),
    /// It replied that something is wrong.
    #[error("the peer says: {0}")]
    Said(String),
    /// It replied something else than what was asked for.
    #[error("got {got} in reply to {ask}")]
    Unexpected {
        /// What was asked.
        ask: &'static str,
        /// What came.
        got: String,
    },
    /// It lacks a capability.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// It speaks another version of the contract.
    #[error("the peer speaks version {0} of the contract, expected {VERSION}")]
    Version(u32),
}

/// A control connection.
#[derive(Debug)]
pub(super) struct Control(BufReader<TcpStream>);

impl Control {
    /// Opens a control connection to a peer.
    pub(super) async fn open(address: SocketAddr) -> Result<Self, ControlError> {
        let mut stream = connect(address).await?;
        write_line(&mut stream, &Open::Control { reqmtls: VERSION }).await?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks what the peer is.
    pub(super) async fn describe(&mut self) -> Result<Description, ControlError> {
        match self.ask("describe", &Ask::Describe {}).await? {
            Reply::Description(description) if description.reqmtls == VERSION => Ok(description),
            Reply::Description(description) => Err(ControlError::Version(description.reqmtls)),
            other => Err(unexpected("describe", &other)),
        }
    }

    /// Makes the peer end when this connection does.
    pub(super) async fn hold(&mut self) -> Result<(), ControlError> {
        match self.ask("hold", &Ask::Hold {}).await? {
            Reply::Held {} => Ok(()),
            other => Err(unexpected("hold", &other)),
        }
    }

    /// Gives the peer a job.
    pub(super) async fn prepare(&mut self, job: &Job) -> Result<(), ControlError> {
        match self
            .ask(
                "prepare",
                &Ask::Prepare {
                    job: serde_json::to_value(job).map_err(io::Error::from)?,
                },
            )
            .await?
        {
            Reply::Prepared {} => Ok(()),
            Reply::Unsupported { capability } => Err(ControlError::Unsupported(capability)),
            other => Err(unexpected("prepare", &other)),
        }
    }

    /// Ends a job and takes its report.
    pub(super) async fn report(&mut self, job: &str) -> Result<Report, ControlError> {
        match self
            .ask(
                "report",
                &Ask::Report {
                    job: job.to_owned(),
                },
            )
            .await?
        {
            Reply::Report(report) => Ok(report),
            other => Err(unexpected("report", &other)),
        }
    }

    async fn ask(&mut self, name: &'static str, ask: &Ask) -> Result<Reply, ControlError> {
        write_line(&mut self.0, ask).await?;
        match read_line(&mut self.0).await? {
            Some(Reply::Error { message }) => Err(ControlError::Said(message)),
            Some(reply) => Ok(reply),
            None => Err(ControlError::Closed(name)),
        }
    }
}

/// Opens a TLS connection of a job: what follows on the stream is TLS.
pub(super) async fn open_tls(
    address: SocketAddr,
    job: &str,
    connection: u32,
) -> Result<TcpStream, ControlError> {
    let mut stream = connect(address).await?;
    write_line(
        &mut stream,
        &Open::Tls {
            reqmtls: VERSION,
            job: job.to_owned(),
            connection,
        },
    )
    .await?;
    match read_line(&mut stream).await? {
        Some(Reply::Open {}) => Ok(stream),
        Some(Reply::Error { message }) => Err(ControlError::Said(message)),
        Some(other) => Err(unexpected("open", &other)),
        None => Err(ControlError::Closed("open")),
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, ControlError> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| ControlError::Connect { address, source })?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn unexpected(ask: &'static str, got: &Reply) -> ControlError {
    let got = serde_json::to_string(got).unwrap_or_else(|error| error.to_string());
    ControlError::Unexpected {
        ask,
        got: got.chars().take(200).collect(),
    }
}

//! A connection to the peer, line by line, with whatever is to be written on it.

use std::net::SocketAddr;

use reqmtls_contract::{Reply, VERSION, read_line};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Trouble;

/// The most characters of a line that a message repeats.
const REPEATED: usize = 200;

/// A connection to the peer.
pub(super) struct Line(pub(super) BufReader<TcpStream>);

impl Line {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, Trouble> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("cannot connect to {address}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Opens a control connection.
    pub(super) async fn control(address: SocketAddr) -> Result<Self, Trouble> {
        let mut line = Self::connect(address).await?;
        line.write(&json!({ "open": "control", "reqmtls": VERSION }))
            .await?;
        Ok(line)
    }

    /// Opens a TLS connection of a job: what follows is TLS.
    pub(super) async fn tls(address: SocketAddr, job: &str, number: u32) -> Result<Self, Trouble> {
        match Self::try_tls(address, job, number).await? {
            (line, Reply::Open {}) => Ok(line),
            (_, other) => Err(unexpected(
                "the first line of a TLS connection",
                &other,
                "open",
            )),
        }
    }

    /// The same, with whatever the peer replies.
    pub(super) async fn try_tls(
        address: SocketAddr,
        job: &str,
        number: u32,
    ) -> Result<(Self, Reply), Trouble> {
        let mut line = Self::connect(address).await?;
        let open = json!({ "open": "tls", "reqmtls": VERSION, "job": job, "connection": number });
        let reply = line.ask(&open).await?;
        Ok((line, reply))
    }

    /// Writes a value as a line.
    pub(super) async fn write(&mut self, value: &Value) -> Result<(), Trouble> {
        self.write_octets(format!("{value}\n").as_bytes()).await
    }

    pub(super) async fn write_octets(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        let write = async {
            self.0.write_all(octets).await?;
            self.0.flush().await
        };
        Ok(write
            .await
            .map_err(|error| format!("cannot write to the peer: {error}"))?)
    }

    /// Writes a line and reads the reply to it.
    pub(super) async fn ask(&mut self, ask: &Value) -> Result<Reply, Trouble> {
        self.write(ask).await?;
        self.reply(&short(&ask.to_string())).await
    }

    /// Reads a reply.
    pub(super) async fn reply(&mut self, to: &str) -> Result<Reply, Trouble> {
        match read_line(&mut self.0).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(format!("got the end of the connection in reply to {to}").into()),
            Err(error) => Err(format!("in reply to {to}: {error}").into()),
        }
    }

    /// Reads a reply that has to be an error.
    pub(super) async fn error(&mut self, to: &str) -> Result<(), Trouble> {
        match self.reply(to).await? {
            Reply::Error { .. } => Ok(()),
            other => Err(unexpected(to, &other, "error")),
        }
    }

    /// Reads to the end of what the peer sends, which has to come in order and not by a reset.
    pub(super) async fn end(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut rest = Vec::new();
        let read = self.0.read_to_end(&mut rest).await;
        read.map_err(|error| format!("got {error}, expected the peer to close in order"))?;
        Ok(rest)
    }

    /// Closes the sending half.
    pub(super) async fn close(&mut self) -> Result<(), Trouble> {
        Ok(self
            .0
            .shutdown()
            .await
            .map_err(|error| format!("cannot close: {error}"))?)
    }
}

/// What a peer replied and should not have.
pub(super) fn unexpected(to: &str, got: &Reply, expected: &str) -> Trouble {
    let got = serde_json::to_string(got).unwrap_or_else(|error| error.to_string());
    Trouble::Wrong(format!(
        "got {} in reply to {to}, expected {expected}",
        short(&got)
    ))
}

/// The start of a line, as a message repeats it.
pub(super) fn short(text: &str) -> String {
    if text.chars().count() <= REPEATED {
        return text.to_owned();
    }
    let mut start: String = text.chars().take(REPEATED).collect();
    start.push('…');
    start
}

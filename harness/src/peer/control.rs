//! The harness's side of the peer contract.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use reqmtls_contract::{
    Ask, Description, Job, Open, Reply, Report, Side, VERSION, read_line, write_line,
};
use serde_json::json;
use thiserror::Error;
use tokio::io::BufReader;
use tokio::net::TcpStream;

use super::limits;
use super::plain::{plain, plain_reply};

/// A setup key of no version of the contract.
const UNKNOWN_KEY: &str = "no-such-capability";

/// How a peer has to name that key.
const UNKNOWN_CAPABILITY: &str = "setup.no-such-capability";

/// The most octets of a stray line that are looked at.
const REPEATED: usize = 200;

/// The most characters of a capability's name.
const MOST_NAME: usize = 100;

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
    Line(String),
    /// It closed the connection instead of replying.
    #[error("the peer closed the connection instead of replying to {0}")]
    Closed(&'static str),
    /// It replied that something is wrong.
    #[error("the peer replied with the error: {0}")]
    Said(String),
    /// It replied something else than what was asked for.
    #[error("got {got} in reply to {ask}")]
    Unexpected {
        /// What was asked.
        ask: &'static str,
        /// What came.
        got: String,
    },
    /// It wrote more than the one reply to an ask, and so is out of step with the harness.
    #[error("got {got:?} {when}, expected one reply to each ask")]
    OutOfStep {
        /// What stands there.
        got: String,
        /// Where it stands in the sequence of asks and replies.
        when: String,
    },
    /// It closed a TLS connection before it had sent anything on it.
    #[error(
        "got a TLS connection closed before any octet was sent, expected a handshake or an alert \
         (it reports {reported})"
    )]
    Mute {
        /// What its report says of the connection.
        reported: String,
    },
    /// It reported other connections than were opened.
    #[error("got {got} connections in a report, expected {expected}")]
    Connections {
        /// How many it reported.
        got: usize,
        /// How many were opened.
        expected: usize,
    },
    /// It reported something longer than the contract permits.
    #[error("got {what} of {got} {unit} in a report, expected {expected}")]
    Length {
        /// What of a connection's report.
        what: &'static str,
        /// How long it is.
        got: usize,
        /// In what that is counted.
        unit: &'static str,
        /// How long it may be.
        expected: String,
    },
    /// It takes any job, also one that it cannot understand.
    #[error(
        "got {got} in reply to a job with the unknown setup key {UNKNOWN_KEY:?}, expected \
         unsupported with the capability {UNKNOWN_CAPABILITY:?}"
    )]
    Undiscerning {
        /// What came.
        got: String,
    },
    /// The name of a capability is none: it would stand in every report.
    #[error(
        "got the capability {0:?}, expected letters, digits, \".\", \"_\" and \"-\", at most {MOST_NAME}"
    )]
    Capability(String),
    /// It lacks a capability.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// It prepared what it does not claim to be able to do.
    #[error(
        "got prepared for a job that needs {0}, expected unsupported: its description lacks it"
    )]
    Unclaimed(String),
    /// It refused what it claims to be able to do.
    #[error("got unsupported for {0}, expected prepared: its description has it")]
    Disclaimed(String),
    /// It speaks another version of the contract.
    #[error("the peer speaks version {0} of the contract, expected {VERSION}")]
    Version(u32),
}

impl From<io::Error> for ControlError {
    /// The error of a line repeats what stands in it.
    fn from(error: io::Error) -> Self {
        Self::Line(plain(&error.to_string()))
    }
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

    /// Whether the peer has neither closed the connection nor reset it.
    pub(super) fn is_open(&self) -> bool {
        let stream = self.0.get_ref().as_fd().try_clone_to_owned();
        let Ok(stream) = stream.map(std::net::TcpStream::from) else {
            return false;
        };
        match stream.peek(&mut [0]) {
            Ok(length) => length > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Asks what the peer is.
    pub(super) async fn describe(&mut self) -> Result<Description, ControlError> {
        match self.ask("describe", &Ask::Describe {}).await? {
            Reply::Description(description) if description.reqmtls != VERSION => {
                Err(ControlError::Version(description.reqmtls))
            }
            Reply::Description(description) => {
                for (name, _) in description.capabilities.iter() {
                    if !is_name(name) {
                        return Err(ControlError::Capability(plain(name)));
                    }
                }
                Ok(description)
            }
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

    /// Looks whether the peer refuses a job that it cannot understand: one that takes it would also
    /// take every job that is newer than itself, and do something else.
    pub(super) async fn probe(&mut self, description: &Description) -> Result<(), ControlError> {
        let side = if description.capabilities.has(Side::Client.as_str()) {
            Side::Client
        } else {
            Side::Server
        };
        let job = json!({ "id": "probe", "side": side, "setup": { UNKNOWN_KEY: true } });
        let got = match self.ask("prepare", &Ask::Prepare { job }).await {
            Ok(Reply::Unsupported { capability }) if capability == UNKNOWN_CAPABILITY => {
                return Ok(());
            }
            Ok(other) => text(&other),
            Err(ControlError::Said(message)) => text(&Reply::Error { message }),
            Err(error) => return Err(error),
        };
        Err(ControlError::Undiscerning { got })
    }

    /// Gives the peer a job, and holds the reply against what the peer says it can do.
    pub(super) async fn prepare(
        &mut self,
        job: &Job,
        description: &Description,
    ) -> Result<(), ControlError> {
        match self
            .ask(
                "prepare",
                &Ask::Prepare {
                    job: serde_json::to_value(job).map_err(io::Error::from)?,
                },
            )
            .await?
        {
            Reply::Prepared {} => match description.capabilities.missing(job) {
                Some(capability) => Err(ControlError::Unclaimed(capability)),
                None => Ok(()),
            },
            Reply::Unsupported { capability } if description.capabilities.has(&capability) => {
                Err(ControlError::Disclaimed(capability))
            }
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
            Reply::Report(report) => limits::check(&report).map(|()| report),
            other => Err(unexpected("report", &other)),
        }
    }

    async fn ask(&mut self, name: &'static str, ask: &Ask) -> Result<Reply, ControlError> {
        self.in_step("before", name)?;
        let exchange = async {
            write_line(&mut self.0, ask).await?;
            read_line(&mut self.0).await
        };
        let reply = match exchange.await {
            Ok(reply) => reply,
            // The peer has closed: it depends on the moment in which shape that gets here.
            Err(error) if is_gone(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let reply = reply.ok_or(ControlError::Closed(name))?;
        self.in_step("after the reply to", name)?;
        match plain_reply(reply) {
            Reply::Error { message } => Err(ControlError::Said(message)),
            reply => Ok(reply),
        }
    }

    /// Fails where the peer has written what nobody asked for: it would pass for the next reply.
    fn in_step(&self, place: &str, ask: &str) -> Result<(), ControlError> {
        let mut got = self.0.buffer().to_vec();
        if got.is_empty() {
            got = arrived(self.0.get_ref())?;
        }
        if got.is_empty() {
            return Ok(());
        }
        let line = got.split(|&octet| octet == b'\n').next().unwrap_or(&got);
        Err(ControlError::OutOfStep {
            got: String::from_utf8_lossy(line)
                .chars()
                .take(REPEATED)
                .collect(),
            when: format!("{place} {ask}"),
        })
    }
}

/// What has arrived on a stream and is not read yet, or the start of it.
fn arrived(stream: &TcpStream) -> io::Result<Vec<u8>> {
    // Asked of the socket itself: what the runtime knows of it may be older.
    let stream = std::net::TcpStream::from(stream.as_fd().try_clone_to_owned()?);
    let mut octets = vec![0; REPEATED];
    let length = match stream.peek(&mut octets) {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock || is_gone(&error) => 0,
        Err(error) => return Err(error),
    };
    octets.truncate(length);
    Ok(octets)
}

/// Whether an error of a stream says that the other end has closed it.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
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
    match read_line(&mut stream).await?.map(plain_reply) {
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

fn is_name(name: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    (1..=MOST_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn unexpected(ask: &'static str, got: &Reply) -> ControlError {
    ControlError::Unexpected {
        ask,
        got: text(got),
    }
}

/// A reply as a message repeats it.
fn text(reply: &Reply) -> String {
    plain(&serde_json::to_string(reply).unwrap_or_else(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    const HELD: &[u8] = b"{\"reply\":\"held\"}\n";

    /// A control connection, and the peer's half of it behind the first line.
    async fn pair() -> (Control, BufReader<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (control, peer) = tokio::join!(Control::open(address), listener.accept());
        let mut peer = BufReader::new(peer.unwrap().0);
        read_line::<Open>(&mut peer).await.unwrap();
        (control.unwrap(), peer)
    }

    /// Asks the peer to hold, and writes octets as it reads that.
    async fn hold(
        control: &mut Control,
        peer: &mut BufReader<TcpStream>,
        octets: &[u8],
    ) -> Result<(), ControlError> {
        let reply = async {
            read_line::<Ask>(peer).await.unwrap();
            peer.write_all(octets).await.unwrap();
        };
        tokio::join!(control.hold(), reply).0
    }

    #[tokio::test]
    async fn a_line_that_comes_late_is_no_reply_to_the_next_ask() {
        let (mut control, mut peer) = pair().await;
        hold(&mut control, &mut peer, HELD).await.unwrap();
        hold(&mut control, &mut peer, HELD).await.unwrap();
        peer.write_all(HELD).await.unwrap();
        control.0.get_ref().peek(&mut [0]).await.unwrap();
        let error = control.hold().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "got \"{\\\"reply\\\":\\\"held\\\"}\" before hold, expected one reply to each ask"
        );
    }

    #[tokio::test]
    async fn half_a_line_that_comes_with_a_reply_is_caught() {
        let (mut control, mut peer) = pair().await;
        let octets = [HELD, b"{\"rep"].concat();
        let error = hold(&mut control, &mut peer, &octets).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "got \"{\\\"rep\" after the reply to hold, expected one reply to each ask"
        );
    }

    #[tokio::test]
    async fn a_peer_that_closes_or_resets_is_said_to_have_closed() {
        for resets in [false, true] {
            let (mut control, peer) = pair().await;
            if resets {
                peer.get_ref().set_zero_linger().unwrap();
            }
            drop(peer);
            let error = control.hold().await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "the peer closed the connection instead of replying to hold"
            );
        }
    }
}

//! Both ends over blocking streams, such as [`std::net::TcpStream`], without an asynchronous runtime.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::time::Duration;
//!
//! use rustls_tlsflags::{AcceptError, TlsFlagsAcceptor};
//!
//! fn serve(acceptor: &TlsFlagsAcceptor, tcp: TcpStream) -> Result<(), AcceptError> {
//!     tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
//!     tcp.set_write_timeout(Some(Duration::from_secs(10)))?;
//!     let mut accepted = acceptor.accept_blocking(tcp)?;
//!     accepted.stream.write_all(b"hello")?;
//!     Ok(())
//! }
//! ```
//!
//! # Deadlines
//!
//! They are those of the stream below: a call that takes longer fails with what that says, `WouldBlock` or
//! `TimedOut`. A handshake takes as many calls as the other end makes it take: each of its octets may come alone,
//! and a message has 65535 octets at most. A handshake that must be over by some time needs a stream whose timeout
//! shrinks.

use std::io::{self, Read, Write};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ConnectionCommon, ServerConnection, SideData, StreamOwned};

use crate::client::TlsFlagsConnector;
use crate::error::AcceptError;
use crate::info::ClientInfo;
use crate::policy::{ClientAuth, Offer};
use crate::seam::EditedIo;
use crate::server::{Failed, TlsFlagsAcceptor};

/// A client's stream: rustls's own.
pub type ClientStream<IO> = StreamOwned<ClientConnection, EditedIo<IO>>;

/// A server's stream: rustls's own.
pub type ServerStream<IO> = StreamOwned<ServerConnection, EditedIo<IO>>;

impl TlsFlagsConnector {
    /// Performs a handshake with `server_name` over `io`, which blocks.
    pub fn connect_blocking<IO>(
        &self,
        server_name: ServerName<'static>,
        io: IO,
    ) -> io::Result<ClientStream<IO>>
    where
        IO: Read + Write,
    {
        let mut stream = self.stream_blocking(server_name, io)?;
        complete(&mut stream)?;
        Ok(stream)
    }

    /// A stream that performs its handshake with `server_name` as it is first read or written.
    ///
    /// For early data, which is written by `stream.conn.early_data()` before anything else.
    pub fn stream_blocking<IO>(
        &self,
        server_name: ServerName<'static>,
        io: IO,
    ) -> io::Result<ClientStream<IO>>
    where
        IO: Read + Write,
    {
        let io = EditedIo::for_client(io, self.config());
        let connection = ClientConnection::new(Arc::clone(self.config()), server_name);
        Ok(StreamOwned::new(connection.map_err(io::Error::other)?, io))
    }
}

impl TlsFlagsAcceptor {
    /// Performs a handshake over `io`, which blocks.
    ///
    /// If it fails, the alert that says why is sent, and `io` is dropped.
    /// [`TlsFlagsAcceptor::accept_fallible_blocking`] gives it back instead.
    pub fn accept_blocking<IO>(&self, io: IO) -> Result<Accepted<IO>, AcceptError>
    where
        IO: Read + Write,
    {
        self.accept_fallible_blocking(io)
            .map_err(|failed| failed.error)
    }

    /// Performs a handshake over `io`, which blocks, and gives `io` back if it fails.
    ///
    /// An alert was then sent and flushed if there was one to send. Reading to
    /// the end of the stream before dropping it keeps TCP from answering what
    /// the client still sends with a reset, which could overtake the alert.
    pub fn accept_fallible_blocking<IO>(&self, io: IO) -> Result<Accepted<IO>, Failed<IO>>
    where
        IO: Read + Write,
    {
        let mut io = EditedIo::for_server(io);
        let hello = match io.read_client_hello_blocking() {
            Ok(hello) => hello,
            Err(error) => return Err(Failed::new(AcceptError::Io(error), io, None)),
        };
        let data = self.extension_data(hello.as_ref());
        let begun = match self.begin(&mut io, hello) {
            Ok(begun) => begun,
            Err(error) => {
                // The error at hand says more than one about sending an alert.
                let _ = io.write_all(&error.alert()).and_then(|()| io.flush());
                return Err(Failed::new(error, io, data));
            }
        };
        let connection = match ServerConnection::new(Arc::clone(&begun.config)) {
            Ok(connection) => connection,
            Err(error) => return Err(Failed::new(AcceptError::Tls(error), io, data)),
        };
        let mut stream = StreamOwned::new(connection, io);
        let outcome = match complete(&mut stream) {
            Ok(()) => begun.outcome(&stream.conn),
            // rustls has sent its alert.
            Err(error) => Err(self.error(error)),
        };
        match outcome {
            Ok((offer, client_auth)) => Ok(Accepted {
                stream,
                offer,
                client_auth,
            }),
            Err(error) => Err(Failed::new(error, stream.sock, data)),
        }
    }
}

/// A connection over a blocking stream whose handshake is complete.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted<IO: Read + Write> {
    /// The stream.
    pub stream: ServerStream<IO>,
    /// What the client offered.
    pub offer: Offer,
    /// What was decided to ask of the client.
    ///
    /// If the handshake resumed a session, the client was asked in the one
    /// that made the session.
    pub client_auth: ClientAuth,
}

impl<IO: Read + Write> Accepted<IO> {
    /// What an application knows about the client, apart from the stream.
    #[must_use]
    pub fn client_info(&self) -> ClientInfo {
        ClientInfo::new(&self.offer, self.client_auth, &self.stream.conn)
    }
}

/// Performs a handshake.
fn complete<C, S, IO>(stream: &mut StreamOwned<C, EditedIo<IO>>) -> io::Result<()>
where
    C: DerefMut + Deref<Target = ConnectionCommon<S>>,
    S: SideData,
    IO: Read + Write,
{
    let StreamOwned { conn, sock } = stream;
    while conn.is_handshaking() {
        // It returns early if some octets came before a timeout: then the next call meets that again.
        if conn.complete_io(sock)? == (0, 0) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

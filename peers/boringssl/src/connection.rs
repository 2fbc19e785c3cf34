//! One connection of the library, as the contract's session.

use std::io::{self, Read, Write};

use boring::error::ErrorStack;
use boring::hash::MessageDigest;
use boring::ssl::{Error, ErrorCode, Ssl, SslRef, SslStream};
use boring::x509::X509VerifyError;
use foreign_types::ForeignTypeRef;
use reqmtls_contract::{BlockingStream, ConnectionReport, Failure, Hex, REQUEST, Session, Side};

use crate::callbacks;

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    tls: SslStream<Transport<'a, 's>>,
    side: Side,
    /// Client: it has sent early data.
    sent_early: bool,
}

impl<'a, 's> Connection<'a, 's> {
    pub(crate) fn new(
        ssl: Ssl,
        side: Side,
        stream: &'a mut BlockingStream<'s>,
    ) -> Result<Self, ErrorStack> {
        let transport = Transport {
            stream,
            reads: None,
        };
        Ok(Self {
            tls: SslStream::new(ssl, transport)?,
            side,
            sent_early: false,
        })
    }

    /// Takes the handshake as far as it goes: to its end, or to where early data flows.
    fn advance(&mut self) -> Result<(), Failure> {
        let advanced = match self.side {
            Side::Client => self.tls.connect(),
            Side::Server => self.tls.accept(),
        };
        match advanced {
            Err(error) if error.code() == rejected() => {
                // SAFETY: the connection is alive, and it waits for this call, without which it would give the
                // same error for ever.
                unsafe { boring_sys::SSL_reset_early_data_reject(self.tls.ssl().as_ptr()) }
                self.advance()
            }
            Err(error) => Err(self.handshake_failure(&error)),
            Ok(()) => Ok(()),
        }
    }

    /// Takes a server that has read early data through the rest of its handshake. Only a read does that, and
    /// one that goes on behind the handshake would wait for what comes after the answer.
    fn finish(&mut self) -> Result<(), Failure> {
        while !self.tls.ssl().is_init_finished() {
            self.tls.get_mut().reads = Some(1);
            match self.tls.ssl_read(&mut [0]) {
                Err(error) if error.code() == ErrorCode::WANT_READ => {}
                Err(error) => return Err(self.handshake_failure(&error)),
                Ok(_) => {
                    let text = "got more than the request, expected the end of the handshake";
                    return Err(Failure::Other(text.to_owned()));
                }
            }
        }
        self.tls.get_mut().reads = None;
        Ok(())
    }

    /// What ended the handshake: the library's error does not say what is wrong with a certificate.
    fn handshake_failure(&self, error: &Error) -> Failure {
        match (failure(error), self.tls.ssl().verify_result()) {
            (Failure::Tls(text), Err(reason)) if reason != X509VerifyError::INVALID_CALL => {
                Failure::Tls(format!("{text}: {reason}"))
            }
            (failure, _) => failure,
        }
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        self.advance()?;
        if is_early(self.tls.ssl()) {
            self.write(octets)?;
            self.sent_early = true;
        }
        Ok(self.sent_early)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        self.advance()?;
        let mut data = Vec::new();
        while is_early(self.tls.ssl()) && data.len() < REQUEST.len() {
            let mut buffer = [0; REQUEST.len()];
            let length = self.read(&mut buffer[data.len()..])?;
            data.extend_from_slice(&buffer[data.len()..][..length]);
        }
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        self.advance()?;
        match self.side {
            Side::Client => Ok(()),
            Side::Server => self.finish(),
        }
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let ssl = self.tls.ssl();
        let certificate = ssl.peer_certificate();
        let digest = certificate.and_then(|it| it.digest(MessageDigest::sha256()).ok());
        report.peer_certificate = digest.map(|digest| Hex(digest.to_vec()));
        report.resumed = Some(ssl.session_reused());
        let offered = callbacks::of(ssl).is_some_and(|noted| noted.hello().offers_early_data);
        // SAFETY: the connection is alive; the function reads a number of it.
        let accepted = unsafe { boring_sys::SSL_early_data_accepted(ssl.as_ptr()) == 1 };
        report.early_data = (self.sent_early || offered).then_some(accepted);
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        match self.tls.ssl_read(buffer) {
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => Ok(0),
            read => read.map_err(|error| failure(&error)),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        // Without partial writes, which the library has to be asked for, it is all or nothing.
        let written = self.tls.ssl_write(octets);
        written.map(drop).map_err(|error| failure(&error))
    }

    fn close(&mut self) -> Result<(), Failure> {
        let closed = self.tls.shutdown();
        closed.map(drop).map_err(|error| failure(&error))
    }
}

/// The other end's stream.
struct Transport<'a, 's> {
    stream: &'a mut BlockingStream<'s>,
    /// How many more reads there are before the library learns that one would block; `None`: any number.
    reads: Option<u32>,
}

impl Read for Transport<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.reads {
            Some(0) => return Err(io::ErrorKind::WouldBlock.into()),
            Some(reads) => *reads -= 1,
            None => {}
        }
        self.stream.read(buffer)
    }
}

impl Write for Transport<'_, '_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Whether what is written (client) or read (server) now is early data.
fn is_early(ssl: &SslRef) -> bool {
    // SAFETY: the connection is alive; the function reads a number of it.
    unsafe { boring_sys::SSL_in_early_data(ssl.as_ptr()) == 1 }
}

/// The code by which a client learns that its early data was rejected.
fn rejected() -> ErrorCode {
    ErrorCode::from_raw(boring_sys::SSL_ERROR_EARLY_DATA_REJECTED)
}

/// What ended a connection: an I/O error, or an end of the stream without an error, is the transport's.
fn failure(error: &Error) -> Failure {
    let is_end = error.code() == ErrorCode::SYSCALL && error.ssl_error().is_none();
    if error.io_error().is_some() || is_end {
        Failure::Other(error.to_string())
    } else {
        Failure::Tls(error.to_string())
    }
}

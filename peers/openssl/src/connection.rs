//! One connection of the library, as the contract's session.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ssl::{Error, ErrorCode, ShutdownResult, Ssl, SslSessionRef, SslStream};
use reqmtls_contract::{BlockingStream, ConnectionReport, Failure, Hex, REQUEST, Session};

use crate::callbacks;
use crate::ffi;

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    tls: SslStream<&'a mut BlockingStream<'s>>,
    /// Server: whether it accepts early data.
    reads_early: bool,
}

impl<'a, 's> Connection<'a, 's> {
    pub(crate) fn new(
        ssl: Ssl,
        stream: &'a mut BlockingStream<'s>,
        reads_early: bool,
    ) -> Result<Self, ErrorStack> {
        let tls = SslStream::new(ssl, stream)?;
        Ok(Self { tls, reads_early })
    }

    /// Reads until the client has answered a CertificateRequest after the handshake.
    fn wait_for_answer(&mut self, before: u32) -> Result<(), Failure> {
        loop {
            let answered =
                callbacks::of(self.tls.ssl()).is_some_and(|noted| noted.lock().finished > before);
            if answered {
                return Ok(());
            }
            match self.tls.ssl_peek(&mut [0]) {
                // The library has read something that is no data.
                Err(error)
                    if error.code() == ErrorCode::WANT_READ && error.io_error().is_none() => {}
                Err(error) => return Err(failure(&error)),
                Ok(_) => {
                    let text = "got application data, expected the client's Certificate after the handshake";
                    return Err(Failure::Other(text.to_owned()));
                }
            }
        }
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        let most = self
            .tls
            .ssl()
            .session()
            .map_or(0, SslSessionRef::max_early_data);
        if usize::try_from(most).is_ok_and(|most| most < octets.len()) {
            return Ok(false);
        }
        let written = self
            .tls
            .write_early_data(octets)
            .map_err(|error| failure(&error))?;
        Ok(written == octets.len())
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        let mut data = Vec::new();
        let mut buffer = [0; REQUEST.len()];
        while self.reads_early {
            let read = self
                .tls
                .read_early_data(&mut buffer)
                .map_err(|error| failure(&error))?;
            match buffer.get(..read) {
                None | Some([]) => break,
                Some(octets) => data.extend_from_slice(octets),
            }
        }
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        self.tls.do_handshake().map_err(|error| failure(&error))
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let ssl = self.tls.ssl();
        let certificate = ssl.peer_certificate();
        let digest = certificate.and_then(|it| it.digest(MessageDigest::sha256()).ok());
        report.peer_certificate = digest.map(|digest| Hex(digest.to_vec()));
        report.resumed = Some(ssl.session_reused());
        report.early_data = ffi::early_data_accepted(ssl);
    }

    fn authenticate(&mut self) -> Result<(), Failure> {
        let Some(noted) = callbacks::of(self.tls.ssl()).cloned() else {
            return Ok(());
        };
        if !noted.lock().may_be_asked {
            return Ok(());
        }
        let before = noted.lock().finished;
        ffi::verify_client_post_handshake(self.tls.ssl())
            .map_err(|error| Failure::Tls(error.to_string()))?;
        self.tls.do_handshake().map_err(|error| failure(&error))?;
        self.wait_for_answer(before)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.tls.ssl_read(buffer) {
                Ok(length) => return Ok(length),
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => return Ok(0),
                Err(error)
                    if error.code() == ErrorCode::WANT_READ && error.io_error().is_none() => {}
                Err(error) => return Err(failure(&error)),
            }
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        // Without partial writes, which the library has to be told to make, it is all or nothing.
        self.tls
            .ssl_write(octets)
            .map(drop)
            .map_err(|error| failure(&error))
    }

    fn close(&mut self) -> Result<(), Failure> {
        match self.tls.shutdown() {
            Ok(ShutdownResult::Sent | ShutdownResult::Received) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// `SSL_R_UNEXPECTED_EOF_WHILE_READING`: to OpenSSL 4.0, a transport that ends is an error of TLS.
const UNEXPECTED_EOF: i32 = 294;

/// What ended a connection: an I/O error without one of the library's is the transport's.
fn failure(error: &Error) -> Failure {
    let is_tls = |stack: &ErrorStack| {
        let mut errors = stack.errors().iter();
        errors.all(|it| it.reason_code() != UNEXPECTED_EOF)
    };
    if error.ssl_error().is_some_and(is_tls) {
        Failure::Tls(error.to_string())
    } else {
        Failure::Other(error.to_string())
    }
}

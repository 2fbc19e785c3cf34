//! One connection of the library, as the contract's session.

use std::ptr;

use reqmtls_contract::{ConnectionReport, Failure, Hex, Policy, REQUEST, Session, Side};

use crate::callbacks::{self, note_alert};
use crate::context::Context;
use crate::library::{Argument, Fd, Owned, check, error, error_text, experimental, preliminary};
use crate::{ffi, parameters, transport};

/// Calls wait for as long as the transport does.
const FOREVER: ffi::PRIntervalTime = ffi::PRIntervalTime::MAX;

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    socket: Fd,
    /// Owned, and used by callbacks while the library works: a reference would claim to be the only one.
    context: *mut Context<'a, 's>,
    /// Client: it has sent early data.
    sent_early: bool,
}

impl<'a, 's> Connection<'a, 's> {
    pub(crate) fn new(context: Context<'a, 's>) -> Result<Self, Failure> {
        let (setup, side) = (context.setup, context.side);
        let mut connection = Self {
            socket: ptr::null_mut(),
            context: Box::into_raw(Box::new(context)),
            sent_early: false,
        };
        connection.socket = transport::open(connection.context)?;
        let (socket, argument) = (connection.socket, connection.argument());
        // SAFETY: the socket is alive, the context outlives it, and the callbacks have the types that the functions
        // take.
        unsafe {
            check(ffi::SSL_ResetHandshake(
                socket,
                (side == Side::Server).into(),
            ))?;
            check(ffi::SSL_AuthCertificateHook(
                socket,
                Some(callbacks::verify),
                argument,
            ))?;
            let (sent, received) = (note_alert::<true>, note_alert::<false>);
            check(ffi::SSL_AlertSentCallback(socket, Some(sent), argument))?;
            check(ffi::SSL_AlertReceivedCallback(
                socket,
                Some(received),
                argument,
            ))?;
            experimental!(c"SSL_SecretCallback",
                socket => Fd, Some(callbacks::log_key) => ffi::SSLSecretCallback, argument => Argument)?;
        }
        parameters::set(socket, setup)?;
        connection.set(ffi::SSL_ENABLE_SESSION_TICKETS, true)?;
        Ok(connection)
    }

    pub(crate) fn socket(&self) -> Fd {
        self.socket
    }

    /// What callbacks are called with.
    pub(crate) fn argument(&self) -> Argument {
        self.context.cast()
    }

    pub(crate) fn context(&mut self) -> &mut Context<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.context }
    }

    pub(crate) fn set(&self, option: u32, on: bool) -> Result<(), Failure> {
        // SAFETY: the socket is alive.
        check(unsafe { ffi::SSL_OptionSet(self.socket, option.cast_signed(), on.into()) })
    }

    /// What ended the connection.
    fn failure(&mut self) -> Failure {
        match self.context().transport.take() {
            Some(error) => Failure::Other(error),
            None if error() == ffi::PR_END_OF_FILE_ERROR => truncated(),
            None => Failure::Tls(error_text()),
        }
    }

    /// Takes the handshake as far as it goes: to its end, or to where early data is to be read. Whether it is complete.
    fn advance(&mut self) -> Result<bool, Failure> {
        // SAFETY: the socket is alive.
        let is_complete = unsafe { ffi::SSL_ForceHandshake(self.socket) } == ffi::SECSuccess;
        if is_complete || error() == ffi::PR_WOULD_BLOCK_ERROR {
            Ok(is_complete)
        } else {
            Err(self.failure())
        }
    }
}

impl Drop for Connection<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: both were made for this connection; the socket, which uses the context, ends first.
        unsafe {
            if !self.socket.is_null() {
                ffi::PR_Close(self.socket);
            }
            drop(Box::from_raw(self.context));
        }
    }
}

fn truncated() -> Failure {
    Failure::Other("got the end of the stream, expected more of TLS".to_owned())
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        self.context().waits = false;
        self.advance()?;
        self.context().waits = true;
        self.sent_early = preliminary(self.socket).canSendEarlyData != 0;
        if self.sent_early {
            self.write(octets)?;
        }
        Ok(self.sent_early)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        let mut data = vec![0; REQUEST.len()];
        let length = if self.advance()? {
            0
        } else {
            self.read(&mut data)?
        };
        data.truncate(length);
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        while !self.advance()? {}
        Ok(())
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let (mut info, mut digest) = (ffi::SSLChannelInfo::default(), [0; 32]);
        let length = u32::try_from(size_of_val(&info)).unwrap_or_default();
        // SAFETY: the socket is alive, there is room for what the library writes, and SHA-256 has 32 octets.
        unsafe {
            ffi::SSL_GetChannelInfo(self.socket, &raw mut info, length);
            let certificate = ffi::SSL_PeerCertificate(self.socket);
            if let Ok(certificate) = Owned::new(certificate, ffi::CERT_DestroyCertificate) {
                let der = (*certificate.raw()).derCert;
                let (sha256, length) = (ffi::SEC_OID_SHA256, der.len.cast_signed());
                ffi::PK11_HashBuf(sha256, digest.as_mut_ptr(), der.data, length);
                report.peer_certificate = Some(Hex::from(&digest[..]));
            }
        }
        let accepted = info.earlyDataAccepted != 0;
        report.resumed = Some(info.resumed != 0);
        // A server is not shown that early data came which it did not accept.
        report.early_data = (self.sent_early || accepted).then_some(accepted);
    }

    fn authenticate(&mut self) -> Result<(), Failure> {
        if self.context().setup.policy != Some(Policy::PostHandshake) {
            return Ok(());
        }
        // SAFETY: the socket is alive, and the type is the function's.
        let asked = unsafe { experimental!(c"SSL_SendCertificateRequest", self.socket => Fd) };
        match error() {
            _ if asked.is_ok() => self.handshake(),
            // The client did not offer to be asked, or it is TLS 1.2.
            ffi::SSL_ERROR_MISSING_POST_HANDSHAKE_AUTH_EXTENSION | ffi::SEC_ERROR_INVALID_ARGS => {
                Ok(())
            }
            _ => Err(self.failure()),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let length = i32::try_from(buffer.len()).unwrap_or(i32::MAX);
        loop {
            let to = buffer.as_mut_ptr().cast();
            // SAFETY: the socket is alive, and there is room for that many octets.
            let done = unsafe { ffi::PR_Recv(self.socket, to, length, 0, FOREVER) };
            match usize::try_from(done) {
                Ok(0) if !self.context().closed => return Err(truncated()),
                Ok(done) => return Ok(done),
                // A record has come without application data.
                Err(_) if error() == ffi::PR_WOULD_BLOCK_ERROR => {}
                Err(_) => return Err(self.failure()),
            }
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let length = i32::try_from(octets.len()).unwrap_or(i32::MAX);
        let from = octets.as_ptr().cast();
        // SAFETY: the socket is alive, and there are that many octets. A transport that blocks takes all or fails.
        if unsafe { ffi::PR_Send(self.socket, from, length, 0, FOREVER) } == length {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the socket is alive.
        if unsafe { ffi::PR_Shutdown(self.socket, ffi::PR_SHUTDOWN_SEND) } == ffi::PR_SUCCESS {
            Ok(())
        } else {
            Err(self.failure())
        }
    }
}

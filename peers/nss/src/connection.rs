//! One connection of the library, as the contract's session.

use std::ffi::{c_int, c_uint};

use reqmtls_contract::{ConnectionReport, Failure, Hex, Policy, REQUEST, Session, Side};

use crate::callbacks::{self, Context};
use crate::library::{Owned, check, error, error_text, experimental};
use crate::transport::Socket;
use crate::{ffi, parameters};

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    socket: Socket,
    /// Used by callbacks while the library works, so no reference to it lives during its calls. Goes after `socket`.
    context: Place<'a, 's>,
    /// Client: it has sent early data.
    sent_early: bool,
}

struct Place<'a, 's>(*mut Context<'a, 's>);

impl Drop for Place<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: it was a box, and the socket that has its address is gone.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

impl<'a, 's> Connection<'a, 's> {
    pub(crate) fn new(context: Context<'a, 's>) -> Result<Self, Failure> {
        let (setup, side) = (context.setup, context.side);
        let context = Place(Box::into_raw(Box::new(context)));
        let socket = Socket::new(context.0)?;
        let argument = context.0.cast();
        // SAFETY: the socket is alive, the context outlives it, and the callbacks have the types that the functions
        // take.
        unsafe {
            let raw = socket.raw();
            check(ffi::SSL_ResetHandshake(raw, (side == Side::Server).into()))?;
            check(ffi::SSL_AuthCertificateHook(raw, Some(callbacks::verify), argument))?;
            check(ffi::SSL_AlertSentCallback(raw, Some(callbacks::alert_sent), argument))?;
            check(ffi::SSL_AlertReceivedCallback(raw, Some(callbacks::alert_received), argument))?;
            check(experimental!(
                c"SSL_SecretCallback",
                raw => *mut ffi::PRFileDesc,
                Some(callbacks::log_key) => ffi::SSLSecretCallback,
                argument => *mut std::ffi::c_void,
            ))?;
        }
        parameters::set(socket.raw(), setup)?;
        socket.set(ffi::SSL_ENABLE_SESSION_TICKETS, true)?;
        Ok(Self {
            socket,
            context,
            sent_early: false,
        })
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(crate) fn argument(&self) -> *mut std::ffi::c_void {
        self.context.0.cast()
    }

    /// Sends and reads `tls_flags`, which the library then leaves to the application.
    pub(crate) fn hook_flags(&self, extension: u16) -> Result<(), Failure> {
        // SAFETY: the socket is alive, the context outlives it, and the types are the function's.
        check(unsafe {
            experimental!(
                c"SSL_InstallExtensionHooks",
                self.socket.raw() => *mut ffi::PRFileDesc,
                extension => u16,
                Some(callbacks::write_flags) => ffi::SSLExtensionWriter,
                self.argument() => *mut std::ffi::c_void,
                Some(callbacks::read_flags) => ffi::SSLExtensionHandler,
                self.argument() => *mut std::ffi::c_void,
            )
        })
    }

    pub(crate) fn context(&mut self) -> &mut Context<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.context.0 }
    }

    /// What ended the connection.
    fn failure(&mut self) -> Failure {
        if let Some(error) = self.context().transport.take() {
            return Failure::Other(error);
        }
        if error() == ffi::PR_END_OF_FILE_ERROR {
            return truncated();
        }
        Failure::Tls(error_text())
    }

    /// Takes the handshake as far as it goes: to its end, or to where early data is to be read. Whether it is complete.
    fn advance(&mut self) -> Result<bool, Failure> {
        // SAFETY: the socket is alive.
        let status = unsafe { ffi::SSL_ForceHandshake(self.socket.raw()) };
        if status != ffi::SECSuccess && error() != ffi::PR_WOULD_BLOCK_ERROR {
            return Err(self.failure());
        }
        Ok(status == ffi::SECSuccess)
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
        let mut info = ffi::SSLPreliminaryChannelInfo::default();
        let length = c_uint::try_from(size_of_val(&info)).unwrap_or_default();
        // SAFETY: the socket is alive, and there is room for what the library writes.
        check(unsafe {
            ffi::SSL_GetPreliminaryChannelInfo(self.socket.raw(), &raw mut info, length)
        })?;
        self.sent_early = info.canSendEarlyData != 0;
        if self.sent_early {
            self.write(octets)?;
        }
        Ok(self.sent_early)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        let mut data = vec![0; REQUEST.len()];
        let length = if self.advance()? { 0 } else { self.read(&mut data)? };
        data.truncate(length);
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        while !self.advance()? {}
        Ok(())
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let mut info = ffi::SSLChannelInfo::default();
        let length = c_uint::try_from(size_of_val(&info)).unwrap_or_default();
        let mut digest = vec![0; 32];
        // SAFETY: the socket is alive, there is room for what the library writes, and SHA-256 has 32 octets.
        unsafe {
            if ffi::SSL_GetChannelInfo(self.socket.raw(), &raw mut info, length) != ffi::SECSuccess {
                return;
            }
            let certificate = ffi::SSL_PeerCertificate(self.socket.raw());
            if let Ok(certificate) = Owned::new(certificate, ffi::CERT_DestroyCertificate) {
                let der = (*certificate.raw()).derCert;
                let length = der.len.cast_signed();
                let sha256 = ffi::SEC_OID_SHA256;
                if ffi::PK11_HashBuf(sha256, digest.as_mut_ptr(), der.data, length) == ffi::SECSuccess
                {
                    report.peer_certificate = Some(Hex(digest));
                }
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
        let status = unsafe {
            experimental!(
                c"SSL_SendCertificateRequest",
                self.socket.raw() => *mut ffi::PRFileDesc,
            )
        };
        if status == ffi::SECSuccess {
            return self.handshake();
        }
        // The client did not offer to be asked, or it is TLS 1.2.
        let not_offered = [
            ffi::SSL_ERROR_MISSING_POST_HANDSHAKE_AUTH_EXTENSION,
            ffi::SEC_ERROR_INVALID_ARGS,
        ];
        if not_offered.contains(&error()) {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let length = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
        loop {
            // SAFETY: the socket is alive, and there is room for that many octets.
            let done = unsafe {
                let forever = ffi::PRIntervalTime::MAX;
                ffi::PR_Recv(self.socket.raw(), buffer.as_mut_ptr().cast(), length, 0, forever)
            };
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
        let length = c_int::try_from(octets.len()).unwrap_or(c_int::MAX);
        // SAFETY: the socket is alive, and there are that many octets. A transport that blocks takes all or fails.
        let done = unsafe {
            let forever = ffi::PRIntervalTime::MAX;
            ffi::PR_Send(self.socket.raw(), octets.as_ptr().cast(), length, 0, forever)
        };
        if done == length {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the socket is alive.
        let status = unsafe { ffi::PR_Shutdown(self.socket.raw(), ffi::PR_SHUTDOWN_SEND) };
        if status == ffi::PR_SUCCESS {
            Ok(())
        } else {
            Err(self.failure())
        }
    }
}

/// A session that the other end gave, to be offered again.
pub(crate) fn offer(connection: &Connection<'_, '_>, session: &[u8]) -> Result<(), Failure> {
    let length = c_uint::try_from(session.len()).unwrap_or_default();
    // SAFETY: the socket is alive, the library copies that many octets, and the types are the function's.
    check(unsafe {
        experimental!(
            c"SSL_SetResumptionToken",
            connection.socket.raw() => *mut ffi::PRFileDesc,
            session.as_ptr() => *const u8,
            length => c_uint,
        )
    })
}

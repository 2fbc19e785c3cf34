//! One connection of the library, as the contract's session.

use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::PoisonError;

use reqmtls_contract::{
    BlockingStream, ConnectionReport, ConnectionState, Failure, Hex, Policy, REQUEST, Session, Side,
};

use crate::callbacks::{self, Noted};
use crate::end::End;
use crate::ffi;
use crate::hello::Hello;
use crate::library::{Owned, check, error, length};

/// The most octets of Finished.
const MOST: usize = 64;
/// The level of error alerts.
const FATAL: c_int = 2;
/// The type of name in `server_name`.
const HOST_NAME: u8 = 0;

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    ssl: *mut ffi::WOLFSSL,
    /// Owned. Used by callbacks while the library works, so no reference to it lives during its calls.
    noted: *mut Noted<'a, 's>,
    end: &'a End,
    /// Early data was sent (client) or read (server).
    early: bool,
}

impl Drop for Connection<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: both were made for this connection; the library's, which has the other's address, ends first.
        unsafe {
            ffi::wolfSSL_free(self.ssl);
            drop(Box::from_raw(self.noted));
        }
    }
}

impl<'a, 's> Connection<'a, 's> {
    pub(crate) fn new(
        end: &'a End,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
        resumes: bool,
    ) -> Result<Self, Failure> {
        let early = false;
        // SAFETY: the context is alive, and the connection is made for its caller. It lives no longer than what it has
        // the address of.
        unsafe {
            let ssl = ffi::wolfSSL_new(end.context.raw());
            check("connection", c_int::from(!ssl.is_null()))?;
            let noted = Box::into_raw(Box::new(Noted::new(end, stream, state)));
            let connection = Self {
                ssl,
                noted,
                end,
                early,
            };
            ffi::wolfSSL_SetIOReadCtx(ssl, noted.cast());
            ffi::wolfSSL_SetIOWriteCtx(ssl, noted.cast());
            match end.side {
                Side::Client => connection.prepare_client(resumes)?,
                Side::Server => {
                    Hello::default().decide(ssl, &end.setup);
                    let callback = Some(callbacks::master_secret as _);
                    ffi::wolfSSL_set_secret_cb(ssl, callback, ptr::null_mut());
                }
            }
            if end.setup.flag.is_some() {
                ffi::wolfSSL_set_tlsext_debug_callback(ssl, Some(callbacks::extension));
            }
            Ok(connection)
        }
    }

    /// # Safety
    ///
    /// The connection has not begun.
    unsafe fn prepare_client(&self, resumes: bool) -> Result<(), Failure> {
        let setup = &self.end.setup;
        let name = CString::new(setup.server_name.as_deref().unwrap_or_default());
        let name = name.map_err(|error| Failure::Other(error.to_string()))?;
        let session = self.end.session.lock();
        let session = session.unwrap_or_else(PoisonError::into_inner);
        let (data, size) = (name.as_ptr().cast(), length(name.as_bytes())?);
        // SAFETY: what the caller promises; the library copies the name, and counts its own references to the session,
        // which is of a connection of this context.
        unsafe {
            let returned = ffi::wolfSSL_UseSNI(self.ssl, HOST_NAME, data, size);
            check("server_name", returned)?;
            let returned = ffi::wolfSSL_check_domain_name(self.ssl, name.as_ptr());
            check("server_name", returned)?;
            match &*session {
                Some(session) if resumes => {
                    check("session", ffi::wolfSSL_set_session(self.ssl, session.raw()))
                }
                _ => Ok(()),
            }
        }
    }

    pub(crate) fn raw(&self) -> *mut ffi::WOLFSSL {
        self.ssl
    }

    fn noted(&mut self) -> &mut Noted<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.noted }
    }

    /// What a call returned, or what ended the connection; 0 is the end of what comes.
    fn outcome(&mut self, returned: c_int) -> Result<usize, Failure> {
        let mut history = ffi::WOLFSSL_ALERT_HISTORY::default();
        // SAFETY: the connection is alive, so is the place for the history, and it was the last call.
        let code = unsafe {
            ffi::wolfSSL_get_alert_history(self.ssl, &raw mut history);
            ffi::wolfSSL_get_error(self.ssl, returned)
        };
        let end = code == ffi::WOLFSSL_ERROR_ZERO_RETURN.cast_signed();
        let mut tls = self.noted().refused;
        for (sent, alert) in [(true, history.last_tx), (false, history.last_rx)] {
            // No alert is -1, and close_notify 0.
            if let (Ok(description @ 1..), FATAL) = (u8::try_from(alert.code), alert.level) {
                self.noted().state.note_alert(sent, description);
                tls = true;
            }
        }
        match usize::try_from(returned) {
            Ok(done) if done > 0 || end => Ok(done),
            _ => Err(match self.noted().transport.take() {
                Some(error) if !tls => Failure::Other(error),
                _ => Failure::Tls(error(code)),
            }),
        }
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        let (data, size, mut done) = (octets.as_ptr().cast(), length(octets)?, 0);
        // SAFETY: the connection is alive, and there are that many octets.
        let returned =
            unsafe { ffi::wolfSSL_write_early_data(self.ssl, data, size, &raw mut done) };
        // The session that is offered, if any, does not allow it.
        if returned == ffi::BAD_STATE_E {
            return Ok(false);
        }
        self.outcome(returned)?;
        self.early = true;
        Ok(true)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        let mut data = Vec::new();
        while self.end.setup.early_data && data.len() < REQUEST.len() {
            let mut buffer = [0; REQUEST.len()];
            let rest = &mut buffer[data.len()..];
            let (place, size, mut done) = (rest.as_mut_ptr().cast(), length(rest)?, 0);
            // SAFETY: the connection is alive, and there is room for that many octets.
            let returned =
                unsafe { ffi::wolfSSL_read_early_data(self.ssl, place, size, &raw mut done) };
            // There is none, or no more.
            if returned == 0 {
                break;
            }
            let done = self.outcome(returned)?;
            data.extend_from_slice(&rest[..done]);
            self.early = true;
        }
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive.
        let returned = unsafe {
            match self.end.side {
                Side::Client => ffi::wolfSSL_connect(self.ssl),
                Side::Server => ffi::wolfSSL_accept(self.ssl),
            }
        };
        self.outcome(returned)?;
        // A client without a certificate learns of them here.
        if self.noted().malformed {
            self.close()?;
            return Err(Failure::Tls("got malformed tls_flags".to_owned()));
        }
        Ok(())
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let (mut digest, mut size) = ([0; 32], 0);
        // SAFETY: the connection is alive, the certificate is made for its caller, and SHA-256 has 32 octets.
        unsafe {
            let certificate = ffi::wolfSSL_get_peer_certificate(self.ssl);
            if let Ok(certificate) = Owned::new(certificate, ffi::wolfSSL_X509_free) {
                let (to, sha256) = (digest.as_mut_ptr(), ffi::wolfSSL_EVP_sha256());
                ffi::wolfSSL_X509_digest(certificate.raw(), sha256, to, &raw mut size);
                report.peer_certificate = Some(Hex(digest.to_vec()));
            }
            report.resumed = Some(ffi::wolfSSL_session_reused(self.ssl) == 1);
            let status = ffi::wolfSSL_get_early_data_status(self.ssl);
            report.early_data = match self.end.side {
                Side::Client => self
                    .early
                    .then_some(status == ffi::WOLFSSL_EARLY_DATA_ACCEPTED),
                Side::Server if status == ffi::WOLFSSL_EARLY_DATA_NOT_SENT => None,
                Side::Server => self.end.setup.early_data.then_some(self.early),
            };
        }
    }

    fn authenticate(&mut self) -> Result<(), Failure> {
        if self.end.setup.policy != Some(Policy::PostHandshake) {
            return Ok(());
        }
        let before = finished(self.ssl);
        // SAFETY: the connection is alive. While the library groups messages, the request would wait for what is written
        // next.
        let returned = unsafe {
            ffi::wolfSSL_clear_group_messages(self.ssl);
            ffi::wolfSSL_set_verify(self.ssl, ffi::WOLFSSL_VERIFY_PEER.cast_signed(), None);
            ffi::wolfSSL_request_certificate(self.ssl)
        };
        // The client did not offer to be asked, or the version has no such thing.
        if [ffi::POST_HAND_AUTH_ERROR, ffi::BAD_FUNC_ARG].contains(&returned) {
            return Ok(());
        }
        self.outcome(returned)?;
        self.noted().finished = Some(before.clone());
        let mut octet = 0_u8;
        // SAFETY: the connection is alive, and there is room for one octet.
        let returned = unsafe { ffi::wolfSSL_peek(self.ssl, (&raw mut octet).cast(), 1) };
        self.noted().finished = None;
        if finished(self.ssl) != before {
            return Ok(());
        }
        self.outcome(returned)?;
        let text = "got more than the request, expected the client's answer to CertificateRequest";
        Err(Failure::Other(text.to_owned()))
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let (place, size) = (buffer.as_mut_ptr().cast(), length(buffer)?);
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe { ffi::wolfSSL_read(self.ssl, place, size) };
        self.outcome(returned)
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let (data, size) = (octets.as_ptr().cast(), length(octets)?);
        // SAFETY: the connection is alive, and there are that many octets. Without partial writes, which the library has
        // to be asked for, it is all or nothing.
        let returned = unsafe { ffi::wolfSSL_write(self.ssl, data, size) };
        self.outcome(returned).map(drop)
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive.
        match unsafe { ffi::wolfSSL_shutdown(self.ssl) } {
            0.. => Ok(()),
            returned => self.outcome(returned).map(drop),
        }
    }
}

/// The other end's Finished that came last, which another after the handshake replaces.
pub(crate) fn finished(ssl: *mut ffi::WOLFSSL) -> Vec<u8> {
    let mut data = vec![0; MOST];
    // SAFETY: the caller's connection is alive, and there is room for that many octets.
    let length = unsafe { ffi::wolfSSL_get_peer_finished(ssl, data.as_mut_ptr().cast(), MOST) };
    data.truncate(length);
    data
}

//! One connection of the library, as the contract's session.

use std::ffi::{c_int, c_uint};
use std::marker::PhantomData;

use reqmtls_contract::{ConnectionReport, Failure, Hex, REQUEST, Session, Side};

use crate::callbacks::Noted;
use crate::context::Context;
use crate::ffi;
use crate::library::{Owned, Refused, error};

/// The most octets of Finished.
const MOST: usize = 64;

/// The level of error alerts.
const FATAL: c_int = 2;

const EARLY_DATA_NOT_SENT: c_int = ffi::WOLFSSL_EARLY_DATA_NOT_SENT.cast_signed();
const EARLY_DATA_ACCEPTED: c_int = ffi::WOLFSSL_EARLY_DATA_ACCEPTED.cast_signed();

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    ssl: Owned<ffi::WOLFSSL>,
    /// Used by callbacks while the library works, so no reference to it lives during its calls. Goes after `ssl`.
    noted: Place<'a, 's>,
    side: Side,
    /// Server: it takes early data. Client: it has sent some.
    early: bool,
    /// Server: it has read early data.
    read_early: bool,
    borrows: PhantomData<&'a Context>,
}

struct Place<'a, 's>(*mut Noted<'a, 's>);

impl Drop for Place<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: it was a box, and the connection that has its address is gone.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

impl<'a, 's> Connection<'a, 's> {
    /// A connection of a context; `early`: a server that takes early data.
    pub(crate) fn new(
        context: &'a Context,
        side: Side,
        early: bool,
        noted: Noted<'a, 's>,
    ) -> Result<Self, Refused> {
        let noted = Place(Box::into_raw(Box::new(noted)));
        // SAFETY: the context is alive, and the connection is made for its caller and lives no longer than what it has the
        // address of.
        let ssl = unsafe {
            let ssl = Owned::new(ffi::wolfSSL_new(context.raw()), ffi::wolfSSL_free)?;
            ffi::wolfSSL_SetIOReadCtx(ssl.raw(), noted.0.cast());
            ffi::wolfSSL_SetIOWriteCtx(ssl.raw(), noted.0.cast());
            ssl
        };
        Ok(Self {
            ssl,
            noted,
            side,
            early,
            read_early: false,
            borrows: PhantomData,
        })
    }

    pub(crate) fn raw(&self) -> *mut ffi::WOLFSSL {
        self.ssl.raw()
    }

    fn noted(&mut self) -> &mut Noted<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.noted.0 }
    }

    /// What a call returned, or what ended the connection; 0 is the end of what comes.
    fn outcome(&mut self, returned: c_int) -> Result<usize, Failure> {
        // SAFETY: the connection is alive; it was the last call.
        let code = unsafe { ffi::wolfSSL_get_error(self.raw(), returned) };
        let end = code == ffi::WOLFSSL_ERROR_ZERO_RETURN.cast_signed();
        let alert = self.note_alerts();
        if self.noted().refused {
            let text = "got tls_flags that are malformed, or other than in the first ClientHello";
            return Err(Failure::Tls(text.to_owned()));
        }
        match usize::try_from(returned) {
            Ok(done) if done > 0 || end => Ok(done),
            _ => Err(match self.noted().transport.take() {
                Some(error) if !alert => Failure::Other(error),
                _ => Failure::Tls(error(code)),
            }),
        }
    }

    /// Whether there was an error alert, in either direction.
    fn note_alerts(&mut self) -> bool {
        let mut history = ffi::WOLFSSL_ALERT_HISTORY::default();
        // SAFETY: the connection is alive, and so is the place for the history.
        unsafe { ffi::wolfSSL_get_alert_history(self.raw(), &raw mut history) };
        let mut noted = false;
        for (sent, alert) in [(true, history.last_tx), (false, history.last_rx)] {
            // No alert is -1, and close_notify 0.
            if let Ok(description @ 1..) = u8::try_from(alert.code)
                && alert.level == FATAL
            {
                self.noted().state.note_alert(sent, description);
                noted = true;
            }
        }
        noted
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        let length = c_int::try_from(octets.len()).unwrap_or(c_int::MAX);
        let mut done = 0;
        // SAFETY: the connection is alive, and there are that many octets.
        let returned = unsafe {
            ffi::wolfSSL_write_early_data(self.raw(), octets.as_ptr().cast(), length, &raw mut done)
        };
        // The session that is offered, if any, does not allow it.
        if returned == ffi::BAD_STATE_E {
            return Ok(false);
        }
        self.outcome(returned)?;
        self.early = true;
        Ok(true)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        let mut data = vec![0; REQUEST.len()];
        let mut filled = 0;
        while self.early && filled < data.len() {
            let room = &mut data[filled..];
            let length = c_int::try_from(room.len()).unwrap_or(c_int::MAX);
            let mut done = 0;
            // SAFETY: the connection is alive, and there is room for that many octets.
            let returned = unsafe {
                ffi::wolfSSL_read_early_data(
                    self.ssl.raw(),
                    room.as_mut_ptr().cast(),
                    length,
                    &raw mut done,
                )
            };
            // That there is none, or no more.
            if returned == 0 {
                break;
            }
            self.outcome(returned)?;
            self.read_early = true;
            filled += usize::try_from(done).unwrap_or(0);
        }
        data.truncate(filled);
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive.
        let returned = unsafe {
            match self.side {
                Side::Client => ffi::wolfSSL_connect(self.raw()),
                Side::Server => ffi::wolfSSL_accept(self.raw()),
            }
        };
        self.outcome(returned).map(drop)
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let mut digest = [0; 32];
        let mut length: c_uint = 0;
        // SAFETY: the connection is alive, the certificate is made for its caller, and SHA-256 has 32 octets.
        unsafe {
            let certificate = ffi::wolfSSL_get_peer_certificate(self.raw());
            if let Ok(certificate) = Owned::new(certificate, ffi::wolfSSL_X509_free)
                && ffi::wolfSSL_X509_digest(
                    certificate.raw(),
                    ffi::wolfSSL_EVP_sha256(),
                    digest.as_mut_ptr(),
                    &raw mut length,
                ) == 1
            {
                report.peer_certificate = Some(Hex(digest.to_vec()));
            }
            report.resumed = Some(ffi::wolfSSL_session_reused(self.raw()) == 1);
            let status = ffi::wolfSSL_get_early_data_status(self.raw());
            report.early_data = match self.side {
                Side::Client => self.early.then_some(status == EARLY_DATA_ACCEPTED),
                Side::Server if self.early && status != EARLY_DATA_NOT_SENT => {
                    Some(self.read_early)
                }
                Side::Server => None,
            };
        }
    }

    fn authenticate(&mut self) -> Result<(), Failure> {
        let is_due = |noted: &Noted<'_, '_>| noted.rules.is_some_and(|it| it.asks_afterwards());
        if !is_due(self.noted()) {
            return Ok(());
        }
        let before = finished(self.raw());
        // SAFETY: the connection is alive. While the library groups messages, the request would wait for what is written
        // next.
        let returned = unsafe {
            ffi::wolfSSL_clear_group_messages(self.raw());
            ffi::wolfSSL_set_verify(self.raw(), ffi::WOLFSSL_VERIFY_PEER.cast_signed(), None);
            ffi::wolfSSL_request_certificate(self.raw())
        };
        // The client did not offer to be asked, or the version has no such thing.
        if [ffi::POST_HAND_AUTH_ERROR, ffi::BAD_FUNC_ARG].contains(&returned) {
            return Ok(());
        }
        self.outcome(returned)?;
        self.noted().finished = Some(before.clone());
        let mut octet = 0_u8;
        // SAFETY: the connection is alive, and there is room for one octet.
        let returned = unsafe { ffi::wolfSSL_peek(self.raw(), (&raw mut octet).cast(), 1) };
        self.noted().finished = None;
        if finished(self.raw()) != before {
            return Ok(());
        }
        self.outcome(returned)?;
        let text = "got more than the request, expected the client's answer to CertificateRequest";
        Err(Failure::Other(text.to_owned()))
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let length = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe { ffi::wolfSSL_read(self.raw(), buffer.as_mut_ptr().cast(), length) };
        self.outcome(returned)
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let length = c_int::try_from(octets.len()).unwrap_or(c_int::MAX);
        // SAFETY: the connection is alive, and there are that many octets. Without partial writes, which the library has
        // to be asked for, it is all or nothing.
        let returned = unsafe { ffi::wolfSSL_write(self.raw(), octets.as_ptr().cast(), length) };
        self.outcome(returned).map(drop)
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive.
        let returned = unsafe { ffi::wolfSSL_shutdown(self.raw()) };
        if returned >= 0 {
            return Ok(());
        }
        self.outcome(returned).map(drop)
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

//! One connection of the library, as the contract's session.

use std::ffi::{c_int, c_long, c_uint};
use std::marker::PhantomData;

use aws_lc_sys as ffi;
use reqmtls_contract::{ConnectionReport, Failure, Hex, REQUEST, Session, Side};

use crate::callbacks::{self, Noted};
use crate::context::Context;
use crate::library::{Owned, Refused, check, errors, text};

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    ssl: Owned<ffi::SSL>,
    /// Used by callbacks while the library works, so no reference to it lives during its calls. Goes after `ssl`.
    noted: Place<'a, 's>,
    side: Side,
    /// Client: it has sent early data.
    sent_early: bool,
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
    pub(crate) fn new(
        context: &'a Context,
        side: Side,
        noted: Noted<'a, 's>,
    ) -> Result<Self, Refused> {
        let noted = Place(Box::into_raw(Box::new(noted)));
        // SAFETY: the context is alive, and the connection is made for its caller. It takes the transport, which is new,
        // and both live no longer than what they have the address of.
        let ssl = unsafe {
            let ssl = Owned::new(ffi::SSL_new(context.raw()), ffi::SSL_free)?;
            check(ffi::SSL_set_ex_data(
                ssl.raw(),
                callbacks::PLACE,
                noted.0.cast(),
            ))?;
            let transport = ffi::BIO_new(callbacks::transport());
            if transport.is_null() {
                return Err(Refused(errors()));
            }
            ffi::BIO_set_data(transport, noted.0.cast());
            ffi::BIO_set_init(transport, 1);
            ffi::SSL_set_bio(ssl.raw(), transport, transport);
            match side {
                Side::Client => ffi::SSL_set_connect_state(ssl.raw()),
                Side::Server => ffi::SSL_set_accept_state(ssl.raw()),
            }
            ssl
        };
        Ok(Self {
            ssl,
            noted,
            side,
            sent_early: false,
            borrows: PhantomData,
        })
    }

    pub(crate) fn raw(&self) -> *mut ffi::SSL {
        self.ssl.raw()
    }

    fn noted(&mut self) -> &mut Noted<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.noted.0 }
    }

    /// What a call returned that transfers octets, or the library's code for why it did not.
    fn outcome(&mut self, returned: c_int) -> Result<Result<usize, c_int>, Failure> {
        if self.noted().refused {
            let text =
                "got tls_flags that are malformed, or in a message that has no place for them";
            return Err(Failure::Tls(text.to_owned()));
        }
        match usize::try_from(returned) {
            Ok(done) if done > 0 => Ok(Ok(done)),
            // SAFETY: the connection is alive, and this is the thread of the call, which was the last one.
            _ => Ok(Err(unsafe { ffi::SSL_get_error(self.raw(), returned) })),
        }
    }

    /// What ended the connection, by the library's code.
    fn failure(&mut self, code: c_int) -> Failure {
        if let Some(error) = self.noted().transport.take() {
            return Failure::Other(error);
        }
        if code == ffi::SSL_ERROR_SYSCALL {
            return Failure::Other("got the end of the stream, expected more of TLS".to_owned());
        }
        let mut error = errors();
        // SAFETY: the connection is alive, and the text is static.
        unsafe {
            let verified = ffi::SSL_get_verify_result(self.raw());
            let silent = [ffi::X509_V_OK, ffi::X509_V_ERR_INVALID_CALL];
            if silent
                .into_iter()
                .all(|code| verified != c_long::from(code))
            {
                error.push_str(": ");
                error.push_str(&text(ffi::X509_verify_cert_error_string(verified)));
            }
        }
        Failure::Tls(error)
    }

    /// Takes the handshake as far as it goes: to its end, or to where early data flows.
    fn advance(&mut self) -> Result<(), Failure> {
        loop {
            // SAFETY: the connection is alive.
            let returned = unsafe { ffi::SSL_do_handshake(self.raw()) };
            match self.outcome(returned)? {
                Ok(_) => return Ok(()),
                // SAFETY: the connection is alive, and it waits for this call, without which it would give the same
                // code for ever.
                Err(ffi::SSL_ERROR_EARLY_DATA_REJECTED) => unsafe {
                    ffi::SSL_reset_early_data_reject(self.raw());
                },
                Err(code) => return Err(self.failure(code)),
            }
        }
    }

    /// Takes a server that has read early data through the rest of its handshake. Only a read does that, and
    /// one that goes on behind the handshake would wait for what comes after the answer.
    fn finish(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive; the function reads a number of it.
        while unsafe { ffi::SSL_is_init_finished(self.raw()) } == 0 {
            self.noted().reads = Some(1);
            let mut octet = 0_u8;
            // SAFETY: the connection is alive, and there is room for one octet.
            let returned = unsafe { ffi::SSL_read(self.raw(), (&raw mut octet).cast(), 1) };
            match self.outcome(returned)? {
                Err(ffi::SSL_ERROR_WANT_READ) => {}
                Err(code) => return Err(self.failure(code)),
                Ok(_) => {
                    let text = "got more than the request, expected the end of the handshake";
                    return Err(Failure::Other(text.to_owned()));
                }
            }
        }
        self.noted().reads = None;
        Ok(())
    }

    /// Whether what is written (client) or read (server) now is early data.
    fn is_early(&self) -> bool {
        // SAFETY: the connection is alive; the function reads a number of it.
        unsafe { ffi::SSL_in_early_data(self.raw()) == 1 }
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        self.advance()?;
        if self.is_early() {
            self.write(octets)?;
            self.sent_early = true;
        }
        Ok(self.sent_early)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        self.advance()?;
        let mut data = Vec::new();
        while self.is_early() && data.len() < REQUEST.len() {
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
        let offered = self.sent_early || self.noted().offers_early_data;
        let mut digest = [0; 32];
        let mut length: c_uint = 0;
        // SAFETY: the connection is alive, and so is its certificate during the call; SHA-256 has 32 octets.
        unsafe {
            let certificate = ffi::SSL_get0_peer_certificate(self.raw());
            if !certificate.is_null()
                && ffi::X509_digest(
                    certificate,
                    ffi::EVP_sha256(),
                    digest.as_mut_ptr(),
                    &raw mut length,
                ) == 1
            {
                report.peer_certificate = Some(Hex(digest.to_vec()));
            }
            report.resumed = Some(ffi::SSL_session_reused(self.raw()) == 1);
            let accepted = ffi::SSL_early_data_accepted(self.raw()) == 1;
            report.early_data = offered.then_some(accepted);
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let length = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe { ffi::SSL_read(self.raw(), buffer.as_mut_ptr().cast(), length) };
        match self.outcome(returned)? {
            Ok(length) => Ok(length),
            Err(ffi::SSL_ERROR_ZERO_RETURN) => Ok(0),
            Err(code) => Err(self.failure(code)),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let length = c_int::try_from(octets.len()).unwrap_or(c_int::MAX);
        // SAFETY: the connection is alive, and there are that many octets. Without partial writes, which the library has
        // to be asked for, it is all or nothing.
        let returned = unsafe { ffi::SSL_write(self.raw(), octets.as_ptr().cast(), length) };
        match self.outcome(returned)? {
            Ok(_) => Ok(()),
            Err(code) => Err(self.failure(code)),
        }
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive.
        let returned = unsafe { ffi::SSL_shutdown(self.raw()) };
        if returned >= 0 {
            return Ok(());
        }
        match self.outcome(returned)? {
            Ok(_) => Ok(()),
            Err(code) => Err(self.failure(code)),
        }
    }
}

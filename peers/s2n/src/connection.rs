//! One connection of the library, as the contract's session.

use std::marker::PhantomData;
use std::ptr;

use aws_lc_rs::digest;
use reqmtls_contract::{ConnectionReport, Failure, Hex, REQUEST, Session, Side};
use s2n_tls_sys::{
    self as ffi, s2n_blocked_status as Blocked, s2n_early_data_status_t as EarlyData,
    s2n_error_type as ErrorType, s2n_tls_version::TLS13,
};

use crate::callbacks::{self, Noted};
use crate::config::Config;
use crate::library::{Owned, Refused, check, error, error_type};

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    connection: Owned<ffi::s2n_connection>,
    /// Used by callbacks while the library works, so no reference to it lives during its calls. Goes after `connection`.
    noted: Place<'a, 's>,
    /// Server: whether it accepts early data.
    accepts_early: bool,
    borrows: PhantomData<&'a Config>,
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
        config: &'a Config,
        side: Side,
        accepts_early: bool,
        noted: Noted<'a, 's>,
    ) -> Result<Self, Refused> {
        let noted = Place(Box::into_raw(Box::new(noted)));
        let mode = match side {
            Side::Client => ffi::s2n_mode::CLIENT,
            Side::Server => ffi::s2n_mode::SERVER,
        };
        let context = noted.0.cast();
        // SAFETY: the connection is made for its caller, and lives no longer than the config and what it has the address of.
        let connection = unsafe {
            let connection = Owned::new(ffi::s2n_connection_new(mode), ffi::s2n_connection_free)?;
            let raw = connection.raw();
            check(ffi::s2n_connection_set_config(raw, config.raw()))?;
            check(ffi::s2n_connection_set_ctx(raw, context))?;
            check(ffi::s2n_connection_set_recv_ctx(raw, context))?;
            check(ffi::s2n_connection_set_send_ctx(raw, context))?;
            check(ffi::s2n_connection_set_recv_cb(
                raw,
                Some(callbacks::receive),
            ))?;
            check(ffi::s2n_connection_set_send_cb(raw, Some(callbacks::send)))?;
            connection
        };
        Ok(Self {
            connection,
            noted,
            accepts_early,
            borrows: PhantomData,
        })
    }

    pub(crate) fn raw(&self) -> *mut ffi::s2n_connection {
        self.connection.raw()
    }

    fn noted(&mut self) -> &mut Noted<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.noted.0 }
    }

    /// What ended the connection, by the thread's last failed call; the other end is sent what alert the library has
    /// for it.
    fn failure(&mut self) -> Failure {
        let (kind, text) = (error_type(), error());
        if let Some(text) = self.noted().transport.take() {
            return Failure::Other(text);
        }
        if let Some(text) = self.noted().refused.take() {
            return Failure::Tls(text);
        }
        // SAFETY: the connection is alive; the function reads a number of it, which is -1 where there was no alert.
        let alert = unsafe { ffi::s2n_connection_get_alert(self.raw()) };
        match u8::try_from(alert) {
            Ok(0) => self.send_alert(),
            Ok(alert) => self.noted().state.note_alert(false, alert),
            Err(_) if is(kind, ErrorType::CLOSED) => {
                return Failure::Other(
                    "got the end of the stream, expected more of TLS".to_owned(),
                );
            }
            Err(_) => self.send_alert(),
        }
        Failure::Tls(text)
    }

    /// Sends what the library has to say of a failure; how that goes, the other end sees.
    fn send_alert(&mut self) {
        let mut blocked = Blocked::NOT_BLOCKED;
        // SAFETY: the connection is alive.
        unsafe { ffi::s2n_shutdown_send(self.raw(), &raw mut blocked) };
    }

    fn certificate(&self) -> Result<Hex, Refused> {
        let (mut certificate, mut octets, mut length) = (ptr::null_mut(), ptr::null(), 0);
        // SAFETY: the connection is alive, the chain is made for its caller, and the certificate's octets live as long.
        unsafe {
            let chain = Owned::new(
                ffi::s2n_cert_chain_and_key_new(),
                ffi::s2n_cert_chain_and_key_free,
            )?;
            check(ffi::s2n_connection_get_peer_cert_chain(
                self.raw(),
                chain.raw(),
            ))?;
            check(ffi::s2n_cert_chain_get_cert(
                chain.raw(),
                &raw mut certificate,
                0,
            ))?;
            check(ffi::s2n_cert_get_der(
                certificate,
                &raw mut octets,
                &raw mut length,
            ))?;
            let octets = std::slice::from_raw_parts(octets, length as usize);
            Ok(Hex(digest::digest(&digest::SHA256, octets)
                .as_ref()
                .to_vec()))
        }
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        let (mut sent, mut blocked) = (0, Blocked::NOT_BLOCKED);
        // A call that may wait would wait for the server's first messages.
        self.noted().would_block = true;
        // SAFETY: the connection is alive, and there are that many octets.
        let returned = unsafe {
            ffi::s2n_send_early_data(
                self.raw(),
                octets.as_ptr(),
                octets.len().cast_signed(),
                &raw mut sent,
                &raw mut blocked,
            )
        };
        self.noted().would_block = false;
        if returned < 0 && !is(error_type(), ErrorType::BLOCKED) {
            return Err(self.failure());
        }
        Ok(sent.cast_unsigned() == octets.len())
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        let mut data = vec![0; REQUEST.len()];
        if !self.accepts_early {
            return Ok(Vec::new());
        }
        let (mut received, mut blocked) = (0, Blocked::NOT_BLOCKED);
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe {
            ffi::s2n_recv_early_data(
                self.raw(),
                data.as_mut_ptr(),
                data.len().cast_signed(),
                &raw mut received,
                &raw mut blocked,
            )
        };
        // It says so where the room is used up, too.
        if returned < 0 && blocked != Blocked::BLOCKED_ON_EARLY_DATA {
            return Err(self.failure());
        }
        data.truncate(received.cast_unsigned());
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        let mut blocked = Blocked::NOT_BLOCKED;
        // SAFETY: the connection is alive.
        match unsafe { ffi::s2n_negotiate(self.raw(), &raw mut blocked) } {
            0 => Ok(()),
            _ => Err(self.failure()),
        }
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        report.peer_certificate = self.certificate().ok();
        let mut early_data = EarlyData::NOT_REQUESTED;
        // SAFETY: the connection is alive; the functions read numbers of it.
        unsafe {
            report.resumed = Some(ffi::s2n_connection_is_session_resumed(self.raw()) == 1);
            ffi::s2n_connection_get_early_data_status(self.raw(), &raw mut early_data);
        }
        let offered = early_data != EarlyData::NOT_REQUESTED;
        report.early_data = offered.then_some(early_data != EarlyData::REJECTED);
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut blocked = Blocked::NOT_BLOCKED;
        let length = buffer.len().cast_signed();
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe {
            ffi::s2n_recv(
                self.raw(),
                buffer.as_mut_ptr().cast(),
                length,
                &raw mut blocked,
            )
        };
        usize::try_from(returned).map_err(|_| self.failure())
    }

    fn write(&mut self, mut octets: &[u8]) -> Result<(), Failure> {
        while !octets.is_empty() {
            let mut blocked = Blocked::NOT_BLOCKED;
            let length = octets.len().cast_signed();
            // SAFETY: the connection is alive, and there are that many octets.
            let returned = unsafe {
                ffi::s2n_send(self.raw(), octets.as_ptr().cast(), length, &raw mut blocked)
            };
            let written = usize::try_from(returned).map_err(|_| self.failure())?;
            octets = &octets[written..];
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let mut blocked = Blocked::NOT_BLOCKED;
        // SAFETY: the connection is alive; the function reads a number of it.
        let version = unsafe { ffi::s2n_connection_get_actual_protocol_version(self.raw()) };
        // SAFETY: the connection is alive. Before TLS 1.3 the library reads nothing more of one whose end it has sent, but
        // in the call that waits for the other's.
        let returned = unsafe {
            if version >= TLS13 {
                ffi::s2n_shutdown_send(self.raw(), &raw mut blocked)
            } else {
                ffi::s2n_shutdown(self.raw(), &raw mut blocked)
            }
        };
        match returned {
            0 => Ok(()),
            _ => Err(self.failure()),
        }
    }
}

/// Whether an error is of this type: the library has two integers for one thing.
fn is(kind: std::ffi::c_int, expected: ErrorType::Type) -> bool {
    u32::try_from(kind) == Ok(expected)
}

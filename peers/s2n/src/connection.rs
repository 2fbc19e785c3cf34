//! One connection of the library, as the contract's session.

use std::sync::PoisonError;
use std::{ptr, slice};

use aws_lc_rs::digest::{SHA256, digest};
use reqmtls_contract::{ConnectionReport, Failure, Hex, REQUEST, Session, Side};
use s2n_tls_sys::{
    self as ffi, s2n_blocked_status as Blocked, s2n_early_data_status_t as EarlyData,
    s2n_error_type as ErrorType, s2n_tls_version::TLS13,
};

use crate::callbacks::{self, Noted};
use crate::config::c_text;
use crate::library::{Owned, check, error, error_type};

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    tls: Owned<ffi::s2n_connection>,
    /// Used by callbacks while the library works, so no reference to it lives during its calls. Goes after `tls`.
    noted: Owned<Noted<'a, 's>>,
    /// What the library's last call would have waited for.
    blocked: Blocked::Type,
}

impl<'a, 's> Connection<'a, 's> {
    /// A connection of an end, which has not begun.
    pub(crate) fn new(resumes: bool, noted: Noted<'a, 's>) -> Result<Self, String> {
        let end = noted.end;
        let noted = Owned::new(Box::into_raw(Box::new(noted)), callbacks::forget)?;
        let mode = match end.side {
            Side::Client => ffi::s2n_mode::CLIENT,
            Side::Server => ffi::s2n_mode::SERVER,
        };
        let name = c_text(end.setup.server_name.as_deref().unwrap_or_default())?;
        let session = end.session.lock().unwrap_or_else(PoisonError::into_inner);
        let context = noted.raw().cast();
        // SAFETY: the connection is made for its caller, and lives no longer than the end's config and what it has the
        // address of. Name and session are copied.
        let tls = unsafe {
            let tls = Owned::new(ffi::s2n_connection_new(mode), ffi::s2n_connection_free)?;
            let raw = tls.raw();
            check(&[
                ffi::s2n_connection_set_config(raw, end.config.raw()),
                ffi::s2n_connection_set_ctx(raw, context),
                ffi::s2n_connection_set_recv_ctx(raw, context),
                ffi::s2n_connection_set_send_ctx(raw, context),
                ffi::s2n_connection_set_recv_cb(raw, Some(callbacks::receive)),
                ffi::s2n_connection_set_send_cb(raw, Some(callbacks::send)),
            ])?;
            if end.side == Side::Client {
                check(&[ffi::s2n_set_server_name(raw, name.as_ptr())])?;
            }
            if let Some(session) = session.as_ref().filter(|_| resumes) {
                let (data, length) = (session.as_ptr(), session.len());
                check(&[ffi::s2n_connection_set_session(raw, data, length)])?;
            }
            tls
        };
        Ok(Self {
            tls,
            noted,
            blocked: Blocked::NOT_BLOCKED,
        })
    }

    fn noted(&mut self) -> &mut Noted<'a, 's> {
        // SAFETY: it lives as long as this, and no callback runs while the reference does.
        unsafe { &mut *self.noted.raw() }
    }

    /// What a call returned that transfers octets, or what ended the connection.
    fn done(&mut self, returned: isize) -> Result<usize, Failure> {
        usize::try_from(returned).map_err(|_| self.failure())
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
        match unsafe { ffi::s2n_connection_get_alert(self.tls.raw()) }.try_into() {
            Ok(alert @ 1..) => self.noted().state.note_alert(false, alert),
            Err(_) if kind == ErrorType::CLOSED => return Failure::Other(text),
            // SAFETY: the connection is alive. How that goes, the other end sees.
            _ => unsafe {
                ffi::s2n_shutdown_send(self.tls.raw(), &raw mut self.blocked);
            },
        }
        Failure::Tls(text)
    }

    fn certificate(&self) -> Result<Hex, String> {
        let (mut certificate, mut octets, mut length) = (ptr::null_mut(), ptr::null(), 0);
        let (place, size) = (&raw mut octets, &raw mut length);
        let free = ffi::s2n_cert_chain_and_key_free;
        // SAFETY: the connection is alive, the chain is made for its caller, and the certificate's octets live as long.
        unsafe {
            let owned = Owned::new(ffi::s2n_cert_chain_and_key_new(), free)?;
            let chain = owned.raw();
            check(&[
                ffi::s2n_connection_get_peer_cert_chain(self.tls.raw(), chain),
                ffi::s2n_cert_chain_get_cert(chain, &raw mut certificate, 0),
                ffi::s2n_cert_get_der(certificate, place, size),
            ])?;
            let octets = slice::from_raw_parts(octets, length as usize);
            Ok(Hex::from(digest(&SHA256, octets).as_ref()))
        }
    }
}

impl Session for Connection<'_, '_> {
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        // A call that may wait would wait for the server's first messages.
        self.noted().would_block = true;
        let (tls, blocked, mut sent) = (self.tls.raw(), &raw mut self.blocked, 0);
        let (data, size) = (octets.as_ptr(), octets.len().cast_signed());
        // SAFETY: the connection is alive, and there are that many octets.
        let returned = unsafe { ffi::s2n_send_early_data(tls, data, size, &raw mut sent, blocked) };
        self.noted().would_block = false;
        if returned < 0 && error_type() != ErrorType::BLOCKED {
            return Err(self.failure());
        }
        Ok(sent == size)
    }

    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        if !self.noted().end.setup.early_data {
            return Ok(Vec::new());
        }
        let mut data = vec![0; REQUEST.len()];
        let (tls, blocked, mut got) = (self.tls.raw(), &raw mut self.blocked, 0);
        let (room, size) = (data.as_mut_ptr(), data.len().cast_signed());
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe { ffi::s2n_recv_early_data(tls, room, size, &raw mut got, blocked) };
        // It says so where the room is used up, too.
        if returned < 0 && self.blocked != Blocked::BLOCKED_ON_EARLY_DATA {
            return Err(self.failure());
        }
        data.truncate(got.cast_unsigned());
        Ok(data)
    }

    fn handshake(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is alive.
        let returned = unsafe { ffi::s2n_negotiate(self.tls.raw(), &raw mut self.blocked) };
        self.done(returned as isize).map(drop)
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        report.peer_certificate = self.certificate().ok();
        let (tls, mut early_data) = (self.tls.raw(), EarlyData::NOT_REQUESTED);
        // SAFETY: the connection is alive; the functions read numbers of it.
        unsafe {
            report.resumed = Some(ffi::s2n_connection_is_session_resumed(tls) == 1);
            ffi::s2n_connection_get_early_data_status(tls, &raw mut early_data);
        }
        let offered = early_data != EarlyData::NOT_REQUESTED;
        report.early_data = offered.then_some(early_data != EarlyData::REJECTED);
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let (room, size) = (buffer.as_mut_ptr().cast(), buffer.len().cast_signed());
        // SAFETY: the connection is alive, and there is room for that many octets.
        let returned = unsafe { ffi::s2n_recv(self.tls.raw(), room, size, &raw mut self.blocked) };
        self.done(returned)
    }

    fn write(&mut self, mut octets: &[u8]) -> Result<(), Failure> {
        while !octets.is_empty() {
            let (data, size) = (octets.as_ptr().cast(), octets.len().cast_signed());
            // SAFETY: the connection is alive, and there are that many octets.
            let returned =
                unsafe { ffi::s2n_send(self.tls.raw(), data, size, &raw mut self.blocked) };
            octets = &octets[self.done(returned)?..];
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let (tls, blocked) = (self.tls.raw(), &raw mut self.blocked);
        // SAFETY: the connection is alive. Before TLS 1.3 the library reads nothing more of one whose end it has sent, but
        // in the call that waits for the other's.
        let returned = unsafe {
            match ffi::s2n_connection_get_actual_protocol_version(tls) {
                TLS13 => ffi::s2n_shutdown_send(tls, blocked),
                _ => ffi::s2n_shutdown(tls, blocked),
            }
        };
        self.done(returned as isize).map(drop)
    }
}

//! One connection of the library, as the contract's session.

use std::cell::RefCell;
use std::ffi::c_int;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::rc::Rc;

use reqmtls_contract::{BlockingStream, ConnectionReport, Failure, Hex, Session};

use crate::ends::Job;
use crate::ffi;
use crate::hooks::{NO_FAILURE, Noted, octets, text};

/// A TLS connection over the stream of the other end. The library does no input and output of its own.
pub(crate) struct Connection<'a, 's> {
    tls: NonNull<ffi::Connection>,
    /// The hooks have its address.
    noted: Rc<RefCell<Noted>>,
    stream: &'a mut BlockingStream<'s>,
    borrows: PhantomData<&'a Job>,
}

impl Drop for Connection<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: it is valid, and used no more.
        unsafe { ffi::botan_connection_free(self.tls.as_ptr()) };
    }
}

impl<'a, 's> Connection<'a, 's> {
    pub(crate) fn new(
        job: &'a Job,
        stream: &'a mut BlockingStream<'s>,
        noted: Noted,
    ) -> Result<Self, Failure> {
        let noted = Rc::new(RefCell::new(noted));
        let context = Rc::as_ptr(&noted).cast_mut().cast();
        let mut failure = NO_FAILURE;
        // SAFETY: the job and what the hooks note outlive the connection.
        let tls = unsafe { ffi::botan_connection(job.raw(), context, &raw mut failure) };
        let tls = NonNull::new(tls).ok_or_else(|| Failure::Tls(text(&failure)))?;
        Ok(Self {
            tls,
            noted,
            stream,
            borrows: PhantomData,
        })
    }

    /// Calls the library, and sends what it emits, also where it fails: that is its alert.
    fn call(
        &mut self,
        call: impl FnOnce(*mut ffi::Connection, *mut ffi::Failure) -> c_int,
    ) -> Result<(), Failure> {
        let mut failure = NO_FAILURE;
        let code = call(self.tls.as_ptr(), &raw mut failure);
        let flushed = self.flush();
        if code == 0 {
            return flushed;
        }
        if let Ok(alert) = u8::try_from(code) {
            self.noted.borrow().rules.state.note_alert(true, alert);
        }
        Err(Failure::Tls(text(&failure)))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let emitted = std::mem::take(&mut self.noted.borrow_mut().emitted);
        let written = self.stream.write_all(&emitted);
        written.map_err(|error| Failure::Other(error.to_string()))
    }

    /// Hands the library what comes next from the other end.
    fn advance(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; 1 << 14];
        let length = self.stream.read(&mut buffer);
        let length = length.map_err(|error| Failure::Other(error.to_string()))?;
        if length == 0 {
            let text = "got the end of the stream, expected more of TLS";
            return Err(Failure::Other(text.to_owned()));
        }
        let octets = octets(Some(&buffer[..length]));
        // SAFETY: the connection is valid, and the octets outlive the call.
        self.call(|tls, failure| unsafe { ffi::botan_receive(tls, octets, failure) })?;
        match self.noted.borrow().alert {
            None => Ok(()),
            Some(alert) => Err(Failure::Tls(format!("got alert {alert}"))),
        }
    }

    fn state(&self) -> ffi::State {
        // SAFETY: the connection is valid.
        unsafe { ffi::botan_state(self.tls.as_ptr()) }
    }
}

impl Session for Connection<'_, '_> {
    fn handshake(&mut self) -> Result<(), Failure> {
        self.flush()?;
        while !self.state().active {
            if self.state().closed_for_reading {
                let text = "got close_notify, expected the rest of the handshake";
                return Err(Failure::Tls(text.to_owned()));
            }
            self.advance()?;
        }
        Ok(())
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let state = self.state();
        report.peer_certificate = state
            .has_certificate
            .then(|| Hex(state.certificate.to_vec()));
        report.resumed = Some(state.resumed);
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        while self.noted.borrow().data.is_empty() {
            if self.state().closed_for_reading {
                return Ok(0);
            }
            self.advance()?;
        }
        let read = self.noted.borrow_mut().data.read(buffer);
        read.map_err(|error| Failure::Other(error.to_string()))
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let octets = self::octets(Some(octets));
        // SAFETY: the connection is valid, and the octets outlive the call.
        self.call(|tls, failure| unsafe { ffi::botan_send(tls, octets, failure) })
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the connection is valid.
        self.call(|tls, failure| unsafe { ffi::botan_close(tls, failure) })
    }
}

//! What the library calls while it works on a connection.

use std::ffi::{c_char, c_int, c_void};
use std::io::{self, Read, Write};
use std::slice;
use std::sync::PoisonError;

use reqmtls_contract::{BlockingStream, ConnectionState};
use s2n_tls_sys as ffi;

use crate::ends::End;
use crate::hello;

type Tls = *mut ffi::s2n_connection;
type Ticket = *mut ffi::s2n_session_ticket;
type Any = *mut c_void;

const ILLEGAL_PARAMETER: u8 = 47;
/// That alert, as a record of its own, which is not encrypted.
const REFUSAL: [u8; 7] = [21, 3, 3, 0, 2, 2, ILLEGAL_PARAMETER];

/// What the callbacks of one connection work on. The connection has its address.
pub(crate) struct Noted<'a, 's> {
    pub(crate) stream: &'a mut BlockingStream<'s>,
    pub(crate) state: ConnectionState,
    pub(crate) end: &'a End,
    /// Whether reads say at once that they would block.
    pub(crate) would_block: bool,
    /// Server: why it has refused the client's flags, by an alert of its own.
    pub(crate) refused: Option<String>,
    /// Why the transport failed, if it did.
    pub(crate) transport: Option<String>,
}

/// What the callbacks of a connection work on.
///
/// # Safety
///
/// The connection is one of this program's, and nobody else uses what it notes now.
unsafe fn noted<'n>(tls: Tls) -> &'n mut Noted<'n, 'n> {
    // SAFETY: what the caller promises; the address was set when the connection was made, and what it is of outlives it.
    unsafe { &mut *ffi::s2n_connection_get_ctx(tls).cast() }
}

pub(crate) unsafe extern "C" fn log_key(_: Any, tls: Tls, line: *mut u8, size: usize) -> c_int {
    // SAFETY: the library calls with a connection and a line of that many octets.
    let (noted, line) = unsafe { (noted(tls), slice::from_raw_parts(line, size)) };
    noted.state.log_key(String::from_utf8_lossy(line));
    0
}

/// Server: a client's certificate may have any name.
pub(crate) unsafe extern "C" fn any_name(_: *const c_char, _: usize, _: Any) -> u8 {
    1
}

/// Client: keeps the newest session.
pub(crate) unsafe extern "C" fn keep(tls: Tls, _: Any, ticket: Ticket) -> c_int {
    let mut length = 0;
    // SAFETY: the library calls with a connection and a ticket, and copies as many octets as it said there are.
    let (place, data, returned) = unsafe {
        ffi::s2n_session_ticket_get_data_len(ticket, &raw mut length);
        let mut data = vec![0; length];
        let returned = ffi::s2n_session_ticket_get_data(ticket, length, data.as_mut_ptr());
        (&noted(tls).end.session, data, returned)
    };
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(data);
    returned
}

/// Server that implements `tls_flags`: decides by the first ClientHello whether to ask for a certificate. The library
/// has no call for an alert of the application's choice, so a refusal is written to the transport, which is in the clear
/// yet.
pub(crate) unsafe extern "C" fn client_hello(tls: Tls, _: Any) -> c_int {
    // SAFETY: the library calls with a connection that has a ClientHello.
    let (noted, extensions) = unsafe { (noted(tls), hello::extensions(tls)) };
    match hello::decide(&noted.end.setup, &extensions, &noted.state) {
        // SAFETY: the connection is alive.
        Ok(auth) => unsafe { ffi::s2n_connection_set_client_auth_type(tls, auth) },
        Err(error) => {
            noted.refused = Some(error);
            noted.state.note_alert(true, ILLEGAL_PARAMETER);
            let written = noted.stream.write_all(&REFUSAL);
            noted.transport = written.err().map(|error| error.to_string());
            -1
        }
    }
}

pub(crate) unsafe extern "C" fn receive(noted: Any, buffer: *mut u8, size: u32) -> c_int {
    // SAFETY: the library calls with what the connection notes and room for that many octets.
    let (noted, buffer) = unsafe {
        buffer.write_bytes(0, size as usize);
        let buffer = slice::from_raw_parts_mut(buffer, size as usize);
        (&mut *noted.cast::<Noted<'_, '_>>(), buffer)
    };
    let read = if noted.would_block {
        Err(io::ErrorKind::WouldBlock.into())
    } else {
        noted.stream.read(buffer)
    };
    noted.done(read)
}

pub(crate) unsafe extern "C" fn send(noted: Any, octets: *const u8, size: u32) -> c_int {
    // SAFETY: the library calls with what the connection notes and that many octets.
    let (noted, octets) = unsafe {
        let octets = slice::from_raw_parts(octets, size as usize);
        (&mut *noted.cast::<Noted<'_, '_>>(), octets)
    };
    let written = noted.stream.write_all(octets);
    let written = written.and_then(|()| noted.stream.flush());
    noted.done(written.map(|()| octets.len()))
}

impl Noted<'_, '_> {
    /// What the library gets for a transfer, beside the system's number for an error: it tries again after some.
    fn done(&mut self, transferred: io::Result<usize>) -> c_int {
        let error = match transferred {
            Ok(size) => return c_int::try_from(size).unwrap_or(-1),
            Err(error) => error,
        };
        let (number, text) = match error.kind() {
            io::ErrorKind::WouldBlock => (libc::EWOULDBLOCK, None),
            _ => (libc::EIO, Some(error.to_string())),
        };
        self.transport = text;
        // SAFETY: the number is the thread's own.
        unsafe { *libc::__errno_location() = number };
        -1
    }
}

/// Frees what a connection notes.
pub(crate) unsafe extern "C" fn forget(noted: *mut Noted<'_, '_>) -> c_int {
    // SAFETY: it was a box, and the connection that has its address is gone.
    drop(unsafe { Box::from_raw(noted) });
    0
}

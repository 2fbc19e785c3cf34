//! What the library calls while it works on a connection.

use std::ffi::{c_char, c_int, c_void};
use std::io::{self, Read, Write};
use std::slice;
use std::sync::PoisonError;

use reqmtls_contract::{BlockingStream, ConnectionState};
use s2n_tls_sys as ffi;

use crate::ends::End;
use crate::hello;

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
unsafe fn noted<'n>(connection: *mut ffi::s2n_connection) -> &'n mut Noted<'n, 'n> {
    // SAFETY: what the caller promises; the address was set when the connection was made, and what it is of outlives it.
    unsafe { &mut *ffi::s2n_connection_get_ctx(connection).cast() }
}

pub(crate) unsafe extern "C" fn log_key(
    _: *mut c_void,
    connection: *mut ffi::s2n_connection,
    line: *mut u8,
    length: usize,
) -> c_int {
    // SAFETY: the library calls with a connection and a line of that many octets.
    let (noted, line) = unsafe { (noted(connection), slice::from_raw_parts(line, length)) };
    noted.state.log_key(String::from_utf8_lossy(line));
    0
}

/// Server: a client's certificate may have any name.
pub(crate) unsafe extern "C" fn any_name(_: *const c_char, _: usize, _: *mut c_void) -> u8 {
    1
}

/// Client: keeps the newest session.
pub(crate) unsafe extern "C" fn ticket(
    connection: *mut ffi::s2n_connection,
    _: *mut c_void,
    ticket: *mut ffi::s2n_session_ticket,
) -> c_int {
    let mut length = 0;
    // SAFETY: the library calls with a connection and a ticket, and copies as many octets as it said there are.
    let (place, data, returned) = unsafe {
        ffi::s2n_session_ticket_get_data_len(ticket, &raw mut length);
        let mut data = vec![0; length];
        let returned = ffi::s2n_session_ticket_get_data(ticket, length, data.as_mut_ptr());
        (&noted(connection).end.session, data, returned)
    };
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(data);
    returned
}

/// Server that implements `tls_flags`: decides by the first ClientHello whether to ask for a certificate. The library
/// has no call for an alert of the application's choice, so a refusal is written to the transport, which is in the clear
/// yet.
pub(crate) unsafe extern "C" fn client_hello(
    connection: *mut ffi::s2n_connection,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection that has a ClientHello.
    let (noted, extensions) = unsafe { (noted(connection), hello::extensions(connection)) };
    match hello::decide(&noted.end.setup, &extensions, &noted.state) {
        // SAFETY: the connection is alive.
        Ok(auth) => unsafe { ffi::s2n_connection_set_client_auth_type(connection, auth) },
        Err(error) => {
            noted.refused = Some(error);
            noted.state.note_alert(true, ILLEGAL_PARAMETER);
            let written = noted.stream.write_all(&REFUSAL);
            noted.transport = written.err().map(|error| error.to_string());
            -1
        }
    }
}

pub(crate) unsafe extern "C" fn receive(noted: *mut c_void, buffer: *mut u8, length: u32) -> c_int {
    // SAFETY: the library calls with what the connection notes and room for that many octets.
    let (noted, buffer) = unsafe {
        buffer.write_bytes(0, length as usize);
        let buffer = slice::from_raw_parts_mut(buffer, length as usize);
        (&mut *noted.cast::<Noted<'_, '_>>(), buffer)
    };
    if noted.would_block {
        return fail(libc::EWOULDBLOCK);
    }
    done(noted, |stream| stream.read(buffer))
}

pub(crate) unsafe extern "C" fn send(noted: *mut c_void, octets: *const u8, length: u32) -> c_int {
    // SAFETY: the library calls with what the connection notes and that many octets.
    let (noted, octets) = unsafe {
        let octets = slice::from_raw_parts(octets, length as usize);
        (&mut *noted.cast::<Noted<'_, '_>>(), octets)
    };
    done(noted, |stream| {
        stream.write_all(octets)?;
        stream.flush().map(|()| octets.len())
    })
}

/// How many octets the transport took or gave.
fn done<'a, 's>(
    noted: &mut Noted<'a, 's>,
    transfer: impl FnOnce(&mut BlockingStream<'s>) -> io::Result<usize>,
) -> c_int {
    match transfer(noted.stream) {
        Ok(length) => c_int::try_from(length).unwrap_or(-1),
        Err(error) => {
            noted.transport = Some(error.to_string());
            fail(libc::EIO)
        }
    }
}

/// Fails a call by the number that the library looks at: it tries again after some.
fn fail(number: c_int) -> c_int {
    // SAFETY: the number is the thread's own.
    unsafe { *libc::__errno_location() = number };
    -1
}

//! What the library calls while it works on a connection.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_void};
use std::io::{self, Read, Write};
use std::slice;

use reqmtls_contract::{BlockingStream, ConnectionState, Hex, Side, flag_is_set};

use crate::end::End;
use crate::hello::Hello;
use crate::library::text;
use crate::{connection, ffi};

/// The alert, and as a record without protection.
const ILLEGAL_PARAMETER: u8 = 47;
const REFUSAL: [u8; 7] = [21, 3, 3, 0, 2, 2, ILLEGAL_PARAMETER];
/// The content type of handshake messages without protection.
const HANDSHAKE: u8 = 22;

/// What the callbacks of one connection work on. The connection has its address.
pub(crate) struct Noted<'a, 's> {
    pub(crate) end: &'a End,
    pub(crate) stream: &'a mut BlockingStream<'s>,
    pub(crate) state: ConnectionState,
    /// Server: the ClientHello that came last.
    pub(crate) hello: Hello,
    /// Client: it got malformed flags.
    pub(crate) malformed: bool,
    /// Server: it has refused flags by an alert of its own.
    pub(crate) refused: bool,
    /// The other end's Finished, until another of which the library reads on.
    pub(crate) finished: Option<Vec<u8>>,
    /// Why the transport failed, if it did.
    pub(crate) transport: Option<String>,
}

/// What the callbacks of a connection work on.
///
/// # Safety
///
/// The connection is one of this program's, and nobody else uses what it notes now.
unsafe fn noted<'n>(ssl: *const ffi::WOLFSSL) -> &'n mut Noted<'n, 'n> {
    // SAFETY: what the caller promises; the pointer was set when the connection was made, and outlives it.
    unsafe { &mut *ffi::wolfSSL_GetIOReadCtx(ssl.cast_mut()).cast() }
}

/// # Safety
///
/// There are that many octets, which live long enough.
unsafe fn octets<'o>(data: *const c_uchar, length: c_int) -> &'o [u8] {
    match usize::try_from(length) {
        // SAFETY: what the caller promises.
        Ok(length) if length > 0 => unsafe { slice::from_raw_parts(data, length) },
        _ => &[],
    }
}

pub(crate) unsafe extern "C" fn log_key(ssl: *const ffi::WOLFSSL, line: *const c_char) {
    // SAFETY: the library calls with a connection and a line that ends with a zero.
    let (noted, line) = unsafe { (noted(ssl), text(line)) };
    // The secrets of early data come before the answer to ClientHello.
    noted.hello.is_answered |= !line.contains("EARLY");
    noted.state.log_key(line);
}

/// Server: notes the secret of TLS 1.2, which the library's key log has of clients alone.
pub(crate) unsafe extern "C" fn master_secret(
    ssl: *mut ffi::WOLFSSL,
    secret: *mut c_void,
    length: c_int,
    _: *mut c_void,
) -> c_int {
    let mut random = [0; 32];
    // SAFETY: the library calls with a connection and that many octets, and there is room for the random.
    let (noted, secret) = unsafe {
        ffi::wolfSSL_get_client_random(ssl, random.as_mut_ptr(), random.len());
        (noted(ssl), octets(secret.cast(), length))
    };
    let (random, secret) = (Hex::from(&random[..]), Hex::from(secret));
    let line = format!("CLIENT_RANDOM {random} {secret}");
    noted.state.log_key(line);
    0
}

pub(crate) unsafe extern "C" fn read(
    ssl: *mut ffi::WOLFSSL,
    buffer: *mut c_char,
    length: c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection and room for that many octets.
    let (noted, buffer) = unsafe {
        let length = usize::try_from(length).unwrap_or(0);
        buffer.write_bytes(0, length);
        let buffer = slice::from_raw_parts_mut(buffer.cast::<u8>(), length);
        (noted(ssl), buffer)
    };
    if let Some(before) = &noted.finished
        && *before != connection::finished(ssl)
    {
        return ffi::WOLFSSL_CBIO_ERR_WANT_READ;
    }
    noted.hello.is_read = true;
    let read = noted.stream.read(buffer).and_then(|length| match length {
        0 => Err(io::Error::other(
            "got the end of the stream, expected more of TLS",
        )),
        length => Ok(length),
    });
    noted.done(read)
}

pub(crate) unsafe extern "C" fn write(
    ssl: *mut ffi::WOLFSSL,
    data: *mut c_char,
    length: c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection and that many octets.
    let (noted, data) = unsafe { (noted(ssl), octets(data.cast(), length)) };
    // The library has no call to end a handshake by an alert of the application's. This one goes out in place of the
    // answer to ClientHello, when nothing is protected yet.
    noted.refused |= noted.hello.is_refused && data.first() == Some(&HANDSHAKE);
    let data = if noted.refused { &REFUSAL } else { data };
    let written = noted.stream.write_all(data);
    let written = written.and_then(|()| noted.stream.flush());
    if noted.refused {
        noted.state.note_alert(true, ILLEGAL_PARAMETER);
        return ffi::WOLFSSL_CBIO_ERR_GENERAL;
    }
    noted.done(written.map(|()| data.len()))
}

impl<'a, 's> Noted<'a, 's> {
    pub(crate) fn new(
        end: &'a End,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
    ) -> Self {
        Self {
            end,
            stream,
            state,
            hello: Hello::default(),
            malformed: false,
            refused: false,
            finished: None,
            transport: None,
        }
    }

    /// What the library expects of reading and writing.
    fn done(&mut self, done: io::Result<usize>) -> c_int {
        match done {
            Ok(length) => c_int::try_from(length).unwrap_or(c_int::MAX),
            Err(error) => {
                self.transport = Some(error.to_string());
                ffi::WOLFSSL_CBIO_ERR_GENERAL
            }
        }
    }
}

/// An end that implements `tls_flags`: called for each extension of a message. A server decides by those of ClientHello
/// anew, before the library acts on any. A client can but note malformed flags; where nothing answers the flag, the
/// library itself refuses the extension, well formed or not.
pub(crate) unsafe extern "C" fn extension(
    ssl: *mut ffi::WOLFSSL,
    _: c_int,
    number: c_int,
    data: *const c_uchar,
    length: c_int,
    _: *mut c_void,
) {
    // SAFETY: the library calls with a connection, and that many octets.
    let (noted, data) = unsafe { (noted(ssl), octets(data, length)) };
    let setup = &noted.end.setup;
    match (noted.end.side, setup.flag) {
        (Side::Server, _) if !noted.hello.is_answered => {
            noted.hello.note(setup, &noted.state, number, data);
            // SAFETY: the connection is alive.
            unsafe { noted.hello.decide(ssl, setup) };
        }
        (Side::Client, Some(flag)) if number == c_int::from(setup.extension_number()) => {
            noted.malformed |= flag_is_set(data, flag).is_err();
        }
        _ => {}
    }
}

/// Client that implements `tls_flags`: called when CertificateRequest has been read. The alert of a refusal is
/// `internal_error`, in which the application has no say.
pub(crate) unsafe extern "C" fn asked(ssl: *mut ffi::WOLFSSL, _: *mut c_void) -> c_int {
    // SAFETY: the library calls with a connection.
    c_int::from(!unsafe { noted(ssl) }.malformed)
}

/// Client: writes `tls_flags`.
pub(crate) unsafe extern "C" fn add_flags(
    ssl: *mut ffi::WOLFSSL,
    _: c_uint,
    out: *mut *const c_uchar,
    length: *mut usize,
    _: *mut c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection and places for the data, which lives unchanged until it is reported.
    unsafe {
        let state = noted(ssl).state.lock();
        let Some(Hex(data)) = &state.tls_flags else {
            return 0;
        };
        *out = data.as_ptr();
        *length = data.len();
    }
    1
}

/// Client that implements `tls_flags`: refuses them in ServerHello of TLS 1.2, the one answer that the library hands to
/// an application.
pub(crate) unsafe extern "C" fn refuse_flags(
    _: *mut ffi::WOLFSSL,
    _: c_uint,
    _: *const c_uchar,
    _: usize,
    alert: *mut c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a place for the alert.
    unsafe { *alert = ILLEGAL_PARAMETER.into() }
    0
}

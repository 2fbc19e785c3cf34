//! What the library calls while it works on a connection.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_void};
use std::io::{Read, Write};
use std::slice;

use reqmtls_contract::{BlockingStream, ConnectionState, Hex, flag_is_set};

use crate::context::Context;
use crate::library::text;
use crate::server::{Hello, Rules};
use crate::{connection, ffi};

/// The alert `illegal_parameter`, as a record without protection.
const ILLEGAL_PARAMETER: [u8; 7] = [21, 3, 3, 0, 2, 2, 47];
/// The content type of handshake messages without protection.
const HANDSHAKE: u8 = 22;

const FAILED: c_int = ffi::WOLFSSL_CBIO_ERR_GENERAL;

/// What the callbacks of one connection work on. The connection has its address.
pub(crate) struct Noted<'a, 's> {
    pub(crate) stream: &'a mut BlockingStream<'s>,
    pub(crate) state: ConnectionState,
    /// Server: what it looks at before it answers ClientHello.
    pub(crate) rules: Option<&'a Rules>,
    /// Server: the ClientHello that came last.
    pub(crate) hello: Hello,
    /// Client: what goes into ClientHello.
    pub(crate) tls_flags: Option<&'a Hex>,
    /// Client: the numbers of extension and flag, if it implements `tls_flags`.
    pub(crate) implements: Option<(u16, u16)>,
    /// Client: it got malformed flags.
    pub(crate) malformed: bool,
    /// Server: it has refused flags by an alert of its own.
    pub(crate) refused: bool,
    /// The other end's Finished, until another of which the library reads on.
    pub(crate) finished: Option<Vec<u8>>,
    /// Why the transport failed, if it did.
    pub(crate) transport: Option<String>,
}

impl<'a, 's> Noted<'a, 's> {
    /// Of a connection over this stream, nothing else.
    pub(crate) fn new(stream: &'a mut BlockingStream<'s>, state: ConnectionState) -> Self {
        Self {
            stream,
            state,
            rules: None,
            hello: Hello::default(),
            tls_flags: None,
            implements: None,
            malformed: false,
            refused: false,
            finished: None,
            transport: None,
        }
    }
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

/// How a context's connections read and write, and what they note.
pub(crate) fn register(context: &Context) {
    // SAFETY: the context is alive, and the callbacks have the types that the functions take.
    unsafe {
        ffi::wolfSSL_CTX_SetIORecv(context.raw(), Some(read));
        ffi::wolfSSL_CTX_SetIOSend(context.raw(), Some(write));
        ffi::wolfSSL_CTX_set_keylog_callback(context.raw(), Some(log_key));
    }
}

unsafe extern "C" fn log_key(ssl: *const ffi::WOLFSSL, line: *const c_char) {
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
    unsafe {
        ffi::wolfSSL_get_client_random(ssl, random.as_mut_ptr(), random.len());
        let secret = octets(secret.cast(), length);
        let (random, secret) = (Hex::from(&random[..]), Hex::from(secret));
        noted(ssl)
            .state
            .log_key(format!("CLIENT_RANDOM {random} {secret}"));
    }
    0
}

unsafe extern "C" fn read(
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
    if noted
        .finished
        .as_ref()
        .is_some_and(|it| *it != connection::finished(ssl))
    {
        return ffi::WOLFSSL_CBIO_ERR_WANT_READ;
    }
    noted.hello.is_read = true;
    match noted.stream.read(buffer) {
        Ok(0) => {
            noted.transport = Some("got the end of the stream, expected more of TLS".to_owned());
            ffi::WOLFSSL_CBIO_ERR_CONN_CLOSE
        }
        Ok(length) => c_int::try_from(length).unwrap_or(FAILED),
        Err(error) => {
            noted.transport = Some(error.to_string());
            FAILED
        }
    }
}

unsafe extern "C" fn write(
    ssl: *mut ffi::WOLFSSL,
    octets: *mut c_char,
    length: c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection and that many octets.
    let (noted, octets) = unsafe {
        let length = usize::try_from(length).unwrap_or(0);
        (
            noted(ssl),
            slice::from_raw_parts(octets.cast::<u8>(), length),
        )
    };
    // The library has no call to end a handshake by an alert of the application's. This one goes out in place of the
    // answer to ClientHello, when nothing is protected yet.
    if noted.hello.is_refused && octets.first() == Some(&HANDSHAKE) {
        noted.refused = true;
        noted.state.note_alert(true, ILLEGAL_PARAMETER[6]);
        drop(
            noted
                .stream
                .write_all(&ILLEGAL_PARAMETER)
                .and_then(|()| noted.stream.flush()),
        );
        return FAILED;
    }
    match noted
        .stream
        .write_all(octets)
        .and_then(|()| noted.stream.flush())
    {
        Ok(()) => length,
        Err(error) => {
            noted.transport = Some(error.to_string());
            FAILED
        }
    }
}

/// Server: decides by each extension of a ClientHello anew, before the library acts on any.
pub(crate) unsafe extern "C" fn hello_extension(
    ssl: *mut ffi::WOLFSSL,
    _: c_int,
    number: c_int,
    data: *const c_uchar,
    length: c_int,
    _: *mut c_void,
) {
    // SAFETY: the library calls with a connection, and that many octets.
    let (noted, data) = unsafe { (noted(ssl), octets(data, length)) };
    if let Some(rules) = noted.rules
        && !noted.hello.is_answered
    {
        noted.hello.note(rules, &noted.state, number, data);
        // SAFETY: the connection is alive.
        unsafe { rules.set(ssl, &noted.hello) };
    }
}

/// Client that implements `tls_flags`: notes malformed ones, which is all that this callback can do. Where nothing answers
/// the flag, the library itself refuses the extension, well formed or not.
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
    if let Some((extension, flag)) = noted.implements
        && number == c_int::from(extension)
    {
        noted.malformed |= flag_is_set(data, flag).is_err();
    }
}

/// Client that implements `tls_flags`: called when CertificateRequest has been read. To refuse is the library's
/// internal_error: the application has no say in the alert.
pub(crate) unsafe extern "C" fn asked(ssl: *mut ffi::WOLFSSL, _: *mut c_void) -> c_int {
    // SAFETY: the library calls with a connection.
    c_int::from(!unsafe { noted(ssl) }.malformed)
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

/// Client: writes `tls_flags`.
pub(crate) unsafe extern "C" fn add_flags(
    ssl: *mut ffi::WOLFSSL,
    _: c_uint,
    out: *mut *const c_uchar,
    length: *mut usize,
    _: *mut c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection and places for the data, which outlives the connection.
    unsafe {
        let Some(Hex(data)) = noted(ssl).tls_flags else {
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
    unsafe { *alert = ILLEGAL_PARAMETER[6].into() }
    0
}

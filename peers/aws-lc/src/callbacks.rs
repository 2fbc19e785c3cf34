//! What the library calls while it works on a connection.

use std::ffi::{c_char, c_int, c_long, c_uint, c_void};
use std::io::{Read, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{ptr, slice};

use aws_lc_sys as ffi;
use reqmtls_contract::{BlockingStream, ConnectionState, Hex};

use crate::context::Context;
use crate::flags;
use crate::library::{Owned, text};
use crate::server::Rules;

/// The place of an application's own pointer in a connection, as `SSL_set_app_data` has it.
pub(crate) const PLACE: c_int = 0;

const REFUSE: c_int = ffi::SSL_AD_ILLEGAL_PARAMETER;

pub(crate) type Session = Owned<ffi::SSL_SESSION>;

/// What the callbacks of one connection work on. The connection and its transport have its address.
pub(crate) struct Noted<'a, 's> {
    pub(crate) stream: &'a mut BlockingStream<'s>,
    pub(crate) state: ConnectionState,
    /// Server: what it looks at before it answers ClientHello.
    pub(crate) rules: Option<&'a Rules>,
    /// Client: what goes into ClientHello.
    pub(crate) tls_flags: Option<&'a Hex>,
    /// Client: the numbers of extension and flag, if it implements `tls_flags`.
    pub(crate) implements: Option<(u16, u16)>,
    /// Client: where the newest session goes.
    pub(crate) session: Option<&'a Mutex<Option<Session>>>,
    /// Server: whether the client offered early data.
    pub(crate) offers_early_data: bool,
    /// Client: it has refused flags by an alert of its own.
    pub(crate) refused: bool,
    /// How many more reads there are before the library learns that one would block; `None`: any number.
    pub(crate) reads: Option<u32>,
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
            tls_flags: None,
            implements: None,
            session: None,
            offers_early_data: false,
            refused: false,
            reads: None,
            transport: None,
        }
    }
}

/// What the callbacks of a connection work on.
///
/// # Safety
///
/// The connection is one of this program's, and nobody else uses what it notes now.
unsafe fn noted<'n>(ssl: *const ffi::SSL) -> &'n mut Noted<'n, 'n> {
    // SAFETY: what the caller promises; the pointer was set when the connection was made, and outlives it.
    unsafe { &mut *ffi::SSL_get_ex_data(ssl, PLACE).cast() }
}

/// Makes a context's connections note.
pub(crate) fn register(context: &Context) {
    // SAFETY: the context is alive, and the callbacks have the types that the functions take.
    unsafe {
        ffi::SSL_CTX_set_keylog_callback(context.raw(), Some(log_key));
        ffi::SSL_CTX_set_info_callback(context.raw(), Some(info));
    }
}

unsafe extern "C" fn log_key(ssl: *const ffi::SSL, line: *const c_char) {
    // SAFETY: the library calls with a connection and a line that ends with a zero.
    unsafe { noted(ssl).state.log_key(text(line)) }
}

unsafe extern "C" fn info(ssl: *const ffi::SSL, kind: c_int, value: c_int) {
    const FATAL: c_int = 2;
    let sent = kind == ffi::SSL_CB_WRITE_ALERT;
    if !(sent || kind == ffi::SSL_CB_READ_ALERT) || value >> 8 != FATAL {
        return;
    }
    // The low octet is the alert's description.
    let [description, ..] = value.to_le_bytes();
    // SAFETY: the library calls with a connection.
    unsafe { noted(ssl).state.note_alert(sent, description) }
}

/// Server: decides by a ClientHello, before anything of it is acted on.
pub(crate) unsafe extern "C" fn client_hello(
    ssl: *mut ffi::SSL,
    alert: *mut c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a connection, whose ClientHello lives during the call, and a place for the alert.
    unsafe {
        let noted = noted(ssl);
        let Some(rules) = noted.rules else {
            return ffi::SSL_CLIENT_HELLO_SUCCESS;
        };
        if rules.decide(ssl, noted).is_ok() {
            return ffi::SSL_CLIENT_HELLO_SUCCESS;
        }
        *alert = REFUSE;
        ffi::SSL_CLIENT_HELLO_ERROR
    }
}

/// The data of an extension of ClientHello.
///
/// # Safety
///
/// It is called within the ClientHello callback, and the data used within it alone.
pub(crate) unsafe fn hello_extension<'h>(ssl: *mut ffi::SSL, number: u16) -> Option<&'h [u8]> {
    let (mut data, mut length) = (ptr::null(), 0);
    // SAFETY: what the caller promises; the library sets both places where it returns 1.
    unsafe {
        let found =
            ffi::SSL_client_hello_get0_ext(ssl, number.into(), &raw mut data, &raw mut length);
        match (found, length) {
            (1, 0) => Some(&[]),
            (1, length) => Some(slice::from_raw_parts(data, length)),
            _ => None,
        }
    }
}

/// Client: writes `tls_flags`.
pub(crate) unsafe extern "C" fn add_flags(
    ssl: *mut ffi::SSL,
    _: c_uint,
    out: *mut *const u8,
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

/// Client: refuses `tls_flags` where an answer to its own would stand: no flag that it knows is answered there.
pub(crate) unsafe extern "C" fn refuse_flags(
    _: *mut ffi::SSL,
    _: c_uint,
    _: *const u8,
    _: usize,
    alert: *mut c_int,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library calls with a place for the alert.
    unsafe { *alert = REFUSE }
    0
}

/// Client: refuses what the library hands to no application. The call comes before the library acts on the message,
/// and of two alerts the first goes out.
pub(crate) unsafe extern "C" fn message(
    written: c_int,
    version: c_int,
    kind: c_int,
    octets: *const c_void,
    length: usize,
    ssl: *mut ffi::SSL,
    _: *mut c_void,
) {
    if written != 0 || kind != ffi::SSL3_RT_HANDSHAKE {
        return;
    }
    // SAFETY: the library calls with a connection and a message of that many octets. What is noted is not in use when the
    // alert is written, which calls back.
    unsafe {
        let Some((extension, flag)) = noted(ssl).implements else {
            return;
        };
        let message = slice::from_raw_parts(octets.cast::<u8>(), length);
        if flags::are_wrong(message, version == ffi::TLS1_3_VERSION, extension, flag) {
            noted(ssl).refused = true;
            let [alert, ..] = REFUSE.to_le_bytes();
            ffi::SSL_send_fatal_alert(ssl, alert);
        }
    }
}

/// Client: keeps the newest session.
pub(crate) unsafe extern "C" fn new_session(
    ssl: *mut ffi::SSL,
    session: *mut ffi::SSL_SESSION,
) -> c_int {
    // SAFETY: the library calls with a connection.
    let Some(place) = (unsafe { noted(ssl).session }) else {
        return 0;
    };
    // It is the callback's where this returns 1.
    match Owned::new(session, ffi::SSL_SESSION_free) {
        Ok(session) => {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
            1
        }
        Err(_) => 0,
    }
}

struct Method(*mut ffi::BIO_METHOD);

// SAFETY: once made, it is only read.
unsafe impl Send for Method {}
// SAFETY: as above.
unsafe impl Sync for Method {}

/// How the library reads and writes: by the stream of what a connection notes.
pub(crate) fn transport() -> *const ffi::BIO_METHOD {
    static METHOD: OnceLock<Method> = OnceLock::new();
    let method = METHOD.get_or_init(|| {
        // SAFETY: the name is static, and the functions have the types that the method takes; it is never freed. Null,
        // where there is no memory, the functions refuse, and so does what makes a transport of it.
        unsafe {
            let method = ffi::BIO_meth_new(ffi::BIO_get_new_index(), c"reqmtls".as_ptr());
            if !method.is_null() {
                ffi::BIO_meth_set_read(method, Some(read));
                ffi::BIO_meth_set_write(method, Some(write));
                ffi::BIO_meth_set_ctrl(method, Some(control));
            }
            Method(method)
        }
    });
    method.0
}

unsafe extern "C" fn read(bio: *mut ffi::BIO, buffer: *mut c_char, length: c_int) -> c_int {
    let length = usize::try_from(length).unwrap_or(0);
    // SAFETY: the library calls with one of our transports and room for that many octets.
    let (noted, buffer) = unsafe {
        ffi::BIO_clear_retry_flags(bio);
        buffer.write_bytes(0, length);
        (
            &mut *ffi::BIO_get_data(bio).cast::<Noted<'_, '_>>(),
            slice::from_raw_parts_mut(buffer.cast::<u8>(), length),
        )
    };
    match &mut noted.reads {
        Some(0) => {
            // SAFETY: the transport is alive.
            unsafe { ffi::BIO_set_retry_read(bio) };
            return -1;
        }
        Some(reads) => *reads -= 1,
        None => {}
    }
    match noted.stream.read(buffer) {
        Ok(length) => c_int::try_from(length).unwrap_or(-1),
        Err(error) => {
            noted.transport = Some(error.to_string());
            -1
        }
    }
}

unsafe extern "C" fn write(bio: *mut ffi::BIO, octets: *const c_char, length: c_int) -> c_int {
    // SAFETY: the library calls with one of our transports and that many octets.
    let (noted, octets) = unsafe {
        ffi::BIO_clear_retry_flags(bio);
        (
            &mut *ffi::BIO_get_data(bio).cast::<Noted<'_, '_>>(),
            slice::from_raw_parts(octets.cast::<u8>(), usize::try_from(length).unwrap_or(0)),
        )
    };
    match noted.stream.write_all(octets) {
        Ok(()) => length,
        Err(error) => {
            noted.transport = Some(error.to_string());
            -1
        }
    }
}

unsafe extern "C" fn control(
    bio: *mut ffi::BIO,
    command: c_int,
    _: c_long,
    _: *mut c_void,
) -> c_long {
    if command != ffi::BIO_CTRL_FLUSH {
        return 0;
    }
    // SAFETY: the library calls with one of our transports.
    let noted = unsafe { &mut *ffi::BIO_get_data(bio).cast::<Noted<'_, '_>>() };
    match noted.stream.flush() {
        Ok(()) => 1,
        Err(error) => {
            noted.transport = Some(error.to_string());
            0
        }
    }
}

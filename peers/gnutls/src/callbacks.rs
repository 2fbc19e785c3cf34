//! What the library calls while it works on a connection.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::io::{Read, Write};
use std::slice;

use reqmtls_contract::{
    BlockingStream, ConnectionState, Policy, SUPPORTED_VERSIONS, flag_is_set, offers_tls13,
};

use crate::{ffi, flags};

/// Number of the `post_handshake_auth` extension, RFC 9846 §4.3.6 (RFC 8446 §4.2.6).
const POST_HANDSHAKE_AUTH: u32 = 49;

/// What the callbacks of one connection work on. The session has its address.
pub(crate) struct Context<'a, 's> {
    pub(crate) stream: &'a mut BlockingStream<'s>,
    pub(crate) state: ConnectionState,
    /// Server: what it looks at before it answers ClientHello.
    pub(crate) rules: Option<&'a Rules>,
    /// The numbers of extension and flag, of an end that implements `tls_flags`.
    pub(crate) implements: Option<(u16, u16)>,
    /// Server: whether the client offered to be asked after the handshake.
    pub(crate) may_be_asked: bool,
    /// What the other end's certificate is verified for; the session has its address.
    pub(crate) verified: Vec<ffi::gnutls_typed_vdata_st>,
    /// Why the transport failed, if it did.
    pub(crate) transport: Option<String>,
}

impl Context<'_, '_> {
    /// Has the library verify the other end's certificate in the handshake.
    pub(crate) fn verify(&mut self, session: ffi::gnutls_session_t) {
        let count = c_uint::try_from(self.verified.len()).unwrap_or_default();
        // SAFETY: the session is valid, and the context, whose data this is, outlives it.
        unsafe {
            ffi::gnutls_session_set_verify_cert2(session, self.verified.as_mut_ptr(), count, 0);
        }
    }
}

/// What a server looks at before it answers ClientHello.
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    /// The request mTLS flag; without it, the server does not implement `tls_flags`.
    pub(crate) flag: Option<u16>,
    /// The number of `tls_flags`.
    pub(crate) extension: u16,
    /// Whether the server negotiates TLS 1.3 with a client that offers it.
    pub(crate) tls13: bool,
    /// The key of the tickets for those who are asked, where it is another one.
    pub(crate) asked_tickets: Option<Vec<u8>>,
}

/// What the decision needs of a ClientHello.
#[derive(Default)]
struct Hello {
    extension: u16,
    tls_flags: Option<Vec<u8>>,
    offers_tls13: bool,
    may_be_asked: bool,
}

/// The context of a session.
///
/// # Safety
///
/// The session is one of this program's, whose context lives longer, and nobody else uses the context now.
unsafe fn context<'c>(session: ffi::gnutls_session_t) -> &'c mut Context<'c, 'c> {
    // SAFETY: what the caller promises; the pointer was set when the session was made.
    unsafe { &mut *ffi::gnutls_session_get_ptr(session).cast() }
}

pub(crate) unsafe extern "C" fn push(
    to: *mut c_void,
    octets: *const c_void,
    length: usize,
) -> isize {
    // SAFETY: the library calls with the session's context and that many octets.
    let (context, octets) = unsafe {
        let context = &mut *to.cast::<Context<'_, '_>>();
        (context, slice::from_raw_parts(octets.cast::<u8>(), length))
    };
    match context
        .stream
        .write_all(octets)
        .and_then(|()| context.stream.flush())
    {
        Ok(()) => length.cast_signed(),
        Err(error) => {
            context.transport = Some(error.to_string());
            -1
        }
    }
}

pub(crate) unsafe extern "C" fn pull(
    from: *mut c_void,
    buffer: *mut c_void,
    length: usize,
) -> isize {
    // SAFETY: the library calls with the session's context and room for that many octets.
    let (context, buffer) = unsafe {
        let context = &mut *from.cast::<Context<'_, '_>>();
        buffer.cast::<u8>().write_bytes(0, length);
        (
            context,
            slice::from_raw_parts_mut(buffer.cast::<u8>(), length),
        )
    };
    match context.stream.read(buffer) {
        Ok(length) => length.cast_signed(),
        Err(error) => {
            context.transport = Some(error.to_string());
            -1
        }
    }
}

/// The stream waits by itself, up to the connection's deadline.
pub(crate) unsafe extern "C" fn wait(_: *mut c_void, _milliseconds: c_uint) -> c_int {
    1
}

pub(crate) unsafe extern "C" fn log_key(
    session: ffi::gnutls_session_t,
    label: *const c_char,
    secret: *const ffi::gnutls_datum_t,
) -> c_int {
    let mut random = ffi::gnutls_datum_t {
        data: std::ptr::null_mut(),
        size: 0,
    };
    // SAFETY: the library calls with a session of this program, a text and a datum; the randoms that it points out
    // live as long as the session.
    let (context, label, random, secret) = unsafe {
        ffi::gnutls_session_get_random(session, &raw mut random, std::ptr::null_mut());
        (
            context(session),
            CStr::from_ptr(label),
            octets(&raw const random),
            octets(secret),
        )
    };
    let label = label.to_string_lossy();
    context
        .state
        .log_key(format!("{label} {} {}", hex(random), hex(secret)));
    0
}

fn hex(octets: &[u8]) -> reqmtls_contract::Hex {
    octets.into()
}

/// # Safety
///
/// The datum points to its octets, which live long enough.
unsafe fn octets<'d>(datum: *const ffi::gnutls_datum_t) -> &'d [u8] {
    // SAFETY: what the caller promises.
    unsafe {
        match (*datum).data {
            data if data.is_null() => &[],
            data => slice::from_raw_parts(data, (*datum).size as usize),
        }
    }
}

/// Called with each message that comes, before the library reads it.
pub(crate) unsafe extern "C" fn message(
    session: ffi::gnutls_session_t,
    message: c_uint,
    _when: c_uint,
    incoming: c_uint,
    body: *const ffi::gnutls_datum_t,
) -> c_int {
    // SAFETY: the library calls with a session of this program.
    let context = unsafe { context(session) };
    if incoming == 0 {
        return 0;
    }
    // SAFETY: the body is a datum, whose octets outlive the call.
    let octets = unsafe { octets(body) };
    if let (Some(rules), ffi::GNUTLS_HANDSHAKE_CLIENT_HELLO) = (context.rules, message) {
        return client_hello(session, context, rules, body);
    }
    if let Some((extension, flag)) = context.implements
        && !flags::are_right(message, octets, extension, flag)
    {
        return ffi::GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
    }
    // The library verifies an absent certificate too, and refuses it, even if it was only requested: what an
    // application asks for is the verification of those that come.
    if message == ffi::GNUTLS_HANDSHAKE_CERTIFICATE_PKT && !flags::is_empty_certificate(octets) {
        context.verify(session);
    }
    0
}

/// The decision to ask is still open here.
fn client_hello(
    session: ffi::gnutls_session_t,
    context: &mut Context<'_, '_>,
    rules: &Rules,
    octets: *const ffi::gnutls_datum_t,
) -> c_int {
    let mut hello = Hello {
        extension: rules.extension,
        ..Hello::default()
    };
    // SAFETY: the octets are a ClientHello's, and the context that goes along outlives the call.
    let code = unsafe {
        let context = (&raw mut hello).cast();
        ffi::gnutls_ext_raw_parse(
            context,
            Some(extension),
            octets,
            ffi::GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO,
        )
    };
    if code < 0 {
        // What cannot be read is for the library to refuse.
        return 0;
    }
    // A server that does not implement the extension reports none.
    let seen = rules.flag.and(hello.tls_flags.as_deref());
    let as_before = context.state.note_hello(seen);
    context.may_be_asked = hello.may_be_asked;
    let Ok(asks) = rules.asks(&hello, as_before) else {
        return ffi::GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
    };
    let mode = match (asks, rules.policy.requires()) {
        (false, _) => ffi::GNUTLS_CERT_IGNORE,
        (true, false) => ffi::GNUTLS_CERT_REQUEST,
        (true, true) => ffi::GNUTLS_CERT_REQUIRE,
    };
    // SAFETY: the session is valid, and the library copies the key.
    unsafe {
        ffi::gnutls_certificate_server_set_request(session, mode);
        if let (true, Some(key)) = (asks, &rules.asked_tickets) {
            let key = crate::credentials::datum(key);
            return ffi::gnutls_session_ticket_enable_server(session, &raw const key);
        }
    }
    0
}

impl Rules {
    /// Whether the client is asked for a certificate; an error is its refusal by `illegal_parameter`.
    fn asks(&self, hello: &Hello, as_before: bool) -> Result<bool, ()> {
        let Some(flag) = self.flag.filter(|_| self.tls13 && hello.offers_tls13) else {
            return Ok(self.policy.requests(false));
        };
        // RFC 9846 §4.2.2: HelloRetryRequest is no occasion for other flags.
        if !as_before {
            return Err(());
        }
        let data = hello.tls_flags.as_deref();
        let set = data.map_or(Ok(false), |data| flag_is_set(data, flag));
        set.map(|set| self.policy.requests(set)).map_err(|_| ())
    }
}

/// Called with each extension of a ClientHello.
unsafe extern "C" fn extension(
    to: *mut c_void,
    number: c_uint,
    data: *const u8,
    length: c_uint,
) -> c_int {
    // SAFETY: the library calls with the context that went along, and that many octets.
    let (hello, data) = unsafe {
        let data = if length == 0 {
            &[]
        } else {
            slice::from_raw_parts(data, length as usize)
        };
        (&mut *to.cast::<Hello>(), data)
    };
    if number == u32::from(hello.extension) {
        hello.tls_flags = Some(data.to_vec());
    } else if number == u32::from(SUPPORTED_VERSIONS) {
        hello.offers_tls13 = offers_tls13(data);
    } else if number == POST_HANDSHAKE_AUTH {
        hello.may_be_asked = true;
    }
    0
}

/// Client: writes `tls_flags` into ClientHello.
pub(crate) unsafe extern "C" fn send_flags(
    session: ffi::gnutls_session_t,
    to: ffi::gnutls_buffer_t,
) -> c_int {
    // SAFETY: the library calls with a session of this program.
    let context = unsafe { context(session) };
    let Some(data) = context.state.lock().tls_flags.clone() else {
        return 0;
    };
    if data.0.is_empty() {
        return ffi::GNUTLS_E_INT_RET_0;
    }
    // SAFETY: the library copies the octets into its buffer.
    let code = unsafe { ffi::gnutls_buffer_append_data(to, data.0.as_ptr().cast(), data.0.len()) };
    if code < 0 {
        code
    } else {
        c_int::try_from(data.0.len()).unwrap_or(c_int::MAX)
    }
}

/// Client that implements `tls_flags`: nothing answers the flag in ServerHello, HelloRetryRequest or
/// EncryptedExtensions (draft-ietf-tls-tlsflags-16 §3).
pub(crate) unsafe extern "C" fn refuse_flags(
    _: ffi::gnutls_session_t,
    _: *const u8,
    _: usize,
) -> c_int {
    ffi::GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER
}

/// An end that sends the extension and does not implement it.
pub(crate) unsafe extern "C" fn ignore_flags(
    _: ffi::gnutls_session_t,
    _: *const u8,
    _: usize,
) -> c_int {
    0
}

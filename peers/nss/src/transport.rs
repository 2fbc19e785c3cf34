//! The layer below the library's: octets to and from the other end.

use std::ffi::c_void;
use std::io::{Read, Write};
use std::ptr;
use std::slice;
use std::sync::OnceLock;

use reqmtls_contract::{Failure, Side};

use crate::context::Context;
use crate::ffi;
use crate::library::{Argument, Fd, error_text};

/// As much of a client's octets as holds the random of its ClientHello: the headers of record and message, the version,
/// the random.
const HELLO: usize = 5 + 4 + 2 + 32;

/// A socket of the library's over a layer that works on a context, which has to outlive it.
pub(crate) fn open(context: *mut Context<'_, '_>) -> Result<Fd, Failure> {
    static LAYER: OnceLock<(ffi::PRDescIdentity, ffi::PRIOMethods)> = OnceLock::new();
    let (identity, methods) = LAYER.get_or_init(layer);
    // SAFETY: the methods are static; the layer is the socket's once that is made, and ends with it.
    unsafe {
        let layer = ffi::PR_CreateIOLayerStub(*identity, methods);
        if layer.is_null() {
            return Err(Failure::Other(error_text()));
        }
        (*layer).secret = context.cast();
        let socket = ffi::SSL_ImportFD(ptr::null_mut(), layer);
        if socket.is_null() {
            close(layer);
            return Err(Failure::Other(error_text()));
        }
        Ok(socket)
    }
}

fn layer() -> (ffi::PRDescIdentity, ffi::PRIOMethods) {
    // SAFETY: the name and the default methods are static.
    unsafe {
        let identity = ffi::PR_GetUniqueIdentity(c"reqmtls".as_ptr());
        let methods = ffi::PRIOMethods {
            close: Some(close),
            recv: Some(recv),
            send: Some(send),
            shutdown: Some(shutdown),
            getpeername: Some(getpeername),
            getsocketoption: Some(getsocketoption),
            setsocketoption: Some(setsocketoption),
            ..*ffi::PR_GetDefaultIOMethods()
        };
        (identity, methods)
    }
}

/// # Safety
///
/// The layer is one of this program's, with a context that nobody else uses now.
unsafe fn context<'c>(layer: Fd) -> &'c mut Context<'c, 'c> {
    // SAFETY: what the caller promises.
    unsafe { &mut *(*layer).secret.cast() }
}

unsafe extern "C" fn close(layer: Fd) -> ffi::PRStatus {
    // SAFETY: it is the last call with this layer, whose own destructor frees it.
    unsafe {
        if let Some(destroy) = (*layer).dtor {
            destroy(layer);
        }
    }
    ffi::PR_SUCCESS
}

unsafe extern "C" fn recv(
    layer: Fd,
    buffer: Argument,
    amount: i32,
    _flags: i32,
    _timeout: ffi::PRIntervalTime,
) -> i32 {
    let length = usize::try_from(amount).unwrap_or_default();
    // SAFETY: the library calls with a connected layer, and with room for that many octets.
    let (context, buffer) = unsafe {
        buffer.cast::<u8>().write_bytes(0, length);
        let buffer = slice::from_raw_parts_mut(buffer.cast::<u8>(), length);
        (context(layer), buffer)
    };
    if !context.waits {
        // SAFETY: sets the thread's error.
        unsafe { ffi::PR_SetError(ffi::PR_WOULD_BLOCK_ERROR, 0) };
        return -1;
    }
    match context.stream.read(buffer) {
        Ok(length) => {
            if context.side == Side::Server {
                look_at(context, &buffer[..length]);
            }
            i32::try_from(length).unwrap_or(i32::MAX)
        }
        Err(error) => broken(context, &error),
    }
}

unsafe extern "C" fn send(
    layer: Fd,
    octets: *const c_void,
    amount: i32,
    _flags: i32,
    _timeout: ffi::PRIntervalTime,
) -> i32 {
    // SAFETY: the library calls with a connected layer, and with that many octets.
    let (context, octets) = unsafe {
        let length = usize::try_from(amount).unwrap_or_default();
        (context(layer), slice::from_raw_parts(octets.cast(), length))
    };
    if context.side == Side::Client {
        look_at(context, octets);
    }
    let written = context.stream.write_all(octets);
    match written.and_then(|()| context.stream.flush()) {
        Ok(()) => amount,
        Err(error) => broken(context, &error),
    }
}

/// Takes the client's random out of the first octets that it sends.
fn look_at(context: &mut Context<'_, '_>, octets: &[u8]) {
    let missing = HELLO.saturating_sub(context.hello.len());
    if missing > 0 {
        context.hello.extend(octets.iter().take(missing));
        context.log_keys();
    }
}

fn broken(context: &mut Context<'_, '_>, error: &std::io::Error) -> i32 {
    context.transport = Some(error.to_string());
    // SAFETY: sets the thread's error.
    unsafe { ffi::PR_SetError(ffi::PR_IO_ERROR, 0) };
    -1
}

/// The library closes the transport with some alerts. That is left to who has it: an alert has to arrive.
unsafe extern "C" fn shutdown(_: Fd, _how: i32) -> ffi::PRStatus {
    ffi::PR_SUCCESS
}

/// The library does not begin without an address, and finds sessions of its own by it.
unsafe extern "C" fn getpeername(_: Fd, address: *mut ffi::PRNetAddr) -> ffi::PRStatus {
    // SAFETY: there is room for an address.
    unsafe {
        address.write_bytes(0, 1);
        (*address).inet.family = ffi::PR_AF_INET.try_into().unwrap_or_default();
    }
    ffi::PR_SUCCESS
}

/// All calls block: the answer to the one option that the library asks for is no.
unsafe extern "C" fn getsocketoption(_: Fd, data: *mut ffi::PRSocketOptionData) -> ffi::PRStatus {
    // SAFETY: there is room for the answer.
    unsafe { (*data).value.non_blocking = 0 };
    ffi::PR_SUCCESS
}

unsafe extern "C" fn setsocketoption(_: Fd, _: *const ffi::PRSocketOptionData) -> ffi::PRStatus {
    ffi::PR_SUCCESS
}

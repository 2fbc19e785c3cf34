//! The library as a whole: its start, its errors, and what it gives to be freed.

use std::ffi::{CStr, c_char};
use std::ptr;

use reqmtls_contract::Failure;

use crate::ffi;

/// A socket, as the library's experimental functions take it.
pub(crate) type Fd = *mut ffi::PRFileDesc;
/// What callbacks are called with.
pub(crate) type Argument = *mut std::ffi::c_void;

/// Calls a function of the library's experimental API, which is found by name; one that it lacks fails.
macro_rules! experimental {
    ($name:literal, $($value:expr => $kind:ty),+) => {{
        let function = $crate::ffi::SSL_GetExperimentalAPI($name.as_ptr());
        $crate::library::check(if function.is_null() {
            $crate::ffi::SECFailure
        } else {
            type Function = unsafe extern "C" fn($($kind),+) -> $crate::ffi::SECStatus;
            std::mem::transmute::<*mut std::ffi::c_void, Function>(function)($($value),+)
        })
    }};
}
pub(crate) use experimental;

/// Starts the library without any database, for the life of the process. Its version.
pub(crate) fn start() -> Result<String, Failure> {
    // SAFETY: called before any other function of the library; the numbers and names are for it to choose, and the
    // version is a static text.
    unsafe {
        check(ffi::NSS_NoDB_Init(ptr::null()))?;
        check(ffi::SSL_ConfigServerSessionIDCache(0, 0, 0, ptr::null()))?;
        Ok(text(ffi::NSS_GetVersion()))
    }
}

/// What is known of a connection before its handshake is complete.
pub(crate) fn preliminary(socket: Fd) -> ffi::SSLPreliminaryChannelInfo {
    let mut info = ffi::SSLPreliminaryChannelInfo::default();
    let length = u32::try_from(size_of_val(&info)).unwrap_or_default();
    // SAFETY: the socket is alive, and there is room for what the library writes. Without, nothing is known.
    unsafe { ffi::SSL_GetPreliminaryChannelInfo(socket, &raw mut info, length) };
    info
}

/// Whether the linked library is this version or a later one.
pub(crate) fn is_at_least(version: &CStr) -> bool {
    // SAFETY: the text ends with a zero octet.
    unsafe { ffi::NSS_VersionCheck(version.as_ptr()) != 0 }
}

pub(crate) fn check(status: ffi::SECStatus) -> Result<(), Failure> {
    if status == ffi::SECSuccess {
        Ok(())
    } else {
        Err(Failure::Other(error_text()))
    }
}

/// The code of the thread's last error.
pub(crate) fn error() -> ffi::PRErrorCode {
    // SAFETY: reads a number of the thread's.
    unsafe { ffi::PR_GetError() }
}

/// The library's own words for the thread's last error.
pub(crate) fn error_text() -> String {
    let code = error();
    // SAFETY: both return static texts, or none.
    let (name, words) = unsafe {
        (
            text(ffi::PR_ErrorToName(code)),
            text(ffi::PR_ErrorToString(code, 0)),
        )
    };
    format!("{name}: {words}")
}

/// # Safety
///
/// It is null, or ends with a zero octet and lives during the call.
unsafe fn text(from: *const c_char) -> String {
    if from.is_null() {
        return String::new();
    }
    // SAFETY: what the caller promises.
    unsafe { CStr::from_ptr(from) }
        .to_string_lossy()
        .into_owned()
}

/// What the library has made, and frees once it is used no more.
pub(crate) struct Owned<T> {
    pointer: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

// SAFETY: it is made of what the library counts references to, under locks of its own, and nothing here changes it.
unsafe impl<T> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// Takes what the library has just made, if it could.
    pub(crate) fn new(
        pointer: *mut T,
        free: unsafe extern "C" fn(*mut T),
    ) -> Result<Self, Failure> {
        if pointer.is_null() {
            return Err(Failure::Other(error_text()));
        }
        Ok(Self { pointer, free })
    }

    pub(crate) fn raw(&self) -> *mut T {
        self.pointer
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: it is of the library's making, and this is the function of its that frees it.
        unsafe { (self.free)(self.pointer) }
    }
}

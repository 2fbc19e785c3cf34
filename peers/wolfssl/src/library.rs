//! What the library makes and its caller frees, and its errors.

use std::ffi::{CStr, c_char, c_int};

use reqmtls_contract::PrepareError;

use crate::ffi;

/// Something of the library's that is freed when this goes.
pub(crate) struct Owned<T> {
    pointer: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes what a function of the library returned for its caller to free by `free`; null is its error.
    pub(crate) fn new(
        pointer: *mut T,
        free: unsafe extern "C" fn(*mut T),
    ) -> Result<Self, Refused> {
        if pointer.is_null() {
            return Err(Refused("the library returns nothing".to_owned()));
        }
        Ok(Self { pointer, free })
    }

    pub(crate) fn raw(&self) -> *mut T {
        self.pointer
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: it was made for this owner, and `free` is the library's function for it.
        unsafe { (self.free)(self.pointer) }
    }
}

// SAFETY: the library locks its counts of references, and threads may share a context once it is set up.
unsafe impl Send for Owned<ffi::WOLFSSL_CTX> {}
// SAFETY: as above.
unsafe impl Sync for Owned<ffi::WOLFSSL_CTX> {}
// SAFETY: as above; only one thread at a time has a session.
unsafe impl Send for Owned<ffi::WOLFSSL_SESSION> {}

/// A call that failed, in the library's words.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl From<Refused> for PrepareError {
    fn from(Refused(text): Refused) -> Self {
        Self::Invalid(text)
    }
}

/// The library's way to say that a call succeeded.
pub(crate) fn check(what: &str, returned: c_int) -> Result<(), Refused> {
    if returned == 1 {
        Ok(())
    } else {
        Err(Refused(format!("{what}: {}", error(returned))))
    }
}

/// The library's own words for a code.
pub(crate) fn error(code: c_int) -> String {
    // SAFETY: the library returns a static text for every code; it takes those of its own, which are negative, as they
    // are or without their sign.
    unsafe {
        text(ffi::wolfSSL_ERR_reason_error_string(
            code.unsigned_abs().into(),
        ))
    }
}

/// A copy of a text of the library's.
///
/// # Safety
///
/// It ends with a zero, or is null.
pub(crate) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: what the caller promises.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// The library's name and version, as it is linked.
pub(crate) fn version() -> String {
    // SAFETY: returns a static text.
    format!("wolfSSL {}", unsafe { text(ffi::wolfSSL_lib_version()) })
}

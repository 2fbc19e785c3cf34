//! What the library makes and its caller frees, and its errors.

use std::ffi::{CStr, c_char, c_int};

use reqmtls_contract::Failure;

use crate::ffi;

/// Something of the library's that is freed, by the function, when this goes.
pub(crate) struct Owned<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Owned<T> {
    /// Takes what a function of the library returned for its caller to free; null is its error.
    pub(crate) fn new(
        pointer: *mut T,
        free: unsafe extern "C" fn(*mut T),
    ) -> Result<Self, Failure> {
        let nothing = || Failure::Other("the library returns nothing".to_owned());
        (!pointer.is_null())
            .then(|| Self(pointer, free))
            .ok_or_else(nothing)
    }

    pub(crate) fn raw(&self) -> *mut T {
        self.0
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: it was made for this owner, and the function is the library's for it.
        unsafe { (self.1)(self.0) }
    }
}

// SAFETY: the library counts references under a lock; a context is shared once it is set up, a session used in turn.
unsafe impl<T> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl Sync for Owned<ffi::WOLFSSL_CTX> {}

/// The library's way to say that a call succeeded.
pub(crate) fn check(what: &str, returned: c_int) -> Result<(), Failure> {
    match returned {
        1 => Ok(()),
        code => Err(Failure::Other(format!("{what}: {}", error(code)))),
    }
}

/// The library's own words for a code.
pub(crate) fn error(code: c_int) -> String {
    // SAFETY: the library has a static text for every code, without its sign.
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
/// It ends with a zero.
pub(crate) unsafe fn text(text: *const c_char) -> String {
    // SAFETY: what the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}

/// The length of what the library reads or writes.
pub(crate) fn length<T: TryFrom<usize>>(octets: &[u8]) -> Result<T, Failure> {
    let length = T::try_from(octets.len());
    length.map_err(|_| Failure::Other("more octets than the library takes".to_owned()))
}

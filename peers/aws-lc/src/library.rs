//! What the library makes and its caller frees, and its errors.

use std::ffi::{CStr, c_char, c_int};

use aws_lc_sys as ffi;
use reqmtls_contract::PrepareError;

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
            return Err(Refused(errors()));
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

// SAFETY: contexts and sessions count their references atomically, and threads may share them once they are set up.
unsafe impl Send for Owned<ffi::SSL_CTX> {}
// SAFETY: as above.
unsafe impl Sync for Owned<ffi::SSL_CTX> {}
// SAFETY: as above.
unsafe impl Send for Owned<ffi::SSL_SESSION> {}

/// A call that failed, in the library's words.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl From<Refused> for PrepareError {
    fn from(Refused(text): Refused) -> Self {
        Self::Invalid(text)
    }
}

/// The library's way to say that a call succeeded.
pub(crate) fn check(returned: c_int) -> Result<(), Refused> {
    if returned == 1 {
        Ok(())
    } else {
        Err(Refused(errors()))
    }
}

/// Takes the errors of this thread's calls.
pub(crate) fn errors() -> String {
    let mut texts = Vec::new();
    loop {
        let mut buffer = [0; 256];
        // SAFETY: takes the oldest error of this thread; the buffer has room for that many octets, its zero included.
        let text = unsafe {
            let code = ffi::ERR_get_error();
            if code == 0 {
                break;
            }
            ffi::ERR_error_string_n(code, buffer.as_mut_ptr(), buffer.len());
            text(buffer.as_ptr())
        };
        texts.push(text);
    }
    if texts.is_empty() {
        return "the library names no error".to_owned();
    }
    texts.join(", ")
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

/// The library's name and version, as it is linked. It calls itself `OpenSSL 1.1.1 (compatible; AWS-LC 1.2.3)`.
pub(crate) fn version() -> String {
    // SAFETY: returns a static text.
    let all = unsafe { text(ffi::OpenSSL_version(ffi::OPENSSL_VERSION)) };
    let own = all
        .split_once("; ")
        .and_then(|(_, own)| own.strip_suffix(')'));
    own.map_or(all.clone(), str::to_owned)
}

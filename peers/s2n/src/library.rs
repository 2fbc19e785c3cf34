//! What the library makes and its caller frees, and its errors.

use std::ffi::{CStr, c_char, c_int};
use std::sync::Once;

use reqmtls_contract::PrepareError;
use s2n_tls_sys as ffi;

/// The linked version. The library has no call for it, so the package is pinned, and a test compares.
pub(crate) const VERSION: &str = "0.3.47";

/// Prepares the library, once for the process.
pub(crate) fn initialize() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: nothing of the library was called before. It frees nothing at exit, where threads may still use it.
        let done = unsafe { ffi::s2n_disable_atexit() == 0 && ffi::s2n_init() == 0 };
        assert!(done, "cannot initialize the library: {}", error());
    });
}

/// Something of the library's that is freed when this goes.
pub(crate) struct Owned<T> {
    pointer: *mut T,
    free: unsafe extern "C" fn(*mut T) -> c_int,
}

impl<T> Owned<T> {
    /// Takes what a function of the library returned for its caller to free by `free`; null is its error.
    pub(crate) fn new(
        pointer: *mut T,
        free: unsafe extern "C" fn(*mut T) -> c_int,
    ) -> Result<Self, Refused> {
        if pointer.is_null() {
            return Err(Refused(error()));
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
        unsafe { (self.free)(self.pointer) };
    }
}

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
    if returned >= 0 {
        Ok(())
    } else {
        Err(Refused(error()))
    }
}

/// What kind of error this thread's last failed call had.
pub(crate) fn error_type() -> c_int {
    // SAFETY: the number is the thread's own.
    unsafe { ffi::s2n_error_get_type(*ffi::s2n_errno_location()) }
}

/// The error of this thread's last failed call.
pub(crate) fn error() -> String {
    // SAFETY: the number is the thread's own, and both texts are static.
    unsafe {
        let number = *ffi::s2n_errno_location();
        let name = text(ffi::s2n_strerror_name(number));
        format!(
            "{name}: {}",
            text(ffi::s2n_strerror(number, c"EN".as_ptr()))
        )
    }
}

/// A copy of a text of the library's.
///
/// # Safety
///
/// It ends with a zero, or is null.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: what the caller promises.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package() {
        let lock = include_str!("../../../Cargo.lock");
        let package = format!("name = \"s2n-tls-sys\"\nversion = \"{VERSION}\"\n");
        assert!(lock.contains(&package));
    }
}

//! What the library makes and its caller frees, and its errors.

use std::ffi::{CStr, c_int};

use s2n_tls_sys as ffi;

/// The linked version. The library has no call for it, so the package is pinned, and a test compares.
pub(crate) const VERSION: &str = "0.3.47";

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
    ) -> Result<Self, String> {
        if pointer.is_null() {
            return Err(error());
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

/// Whether all calls succeeded, by what they returned.
pub(crate) fn check(returned: &[c_int]) -> Result<(), String> {
    let failed = returned.iter().any(|it| *it < 0);
    if failed { Err(error()) } else { Ok(()) }
}

/// What kind of error this thread's last failed call had.
pub(crate) fn error_type() -> ffi::s2n_error_type::Type {
    // SAFETY: the number is the thread's own.
    unsafe { ffi::s2n_error_get_type(*ffi::s2n_errno_location()) }.cast_unsigned()
}

/// The error of this thread's last failed call.
pub(crate) fn error() -> String {
    // SAFETY: the number is the thread's own, and the text is static.
    let text = unsafe {
        let number = *ffi::s2n_errno_location();
        CStr::from_ptr(ffi::s2n_strerror(number, c"EN".as_ptr()))
    };
    text.to_string_lossy().into_owned()
}

#[test]
fn the_version_is_that_of_the_package() {
    let package = format!("name = \"s2n-tls-sys\"\nversion = \"{VERSION}\"\n");
    assert!(include_str!("../../../Cargo.lock").contains(&package));
}

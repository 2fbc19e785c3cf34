//! What the library calls while it works, and what a connection then finds here.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CStr, c_void};
use std::{ptr, slice};

use reqmtls_contract::Hex;

use crate::ffi::{Failure, Hooks, Octets};
use crate::flags::Rules;

/// What the hooks note for a connection.
pub(crate) struct Noted {
    /// Octets for the other end.
    pub(crate) emitted: Vec<u8>,
    /// Application data that came.
    pub(crate) data: VecDeque<u8>,
    /// The error alert that came.
    pub(crate) alert: Option<u8>,
    pub(crate) rules: Rules,
}

impl Noted {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            emitted: Vec::new(),
            data: VecDeque::new(),
            alert: None,
            rules,
        }
    }
}

pub(crate) const HOOKS: Hooks = Hooks {
    emit: Some(emit),
    data: Some(data),
    alert: Some(alert),
    secret: Some(secret),
    examine: Some(examine),
    modify: Some(modify),
};

/// Octets for the length of a call.
pub(crate) fn octets(octets: Option<&[u8]>) -> Octets {
    Octets {
        data: octets.map_or(ptr::null(), <[u8]>::as_ptr),
        length: octets.map_or(0, <[u8]>::len),
    }
}

/// Nothing has failed.
pub(crate) const NO_FAILURE: Failure = Failure { text: [0; 256] };

/// What made a call fail, in the library's words.
pub(crate) fn text(failure: &Failure) -> String {
    // SAFETY: the functions of shim.h leave a zero at the end.
    let text = unsafe { CStr::from_ptr(failure.text.as_ptr()) };
    text.to_string_lossy().into_owned()
}

impl Octets {
    /// The octets, if there are any.
    ///
    /// # Safety
    ///
    /// They are alive for `'a`.
    unsafe fn get<'a>(self) -> Option<&'a [u8]> {
        // SAFETY: what the caller promises.
        (!self.data.is_null()).then(|| unsafe { slice::from_raw_parts(self.data, self.length) })
    }
}

/// What a hook's context is.
///
/// # Safety
///
/// It is that of a connection whose call is under way.
unsafe fn noted<'a>(context: *mut c_void) -> &'a RefCell<Noted> {
    // SAFETY: a connection owns it for as long as the library works for it.
    unsafe { &*context.cast::<RefCell<Noted>>() }
}

unsafe extern "C" fn emit(context: *mut c_void, came: Octets) {
    // SAFETY: the library calls this, and its octets live as long as the call.
    let (noted, came) = unsafe { (noted(context), came.get()) };
    noted.borrow_mut().emitted.extend(came.unwrap_or_default());
}

unsafe extern "C" fn data(context: *mut c_void, came: Octets) {
    // SAFETY: the library calls this, and its octets live as long as the call.
    let (noted, came) = unsafe { (noted(context), came.get()) };
    noted.borrow_mut().data.extend(came.unwrap_or_default());
}

unsafe extern "C" fn alert(context: *mut c_void, description: u8, fatal: bool) {
    // SAFETY: the library calls this.
    let mut noted = unsafe { noted(context) }.borrow_mut();
    if fatal {
        noted.alert = Some(description);
        noted.rules.state.note_alert(false, description);
    }
}

unsafe extern "C" fn secret(context: *mut c_void, label: Octets, random: Octets, secret: Octets) {
    // SAFETY: the library calls this, and its octets live as long as the call.
    let (noted, label, random, secret) =
        unsafe { (noted(context), label.get(), random.get(), secret.get()) };
    let label = String::from_utf8_lossy(label.unwrap_or_default());
    let [random, secret] = [random, secret].map(|octets| Hex::from(octets.unwrap_or_default()));
    let line = format!("{label} {random} {secret}");
    noted.borrow().rules.state.log_key(line);
}

unsafe extern "C" fn examine(
    context: *mut c_void,
    message: u8,
    tls_flags: Octets,
    versions: Octets,
    asks: *mut bool,
) -> u8 {
    // SAFETY: the library calls this, and its octets live as long as the call.
    let (noted, tls_flags, versions) = unsafe { (noted(context), tls_flags.get(), versions.get()) };
    match noted
        .borrow_mut()
        .rules
        .examine(message, tls_flags, versions)
    {
        Err(alert) => alert,
        Ok(decision) => {
            if let Some(decision) = decision {
                // SAFETY: it is a place of the caller's.
                unsafe { *asks = decision };
            }
            0
        }
    }
}

/// The octets live until the next message is examined.
unsafe extern "C" fn modify(context: *mut c_void, message: u8) -> Octets {
    // SAFETY: the library calls this.
    let noted = unsafe { noted(context) }.borrow();
    octets(noted.rules.sent_in(message))
}

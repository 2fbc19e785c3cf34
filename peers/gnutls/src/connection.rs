//! One connection of the library, as the contract's session.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ptr;

use reqmtls_contract::{ConnectionReport, Failure, Hex, Policy, Session};

use crate::callbacks::{self, Context};
use crate::credentials::{Credentials, datum};
use crate::ffi;

type Code = i32;

/// `GNUTLS_HANDSHAKE_ANY`, a macro with a cast.
const EVERY_MESSAGE: u32 = u32::MAX;

/// What the connections of one end have in common.
pub(crate) struct End {
    pub(crate) flags: u32,
    pub(crate) priorities: CString,
    pub(crate) credentials: Credentials,
}

/// A TLS connection over the stream of the other end.
pub(crate) struct Connection<'a, 's> {
    session: ffi::gnutls_session_t,
    /// Owned, and used by callbacks while the library works: a reference would claim to be the only one.
    context: *mut Context<'a, 's>,
    borrows: PhantomData<&'a Credentials>,
}

impl<'a, 's> Connection<'a, 's> {
    /// A connection of an end, of which the context has what the callbacks need.
    pub(crate) fn new(end: &'a End, context: Context<'a, 's>) -> Result<Self, Failure> {
        let mut session = ptr::null_mut();
        // SAFETY: the place for the result is ours.
        check(unsafe { ffi::gnutls_init(&raw mut session, end.flags) })?;
        let context = Box::into_raw(Box::new(context));
        let connection = Self {
            session,
            context,
            borrows: PhantomData,
        };
        // SAFETY: the session is valid; the context lives until the session has ended, the credentials as long as
        // this connection, and the library copies the priorities.
        unsafe {
            ffi::gnutls_session_set_ptr(session, context.cast());
            ffi::gnutls_transport_set_ptr(session, context.cast());
            ffi::gnutls_transport_set_push_function(session, Some(callbacks::push));
            ffi::gnutls_transport_set_pull_function(session, Some(callbacks::pull));
            ffi::gnutls_transport_set_pull_timeout_function(session, Some(callbacks::wait));
            ffi::gnutls_session_set_keylog_function(session, Some(callbacks::log_key));
            ffi::gnutls_handshake_set_hook_function(
                session,
                EVERY_MESSAGE,
                ffi::GNUTLS_HOOK_PRE.cast_signed(),
                Some(callbacks::message),
            );
            check(ffi::gnutls_priority_set_direct(
                session,
                end.priorities.as_ptr(),
                ptr::null_mut(),
            ))?;
            check(ffi::gnutls_credentials_set(
                session,
                ffi::GNUTLS_CRD_CERTIFICATE,
                end.credentials.as_ptr(),
            ))?;
        }
        Ok(connection)
    }

    pub(crate) fn raw(&self) -> ffi::gnutls_session_t {
        self.session
    }

    /// The session to offer again, if the other end gave one.
    pub(crate) fn ticket(&self) -> Option<Vec<u8>> {
        let mut data = ffi::gnutls_datum_t {
            data: ptr::null_mut(),
            size: 0,
        };
        // SAFETY: the session is valid, and so is the place for the datum, which is ours then.
        unsafe {
            let flags = ffi::gnutls_session_get_flags(self.session);
            if flags & ffi::GNUTLS_SFLAGS_SESSION_TICKET == 0
                || ffi::gnutls_session_get_data2(self.session, &raw mut data) < 0
            {
                return None;
            }
            Some(take(data))
        }
    }

    /// What a code of the library means for the connection. A fatal one is answered by the alert that the library
    /// has for it, as applications do.
    fn outcome(&mut self, code: Code) -> Result<Code, Failure> {
        if code >= 0 {
            return Ok(code);
        }
        // SAFETY: the context is valid, and no callback runs now.
        let context = unsafe { &mut *self.context };
        // Whether a failure of the transport is fatal, the library would read from an old errno.
        if let Some(error) = context.transport.take() {
            return Err(Failure::Other(error));
        }
        // SAFETY: reads a table of the library.
        if unsafe { ffi::gnutls_error_is_fatal(code) } == 0 {
            return Ok(code);
        }
        let state = context.state.clone();
        match code {
            ffi::GNUTLS_E_PREMATURE_TERMINATION | ffi::GNUTLS_E_UNEXPECTED_PACKET_LENGTH => {
                return Err(Failure::Other(text(code)));
            }
            ffi::GNUTLS_E_FATAL_ALERT_RECEIVED => {
                // SAFETY: the session is valid.
                let alert = unsafe { ffi::gnutls_alert_get(self.session) };
                state.note_alert(false, u8::try_from(alert).unwrap_or(u8::MAX));
            }
            _ => {
                let mut level = 0;
                // SAFETY: the session and the place for the level are valid. That the alert does not go out is no
                // other failure than the one at hand.
                unsafe {
                    let alert = ffi::gnutls_error_to_alert(code, &raw mut level);
                    if ffi::gnutls_alert_send_appropriate(self.session, code) == 0 {
                        state.note_alert(true, u8::try_from(alert).unwrap_or(u8::MAX));
                    }
                }
            }
        }
        Err(Failure::Tls(text(code)))
    }

    /// Repeats a call that the library breaks off for what concerns no application.
    fn complete(&mut self, call: impl Fn(ffi::gnutls_session_t) -> Code) -> Result<usize, Failure> {
        loop {
            let code = call(self.session);
            if let Ok(done) = usize::try_from(self.outcome(code)?) {
                return Ok(done);
            }
        }
    }
}

impl Session for Connection<'_, '_> {
    fn handshake(&mut self) -> Result<(), Failure> {
        // SAFETY: the session is valid.
        self.complete(|session| unsafe { ffi::gnutls_handshake(session) })
            .map(drop)
    }

    fn describe(&mut self, report: &mut ConnectionReport) {
        let mut count = 0;
        let mut digest = [0; 32];
        // SAFETY: the session is valid; the certificate is copied into the digest while it lives, and SHA-256 has 32
        // octets.
        unsafe {
            report.resumed = Some(ffi::gnutls_session_is_resumed(self.session) != 0);
            let peers = ffi::gnutls_certificate_get_peers(self.session, &raw mut count);
            if !peers.is_null()
                && count > 0
                && ffi::gnutls_hash_fast(
                    ffi::GNUTLS_DIG_SHA256,
                    (*peers).data.cast(),
                    (*peers).size as usize,
                    digest.as_mut_ptr().cast(),
                ) == 0
            {
                report.peer_certificate = Some(Hex(digest.to_vec()));
            }
        }
    }

    fn authenticate(&mut self) -> Result<(), Failure> {
        // SAFETY: the context is valid, and no callback runs now.
        let context = unsafe { &*self.context };
        let is_due = context
            .rules
            .is_some_and(|rules| rules.policy == Policy::PostHandshake);
        if !is_due || !context.may_be_asked {
            return Ok(());
        }
        // SAFETY: the session is valid.
        unsafe {
            ffi::gnutls_certificate_server_set_request(self.session, ffi::GNUTLS_CERT_REQUEST);
        }
        // SAFETY: the session is valid.
        self.complete(|session| unsafe { ffi::gnutls_reauth(session, 0) })
            .map(drop)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let (data, length) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: the session is valid, and there is room for that many octets.
        self.complete(|session| unsafe {
            code(ffi::gnutls_record_recv(session, data.cast(), length))
        })
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let mut rest = octets;
        while !rest.is_empty() {
            // SAFETY: the session is valid, and there are that many octets.
            let done = self.complete(|session| unsafe {
                code(ffi::gnutls_record_send(
                    session,
                    rest.as_ptr().cast(),
                    rest.len(),
                ))
            })?;
            rest = rest.get(done..).unwrap_or_default();
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        // SAFETY: the session is valid.
        self.complete(|session| unsafe { ffi::gnutls_bye(session, ffi::GNUTLS_SHUT_WR) })
            .map(drop)
    }
}

impl Drop for Connection<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: both were made for this connection; the session, which uses the context, ends first.
        unsafe {
            ffi::gnutls_deinit(self.session);
            drop(Box::from_raw(self.context));
        }
    }
}

/// A length or an error of the library, which both fit.
fn code(result: isize) -> Code {
    Code::try_from(result).unwrap_or(Code::MAX)
}

pub(crate) fn check(code: Code) -> Result<(), Failure> {
    if code < 0 {
        Err(Failure::Other(text(code)))
    } else {
        Ok(())
    }
}

/// The library's own words for an error.
pub(crate) fn text(code: Code) -> String {
    // SAFETY: the library returns a static text for every code.
    let text = unsafe { CStr::from_ptr(ffi::gnutls_strerror(code)) };
    text.to_string_lossy().into_owned()
}

/// The octets of a datum that the library has made for its caller, which frees it.
///
/// # Safety
///
/// The datum is such a one, and nobody uses it afterwards.
pub(crate) unsafe fn take(datum: ffi::gnutls_datum_t) -> Vec<u8> {
    // SAFETY: what the caller promises; the library's function for it is a variable that nobody changes.
    unsafe {
        let octets = std::slice::from_raw_parts(datum.data, datum.size as usize).to_vec();
        if let Some(free) = ffi::gnutls_free {
            free(datum.data.cast());
        }
        octets
    }
}

/// A session that the other end gave, to be offered again.
pub(crate) fn offer(connection: &Connection<'_, '_>, ticket: &[u8]) -> Result<(), Failure> {
    let data = datum(ticket);
    // SAFETY: the session is valid, and the library reads that many octets.
    check(unsafe { ffi::gnutls_session_set_data(connection.raw(), data.data.cast(), ticket.len()) })
}

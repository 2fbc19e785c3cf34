//! The server's end of a job.

use std::ffi::c_int;
use std::ptr;

use aws_lc_sys as ffi;
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, MalformedFlags, Policy,
    PrepareError, SUPPORTED_VERSIONS, Sessions, Setup, Side, Version, flag_is_set, offers_tls13,
    run_server,
};

use crate::callbacks::{self, Noted, hello_extension};
use crate::connection::Connection;
use crate::context::{self, Context};
use crate::library::check;

/// Number of the `early_data` extension, RFC 9846 §4.3.10 (RFC 8446 §4.2.10).
const EARLY_DATA: u16 = 42;

pub(crate) struct Server {
    context: Context,
    rules: Rules,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let context = context::of(setup)?;
        let name = b"reqmtls";
        // SAFETY: the context is alive, the library copies the name, and the callback has the type that it takes.
        unsafe {
            check(ffi::SSL_CTX_set_session_id_context(
                context.raw(),
                name.as_ptr(),
                name.len(),
            ))?;
            ffi::SSL_CTX_set_early_data_enabled(context.raw(), setup.early_data.into());
            ffi::SSL_CTX_set_client_hello_cb(
                context.raw(),
                Some(callbacks::client_hello),
                ptr::null_mut(),
            );
        }
        let rules = Rules {
            policy: setup.policy.unwrap_or(Policy::Never),
            flag: setup.flag,
            extension: setup.extension_number(),
            separate: setup.sessions == Some(Sessions::Separate),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
        };
        Ok(Self { context, rules })
    }
}

impl BlockingEndpoint for Server {
    fn run(
        &self,
        _connection: u32,
        stream: &mut BlockingStream<'_>,
        report: &mut ConnectionReport,
    ) {
        let state = ConnectionState::default();
        let noted = Noted {
            rules: Some(&self.rules),
            ..Noted::new(stream, state.clone())
        };
        match Connection::new(&self.context, Side::Server, noted) {
            Ok(mut session) => run_server(&mut session, &state, report),
            Err(refused) => report.break_off(&refused.0),
        }
    }
}

/// What a server looks at before it answers a `ClientHello`.
pub(crate) struct Rules {
    policy: Policy,
    /// The request mTLS flag; without it, the server does not implement `tls_flags`.
    flag: Option<u16>,
    /// The number of `tls_flags`.
    extension: u16,
    /// A session is resumed only where the decision to ask is the same.
    separate: bool,
    /// Whether the server negotiates TLS 1.3 with a client that offers it.
    tls13: bool,
}

impl Rules {
    /// Notes what a ClientHello offers, and sets by it whether the client is asked for a certificate.
    ///
    /// # Safety
    ///
    /// It is called within the ClientHello callback of the connection.
    pub(crate) unsafe fn decide(
        &self,
        ssl: *mut ffi::SSL,
        noted: &mut Noted<'_, '_>,
    ) -> Result<(), MalformedFlags> {
        // SAFETY: what the caller promises.
        let extension = |number| unsafe { hello_extension(ssl, number) };
        noted.offers_early_data = extension(EARLY_DATA).is_some();
        let tls13 = self.tls13 && extension(SUPPORTED_VERSIONS).is_some_and(offers_tls13);
        let data = self.flag.and_then(|_| extension(self.extension));
        noted.state.note_hello(data);
        let set = match (self.flag, data) {
            (Some(flag), Some(data)) if tls13 => flag_is_set(data, flag)?,
            _ => false,
        };
        let asks = self.policy.requests(set);
        // SAFETY: the connection is alive, and the library copies the name, which is shorter than its limit.
        unsafe {
            if self.separate {
                let name: &[u8] = if asks { b"asks" } else { b"does not" };
                ffi::SSL_set_session_id_context(ssl, name.as_ptr(), name.len());
            }
            ffi::SSL_set_verify(ssl, mode(asks, self.policy.requires()), None);
        }
        Ok(())
    }
}

/// What the library calls a policy's decision.
fn mode(asks: bool, requires: bool) -> c_int {
    match (asks, requires) {
        (false, _) => ffi::SSL_VERIFY_NONE,
        (true, false) => ffi::SSL_VERIFY_PEER,
        (true, true) => ffi::SSL_VERIFY_PEER | ffi::SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    }
}

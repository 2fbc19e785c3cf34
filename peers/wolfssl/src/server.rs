//! The server's end of a job.

use std::ffi::{c_int, c_uint};
use std::ptr;

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, Policy, PrepareError,
    SUPPORTED_VERSIONS, Sessions, Setup, Side, Version, flag_is_set, offers_tls13, run_server,
};

use crate::callbacks::{self, Noted};
use crate::connection::Connection;
use crate::context::{self, Context};
use crate::ffi;

/// The most early data that is taken of a connection.
const MOST_EARLY_DATA: u32 = 16384;

pub(crate) struct Server {
    context: Context,
    rules: Rules,
    early_data: bool,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let context = context::of(setup, Side::Server)?;
        let most = if setup.early_data { MOST_EARLY_DATA } else { 0 };
        // SAFETY: the context is alive. It fails where there is no TLS 1.3, and so no early data.
        unsafe { ffi::wolfSSL_CTX_set_max_early_data(context.raw(), most) };
        Ok(Self {
            context,
            rules: Rules::new(setup),
            early_data: setup.early_data,
        })
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
        match Connection::new(&self.context, Side::Server, self.early_data, noted) {
            Ok(mut session) => {
                // SAFETY: the connection is alive and has not begun.
                unsafe {
                    self.rules.set(session.raw(), &Hello::default());
                    let callback = Some(callbacks::master_secret as _);
                    ffi::wolfSSL_set_secret_cb(session.raw(), callback, ptr::null_mut());
                    if self.rules.flag.is_some() {
                        let callback = Some(callbacks::hello_extension as _);
                        ffi::wolfSSL_set_tlsext_debug_callback(session.raw(), callback);
                    }
                }
                run_server(&mut session, &state, report);
            }
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
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            policy: setup.policy.unwrap_or(Policy::Never),
            flag: setup.flag,
            extension: setup.extension_number(),
            separate: setup.sessions == Some(Sessions::Separate),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
        }
    }

    /// Whether the server asks after the handshake.
    pub(crate) fn asks_afterwards(&self) -> bool {
        self.policy == Policy::PostHandshake
    }

    /// Sets whether the client is asked for a certificate.
    ///
    /// # Safety
    ///
    /// The connection is alive, and has not answered ClientHello.
    pub(crate) unsafe fn set(&self, ssl: *mut ffi::WOLFSSL, hello: &Hello) {
        let asks = self.policy.requests(hello.sets_flag);
        let mode = match (asks, self.policy.requires()) {
            (false, _) => ffi::WOLFSSL_VERIFY_NONE,
            (true, false) => ffi::WOLFSSL_VERIFY_PEER,
            (true, true) => ffi::WOLFSSL_VERIFY_PEER | ffi::WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        };
        // SAFETY: what the caller promises; the library copies the name, which is shorter than its limit.
        unsafe {
            ffi::wolfSSL_set_verify(ssl, mode.cast_signed(), None);
            if self.separate {
                let name: &[u8] = if asks { b"asks" } else { b"does not" };
                let length = c_uint::try_from(name.len()).unwrap_or_default();
                ffi::wolfSSL_set_session_id_context(ssl, name.as_ptr(), length);
            }
        }
    }
}

/// What has been seen of the ClientHello that came last, by those of its extensions that the library has handed over.
#[derive(Default)]
pub(crate) struct Hello {
    /// Octets have come since its last extension: the next one is another's.
    pub(crate) is_read: bool,
    /// It has been answered: extensions that come now are not its.
    pub(crate) is_answered: bool,
    /// The answer is an alert.
    pub(crate) is_refused: bool,
    sets_flag: bool,
    offers_tls13: bool,
}

impl Hello {
    /// Notes an extension.
    pub(crate) fn note(
        &mut self,
        rules: &Rules,
        state: &ConnectionState,
        number: c_int,
        data: &[u8],
    ) {
        let mut state = state.lock();
        if std::mem::take(&mut self.is_read) {
            *self = Self::default();
            state.hellos.push(None);
        }
        if number == c_int::from(rules.extension)
            && let Some(last) = state.hellos.last_mut()
        {
            *last = Some(Hex::from(data));
        } else if number == c_int::from(SUPPORTED_VERSIONS) {
            self.offers_tls13 = offers_tls13(data);
        }
        let Some(flag) = rules.flag.filter(|_| rules.tls13 && self.offers_tls13) else {
            return;
        };
        let last = state.hellos.last().cloned().flatten();
        let set = last.map_or(Ok(false), |Hex(data)| flag_is_set(&data, flag));
        // RFC 9846 §4.2.2: HelloRetryRequest is no occasion for other flags.
        let as_before = state.hellos.windows(2).all(|pair| pair[0] == pair[1]);
        self.is_refused = set.is_err() || !as_before;
        self.sets_flag = set.unwrap_or(false);
    }
}

//! The client's end of a job.

use std::ffi::CString;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use aws_lc_sys as ffi;
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, PrepareError,
    Resumption, Setup, Side, run_client,
};

use crate::callbacks::{self, Noted, Session};
use crate::connection::Connection;
use crate::context::{self, Context, c_text};
use crate::library::{Refused, check};

pub(crate) struct Client {
    context: Context,
    server_name: Option<CString>,
    tls_flags: Option<Hex>,
    /// The numbers of extension and flag, if the client implements `tls_flags`.
    implements: Option<(u16, u16)>,
    resumption: Option<Resumption>,
    /// The newest session that the job's connections were given.
    session: Mutex<Option<Session>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let context = context::of(&setup)?;
        let raw = context.raw();
        let extension = setup.extension_number();
        let later = setup.resumption.as_ref();
        let sends = setup.tls_flags.is_some() || later.is_some_and(|it| it.tls_flags.is_some());
        // SAFETY: the context is alive, and the callbacks have the types that the functions take.
        unsafe {
            ffi::SSL_CTX_set_verify(raw, ffi::SSL_VERIFY_PEER, None);
            if sends || setup.flag.is_some() {
                check(ffi::SSL_CTX_add_client_custom_ext(
                    raw,
                    extension.into(),
                    Some(callbacks::add_flags),
                    None,
                    ptr::null_mut(),
                    setup.flag.and(Some(callbacks::refuse_flags)),
                    ptr::null_mut(),
                ))?;
            }
            if setup.flag.is_some() {
                ffi::SSL_CTX_set_msg_callback(raw, Some(callbacks::message));
            }
            if later.is_some() {
                // Off for clients by default; without it the callback is not called.
                ffi::SSL_CTX_set_session_cache_mode(raw, ffi::SSL_SESS_CACHE_CLIENT);
                ffi::SSL_CTX_sess_set_new_cb(raw, Some(callbacks::new_session));
            }
        }
        Ok(Self {
            context,
            server_name: setup.server_name.map(c_text).transpose()?,
            tls_flags: setup.tls_flags,
            implements: setup.flag.map(|flag| (extension, flag)),
            resumption: setup.resumption,
            session: Mutex::default(),
        })
    }

    fn connection<'a, 's>(
        &'a self,
        noted: Noted<'a, 's>,
        resumption: Option<&Resumption>,
    ) -> Result<Connection<'a, 's>, Refused> {
        let connection = Connection::new(&self.context, Side::Client, noted)?;
        let ssl = connection.raw();
        if let Some(name) = &self.server_name {
            // SAFETY: the connection is alive and has not begun; the library copies the name.
            unsafe {
                check(ffi::SSL_set_tlsext_host_name(ssl, name.as_ptr()))?;
                check(ffi::SSL_set1_host(ssl, name.as_ptr()))?;
            }
        }
        let Some(resumption) = resumption else {
            return Ok(connection);
        };
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the connection is alive and has not begun, and the library counts its own references to the session,
        // which is of a connection of this context. Without one that allows it, no early data is offered.
        unsafe {
            if let Some(session) = session.as_ref() {
                check(ffi::SSL_set_session(ssl, session.raw()))?;
            }
            ffi::SSL_set_early_data_enabled(ssl, resumption.early_data.into());
        }
        Ok(connection)
    }
}

impl BlockingEndpoint for Client {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.resumption.as_ref().filter(|_| connection > 0);
        let tls_flags = resumption.map_or(&self.tls_flags, |it| &it.tls_flags);
        let state = ConnectionState::sending(tls_flags.clone());
        let noted = Noted {
            tls_flags: tls_flags.as_ref(),
            implements: self.implements,
            session: Some(&self.session),
            ..Noted::new(stream, state.clone())
        };
        match self.connection(noted, resumption) {
            Ok(mut session) => {
                let early = resumption.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &state, report);
            }
            Err(refused) => report.break_off(&refused.0),
        }
    }
}

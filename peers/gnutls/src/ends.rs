//! The two ends of a job.

use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Failure, Policy,
    PrepareError, Sessions, Setup, Version, run_client, run_server,
};

use crate::callbacks::{self, Context, Rules};
use crate::connection::{self, Connection, End, check};
use crate::credentials::{Credentials, datum};
use crate::{ffi, priorities};

/// A client.
pub(crate) struct Client {
    setup: Setup,
    end: End,
    server_name: CString,
    /// The newest session that the job's connections were given.
    ticket: Mutex<Option<Vec<u8>>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        // By itself the library presents nothing that certificate_authorities does not lead to; servers are to be
        // seen with what they do not trust, too.
        let mut flags = ffi::GNUTLS_CLIENT | ffi::GNUTLS_FORCE_CLIENT_CERT;
        if !setup.groups.is_empty() {
            flags |= ffi::GNUTLS_KEY_SHARE_TOP;
        }
        if setup.post_handshake_auth {
            flags |= ffi::GNUTLS_POST_HANDSHAKE_AUTH | ffi::GNUTLS_AUTO_REAUTH;
        }
        let server_name = setup.server_name.clone().unwrap_or_default();
        Ok(Self {
            end: end(flags, &setup)?,
            server_name: c_text(server_name)?,
            ticket: Mutex::default(),
            setup,
        })
    }

    fn connection<'a, 's>(
        &'a self,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
        resumes: bool,
    ) -> Result<Connection<'a, 's>, Failure> {
        let context = Context {
            stream,
            state,
            rules: None,
            implements: self
                .setup
                .flag
                .map(|flag| (self.setup.extension_number(), flag)),
            may_be_asked: false,
            verified: verified(ffi::GNUTLS_KP_TLS_WWW_SERVER, Some(&self.server_name)),
            transport: None,
        };
        let connection = Connection::new(&self.end, context)?;
        let session = connection.raw();
        let name = self.server_name.as_bytes();
        // SAFETY: the session is valid, and the library copies the name.
        check(unsafe {
            ffi::gnutls_server_name_set(
                session,
                ffi::GNUTLS_NAME_DNS,
                name.as_ptr().cast(),
                name.len(),
            )
        })?;
        let register = self.setup.flag.is_some()
            || self.setup.tls_flags.is_some()
            || self
                .setup
                .resumption
                .as_ref()
                .is_some_and(|it| it.tls_flags.is_some());
        if register {
            self.register_flags(session)?;
        }
        if let (true, Some(ticket)) = (resumes, &*self.lock()) {
            connection::offer(&connection, ticket)?;
        }
        Ok(connection)
    }

    fn register_flags(&self, session: ffi::gnutls_session_t) -> Result<(), Failure> {
        let mut flags = ffi::GNUTLS_EXT_FLAG_TLS | ffi::GNUTLS_EXT_FLAG_CLIENT_HELLO;
        let mut receive: ffi::gnutls_ext_recv_func = Some(callbacks::ignore_flags);
        if self.setup.flag.is_some() {
            flags |= ffi::GNUTLS_EXT_FLAG_TLS13_SERVER_HELLO
                | ffi::GNUTLS_EXT_FLAG_EE
                | ffi::GNUTLS_EXT_FLAG_HRR;
            receive = Some(callbacks::refuse_flags);
        }
        // SAFETY: the session is valid, the name static, and the functions are the library's callbacks.
        check(unsafe {
            ffi::gnutls_session_ext_register(
                session,
                c"tls_flags".as_ptr(),
                self.setup.extension_number().into(),
                ffi::GNUTLS_EXT_TLS,
                receive,
                Some(callbacks::send_flags),
                None,
                None,
                None,
                flags,
            )
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<u8>>> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlockingEndpoint for Client {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.setup.resumption.as_ref().filter(|_| connection > 0);
        let tls_flags = resumption.map_or(&self.setup.tls_flags, |it| &it.tls_flags);
        let state = ConnectionState::sending(tls_flags.clone());
        match self.connection(stream, state.clone(), resumption.is_some()) {
            Ok(mut session) => {
                run_client(&mut session, false, &state, report);
                if self.setup.resumption.is_some() {
                    *self.lock() = session.ticket();
                }
            }
            Err(failure) => report.break_off(&failure),
        }
    }
}

/// A server.
pub(crate) struct Server {
    end: End,
    rules: Rules,
    tickets: Vec<u8>,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let policy = setup.policy.unwrap_or(Policy::Never);
        let mut flags = ffi::GNUTLS_SERVER;
        if policy == Policy::PostHandshake {
            flags |= ffi::GNUTLS_POST_HANDSHAKE_AUTH;
        }
        let separate = setup.sessions == Some(Sessions::Separate);
        let rules = Rules {
            policy,
            flag: setup.flag,
            extension: setup.extension_number(),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
            asked_tickets: separate.then(ticket_key).transpose()?,
        };
        Ok(Self {
            end: end(flags, setup)?,
            rules,
            tickets: ticket_key()?,
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
        let context = Context {
            stream,
            state: state.clone(),
            rules: Some(&self.rules),
            implements: self.rules.flag.map(|flag| (self.rules.extension, flag)),
            may_be_asked: false,
            verified: verified(ffi::GNUTLS_KP_TLS_WWW_CLIENT, None),
            transport: None,
        };
        let session = Connection::new(&self.end, context);
        let mut session = match session {
            Ok(session) => session,
            Err(failure) => return report.break_off(&failure),
        };
        let key = datum(&self.tickets);
        // SAFETY: the session is valid, and the library copies the key.
        unsafe { ffi::gnutls_session_ticket_enable_server(session.raw(), &raw const key) };
        run_server(&mut session, &state, report);
    }
}

/// What the other end's certificate is verified for.
fn verified(purpose: &'static CStr, name: Option<&CString>) -> Vec<ffi::gnutls_typed_vdata_st> {
    let data = |type_, text: &CStr| ffi::gnutls_typed_vdata_st {
        type_,
        data: text.as_ptr().cast_mut().cast(),
        size: 0,
    };
    let mut all = vec![data(ffi::GNUTLS_DT_KEY_PURPOSE_OID, purpose)];
    all.extend(name.map(|name| data(ffi::GNUTLS_DT_DNS_HOSTNAME, name)));
    all
}

fn end(flags: u32, setup: &Setup) -> Result<End, PrepareError> {
    Ok(End {
        flags,
        priorities: c_text(priorities::of(setup))?,
        credentials: Credentials::of(setup)?,
    })
}

fn ticket_key() -> Result<Vec<u8>, PrepareError> {
    let mut key = ffi::gnutls_datum_t {
        data: ptr::null_mut(),
        size: 0,
    };
    // SAFETY: the place for the result is ours, and so is then the datum.
    unsafe {
        check(ffi::gnutls_session_ticket_key_generate(&raw mut key))
            .map_err(|failure| PrepareError::Invalid(failure.to_string()))?;
        Ok(connection::take(key))
    }
}

fn c_text(text: String) -> Result<CString, PrepareError> {
    CString::new(text).map_err(|error| PrepareError::Invalid(error.to_string()))
}

//! The two ends of a job.

use std::ffi::{CString, c_uint, c_void};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Failure, Policy,
    PrepareError, Resumption, Setup, Side, run_client, run_server,
};

use crate::callbacks::{self, Context};
use crate::connection::{self, Connection};
use crate::credentials::{Credentials, Own};
use crate::ffi;
use crate::library::{Owned, check, experimental};

/// A client.
pub(crate) struct Client {
    setup: Setup,
    credentials: Credentials,
    server_name: CString,
    /// The newest session that the job's connections were given.
    session: Mutex<Option<Vec<u8>>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let name = setup.server_name.clone().unwrap_or_default();
        Ok(Self {
            credentials: Credentials::of(&setup)?,
            server_name: CString::new(name).map_err(|it| PrepareError::Invalid(it.to_string()))?,
            session: Mutex::default(),
            setup,
        })
    }

    fn connection<'a, 's>(
        &'a self,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
        resumption: Option<&Resumption>,
    ) -> Result<Connection<'a, 's>, Failure> {
        let (setup, credentials) = (&self.setup, &self.credentials);
        let sends = state.lock().tls_flags.is_some();
        let context = Context::new(Side::Client, setup, credentials, stream, state);
        let connection = Connection::new(context)?;
        let (socket, argument) = (connection.socket(), connection.argument());
        // SAFETY: the socket is alive, its context outlives it, the library copies the name, and the callbacks have the
        // types that the functions take. Sessions go to the callback, and not to the process.
        unsafe {
            check(ffi::SSL_SetURL(socket.raw(), self.server_name.as_ptr()))?;
            check(ffi::SSL_GetClientAuthDataHook(
                socket.raw(),
                Some(callbacks::present),
                argument,
            ))?;
            check(experimental!(
                c"SSL_SetResumptionTokenCallback",
                socket.raw() => *mut ffi::PRFileDesc,
                Some(callbacks::new_session) => ffi::SSLResumptionTokenCallback,
                argument => *mut c_void,
            ))?;
        }
        socket.set(
            ffi::SSL_ENABLE_POST_HANDSHAKE_AUTH,
            setup.post_handshake_auth,
        )?;
        if sends || setup.flag.is_some() {
            connection.hook_flags(setup.extension_number())?;
        }
        if let Some(resumption) = resumption {
            socket.set(ffi::SSL_ENABLE_0RTT_DATA, resumption.early_data)?;
            if let Some(session) = &*self.session() {
                connection::offer(&connection, session)?;
            }
        }
        Ok(connection)
    }

    fn session(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlockingEndpoint for Client {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.setup.resumption.as_ref().filter(|_| connection > 0);
        let tls_flags = resumption.map_or(&self.setup.tls_flags, |it| &it.tls_flags);
        let state = ConnectionState::sending(tls_flags.clone());
        match self.connection(stream, state.clone(), resumption) {
            Ok(mut session) => {
                let early = resumption.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &state, report);
                *self.session() = session.context().session.take();
            }
            Err(failure) => report.break_off(&failure),
        }
    }
}

/// A server.
pub(crate) struct Server {
    setup: Setup,
    credentials: Credentials,
    /// What keeps early data from being accepted twice, where the job accepts any.
    replay: Option<Owned<ffi::SSLAntiReplayContext>>,
}

impl Server {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let replay = setup.early_data.then(replay).transpose();
        Ok(Self {
            credentials: Credentials::of(&setup)?,
            replay: replay.map_err(|failure| PrepareError::Invalid(failure.to_string()))?,
            setup,
        })
    }

    fn connection<'a, 's>(
        &'a self,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
    ) -> Result<Connection<'a, 's>, Failure> {
        let (setup, credentials) = (&self.setup, &self.credentials);
        let context = Context::new(Side::Server, setup, credentials, stream, state);
        let connection = Connection::new(context)?;
        let socket = connection.socket();
        if let Some(own) = &credentials.identity {
            set_identity(socket.raw(), own)?;
        }
        let policy = setup.policy.unwrap_or(Policy::Never);
        if policy != Policy::Never {
            // SAFETY: the socket is alive, and the library copies the names of the list.
            check(unsafe { ffi::SSL_SetTrustAnchors(socket.raw(), credentials.list()?.raw()) })?;
            socket.set(ffi::SSL_REQUEST_CERTIFICATE, policy.requests(false))?;
            socket.set(ffi::SSL_REQUIRE_CERTIFICATE, policy.requires())?;
        }
        if setup.flag.is_some() {
            connection.hook_flags(setup.extension_number())?;
        }
        if let Some(replay) = &self.replay {
            socket.set(ffi::SSL_ENABLE_0RTT_DATA, true)?;
            // SAFETY: both are alive, the library counts its own reference, and the types are the function's.
            check(unsafe {
                experimental!(
                    c"SSL_SetAntiReplayContext",
                    socket.raw() => *mut ffi::PRFileDesc,
                    replay.raw() => *mut ffi::SSLAntiReplayContext,
                )
            })?;
        }
        Ok(connection)
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
        match self.connection(stream, state.clone()) {
            Ok(mut session) => run_server(&mut session, &state, report),
            Err(failure) => report.break_off(&failure),
        }
    }
}

/// Sets a server's certificate, its key, and what goes with it as it was given.
fn set_identity(socket: *mut ffi::PRFileDesc, own: &Own) -> Result<(), Failure> {
    let all = std::iter::once(&own.certificate).chain(&own.chain);
    // SAFETY: the certificates live as long as this.
    let mut items: Vec<_> = all.map(|it| unsafe { (*it.raw()).derCert }).collect();
    let chain = ffi::CERTCertificateList {
        certs: items.as_mut_ptr(),
        len: i32::try_from(items.len()).unwrap_or_default(),
        arena: ptr::null_mut(),
    };
    let extra = ffi::SSLExtraServerCertData {
        certChain: &raw const chain,
        ..ffi::SSLExtraServerCertData::default()
    };
    let length = c_uint::try_from(size_of_val(&extra)).unwrap_or_default();
    let (certificate, key) = (own.certificate.raw(), own.key.raw());
    // SAFETY: all are alive, and the library copies them.
    check(unsafe { ffi::SSL_ConfigServerCert(socket, certificate, key, &raw const extra, length) })
}

/// Early data is refused for as long as the window from the time given: that it began a window ago is right for a job
/// that is new, whose sessions nobody can have offered yet.
fn replay() -> Result<Owned<ffi::SSLAntiReplayContext>, Failure> {
    const WINDOW: ffi::PRTime = 10_000_000;
    let mut context = ptr::null_mut();
    // SAFETY: the place for the result is ours, and the types are the function's.
    unsafe {
        check(experimental!(
            c"SSL_CreateAntiReplayContext",
            ffi::PR_Now() - WINDOW => ffi::PRTime,
            WINDOW => ffi::PRTime,
            7 => c_uint,
            14 => c_uint,
            &raw mut context => *mut *mut ffi::SSLAntiReplayContext,
        ))?;
    }
    Owned::new(context, release)
}

unsafe extern "C" fn release(context: *mut ffi::SSLAntiReplayContext) {
    // SAFETY: it is one that the library has made, and the type is the function's. The library counts references.
    unsafe {
        experimental!(c"SSL_ReleaseAntiReplayContext", context => *mut ffi::SSLAntiReplayContext);
    }
}

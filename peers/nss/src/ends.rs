//! One end of a job, either side.

use std::ffi::CString;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Failure, Job, Policy,
    PrepareError, Resumption, Setup, Side, run_client, run_server,
};

use crate::callbacks;
use crate::connection::Connection;
use crate::context::Context;
use crate::credentials::{Credentials, Own};
use crate::ffi;
use crate::library::{Argument, Fd, Owned, check, experimental};

pub(crate) struct End {
    side: Side,
    setup: Setup,
    credentials: Credentials,
    server_name: CString,
    /// Client: the newest session that the job's connections were given.
    session: Mutex<Option<Vec<u8>>>,
    /// Server: what keeps early data from being accepted twice, where the job accepts any.
    replay: Option<Owned<ffi::SSLAntiReplayContext>>,
}

impl End {
    pub(crate) fn prepare(Job { side, setup, .. }: Job) -> Result<Self, PrepareError> {
        let invalid = |failure: Failure| PrepareError::Invalid(failure.to_string());
        let name = setup.server_name.clone().unwrap_or_default();
        let replay = setup.early_data.then(replay).transpose();
        Ok(Self {
            side,
            credentials: Credentials::of(&setup).map_err(invalid)?,
            server_name: CString::new(name).map_err(|it| PrepareError::Invalid(it.to_string()))?,
            session: Mutex::default(),
            replay: replay.map_err(invalid)?,
            setup,
        })
    }

    fn connection<'a, 's>(
        &'a self,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
        resumption: Option<&Resumption>,
    ) -> Result<Connection<'a, 's>, Failure> {
        let setup = &self.setup;
        let sends = state.lock().tls_flags.is_some();
        let context = Context::new(self.side, setup, &self.credentials, stream, state);
        let connection = Connection::new(context)?;
        match self.side {
            Side::Client => self.set_client(&connection, resumption)?,
            Side::Server => self.set_server(&connection)?,
        }
        if sends || setup.flag.is_some() {
            let argument = connection.argument();
            // SAFETY: the socket is alive, the context outlives it, and the types are the function's.
            unsafe {
                experimental!(c"SSL_InstallExtensionHooks",
                    connection.socket() => Fd, setup.extension_number() => u16,
                    Some(callbacks::write_flags) => ffi::SSLExtensionWriter, argument => Argument,
                    Some(callbacks::read_flags) => ffi::SSLExtensionHandler, argument => Argument)?;
            }
        }
        Ok(connection)
    }

    fn set_client(
        &self,
        connection: &Connection<'_, '_>,
        resumption: Option<&Resumption>,
    ) -> Result<(), Failure> {
        let (socket, argument) = (connection.socket(), connection.argument());
        let (name, offers) = (self.server_name.as_ptr(), self.setup.post_handshake_auth);
        connection.set(ffi::SSL_ENABLE_POST_HANDSHAKE_AUTH, offers)?;
        // SAFETY: the socket is alive, its context outlives it, the library copies the name, and the callbacks have the
        // types that the functions take. Sessions go to the callback, and not to the process.
        unsafe {
            check(ffi::SSL_SetURL(socket, name))?;
            check(ffi::SSL_GetClientAuthDataHook(
                socket,
                Some(callbacks::present),
                argument,
            ))?;
            experimental!(c"SSL_SetResumptionTokenCallback",
                socket => Fd, Some(callbacks::new_session) => ffi::SSLResumptionTokenCallback,
                argument => Argument)?;
        }
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(resumption), Some(session)) = (resumption, &*session) {
            connection.set(ffi::SSL_ENABLE_0RTT_DATA, resumption.early_data)?;
            let length = u32::try_from(session.len()).unwrap_or_default();
            // SAFETY: the socket is alive, the library copies that many octets, and the types are the function's.
            unsafe {
                experimental!(c"SSL_SetResumptionToken",
                    socket => Fd, session.as_ptr() => *const u8, length => u32)?;
            }
        }
        Ok(())
    }

    fn set_server(&self, connection: &Connection<'_, '_>) -> Result<(), Failure> {
        let socket = connection.socket();
        if let Some(own) = &self.credentials.identity {
            set_identity(socket, own)?;
        }
        let policy = self.setup.policy.unwrap_or(Policy::Never);
        if policy != Policy::Never {
            let anchors = self.credentials.list()?;
            // SAFETY: the socket is alive, and the library copies the names of the list.
            check(unsafe { ffi::SSL_SetTrustAnchors(socket, anchors.raw()) })?;
            connection.set(ffi::SSL_REQUEST_CERTIFICATE, policy.requests(false))?;
            connection.set(ffi::SSL_REQUIRE_CERTIFICATE, policy.requires())?;
        }
        if let Some(replay) = &self.replay {
            connection.set(ffi::SSL_ENABLE_0RTT_DATA, true)?;
            // SAFETY: both are alive, the library counts its own reference, and the types are the function's.
            unsafe {
                experimental!(c"SSL_SetAntiReplayContext",
                    socket => Fd, replay.raw() => *mut ffi::SSLAntiReplayContext)?;
            }
        }
        Ok(())
    }
}

impl BlockingEndpoint for End {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.setup.resumption.as_ref().filter(|_| connection > 0);
        let tls_flags = resumption.map_or(&self.setup.tls_flags, |it| &it.tls_flags);
        let state = ConnectionState::sending(tls_flags.clone());
        let mut session = match self.connection(stream, state.clone(), resumption) {
            Ok(session) => session,
            Err(failure) => return report.break_off(&failure),
        };
        if self.side == Side::Server {
            return run_server(&mut session, &state, report);
        }
        let early = resumption.is_some_and(|it| it.early_data);
        run_client(&mut session, early, &state, report);
        let mut newest = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = session.context().session.take();
    }
}

/// Sets a server's certificate, its key, and what goes with it as it was given.
fn set_identity(socket: Fd, own: &Own) -> Result<(), Failure> {
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
    let length = u32::try_from(size_of_val(&extra)).unwrap_or_default();
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
        experimental!(c"SSL_CreateAntiReplayContext",
            ffi::PR_Now() - WINDOW => ffi::PRTime, WINDOW => ffi::PRTime, 7 => u32, 14 => u32,
            &raw mut context => *mut *mut ffi::SSLAntiReplayContext)?;
    }
    Owned::new(context, release)
}

unsafe extern "C" fn release(context: *mut ffi::SSLAntiReplayContext) {
    // SAFETY: it is one that the library has made, and the type is the function's. That it fails would be a leak alone.
    unsafe {
        drop(experimental!(c"SSL_ReleaseAntiReplayContext",
            context => *mut ffi::SSLAntiReplayContext));
    }
}

//! The client's end of a job.

use std::ffi::CString;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Group, Hex, PrepareError,
    Resumption, Setup, Side, run_client,
};

use crate::callbacks::{self, Noted};
use crate::connection::Connection;
use crate::context::{self, Context, c_text};
use crate::ffi;
use crate::library::{Owned, Refused, check};

/// The type of name in `server_name`.
const HOST_NAME: u8 = 0;

pub(crate) struct Client {
    context: Context,
    server_name: CString,
    /// The one group that it sends a key share for, where the job names some.
    key_share: Option<Group>,
    tls_flags: Option<Hex>,
    /// The numbers of extension and flag, if the client implements `tls_flags`.
    implements: Option<(u16, u16)>,
    resumption: Option<Resumption>,
    /// The newest session that the job's connections were given.
    session: Mutex<Option<Owned<ffi::WOLFSSL_SESSION>>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let context = context::of(&setup, Side::Client)?;
        let raw = context.raw();
        let extension = setup.extension_number();
        let later = setup.resumption.as_ref();
        let sends = setup.tls_flags.is_some() || later.is_some_and(|it| it.tls_flags.is_some());
        // SAFETY: the context is alive, and the callbacks have the types that the functions take.
        unsafe {
            ffi::wolfSSL_CTX_set_verify(raw, ffi::WOLFSSL_VERIFY_PEER.cast_signed(), None);
            if setup.post_handshake_auth && ffi::wolfSSL_CTX_allow_post_handshake_auth(raw) != 0 {
                let text = "expected TLS 1.3 for post_handshake_auth";
                return Err(PrepareError::Invalid(text.to_owned()));
            }
            if sends || setup.flag.is_some() {
                let returned = ffi::wolfSSL_CTX_add_client_custom_ext(
                    raw,
                    extension.into(),
                    Some(callbacks::add_flags),
                    None,
                    ptr::null_mut(),
                    setup.flag.and(Some(callbacks::refuse_flags)),
                    ptr::null_mut(),
                );
                check("extension", returned)?;
            }
            // With the callback the library takes a client without a certificate for one that has some.
            if setup.flag.is_some() && setup.identity.is_some() {
                ffi::wolfSSL_CTX_set_cert_cb(raw, Some(callbacks::asked), ptr::null_mut());
            }
        }
        Ok(Self {
            context,
            server_name: c_text(setup.server_name.unwrap_or_default())?,
            key_share: setup.groups.first().copied(),
            tls_flags: setup.tls_flags,
            implements: setup.flag.map(|flag| (extension, flag)),
            resumption: setup.resumption,
            session: Mutex::default(),
        })
    }

    fn connection<'a, 's>(
        &'a self,
        noted: Noted<'a, 's>,
        resumes: bool,
    ) -> Result<Connection<'a, 's>, Refused> {
        let connection = Connection::new(&self.context, Side::Client, false, noted)?;
        let ssl = connection.raw();
        let name = self.server_name.as_bytes();
        let length = u16::try_from(name.len()).map_err(|error| Refused(error.to_string()))?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the connection is alive and has not begun; the library copies the name, and counts its own references to
        // the session, which is of a connection of this context.
        unsafe {
            let returned = ffi::wolfSSL_UseSNI(ssl, HOST_NAME, name.as_ptr().cast(), length);
            check("server_name", returned)?;
            let returned = ffi::wolfSSL_check_domain_name(ssl, self.server_name.as_ptr());
            check("server_name", returned)?;
            if let Some(group) = self.key_share {
                let number = context::number(group).unsigned_abs();
                let returned = ffi::wolfSSL_UseKeyShare(ssl, u16::try_from(number).unwrap_or(0));
                check("groups", returned)?;
            }
            if self.implements.is_some() {
                ffi::wolfSSL_set_tlsext_debug_callback(ssl, Some(callbacks::extension));
            }
            if let (true, Some(session)) = (resumes, session.as_ref()) {
                check("session", ffi::wolfSSL_set_session(ssl, session.raw()))?;
            }
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
            ..Noted::new(stream, state.clone())
        };
        match self.connection(noted, resumption.is_some()) {
            Ok(mut session) => {
                let early = resumption.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &state, report);
                if self.resumption.is_some() {
                    // SAFETY: the connection is alive, and the session is made for its caller.
                    let given = unsafe { ffi::wolfSSL_get1_session(session.raw()) };
                    let mut place = self.session.lock().unwrap_or_else(PoisonError::into_inner);
                    *place = Owned::new(given, ffi::wolfSSL_SESSION_free).ok();
                }
            }
            Err(refused) => report.break_off(&refused.0),
        }
    }
}

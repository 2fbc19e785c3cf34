//! One end of a job: from its setup to a context of the library, and its connections.

use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, CipherSuite, ConnectionReport, ConnectionState, Failure,
    Group, Setup, Side, Version, run_client, run_server,
};

use crate::connection::Connection;
use crate::library::{Owned, check, length};
use crate::{callbacks, ffi};

type Context = Owned<ffi::WOLFSSL_CTX>;

const PEM: c_int = ffi::WOLFSSL_FILETYPE_PEM.cast_signed();
/// The most early data that a server takes of a connection.
const EARLY_DATA: u32 = 16384;

pub(crate) struct End {
    pub(crate) side: Side,
    pub(crate) setup: Setup,
    pub(crate) context: Context,
    /// Client: the newest session that the job's connections were given.
    pub(crate) session: Mutex<Option<Owned<ffi::WOLFSSL_SESSION>>>,
}

impl End {
    pub(crate) fn prepare(side: Side, setup: Setup) -> Result<Self, Failure> {
        let context = empty(side)?;
        let raw = context.raw();
        let number = |version: &Version| match version {
            Version::Tls12 => 0x303,
            Version::Tls13 => 0x304,
        };
        if let (Some(oldest), Some(newest)) =
            (setup.versions.iter().min(), setup.versions.iter().max())
        {
            // SAFETY: the context is alive.
            unsafe {
                let returned = ffi::wolfSSL_CTX_set_min_proto_version(raw, number(oldest));
                check("versions", returned)?;
                let returned = ffi::wolfSSL_CTX_set_max_proto_version(raw, number(newest));
                check("versions", returned)?;
            }
        }
        if !setup.groups.is_empty() {
            set_groups(&context, &setup.groups)?;
        }
        if !setup.cipher_suites.is_empty() {
            set_cipher_suites(&context, &setup.cipher_suites)?;
        }
        // SAFETY: the context is alive, and the library copies what it reads of the texts, which are that long; the
        // callbacks have the types that the functions take.
        unsafe {
            if let Some(identity) = &setup.identity {
                let (chain, key) = (&identity.certificates, &identity.private_key);
                let (data, count) = (chain.as_ptr(), length(chain.as_bytes())?);
                let returned = ffi::wolfSSL_CTX_use_certificate_chain_buffer(raw, data, count);
                check("certificates", returned)?;
                let (data, count) = (key.as_ptr(), length(key.as_bytes())?);
                let returned = ffi::wolfSSL_CTX_use_PrivateKey_buffer(raw, data, count, PEM);
                check("private_key", returned)?;
            }
            if let Some(anchors) = setup.trust_anchors.as_deref().filter(|it| !it.is_empty()) {
                let (data, count) = (anchors.as_ptr(), length(anchors.as_bytes())?);
                let returned = ffi::wolfSSL_CTX_load_verify_buffer(raw, data, count, PEM);
                check("trust_anchors", returned)?;
            }
            ffi::wolfSSL_CTX_SetIORecv(raw, Some(callbacks::read));
            ffi::wolfSSL_CTX_SetIOSend(raw, Some(callbacks::write));
            ffi::wolfSSL_CTX_set_keylog_callback(raw, Some(callbacks::log_key));
            match side {
                Side::Client => prepare_client(&context, &setup)?,
                Side::Server => {
                    let most = if setup.early_data { EARLY_DATA } else { 0 };
                    // It fails where there is no TLS 1.3, and so no early data.
                    ffi::wolfSSL_CTX_set_max_early_data(raw, most);
                }
            }
        }
        Ok(Self {
            side,
            setup,
            context,
            session: Mutex::default(),
        })
    }
}

/// # Safety
///
/// The context is a client's, of which there are no connections yet.
unsafe fn prepare_client(context: &Context, setup: &Setup) -> Result<(), Failure> {
    let raw = context.raw();
    let later = setup.resumption.as_ref();
    let sends = setup.tls_flags.is_some() || later.is_some_and(|it| it.tls_flags.is_some());
    // SAFETY: what the caller promises; the callbacks have the types that the functions take.
    unsafe {
        ffi::wolfSSL_CTX_set_verify(raw, ffi::WOLFSSL_VERIFY_PEER.cast_signed(), None);
        if setup.post_handshake_auth {
            // Its success is 0. It fails where there is no TLS 1.3, and so nothing to offer.
            ffi::wolfSSL_CTX_allow_post_handshake_auth(raw);
        }
        if sends || setup.flag.is_some() {
            let returned = ffi::wolfSSL_CTX_add_client_custom_ext(
                raw,
                setup.extension_number().into(),
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
    Ok(())
}

/// A context with the library's defaults.
pub(crate) fn empty(side: Side) -> Result<Context, Failure> {
    // SAFETY: the library counts how often it is initialised, the context is made for its caller, and takes the method.
    unsafe {
        check("the library", ffi::wolfSSL_Init())?;
        let method = match side {
            Side::Client => ffi::wolfTLS_client_method(),
            Side::Server => ffi::wolfTLS_server_method(),
        };
        Owned::new(ffi::wolfSSL_CTX_new(method), ffi::wolfSSL_CTX_free)
    }
}

pub(crate) fn set_groups(context: &Context, groups: &[Group]) -> Result<(), Failure> {
    // The registered numbers, which are the library's.
    let number = |group: &Group| match group {
        Group::X25519 => 0x1d,
        Group::Secp256r1 => 0x17,
        Group::Secp384r1 => 0x18,
        Group::X25519Mlkem768 => 0x11ec,
    };
    let mut groups: Vec<_> = groups.iter().map(number).collect();
    let count = c_int::try_from(groups.len()).unwrap_or(c_int::MAX);
    // SAFETY: the context is alive, and the library copies that many numbers.
    let returned =
        unsafe { ffi::wolfSSL_CTX_set_groups(context.raw(), groups.as_mut_ptr(), count) };
    check("groups", returned)
}

pub(crate) fn set_cipher_suites(context: &Context, suites: &[CipherSuite]) -> Result<(), Failure> {
    let names: Vec<_> = suites.iter().map(|suite| suite.as_str()).collect();
    let names = CString::new(names.join(":")).map_err(|it| Failure::Other(it.to_string()))?;
    // SAFETY: the context is alive, and the library reads the text during the call.
    let returned = unsafe { ffi::wolfSSL_CTX_set_cipher_list(context.raw(), names.as_ptr()) };
    check("cipher_suites", returned)
}

impl BlockingEndpoint for End {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let later = self.setup.resumption.as_ref().filter(|_| connection > 0);
        let tls_flags = later.map_or(&self.setup.tls_flags, |it| &it.tls_flags);
        let state = ConnectionState::sending(tls_flags.clone());
        let session = Connection::new(self, stream, state.clone(), later.is_some());
        let mut session = match session {
            Ok(session) => session,
            Err(failure) => return report.break_off(&failure),
        };
        match self.side {
            Side::Client => {
                let early = later.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &state, report);
            }
            Side::Server => run_server(&mut session, &state, report),
        }
        if self.setup.resumption.is_some() {
            // SAFETY: the connection is alive, and the session is made for its caller.
            let given = unsafe { ffi::wolfSSL_get1_session(session.raw()) };
            let mut place = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            *place = Owned::new(given, ffi::wolfSSL_SESSION_free).ok();
        }
    }
}

//! From a job's setup to a context of the library.

use std::ffi::{CString, c_int, c_long};

use reqmtls_contract::{CipherSuite, Group, PrepareError, Setup, Side, Version};

use crate::library::{Owned, Refused, check};
use crate::{callbacks, ffi};

pub(crate) type Context = Owned<ffi::WOLFSSL_CTX>;

const PEM: c_int = ffi::WOLFSSL_FILETYPE_PEM.cast_signed();

/// A context with all that both sides have in common.
pub(crate) fn of(setup: &Setup, side: Side) -> Result<Context, PrepareError> {
    let context = empty(side)?;
    let raw = context.raw();
    let version = |version: &Version| match version {
        Version::Tls12 => 0x303,
        Version::Tls13 => 0x304,
    };
    // SAFETY: the context is alive.
    unsafe {
        if let Some(oldest) = setup.versions.iter().min() {
            let returned = ffi::wolfSSL_CTX_set_min_proto_version(raw, version(oldest));
            check("versions", returned)?;
        }
        if let Some(newest) = setup.versions.iter().max() {
            let returned = ffi::wolfSSL_CTX_set_max_proto_version(raw, version(newest));
            check("versions", returned)?;
        }
    }
    if !setup.groups.is_empty() {
        set_groups(&context, &setup.groups)?;
    }
    if !setup.cipher_suites.is_empty() {
        set_cipher_suites(&context, &setup.cipher_suites)?;
    }
    if let Some(identity) = &setup.identity {
        let (chain, key) = (&identity.certificates, &identity.private_key);
        let (chain_length, key_length) = (length(chain)?, length(key)?);
        // SAFETY: the context is alive, and the library copies what it reads of the texts, which are that long.
        unsafe {
            let returned =
                ffi::wolfSSL_CTX_use_certificate_chain_buffer(raw, chain.as_ptr(), chain_length);
            check("certificates", returned)?;
            let returned =
                ffi::wolfSSL_CTX_use_PrivateKey_buffer(raw, key.as_ptr(), key_length, PEM);
            check("private_key", returned)?;
        }
    }
    if let Some(anchors) = setup.trust_anchors.as_deref().filter(|it| !it.is_empty()) {
        let length = length(anchors)?;
        // SAFETY: as above.
        let returned =
            unsafe { ffi::wolfSSL_CTX_load_verify_buffer(raw, anchors.as_ptr(), length, PEM) };
        check("trust_anchors", returned)?;
    }
    callbacks::register(&context);
    Ok(context)
}

/// A context with the library's defaults.
pub(crate) fn empty(side: Side) -> Result<Context, Refused> {
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

pub(crate) fn set_groups(context: &Context, groups: &[Group]) -> Result<(), Refused> {
    let mut groups: Vec<_> = groups.iter().map(|group| number(*group)).collect();
    let count = c_int::try_from(groups.len()).unwrap_or(c_int::MAX);
    // SAFETY: the context is alive, and the library copies that many numbers.
    let returned =
        unsafe { ffi::wolfSSL_CTX_set_groups(context.raw(), groups.as_mut_ptr(), count) };
    check("groups", returned)
}

pub(crate) fn set_cipher_suites(context: &Context, suites: &[CipherSuite]) -> Result<(), Refused> {
    let names: Vec<_> = suites.iter().map(|suite| suite.as_str()).collect();
    let names = c_text(names.join(":"))?;
    // SAFETY: the context is alive, and the library reads the text during the call.
    let returned = unsafe { ffi::wolfSSL_CTX_set_cipher_list(context.raw(), names.as_ptr()) };
    check("cipher_suites", returned)
}

/// A group's registered number, which is the library's.
pub(crate) fn number(group: Group) -> c_int {
    match group {
        Group::X25519 => 0x1d,
        Group::Secp256r1 => 0x17,
        Group::Secp384r1 => 0x18,
        Group::X25519Mlkem768 => 0x11ec,
    }
}

pub(crate) fn c_text(text: String) -> Result<CString, Refused> {
    CString::new(text).map_err(|error| Refused(error.to_string()))
}

fn length(text: &str) -> Result<c_long, Refused> {
    c_long::try_from(text.len()).map_err(|error| Refused(error.to_string()))
}

//! From a job's setup to a context of the library.

use std::ffi::CString;
use std::ptr;

use aws_lc_sys as ffi;
use reqmtls_contract::{CipherSuite, Group, Keys, PrepareError, Setup, Version};

use crate::callbacks;
use crate::library::{Owned, Refused, check, errors};

pub(crate) type Context = Owned<ffi::SSL_CTX>;

/// A context with all that both sides have in common.
pub(crate) fn of(setup: &Setup) -> Result<Context, PrepareError> {
    let context = empty()?;
    let version = |version: Option<&Version>| match version {
        None => Ok(0),
        Some(Version::Tls12) => u16::try_from(ffi::TLS1_2_VERSION),
        Some(Version::Tls13) => u16::try_from(ffi::TLS1_3_VERSION),
    };
    let invalid = |error| PrepareError::Invalid(format!("{error}"));
    let oldest = version(setup.versions.iter().min()).map_err(invalid)?;
    let newest = version(setup.versions.iter().max()).map_err(invalid)?;
    // SAFETY: the context is alive; 0 stands for the library's default.
    unsafe {
        check(ffi::SSL_CTX_set_min_proto_version(context.raw(), oldest))?;
        check(ffi::SSL_CTX_set_max_proto_version(context.raw(), newest))?;
    }
    if !setup.groups.is_empty() {
        set_groups(&context, &setup.groups)?;
    }
    if !setup.cipher_suites.is_empty() {
        set_cipher_suites(&context, &setup.cipher_suites)?;
    }
    if setup.keys == Some(Keys::Ed25519) {
        accept_ed25519(&context)?;
    }
    if let Some(identity) = &setup.identity {
        let chain = certificates(&identity.certificates)?;
        let (own, issuers) = chain
            .split_first()
            .ok_or_else(|| PrepareError::Invalid("identity without a certificate".into()))?;
        let key = private_key(&identity.private_key)?;
        // SAFETY: all are alive, and the library counts its own references to them.
        unsafe {
            check(ffi::SSL_CTX_use_certificate(context.raw(), own.raw()))?;
            for issuer in issuers {
                check(ffi::SSL_CTX_add1_chain_cert(context.raw(), issuer.raw()))?;
            }
            check(ffi::SSL_CTX_use_PrivateKey(context.raw(), key.raw()))?;
        }
    }
    // SAFETY: the context is alive, and so is its store, which counts its own references.
    unsafe {
        let store = ffi::SSL_CTX_get_cert_store(context.raw());
        for anchor in certificates(setup.trust_anchors.as_deref().unwrap_or_default())? {
            check(ffi::X509_STORE_add_cert(store, anchor.raw()))?;
        }
    }
    callbacks::register(&context);
    Ok(context)
}

/// A context with the library's defaults.
pub(crate) fn empty() -> Result<Context, Refused> {
    // SAFETY: the method is static, and the context is made for its caller.
    unsafe { Owned::new(ffi::SSL_CTX_new(ffi::TLS_method()), ffi::SSL_CTX_free) }
}

pub(crate) fn set_groups(context: &Context, groups: &[Group]) -> Result<(), Refused> {
    let names: Vec<_> = groups.iter().map(|group| name(*group)).collect();
    let names = c_text(names.join(":"))?;
    // SAFETY: the context is alive, and the library reads the text during the call.
    check(unsafe { ffi::SSL_CTX_set1_groups_list(context.raw(), names.as_ptr()) })
}

pub(crate) fn set_cipher_suites(context: &Context, suites: &[CipherSuite]) -> Result<(), Refused> {
    let names: Vec<_> = suites.iter().map(|suite| suite.as_str()).collect();
    let names = c_text(names.join(":"))?;
    // SAFETY: the context is alive, and the library reads the text during the call.
    check(unsafe { ffi::SSL_CTX_set_ciphersuites(context.raw(), names.as_ptr()) })
}

/// By itself the library signs with such a key, but accepts none (ssl/extensions.cc, `kVerifySignatureAlgorithms`).
fn accept_ed25519(context: &Context) -> Result<(), Refused> {
    let schemes = [0x0807];
    // SAFETY: the context is alive, and the library copies that many numbers.
    check(unsafe {
        ffi::SSL_CTX_set_verify_algorithm_prefs(context.raw(), schemes.as_ptr(), schemes.len())
    })
}

/// The library's name of a group.
fn name(group: Group) -> &'static str {
    match group {
        Group::X25519 => "X25519",
        Group::Secp256r1 => "P-256",
        Group::Secp384r1 => "P-384",
        Group::X25519Mlkem768 => "X25519MLKEM768",
    }
}

pub(crate) fn c_text(text: String) -> Result<CString, Refused> {
    CString::new(text).map_err(|error| Refused(error.to_string()))
}

fn certificates(pem: &str) -> Result<Vec<Owned<ffi::X509>>, Refused> {
    let source = source(pem)?;
    let mut all = Vec::new();
    loop {
        // SAFETY: the source is alive, and what is read is made for its caller; without a callback nothing is asked.
        let read = unsafe {
            let certificate =
                ffi::PEM_read_bio_X509(source.raw(), ptr::null_mut(), None, ptr::null_mut());
            Owned::new(certificate, ffi::X509_free)
        };
        match read {
            Ok(certificate) => all.push(certificate),
            // The library has no other word for the end.
            Err(Refused(text)) if text.contains("NO_START_LINE") => return Ok(all),
            Err(refused) => return Err(refused),
        }
    }
}

fn private_key(pem: &str) -> Result<Owned<ffi::EVP_PKEY>, Refused> {
    let source = source(pem)?;
    // SAFETY: the source is alive, and the key is made for its caller; without a callback nothing is asked.
    unsafe {
        let key =
            ffi::PEM_read_bio_PrivateKey(source.raw(), ptr::null_mut(), None, ptr::null_mut());
        Owned::new(key, ffi::EVP_PKEY_free)
    }
}

extern "C" fn free_source(source: *mut ffi::BIO) {
    // SAFETY: it is called once, by the owner.
    unsafe { ffi::BIO_free(source) };
}

fn source(pem: &str) -> Result<Owned<ffi::BIO>, Refused> {
    // An error that was left behind is not to be taken for the end of the text.
    errors();
    let length = pem
        .len()
        .try_into()
        .map_err(|_| Refused("PEM that is too long".to_owned()))?;
    // SAFETY: there are that many octets, and both functions that read the source drop it while the text lives.
    unsafe {
        Owned::new(
            ffi::BIO_new_mem_buf(pem.as_ptr().cast(), length),
            free_source,
        )
    }
}

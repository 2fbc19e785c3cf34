//! Certificates and keys of a job, as the library holds them.

use std::ptr;

use reqmtls_contract::{PrepareError, Setup};

use crate::connection::text;
use crate::ffi;

/// An end's own identity, and what it trusts.
pub(crate) struct Credentials(ffi::gnutls_certificate_credentials_t);

// SAFETY: the library reads credentials from any thread once they are filled in, and nothing here changes them then.
unsafe impl Send for Credentials {}
// SAFETY: as above.
unsafe impl Sync for Credentials {}

impl Credentials {
    pub(crate) fn of(setup: &Setup) -> Result<Self, PrepareError> {
        let mut raw = ptr::null_mut();
        // SAFETY: the place for the result is ours.
        check("credentials", unsafe {
            ffi::gnutls_certificate_allocate_credentials(&raw mut raw)
        })?;
        let credentials = Self(raw);
        if let Some(anchors) = setup.trust_anchors.as_deref().filter(|it| !it.is_empty()) {
            let pem = datum(anchors.as_bytes());
            // SAFETY: the credentials are valid, and the library copies what the datum points to.
            check("trust_anchors", unsafe {
                ffi::gnutls_certificate_set_x509_trust_mem(
                    raw,
                    &raw const pem,
                    ffi::GNUTLS_X509_FMT_PEM,
                )
            })?;
        }
        if let Some(identity) = &setup.identity {
            let chain = datum(identity.certificates.as_bytes());
            let key = datum(identity.private_key.as_bytes());
            // SAFETY: the credentials are valid, and the library copies what the datums point to.
            check("identity", unsafe {
                ffi::gnutls_certificate_set_x509_key_mem(
                    raw,
                    &raw const chain,
                    &raw const key,
                    ffi::GNUTLS_X509_FMT_PEM,
                )
            })?;
        }
        Ok(credentials)
    }

    pub(crate) fn as_ptr(&self) -> *mut std::ffi::c_void {
        self.0.cast()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        // SAFETY: made by the library, and of no session any more: sessions borrow it.
        unsafe { ffi::gnutls_certificate_free_credentials(self.0) };
    }
}

fn check(what: &str, code: i32) -> Result<(), PrepareError> {
    if code < 0 {
        return Err(PrepareError::Invalid(format!("{what}: {}", text(code))));
    }
    Ok(())
}

/// Octets as the library takes them; it only reads them.
pub(crate) fn datum(octets: &[u8]) -> ffi::gnutls_datum_t {
    ffi::gnutls_datum_t {
        data: octets.as_ptr().cast_mut(),
        size: u32::try_from(octets.len()).unwrap_or(u32::MAX),
    }
}

//! Certificates and keys of a job, as the library holds them: in memory, for as long as the job lives.

use std::ffi::c_uint;
use std::ptr;

use reqmtls_contract::{Failure, Identity, Setup};

use crate::ffi;
use crate::library::{Owned, check};

type Certificate = Owned<ffi::CERTCertificate>;

/// An end's own identity, and what it trusts.
pub(crate) struct Credentials {
    pub(crate) identity: Option<Own>,
    pub(crate) anchors: Vec<Certificate>,
}

/// An end's own certificates and key.
pub(crate) struct Own {
    pub(crate) certificate: Certificate,
    pub(crate) key: Owned<ffi::SECKEYPrivateKey>,
    /// What follows the end's own certificate.
    pub(crate) chain: Vec<Certificate>,
}

impl Credentials {
    pub(crate) fn of(setup: &Setup) -> Result<Self, Failure> {
        let identity = setup.identity.as_ref().map(Own::of).transpose()?;
        let anchors = setup.trust_anchors.as_deref().map(trusted).transpose()?;
        Ok(Self {
            identity,
            anchors: anchors.unwrap_or_default(),
        })
    }

    /// A list of the anchors.
    pub(crate) fn list(&self) -> Result<Owned<ffi::CERTCertList>, Failure> {
        // SAFETY: the list takes a reference to each certificate.
        unsafe {
            let list = Owned::new(ffi::CERT_NewCertList(), ffi::CERT_DestroyCertList)?;
            for anchor in &self.anchors {
                let certificate = ffi::CERT_DupCertificate(anchor.raw());
                check(ffi::CERT_AddCertToListTail(list.raw(), certificate))?;
            }
            Ok(list)
        }
    }
}

impl Own {
    fn of(identity: &Identity) -> Result<Self, Failure> {
        let mut ders = decoded(&identity.certificates)?;
        let mut first = item(&mut ders[0]);
        // SAFETY: the library copies the octets. The certificate is not one of those that the whole process shares.
        let certificate = unsafe {
            let raw = ffi::__CERT_DecodeDERCertificate(&raw mut first, 1, ptr::null_mut());
            Owned::new(raw, ffi::CERT_DestroyCertificate)?
        };
        if ders.len() == 1 {
            // A client's chain is what the library builds, from all that the process has of any job. This keeps it
            // from going on behind a certificate that stands alone.
            // SAFETY: nobody else has this certificate yet.
            unsafe { (*certificate.raw()).isRoot = 1 };
        }
        Ok(Self {
            certificate,
            key: key(&mut decoded(&identity.private_key)?[0])?,
            chain: ders[1..].iter_mut().map(shared).collect::<Result<_, _>>()?,
        })
    }
}

/// Anchors, trusted by the process for as long as one of its jobs has them.
fn trusted(pem: &str) -> Result<Vec<Certificate>, Failure> {
    let anchors: Vec<_> = decoded(pem)?
        .iter_mut()
        .map(shared)
        .collect::<Result<_, _>>()?;
    let mut trust = ffi::CERTCertTrust::default();
    // SAFETY: the text, as `certutil -t` takes it, is of servers' and of clients' authorities.
    check(unsafe { ffi::CERT_DecodeTrustString(&raw mut trust, c"CT,,".as_ptr()) })?;
    for anchor in &anchors {
        // SAFETY: the certificate is alive, and the library copies the flags.
        check(unsafe {
            let store = ffi::CERT_GetDefaultCertDB();
            ffi::CERT_ChangeCertTrust(store, anchor.raw(), &raw mut trust)
        })?;
    }
    Ok(anchors)
}

/// A certificate among those of the process, where the library looks for issuers.
fn shared(der: &mut Vec<u8>) -> Result<Certificate, Failure> {
    let mut der = item(der);
    // SAFETY: the library copies the octets.
    unsafe {
        let store = ffi::CERT_GetDefaultCertDB();
        let raw = ffi::CERT_NewTempCertificate(store, &raw mut der, ptr::null_mut(), 0, 1);
        Owned::new(raw, ffi::CERT_DestroyCertificate)
    }
}

fn key(pkcs8: &mut Vec<u8>) -> Result<Owned<ffi::SECKEYPrivateKey>, Failure> {
    let (mut pkcs8, mut key) = (item(pkcs8), ptr::null_mut());
    // SAFETY: the library copies the octets, and the place for the key is ours.
    unsafe {
        let slot = Owned::new(ffi::PK11_GetInternalSlot(), ffi::PK11_FreeSlot)?;
        check(ffi::PK11_ImportDERPrivateKeyInfoAndReturnKey(
            slot.raw(),
            &raw mut pkcs8,
            ptr::null_mut(),
            ptr::null_mut(),
            0,
            0,
            ffi::KU_DIGITAL_SIGNATURE,
            &raw mut key,
            ptr::null_mut(),
        ))?;
        Owned::new(key, ffi::SECKEY_DestroyPrivateKey)
    }
}

/// What stands in a PEM text, at least one object.
fn decoded(pem: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for block in pem.split("-----BEGIN ").skip(1) {
        let body = block.split("-----").nth(1).unwrap_or_default();
        let length = c_uint::try_from(body.len()).unwrap_or_default();
        // SAFETY: there are that many octets, and what they decode to is copied before it is freed.
        unsafe {
            let decoded = ffi::NSSBase64_DecodeBuffer(
                ptr::null_mut(),
                ptr::null_mut(),
                body.as_ptr().cast(),
                length,
            );
            let decoded = Owned::new(decoded, free_item)?;
            all.push(octets(decoded.raw()).to_vec());
        }
    }
    if all.is_empty() {
        return Err(Failure::Other("got no PEM, expected some".to_owned()));
    }
    Ok(all)
}

unsafe extern "C" fn free_item(item: *mut ffi::SECItem) {
    // SAFETY: it is one that the library has made for its caller.
    unsafe { ffi::SECITEM_FreeItem(item, 1) };
}

/// Octets as the library takes them; it only reads them.
fn item(octets: &mut Vec<u8>) -> ffi::SECItem {
    ffi::SECItem {
        type_: ffi::siBuffer,
        data: octets.as_mut_ptr(),
        len: c_uint::try_from(octets.len()).unwrap_or(c_uint::MAX),
    }
}

/// # Safety
///
/// The item points to its octets, which live long enough.
pub(crate) unsafe fn octets<'i>(item: *const ffi::SECItem) -> &'i [u8] {
    // SAFETY: what the caller promises.
    unsafe {
        match (*item).data {
            data if data.is_null() => &[],
            data => std::slice::from_raw_parts(data, (*item).len as usize),
        }
    }
}

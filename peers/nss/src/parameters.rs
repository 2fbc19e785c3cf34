//! From the contract's names to the library's numbers: versions, groups, cipher suites.

use std::ffi::c_uint;

use reqmtls_contract::{CipherSuite, Failure, Group, Setup, Version};

use crate::ffi;
use crate::library::{check, experimental};
use crate::transport;

/// Sets what a job names; the rest is the library's default.
pub(crate) fn set(socket: *mut ffi::PRFileDesc, setup: &Setup) -> Result<(), Failure> {
    let versions = setup.versions.iter().map(|it| version(*it));
    if let (Some(min), Some(max)) = (versions.clone().min(), versions.max()) {
        let range = ffi::SSLVersionRange { min, max };
        // SAFETY: the socket is alive, and the library copies the range.
        check(unsafe { ffi::SSL_VersionRangeSet(socket, &raw const range) })?;
    }
    if !setup.groups.is_empty() {
        let groups: Vec<_> = setup.groups.iter().map(|it| group(*it)).collect();
        let count = c_uint::try_from(groups.len()).unwrap_or_default();
        // SAFETY: the socket is alive, and the library copies that many groups.
        check(unsafe { ffi::SSL_NamedGroupConfig(socket, groups.as_ptr(), count) })?;
    }
    if setup.cipher_suites.is_empty() {
        return Ok(());
    }
    for suite in CipherSuite::ALL.iter().filter(|it| knows_suite(**it)) {
        let enabled = setup.cipher_suites.contains(suite).into();
        // SAFETY: the socket is alive.
        check(unsafe { ffi::SSL_CipherPrefSet(socket, cipher(*suite).into(), enabled) })?;
    }
    let order: Vec<_> = setup.cipher_suites.iter().map(|it| cipher(*it)).collect();
    let count = c_uint::try_from(order.len()).unwrap_or_default();
    // SAFETY: the socket is alive, the library copies that many suites, and the types are the function's.
    check(unsafe {
        experimental!(
            c"SSL_CipherSuiteOrderSet",
            socket => *mut ffi::PRFileDesc,
            order.as_ptr() => *const u16,
            count => c_uint,
        )
    })
}

/// Whether the linked library has a group.
pub(crate) fn knows_group(name: Group) -> bool {
    let setup = Setup {
        groups: vec![name],
        ..Setup::default()
    };
    transport::Socket::idle().is_ok_and(|socket| set(socket.raw(), &setup).is_ok())
}

/// Whether the linked library has a cipher suite.
pub(crate) fn knows_suite(name: CipherSuite) -> bool {
    let mut info = ffi::SSLCipherSuiteInfo::default();
    let length = size_of_val(&info);
    // SAFETY: there is room for what the library writes, which is no more than that many octets.
    let status = unsafe {
        let length = c_uint::try_from(length).unwrap_or_default();
        ffi::SSL_GetCipherSuiteInfo(cipher(name), &raw mut info, length)
    };
    status == ffi::SECSuccess
}

fn version(version: Version) -> u16 {
    match version {
        Version::Tls12 => 0x0303,
        Version::Tls13 => 0x0304,
    }
}

fn group(group: Group) -> ffi::SSLNamedGroup {
    match group {
        Group::X25519 => 0x001d,
        Group::Secp256r1 => 0x0017,
        Group::Secp384r1 => 0x0018,
        Group::X25519Mlkem768 => 0x11ec,
    }
}

fn cipher(suite: CipherSuite) -> u16 {
    match suite {
        CipherSuite::Aes128GcmSha256 => 0x1301,
        CipherSuite::Aes256GcmSha384 => 0x1302,
        CipherSuite::Chacha20Poly1305Sha256 => 0x1303,
        CipherSuite::Aes128CcmSha256 => 0x1304,
        CipherSuite::Aes128Ccm8Sha256 => 0x1305,
    }
}

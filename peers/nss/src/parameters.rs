//! From the contract's names to the library's numbers: versions, groups, cipher suites.

use reqmtls_contract::{CipherSuite, Failure, Group, Setup, Version};

use crate::ffi;
use crate::library::{Fd, check, is_at_least};

/// The suites of TLS 1.3 that the library has.
pub(crate) const SUITES: [CipherSuite; 3] = [
    CipherSuite::Aes128GcmSha256,
    CipherSuite::Aes256GcmSha384,
    CipherSuite::Chacha20Poly1305Sha256,
];

/// Sets what a job names; the rest is the library's default.
pub(crate) fn set(socket: Fd, setup: &Setup) -> Result<(), Failure> {
    let versions = setup.versions.iter().map(|it| match it {
        Version::Tls12 => 0x0303,
        Version::Tls13 => 0x0304,
    });
    if let (Some(min), Some(max)) = (versions.clone().min(), versions.max()) {
        let range = ffi::SSLVersionRange { min, max };
        // SAFETY: the socket is alive, and the library copies the range.
        check(unsafe { ffi::SSL_VersionRangeSet(socket, &raw const range) })?;
    }
    if !setup.groups.is_empty() {
        let groups: Vec<_> = setup.groups.iter().map(|it| group(*it)).collect();
        let count = u32::try_from(groups.len()).unwrap_or_default();
        // SAFETY: the socket is alive, and the library copies that many groups.
        check(unsafe { ffi::SSL_NamedGroupConfig(socket, groups.as_ptr(), count) })?;
    }
    for suite in SUITES.iter().filter(|_| !setup.cipher_suites.is_empty()) {
        let enabled = setup.cipher_suites.contains(suite).into();
        // SAFETY: the socket is alive.
        check(unsafe { ffi::SSL_CipherPrefSet(socket, cipher(*suite), enabled) })?;
    }
    Ok(())
}

/// Whether the linked library has a group: it ignores what it does not know.
pub(crate) fn knows_group(group: Group) -> bool {
    group != Group::X25519Mlkem768 || is_at_least(c"3.105")
}

fn group(group: Group) -> ffi::SSLNamedGroup {
    match group {
        Group::X25519 => 0x001d,
        Group::Secp256r1 => 0x0017,
        Group::Secp384r1 => 0x0018,
        Group::X25519Mlkem768 => 0x11ec,
    }
}

fn cipher(suite: CipherSuite) -> i32 {
    match suite {
        CipherSuite::Aes128GcmSha256 => 0x1301,
        CipherSuite::Aes256GcmSha384 => 0x1302,
        CipherSuite::Chacha20Poly1305Sha256 => 0x1303,
        CipherSuite::Aes128CcmSha256 => 0x1304,
        CipherSuite::Aes128Ccm8Sha256 => 0x1305,
    }
}

//! From the contract's names to the library's priority strings.

use std::ffi::CString;
use std::ptr;

use reqmtls_contract::{CipherSuite, Group, Setup, Version};

use crate::ffi;

/// The priority string of a setup.
pub(crate) fn of(setup: &Setup) -> String {
    let mut text = "NORMAL:-VERS-ALL".to_owned();
    let versions = if setup.versions.is_empty() {
        Version::ALL
    } else {
        &setup.versions
    };
    // What stands first is preferred.
    let mut versions = versions.to_vec();
    versions.sort_unstable();
    for version in versions.iter().rev() {
        text.push_str(match version {
            Version::Tls12 => ":+VERS-TLS1.2",
            Version::Tls13 => ":+VERS-TLS1.3",
        });
    }
    if !setup.groups.is_empty() {
        text.push_str(":-GROUP-ALL");
        for name in setup.groups.iter().map(|it| group(*it)) {
            text.extend([":+", name]);
        }
    }
    if !setup.cipher_suites.is_empty() {
        text.push_str(":-CIPHER-ALL");
        for name in setup.cipher_suites.iter().map(|it| cipher(*it)) {
            text.extend([":+", name]);
        }
    }
    text
}

/// The library's name of a group, in the versions that know it.
pub(crate) fn group(group: Group) -> &'static str {
    match group {
        Group::X25519 => "GROUP-X25519",
        Group::Secp256r1 => "GROUP-SECP256R1",
        Group::Secp384r1 => "GROUP-SECP384R1",
        Group::X25519Mlkem768 => "GROUP-X25519-MLKEM768",
    }
}

/// The library's name of a suite's cipher; the hash follows from it.
pub(crate) fn cipher(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::Aes128GcmSha256 => "AES-128-GCM",
        CipherSuite::Aes256GcmSha384 => "AES-256-GCM",
        CipherSuite::Chacha20Poly1305Sha256 => "CHACHA20-POLY1305",
        CipherSuite::Aes128CcmSha256 => "AES-128-CCM",
        CipherSuite::Aes128Ccm8Sha256 => "AES-128-CCM-8",
    }
}

/// Whether the linked library knows a name.
pub(crate) fn is_known(name: &str) -> bool {
    let Ok(text) = CString::new(format!("NORMAL:+{name}")) else {
        return false;
    };
    let mut priorities = ptr::null_mut();
    // SAFETY: the text ends with a zero octet, and the place for the result is ours; what it then holds is freed
    // once.
    unsafe {
        let code = ffi::gnutls_priority_init(&raw mut priorities, text.as_ptr(), ptr::null_mut());
        if code == 0 {
            ffi::gnutls_priority_deinit(priorities);
        }
        code == 0
    }
}

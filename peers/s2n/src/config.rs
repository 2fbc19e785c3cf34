//! From a job's setup to a config of the library.

use std::ffi::{CStr, CString};
use std::ptr::null_mut;

use aws_lc_rs::rand;
use reqmtls_contract::{Policy, Setup, Side, Version};
use s2n_tls_sys::{self as ffi, s2n_cert_auth_type as Ask};

use crate::callbacks;
use crate::library::{Owned, check};

/// All that the connections of a job have in common.
pub(crate) type Config = Owned<ffi::s2n_config>;

// SAFETY: once set up, a config is shared by the connections of any number of threads.
unsafe impl Send for Config {}
// SAFETY: as above.
unsafe impl Sync for Config {}

/// The config of an end.
pub(crate) fn of(side: Side, setup: &Setup) -> Result<Config, String> {
    let anchors = c_text(setup.trust_anchors.as_deref().unwrap_or_default())?;
    let (name, mut key) = (b"reqmtls".as_ptr(), [0; 32]);
    rand::fill(&mut key).map_err(|error| error.to_string())?;
    let key = key.as_mut_ptr();
    // SAFETY: the config is made for its caller. Texts, the name of 7 octets and the key of 32 are read or copied during
    // the calls, and the callbacks have the types that the functions take.
    unsafe {
        let config = Owned::new(ffi::s2n_config_new_minimal(), ffi::s2n_config_free)?;
        let raw = config.raw();
        check(&[
            ffi::s2n_config_set_key_log_cb(raw, Some(callbacks::log_key), null_mut()),
            // Otherwise an end waits for 10 to 30 seconds between most errors and its alert.
            ffi::s2n_config_set_max_blinding_delay(raw, 0),
            ffi::s2n_config_set_session_tickets_onoff(raw, 1),
            ffi::s2n_config_set_session_ticket_cb(raw, Some(callbacks::keep), null_mut()),
        ])?;
        if let Some(policy) = security_policy(&setup.versions) {
            check(&[ffi::s2n_config_set_cipher_preferences(raw, policy.as_ptr())])?;
        }
        if let Some(it) = &setup.identity {
            let (chain, key) = (c_text(&it.certificates)?, c_text(&it.private_key)?);
            let (chain, key) = (chain.as_ptr(), key.as_ptr());
            check(&[ffi::s2n_config_add_cert_chain_and_key(raw, chain, key)])?;
        }
        if !anchors.is_empty() {
            let anchors = anchors.as_ptr();
            check(&[ffi::s2n_config_add_pem_to_trust_store(raw, anchors)])?;
        }
        if side == Side::Server {
            let early_data = if setup.early_data { 1 << 14 } else { 0 };
            check(&[
                ffi::s2n_config_set_client_auth_type(raw, auth_type(setup, false)),
                ffi::s2n_config_set_verify_host_callback(
                    raw,
                    Some(callbacks::any_name),
                    null_mut(),
                ),
                ffi::s2n_config_add_ticket_crypto_key(raw, name, 7, key, 32, 0),
                ffi::s2n_config_set_server_max_early_data_size(raw, early_data),
            ])?;
        }
        if side == Side::Server && setup.flag.is_some() {
            let hello = Some(callbacks::client_hello as _);
            check(&[ffi::s2n_config_set_client_hello_cb(raw, hello, null_mut())])?;
        }
        Ok(config)
    }
}

/// What the library calls the decision of a server's policy.
pub(crate) fn auth_type(setup: &Setup, flag_set: bool) -> Ask::Type {
    let policy = setup.policy.unwrap_or(Policy::Never);
    match (policy.requests(flag_set), policy.requires()) {
        (false, _) => Ask::NONE,
        (true, false) => Ask::OPTIONAL,
        (true, true) => Ask::REQUIRED,
    }
}

/// The library's policy of these versions alone. A policy is a name for versions, groups and suites together: there is
/// none for every choice. Those of one version have all groups of the default but P-521.
fn security_policy(versions: &[Version]) -> Option<&'static CStr> {
    match versions {
        [Version::Tls12] => Some(c"CloudFront-Upstream-TLS-1-2"),
        [Version::Tls13] => Some(c"CloudFront-Upstream-TLS-1-3-2025-PQ"),
        _ => None,
    }
}

pub(crate) fn c_text(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|error| error.to_string())
}

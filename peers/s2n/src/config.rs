//! From a job's setup to a config of the library.

use std::ffi::{CStr, CString};
use std::ptr;

use aws_lc_rs::rand;
use reqmtls_contract::{Identity, Policy, PrepareError, Setup, Side, Version};
use s2n_tls_sys::{self as ffi, s2n_cert_auth_type as Ask};

use crate::callbacks;
use crate::library::{Owned, Refused, check};

/// The most octets of early data that a server accepts.
const EARLY_DATA: u32 = 1 << 14;

/// A config with all that the connections of a job have in common.
pub(crate) struct Config {
    config: Owned<ffi::s2n_config>,
    /// Used by the config, so it goes after it.
    _identity: Option<Owned<ffi::s2n_cert_chain_and_key>>,
}

// SAFETY: once set up, a config is shared by the connections of any number of threads.
unsafe impl Send for Config {}
// SAFETY: as above.
unsafe impl Sync for Config {}

impl Config {
    pub(crate) fn of(side: Side, setup: &Setup) -> Result<Self, PrepareError> {
        // SAFETY: the config is made for its caller.
        let config = unsafe { Owned::new(ffi::s2n_config_new_minimal(), ffi::s2n_config_free)? };
        let raw = config.raw();
        // SAFETY: the config is alive, the name is static, and the callback has the type that the function takes. Without
        // the last call, an end waits for 10 to 30 seconds between most errors and its alert.
        unsafe {
            if let Some(policy) = security_policy(&setup.versions) {
                check(ffi::s2n_config_set_cipher_preferences(raw, policy.as_ptr()))?;
            }
            check(ffi::s2n_config_set_key_log_cb(
                raw,
                Some(callbacks::log_key),
                ptr::null_mut(),
            ))?;
            check(ffi::s2n_config_set_max_blinding_delay(raw, 0))?;
        }
        if let Some(anchors) = &setup.trust_anchors {
            let anchors = c_text(anchors)?;
            // SAFETY: the config is alive, and the library reads the text during the call.
            check(unsafe { ffi::s2n_config_add_pem_to_trust_store(raw, anchors.as_ptr()) })?;
        }
        let identity = setup.identity.as_ref().map(chain).transpose()?;
        if let Some(identity) = &identity {
            // SAFETY: both are alive, and the identity outlives the config.
            check(unsafe { ffi::s2n_config_add_cert_chain_and_key_to_store(raw, identity.raw()) })?;
        }
        match side {
            Side::Client => set_client(raw)?,
            Side::Server => set_server(raw, setup)?,
        }
        Ok(Self {
            config,
            _identity: identity,
        })
    }

    pub(crate) fn raw(&self) -> *mut ffi::s2n_config {
        self.config.raw()
    }
}

fn set_client(config: *mut ffi::s2n_config) -> Result<(), Refused> {
    // SAFETY: the config is alive, and the callback has the type that the function takes.
    unsafe {
        check(ffi::s2n_config_set_session_tickets_onoff(config, 1))?;
        check(ffi::s2n_config_set_session_ticket_cb(
            config,
            Some(callbacks::new_session),
            ptr::null_mut(),
        ))
    }
}

fn set_server(config: *mut ffi::s2n_config, setup: &Setup) -> Result<(), Refused> {
    let policy = setup.policy.unwrap_or(Policy::Never);
    let auth = auth_type(policy, false);
    // SAFETY: the config is alive, and the callbacks have the types that the functions take.
    unsafe {
        check(ffi::s2n_config_set_client_auth_type(config, auth))?;
        check(ffi::s2n_config_set_verify_host_callback(
            config,
            Some(callbacks::any_name),
            ptr::null_mut(),
        ))?;
        if setup.flag.is_some() {
            check(ffi::s2n_config_set_client_hello_cb(
                config,
                Some(callbacks::client_hello),
                ptr::null_mut(),
            ))?;
        }
    }
    // The library never gives a ticket nor takes one where it asks the client for a certificate, so all sessions are of
    // clients that were not asked.
    let (name, mut key) = (b"reqmtls", [0; 32]);
    rand::fill(&mut key).map_err(|error| Refused(error.to_string()))?;
    // SAFETY: the config is alive, and the library copies name and key, which have 7 and 32 octets.
    unsafe {
        check(ffi::s2n_config_set_session_tickets_onoff(config, 1))?;
        check(ffi::s2n_config_add_ticket_crypto_key(
            config,
            name.as_ptr(),
            7,
            key.as_mut_ptr(),
            32,
            0,
        ))?;
        if setup.early_data {
            check(ffi::s2n_config_set_server_max_early_data_size(
                config, EARLY_DATA,
            ))?;
        }
    }
    Ok(())
}

/// What the library calls a policy's decision.
pub(crate) fn auth_type(policy: Policy, flag_set: bool) -> Ask::Type {
    match (policy.requests(flag_set), policy.requires()) {
        (false, _) => Ask::NONE,
        (true, false) => Ask::OPTIONAL,
        (true, true) => Ask::REQUIRED,
    }
}

/// The library's policy of these versions alone. A policy is a name for versions, groups and suites together: there is
/// none for every choice. Those of one version have all groups of the default but P-521.
fn security_policy(versions: &[Version]) -> Option<&'static CStr> {
    match (
        versions.contains(&Version::Tls12),
        versions.contains(&Version::Tls13),
    ) {
        (true, false) => Some(c"CloudFront-Upstream-TLS-1-2"),
        (false, true) => Some(c"CloudFront-Upstream-TLS-1-3-2025-PQ"),
        _ => None,
    }
}

fn chain(identity: &Identity) -> Result<Owned<ffi::s2n_cert_chain_and_key>, Refused> {
    let length = |pem: &[u8]| u32::try_from(pem.len()).map_err(|error| Refused(error.to_string()));
    let mut certificates = identity.certificates.clone().into_bytes();
    let mut key = identity.private_key.clone().into_bytes();
    // SAFETY: the chain is made for its caller, and the library copies what it reads of texts of these lengths.
    unsafe {
        let chain = Owned::new(
            ffi::s2n_cert_chain_and_key_new(),
            ffi::s2n_cert_chain_and_key_free,
        )?;
        check(ffi::s2n_cert_chain_and_key_load_pem_bytes(
            chain.raw(),
            certificates.as_mut_ptr(),
            length(&certificates)?,
            key.as_mut_ptr(),
            length(&key)?,
        ))?;
        Ok(chain)
    }
}

pub(crate) fn c_text(text: &str) -> Result<CString, Refused> {
    CString::new(text).map_err(|error| Refused(error.to_string()))
}

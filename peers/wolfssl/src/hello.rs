//! What a server decides by a ClientHello, whose extensions the library hands over one by one.

use std::ffi::c_int;

use reqmtls_contract::{
    ConnectionState, Hex, Policy, SUPPORTED_VERSIONS, Sessions, Setup, Version, flag_is_set,
    offers_tls13,
};

use crate::ffi;

/// What has been seen of the ClientHello that came last.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, in any combination"
)]
pub(crate) struct Hello {
    /// Octets have come since its last extension: the next one is another's.
    pub(crate) is_read: bool,
    /// It has been answered: extensions that come now are not its.
    pub(crate) is_answered: bool,
    /// The answer is an alert.
    pub(crate) is_refused: bool,
    sets_flag: bool,
    offers_tls13: bool,
}

impl Hello {
    /// Notes an extension.
    pub(crate) fn note(
        &mut self,
        setup: &Setup,
        state: &ConnectionState,
        number: c_int,
        data: &[u8],
    ) {
        let hellos = &mut state.lock().hellos;
        if std::mem::take(&mut self.is_read) {
            *self = Self::default();
            hellos.push(None);
        }
        if number == c_int::from(setup.extension_number()) {
            hellos.pop();
            hellos.push(Some(Hex::from(data)));
        } else if number == c_int::from(SUPPORTED_VERSIONS) {
            self.offers_tls13 = offers_tls13(data);
        }
        let tls13 = setup.versions.is_empty() || setup.versions.contains(&Version::Tls13);
        if let Some(flag) = setup.flag.filter(|_| tls13 && self.offers_tls13) {
            let last = hellos.last().cloned().flatten();
            let set = last.map_or(Ok(false), |Hex(data)| flag_is_set(&data, flag));
            // RFC 9846 §4.2.2: HelloRetryRequest is no occasion for other flags.
            let as_before = hellos.windows(2).all(|pair| pair[0] == pair[1]);
            self.is_refused = set.is_err() || !as_before;
            self.sets_flag = set.unwrap_or(false);
        }
    }

    /// Sets whether the client is asked for a certificate, and which sessions it may resume.
    ///
    /// # Safety
    ///
    /// The connection is alive, and has not answered ClientHello.
    pub(crate) unsafe fn decide(&self, ssl: *mut ffi::WOLFSSL, setup: &Setup) {
        let policy = setup.policy.unwrap_or(Policy::Never);
        let asks = policy.requests(self.sets_flag);
        let mode = match (asks, policy.requires()) {
            (false, _) => ffi::WOLFSSL_VERIFY_NONE,
            (true, false) => ffi::WOLFSSL_VERIFY_PEER,
            (true, true) => ffi::WOLFSSL_VERIFY_PEER | ffi::WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        };
        // SAFETY: what the caller promises; the library copies the name, which has one octet.
        unsafe {
            ffi::wolfSSL_set_verify(ssl, mode.cast_signed(), None);
            if setup.sessions == Some(Sessions::Separate) {
                ffi::wolfSSL_set_session_id_context(ssl, [u8::from(asks)].as_ptr(), 1);
            }
        }
    }
}

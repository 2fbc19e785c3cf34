//! What an application makes of `tls_flags` in the messages that the library shows it.

use reqmtls_contract::{
    ConnectionState, Policy, Revision, Setup, Side, Version, flag_is_set, offers_tls13,
};

/// Types of handshake messages, RFC 9846 §4 (RFC 8446 §4).
const CLIENT_HELLO: u8 = 1;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE_REQUEST: u8 = 13;

/// An alert, RFC 9846 §6.2 (RFC 8446 §6.2).
const ILLEGAL_PARAMETER: u8 = 47;

/// The rules of one connection.
pub(crate) struct Rules {
    side: Side,
    /// The request mTLS flag; without it, the end does not implement `tls_flags`.
    flag: Option<u16>,
    policy: Policy,
    editors_copy: bool,
    /// Whether a server negotiates TLS 1.3 with a client that offers it.
    tls13: bool,
    /// What the end sends: a client in ClientHello, a server in CertificateRequest.
    sends: Option<Vec<u8>>,
    pub(crate) state: ConnectionState,
}

impl Rules {
    /// Those of a client that sends what the state names, or of a server.
    pub(crate) fn new(side: Side, setup: &Setup, state: ConnectionState) -> Self {
        let sends = state.lock().tls_flags.clone().map(|data| data.0);
        Self {
            side,
            flag: setup.flag,
            policy: setup.policy.unwrap_or(Policy::Never),
            editors_copy: setup.revision == Some(Revision::EditorsCopy),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
            sends,
            state,
        }
    }

    /// The value that goes into a message of the end's own.
    pub(crate) fn sent_in(&self, message: u8) -> Option<&[u8]> {
        let place = match self.side {
            Side::Client => CLIENT_HELLO,
            Side::Server => CERTIFICATE_REQUEST,
        };
        self.sends.as_deref().filter(|_| message == place)
    }

    /// Takes a message of the other end: the alert by which it is refused, or, of ClientHello, whether the client is
    /// asked for a certificate.
    pub(crate) fn examine(
        &mut self,
        message: u8,
        data: Option<&[u8]>,
        versions: Option<&[u8]>,
    ) -> Result<Option<bool>, u8> {
        let Some(flag) = self.flag else {
            return Ok(None);
        };
        match (self.side, data) {
            (Side::Server, _) if message == CLIENT_HELLO => {
                let tls13 = self.tls13 && versions.is_some_and(offers_tls13);
                self.decide(data, flag, tls13).map(Some)
            }
            (_, None) => Ok(None),
            (Side::Client, Some(data))
                if matches!(message, CERTIFICATE_REQUEST | NEW_SESSION_TICKET) =>
            {
                let carried = flag_is_set(data, flag).map_err(|_| ILLEGAL_PARAMETER)?;
                let acknowledged =
                    message == CERTIFICATE_REQUEST && is_set(self.sends.as_deref(), flag);
                if self.editors_copy && carried && !acknowledged {
                    return Err(ILLEGAL_PARAMETER);
                }
                Ok(None)
            }
            // Nothing answers the flag in any other message.
            (_, Some(_)) => Err(ILLEGAL_PARAMETER),
        }
    }

    fn decide(&mut self, data: Option<&[u8]>, flag: u16, tls13: bool) -> Result<bool, u8> {
        let as_before = self.state.note_hello(data);
        if !tls13 {
            return Ok(self.policy.requests(false));
        }
        // RFC 9846 §4.2.2: HelloRetryRequest is no occasion for other flags.
        if !as_before {
            return Err(ILLEGAL_PARAMETER);
        }
        let set = data.map_or(Ok(false), |data| flag_is_set(data, flag));
        let set = set.map_err(|_| ILLEGAL_PARAMETER)?;
        self.sends = (self.editors_copy && set).then(|| alone(flag));
        Ok(self.policy.requests(set))
    }
}

/// Whether a value is well formed and sets a flag.
fn is_set(data: Option<&[u8]>, flag: u16) -> bool {
    data.is_some_and(|data| flag_is_set(data, flag) == Ok(true))
}

/// The `extension_data` that sets this flag alone.
fn alone(flag: u16) -> Vec<u8> {
    let [octets, _] = (flag / 8 + 1).to_le_bytes();
    let mut data = vec![octets];
    data.resize(usize::from(octets), 0);
    data.push(1 << (flag % 8));
    data
}

//! What an application of the library knows and decides about one connection.

use reqmtls_contract::{
    BlockingStream, ConnectionState, Hex, Policy, Revision, Setup, Side, flag_is_set,
};

use crate::credentials::{Credentials, octets};
use crate::ffi;
use crate::library::{Fd, Owned, preliminary};

/// The alerts that are no errors: `close_notify` and `user_canceled`.
const CLOSURE: [u8; 2] = [0, 90];

/// What the callbacks of one connection work on. Its socket has the address.
pub(crate) struct Context<'a, 's> {
    pub(crate) stream: &'a mut BlockingStream<'s>,
    pub(crate) side: Side,
    pub(crate) setup: &'a Setup,
    pub(crate) credentials: &'a Credentials,
    pub(crate) state: ConnectionState,
    /// Whether reading waits for octets to come.
    pub(crate) waits: bool,
    /// The other end has sent `close_notify`.
    pub(crate) closed: bool,
    /// Why the transport failed, if it did.
    pub(crate) transport: Option<String>,
    /// The first octets that the client sent.
    pub(crate) hello: Vec<u8>,
    /// Secrets that are not in the key log yet: they may come before the ClientHello goes out.
    secrets: Vec<(String, Vec<u8>)>,
    /// Server: CertificateRequest is to acknowledge the flag.
    acknowledges: bool,
    /// Client: the newest session that the server gave.
    pub(crate) session: Option<Vec<u8>>,
}

impl<'a, 's> Context<'a, 's> {
    pub(crate) fn new(
        side: Side,
        setup: &'a Setup,
        credentials: &'a Credentials,
        stream: &'a mut BlockingStream<'s>,
        state: ConnectionState,
    ) -> Self {
        Self {
            stream,
            side,
            setup,
            credentials,
            state,
            waits: true,
            closed: false,
            transport: None,
            hello: Vec::new(),
            secrets: Vec::new(),
            acknowledges: false,
            session: None,
        }
    }

    /// Takes a secret for the key log.
    pub(crate) fn take_secret(&mut self, label: String, secret: &[u8]) {
        self.secrets.push((label, secret.to_vec()));
        self.log_keys();
    }

    /// Moves secrets to the key log as soon as the client's random is known, the last 32 of the first octets.
    pub(crate) fn log_keys(&mut self) {
        if let Some(random) = self.hello.get(11..43) {
            let random = Hex::from(random);
            for (label, secret) in self.secrets.drain(..) {
                self.state
                    .log_key(format!("{label} {random} {}", Hex(secret)));
            }
        }
    }

    pub(crate) fn note_alert(&mut self, sent: bool, description: u8) {
        self.closed |= !sent && description == CLOSURE[0];
        if !CLOSURE.contains(&description) {
            self.state.note_alert(sent, description);
        }
    }

    /// Whether flags in ClientHello are in order. Sets by them whether the client is asked.
    pub(crate) fn decide(&mut self, socket: Fd, flag: u16, data: &[u8]) -> bool {
        let as_before = self.state.note_hello(Some(data));
        if preliminary(socket).protocolVersion != 0x0304 {
            return true;
        }
        let policy = self.setup.policy.unwrap_or(Policy::Never);
        // RFC 9846 §4.2.2: HelloRetryRequest is no occasion for other flags.
        let Some(set) = flag_is_set(data, flag).ok().filter(|_| as_before) else {
            return false;
        };
        let asks = policy.requests(set);
        self.acknowledges = asks && set && self.setup.revision == Some(Revision::EditorsCopy);
        let option = ffi::SSL_REQUEST_CERTIFICATE.cast_signed();
        // SAFETY: the socket is alive, and the library calls from within a call of the same thread.
        unsafe { ffi::SSL_OptionSet(socket, option, asks.into()) == ffi::SECSuccess }
    }

    /// Whether a client that implements `tls_flags` takes what a server sent: nothing answers the flag in ServerHello,
    /// HelloRetryRequest, EncryptedExtensions or Certificate (draft-ietf-tls-tlsflags-16 §3).
    pub(crate) fn takes(&self, message: ffi::SSLHandshakeType, flag: u16, data: &[u8]) -> bool {
        let Ok(set) = flag_is_set(data, flag) else {
            return false;
        };
        let acknowledged = set && self.setup.revision == Some(Revision::EditorsCopy);
        match message {
            ffi::ssl_hs_certificate_request => !acknowledged || self.sets(flag),
            ffi::ssl_hs_new_session_ticket => !acknowledged,
            _ => false,
        }
    }

    /// Whether the client sets a flag.
    fn sets(&self, flag: u16) -> bool {
        let state = self.state.lock();
        let data = state.tls_flags.as_ref();
        data.is_some_and(|data| flag_is_set(&data.0, flag) == Ok(true))
    }

    /// What goes into a message as `tls_flags`.
    pub(crate) fn sends(&self, message: ffi::SSLHandshakeType) -> Option<Vec<u8>> {
        match (self.side, message) {
            (Side::Client, ffi::ssl_hs_client_hello) => {
                self.state.lock().tls_flags.as_ref().map(|it| it.0.clone())
            }
            (Side::Server, ffi::ssl_hs_certificate_request) if self.acknowledges => {
                self.setup.flag.map(alone)
            }
            _ => None,
        }
    }

    /// Whether the job's own anchors, and what the other end presented, make up the chain that the library found:
    /// it looks among all that the process has of any job.
    pub(crate) fn is_own_chain(&self, socket: Fd) -> bool {
        // SAFETY: the socket is alive, and what is taken is freed.
        unsafe {
            let usage = match self.side {
                Side::Client => ffi::certUsageSSLServer,
                Side::Server => ffi::certUsageSSLClient,
            };
            let free = ffi::CERT_DestroyCertificate;
            let Ok(certificate) = Owned::new(ffi::SSL_PeerCertificate(socket), free) else {
                return false;
            };
            let now = ffi::PR_Now();
            let found = ders(ffi::CERT_GetCertChainFromCert(
                certificate.raw(),
                now,
                usage,
            ));
            let presented = ders(ffi::SSL_PeerCertificateChain(socket));
            let anchors = &self.credentials.anchors;
            let is_anchor = |der: &Vec<u8>| {
                let mut ders = anchors
                    .iter()
                    .map(|it| octets(&raw const (*it.raw()).derCert));
                ders.any(|anchor| anchor == der)
            };
            let anchored = found.iter().position(is_anchor);
            anchored.is_some_and(|end| found[..end].iter().all(|der| presented.contains(der)))
        }
    }
}

/// The `extension_data` that sets one flag.
fn alone(flag: u16) -> Vec<u8> {
    let length = flag / 8 + 1;
    let mut octets = vec![0; usize::from(length)];
    octets[0] = u8::try_from(length).unwrap_or_default();
    octets.push(1 << (flag % 8));
    octets
}

/// The certificates of a list, which is freed.
///
/// # Safety
///
/// The list is one that the library has made for its caller, or none.
unsafe fn ders(list: *mut ffi::CERTCertList) -> Vec<Vec<u8>> {
    let Ok(list) = Owned::new(list, ffi::CERT_DestroyCertList) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    // SAFETY: the list is a ring, in which its own head marks the end; each other link begins a node.
    unsafe {
        let head = &raw mut (*list.raw()).list;
        let mut link = (*head).next;
        while link != head {
            let certificate = (*link.cast::<ffi::CERTCertListNode>()).cert;
            all.push(octets(&raw const (*certificate).derCert).to_vec());
            link = (*link).next;
        }
    }
    all
}

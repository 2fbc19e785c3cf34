//! What the library calls while it works on a connection.

use std::ffi::c_uint;
use std::slice;

use reqmtls_contract::{
    BlockingStream, ConnectionState, Hex, Policy, Revision, Setup, Side, flag_is_set,
};

use crate::credentials::{Credentials, octets};
use crate::ffi;
use crate::library::{Argument, Fd, Owned, preliminary};

/// The alert `illegal_parameter`.
const ILLEGAL_PARAMETER: u8 = 47;
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

    fn note_alert(&mut self, sent: bool, description: u8) {
        self.closed |= !sent && description == CLOSURE[0];
        if !CLOSURE.contains(&description) {
            self.state.note_alert(sent, description);
        }
    }

    /// Whether flags in ClientHello are in order. Sets by them whether the client is asked.
    fn decide(&mut self, socket: Fd, flag: u16, data: &[u8]) -> bool {
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
    fn takes(&self, message: ffi::SSLHandshakeType, flag: u16, data: &[u8]) -> bool {
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
    fn sends(&self, message: ffi::SSLHandshakeType) -> Option<Vec<u8>> {
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
    fn is_own_chain(&self, socket: Fd) -> bool {
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
    let mut octets = vec![0; usize::from(flag / 8) + 2];
    octets[0] = u8::try_from(octets.len() - 1).unwrap_or_default();
    if let Some(last) = octets.last_mut() {
        *last = 1 << (flag % 8);
    }
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

/// # Safety
///
/// It is the address of a connection's context, which nobody else uses now.
unsafe fn context<'c>(argument: Argument) -> &'c mut Context<'c, 'c> {
    // SAFETY: what the caller promises.
    unsafe { &mut *argument.cast() }
}

/// Called for each message that is sent, to write `tls_flags` into it.
pub(crate) unsafe extern "C" fn write_flags(
    _: Fd,
    message: ffi::SSLHandshakeType,
    to: *mut u8,
    length: *mut c_uint,
    most: c_uint,
    argument: Argument,
) -> ffi::PRBool {
    // SAFETY: the library calls with the connection's context.
    let data = unsafe { context(argument) }.sends(message);
    match data {
        Some(data) if data.len() <= most as usize => {
            // SAFETY: there is room for that many octets, and for their number.
            unsafe {
                to.copy_from_nonoverlapping(data.as_ptr(), data.len());
                *length = c_uint::try_from(data.len()).unwrap_or_default();
            }
            1
        }
        _ => 0,
    }
}

/// Called for each `tls_flags` that comes.
pub(crate) unsafe extern "C" fn read_flags(
    socket: Fd,
    message: ffi::SSLHandshakeType,
    data: *const u8,
    length: c_uint,
    alert: *mut ffi::SSLAlertDescription,
    argument: Argument,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context, and that many octets.
    let (context, data) = unsafe {
        let data = match length {
            0 => &[],
            length => slice::from_raw_parts(data, length as usize),
        };
        (context(argument), data)
    };
    // An end that only sends the extension does not implement it.
    let is_fine = context.setup.flag.is_none_or(|flag| match message {
        ffi::ssl_hs_client_hello => context.decide(socket, flag, data),
        message => context.takes(message, flag, data),
    });
    if is_fine {
        return ffi::SECSuccess;
    }
    // SAFETY: there is room for the alert; the other sets the thread's error.
    unsafe {
        *alert = ILLEGAL_PARAMETER;
        ffi::PR_SetError(ffi::SSL_ERROR_APPLICATION_ABORT, 0);
    }
    ffi::SECFailure
}

/// Called for each secret of TLS 1.3.
pub(crate) unsafe extern "C" fn log_key(
    _: Fd,
    epoch: u16,
    direction: ffi::SSLSecretDirection,
    secret: *mut ffi::PK11SymKey,
    argument: Argument,
) {
    // SAFETY: the library calls with the connection's context, and with a key whose value lives as long as the key.
    let (context, secret) = unsafe {
        if ffi::PK11_ExtractKeyValue(secret) != ffi::SECSuccess {
            return;
        }
        (context(argument), octets(ffi::PK11_GetKeyData(secret)))
    };
    let writes = direction == ffi::ssl_secret_write;
    let sender = match (context.side, writes) {
        (Side::Client, true) | (Side::Server, false) => "CLIENT",
        _ => "SERVER",
    };
    let label = match epoch {
        1 => format!("{sender}_EARLY_TRAFFIC_SECRET"),
        2 => format!("{sender}_HANDSHAKE_TRAFFIC_SECRET"),
        later => format!("{sender}_TRAFFIC_SECRET_{}", later.saturating_sub(3)),
    };
    context.secrets.push((label, secret.to_vec()));
    context.log_keys();
}

pub(crate) unsafe extern "C" fn alert_sent(
    _: *const ffi::PRFileDesc,
    argument: Argument,
    alert: *const ffi::SSLAlert,
) {
    // SAFETY: the library calls with the connection's context, and with an alert.
    unsafe { context(argument).note_alert(true, (*alert).description) };
}

pub(crate) unsafe extern "C" fn alert_received(
    _: *const ffi::PRFileDesc,
    argument: Argument,
    alert: *const ffi::SSLAlert,
) {
    // SAFETY: as above.
    unsafe { context(argument).note_alert(false, (*alert).description) };
}

/// The library's own verification, within the bounds of the job.
pub(crate) unsafe extern "C" fn verify(
    argument: Argument,
    socket: Fd,
    check_signature: ffi::PRBool,
    is_server: ffi::PRBool,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context; its own function takes the store of certificates, and
    // the rest as it came.
    unsafe {
        let store = ffi::CERT_GetDefaultCertDB().cast();
        let status = ffi::SSL_AuthCertificate(store, socket, check_signature, is_server);
        if status == ffi::SECSuccess && !context(argument).is_own_chain(socket) {
            ffi::PR_SetError(ffi::SEC_ERROR_UNKNOWN_ISSUER, 0);
            return ffi::SECFailure;
        }
        status
    }
}

/// Client: presents the job's certificate, whatever the server's authorities are.
pub(crate) unsafe extern "C" fn present(
    argument: Argument,
    _: Fd,
    _authorities: *mut ffi::CERTDistNames,
    certificate: *mut *mut ffi::CERTCertificate,
    key: *mut *mut ffi::SECKEYPrivateKey,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context and with places for both, which are its own then.
    unsafe {
        let Some(own) = &context(argument).credentials.identity else {
            return ffi::SECFailure;
        };
        *certificate = ffi::CERT_DupCertificate(own.certificate.raw());
        *key = ffi::SECKEY_CopyPrivateKey(own.key.raw());
    }
    ffi::SECSuccess
}

/// Client: takes a session that the server gave.
pub(crate) unsafe extern "C" fn new_session(
    _: Fd,
    session: *const u8,
    length: c_uint,
    argument: Argument,
) -> ffi::SECStatus {
    // SAFETY: the library calls with the connection's context, and that many octets.
    unsafe {
        let session = slice::from_raw_parts(session, length as usize);
        context(argument).session = Some(session.to_vec());
    }
    ffi::SECSuccess
}

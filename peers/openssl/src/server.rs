//! The server's end of a job.

use openssl::error::ErrorStack;
use openssl::ssl::{ClientHelloResponse, Ssl, SslAlert, SslContext, SslRef, SslVerifyMode};
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, Policy, PrepareError, Revision,
    SUPPORTED_VERSIONS, Sessions, Setup, Version, flag_is_set, offers_tls13, run_server,
};

use crate::callbacks::{self, Noted};
use crate::connection::Connection;
use crate::context::{self, invalid};
use crate::{ffi, flags};

/// What a server reads of early data: as much as one record can hold.
const MOST_EARLY_DATA: u32 = 16_384;

/// Number of the `post_handshake_auth` extension, RFC 9846 §4.3.6 (RFC 8446 §4.2.6).
const POST_HANDSHAKE_AUTH: u16 = 49;

pub(crate) struct Server {
    context: SslContext,
    early_data: bool,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        let rules = Rules::new(setup);
        builder
            .set_session_id_context(b"reqmtls")
            .map_err(invalid)?;
        if let Some(flag) = rules.flag {
            // A request after the handshake has another reason than the flag.
            let acknowledges =
                setup.revision == Some(Revision::EditorsCopy) && rules.policy.requests(true);
            flags::register_server(&mut builder, rules.extension, flag, acknowledges)
                .map_err(invalid)?;
        }
        if setup.early_data {
            builder
                .set_max_early_data(MOST_EARLY_DATA)
                .map_err(invalid)?;
        }
        // Called before anything of ClientHello is acted on, so that the decision to ask is still open.
        builder.set_client_hello_callback(move |ssl, alert| match rules.decide(ssl) {
            Ok(mode) => {
                ssl.set_verify(mode);
                if rules.sessions == Sessions::Separate {
                    let asks = mode.contains(SslVerifyMode::PEER);
                    let name: &[u8] = if asks { b"asks" } else { b"does not" };
                    ffi::set_session_id_context(ssl, name)?;
                }
                Ok(ClientHelloResponse::SUCCESS)
            }
            Err(refusal) => {
                *alert = refusal;
                Err(ErrorStack::get())
            }
        });
        Ok(Self {
            context: builder.build(),
            early_data: setup.early_data,
        })
    }

    fn ssl(&self, noted: &Noted) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_accept_state();
        ffi::return_from_reads(&mut ssl);
        noted.attach(&mut ssl);
        Ok(ssl)
    }
}

impl BlockingEndpoint for Server {
    fn run(
        &self,
        _connection: u32,
        stream: &mut BlockingStream<'_>,
        report: &mut ConnectionReport,
    ) {
        let noted = Noted::default();
        let session = self
            .ssl(&noted)
            .and_then(|ssl| Connection::new(ssl, stream, self.early_data));
        match session {
            Ok(mut session) => run_server(&mut session, &noted.state, report),
            Err(error) => report.break_off(&error),
        }
    }
}

/// What a server looks at before it answers a `ClientHello`.
struct Rules {
    policy: Policy,
    /// The request mTLS flag; without it, the server does not implement `tls_flags`.
    flag: Option<u16>,
    /// The number of `tls_flags`.
    extension: u16,
    sessions: Sessions,
    /// Whether the server negotiates TLS 1.3 with a client that offers it.
    tls13: bool,
}

impl Rules {
    fn new(setup: &Setup) -> Self {
        Self {
            policy: setup.policy.unwrap_or(Policy::Never),
            flag: setup.flag,
            extension: setup.extension_number(),
            sessions: setup.sessions.unwrap_or(Sessions::Shared),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
        }
    }

    /// Whether the client is asked for a certificate, or the alert by which it is refused.
    fn decide(&self, ssl: &SslRef) -> Result<SslVerifyMode, SslAlert> {
        let data = ffi::hello_extension(ssl, self.extension);
        let as_before = callbacks::of(ssl).is_none_or(|noted| noted.state.note_hello(data));
        let tls13 =
            self.tls13 && ffi::hello_extension(ssl, SUPPORTED_VERSIONS).is_some_and(offers_tls13);
        if self.policy == Policy::PostHandshake
            && tls13
            && let Some(noted) = callbacks::of(ssl)
        {
            noted.lock().may_be_asked = ffi::hello_extension(ssl, POST_HANDSHAKE_AUTH).is_some();
        }
        let Some(flag) = self.flag.filter(|_| tls13) else {
            return Ok(mode(self.policy, tls13, false));
        };
        // RFC 9846 §4.2.2: HelloRetryRequest is no occasion for other flags.
        if !as_before {
            return Err(SslAlert::ILLEGAL_PARAMETER);
        }
        let set = data.map_or(Ok(false), |data| flag_is_set(data, flag));
        set.map(|set| mode(self.policy, tls13, set))
            .map_err(|_| SslAlert::ILLEGAL_PARAMETER)
    }
}

/// What the library calls a policy's decision, for the version that is negotiated.
fn mode(policy: Policy, tls13: bool, flag_set: bool) -> SslVerifyMode {
    match (policy.requests(flag_set), policy.requires()) {
        // With TLS 1.2 the library would ask in the handshake.
        (false, _) if policy == Policy::PostHandshake && tls13 => {
            SslVerifyMode::PEER | SslVerifyMode::POST_HANDSHAKE
        }
        (false, _) => SslVerifyMode::NONE,
        (true, false) => SslVerifyMode::PEER,
        (true, true) => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    }
}

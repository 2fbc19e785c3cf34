//! The server's end of a job.

use std::ffi::c_uint;
use std::pin::Pin;
use std::ptr;

use async_trait::async_trait;
use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{ClientHelloResponse, Ssl, SslAlert, SslContext, SslRef, SslVerifyMode};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Outcome, Policy, PrepareError, Revision, SUPPORTED_VERSIONS,
    Sessions, Setup, Stream, Version, flag_is_set, offers_tls13, read_request, write_answer,
};
use tokio::io::AsyncReadExt;
use tokio_openssl::SslStream;

use crate::context;
use crate::post_handshake::{self, POST_HANDSHAKE_AUTH};
use crate::told::{self, Ear};
use crate::{early_data, flags};

pub(crate) struct Server {
    context: SslContext,
    early_data: bool,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        flags::check(setup)?;
        let rules = Rules::new(setup)?;
        builder
            .set_session_id_context(b"reqmtls")
            .map_err(context::invalid)?;
        if let Some(flag) = rules.flag {
            // A request after the handshake has another reason than the flag.
            let acknowledges =
                setup.revision == Some(Revision::EditorsCopy) && rules.policy.requests(true);
            flags::register_server(&mut builder, rules.extension, flag, acknowledges)
                .map_err(context::invalid)?;
        }
        if rules.policy == Policy::PostHandshake {
            post_handshake::count_finished(&mut builder);
        }
        if setup.early_data {
            builder
                .set_max_early_data(early_data::MOST)
                .map_err(context::invalid)?;
        }
        // Called before anything of ClientHello is acted on, so that the decision to ask is still open.
        builder.set_client_hello_callback(move |ssl, alert| match rules.decide(ssl) {
            Ok(mode) => {
                ssl.set_verify(mode);
                if rules.sessions == Sessions::Separate {
                    let asks = mode.contains(SslVerifyMode::PEER);
                    let name: &[u8] = if asks { b"asks" } else { b"does not" };
                    context::set_session_id_context(ssl, name)?;
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

    fn connection(&self, ear: &Ear) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ear.attach(&mut ssl);
        Ok(ssl)
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
    fn new(setup: &Setup) -> Result<Self, PrepareError> {
        let policy = setup.policy.unwrap_or(Policy::Never);
        if policy.is_on_flag() && setup.flag.is_none() {
            return Err(PrepareError::Invalid(
                "expected a flag for a policy on the flag".into(),
            ));
        }
        Ok(Self {
            policy,
            flag: setup.flag,
            extension: setup.extension_number(),
            sessions: setup.sessions.unwrap_or(Sessions::Shared),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
        })
    }

    /// Whether the client is asked for a certificate, or the alert by which it is refused.
    fn decide(&self, ssl: &SslRef) -> Result<SslVerifyMode, SslAlert> {
        let data = extension(ssl, self.extension);
        let as_before = Ear::of(ssl).is_none_or(|ear| ear.hear_flags(data));
        let tls13 = self.tls13 && extension(ssl, SUPPORTED_VERSIONS).is_some_and(offers_tls13);
        if self.policy == Policy::PostHandshake
            && tls13
            && let Some(ear) = Ear::of(ssl)
        {
            ear.lock().may_be_asked = extension(ssl, POST_HANDSHAKE_AUTH).is_some();
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

/// The data of an extension, while a ClientHello is being looked at.
fn extension(ssl: &SslRef, number: u16) -> Option<&[u8]> {
    let (mut data, mut length) = (ptr::null(), 0);
    // SAFETY: called within the ClientHello callback only, where the library holds the extensions; it
    // sets both out-parameters where it returns 1 (SSL_client_hello_get0_ext(3)).
    let found = unsafe {
        openssl_sys::SSL_client_hello_get0_ext(
            ssl.as_ptr(),
            c_uint::from(number),
            &raw mut data,
            &raw mut length,
        )
    };
    if found != 1 {
        return None;
    }
    if length == 0 {
        return Some(&[]);
    }
    // SAFETY: the library gave `length` octets at `data`, which live as long as the callback's `ssl`.
    Some(unsafe { std::slice::from_raw_parts(data, length) })
}

#[async_trait]
impl Endpoint for Server {
    async fn run(&self, _connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let ear = Ear::default();
        match self
            .connection(&ear)
            .and_then(|ssl| SslStream::new(ssl, stream))
        {
            Ok(mut tls) => {
                accept(&mut tls, self.early_data, &ear, report).await;
                ear.tell(report);
            }
            Err(error) => report.break_off(&error),
        }
    }
}

async fn accept(
    tls: &mut SslStream<&mut dyn Stream>,
    reads_early: bool,
    ear: &Ear,
    report: &mut ConnectionReport,
) {
    let mut early = Vec::new();
    if reads_early {
        match early_data::read(tls).await {
            Ok(data) => early = data,
            Err(error) => return told::note(report, &error),
        }
    }
    if let Err(error) = Pin::new(&mut *tls).accept().await {
        return told::note(report, &error);
    }
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report
        .tls_flags_received
        .clone_from(&ear.lock().tls_flags_received);
    report.resumed = Some(tls.ssl().session_reused());
    report.early_data = early_data::accepted(tls.ssl());
    if let Err(error) = read_request(&mut early.as_slice().chain(&mut *tls)).await {
        return told::note_io(report, &error);
    }
    let may_be_asked = ear.lock().may_be_asked;
    if may_be_asked {
        if let Err(failure) = post_handshake::authenticate(tls, ear).await {
            return failure.note(report);
        }
        report.peer_certificate = told::peer_certificate(tls.ssl());
    }
    let answer = report.to_answer();
    match write_answer(tls, &answer).await {
        Ok(()) => report.outcome = Outcome::Completed,
        Err(error) => told::note_io(report, &error),
    }
}

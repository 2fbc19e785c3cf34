//! The server's end of a job.

use std::ffi::c_uint;
use std::pin::Pin;
use std::ptr;

use async_trait::async_trait;
use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{ClientHelloResponse, Ssl, SslAlert, SslContext, SslRef, SslVerifyMode};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Outcome, Policy, PrepareError, SUPPORTED_VERSIONS, Setup, Stream,
    TLS_FLAGS, Version, flag_is_set, offers_tls13, serve_answer,
};
use tokio_openssl::SslStream;

use crate::context;
use crate::flags;
use crate::told::{self, Ear};

pub(crate) struct Server {
    context: SslContext,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        let rules = Rules::new(setup)?;
        builder
            .set_session_id_context(b"reqmtls")
            .map_err(context::invalid)?;
        if rules.flag.is_some() {
            flags::register_server(&mut builder).map_err(context::invalid)?;
        }
        // Called before anything of ClientHello is acted on, so that the decision to ask is still open.
        builder.set_client_hello_callback(move |ssl, alert| match rules.decide(ssl) {
            Ok(mode) => {
                ssl.set_verify(mode);
                Ok(ClientHelloResponse::SUCCESS)
            }
            Err(refusal) => {
                *alert = refusal;
                Err(ErrorStack::get())
            }
        });
        Ok(Self {
            context: builder.build(),
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
    /// The request mTLS flag; without it, the server knows nothing of `tls_flags`.
    flag: Option<u16>,
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
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
        })
    }

    /// Whether the client is asked for a certificate, or the alert by which it is refused.
    fn decide(&self, ssl: &SslRef) -> Result<SslVerifyMode, SslAlert> {
        let data = extension(ssl, TLS_FLAGS);
        let as_before = Ear::of(ssl).is_none_or(|ear| ear.hear_flags(data));
        let tls13 = self.tls13 && extension(ssl, SUPPORTED_VERSIONS).is_some_and(offers_tls13);
        let Some(flag) = self.flag.filter(|_| tls13) else {
            return Ok(mode(self.policy, false));
        };
        // RFC 8446 §4.1.2: HelloRetryRequest is no occasion for other flags.
        if !as_before {
            return Err(SslAlert::ILLEGAL_PARAMETER);
        }
        let set = data.map_or(Ok(false), |data| flag_is_set(data, flag));
        set.map(|set| mode(self.policy, set))
            .map_err(|_| SslAlert::ILLEGAL_PARAMETER)
    }
}

/// What the library calls a policy's decision.
fn mode(policy: Policy, flag_set: bool) -> SslVerifyMode {
    match (policy.requests(flag_set), policy.requires()) {
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
                accept(&mut tls, &ear, report).await;
                ear.tell(report);
            }
            Err(error) => report.break_off(&error),
        }
    }
}

async fn accept(tls: &mut SslStream<&mut dyn Stream>, ear: &Ear, report: &mut ConnectionReport) {
    if let Err(error) = Pin::new(&mut *tls).accept().await {
        return told::note(report, &error);
    }
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report
        .tls_flags_received
        .clone_from(&ear.lock().tls_flags_received);
    report.resumed = Some(tls.ssl().session_reused());
    let answer = report.to_answer();
    match serve_answer(tls, &answer).await {
        Ok(()) => report.outcome = Outcome::Completed,
        Err(error) => told::note_io(report, &error),
    }
}

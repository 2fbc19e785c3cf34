//! The server's end of a job.

use async_trait::async_trait;
use boring::error::ErrorStack;
use boring::ssl::{
    ExtensionType, SniError, Ssl, SslAlert, SslContext, SslContextBuilder, SslVerifyMode,
};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, Policy, PrepareError, SUPPORTED_VERSIONS, Setup,
    Stream, TLS_FLAGS, Version, flag_is_set, offers_tls13, serve_answer,
};
use tokio_boring::{SslStream, SslStreamBuilder};

use crate::context;
use crate::told::{self, Ear};

pub(crate) struct Server {
    context: SslContext,
    /// The job names the flag, so the server is not the library as it comes.
    knows_flags: bool,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        let policy = setup.policy.unwrap_or(Policy::Never);
        builder
            .set_session_id_context(b"reqmtls")
            .map_err(context::invalid)?;
        // The policies on the flag decide anew for each ClientHello.
        builder.set_verify(mode(policy, false));
        match setup.flag {
            Some(flag) => know_flags(&mut builder, policy, flag, &setup.versions),
            None if policy.is_on_flag() => {
                return Err(PrepareError::Invalid(
                    "expected a flag for a policy on the flag".into(),
                ));
            }
            None => {}
        }
        Ok(Self {
            context: builder.build(),
            knows_flags: setup.flag.is_some(),
        })
    }

    fn connection(&self, ear: &Ear) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        if self.knows_flags {
            context::enforce_tls_flags(&mut ssl);
        }
        ear.attach(&mut ssl);
        Ok(ssl)
    }
}

/// Makes a server read `tls_flags` in ClientHello, refuse malformed values, and follow its policy.
fn know_flags(builder: &mut SslContextBuilder, policy: Policy, flag: u16, versions: &[Version]) {
    let tls13 = versions.is_empty() || versions.contains(&Version::Tls13);
    // Called before anything of ClientHello is acted on, so that the decision to ask is still open.
    builder.set_select_certificate_callback(move |mut hello| {
        let data = hello
            .get_extension(ExtensionType::from(TLS_FLAGS))
            .map(Hex::from);
        let versions = hello.get_extension(ExtensionType::from(SUPPORTED_VERSIONS));
        let offered = tls13 && versions.is_some_and(offers_tls13);
        let set = data
            .as_ref()
            .filter(|_| offered)
            .map_or(Ok(false), |data| flag_is_set(&data.0, flag));
        let ssl = hello.ssl_mut();
        if let Some(ear) = Ear::of(ssl) {
            let mut told = ear.lock();
            told.tls_flags_received = data;
            told.malformed_flags = set.is_err();
        }
        ssl.set_verify(mode(policy, set.unwrap_or(false)));
        Ok(())
    });
    // The callback above cannot choose the alert that it refuses with. This one can; it runs next,
    // with or without a server name, and before the server sends anything.
    builder.set_servername_callback(|ssl, alert| {
        if Ear::of(ssl).is_some_and(|ear| ear.lock().malformed_flags) {
            *alert = SslAlert::ILLEGAL_PARAMETER;
            return Err(SniError::ALERT_FATAL);
        }
        // What the library does without a callback: it does not acknowledge the name.
        Err(SniError::NOACK)
    });
}

/// What the library calls a policy's decision.
fn mode(policy: Policy, flag_set: bool) -> SslVerifyMode {
    match (policy.requests(flag_set), policy.requires()) {
        (false, _) => SslVerifyMode::NONE,
        (true, false) => SslVerifyMode::PEER,
        (true, true) => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    }
}

#[async_trait]
impl Endpoint for Server {
    async fn run(&self, _connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let ear = Ear::default();
        match self.connection(&ear) {
            Ok(ssl) => match SslStreamBuilder::new(ssl, stream).accept().await {
                Ok(tls) => exchange(tls, &ear, report).await,
                Err(error) => told::note(report, &error),
            },
            Err(error) => report.break_off(&error),
        }
        ear.tell(report);
    }
}

async fn exchange(mut tls: SslStream<&mut dyn Stream>, ear: &Ear, report: &mut ConnectionReport) {
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report
        .tls_flags_received
        .clone_from(&ear.lock().tls_flags_received);
    report.resumed = Some(tls.ssl().session_reused());
    let answer = report.to_answer();
    match serve_answer(&mut tls, &answer).await {
        Ok(()) => report.outcome = Outcome::Completed,
        Err(error) => told::note_io(report, &error),
    }
}

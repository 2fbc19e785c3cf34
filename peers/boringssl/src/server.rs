//! The server's end of a job.

use std::io;

use async_trait::async_trait;
use boring::error::ErrorStack;
use boring::ssl::{
    ExtensionType, SniError, Ssl, SslAlert, SslContext, SslContextBuilder, SslVerifyMode,
};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, Policy, PrepareError, SUPPORTED_VERSIONS, Sessions,
    Setup, Stream, TLS_FLAGS, Version, flag_is_set, offers_tls13, read_request, serve_answer,
    write_answer,
};
use tokio_boring::{SslStream, SslStreamBuilder};

use crate::told::{self, Ear};
use crate::{context, early};

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
        if setup.flag.is_none() && policy.is_on_flag() {
            return Err(PrepareError::Invalid(
                "expected a flag for a policy on the flag".into(),
            ));
        }
        if setup.early_data {
            early::accept(&mut builder);
        }
        // Without either, nothing of ClientHello is looked at.
        if setup.flag.is_some() || setup.early_data || setup.sessions.is_some() {
            read_client_hello(&mut builder, policy, setup);
        }
        if setup.flag.is_some() {
            refuse_malformed_flags(&mut builder);
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

/// Makes a server note what a ClientHello offers; one that knows the flag follows its policy by it.
fn read_client_hello(builder: &mut SslContextBuilder, policy: Policy, setup: &Setup) {
    let flag = setup.flag;
    let separate = setup.sessions == Some(Sessions::Separate);
    let tls13 = setup.versions.is_empty() || setup.versions.contains(&Version::Tls13);
    // Called before anything of ClientHello is acted on, so that the decision to ask is still open.
    builder.set_select_certificate_callback(move |mut hello| {
        let early_data_offered = hello.get_extension(ExtensionType::EARLY_DATA).is_some();
        let versions = hello.get_extension(ExtensionType::from(SUPPORTED_VERSIONS));
        let offered = tls13 && versions.is_some_and(offers_tls13);
        let tls_flags = flag
            .and_then(|_| hello.get_extension(ExtensionType::from(TLS_FLAGS)))
            .map(Hex::from);
        let set = match (flag, &tls_flags) {
            (Some(flag), Some(data)) if offered => flag_is_set(&data.0, flag),
            _ => Ok(false),
        };
        let ssl = hello.ssl_mut();
        if separate {
            let asks = policy.requests(set.unwrap_or(false));
            let context: &[u8] = if asks { b"asks" } else { b"does not" };
            // Octets of a constant that is shorter than the limit: it cannot fail.
            drop(context::set_session_id_context(ssl, context));
        }
        if let Some(ear) = Ear::of(ssl) {
            let mut told = ear.lock();
            told.early_data_offered = early_data_offered;
            told.tls_flags_received = tls_flags;
            told.malformed_flags = set.is_err();
        }
        ssl.set_verify(mode(policy, set.unwrap_or(false)));
        Ok(())
    });
}

/// Makes a server refuse what [`read_client_hello`] found malformed.
///
/// That callback cannot choose the alert. This one can; it runs next, with or without a server name,
/// and before the server sends anything.
fn refuse_malformed_flags(builder: &mut SslContextBuilder) {
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
    match serve(&mut tls, ear, report).await {
        Ok(()) => report.outcome = Outcome::Completed,
        Err(error) => told::note_io(report, &error),
    }
}

async fn serve(
    tls: &mut SslStream<&mut dyn Stream>,
    ear: &Ear,
    report: &mut ConnectionReport,
) -> io::Result<()> {
    let early = early::is_flowing(tls.ssl());
    let offered = ear.lock().early_data_offered;
    report.early_data = offered.then(|| early::is_accepted(tls.ssl()));
    if early {
        read_request(tls).await?;
        early::finish_handshake(tls).await?;
    }
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report
        .tls_flags_received
        .clone_from(&ear.lock().tls_flags_received);
    report.resumed = Some(tls.ssl().session_reused());
    let answer = report.to_answer();
    if early {
        write_answer(tls, &answer).await
    } else {
        serve_answer(tls, &answer).await
    }
}

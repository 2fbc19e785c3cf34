//! The client's end of a job.

use std::pin::Pin;

use async_trait::async_trait;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslVerifyMode};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, PrepareError, Resumption, Setup, Stream, ask,
};
use tokio_openssl::SslStream;

use crate::context::{self, invalid};
use crate::flags;
use crate::resumption::Kept;
use crate::told::{self, Ear};

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
    resumption: Option<Resumption>,
    kept: Kept,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(&setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        let resumed_flags = setup.resumption.as_ref().map(|it| it.tls_flags.is_some());
        if setup.flag.is_some() || setup.tls_flags.is_some() || resumed_flags == Some(true) {
            flags::register_client(&mut builder, setup.flag).map_err(invalid)?;
        }
        let kept = Kept::default();
        if setup.resumption.is_some() {
            kept.attach(&mut builder);
        }
        let server_name = setup
            .server_name
            .ok_or_else(|| PrepareError::Invalid("expected a server_name".into()))?;
        Ok(Self {
            context: builder.build(),
            server_name,
            tls_flags: setup.tls_flags,
            resumption: setup.resumption,
            kept,
        })
    }

    /// What a connection does in place of the first one's, where it is not the first.
    fn resumption(&self, connection: u32) -> Option<&Resumption> {
        self.resumption.as_ref().filter(|_| connection > 0)
    }

    fn connection(&self, connection: u32, ear: &Ear) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        if self.resumption(connection).is_some() {
            self.kept.offer(&mut ssl)?;
        }
        ear.attach(&mut ssl);
        Ok(ssl)
    }
}

#[async_trait]
impl Endpoint for Client {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let flags = match self.resumption(connection) {
            Some(resumption) => &resumption.tls_flags,
            None => &self.tls_flags,
        };
        report.tls_flags_sent.clone_from(flags);
        let ear = Ear::default();
        ear.lock().tls_flags_sent.clone_from(flags);
        match self
            .connection(connection, &ear)
            .and_then(|ssl| SslStream::new(ssl, stream))
        {
            Ok(mut tls) => {
                connect(&mut tls, report).await;
                ear.tell(report);
            }
            Err(error) => report.break_off(&error),
        }
    }
}

async fn connect(tls: &mut SslStream<&mut dyn Stream>, report: &mut ConnectionReport) {
    if let Err(error) = Pin::new(&mut *tls).connect().await {
        return told::note(report, &error);
    }
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report.resumed = Some(tls.ssl().session_reused());
    match ask(tls).await {
        Ok(answer) => {
            report.outcome = Outcome::Completed;
            report.answer = Some(answer);
        }
        Err(error) => told::note_io(report, &error),
    }
}

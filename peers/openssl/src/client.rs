//! The client's end of a job.

use std::pin::Pin;

use async_trait::async_trait;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslVerifyMode};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, PrepareError, Setup, Stream, ask,
};
use tokio_openssl::SslStream;

use crate::context::{self, invalid};
use crate::flags;
use crate::told::{self, Ear};

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
}

impl Client {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        if setup.flag.is_some() || setup.tls_flags.is_some() {
            flags::register_client(&mut builder, setup.flag).map_err(invalid)?;
        }
        let server_name = setup
            .server_name
            .clone()
            .ok_or_else(|| PrepareError::Invalid("expected a server_name".into()))?;
        Ok(Self {
            context: builder.build(),
            server_name,
            tls_flags: setup.tls_flags.clone(),
        })
    }

    fn connection(&self, ear: &Ear) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        ear.attach(&mut ssl);
        Ok(ssl)
    }
}

#[async_trait]
impl Endpoint for Client {
    async fn run(&self, _connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        report.tls_flags_sent.clone_from(&self.tls_flags);
        let ear = Ear::default();
        ear.lock().tls_flags_sent.clone_from(&self.tls_flags);
        match self
            .connection(&ear)
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

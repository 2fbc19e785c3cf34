//! The client's end of a job.

use std::pin::Pin;

use async_trait::async_trait;
use openssl::error::ErrorStack;
use openssl::ssl::{ExtensionContext, Ssl, SslContext, SslVerifyMode};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, PrepareError, Setup, Stream, TLS_FLAGS, ask,
};
use tokio_openssl::SslStream;

use crate::context::{self, invalid};
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
        if let Some(data) = setup.tls_flags.clone() {
            // The library refuses a number that it knows in every message that is not named here. In
            // these two a server may set flags of its own, which a client ignores where it does not
            // know them (draft-ietf-tls-tlsflags §3); without an extension to send, the library
            // ignores them by itself.
            let messages = ExtensionContext::CLIENT_HELLO
                | ExtensionContext::TLS1_3_CERTIFICATE_REQUEST
                | ExtensionContext::TLS1_3_NEW_SESSION_TICKET;
            builder
                .add_custom_ext(
                    TLS_FLAGS,
                    messages,
                    move |_, _, _| Ok(Some(data.0.clone())),
                    |_, _, _, _| Ok(()),
                )
                .map_err(invalid)?;
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

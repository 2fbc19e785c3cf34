//! The client's end of a job.

use std::pin::Pin;

use async_trait::async_trait;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslVerifyMode};
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, PrepareError, REQUEST, Resumption, Revision, Setup,
    Stream, ask, read_answer,
};
use tokio_openssl::SslStream;

use crate::context::{self, invalid};
use crate::post_handshake;
use crate::resumption::Kept;
use crate::told::{self, Ear};
use crate::{early_data, flags};

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
    resumption: Option<Resumption>,
    kept: Kept,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        flags::check(&setup)?;
        let mut builder = context::builder(&setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        let resumed_flags = setup.resumption.as_ref().map(|it| it.tls_flags.is_some());
        if setup.flag.is_some() || setup.tls_flags.is_some() || resumed_flags == Some(true) {
            let revision = setup.revision.unwrap_or(Revision::Draft02);
            flags::register_client(&mut builder, setup.extension_number(), setup.flag, revision)
                .map_err(invalid)?;
        }
        let kept = Kept::default();
        if setup.resumption.is_some() {
            kept.attach(&mut builder);
        }
        if setup.post_handshake_auth {
            post_handshake::offer(&mut builder);
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

    /// A connection, and whether its request goes as early data.
    fn connection(&self, connection: u32, ear: &Ear) -> Result<(Ssl, bool), ErrorStack> {
        let mut early = false;
        let mut ssl = Ssl::new(&self.context)?;
        // Early data is written before the handshake says which end this is.
        ssl.set_connect_state();
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        if let Some(resumption) = self.resumption(connection) {
            let most = self.kept.offer(&mut ssl)?;
            early = resumption.early_data
                && usize::try_from(most).is_ok_and(|most| most >= REQUEST.len());
        }
        ear.attach(&mut ssl);
        Ok((ssl, early))
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
            .and_then(|(ssl, early)| Ok((SslStream::new(ssl, stream)?, early)))
        {
            Ok((mut tls, early)) => {
                connect(&mut tls, early, report).await;
                ear.tell(report);
            }
            Err(error) => report.break_off(&error),
        }
    }
}

async fn connect(tls: &mut SslStream<&mut dyn Stream>, early: bool, report: &mut ConnectionReport) {
    if early && let Err(error) = early_data::write(tls).await {
        return told::note(report, &error);
    }
    let connected = Pin::new(&mut *tls).connect().await;
    if let Err(error) = connected {
        return told::note(report, &error);
    }
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report.resumed = Some(tls.ssl().session_reused());
    report.early_data = early_data::accepted(tls.ssl());
    let answer = if report.early_data == Some(true) {
        read_answer(tls).await
    } else {
        ask(tls).await
    };
    match answer {
        Ok(answer) => {
            report.outcome = Outcome::Completed;
            report.answer = Some(answer);
        }
        Err(error) => told::note_io(report, &error),
    }
}

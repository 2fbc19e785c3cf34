//! The client's end of a job.

use std::io;

use async_trait::async_trait;
use boring::error::ErrorStack;
use boring::ssl::{Ssl, SslContext, SslRef, SslVerifyMode};
use foreign_types::ForeignType;
use reqmtls_contract::{
    Answer, ConnectionReport, Endpoint, Hex, Outcome, PrepareError, REQUEST, Resumption, Setup,
    Stream, ask, read_answer,
};
use tokio::io::AsyncWriteExt;
use tokio_boring::{SslStream, SslStreamBuilder};

use crate::session::Kept;
use crate::told::{self, Ear};
use crate::{context, early};

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
    /// The job names the flag: the client knows the extension even if it sends none.
    knows_flags: bool,
    /// The job names the groups, so a key share goes out for the first only.
    one_key_share: bool,
    /// What connection 1 does, and the session that it offers.
    resumption: Option<(Resumption, Kept)>,
}

impl Client {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        let server_name = setup
            .server_name
            .clone()
            .ok_or_else(|| PrepareError::Invalid("expected a server_name".into()))?;
        let resumption = setup.resumption.clone().map(|resumption| {
            let kept = Kept::default();
            kept.listen(&mut builder);
            (resumption, kept)
        });
        Ok(Self {
            context: builder.build(),
            server_name,
            tls_flags: setup.tls_flags.clone(),
            knows_flags: setup.flag.is_some(),
            one_key_share: !setup.groups.is_empty(),
            resumption,
        })
    }

    /// What a connection resumes with, if it is the one that does.
    fn resumption(&self, connection: u32) -> Option<&(Resumption, Kept)> {
        self.resumption.as_ref().filter(|_| connection == 1)
    }

    /// The `extension_data` of `tls_flags` in a connection's ClientHello.
    fn tls_flags(&self, connection: u32) -> Option<&Hex> {
        match self.resumption(connection) {
            Some((resumption, _)) => resumption.tls_flags.as_ref(),
            None => self.tls_flags.as_ref(),
        }
    }

    fn connection(&self, connection: u32, ear: &Ear) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        if self.one_key_share {
            // By default a post-quantum group brings a second share, of a classical one, and the reverse.
            // SAFETY: the connection is alive and has not begun.
            unsafe { boring_sys::SSL_use_second_keyshare(ssl.as_ptr(), 0) }
        }
        let tls_flags = self.tls_flags(connection);
        if self.knows_flags || tls_flags.is_some() {
            context::enforce_tls_flags(&mut ssl);
        }
        if let Some(Hex(data)) = tls_flags {
            // SAFETY: the connection is alive, and the library copies the octets.
            let set = unsafe {
                boring_sys::SSL_set1_tls_flags_extension(ssl.as_ptr(), data.as_ptr(), data.len())
            };
            if set != 1 {
                return Err(ErrorStack::get());
            }
        }
        if let Some((resumption, kept)) = self.resumption(connection) {
            kept.offer(&mut ssl)?;
            if resumption.early_data {
                early::offer(&mut ssl);
            }
        }
        ear.attach(&mut ssl);
        Ok(ssl)
    }
}

#[async_trait]
impl Endpoint for Client {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        report.tls_flags_sent = self.tls_flags(connection).cloned();
        let ear = Ear::default();
        match self.connection(connection, &ear) {
            Ok(ssl) => match SslStreamBuilder::new(ssl, stream).connect().await {
                Ok(tls) => exchange(tls, report).await,
                Err(error) => told::note(report, &error),
            },
            Err(error) => report.break_off(&error),
        }
        ear.tell(report);
    }
}

async fn exchange(mut tls: SslStream<&mut dyn Stream>, report: &mut ConnectionReport) {
    let answer = if early::is_flowing(tls.ssl()) {
        let answer = ask_early(&mut tls).await;
        report.early_data = Some(early::is_accepted(tls.ssl()));
        if tls.ssl().is_init_finished() {
            note(report, tls.ssl());
        }
        answer
    } else {
        note(report, tls.ssl());
        ask(&mut tls).await
    };
    match answer {
        Ok(answer) => {
            report.outcome = Outcome::Completed;
            report.answer = Some(answer);
        }
        Err(error) => told::note_io(report, &error),
    }
}

/// Notes what the handshake settled.
fn note(report: &mut ConnectionReport, ssl: &SslRef) {
    report.peer_certificate = told::peer_certificate(ssl);
    report.resumed = Some(ssl.session_reused());
}

/// Asks in early data, and once more after the handshake if the server rejected that.
async fn ask_early(tls: &mut SslStream<&mut dyn Stream>) -> io::Result<Answer> {
    tls.write_all(REQUEST).await?;
    tls.flush().await?;
    match read_answer(tls).await {
        Err(error) => {
            early::give_up(tls.ssl_mut(), error)?;
            ask(tls).await
        }
        answer => answer,
    }
}

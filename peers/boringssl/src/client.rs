//! The client's end of a job.

use async_trait::async_trait;
use boring::error::ErrorStack;
use boring::ssl::{Ssl, SslContext, SslVerifyMode};
use foreign_types::ForeignType;
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, PrepareError, Setup, Stream, ask,
};
use tokio_boring::{SslStream, SslStreamBuilder};

use crate::context;
use crate::told::{self, Ear};

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
    /// The job names the flag: the client knows the extension even if it sends none.
    knows_flags: bool,
    /// The job names the groups, so a key share goes out for the first only.
    one_key_share: bool,
}

impl Client {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        let server_name = setup
            .server_name
            .clone()
            .ok_or_else(|| PrepareError::Invalid("expected a server_name".into()))?;
        Ok(Self {
            context: builder.build(),
            server_name,
            tls_flags: setup.tls_flags.clone(),
            knows_flags: setup.flag.is_some(),
            one_key_share: !setup.groups.is_empty(),
        })
    }

    fn connection(&self, ear: &Ear) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        if self.one_key_share {
            // By default a post-quantum group brings a second share, of a classical one, and the reverse.
            // SAFETY: the connection is alive and has not begun.
            unsafe { boring_sys::SSL_use_second_keyshare(ssl.as_ptr(), 0) }
        }
        if self.knows_flags || self.tls_flags.is_some() {
            context::enforce_tls_flags(&mut ssl);
        }
        if let Some(Hex(data)) = &self.tls_flags {
            // SAFETY: the connection is alive, and the library copies the octets.
            let set = unsafe {
                boring_sys::SSL_set1_tls_flags_extension(ssl.as_ptr(), data.as_ptr(), data.len())
            };
            if set != 1 {
                return Err(ErrorStack::get());
            }
        }
        ear.attach(&mut ssl);
        Ok(ssl)
    }
}

#[async_trait]
impl Endpoint for Client {
    async fn run(&self, _connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        report.tls_flags_sent.clone_from(&self.tls_flags);
        let ear = Ear::default();
        match self.connection(&ear) {
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
    report.peer_certificate = told::peer_certificate(tls.ssl());
    report.resumed = Some(tls.ssl().session_reused());
    match ask(&mut tls).await {
        Ok(answer) => {
            report.outcome = Outcome::Completed;
            report.answer = Some(answer);
        }
        Err(error) => told::note_io(report, &error),
    }
}

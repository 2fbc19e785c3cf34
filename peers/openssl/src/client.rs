//! The client's end of a job.

use std::sync::{Arc, Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslSession, SslSessionCacheMode, SslVerifyMode,
};
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, PrepareError,
    Resumption, Revision, Setup, run_client,
};

use crate::callbacks::Noted;
use crate::connection::Connection;
use crate::context::{self, invalid};
use crate::{ffi, flags};

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
    resumption: Option<Resumption>,
    /// The newest session that the job's connections were given.
    session: Arc<Mutex<Option<SslSession>>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(&setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        let sends_later = setup
            .resumption
            .as_ref()
            .is_some_and(|it| it.tls_flags.is_some());
        if setup.flag.is_some() || setup.tls_flags.is_some() || sends_later {
            let revision = setup.revision.unwrap_or(Revision::Draft02);
            flags::register_client(&mut builder, setup.extension_number(), setup.flag, revision)
                .map_err(invalid)?;
        }
        let session = Arc::default();
        if setup.resumption.is_some() {
            keep_session(&mut builder, &session);
        }
        if setup.post_handshake_auth {
            ffi::offer_post_handshake_auth(&mut builder);
        }
        Ok(Self {
            context: builder.build(),
            server_name: setup.server_name.unwrap_or_default(),
            tls_flags: setup.tls_flags,
            resumption: setup.resumption,
            session,
        })
    }

    fn ssl(&self, resumes: bool, noted: &Noted) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        // Early data is written before the handshake says which end this is.
        ssl.set_connect_state();
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let (true, Some(session)) = (resumes, session.as_ref()) {
            // SAFETY: the session is of a connection of the context that `ssl` is of too.
            unsafe { ssl.set_session(session) }?;
        }
        noted.attach(&mut ssl);
        Ok(ssl)
    }
}

impl BlockingEndpoint for Client {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.resumption.as_ref().filter(|_| connection > 0);
        let tls_flags = resumption.map_or(&self.tls_flags, |it| &it.tls_flags);
        let noted = Noted::from(ConnectionState::sending(tls_flags.clone()));
        let session = self
            .ssl(resumption.is_some(), &noted)
            .and_then(|ssl| Connection::new(ssl, stream, false));
        match session {
            Ok(mut session) => {
                let early = resumption.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &noted.state, report);
            }
            Err(error) => report.break_off(&error),
        }
    }
}

/// Makes a context's connections keep their sessions here, and nowhere else.
fn keep_session(builder: &mut SslContextBuilder, kept: &Arc<Mutex<Option<SslSession>>>) {
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let kept = Arc::clone(kept);
    builder.set_new_session_callback(move |_, session| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    });
}

//! The client's end of a job.

use std::sync::{Arc, Mutex, PoisonError};

use boring::error::ErrorStack;
use boring::ssl::{
    Ssl, SslContext, SslContextBuilder, SslSession, SslSessionCacheMode, SslVerifyMode,
};
use foreign_types::ForeignType;
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, PrepareError,
    Resumption, Setup, Side, run_client,
};

use crate::callbacks::Noted;
use crate::connection::Connection;
use crate::context;

pub(crate) struct Client {
    context: SslContext,
    server_name: String,
    tls_flags: Option<Hex>,
    /// The job names the flag: the client implements the extension even if it sends none.
    knows_flags: bool,
    /// The job names the groups, so a key share goes out for the first only.
    one_key_share: bool,
    resumption: Option<Resumption>,
    /// The newest session that the job's connections were given.
    session: Arc<Mutex<Option<SslSession>>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(&setup)?;
        builder.set_verify(SslVerifyMode::PEER);
        let session = Arc::default();
        if setup.resumption.is_some() {
            keep_session(&mut builder, &session);
        }
        Ok(Self {
            context: builder.build(),
            server_name: setup.server_name.unwrap_or_default(),
            tls_flags: setup.tls_flags,
            knows_flags: setup.flag.is_some(),
            one_key_share: !setup.groups.is_empty(),
            resumption: setup.resumption,
            session,
        })
    }

    fn ssl(
        &self,
        resumption: Option<&Resumption>,
        tls_flags: Option<&Hex>,
        noted: &Noted,
    ) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        ssl.set_hostname(&self.server_name)?;
        ssl.param_mut().set_host(&self.server_name)?;
        if self.one_key_share {
            // By default a post-quantum group brings a second share, of a classical one, and the reverse.
            // SAFETY: the connection is alive and has not begun.
            unsafe { boring_sys::SSL_use_second_keyshare(ssl.as_ptr(), 0) }
        }
        if self.knows_flags || tls_flags.is_some() {
            context::enforce_tls_flags(&mut ssl);
        }
        if let Some(Hex(data)) = tls_flags {
            // SAFETY: the connection is alive, and the library copies the octets.
            let set = unsafe {
                boring_sys::SSL_set1_tls_flags_extension(ssl.as_ptr(), data.as_ptr(), data.len())
            };
            context::check(set)?;
        }
        if let Some(resumption) = resumption {
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(session) = session.as_ref() {
                // SAFETY: the session is of a connection of the context that `ssl` is of too.
                unsafe { ssl.set_session(session) }?;
            }
            // SAFETY: the connection is alive. Without a session that allows it, the library offers none.
            unsafe {
                boring_sys::SSL_set_early_data_enabled(ssl.as_ptr(), resumption.early_data.into());
            }
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
            .ssl(resumption, tls_flags.as_ref(), &noted)
            .and_then(|ssl| Connection::new(ssl, Side::Client, stream));
        match session {
            Ok(mut session) => {
                let early = resumption.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &noted.state, report);
            }
            Err(error) => report.break_off(&error),
        }
    }
}

/// Makes a context's connections keep their sessions here.
fn keep_session(builder: &mut SslContextBuilder, kept: &Arc<Mutex<Option<SslSession>>>) {
    // Off for clients by default; without it the callback is not called.
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    let kept = Arc::clone(kept);
    builder.set_new_session_callback(move |_, session| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    });
}

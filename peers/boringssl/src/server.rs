//! The server's end of a job.

use boring::error::ErrorStack;
use boring::ssl::{
    ClientHello, ExtensionType, SniError, Ssl, SslAlert, SslContext, SslContextBuilder,
    SslVerifyMode,
};
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, Policy, PrepareError, SUPPORTED_VERSIONS,
    Sessions, Setup, Side, TLS_FLAGS, Version, flag_is_set, offers_tls13, run_server,
};

use crate::callbacks::{self, Noted};
use crate::connection::Connection;
use crate::context::{self, invalid};

pub(crate) struct Server {
    context: SslContext,
    /// The job names the flag, so the server implements the extension.
    knows_flags: bool,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        let mut builder = context::builder(setup)?;
        let rules = Rules::new(setup);
        builder
            .set_session_id_context(b"reqmtls")
            .map_err(invalid)?;
        // The policies on the flag decide anew for each ClientHello.
        builder.set_verify(mode(rules.policy, false));
        if setup.early_data {
            // SAFETY: the builder's context is alive.
            unsafe { boring_sys::SSL_CTX_set_early_data_enabled(builder.as_ptr(), 1) }
        }
        // Without any of them, nothing of ClientHello is looked at.
        if setup.flag.is_some() || setup.early_data || setup.sessions.is_some() {
            // Called before anything of ClientHello is acted on, so that the decision to ask is still open.
            builder.set_select_certificate_callback(move |hello| {
                rules.decide(hello);
                Ok(())
            });
        }
        if setup.flag.is_some() {
            refuse_malformed_flags(&mut builder);
        }
        Ok(Self {
            context: builder.build(),
            knows_flags: setup.flag.is_some(),
        })
    }

    fn ssl(&self, noted: &Noted) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        if self.knows_flags {
            context::enforce_tls_flags(&mut ssl);
        }
        noted.attach(&mut ssl);
        Ok(ssl)
    }
}

impl BlockingEndpoint for Server {
    fn run(
        &self,
        _connection: u32,
        stream: &mut BlockingStream<'_>,
        report: &mut ConnectionReport,
    ) {
        let noted = Noted::default();
        let session = self
            .ssl(&noted)
            .and_then(|ssl| Connection::new(ssl, Side::Server, stream));
        match session {
            Ok(mut session) => run_server(&mut session, &noted.state, report),
            Err(error) => report.break_off(&error),
        }
    }
}

/// What a server looks at before it answers a `ClientHello`.
struct Rules {
    policy: Policy,
    /// The request mTLS flag; without it, the server does not implement `tls_flags`.
    flag: Option<u16>,
    /// A session is resumed only where the decision to ask is the same.
    separate: bool,
    /// Whether the server negotiates TLS 1.3 with a client that offers it.
    tls13: bool,
}

impl Rules {
    fn new(setup: &Setup) -> Self {
        Self {
            policy: setup.policy.unwrap_or(Policy::Never),
            flag: setup.flag,
            separate: setup.sessions == Some(Sessions::Separate),
            tls13: setup.versions.is_empty() || setup.versions.contains(&Version::Tls13),
        }
    }

    /// Notes what a ClientHello offers, and decides by it whether the client is asked for a certificate.
    fn decide(&self, mut hello: ClientHello<'_>) {
        let offers_early_data = hello.get_extension(ExtensionType::EARLY_DATA).is_some();
        let versions = hello.get_extension(ExtensionType::from(SUPPORTED_VERSIONS));
        let tls13 = self.tls13 && versions.is_some_and(offers_tls13);
        let data = self
            .flag
            .and_then(|_| hello.get_extension(ExtensionType::from(TLS_FLAGS)))
            .map(<[u8]>::to_vec);
        let set = match (self.flag, &data) {
            (Some(flag), Some(data)) if tls13 => flag_is_set(data, flag),
            _ => Ok(false),
        };
        let ssl = hello.ssl_mut();
        if let Some(noted) = callbacks::of(ssl) {
            noted.state.note_hello(data.as_deref());
            let mut hello = noted.hello();
            hello.offers_early_data = offers_early_data;
            hello.malformed_flags = set.is_err();
        }
        let set = set.unwrap_or(false);
        if self.separate {
            let asks = self.policy.requests(set);
            let context: &[u8] = if asks { b"asks" } else { b"does not" };
            // Octets of a constant that is shorter than the limit: it cannot fail.
            drop(context::set_session_id_context(ssl, context));
        }
        ssl.set_verify(mode(self.policy, set));
    }
}

/// Makes a server refuse what [`Rules::decide`] found malformed.
///
/// That callback cannot choose the alert. This one can; it runs next, with or without a server name,
/// and before the server sends anything.
fn refuse_malformed_flags(builder: &mut SslContextBuilder) {
    builder.set_servername_callback(|ssl, alert| {
        if callbacks::of(ssl).is_some_and(|noted| noted.hello().malformed_flags) {
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

//! The server's end of a job.

use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Edit, Endpoint, Hex, Outcome, Policy, PrepareError, Revision, Setup, Stream,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::ServerSessionMemoryCache;
use rustls_tlsflags::seam::{
    EditedIo, Edits, Message, Side, Watch, prepare_server, server_provider, watching_provider,
};
use rustls_tlsflags::{
    AcceptError, AcceptorError, ClientAuthPolicy, Codepoints, Flags, TlsFlagsAcceptor,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::application::{Application, Exchange, Trust};
use crate::config::{self, KeyLogLines, Loaded, invalid};
use crate::edits;
use crate::server_config::{Configs, Maker, logged};

/// As many sessions as rustls keeps by default.
const SESSIONS: usize = 256;

pub(super) struct Server {
    way: Way,
    application: Arc<Application>,
    edits: Vec<Edit>,
}

/// What the server knows of `tls_flags`.
enum Way {
    /// Nothing: it is the unmodified library, and asks every client the same.
    Stock(Arc<ServerConfig>),
    /// Nothing, but its messages are edited.
    Edited(Arc<ServerConfig>),
    /// All there is to know.
    Flags(Box<Aware>),
}

/// A server that knows `tls_flags`.
struct Aware {
    configs: Configs,
    /// The configurations that acknowledge.
    acknowledging: Option<Configs>,
    policy: ClientAuthPolicy,
    codepoints: Codepoints,
}

impl Server {
    pub(super) fn prepare(
        base: &CryptoProvider,
        application: &Arc<Application>,
        setup: &Setup,
    ) -> Result<Self, PrepareError> {
        let base = config::provider(base, setup);
        let asked = setup.policy.unwrap_or(Policy::Never);
        let policy = match asked {
            Policy::Never | Policy::PostHandshake => ClientAuthPolicy::Never,
            Policy::Request => ClientAuthPolicy::Request,
            Policy::Require => ClientAuthPolicy::Require,
            Policy::RequestOnFlag => ClientAuthPolicy::RequestOnFlag,
            Policy::RequireOnFlag => ClientAuthPolicy::RequireOnFlag,
        };
        let trusts_nobody = application.trust == Trust::Anchors && setup.trust_anchors.is_none();
        if policy != ClientAuthPolicy::Never && trusts_nobody {
            return Err(invalid(
                "expected trust_anchors for a server that asks for certificates",
            ));
        }
        let way = match setup.flag {
            Some(flag) => Way::aware(&base, application, setup, policy, flag)?,
            None if asked.is_on_flag() => {
                return Err(invalid(format!("expected a flag for policy {asked}")));
            }
            None if setup.revision == Some(Revision::EditorsCopy) => {
                return Err(invalid("expected a flag for revision editors-copy"));
            }
            None => Way::unaware(&base, application, setup, policy)?,
        };
        Ok(Self {
            way,
            application: Arc::clone(application),
            edits: setup.edits.clone(),
        })
    }
}

impl Way {
    fn unaware(
        base: &CryptoProvider,
        application: &Application,
        setup: &Setup,
        policy: ClientAuthPolicy,
    ) -> Result<Self, PrepareError> {
        let loaded = Loaded::of(base, setup, reqmtls_contract::Side::Server)?;
        let edits = edits::with_jobs(Edits::new(), setup, &loaded)?;
        let client_auth = policy.decide(false);
        let store = ServerSessionMemoryCache::new(SESSIONS);
        let config = |provider| {
            Maker::new(base, provider, application, setup, &loaded, &store)?.config(client_auth)
        };
        if edits.is_empty() {
            return Ok(Self::Stock(Arc::new(config(Arc::new(base.clone()))?)));
        }
        let config = Arc::new(config(server_provider(base, &edits).map_err(invalid)?)?);
        Ok(Self::Edited(prepare_server(config).map_err(invalid)?))
    }

    fn aware(
        base: &CryptoProvider,
        application: &Application,
        setup: &Setup,
        policy: ClientAuthPolicy,
        flag: u16,
    ) -> Result<Self, PrepareError> {
        let loaded = Loaded::of(base, setup, reqmtls_contract::Side::Server)?;
        let store = ServerSessionMemoryCache::new(SESSIONS);
        let acknowledged = setup.revision == Some(Revision::EditorsCopy);
        let codepoints = config::codepoints(setup, flag);
        let configs = |sent: Flags| {
            let edits = match sent.encode() {
                Some(data) => {
                    Edits::new().insert(Message::CertificateRequest, codepoints.extension, data)
                }
                None => Edits::new(),
            };
            let edits = edits::with_jobs(edits, setup, &loaded)?;
            let watch = Watch {
                codepoints,
                sent,
                revision: config::revision(setup),
            };
            let provider = watching_provider(base, Side::Server, &edits, &watch);
            let provider = provider.map_err(invalid)?;
            Maker::new(base, provider, application, setup, &loaded, &store)?.configs(policy)
        };
        let mut flags = Flags::new();
        flags.try_insert(flag).map_err(invalid)?;
        Ok(Self::Flags(Box::new(Aware {
            configs: configs(Flags::new())?,
            acknowledging: acknowledged.then(|| configs(flags)).transpose()?,
            policy,
            codepoints,
        })))
    }
}

#[async_trait]
impl Endpoint for Server {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let key_log = config::key_log();
        let call = Call {
            connection,
            exchange: &*self.application.exchange,
            key_log: &key_log,
        };
        match &self.way {
            Way::Stock(config) => call.unaware(logged(config, &key_log), stream, report).await,
            Way::Edited(config) => {
                let stream = EditedIo::server(stream, config);
                call.unaware(logged(config, &key_log), stream, report).await;
            }
            Way::Flags(aware) => aware.serve(&call, stream, report).await,
        }
        report.key_log = key_log.take();
        edits::note_unmade(&self.edits, report);
    }
}

impl Aware {
    async fn serve(&self, call: &Call<'_>, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let accepted = match self.acceptor(call.key_log) {
            Ok(acceptor) => acceptor.accept_fallible(stream).await,
            Err(error) => return report.break_off(&error),
        };
        match accepted {
            Ok(accepted) => {
                report.tls_flags_received = accepted.offer.extension_data.map(Hex);
                let extension = Some(self.codepoints.extension);
                call.answer(accepted.stream, report, extension).await;
            }
            Err(failed) => {
                report.tls_flags_received = failed.extension_data.map(Hex);
                note(report, &failed.error);
            }
        }
    }

    fn acceptor(&self, key_log: &Arc<KeyLogLines>) -> Result<TlsFlagsAcceptor, AcceptorError> {
        let mut configs = self.configs.logged(key_log);
        if let Some(others) = &self.acknowledging {
            let flag = self.codepoints.request_mtls;
            configs = configs.for_clients_that_set(flag, others.logged(key_log));
        }
        TlsFlagsAcceptor::with_codepoints(configs, self.policy, self.codepoints)
    }
}

/// One connection of the job.
struct Call<'a> {
    connection: u32,
    exchange: &'a dyn Exchange,
    key_log: &'a Arc<KeyLogLines>,
}

impl Call<'_> {
    async fn unaware(
        &self,
        config: Arc<ServerConfig>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        report: &mut ConnectionReport,
    ) {
        match TlsAcceptor::from(config)
            .accept(stream)
            .into_fallible()
            .await
        {
            Ok(tls) => self.answer(tls, report, None).await,
            Err((error, mut stream)) => {
                // The error at hand says more than one about sending an alert.
                drop(stream.flush().await);
                crate::note(report, &error, None);
            }
        }
    }

    async fn answer(
        &self,
        mut tls: TlsStream<impl AsyncRead + AsyncWrite + Unpin + Send>,
        report: &mut ConnectionReport,
        extension: Option<u16>,
    ) {
        let connection = tls.get_ref().1;
        report.peer_certificate = config::fingerprint(connection.peer_certificates());
        report.resumed = connection
            .handshake_kind()
            .map(|kind| kind == rustls::HandshakeKind::Resumed);
        // For an exchange that reads its own connection.
        report.key_log = self.key_log.so_far();
        match self.serve(&mut tls, report).await {
            Ok(()) => report.outcome = Outcome::Completed,
            Err(error) => crate::note(report, &error, extension),
        }
    }

    /// Answers the request, which may have come early.
    async fn serve(
        &self,
        tls: &mut TlsStream<impl AsyncRead + AsyncWrite + Unpin + Send>,
        report: &mut ConnectionReport,
    ) -> std::io::Result<()> {
        let mut early = Vec::new();
        if let Some(mut data) = tls.get_mut().1.early_data() {
            // rustls does not tell early data that it refused from none.
            report.early_data = Some(true);
            data.read_to_end(&mut early)?;
        }
        let Self {
            connection,
            exchange,
            ..
        } = self;
        exchange.serve(*connection, &early, tls, report).await
    }
}

fn note(report: &mut ConnectionReport, error: &AcceptError) {
    match error {
        AcceptError::Tls(error) => crate::note_tls(report, error),
        AcceptError::Io(error) => report.break_off(error),
        other => report.refuse(other),
    }
}

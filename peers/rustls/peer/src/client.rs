//! The client's end of a job.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqmtls_contract::{
    Answer, ConnectionReport, Edit, Endpoint, Hex, Outcome, PrepareError, Revision, Setup, Stream,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_tlsflags::Flags;
use rustls_tlsflags::seam::{
    EditedIo, Edits, Message, Side, Watch, client_provider, prepare_client, watching_provider,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::application::{Application, Exchange};
use crate::client_sessions;
use crate::config::{self, Loaded, invalid};
use crate::edits;
use crate::trust;

pub(super) struct Client {
    /// What connection 0 does, and what connection 1 does if there is one.
    turns: Vec<Turn>,
    /// Which of them it is.
    current: Arc<AtomicUsize>,
    server_name: ServerName<'static>,
    edits: Vec<Edit>,
    /// The number of `tls_flags`, if this end knows the extension.
    extension: Option<u16>,
    application: Arc<Application>,
}

/// One connection.
struct Turn {
    config: Arc<ClientConfig>,
    /// Whether the provider is one of rustls-tlsflags.
    is_edited: bool,
    tls_flags: Option<Hex>,
    early_data: bool,
}

impl Client {
    pub(super) fn prepare(
        base: &CryptoProvider,
        application: &Arc<Application>,
        setup: &Setup,
    ) -> Result<Self, PrepareError> {
        let name = setup
            .server_name
            .clone()
            .ok_or_else(|| invalid("expected a server_name for a client"))?;
        let server_name = ServerName::try_from(name).map_err(invalid)?;
        if setup.revision == Some(Revision::EditorsCopy) && setup.flag.is_none() {
            return Err(invalid("expected a flag for revision editors-copy"));
        }
        let base = config::provider(base, setup);
        let loaded = Loaded::of(&base, setup, reqmtls_contract::Side::Client)?;
        let verifier = trust::of_servers(application.trust, &base, &loaded.roots)?;
        let verifier = verifier.as_ref();
        let turn = |setup: &Setup, edits| Turn::prepare(&base, verifier, setup, &loaded, edits);
        let mut turns = vec![turn(setup, first_edits(setup))?];
        if let Some(resumption) = &setup.resumption {
            let setup = Setup {
                tls_flags: resumption.tls_flags.clone(),
                ..setup.clone()
            };
            let edits = inserted(
                Edits::new(),
                Message::ClientHello,
                &setup,
                setup.tls_flags.as_ref(),
            );
            turns.push(Turn {
                early_data: resumption.early_data,
                ..turn(&setup, edits)?
            });
        }
        let current = Arc::default();
        let mut configs: Vec<_> = turns.iter_mut().map(|turn| &mut turn.config).collect();
        client_sessions::share(&mut configs, setup, &current);
        Ok(Self {
            turns,
            current,
            server_name,
            edits: setup.edits.clone(),
            extension: setup.flag.map(|_| setup.extension_number()),
            application: Arc::clone(application),
        })
    }
}

/// What connection 0 edits besides what the job says.
///
/// With the suite of a session, rustls computes the binder of the ClientHello that offers it, and so
/// connection 0's has to know that hello's flags.
fn first_edits(setup: &Setup) -> Edits {
    let first = setup.tls_flags.as_ref();
    match &setup.resumption {
        Some(second) if second.tls_flags.as_ref() != first => {
            let edits = inserted(Edits::new(), Message::ClientHelloWithoutPsk, setup, first);
            let second = second.tls_flags.as_ref();
            inserted(edits, Message::ClientHelloWithPsk, setup, second)
        }
        _ => inserted(Edits::new(), Message::ClientHello, setup, first),
    }
}

/// The job's octets as they are, well encoded or not.
fn inserted(edits: Edits, message: Message, setup: &Setup, tls_flags: Option<&Hex>) -> Edits {
    match tls_flags {
        Some(data) => edits.insert(message, setup.extension_number(), data.0.clone()),
        None => edits,
    }
}

impl Turn {
    fn prepare(
        base: &CryptoProvider,
        verifier: Option<&Arc<dyn ServerCertVerifier>>,
        setup: &Setup,
        loaded: &Loaded,
        edits: Edits,
    ) -> Result<Self, PrepareError> {
        let edits = edits::with_jobs(edits, setup, loaded)?;
        let tls_flags = setup.tls_flags.as_ref();
        let provider = match setup.flag {
            Some(request) => {
                let sent = tls_flags.and_then(|data| Flags::decode(&data.0).ok());
                let watch = Watch {
                    codepoints: config::codepoints(setup, request),
                    sent: sent.unwrap_or_default(),
                    revision: config::revision(setup),
                };
                watching_provider(base, Side::Client, &edits, &watch).map_err(invalid)?
            }
            None if edits.is_empty() => Arc::new(base.clone()),
            None => client_provider(base, &edits).map_err(invalid)?,
        };
        let is_edited = setup.flag.is_some() || !edits.is_empty();
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&config::versions(setup))
            .map_err(invalid)?;
        let builder = match verifier {
            Some(verifier) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::clone(verifier)),
            None => builder.with_root_certificates(RootCertStore::empty()),
        };
        let config = match &loaded.identity {
            Some(key) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key.clone())))
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = Arc::new(config);
        if is_edited {
            config = prepare_client(config).map_err(invalid)?;
        }
        Ok(Self {
            config,
            is_edited,
            tls_flags: edits::flags_sent(setup),
            early_data: false,
        })
    }
}

#[async_trait]
impl Endpoint for Client {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let number = usize::try_from(connection).unwrap_or(usize::MAX);
        let last = self.turns.len().saturating_sub(1);
        let Some(turn) = self.turns.get(number.min(last)) else {
            return report.break_off(&"the job has no connection");
        };
        self.current.store(number.min(last), Ordering::Release);
        let key_log = config::key_log();
        let mut config = ClientConfig::clone(&turn.config);
        config.enable_early_data = turn.early_data;
        config
            .alpn_protocols
            .clone_from(&self.application.protocols);
        config.key_log = Arc::<config::KeyLogLines>::clone(&key_log);
        let config = Arc::new(config);
        report.tls_flags_sent.clone_from(&turn.tls_flags);
        if turn.is_edited {
            let stream = EditedIo::client(stream, &config);
            self.connect(config, turn.early_data, stream, report).await;
        } else {
            self.connect(config, turn.early_data, stream, report).await;
        }
        report.key_log = key_log.take();
        edits::note_unmade(&self.edits, report);
    }
}

impl Client {
    async fn connect(
        &self,
        config: Arc<ClientConfig>,
        early_data: bool,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        report: &mut ConnectionReport,
    ) {
        let mut sent_early = None;
        let name = self.server_name.clone();
        let exchange = &*self.application.exchange;
        let connect = TlsConnector::from(config).connect_with(name, stream, |tls| {
            if early_data && let Some(mut early) = tls.early_data() {
                sent_early = Some(early.write_all(exchange.request()).is_ok());
            }
        });
        let mut tls = match connect.into_fallible().await {
            Ok(tls) => tls,
            Err((error, mut stream)) => {
                // The error at hand says more than one about sending an alert.
                drop(stream.flush().await);
                return crate::note(report, &error, self.extension);
            }
        };
        let connection = tls.get_ref().1;
        report.peer_certificate = config::fingerprint(connection.peer_certificates());
        report.resumed = connection
            .handshake_kind()
            .map(|kind| kind == rustls::HandshakeKind::Resumed);
        report.early_data = sent_early.map(|_| connection.is_early_data_accepted());
        let has_asked = sent_early == Some(true) && connection.is_early_data_accepted();
        match ask(exchange, &mut tls, has_asked).await {
            Ok(answer) => {
                report.outcome = Outcome::Completed;
                report.answer = answer;
            }
            Err(error) => crate::note(report, &error, self.extension),
        }
    }
}

async fn ask(
    exchange: &dyn Exchange,
    tls: &mut TlsStream<impl AsyncRead + AsyncWrite + Unpin + Send>,
    has_asked: bool,
) -> std::io::Result<Option<Answer>> {
    if !has_asked {
        tls.write_all(exchange.request()).await?;
        tls.flush().await?;
    }
    exchange.read(tls).await
}

//! The client's end of a job.

use std::sync::Arc;

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, PrepareError, Setup, Stream, ask,
};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls_tlsflags::seam::{Edits, Message, client_provider};
use rustls_tlsflags::{TLS_FLAGS, TlsFlagsConnector};

use crate::config::{self, invalid};

pub(super) struct Client {
    config: ClientConfig,
    server_name: ServerName<'static>,
    tls_flags: Option<Hex>,
}

impl Client {
    pub(super) fn prepare(base: &CryptoProvider, setup: &Setup) -> Result<Self, PrepareError> {
        // The job's octets as they are, well encoded or not: hence the seam and not `provider`.
        let edits = match &setup.tls_flags {
            Some(data) => Edits::new().insert(Message::ClientHello, TLS_FLAGS, data.0.clone()),
            None => Edits::new(),
        };
        let provider = client_provider(&config::provider(base, setup), &edits).map_err(invalid)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&config::versions(setup))
            .map_err(invalid)?
            .with_root_certificates(config::roots(setup)?);
        let config = match &setup.identity {
            Some(identity) => {
                let (chain, key) = config::identity(identity)?;
                builder.with_client_auth_cert(chain, key).map_err(invalid)?
            }
            None => builder.with_no_client_auth(),
        };
        let name = setup
            .server_name
            .clone()
            .ok_or_else(|| invalid("expected a server_name for a client"))?;
        let server_name = ServerName::try_from(name).map_err(invalid)?;
        Ok(Self {
            config,
            server_name,
            tls_flags: setup.tls_flags.clone(),
        })
    }
}

#[async_trait]
impl Endpoint for Client {
    async fn run(&self, _connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let key_log = config::key_log();
        let mut config = self.config.clone();
        config.key_log = Arc::<config::KeyLogLines>::clone(&key_log);
        report.tls_flags_sent.clone_from(&self.tls_flags);
        match TlsFlagsConnector::new(Arc::new(config)) {
            Ok(connector) => self.connect(&connector, stream, report).await,
            Err(error) => report.break_off(&error),
        }
        report.key_log = key_log.take();
    }
}

impl Client {
    async fn connect(
        &self,
        connector: &TlsFlagsConnector,
        stream: &mut dyn Stream,
        report: &mut ConnectionReport,
    ) {
        let mut tls = match connector.connect(self.server_name.clone(), stream).await {
            Ok(tls) => tls,
            Err(error) => return crate::note(report, &error),
        };
        let connection = tls.get_ref().1;
        report.peer_certificate = config::fingerprint(connection.peer_certificates());
        report.resumed = connection
            .handshake_kind()
            .map(|kind| kind == rustls::HandshakeKind::Resumed);
        match ask(&mut tls).await {
            Ok(answer) => {
                report.outcome = Outcome::Completed;
                report.answer = Some(answer);
            }
            Err(error) => crate::note(report, &error),
        }
    }
}

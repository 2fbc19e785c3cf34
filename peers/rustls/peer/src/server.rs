//! The server's end of a job.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Endpoint, Hex, Outcome, Policy, PrepareError, Setup, Stream, serve_answer,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_tlsflags::{
    AcceptError, Accepted, ClientAuthPolicy, Offer, REQUEST_MTLS, ServerConfigs, TlsFlagsAcceptor,
};

use crate::config::{self, invalid};

pub(super) struct Server {
    none: ServerConfig,
    optional: Option<ServerConfig>,
    required: Option<ServerConfig>,
    policy: ClientAuthPolicy,
    flag: u16,
}

impl Server {
    pub(super) fn prepare(base: &CryptoProvider, setup: &Setup) -> Result<Self, PrepareError> {
        let identity = setup
            .identity
            .as_ref()
            .ok_or_else(|| invalid("expected an identity for a server"))?;
        let (chain, key) = config::identity(identity)?;
        let provider = Arc::new(config::provider(base, setup));
        let versions = config::versions(setup);
        let config = |verifier: Option<Arc<dyn ClientCertVerifier>>| {
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&versions)
                .map_err(invalid)?;
            let builder = match verifier {
                Some(verifier) => builder.with_client_cert_verifier(verifier),
                None => builder.with_no_client_auth(),
            };
            builder
                .with_single_cert(chain.clone(), key.clone_key())
                .map_err(invalid)
        };
        let (mut optional, mut required) = (None, None);
        if setup.trust_anchors.is_some() {
            let roots = Arc::new(config::roots(setup)?);
            let verifier = || {
                WebPkiClientVerifier::builder_with_provider(
                    Arc::clone(&roots),
                    Arc::clone(&provider),
                )
            };
            let allowing = verifier()
                .allow_unauthenticated()
                .build()
                .map_err(invalid)?;
            optional = Some(config(Some(allowing))?);
            required = Some(config(Some(verifier().build().map_err(invalid)?))?);
        }
        let policy = match setup.policy.unwrap_or(Policy::Never) {
            Policy::Never | Policy::PostHandshake => ClientAuthPolicy::Never,
            Policy::Request => ClientAuthPolicy::Request,
            Policy::Require => ClientAuthPolicy::Require,
            Policy::RequestOnFlag => ClientAuthPolicy::RequestOnFlag,
            Policy::RequireOnFlag => ClientAuthPolicy::RequireOnFlag,
        };
        if policy != ClientAuthPolicy::Never && optional.is_none() {
            return Err(invalid(
                "expected trust_anchors for a server that asks for certificates",
            ));
        }
        let flag = setup.flag.unwrap_or(REQUEST_MTLS);
        Ok(Self {
            none: config(None)?,
            optional,
            required,
            policy,
            flag,
        })
    }

    /// An acceptor whose connections write to this key log, and which tells what it was offered.
    fn acceptor(
        &self,
        key_log: &Arc<config::KeyLogLines>,
        seen: &Arc<Mutex<Option<Offer>>>,
    ) -> Result<TlsFlagsAcceptor, rustls_tlsflags::AcceptorError> {
        let with_log = |config: &ServerConfig| {
            let mut config = config.clone();
            config.key_log = Arc::<config::KeyLogLines>::clone(key_log);
            config
        };
        let mut configs = ServerConfigs::new().none(with_log(&self.none));
        if let Some(config) = &self.optional {
            configs = configs.optional(with_log(config));
        }
        if let Some(config) = &self.required {
            configs = configs.required(with_log(config));
        }
        let (policy, flag, seen) = (self.policy, self.flag, Arc::clone(seen));
        TlsFlagsAcceptor::with_decision(configs, move |offer| {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(offer.clone());
            policy.decide(offer.sets(flag))
        })
    }
}

#[async_trait]
impl Endpoint for Server {
    async fn run(&self, _connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        let key_log = config::key_log();
        let seen = Arc::default();
        let accepted = match self.acceptor(&key_log, &seen) {
            Ok(acceptor) => acceptor.accept_fallible(stream).await,
            Err(error) => return report.break_off(&error),
        };
        let offer = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        report.tls_flags_received = offer.and_then(|offer| offer.extension_data).map(Hex);
        match accepted {
            Ok(accepted) => answer(accepted, report).await,
            Err(failed) => note(report, &failed.error),
        }
        report.key_log = key_log.take();
    }
}

async fn answer(mut accepted: Accepted<&mut dyn Stream>, report: &mut ConnectionReport) {
    let connection = accepted.stream.get_ref().1;
    report.peer_certificate = config::fingerprint(connection.peer_certificates());
    report.resumed = connection
        .handshake_kind()
        .map(|kind| kind == rustls::HandshakeKind::Resumed);
    let answer = report.to_answer();
    match serve_answer(&mut accepted.stream, &answer).await {
        Ok(()) => report.outcome = Outcome::Completed,
        Err(error) => crate::note(report, &error),
    }
}

fn note(report: &mut ConnectionReport, error: &AcceptError) {
    match error {
        AcceptError::Tls(error) => crate::note_tls(report, error),
        AcceptError::Io(error) => report.break_off(error),
        other => report.refuse(other),
    }
}

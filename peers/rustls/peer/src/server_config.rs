//! Configurations of a server.

use std::sync::Arc;

use reqmtls_contract::{PrepareError, Setup, Side};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls_tlsflags::{ClientAuth, ClientAuthPolicy, ServerConfigs};

use crate::config::{self, KeyLogLines, invalid};

/// Octets of early data that are accepted. rustls skips no more than these of what it refuses, and counts
/// whole records there.
const EARLY_DATA: u32 = 1 << 14;

/// A configuration for each kind of client authentication that the policy may decide on.
pub(super) struct Configs {
    none: Option<ServerConfig>,
    optional: Option<ServerConfig>,
    required: Option<ServerConfig>,
}

/// Makes configurations that differ in their client certificate verifier alone.
pub(super) struct Maker<'a> {
    base: &'a CryptoProvider,
    provider: Arc<CryptoProvider>,
    setup: &'a Setup,
    resolver: Arc<SingleCertAndKey>,
    store: Arc<dyn StoresServerSessions>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        base: &'a CryptoProvider,
        provider: Arc<CryptoProvider>,
        setup: &'a Setup,
        store: &Arc<ServerSessionMemoryCache>,
    ) -> Result<Self, PrepareError> {
        let identity = setup
            .identity
            .as_ref()
            .ok_or_else(|| invalid("expected an identity for a server"))?;
        let key = config::certified_key(base, identity, setup, Side::Server)?;
        Ok(Self {
            base,
            provider,
            setup,
            resolver: Arc::new(SingleCertAndKey::from(key)),
            store: Arc::<ServerSessionMemoryCache>::clone(store),
        })
    }

    pub(super) fn configs(&self, policy: ClientAuthPolicy) -> Result<Configs, PrepareError> {
        let decisions = [false, true].map(|is_set| policy.decide(is_set));
        let config = |client_auth| {
            decisions
                .contains(&client_auth)
                .then(|| self.config(client_auth))
                .transpose()
        };
        Ok(Configs {
            none: config(ClientAuth::None)?,
            optional: config(ClientAuth::Optional)?,
            required: config(ClientAuth::Required)?,
        })
    }

    pub(super) fn config(&self, client_auth: ClientAuth) -> Result<ServerConfig, PrepareError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&config::versions(self.setup))
            .map_err(invalid)?;
        let mut config = builder
            .with_client_cert_verifier(self.verifier(client_auth)?)
            .with_cert_resolver(Arc::<SingleCertAndKey>::clone(&self.resolver));
        config.session_storage = Arc::clone(&self.store);
        if self.setup.early_data {
            config.max_early_data_size = EARLY_DATA;
        }
        Ok(config)
    }

    fn verifier(
        &self,
        client_auth: ClientAuth,
    ) -> Result<Arc<dyn ClientCertVerifier>, PrepareError> {
        if client_auth == ClientAuth::None {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let roots = Arc::new(config::roots(self.setup)?);
        let mut builder =
            WebPkiClientVerifier::builder_with_provider(roots, Arc::new(self.base.clone()));
        if client_auth == ClientAuth::Optional {
            builder = builder.allow_unauthenticated();
        }
        builder
            .build()
            .map(|verifier| verifier as _)
            .map_err(invalid)
    }
}

impl Configs {
    /// The same, with connections that write to this key log.
    pub(super) fn logged(&self, key_log: &Arc<KeyLogLines>) -> ServerConfigs {
        let mut configs = ServerConfigs::new();
        if let Some(config) = &self.none {
            configs = configs.none(logged(config, key_log));
        }
        if let Some(config) = &self.optional {
            configs = configs.optional(logged(config, key_log));
        }
        if let Some(config) = &self.required {
            configs = configs.required(logged(config, key_log));
        }
        configs
    }
}

pub(super) fn logged(config: &ServerConfig, key_log: &Arc<KeyLogLines>) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.key_log = Arc::<KeyLogLines>::clone(key_log);
    Arc::new(config)
}

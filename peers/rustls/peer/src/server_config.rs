//! Configurations of a server.

use std::sync::Arc;

use reqmtls_contract::{PrepareError, Setup};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::sign::SingleCertAndKey;
use rustls_tlsflags::{ClientAuth, ClientAuthPolicy, ServerConfigs};

use crate::application::Application;
use crate::config::{self, KeyLogLines, Loaded, invalid};
use crate::trust;

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
    application: &'a Application,
    setup: &'a Setup,
    loaded: &'a Loaded,
    resolver: Arc<SingleCertAndKey>,
    store: Arc<dyn StoresServerSessions>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        base: &'a CryptoProvider,
        provider: Arc<CryptoProvider>,
        application: &'a Application,
        setup: &'a Setup,
        loaded: &'a Loaded,
        store: &Arc<ServerSessionMemoryCache>,
    ) -> Result<Self, PrepareError> {
        let key = loaded.identity.clone();
        let key = key.ok_or_else(|| invalid("expected an identity for a server"))?;
        Ok(Self {
            base,
            provider,
            application,
            setup,
            loaded,
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
        let trust = self.application.trust;
        let verifier = trust::of_clients(trust, self.base, &self.loaded.roots, client_auth)?;
        let mut config = builder
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::<SingleCertAndKey>::clone(&self.resolver));
        config
            .alpn_protocols
            .clone_from(&self.application.protocols);
        config.session_storage = Arc::clone(&self.store);
        if self.setup.early_data {
            config.max_early_data_size = EARLY_DATA;
        }
        Ok(config)
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

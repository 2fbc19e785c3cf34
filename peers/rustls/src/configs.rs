//! The configurations of a server.

use std::sync::Arc;

use rustls::ServerConfig;

use crate::error::AcceptorError;
use crate::isolate::isolate;
use crate::policy::{ClientAuth, Offer};
use crate::seam::prepare_server;

/// The configurations that a server chooses among, by what it asks of a client.
///
/// They should differ in their client certificate verifier alone. A
/// configuration that cannot be chosen may be left out.
#[derive(Clone, Debug, Default)]
pub struct ServerConfigs {
    none: Option<Arc<ServerConfig>>,
    optional: Option<Arc<ServerConfig>>,
    required: Option<Arc<ServerConfig>>,
    /// For clients that set a flag.
    for_setters: Option<(u16, Box<ServerConfigs>)>,
}

impl ServerConfigs {
    /// No configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `config`, built `with_no_client_auth()`, for [`ClientAuth::None`].
    #[must_use]
    pub fn none(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.none = Some(config.into());
        self
    }

    /// Uses `config`, whose verifier allows unauthenticated clients, for
    /// [`ClientAuth::Optional`].
    #[must_use]
    pub fn optional(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.optional = Some(config.into());
        self
    }

    /// Uses `config`, whose verifier refuses unauthenticated clients, for
    /// [`ClientAuth::Required`].
    #[must_use]
    pub fn required(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.required = Some(config.into());
        self
    }

    /// Prefers the configurations of `others` for clients that set `flag`.
    ///
    /// For those that acknowledge: see [`crate::editors_copy`]. A kind that `others` lacks is taken from here.
    /// Sessions pass between the two of a kind if they share a store or a ticketer.
    #[must_use]
    pub fn for_clients_that_set(mut self, flag: u16, others: Self) -> Self {
        self.for_setters = Some((flag, Box::new(others)));
        self
    }

    pub(crate) fn get(&self, client_auth: ClientAuth) -> Option<&Arc<ServerConfig>> {
        match client_auth {
            ClientAuth::None => self.none.as_ref(),
            ClientAuth::Optional => self.optional.as_ref(),
            ClientAuth::Required => self.required.as_ref(),
        }
    }

    pub(crate) fn for_offer(
        &self,
        client_auth: ClientAuth,
        offer: &Offer,
    ) -> Option<&Arc<ServerConfig>> {
        let preferred = self.for_setters.as_ref();
        preferred
            .filter(|(flag, _)| offer.sets(*flag))
            .and_then(|(_, others)| others.for_offer(client_auth, offer))
            .or_else(|| self.get(client_auth))
    }

    pub(crate) fn prepare(mut self) -> Result<Self, AcceptorError> {
        if let Some((flag, others)) = self.for_setters {
            self.for_setters = Some((flag, Box::new(others.prepare()?)));
        }
        let kinds = [
            (&mut self.none, ClientAuth::None),
            (&mut self.optional, ClientAuth::Optional),
            (&mut self.required, ClientAuth::Required),
        ];
        for (config, client_auth) in kinds {
            if let Some(config) = config {
                let prepared = prepare_server(Arc::clone(config));
                let prepared = prepared.map_err(|_| AcceptorError::ForeignProvider)?;
                *config = isolate(prepared, client_auth);
            }
        }
        Ok(self)
    }

    pub(crate) fn all(&self) -> Vec<&Arc<ServerConfig>> {
        let own = [&self.none, &self.optional, &self.required];
        let mut all: Vec<_> = own.into_iter().flatten().collect();
        all.extend(self.for_setters.iter().flat_map(|(_, others)| others.all()));
        all
    }
}

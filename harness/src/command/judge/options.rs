//! What the user knows of the connections of a capture.

use std::str::FromStr;

use clap::Args;
use reqmtls_contract::{Policy, Revision};

use crate::command::capture::Numbers;
use crate::judge::{Psk, Recorded};

/// What is known. Each wins over what the capture says.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Whether the client implements `tls_flags` [true without a value; default: one that sends it does]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    client_knows_flags: Option<bool>,
    /// Whether the server implements `tls_flags` [true without a value; default: one that sends it does]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    server_knows_flags: Option<bool>,
    /// When the server asks for a certificate: never, request, require, request-on-flag, require-on-flag or
    /// post-handshake
    #[arg(long, value_name = "POLICY", value_parser = Policy::from_str)]
    server_policy: Option<Policy>,
    /// What the pre-shared keys are that the client offers: external or resumption
    #[arg(long, value_name = "KIND", value_parser = Psk::from_str)]
    psk: Option<Psk>,
    /// Whether the client has a certificate [true without a value]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    client_has_certificate: Option<bool>,
    /// The revision of the request mTLS flag to judge by: draft-02 or editors-copy [default: what a run's capture says,
    /// else draft-02]
    #[arg(long, value_name = "REVISION", value_parser = Revision::from_str)]
    revision: Option<Revision>,
    #[command(flatten)]
    numbers: Numbers,
}

impl Options {
    /// Puts what is known in the place of what the capture says.
    pub(super) fn apply(&self, recorded: &mut Recorded) {
        self.numbers.apply(recorded);
        let knowledge = &mut recorded.knowledge;
        let Self {
            client_knows_flags,
            server_knows_flags,
            server_policy,
            psk,
            client_has_certificate,
            revision,
            numbers: _,
        } = *self;
        knowledge.client.knows_flags = client_knows_flags.or(knowledge.client.knows_flags);
        knowledge.server.knows_flags = server_knows_flags.or(knowledge.server.knows_flags);
        knowledge.policy = server_policy.or(knowledge.policy);
        knowledge.psk = psk.or(knowledge.psk);
        knowledge.client_has_certificate =
            client_has_certificate.or(knowledge.client_has_certificate);
        knowledge.revision = revision.unwrap_or(knowledge.revision);
    }
}

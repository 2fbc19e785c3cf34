//! One script of octets, played to an unmodified server and to one of this crate.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{NamedGroup, ServerConfig};
use rustls_tlsflags::{AcceptError, ClientAuthPolicy, FlagsError, ServerConfigs, TlsFlagsAcceptor};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::pipe::{Pipe, Task};

/// What a client sends, in writes, before it ends its direction.
pub(crate) type Script = Vec<Vec<u8>>;

/// The two servers, of one configuration.
pub(crate) struct Servers {
    unmodified: TlsAcceptor,
    ours: TlsFlagsAcceptor,
}

/// What a server does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// The write after which it ended; the number of writes: at the end of the stream.
    ended: Option<usize>,
    /// How it ended.
    outcome: Option<String>,
    /// The records that it sent: type and length, and what is in an alert that anybody can read.
    records: Vec<(u8, usize, Option<Vec<u8>>)>,
}

impl Behaviour {
    /// How many records were sent.
    pub(crate) fn answers(&self) -> usize {
        self.records.len()
    }
}

impl Servers {
    /// Servers of TLS 1.3 with the group x25519 alone.
    pub(crate) fn new() -> Self {
        // Signatures of ed25519 always have the same length.
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let params = CertificateParams::new(["server.test".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let mut provider = aws_lc_rs::default_provider();
        provider
            .kx_groups
            .retain(|group| group.name() == NamedGroup::X25519);
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certified key");
        config.max_early_data_size = 20_000;
        let ours = ServerConfigs::new().none(config.clone());
        Self {
            unmodified: TlsAcceptor::from(Arc::new(config)),
            ours: TlsFlagsAcceptor::new(ours, ClientAuthPolicy::Never).expect("an acceptor"),
        }
    }

    /// How the unmodified server behaves, and how this crate's.
    ///
    /// `None` for the latter if it is `tls_flags` that it does not accept.
    pub(crate) fn play(
        &self,
        script: &Script,
        pipe: fn() -> Pipe,
    ) -> (Behaviour, Option<Behaviour>) {
        let (unmodified, _) = play(script, &pipe(), |pipe| async move {
            match self.unmodified.accept(pipe).into_fallible().await {
                Ok(_) => ("completed".to_owned(), false),
                Err((error, mut pipe)) => {
                    pipe.flush().await.expect("a pipe takes everything");
                    (error.to_string(), false)
                }
            }
        });
        let (ours, is_about_flags) = play(script, &pipe(), |pipe| async move {
            match self.ours.accept_fallible(pipe).await {
                Ok(_) => ("completed".to_owned(), false),
                Err(failed) => {
                    let is_about_flags = match &failed.error {
                        AcceptError::Flags(FlagsError::Malformed(_)) => false,
                        AcceptError::Flags(_) => true,
                        _ => false,
                    };
                    (failed.error.to_string(), is_about_flags)
                }
            }
        });
        (unmodified, (!is_about_flags).then_some(ours))
    }
}

fn play<'a, F>(script: &Script, pipe: &Pipe, serve: impl FnOnce(Pipe) -> F) -> (Behaviour, bool)
where
    F: Future<Output = (String, bool)> + 'a,
{
    let mut task = Task::new(serve(pipe.clone()));
    task.run();
    let mut ended = None;
    for (number, write) in script.iter().enumerate() {
        pipe.give(write);
        task.run();
        if task.outcome.is_some() {
            ended.get_or_insert(number);
        }
    }
    pipe.end();
    task.run();
    if task.outcome.is_some() {
        ended.get_or_insert(script.len());
    }
    let (outcome, is_about_flags) = task.outcome.unzip();
    let behaviour = Behaviour {
        ended,
        outcome,
        records: records(&pipe.written()),
    };
    (behaviour, is_about_flags.unwrap_or(false))
}

fn records(mut octets: &[u8]) -> Vec<(u8, usize, Option<Vec<u8>>)> {
    let mut records = Vec::new();
    while let [typ, _, _, high, low, rest @ ..] = octets {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (payload, rest) = rest.split_at(length.min(rest.len()));
        let is_alert = *typ == 21;
        records.push((*typ, length, is_alert.then(|| payload.to_vec())));
        octets = rest;
    }
    assert!(octets.is_empty(), "a record that is cut short: {octets:?}");
    records
}

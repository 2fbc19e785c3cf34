//! The in-tree rustls implementation as a reqmtls peer, for use inside the harness or as a program.

mod application;
mod client;
mod client_sessions;
mod config;
mod edits;
mod server;
mod server_config;
mod signing;
#[cfg(test)]
mod tests;
mod trust;

use std::sync::Arc;

pub use self::application::{Application, Exchange, Trust};
use reqmtls_contract::{
    Capabilities, CipherSuite, ClosedInstead, ConnectionReport, Description, Endpoint, Group, Job,
    Keys, Peer, Policy, PrepareError, Provenance, Side, VERSION, Version,
};

use rustls::AlertDescription;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_tlsflags::flags_error;

/// The peer.
#[derive(Debug)]
pub struct Rustls {
    provider: CryptoProvider,
    application: Arc<Application>,
}

impl Rustls {
    /// The peer, on the provider of aws-lc-rs.
    #[must_use]
    pub fn new() -> Self {
        Self {
            provider: aws_lc_rs::default_provider(),
            application: Arc::default(),
        }
    }

    /// The same, with another application than that of the peer contract.
    #[must_use]
    pub fn with_application(mut self, application: Application) -> Self {
        self.application = Arc::new(application);
        self
    }
}

impl Default for Rustls {
    fn default() -> Self {
        Self::new()
    }
}

impl Peer for Rustls {
    fn describe(&self) -> Description {
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.early-data",
            "server.early-data",
        ];
        let reference = [
            "client.tls-flags",
            "client.flag",
            "server.flag",
            "client.extension",
            "server.extension",
            "client.revision.editors-copy",
            "server.revision.editors-copy",
            "server.sessions.separate",
            "client.edits",
            "server.edits",
            "client.bad-certificate-verify",
            "server.bad-certificate-verify",
        ];
        // The library has no post-handshake authentication of TLS 1.3.
        let plain = [Policy::Never, Policy::Request, Policy::Require];
        let on_flag = [Policy::RequestOnFlag, Policy::RequireOnFlag];
        let groups = Group::ALL
            .iter()
            .filter(|group| config::group(&self.provider, **group).is_some());
        let suites = CipherSuite::ALL
            .iter()
            .filter(|suite| config::suite(&self.provider, **suite).is_some());
        let capabilities = Capabilities::new()
            .with(Provenance::Library, library)
            .with(Provenance::Reference, reference)
            .with_each(Provenance::Library, "version", Version::ALL)
            .with_each(Provenance::Library, "group", groups)
            .with_each(Provenance::Library, "cipher", suites)
            .with_each(Provenance::Library, "keys", Keys::ALL)
            .with_each(Provenance::Library, "server.policy", plain)
            .with_each(Provenance::Reference, "server.policy", on_flag);
        Description {
            reqmtls: VERSION,
            name: "rustls".to_owned(),
            library: format!("rustls {}", config::RUSTLS),
            capabilities,
        }
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        Ok(match job.side {
            Side::Client => Arc::new(client::Client::prepare(
                &self.provider,
                &self.application,
                &job.setup,
            )?),
            Side::Server => Arc::new(server::Server::prepare(
                &self.provider,
                &self.application,
                &job.setup,
            )?),
        })
    }
}

/// Notes what ended a connection, and the alert if rustls received one. It does not tell which it sent.
///
/// `extension` is the number of `tls_flags` if this end knows the extension.
fn note(report: &mut ConnectionReport, error: &std::io::Error, extension: Option<u16>) {
    if let Some(error) = extension.and_then(|number| flags_error(error, number)) {
        return report.refuse(&error);
    }
    let inner = error.get_ref();
    let closed = inner.and_then(|it| it.downcast_ref::<ClosedInstead>());
    let is_closed = closed.is_some();
    match inner.and_then(|it| it.downcast_ref::<rustls::Error>()) {
        Some(tls) => note_tls(report, tls),
        None if is_closed => report.refuse(error),
        None => report.break_off(error),
    }
}

fn note_tls(report: &mut ConnectionReport, error: &rustls::Error) {
    report.refuse(error);
    if let rustls::Error::AlertReceived(alert) = error
        && *alert != AlertDescription::CloseNotify
    {
        report.alert_received = Some(u8::from(*alert));
    }
}

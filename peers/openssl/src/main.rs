//! OpenSSL as a reqmtls peer.

mod callbacks;
mod client;
mod connection;
mod context;
mod ffi;
mod flags;
mod server;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use openssl::ssl::{SslContextBuilder, SslMethod};
use reqmtls_contract::{
    Blocking, Capabilities, CipherSuite, Description, Endpoint, Group, Job, Keys, Peer, Policy,
    PrepareError, Provenance, Sessions, Side, VERSION, Version,
};

fn main() -> ExitCode {
    if !ffi::has_threads() {
        eprintln!(
            "openssl peer: the linked OpenSSL was built without threads, expected it with them"
        );
        return ExitCode::FAILURE;
    }
    reqmtls_contract::main(OpenSsl::new())
}

/// The peer. What it can do is asked of the linked library once.
struct OpenSsl {
    description: Description,
}

impl OpenSsl {
    fn new() -> Self {
        let library = [
            "client",
            "server",
            "client.early-data",
            "server.early-data",
            "client.resumption",
            "client.post-handshake-auth",
        ];
        // Extension 62 by the library's custom extensions; what it means is decided here.
        let glue = [
            "client.tls-flags",
            "client.flag",
            "server.flag",
            "client.extension",
            "server.extension",
            "client.revision.editors-copy",
            "server.revision.editors-copy",
        ];
        let (on_flag, plain): (Vec<Policy>, Vec<Policy>) =
            Policy::ALL.iter().partition(|it| it.is_on_flag());
        let mut capabilities = Capabilities::new()
            .with(Provenance::Library, library)
            .with(Provenance::Glue, glue)
            .with_each(Provenance::Library, "version", Version::ALL)
            .with_each(Provenance::Library, "server.sessions", Sessions::ALL)
            .with_each(Provenance::Library, "keys", Keys::ALL)
            .with_each(Provenance::Library, "server.policy", plain)
            .with_each(Provenance::Glue, "server.policy", on_flag);
        if let Ok(mut builder) = SslContextBuilder::new(SslMethod::tls()) {
            let groups = Group::ALL
                .iter()
                .filter(|group| builder.set_groups_list(context::group(**group)).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "group", groups);
            let suites = CipherSuite::ALL
                .iter()
                .filter(|suite| context::offers(**suite));
            capabilities = capabilities.with_each(Provenance::Library, "cipher", suites);
        }
        let description = Description {
            reqmtls: VERSION,
            name: "openssl".to_owned(),
            library: openssl::version::version().to_owned(),
            capabilities,
        };
        Self { description }
    }
}

impl Peer for OpenSsl {
    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let deadline = job.deadline();
        Ok(match job.side {
            Side::Client => {
                let endpoint = client::Client::prepare(job.setup)?;
                Arc::new(Blocking { endpoint, deadline })
            }
            Side::Server => {
                let endpoint = server::Server::prepare(&job.setup)?;
                Arc::new(Blocking { endpoint, deadline })
            }
        })
    }
}

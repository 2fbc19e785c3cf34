//! AWS-LC as a reqmtls peer.

mod callbacks;
mod client;
mod connection;
mod context;
mod flags;
mod library;
mod server;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use reqmtls_contract::{
    Blocking, Capabilities, CipherSuite, Description, Endpoint, Group, Job, Keys, Peer, Policy,
    PrepareError, Provenance, Sessions, Side, VERSION, Version,
};

fn main() -> ExitCode {
    reqmtls_contract::main(AwsLc::new())
}

/// The peer. What it can do is asked of the linked library once.
struct AwsLc {
    description: Description,
}

impl AwsLc {
    fn new() -> Self {
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.early-data",
            "server.early-data",
        ];
        // Extension 62 by the library's own calls; what it means is decided here.
        let glue = [
            "client.tls-flags",
            "client.flag",
            "server.flag",
            "client.extension",
            "server.extension",
        ];
        // The library has no post-handshake authentication of TLS 1.3.
        let plain = [Policy::Never, Policy::Request, Policy::Require];
        let on_flag = [Policy::RequestOnFlag, Policy::RequireOnFlag];
        let mut capabilities = Capabilities::new()
            .with(Provenance::Library, library)
            .with(Provenance::Glue, glue)
            .with_each(Provenance::Library, "version", Version::ALL)
            .with_each(Provenance::Library, "server.sessions", Sessions::ALL)
            .with_each(Provenance::Library, "keys", Keys::ALL)
            .with_each(Provenance::Library, "server.policy", plain)
            .with_each(Provenance::Glue, "server.policy", on_flag);
        if let Ok(context) = context::empty() {
            let groups = Group::ALL
                .iter()
                .filter(|group| context::set_groups(&context, &[**group]).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "group", groups);
            let suites = CipherSuite::ALL
                .iter()
                .filter(|suite| context::set_cipher_suites(&context, &[**suite]).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "cipher", suites);
        }
        let description = Description {
            reqmtls: VERSION,
            name: "aws-lc".to_owned(),
            library: library::version(),
            capabilities,
        };
        Self { description }
    }
}

impl Peer for AwsLc {
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

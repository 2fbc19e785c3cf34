//! BoringSSL as a reqmtls peer, with the patches of `patches/`.

mod callbacks;
mod client;
mod connection;
mod context;
mod server;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use boring::ssl::{SslContextBuilder, SslMethod};
use reqmtls_contract::{
    Blocking, Capabilities, CipherSuite, Description, Endpoint, Group, Job, Keys, Peer, Policy,
    PrepareError, Provenance, Sessions, Side, VERSION, Version,
};

fn main() -> ExitCode {
    reqmtls_contract::main(BoringSsl::new())
}

/// The peer. What it can do is asked of the linked library once.
struct BoringSsl {
    description: Description,
}

impl BoringSsl {
    fn new() -> Self {
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.early-data",
            "server.early-data",
        ];
        let patch = ["client.tls-flags", "client.flag", "server.flag"];
        // The library has no post-handshake authentication of TLS 1.3.
        let plain = [Policy::Never, Policy::Request, Policy::Require];
        let on_flag = [Policy::RequestOnFlag, Policy::RequireOnFlag];
        let mut capabilities = Capabilities::new()
            .with(Provenance::Library, library)
            .with(Provenance::Patch, patch)
            .with_each(Provenance::Library, "version", Version::ALL)
            .with_each(Provenance::Library, "server.sessions", Sessions::ALL)
            .with_each(Provenance::Library, "keys", Keys::ALL)
            .with_each(Provenance::Library, "server.policy", plain)
            .with_each(Provenance::Glue, "server.policy", on_flag);
        if let Ok(mut builder) = SslContextBuilder::new(SslMethod::tls()) {
            let groups = Group::ALL
                .iter()
                .filter(|group| builder.set_curves_list(context::group(**group)).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "group", groups);
            let suites = CipherSuite::ALL
                .iter()
                .filter(|suite| context::set_cipher_suites(&mut builder, &[**suite]).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "cipher", suites);
        }
        let description = Description {
            reqmtls: VERSION,
            name: "boringssl".to_owned(),
            library: format!(
                "{} of boring-sys {}",
                boring::version::version(),
                context::BORING_SYS
            ),
            capabilities,
        };
        Self { description }
    }
}

impl Peer for BoringSsl {
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

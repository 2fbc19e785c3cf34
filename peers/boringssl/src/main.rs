//! BoringSSL as a reqmtls peer, with the patch of `patches/` for the client's extension.

mod client;
mod context;
mod early;
mod server;
mod session;
#[cfg(test)]
mod tests;
mod told;

use std::process::ExitCode;
use std::sync::Arc;

use boring::ssl::{SslContextBuilder, SslMethod};
use reqmtls_contract::{
    CipherSuite, Description, Endpoint, Group, Job, Peer, Policy, PrepareError, Role, VERSION,
    Version,
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
        let mut capabilities: Vec<_> = [
            "client",
            "server",
            "client.tls-flags",
            "client.resumption",
            "client.early-data",
            "server.early-data",
        ]
        .map(str::to_owned)
        .into();
        capabilities.extend(
            Version::ALL
                .iter()
                .map(|version| format!("version.{version}")),
        );
        capabilities.extend(
            Policy::ALL
                .iter()
                // The library has no post-handshake authentication of TLS 1.3.
                .filter(|policy| **policy != Policy::PostHandshake)
                .map(|policy| format!("server.policy.{policy}")),
        );
        if let Ok(mut builder) = SslContextBuilder::new(SslMethod::tls()) {
            let groups = Group::ALL
                .iter()
                .filter(|group| builder.set_curves_list(context::group(**group)).is_ok());
            capabilities.extend(groups.map(|group| format!("group.{group}")));
            let suites = CipherSuite::ALL
                .iter()
                .filter(|suite| context::set_cipher_suites(&mut builder, &[**suite]).is_ok());
            capabilities.extend(suites.map(|suite| format!("cipher.{suite}")));
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
        Ok(match job.role {
            Role::Client => Arc::new(client::Client::prepare(&job.setup)?),
            Role::Server => Arc::new(server::Server::prepare(&job.setup)?),
        })
    }
}

//! OpenSSL as a reqmtls peer.

mod client;
mod context;
mod flags;
mod resumption;
mod server;
#[cfg(test)]
mod tests;
mod told;

use std::process::ExitCode;
use std::sync::Arc;

use openssl::ssl::{SslContextBuilder, SslMethod};
use reqmtls_contract::{
    CipherSuite, Description, Endpoint, Group, Job, Peer, Policy, PrepareError, Role, VERSION,
    Version,
};

fn main() -> ExitCode {
    // SAFETY: the function takes nothing, and reads what the library was built with.
    if unsafe { OSSL_get_thread_support_flags() } == 0 {
        eprintln!(
            "openssl peer: the linked OpenSSL was built without threads, expected it with them"
        );
        return ExitCode::FAILURE;
    }
    reqmtls_contract::main(OpenSsl::new())
}

unsafe extern "C" {
    /// A public function of the library that the bindings lack: its flags are all zero in a library
    /// without threads.
    fn OSSL_get_thread_support_flags() -> u32;
}

/// The peer. What it can do is asked of the linked library once.
struct OpenSsl {
    description: Description,
}

impl OpenSsl {
    fn new() -> Self {
        let mut capabilities: Vec<_> =
            ["client", "server", "client.tls-flags", "client.resumption"]
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
                .filter(|policy| **policy != Policy::PostHandshake)
                .map(|policy| format!("server.policy.{policy}")),
        );
        if let Ok(mut builder) = SslContextBuilder::new(SslMethod::tls()) {
            let groups = Group::ALL
                .iter()
                .filter(|group| builder.set_groups_list(context::group(**group)).is_ok());
            capabilities.extend(groups.map(|group| format!("group.{group}")));
            let suites = CipherSuite::ALL
                .iter()
                .filter(|suite| context::offers(**suite));
            capabilities.extend(suites.map(|suite| format!("cipher.{suite}")));
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
        Ok(match job.role {
            Role::Client => Arc::new(client::Client::prepare(job.setup)?),
            Role::Server => Arc::new(server::Server::prepare(&job.setup)?),
        })
    }
}

//! s2n-tls as a reqmtls peer.

mod callbacks;
mod config;
mod connection;
mod ends;
mod hello;
mod library;

use std::process::ExitCode;
use std::sync::Arc;

use reqmtls_contract::{
    Blocking, Capabilities, Description, Endpoint, Job, Peer, Policy, PrepareError, Provenance,
    Sessions, Side, VERSION, Version,
};

fn main() -> ExitCode {
    // SAFETY: there is no other thread yet. Otherwise the library locks its memory, of which a container may lock little.
    unsafe { std::env::set_var("S2N_DONT_MLOCK", "1") };
    library::initialize();
    reqmtls_contract::main(S2n)
}

/// The peer.
struct S2n;

impl Peer for S2n {
    fn describe(&self) -> Description {
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.early-data",
            "server.early-data",
        ];
        // The ClientHello callback is the library's; what it means is decided here. A client has no call to send an
        // extension of its own, and there is none to choose groups or suites one by one.
        let glue = ["server.flag", "server.extension"];
        let plain = [Policy::Never, Policy::Request, Policy::Require];
        let on_flag = [Policy::RequestOnFlag, Policy::RequireOnFlag];
        Description {
            reqmtls: VERSION,
            name: "s2n".to_owned(),
            library: format!("s2n-tls {}", library::VERSION),
            capabilities: Capabilities::new()
                .with(Provenance::Library, library)
                .with(Provenance::Glue, glue)
                .with_each(Provenance::Library, "version", Version::ALL)
                .with_each(Provenance::Library, "server.sessions", [Sessions::Separate])
                .with_each(Provenance::Library, "server.policy", plain)
                .with_each(Provenance::Glue, "server.policy", on_flag),
        }
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let deadline = job.deadline();
        Ok(match job.side {
            Side::Client => {
                let endpoint = ends::Client::prepare(job.setup)?;
                Arc::new(Blocking { endpoint, deadline })
            }
            Side::Server => {
                let endpoint = ends::Server::prepare(&job.setup)?;
                Arc::new(Blocking { endpoint, deadline })
            }
        })
    }
}

//! NSS as a reqmtls peer.

mod callbacks;
mod connection;
mod context;
mod credentials;
mod ends;
#[expect(
    clippy::pedantic,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unused_qualifications,
    reason = "generated from the library's headers"
)]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/nss.rs"));
}
mod library;
mod parameters;
#[cfg(test)]
mod tests;
mod transport;

use std::process::ExitCode;
use std::sync::Arc;

use reqmtls_contract::{
    Blocking, Capabilities, Description, Endpoint, Group, Job, Keys, Peer, Policy, PrepareError,
    Provenance, Sessions, VERSION, Version,
};

fn main() -> ExitCode {
    match Nss::new() {
        Ok(peer) => reqmtls_contract::main(peer),
        Err(failure) => {
            eprintln!("the library does not start: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The peer. What it can do is asked of the linked library once.
struct Nss {
    description: Description,
}

impl Nss {
    fn new() -> Result<Self, reqmtls_contract::Failure> {
        let version = library::start()?;
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.early-data",
            "server.early-data",
            "client.post-handshake-auth",
        ];
        // Extension 62 by the library's own calls; what it means is decided here.
        let glue = [
            "client.tls-flags",
            "client.flag",
            "server.flag",
            "client.extension",
            "server.extension",
            "client.revision.editors-copy",
            "server.revision.editors-copy",
        ];
        // Ed25519 has a number in the library, and ssl_IsSupportedSignatureScheme refuses it (lib/ssl/ssl3con.c).
        let keys = [Keys::Rsa];
        let (on_flag, plain): (Vec<Policy>, Vec<Policy>) =
            Policy::ALL.iter().partition(|it| it.is_on_flag());
        let groups = Group::ALL.iter().filter(|it| parameters::knows_group(**it));
        let capabilities = Capabilities::new()
            .with(Provenance::Library, library)
            .with(Provenance::Glue, glue)
            .with_each(Provenance::Library, "version", Version::ALL)
            .with_each(Provenance::Library, "group", groups)
            .with_each(Provenance::Library, "cipher", parameters::SUITES)
            .with_each(Provenance::Library, "server.sessions", [Sessions::Shared])
            .with_each(Provenance::Library, "keys", keys)
            .with_each(Provenance::Library, "server.policy", plain)
            .with_each(Provenance::Glue, "server.policy", on_flag);
        let description = Description {
            reqmtls: VERSION,
            name: "nss".to_owned(),
            library: format!("NSS {version}"),
            capabilities,
        };
        Ok(Self { description })
    }
}

impl Peer for Nss {
    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let deadline = job.deadline();
        let endpoint = ends::End::prepare(job)?;
        Ok(Arc::new(Blocking { endpoint, deadline }))
    }
}

//! `GnuTLS` as a reqmtls peer.

mod callbacks;
mod connection;
mod credentials;
mod ends;
mod flags;
#[expect(
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    dead_code,
    non_camel_case_types,
    unreachable_pub,
    unused_imports,
    reason = "generated from the library's headers"
)]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/gnutls.rs"));
}
mod priorities;

use std::ffi::CStr;
use std::process::ExitCode;
use std::ptr;
use std::sync::Arc;

use reqmtls_contract::{
    Blocking, Capabilities, CipherSuite, Description, Endpoint, Group, Job, Keys, Peer, Policy,
    PrepareError, Provenance, Sessions, Side, VERSION, Version,
};

fn main() -> ExitCode {
    reqmtls_contract::main(GnuTls::new())
}

/// The peer.
struct GnuTls {
    description: Description,
}

impl GnuTls {
    fn new() -> Self {
        // Extension 62 by the library's own calls; what it means is decided here.
        let glue = [
            "client.tls-flags",
            "client.flag",
            "server.flag",
            "client.extension",
            "server.extension",
        ];
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.post-handshake-auth",
        ];
        let (on_flag, plain): (Vec<Policy>, Vec<Policy>) =
            Policy::ALL.iter().partition(|it| it.is_on_flag());
        let groups = Group::ALL
            .iter()
            .filter(|group| priorities::is_known(priorities::group(**group)));
        let suites = CipherSuite::ALL
            .iter()
            .filter(|suite| priorities::is_known(priorities::cipher(**suite)));
        let capabilities = Capabilities::new()
            .with(Provenance::Library, library)
            .with(Provenance::Glue, glue)
            .with_each(Provenance::Library, "version", Version::ALL)
            .with_each(Provenance::Library, "group", groups)
            .with_each(Provenance::Library, "cipher", suites)
            .with_each(Provenance::Library, "server.sessions", Sessions::ALL)
            .with_each(Provenance::Library, "keys", Keys::ALL)
            .with_each(Provenance::Library, "server.policy", plain)
            .with_each(Provenance::Glue, "server.policy", on_flag);
        // SAFETY: without a required version the library returns its own, a static text.
        let version = unsafe { CStr::from_ptr(ffi::gnutls_check_version(ptr::null())) };
        let description = Description {
            reqmtls: VERSION,
            name: "gnutls".to_owned(),
            library: format!("GnuTLS {}", version.to_string_lossy()),
            capabilities,
        };
        Self { description }
    }
}

impl Peer for GnuTls {
    fn describe(&self) -> Description {
        self.description.clone()
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

//! `wolfSSL` as a reqmtls peer.

mod callbacks;
mod connection;
mod end;
#[expect(
    clippy::allow_attributes_without_reason,
    clippy::all,
    clippy::pedantic,
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
    include!(concat!(env!("OUT_DIR"), "/wolfssl.rs"));
}
mod hello;
mod library;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use reqmtls_contract::{
    Blocking, Capabilities, CipherSuite, Description, Endpoint, Group, Job, Keys, Peer, Policy,
    PrepareError, Provenance, Sessions, Side, VERSION, Version,
};

fn main() -> ExitCode {
    reqmtls_contract::main(WolfSsl::new())
}

/// The peer. What it can do is asked of the linked library once.
struct WolfSsl {
    description: Description,
}

impl WolfSsl {
    fn new() -> Self {
        let library = [
            "client",
            "server",
            "client.resumption",
            "client.early-data",
            "client.post-handshake-auth",
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
        if let Ok(context) = end::empty(Side::Client) {
            let groups = Group::ALL
                .iter()
                .filter(|group| end::set_groups(&context, &[**group]).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "group", groups);
            let suites = CipherSuite::ALL
                .iter()
                .filter(|suite| end::set_cipher_suites(&context, &[**suite]).is_ok());
            capabilities = capabilities.with_each(Provenance::Library, "cipher", suites);
        }
        let description = Description {
            reqmtls: VERSION,
            name: "wolfssl".to_owned(),
            // SAFETY: the library returns a static text.
            library: format!("wolfSSL {}", unsafe {
                library::text(ffi::wolfSSL_lib_version())
            }),
            capabilities,
        };
        Self { description }
    }
}

impl Peer for WolfSsl {
    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let deadline = job.deadline();
        let endpoint = end::End::prepare(job.side, job.setup)
            .map_err(|failure| PrepareError::Invalid(failure.to_string()))?;
        Ok(Arc::new(Blocking { endpoint, deadline }))
    }
}

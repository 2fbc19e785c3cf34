//! Botan as a reqmtls peer.

mod connection;
mod ends;
#[expect(unreachable_pub, reason = "generated from shim.h")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/shim.rs"));
}
mod flags;
mod hooks;
#[cfg(test)]
mod tests;

use std::ffi::CStr;
use std::process::ExitCode;
use std::sync::Arc;

use reqmtls_contract::{
    Blocking, Capabilities, CipherSuite, Description, Endpoint, Group, Job, Keys, Peer, Policy,
    PrepareError, Provenance, VERSION, Version,
};

fn main() -> ExitCode {
    reqmtls_contract::main(Botan)
}

struct Botan;

impl Peer for Botan {
    fn describe(&self) -> Description {
        // The library has no early data, and no post-handshake authentication.
        let library = [
            "client",
            "server",
            "client.resumption",
            "server.sessions.shared",
        ];
        // The library hands over extensions, and decides by what the application then returns.
        let glue = [
            "client.tls-flags",
            "client.flag",
            "client.extension",
            "client.revision.editors-copy",
            "server.flag",
            "server.extension",
            "server.revision.editors-copy",
            "server.sessions.separate",
        ];
        // Ed25519 is left out of Signature_Scheme::all_available_schemes (src/lib/tls/tls_signature_scheme.cpp).
        let keys = [Keys::Rsa];
        let plain = [Policy::Never, Policy::Request, Policy::Require];
        let on_flag = [Policy::RequestOnFlag, Policy::RequireOnFlag];
        // SAFETY: the library's text is static.
        let version = unsafe { CStr::from_ptr(ffi::botan_version()) };
        Description {
            reqmtls: VERSION,
            name: "botan".to_owned(),
            library: format!("Botan {}", version.to_string_lossy()),
            capabilities: Capabilities::new()
                .with(Provenance::Library, library)
                .with(Provenance::Glue, glue)
                .with_each(Provenance::Library, "version", Version::ALL)
                .with_each(Provenance::Library, "group", Group::ALL)
                .with_each(Provenance::Library, "cipher", CipherSuite::ALL)
                .with_each(Provenance::Library, "keys", keys)
                .with_each(Provenance::Library, "server.policy", plain)
                .with_each(Provenance::Glue, "server.policy", on_flag),
        }
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let deadline = job.deadline();
        let endpoint = ends::End::prepare(job.side, job.setup)?;
        Ok(Arc::new(Blocking { endpoint, deadline }))
    }
}

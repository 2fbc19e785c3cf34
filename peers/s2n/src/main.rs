//! s2n-tls as a reqmtls peer.

mod callbacks;
mod config;
mod connection;
mod ends;
mod hello;
mod library;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use reqmtls_contract::{
    Blocking, Capabilities, Description, Endpoint, Job, Keys, Peer, Policy, PrepareError,
    Provenance, Sessions, VERSION, Version,
};
use s2n_tls_sys::{s2n_disable_atexit, s2n_init};

fn main() -> ExitCode {
    // SAFETY: there is no other thread yet, and nothing of the library was called. It locks no memory, of which a container
    // may lock little, and frees nothing at exit, where threads may still use it.
    let ready = unsafe {
        std::env::set_var("S2N_DONT_MLOCK", "1");
        s2n_disable_atexit() == 0 && s2n_init() == 0
    };
    assert!(ready, "{}", library::error());
    reqmtls_contract::main(S2n)
}

/// The peer.
struct S2n;

impl Peer for S2n {
    fn describe(&self) -> Description {
        let library = ["client", "server", "client.resumption"];
        let early_data = ["client.early-data", "server.early-data"];
        // The ClientHello callback is the library's; what it means is decided here. A client has no call to send an
        // extension of its own, and there is none to choose groups or suites one by one.
        let glue = ["server.flag", "server.extension"];
        // s2n_pkey_get_type (crypto/s2n_pkey.c) refuses Ed25519.
        let keys = [Keys::Rsa];
        let plain = [Policy::Never, Policy::Request, Policy::Require];
        let on_flag = [Policy::RequestOnFlag, Policy::RequireOnFlag];
        Description {
            reqmtls: VERSION,
            name: "s2n".to_owned(),
            library: format!("s2n-tls {}", library::VERSION),
            capabilities: Capabilities::new()
                .with(Provenance::Library, library)
                .with(Provenance::Library, early_data)
                .with(Provenance::Glue, glue)
                .with_each(Provenance::Library, "version", Version::ALL)
                .with_each(Provenance::Library, "server.sessions", [Sessions::Separate])
                .with_each(Provenance::Library, "keys", keys)
                .with_each(Provenance::Library, "server.policy", plain)
                .with_each(Provenance::Glue, "server.policy", on_flag),
        }
    }

    fn prepare(&self, job: Job) -> Result<Arc<dyn Endpoint>, PrepareError> {
        let deadline = job.deadline();
        let endpoint = ends::End {
            config: config::of(job.side, &job.setup).map_err(PrepareError::Invalid)?,
            side: job.side,
            setup: job.setup,
            session: Mutex::default(),
            certificate: Mutex::default(),
        };
        Ok(Arc::new(Blocking { endpoint, deadline }))
    }
}

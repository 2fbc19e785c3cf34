//! The in-tree rustls implementation as a peer program of its own.

use std::process::ExitCode;

use reqmtls_peer_rustls::Rustls;

fn main() -> ExitCode {
    reqmtls_contract::main(Rustls::new())
}

//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.

use openssl::ssl::{Ssl, SslContextBuilder};
use reqmtls_contract::testing::{
    DEADLINE, FLAG, FLAG_80, ILLEGAL_PARAMETER, MALFORMED, Names, OTHER_FLAGS, joined, policies,
    prepared,
};
use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, Outcome, Setup,
    run_client, run_server,
};

use super::*;
use crate::connection::Connection;

mod flags;
mod post_handshake;
mod resumption;
mod revision;

fn peer() -> OpenSsl {
    OpenSsl::new()
}

/// What client and server report of a connection between the two ends of the peer.
async fn connect(client: Setup, server: Setup) -> (ConnectionReport, ConnectionReport) {
    reqmtls_contract::testing::connect(&peer(), client, server).await
}

/// An end with a context of its own, which answers nothing of the client.
struct Bare {
    context: openssl::ssl::SslContext,
    side: Side,
}

impl Bare {
    fn endpoint(side: Side, builder: SslContextBuilder) -> Arc<dyn Endpoint> {
        let context = builder.build();
        let endpoint = Self { context, side };
        Arc::new(Blocking {
            endpoint,
            deadline: DEADLINE,
        })
    }
}

impl BlockingEndpoint for Bare {
    fn run(&self, _: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let mut ssl = Ssl::new(&self.context).unwrap();
        let state = ConnectionState::default();
        match self.side {
            Side::Client => {
                ssl.set_connect_state();
                let mut session = Connection::new(ssl, stream, false).unwrap();
                run_client(&mut session, false, &state, report);
            }
            Side::Server => {
                ssl.set_accept_state();
                let mut session = Connection::new(ssl, stream, false).unwrap();
                run_server(&mut session, &state, report);
            }
        }
    }
}

#[test]
fn the_linked_library_has_threads_and_the_suites_that_it_names() {
    assert!(ffi::has_threads());
    let capabilities = peer().describe().capabilities;
    for suite in CipherSuite::ALL {
        let named = capabilities.has(&format!("cipher.{suite}"));
        assert_eq!(named, context::offers(*suite), "{suite}");
    }
    assert!(capabilities.has("cipher.TLS_AES_128_GCM_SHA256"));
}

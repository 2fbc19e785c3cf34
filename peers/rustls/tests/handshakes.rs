//! Full handshakes with flags, over a stream in memory.

mod common;

use common::{Pki, close, connected, handshake, stock};
use rustls::{HandshakeKind, ProtocolVersion};
use rustls_tlsflags::{ClientAuth, ClientAuthPolicy, Flags};

#[tokio::test]
async fn server_sees_the_exact_flag_bytes() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(ClientAuthPolicy::Never);
    let (client, server) = connected(&pki.flagged(false), &acceptor).await;
    assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
    let wire = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(server.offer.extension_data.as_deref(), Some(&wire[..]));
    let tls = client.get_ref().1;
    assert_eq!(tls.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(tls.handshake_kind(), Some(HandshakeKind::Full));
    close(client, server).await;
}

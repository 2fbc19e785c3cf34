//! What the provider aws-lc-rs has, and ring does not.

use std::sync::Arc;

use rustls::NamedGroup;
use rustls::version::TLS13;
use rustls_tlsflags::{ClientAuth, ClientAuthPolicy, Flags, TlsFlagsAcceptor, TlsFlagsConnector};

use crate::common::{Pki, close, connected, provider, stock, with_group};

#[tokio::test]
async fn works_with_a_post_quantum_key_share() {
    let pki = Pki::new();
    let group = NamedGroup::X25519MLKEM768;
    let base = with_group(group);
    let configs = pki.servers(&Arc::new(base.clone()), &[&TLS13], |_| ());
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequireOnFlag).unwrap();
    let config = pki.client(provider(&base, &Flags::request_mtls()), &[&TLS13], true);
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    let (client, server) = connected(&connector, &acceptor).await;
    let negotiated = client.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(negotiated.name(), group);
    assert_eq!(server.offer.flags, Some(Flags::request_mtls()));
    close(client, server).await;
}

#[tokio::test]
async fn ech_grease_does_not_get_in_the_way() {
    use rustls::client::{EchGreaseConfig, EchMode};
    use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_128 as HPKE;
    use rustls::crypto::hpke::Hpke;

    let pki = Pki::new();
    let (public, _) = HPKE.generate_key_pair().unwrap();
    let config =
        rustls::ClientConfig::builder_with_provider(provider(&stock(), &Flags::request_mtls()))
            .with_ech(EchMode::Grease(EchGreaseConfig::new(HPKE, public)))
            .unwrap()
            .with_root_certificates(Arc::clone(pki.roots()))
            .with_no_client_auth();
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    let acceptor = pki.acceptor(ClientAuthPolicy::RequestOnFlag);
    let (client, server) = connected(&connector, &acceptor).await;
    assert_eq!(server.client_auth, ClientAuth::Optional);
    close(client, server).await;
}

//! Who is asked for a certificate, and what happens.

use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, Error};
use rustls_tlsflags::{
    AcceptError, AcceptorError, ClientAuth, ClientAuthPolicy, Codepoints, EARLY_TLS_FLAGS, Flags,
    ServerConfigs, TLS_FLAGS, TlsFlagsAcceptor, TlsFlagsConnector,
};

use crate::common::{Pki, alert_received, close, connected, handshake, stock};

/// Every policy, with what it asks without and with the flag.
const POLICIES: [(ClientAuthPolicy, ClientAuth, ClientAuth); 5] = {
    use ClientAuth::{None, Optional, Required};
    [
        (ClientAuthPolicy::Never, None, None),
        (ClientAuthPolicy::Request, Optional, Optional),
        (ClientAuthPolicy::Require, Required, Required),
        (ClientAuthPolicy::RequestOnFlag, None, Optional),
        (ClientAuthPolicy::RequireOnFlag, None, Required),
    ]
};

#[tokio::test]
async fn each_policy_asks_whom_it_says() {
    let pki = Pki::new();
    for (policy, without, with) in POLICIES {
        let acceptor = pki.acceptor(policy);
        for (flags, expected) in [(Flags::new(), without), (Flags::request_mtls(), with)] {
            for certificate in [false, true] {
                let case = format!("{policy:?}, {flags:?}, certificate {certificate}");
                let connector = pki.connector(&flags, certificate);
                let (client, server) = handshake(&connector, &acceptor).await;
                if expected == ClientAuth::Required && !certificate {
                    let mut client = client.expect("the client is done before the server is");
                    assert_refused(server.unwrap_err(), &case);
                    let read = tokio::io::AsyncReadExt::read(&mut client, &mut [0]).await;
                    assert_eq!(
                        alert_received(read.map(|_| client)),
                        AlertDescription::CertificateRequired,
                        "{case}"
                    );
                    continue;
                }
                let server = server.unwrap();
                assert_eq!(server.client_auth, expected, "{case}");
                let authenticated = server.stream.get_ref().1.peer_certificates().is_some();
                let asked = expected != ClientAuth::None;
                assert_eq!(authenticated, certificate && asked, "{case}");
                close(client.unwrap(), server).await;
            }
        }
    }
}

fn assert_refused(error: AcceptError, case: &str) {
    match error {
        AcceptError::Tls(Error::NoCertificatesPresented) => {}
        other => panic!("{case}: {other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (pki, other) = (Pki::new(), Pki::new());
    let acceptor = pki.acceptor(ClientAuthPolicy::RequireOnFlag);
    let connector = pki.flagged_as(&other);
    let (_, server) = handshake(&connector, &acceptor).await;
    match server.unwrap_err() {
        AcceptError::Tls(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn both_numbers_are_configurable() {
    let pki = Pki::new();
    let configs = pki.servers(&Arc::new(stock()), rustls::ALL_VERSIONS, |_| ());
    let policy = ClientAuthPolicy::RequestOnFlag;
    let codepoints = Codepoints {
        extension: EARLY_TLS_FLAGS,
        request_mtls: 9,
    };
    let acceptor = TlsFlagsAcceptor::with_codepoints(configs, policy, codepoints).unwrap();
    for (flag, extension, expected) in [
        (9, EARLY_TLS_FLAGS, ClientAuth::Optional),
        (80, EARLY_TLS_FLAGS, ClientAuth::None),
        (9, TLS_FLAGS, ClientAuth::None),
    ] {
        let flags = Flags::from_iter([flag]);
        let builder = TlsFlagsConnector::builder(flags).codepoints(Codepoints {
            extension,
            ..codepoints
        });
        let connector = pki.build(builder, true);
        for _ in ["full", "resumed"] {
            let (client, server) = connected(&connector, &acceptor).await;
            assert_eq!(server.client_auth, expected);
            assert_eq!(server.offer.flags.is_some(), extension == EARLY_TLS_FLAGS);
            close(client, server).await;
        }
    }
}

#[tokio::test]
async fn a_closure_decides_anything() {
    let pki = Pki::new();
    let configs = pki.servers(&Arc::new(stock()), rustls::ALL_VERSIONS, |_| ());
    let acceptor = TlsFlagsAcceptor::with_decision(configs, |offer| {
        match offer.flags.as_ref().map_or(0, Flags::len) {
            0 => ClientAuth::None,
            1 => ClientAuth::Optional,
            _ => ClientAuth::Required,
        }
    })
    .unwrap();
    for (flags, expected) in [
        (vec![], ClientAuth::None),
        (vec![3], ClientAuth::Optional),
        (vec![3, 4], ClientAuth::Required),
    ] {
        let connector = pki.connector(&flags.into_iter().collect(), true);
        let (client, server) = connected(&connector, &acceptor).await;
        assert_eq!(server.client_auth, expected);
        close(client, server).await;
    }
}

#[tokio::test]
async fn a_decision_without_a_config_is_an_internal_error() {
    let pki = Pki::new();
    let configs = pki.only_none();
    let acceptor = TlsFlagsAcceptor::with_decision(configs, |_| ClientAuth::Required).unwrap();
    let (client, server) = handshake(&pki.flagged(true), &acceptor).await;
    assert!(matches!(
        server.unwrap_err(),
        AcceptError::MissingConfig {
            client_auth: ClientAuth::Required
        }
    ));
    assert_eq!(alert_received(client), AlertDescription::InternalError);
}

#[tokio::test]
async fn a_lenient_config_given_as_required_authenticates_nobody() {
    let pki = Pki::new();
    let configs = pki.none_as_required();
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::Require).unwrap();
    let (_, server) = handshake(&pki.flagged(true), &acceptor).await;
    assert!(matches!(server.unwrap_err(), AcceptError::NotAuthenticated));
}

#[test]
fn a_policy_needs_the_configs_it_can_choose() {
    let pki = Pki::new();
    let error = TlsFlagsAcceptor::new(pki.only_none(), ClientAuthPolicy::RequireOnFlag);
    assert_eq!(
        error.unwrap_err(),
        AcceptorError::MissingConfig {
            client_auth: ClientAuth::Required
        }
    );
    assert!(TlsFlagsAcceptor::new(pki.only_none(), ClientAuthPolicy::Never).is_ok());
    assert_eq!(
        TlsFlagsAcceptor::with_decision(ServerConfigs::new(), |_| ClientAuth::None).unwrap_err(),
        AcceptorError::NoConfig
    );
}

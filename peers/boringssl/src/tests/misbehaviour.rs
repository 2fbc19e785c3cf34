//! Against an end that breaks rules: rustls, whose messages are edited.

use reqmtls_contract::testing::SERVER_NAME;
use reqmtls_contract::{Answer, Identity, TLS_FLAGS, serve_answer};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, NamedGroup, RootCertStore, ServerConfig};
use rustls_tlsflags::seam::{Edits, Message, Position, client_provider, server_provider};
use rustls_tlsflags::{ClientAuthPolicy, ServerConfigs, TlsFlagsAcceptor, TlsFlagsConnector};

use super::*;

const DECODE_ERROR: u8 = 50;
const UNSUPPORTED_EXTENSION: u8 = 110;

/// The messages in which a flag is unsolicited, unless proposed.
const RESPONSES: [Message; 4] = [
    Message::HelloRetryRequest,
    Message::ServerHello,
    Message::EncryptedExtensions,
    Message::Certificate,
];

/// Those in which flags are allowed.
const REQUESTS: [Message; 2] = [Message::CertificateRequest, Message::NewSessionTicket];

/// Values that are well encoded.
const WELL_FORMED: [&[u8]; 3] = [&FLAG_80, &[1, 1], &[2, 0, 1]];

fn roots(names: &Names) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(names.authority.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    Arc::new(roots)
}

fn identity(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(identity.certificates.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(identity.private_key.as_bytes());
    (chain.collect::<Result<_, _>>().unwrap(), key.unwrap())
}

/// A provider for the one group, for which this library's clients send no key share by default.
fn retrying() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider
        .kx_groups
        .retain(|group| group.name() == NamedGroup::secp384r1);
    provider
}

/// What a client reports of a server that asks for a certificate and edits its messages.
async fn against_server(names: &Names, client: Setup, edits: &Edits) -> ConnectionReport {
    let provider = server_provider(&retrying(), edits).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(names), Arc::clone(&provider));
    let (chain, key) = identity(&names.server);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    let configs = ServerConfigs::new().required(config);
    let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::Require).unwrap();
    let client = prepared(&peer(), Side::Client, client).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    // Large, so boxed.
    let server = Box::pin(async {
        // How it ends is the client's to report.
        if let Ok(mut accepted) = acceptor.accept(far).await {
            drop(serve_answer(&mut accepted.stream, &Answer::default()).await);
        }
    });
    let (report, ()) = tokio::join!(spawn(&client, 0, near), server);
    report.unwrap()
}

/// A client's setups by what it knows: the flag and sends it, the flag, nothing of either.
fn clients(names: &Names) -> (Vec<Setup>, Setup) {
    let unmodified = Setup {
        identity: Some(names.client.clone()),
        ..names.client()
    };
    let silent = Setup {
        flag: Some(FLAG),
        ..unmodified.clone()
    };
    let sending = Setup {
        tls_flags: Some(Hex(FLAG_80.to_vec())),
        ..silent.clone()
    };
    (vec![sending, silent], unmodified)
}

fn assert_refused(report: &ConnectionReport, alert: u8, case: &str) {
    assert_eq!(report.outcome, Outcome::Refused, "{case}: {report:#?}");
    assert_eq!(report.alert_sent, Some(alert), "{case}: {report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_the_flag_refuses_flags_in_responses() {
    let names = Names::new();
    let (knowing, unmodified) = clients(&names);
    for message in RESPONSES {
        for data in WELL_FORMED.into_iter().chain(MALFORMED) {
            let edits = Edits::new().insert(message, TLS_FLAGS, data);
            let case = format!("{message:?} {data:?}");
            for client in &knowing {
                let report = against_server(&names, client.clone(), &edits).await;
                assert_refused(&report, ILLEGAL_PARAMETER, &case);
            }
            let report = against_server(&names, unmodified.clone(), &edits).await;
            assert_refused(&report, UNSUPPORTED_EXTENSION, &case);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_ignores_well_formed_flags_in_requests() {
    let names = Names::new();
    let (mut clients, unmodified) = clients(&names);
    clients.push(unmodified);
    for message in REQUESTS {
        for data in WELL_FORMED {
            let edits = Edits::new().insert(message, TLS_FLAGS, data);
            for client in &clients {
                let report = against_server(&names, client.clone(), &edits).await;
                let case = format!("{message:?} {data:?}: {report:#?}");
                assert_eq!(report.outcome, Outcome::Completed, "{case}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_the_flag_refuses_malformed_flags_in_requests() {
    let names = Names::new();
    let (knowing, unmodified) = clients(&names);
    for data in MALFORMED {
        for message in REQUESTS {
            let edits = Edits::new().insert(message, TLS_FLAGS, data);
            for client in &knowing {
                let report = against_server(&names, client.clone(), &edits).await;
                assert_refused(&report, ILLEGAL_PARAMETER, &format!("{message:?} {data:?}"));
            }
        }
        let edits = Edits::new().insert(Message::CertificateRequest, TLS_FLAGS, data);
        let report = against_server(&names, unmodified.clone(), &edits).await;
        assert_eq!(report.outcome, Outcome::Completed, "{data:?}: {report:#?}");
        // The unmodified library looks at flags there, with an alert of its own for the length.
        let edits = Edits::new().insert(Message::NewSessionTicket, TLS_FLAGS, data);
        let report = against_server(&names, unmodified.clone(), &edits).await;
        let zeros = matches!(data, [1, 0] | [2, 1, 0] | [3, 0, 0, 0]);
        let alert = if zeros {
            ILLEGAL_PARAMETER
        } else {
            DECODE_ERROR
        };
        assert_refused(&report, alert, &format!("{data:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_the_flag_refuses_two_extensions() {
    let names = Names::new();
    let (knowing, unmodified) = clients(&names);
    for message in REQUESTS {
        let edits = Edits::new()
            .insert(message, TLS_FLAGS, FLAG_80)
            .insert(message, TLS_FLAGS, FLAG_80);
        for client in &knowing {
            let report = against_server(&names, client.clone(), &edits).await;
            assert_refused(&report, ILLEGAL_PARAMETER, &format!("{message:?}"));
        }
        let report = against_server(&names, unmodified.clone(), &edits).await;
        match message {
            Message::NewSessionTicket => assert_refused(&report, ILLEGAL_PARAMETER, "unmodified"),
            _ => assert_eq!(report.outcome, Outcome::Completed, "{report:#?}"),
        }
    }
}

/// What a server that asks for a certificate reports of a client that edits its messages.
async fn against_client(names: &Names, server: Setup, edits: &Edits) -> ConnectionReport {
    let provider = client_provider(&aws_lc_rs::default_provider(), edits).unwrap();
    let (chain, key) = identity(&names.client);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(names))
        .with_client_auth_cert(chain, key)
        .unwrap();
    let connector = TlsFlagsConnector::from_config(Arc::new(config)).unwrap();
    let server = prepared(&peer(), Side::Server, server).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let client = async {
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        // How it ends is the server's to report.
        if let Ok(mut tls) = connector.connect(name, near).await {
            drop(reqmtls_contract::ask(&mut tls).await);
        }
    };
    let (report, ()) = tokio::join!(spawn(&server, 0, far), client);
    report.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_refuses_flags_in_a_certificate() {
    let names = Names::new();
    for (flag, alert) in [
        (Some(FLAG), ILLEGAL_PARAMETER),
        (None, UNSUPPORTED_EXTENSION),
    ] {
        let server = Setup {
            flag,
            ..names.server(Policy::Require)
        };
        let edits = Edits::new().insert(Message::Certificate, TLS_FLAGS, FLAG_80);
        let report = against_client(&names, server, &edits).await;
        assert_refused(&report, alert, &format!("{flag:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_refuses_two_extensions_as_its_library_does() {
    let names = Names::new();
    for flag in [Some(FLAG), None] {
        let server = Setup {
            flag,
            ..names.server(Policy::Require)
        };
        let edits = Edits::new()
            .insert(Message::ClientHello, TLS_FLAGS, FLAG_80)
            .insert(Message::ClientHello, TLS_FLAGS, FLAG_80);
        let report = against_client(&names, server, &edits).await;
        assert_refused(&report, DECODE_ERROR, &format!("{flag:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_see_the_flags_of_a_second_client_hello() {
    let names = Names::new();
    let server = Setup {
        groups: vec![Group::Secp384r1],
        ..names.server(Policy::Require)
    };
    let edits = Edits::new().insert_at(
        Message::SecondClientHello,
        TLS_FLAGS,
        [2, 1, 0],
        Position::BeforePreSharedKey,
    );
    let report = against_client(&names, server, &edits).await;
    assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
    assert_eq!(report.tls_flags_received, None);
}

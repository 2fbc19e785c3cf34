//! The peer against itself, through the contract, over a stream in memory.

mod misbehaviour;
mod resumption;

use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use reqmtls_contract::{
    CipherSuite, ConnectionReport, Group, Hex, Identity, Job, Outcome, Policy, PrepareError, Setup,
    Side, Version, drive, prepare,
};

use super::*;

const SERVER_NAME: &str = "server.reqmtls.test";
const FLAG: u16 = 80;
const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ILLEGAL_PARAMETER: u8 = 47;
const CERTIFICATE_REQUIRED: u8 = 116;
const PROTOCOL_VERSION: u8 = 70;
const DEADLINE: Duration = Duration::from_secs(20);

/// An authority, and a certificate of its for each end.
struct Names {
    authority: String,
    server: Identity,
    client: Identity,
}

impl Names {
    fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        Self {
            authority: pem,
            server: end_entity(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth, &issuer),
            client: end_entity("client.test", ExtendedKeyUsagePurpose::ClientAuth, &issuer),
        }
    }

    fn client(&self) -> Setup {
        Setup {
            trust_anchors: Some(self.authority.clone()),
            server_name: Some(SERVER_NAME.to_owned()),
            ..Setup::default()
        }
    }

    fn server(&self, policy: Policy) -> Setup {
        Setup {
            trust_anchors: Some(self.authority.clone()),
            identity: Some(self.server.clone()),
            policy: Some(policy),
            flag: Some(FLAG),
            ..Setup::default()
        }
    }
}

fn end_entity(
    name: &str,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Identity {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().unwrap();
    Identity {
        certificates: params.signed_by(&key, issuer).unwrap().pem(),
        private_key: key.serialize_pem(),
    }
}

fn prepared(side: Side, setup: Setup) -> Result<Arc<dyn Endpoint>, PrepareError> {
    let id = "job".to_owned();
    prepare(&peer(), Job { id, side, setup })
}

/// What client and server report of one connection.
async fn connect(client: Setup, server: Setup) -> (ConnectionReport, ConnectionReport) {
    let client = prepared(Side::Client, client).unwrap();
    let server = prepared(Side::Server, server).unwrap();
    connection(&*client, &*server, 0).await
}

/// What they report of one connection of their jobs.
async fn connection(
    client: &dyn Endpoint,
    server: &dyn Endpoint,
    number: u32,
) -> (ConnectionReport, ConnectionReport) {
    let (mut near, mut far) = tokio::io::duplex(1 << 16);
    tokio::join!(
        drive(client, number, &mut near, DEADLINE),
        drive(server, number, &mut far, DEADLINE)
    )
}

#[tokio::test]
async fn keeps_to_the_policies() {
    let names = Names::new();
    for policy in policies() {
        for set in [false, true] {
            for present in [false, true] {
                let client = Setup {
                    tls_flags: set.then(|| Hex(FLAG_80.to_vec())),
                    identity: present.then(|| names.client.clone()),
                    ..names.client()
                };
                let flags = client.tls_flags.clone();
                let (client, server) = connect(client, names.server(policy)).await;
                let case = format!("{policy} {set} {present}: {client:#?} {server:#?}");
                assert_eq!(client.tls_flags_sent, flags, "{case}");
                assert_eq!(server.tls_flags_received, flags, "{case}");
                assert_eq!(client.resumed, Some(false), "{case}");
                assert!(client.peer_certificate.is_some(), "{case}");
                for label in ["CLIENT", "SERVER"].map(|end| format!("{end}_HANDSHAKE_TRAFFIC")) {
                    let line = client.key_log.iter().find(|line| line.starts_with(&label));
                    assert!(
                        line.is_some_and(|line| server.key_log.contains(line)),
                        "{case}"
                    );
                }
                if policy.requests(set) && policy.requires() && !present {
                    assert_eq!(client.outcome, Outcome::Refused, "{case}");
                    assert_eq!(server.outcome, Outcome::Refused, "{case}");
                    assert_eq!(server.alert_sent, Some(CERTIFICATE_REQUIRED), "{case}");
                    assert_eq!(client.alert_received, Some(CERTIFICATE_REQUIRED), "{case}");
                    assert!(server.error.is_some(), "{case}");
                } else {
                    assert_eq!(client.outcome, Outcome::Completed, "{case}");
                    assert_eq!(server.outcome, Outcome::Completed, "{case}");
                    let authenticated = present && policy.requests(set);
                    assert_eq!(server.peer_certificate.is_some(), authenticated, "{case}");
                    let answer = client.answer.clone().unwrap();
                    assert_eq!(answer.client_certificate, server.peer_certificate, "{case}");
                    assert_eq!(answer.tls_flags, flags, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn refuses_a_certificate_of_another_authority_under_request() {
    let names = Names::new();
    let client = Setup {
        identity: Some(Names::new().client),
        ..names.client()
    };
    let (client, server) = connect(client, names.server(Policy::Request)).await;
    assert_eq!(server.outcome, Outcome::Refused, "{server:#?}");
    assert_eq!(client.outcome, Outcome::Refused, "{client:#?}");
    assert_eq!(server.peer_certificate, None);
    assert!(client.alert_received.is_some());
    assert_eq!(client.alert_received, server.alert_sent);
}

#[tokio::test]
async fn sends_the_flags_again_after_hello_retry_request() {
    let names = Names::new();
    for first in [Group::X25519, Group::X25519Mlkem768] {
        let client = Setup {
            groups: vec![first, Group::Secp256r1],
            tls_flags: Some(Hex(FLAG_80.to_vec())),
            identity: Some(names.client.clone()),
            ..names.client()
        };
        let server = Setup {
            groups: vec![Group::Secp256r1],
            ..names.server(Policy::RequireOnFlag)
        };
        let client = prepared(Side::Client, client).unwrap();
        let server = prepared(Side::Server, server).unwrap();
        let (hellos, client, server) = hellos(&*client, &*server).await;
        assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
        assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
        assert_eq!(server.tls_flags_received, Some(Hex(FLAG_80.to_vec())));
        assert_eq!(
            hellos, 2,
            "{first}: extensions of tls_flags, one in each of two ClientHellos"
        );
    }
}

/// Runs a connection; how often the client wrote flag 80's extension in the clear.
async fn hellos(
    client: &dyn Endpoint,
    server: &dyn Endpoint,
) -> (usize, ConnectionReport, ConnectionReport) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut near, mut client_side) = tokio::io::duplex(1 << 16);
    let (mut far, mut server_side) = tokio::io::duplex(1 << 16);
    let relay = async {
        let mut sent = Vec::new();
        let (mut client_read, mut client_write) = tokio::io::split(&mut client_side);
        let (mut server_read, mut server_write) = tokio::io::split(&mut server_side);
        let up = async {
            let mut buffer = [0; 4096];
            loop {
                let n = client_read.read(&mut buffer).await.unwrap();
                if n == 0 {
                    break;
                }
                sent.extend_from_slice(&buffer[..n]);
                server_write.write_all(&buffer[..n]).await.unwrap();
            }
            server_write.shutdown().await.unwrap();
        };
        let down = async {
            tokio::io::copy(&mut server_read, &mut client_write)
                .await
                .unwrap();
            client_write.shutdown().await.unwrap();
        };
        tokio::join!(up, down);
        sent
    };
    let (client, server, sent) = tokio::join!(
        drive(client, 0, &mut near, DEADLINE),
        drive(server, 0, &mut far, DEADLINE),
        relay
    );
    let extension = [&[0, 62, 0, 12][..], &FLAG_80].concat();
    let count = sent
        .windows(extension.len())
        .filter(|window| *window == extension)
        .count();
    (count, client, server)
}

/// Every way in which the `extension_data` of `tls_flags` can be malformed.
const MALFORMED: [&[u8]; 7] = [
    &[],
    &[0],
    &[1, 0],
    &[2, 1, 0],
    &[2, 1],
    &[1, 1, 1],
    &[3, 0, 0, 0],
];

#[tokio::test]
async fn sends_malformed_values_as_they_are_and_refuses_them_under_every_policy() {
    let names = Names::new();
    for data in MALFORMED {
        let flags = Some(Hex(data.to_vec()));
        let client = Setup {
            tls_flags: flags.clone(),
            ..names.client()
        };
        for policy in policies() {
            let (client, server) = connect(client.clone(), names.server(policy)).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(client.tls_flags_sent, flags, "{case}");
            assert_eq!(server.tls_flags_received, flags, "{case}");
            assert_eq!(server.outcome, Outcome::Refused, "{case}");
            assert_eq!(client.outcome, Outcome::Refused, "{case}");
            assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{case}");
            assert_eq!(client.alert_received, Some(ILLEGAL_PARAMETER), "{case}");
        }
    }
}

#[tokio::test]
async fn a_server_without_the_flag_takes_no_notice_of_the_extension() {
    let names = Names::new();
    for data in MALFORMED.into_iter().chain([&FLAG_80[..]]) {
        for (policy, present) in [
            (Policy::Never, false),
            (Policy::Request, false),
            (Policy::Require, true),
        ] {
            let client = Setup {
                tls_flags: Some(Hex(data.to_vec())),
                identity: present.then(|| names.client.clone()),
                ..names.client()
            };
            let server = Setup {
                flag: None,
                ..names.server(policy)
            };
            let (client, server) = connect(client, server).await;
            let case = format!("{policy} {data:?}: {client:#?} {server:#?}");
            assert_eq!(client.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.tls_flags_received, None, "{case}");
            assert_eq!(server.peer_certificate.is_some(), present, "{case}");
        }
    }
}

#[test]
fn a_policy_on_the_flag_needs_its_number() {
    for policy in policies().filter(|policy| policy.is_on_flag()) {
        let setup = Setup {
            flag: None,
            ..Names::new().server(policy)
        };
        let refused = prepared(Side::Server, setup).err();
        assert!(
            matches!(refused, Some(PrepareError::Invalid(_))),
            "{policy}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn takes_the_flag_for_absent_in_tls12() {
    let names = Names::new();
    for data in [&FLAG_80[..], &[2, 1, 0]] {
        let client = Setup {
            tls_flags: Some(Hex(data.to_vec())),
            identity: Some(names.client.clone()),
            ..names.client()
        };
        let server = Setup {
            versions: vec![Version::Tls12],
            ..names.server(Policy::RequireOnFlag)
        };
        let (client, server) = connect(client, server).await;
        assert_eq!(
            client.outcome,
            Outcome::Completed,
            "{client:#?} {server:#?}"
        );
        assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
        assert_eq!(server.peer_certificate, None);
        assert_eq!(server.tls_flags_received, Some(Hex(data.to_vec())));
    }
}

#[tokio::test]
async fn keeps_to_the_versions() {
    let names = Names::new();
    let only = |version| vec![version];
    let client = Setup {
        versions: only(Version::Tls12),
        ..names.client()
    };
    let server = Setup {
        versions: only(Version::Tls13),
        ..names.server(Policy::Never)
    };
    let (client, server) = connect(client, server).await;
    assert_eq!(client.outcome, Outcome::Refused, "{client:#?}");
    assert_eq!(server.outcome, Outcome::Refused, "{server:#?}");
    assert_eq!(server.alert_sent, Some(PROTOCOL_VERSION));
}

#[tokio::test]
async fn every_group_and_suite_that_it_names_makes_a_connection() {
    let names = Names::new();
    let description = peer().describe();
    let groups = Group::ALL
        .iter()
        .filter(|group| description.capabilities.has(&format!("group.{group}")));
    for group in groups {
        let client = Setup {
            groups: vec![*group],
            ..names.client()
        };
        let (client, server) = connect(client, names.server(Policy::Never)).await;
        assert_eq!(
            client.outcome,
            Outcome::Completed,
            "{group}: {client:#?} {server:#?}"
        );
    }
    let suites = CipherSuite::ALL
        .iter()
        .filter(|suite| description.capabilities.has(&format!("cipher.{suite}")));
    for suite in suites {
        let client = Setup {
            cipher_suites: vec![*suite],
            ..names.client()
        };
        let server = Setup {
            cipher_suites: vec![*suite],
            ..names.server(Policy::Never)
        };
        let (client, server) = connect(client, server).await;
        assert_eq!(
            client.outcome,
            Outcome::Completed,
            "{suite}: {client:#?} {server:#?}"
        );
    }
}

#[test]
fn a_suite_that_it_does_not_name_is_unsupported() {
    let description = peer().describe();
    for suite in CipherSuite::ALL {
        let capability = format!("cipher.{suite}");
        if description.capabilities.has(&capability) {
            continue;
        }
        let setup = Setup {
            cipher_suites: vec![*suite],
            ..Names::new().client()
        };
        match prepared(Side::Client, setup) {
            Err(PrepareError::Unsupported(got)) => assert_eq!(got, capability),
            Err(other) => panic!("got {other}, expected {capability} to be unsupported"),
            Ok(_) => panic!("{capability} was prepared"),
        }
    }
}

#[tokio::test]
async fn an_end_of_the_stream_is_broken_not_refused() {
    let names = Names::new();
    for (side, setup) in [
        (Side::Client, names.client()),
        (Side::Server, names.server(Policy::Never)),
    ] {
        let endpoint = prepared(side, setup).unwrap();
        let (mut near, far) = tokio::io::duplex(1 << 16);
        drop(far);
        let report = drive(&*endpoint, 0, &mut near, Duration::from_secs(5)).await;
        assert_eq!(report.outcome, Outcome::Broken, "{side}: {report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_hundreds_of_connections_at_once() {
    let names = Arc::new(Names::new());
    let start = Instant::now();
    let connections: Vec<_> = (0..300)
        .map(|_| {
            let names = Arc::clone(&names);
            tokio::spawn(async move {
                let client = Setup {
                    tls_flags: Some(Hex(FLAG_80.to_vec())),
                    identity: Some(names.client.clone()),
                    ..names.client()
                };
                connect(client, names.server(Policy::RequireOnFlag)).await
            })
        })
        .collect();
    let mut key_logs = std::collections::HashSet::new();
    for connection in connections {
        let (client, server) = connection.await.unwrap();
        assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
        assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
        key_logs.insert(client.key_log);
    }
    assert_eq!(key_logs.len(), 300);
    println!(
        "{:.0} connections a second",
        300.0 / start.elapsed().as_secs_f64()
    );
}

/// The policies that the peer says it can follow.
fn policies() -> impl Iterator<Item = Policy> {
    let description = peer().describe();
    Policy::ALL.iter().copied().filter(move |policy| {
        description
            .capabilities
            .has(&format!("server.policy.{policy}"))
    })
}

fn peer() -> BoringSsl {
    BoringSsl::new()
}

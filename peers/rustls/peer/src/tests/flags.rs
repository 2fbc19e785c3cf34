//! Ends that know `tls_flags`, under either revision.

use reqmtls_contract::{Group, Message, Outcome, Policy, PrepareError, Revision, Setup, Side};

use super::ends::{
    Ended, FLAG_80, ILLEGAL_PARAMETER, MALFORMED, Names, connect, flag_80, prepared, unaware,
    with_flags,
};

/// The number of the extension in the one deployment that there is.
const EARLY: u16 = 0xfe01;

fn rca(setup: Setup) -> Setup {
    Setup {
        revision: Some(Revision::EditorsCopy),
        ..setup
    }
}

#[tokio::test]
async fn keeps_to_the_policies() {
    let names = Names::new();
    let policies = Policy::ALL
        .iter()
        .filter(|it| **it != Policy::PostHandshake);
    for policy in policies.copied() {
        for revision in [Revision::Draft02, Revision::EditorsCopy] {
            for (flags, present) in [
                (None, false),
                (None, true),
                (Some(flag_80()), false),
                (Some(flag_80()), true),
            ] {
                let client = Setup {
                    tls_flags: flags.clone(),
                    revision: Some(revision),
                    identity: present.then(|| names.client.clone()),
                    ..names.client()
                };
                let server = Setup {
                    revision: Some(revision),
                    ..names.server(policy)
                };
                let ended = connect(client, server).await;
                assert_eq!(ended.client.tls_flags_sent, flags);
                assert_eq!(ended.server.tls_flags_received, flags);
                let asks = policy.requests(flags.is_some());
                if asks && policy.requires() && !present {
                    ended.assert_server_sent(116);
                } else {
                    ended.assert_completed();
                    assert_eq!(ended.is_authenticated(), asks && present, "{ended:#?}");
                    let answer = ended.client.answer.clone().unwrap();
                    assert_eq!(answer.client_certificate, ended.server.peer_certificate);
                    assert_eq!(answer.tls_flags, flags);
                }
            }
        }
    }
}

#[tokio::test]
async fn speaks_by_the_number_of_the_extension_that_a_job_has() {
    let names = Names::new();
    for revision in [Revision::Draft02, Revision::EditorsCopy] {
        for (offered, known) in [
            (None, None),
            (Some(EARLY), Some(EARLY)),
            (Some(EARLY), None),
            (None, Some(EARLY)),
        ] {
            let setup = |setup, extension| Setup {
                revision: Some(revision),
                extension,
                ..setup
            };
            let client = setup(names.flagged(), offered);
            let server = setup(names.server(Policy::RequestOnFlag), known);
            let ended = connect(client, server).await;
            ended.assert_completed();
            assert_eq!(ended.client.tls_flags_sent, Some(flag_80()));
            let received = (offered == known).then(flag_80);
            assert_eq!(ended.server.tls_flags_received, received);
            assert_eq!(ended.is_authenticated(), offered == known, "{ended:#?}");
        }
    }
}

/// The client holds the server to the number of its own extension.
#[tokio::test]
async fn flags_under_another_number_are_not_flags() {
    let names = Names::new();
    let client = Setup {
        extension: Some(EARLY),
        ..names.flagged()
    };
    for (extension, refuses) in [(EARLY, true), (62, false)] {
        let mut server = unaware(names.server(Policy::Request));
        server = with_flags(server, Message::CertificateRequest, &[1, 0]);
        for edit in &mut server.edits {
            edit.extension = extension;
        }
        let ended = connect(client.clone(), server).await;
        if refuses {
            ended.assert_client_sent(ILLEGAL_PARAMETER);
        } else {
            ended.assert_completed();
        }
    }
}

/// An acknowledgement that ClientHello did not call for would be refused by the client.
#[tokio::test]
async fn server_of_the_editors_copy_acknowledges_what_was_set() {
    let names = Names::new();
    // A client that sets the flag, with a setup of one that did not: it refuses the acknowledgement.
    let witness = Setup {
        tls_flags: None,
        ..with_flags(rca(names.client()), Message::ClientHello, &FLAG_80)
    };
    for policy in [
        Policy::Request,
        Policy::Require,
        Policy::RequestOnFlag,
        Policy::RequireOnFlag,
    ] {
        let server = rca(names.server(policy));
        let ended = connect(witness.clone(), server).await;
        ended.assert_client_sent(ILLEGAL_PARAMETER);
        // In the other revision nothing is acknowledged.
        let ended = connect(witness.clone(), names.server(policy)).await;
        ended.assert_completed();
        assert!(ended.is_authenticated());
    }
    connect(witness, rca(names.server(Policy::Never)))
        .await
        .assert_completed();
}

async fn retried(client: Setup, server: Setup) -> Ended {
    let client = Setup {
        groups: vec![Group::X25519, Group::Secp256r1],
        ..client
    };
    let server = Setup {
        groups: vec![Group::Secp256r1],
        ..server
    };
    connect(client, server).await
}

/// Draft-ietf-tls-tlsflags, under both revisions: RCA-7 asks the same of these messages.
#[tokio::test]
async fn client_refuses_flags_where_a_server_must_not_acknowledge() {
    let names = Names::new();
    for client in [
        names.client(),
        names.flagged(),
        rca(names.client()),
        rca(names.flagged()),
    ] {
        for data in [&FLAG_80[..], &[1, 1], &[2, 1, 0], &[]] {
            for message in [
                Message::ServerHello,
                Message::EncryptedExtensions,
                Message::Certificate,
            ] {
                // An extension also stands in the messages of a server that knows none.
                let server = with_flags(unaware(names.server(Policy::Request)), message, data);
                let ended = connect(client.clone(), server).await;
                ended.assert_client_sent(ILLEGAL_PARAMETER);
            }
            let server = names.server(Policy::Request);
            let server = with_flags(server, Message::HelloRetryRequest, data);
            retried(client.clone(), server)
                .await
                .assert_client_sent(ILLEGAL_PARAMETER);
        }
    }
}

#[tokio::test]
async fn client_ignores_flags_where_a_server_may_propose_them() {
    let names = Names::new();
    for client in [names.client(), names.flagged()] {
        for message in [Message::CertificateRequest, Message::NewSessionTicket] {
            let server = |data| with_flags(names.server(Policy::Request), message, data);
            for data in [&FLAG_80[..], &[1, 1]] {
                connect(client.clone(), server(data))
                    .await
                    .assert_completed();
            }
            for data in MALFORMED {
                let ended = connect(client.clone(), server(data)).await;
                ended.assert_client_sent(ILLEGAL_PARAMETER);
            }
        }
    }
}

#[tokio::test]
async fn client_of_the_editors_copy_takes_the_flag_in_certificate_request_alone() {
    let names = Names::new();
    let server = |message, data: &[u8]| with_flags(names.server(Policy::Request), message, data);
    for (client, message, data, is_fine) in [
        (
            names.flagged(),
            Message::CertificateRequest,
            &FLAG_80[..],
            true,
        ),
        (names.client(), Message::CertificateRequest, &FLAG_80, false),
        (names.client(), Message::CertificateRequest, &[1, 1], true),
        (names.flagged(), Message::NewSessionTicket, &FLAG_80, false),
        (names.client(), Message::NewSessionTicket, &FLAG_80, false),
        (names.flagged(), Message::NewSessionTicket, &[1, 1], true),
        (
            names.flagged(),
            Message::NewSessionTicket,
            &[2, 1, 0],
            false,
        ),
        (names.flagged(), Message::CertificateRequest, &[], false),
    ] {
        let ended = connect(rca(client), server(message, data)).await;
        if is_fine {
            ended.assert_completed();
        } else {
            ended.assert_client_sent(ILLEGAL_PARAMETER);
        }
    }
}

#[tokio::test]
async fn a_flags_number_is_needed_where_it_is_looked_at() {
    let names = Names::new();
    for (side, setup) in [
        (Side::Server, names.server(Policy::RequestOnFlag)),
        (Side::Server, rca(names.server(Policy::Request))),
        (Side::Client, rca(names.client())),
    ] {
        match prepared(side, unaware(setup)).err() {
            Some(PrepareError::Invalid(error)) => {
                assert!(error.contains("expected a flag"), "{error}");
            }
            other => panic!("got {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_under_request() {
    let names = Names::new();
    let client = Setup {
        identity: Some(Names::new().client),
        ..names.flagged()
    };
    let ended = connect(client, names.server(Policy::Request)).await;
    assert_eq!(ended.server.outcome, Outcome::Refused);
    assert_eq!(ended.server.peer_certificate, None);
    assert!(ended.client.alert_received.is_some());
}

//! Ends that send what they must not.

use reqmtls_contract::{
    Edit, Group, Hex, Message, Outcome, Policy, PrepareError, Setup, Side, Version,
};

use super::ends::{
    DECODE_ERROR, DECRYPT_ERROR, Ended, FLAG_80, ILLEGAL_PARAMETER, MALFORMED, Names,
    UNSUPPORTED_EXTENSION, connect, edit, edited, flag_80, prepared, tls12, unaware, with_flags,
};

/// A handshake with HelloRetryRequest.
fn retrying(client: Setup, server: Setup) -> [Setup; 2] {
    [
        Setup {
            groups: vec![Group::X25519, Group::Secp256r1],
            ..client
        },
        Setup {
            groups: vec![Group::Secp256r1],
            ..server
        },
    ]
}

async fn retried(client: Setup, server: Setup) -> Ended {
    let [client, server] = retrying(client, server);
    connect(client, server).await
}

/// What a stock rustls client does with an unsolicited extension 62.
#[tokio::test]
async fn stock_client_gets_flags_in_each_message() {
    let names = Names::new();
    let server = names.server(Policy::Request);
    for client in [unaware(names.client()), unaware(names.flagged())] {
        for data in [&FLAG_80[..], &[2, 1, 0], &[]] {
            for message in [Message::ServerHello, Message::EncryptedExtensions] {
                let server = with_flags(server.clone(), message, data);
                let ended = connect(client.clone(), server.clone()).await;
                ended.assert_client_sent(UNSUPPORTED_EXTENSION);
                let ended = connect(client.clone(), unaware(server)).await;
                ended.assert_client_sent(UNSUPPORTED_EXTENSION);
            }
            let server = |message| with_flags(server.clone(), message, data);
            retried(client.clone(), server(Message::HelloRetryRequest))
                .await
                .assert_client_sent(UNSUPPORTED_EXTENSION);
            connect(client.clone(), server(Message::Certificate))
                .await
                .assert_client_sent(DECODE_ERROR);
            for message in [Message::CertificateRequest, Message::NewSessionTicket] {
                let ended = connect(client.clone(), server(message)).await;
                ended.assert_completed();
                assert!(ended.is_authenticated());
            }
        }
    }
}

/// What a stock rustls server does with extension 62.
#[tokio::test]
async fn stock_server_gets_flags_in_each_message() {
    let names = Names::new();
    for policy in [Policy::Never, Policy::Request, Policy::Require] {
        let server = unaware(names.server(policy));
        for data in MALFORMED.into_iter().chain([&FLAG_80[..]]) {
            let client = Setup {
                tls_flags: Some(data.into()),
                ..names.client()
            };
            let ended = connect(client, server.clone()).await;
            ended.assert_completed();
            assert_eq!(ended.client.tls_flags_sent, Some(data.into()));
            assert_eq!(ended.server.tls_flags_received, None);
        }
        let twice = with_flags(names.flagged(), Message::ClientHello, &FLAG_80);
        connect(twice, server.clone())
            .await
            .assert_server_sent(ILLEGAL_PARAMETER);
        let changed = with_flags(names.client(), Message::SecondClientHello, &FLAG_80);
        retried(changed, server.clone()).await.assert_completed();
    }
    let client = with_flags(names.flagged(), Message::Certificate, &FLAG_80);
    connect(client, unaware(names.server(Policy::Request)))
        .await
        .assert_server_sent(DECODE_ERROR);
}

/// What rustls with flags does with the same.
#[tokio::test]
async fn knowing_server_refuses_flags_where_they_must_not_be() {
    let names = Names::new();
    for policy in [
        Policy::Never,
        Policy::Request,
        Policy::Require,
        Policy::RequestOnFlag,
        Policy::RequireOnFlag,
    ] {
        let server = names.server(policy);
        for data in MALFORMED {
            let client = Setup {
                tls_flags: Some(data.into()),
                ..names.client()
            };
            let ended = connect(client.clone(), server.clone()).await;
            ended.assert_server_sent(ILLEGAL_PARAMETER);
            assert_eq!(ended.server.tls_flags_received, Some(data.into()));
            connect(tls12(client), server.clone())
                .await
                .assert_completed();
        }
        let twice = with_flags(names.flagged(), Message::ClientHello, &FLAG_80);
        connect(twice, server.clone())
            .await
            .assert_server_sent(ILLEGAL_PARAMETER);
        let changed = with_flags(names.client(), Message::SecondClientHello, &FLAG_80);
        retried(changed, server.clone())
            .await
            .assert_server_sent(ILLEGAL_PARAMETER);
    }
    let client = with_flags(names.flagged(), Message::Certificate, &FLAG_80);
    connect(client, names.server(Policy::RequestOnFlag))
        .await
        .assert_server_sent(ILLEGAL_PARAMETER);
}

#[tokio::test]
async fn edits_are_sent_octet_for_octet_and_reported() {
    let names = Names::new();
    let server = unaware(names.server(Policy::Never));
    let data = [0xab; 300];
    let extension = [&[0xfa, 0xfa, 1, 44][..], &data].concat();
    for (message, count) in [
        (Message::ClientHello, 2),
        (Message::FirstClientHello, 1),
        (Message::SecondClientHello, 1),
    ] {
        let edits = [edit(message, 0xfafa, Some(&data))];
        let ended = retried(edited(names.client(), &edits), server.clone()).await;
        ended.assert_completed();
        assert_eq!(ended.written(&extension), count, "{message}");
    }
    let removed = [
        edit(Message::ClientHello, 62, None),
        edit(Message::ClientHello, 62, Some(&[1, 4])),
    ];
    let ended = connect(edited(names.flagged(), &removed), server.clone()).await;
    ended.assert_completed();
    assert_eq!(ended.written(&[0, 62, 0, 12]), 0);
    assert_eq!(ended.written(&[0, 62, 0, 2, 1, 4]), 1);
    assert_eq!(ended.client.tls_flags_sent, Some(Hex(vec![1, 4])));
}

/// An edited server still chooses by the flag.
#[tokio::test]
async fn misbehaving_server_keeps_its_policy() {
    let names = Names::new();
    let server = edited(
        names.server(Policy::RequireOnFlag),
        &[
            edit(Message::CertificateRequest, 62, Some(&FLAG_80)),
            edit(Message::NewSessionTicket, 62, Some(&FLAG_80)),
        ],
    );
    for (flags, authenticated) in [(None, false), (Some(flag_80()), true)] {
        let client = Setup {
            tls_flags: flags,
            ..names.client()
        };
        let ended = connect(client, server.clone()).await;
        ended.assert_completed();
        assert_eq!(ended.is_authenticated(), authenticated);
    }
}

#[track_caller]
fn refused(side: Side, setup: Setup, text: &str) {
    match prepared(side, setup).err() {
        Some(PrepareError::Invalid(error)) => assert!(error.contains(text), "{error}"),
        other => panic!("got {other:?}, expected an error with {text:?}"),
    }
}

#[tokio::test]
async fn edits_that_could_not_be_made_are_refused() {
    let names = Names::new();
    let server = names.server(Policy::Require);
    let wrong_end = with_flags(names.client(), Message::ServerHello, &FLAG_80);
    refused(Side::Client, wrong_end, "ServerHello");
    let half = edit(Message::CertificateRequest, 62, Some(&[0; 600]));
    refused(
        Side::Server,
        edited(server.clone(), &[half.clone(), half]),
        "certificate_request would grow by 1208 octets, expected 1024",
    );
    let mut long = server.clone();
    if let Some(identity) = &mut long.identity {
        identity.certificates = identity.certificates.repeat(20);
    }
    refused(
        Side::Server,
        with_flags(long, Message::Certificate, &FLAG_80),
        "expected 6000 at most",
    );
    let plain = vec![0; 1 << 15];
    refused(
        Side::Client,
        with_flags(names.client(), Message::ClientHello, &plain),
        "expected 32768 at most",
    );
}

/// In TLS 1.2 these messages have no extensions, which a report must not hide.
#[tokio::test]
async fn edits_that_were_not_made_are_reported() {
    let names = Names::new();
    let server = names.server(Policy::Request);
    let edited = with_flags(server.clone(), Message::CertificateRequest, &FLAG_80);
    let ended = connect(tls12(names.client()), edited).await;
    assert_eq!(ended.client.outcome, Outcome::Completed);
    assert_eq!(ended.server.outcome, Outcome::Broken);
    let error = ended.server.error.unwrap();
    assert!(error.contains("certificate_request"), "{error}");
    let edited = with_flags(tls12(names.client()), Message::Certificate, &FLAG_80);
    let ended = connect(edited, server).await;
    assert_eq!(ended.client.outcome, Outcome::Broken);
    assert_eq!(ended.server.outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_bad_signature_does_not_verify() {
    let names = Names::new();
    let bad = |setup| Setup {
        bad_certificate_verify: true,
        ..setup
    };
    for version in [Version::Tls12, Version::Tls13] {
        let client = Setup {
            versions: vec![version],
            ..names.client()
        };
        let server = names.server(Policy::Request);
        connect(bad(client.clone()), server.clone())
            .await
            .assert_server_sent(DECRYPT_ERROR);
        let ended = connect(client, bad(server)).await;
        match version {
            Version::Tls13 => ended.assert_client_sent(DECRYPT_ERROR),
            // A TLS 1.2 server sends no CertificateVerify.
            Version::Tls12 => ended.assert_completed(),
        }
    }
    // Nobody asks for it, so nobody sees it.
    connect(bad(names.client()), names.server(Policy::Never))
        .await
        .assert_completed();
}

/// An edit of the job, behind everything else.
#[tokio::test]
async fn last_is_behind_everything() {
    let names = Names::new();
    let last = Edit {
        last: true,
        ..edit(Message::ClientHello, 62, Some(&FLAG_80))
    };
    let behind = edit(Message::ClientHello, 0xfafa, Some(&[7; 9]));
    let client = edited(names.client(), &[behind, last]);
    let ended = connect(client, names.server(Policy::RequireOnFlag)).await;
    ended.assert_completed();
    assert!(ended.is_authenticated());
    let both = [&[0xfa, 0xfa, 0, 9][..], &[7; 9], &[0, 62, 0, 12], &FLAG_80].concat();
    assert_eq!(ended.written(&both), 1);
}

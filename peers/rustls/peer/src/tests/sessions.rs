//! Connections that offer the session of another, and early data.

use reqmtls_contract::{
    Edit, Group, Hex, Message, Outcome, Policy, REQUEST, Resumption, Revision, Setup,
};

use super::ends::{
    Ended, Ends, FLAG_80, ILLEGAL_PARAMETER, Names, connect, edit, edited, flag_80, tls12, unaware,
};

/// `setup` with a connection 1 that sends these flags.
fn resuming(setup: Setup, tls_flags: Option<Hex>) -> Setup {
    let resumption = Resumption {
        tls_flags,
        early_data: false,
    };
    Setup {
        resumption: Some(resumption),
        ..setup
    }
}

/// The same, and its request goes early.
fn early(setup: Setup, tls_flags: Option<Hex>) -> Setup {
    let resumption = Resumption {
        tls_flags,
        early_data: true,
    };
    Setup {
        resumption: Some(resumption),
        ..setup
    }
}

async fn twice(client: Setup, server: Setup) -> [Ended; 2] {
    let ends = Ends::new(client, server);
    let first = ends.connect(0).await;
    first.assert_completed();
    assert_eq!(first.client.resumed, Some(false));
    [first, ends.connect(1).await]
}

#[track_caller]
fn assert_second(second: &Ended, resumed: bool, authenticated: bool) {
    second.assert_completed();
    assert_eq!(second.client.resumed, Some(resumed), "{second:#?}");
    assert_eq!(second.server.resumed, Some(resumed), "{second:#?}");
    assert_eq!(second.is_authenticated(), authenticated, "{second:#?}");
}

/// Each connection sends its own flags, and a session is resumed whatever they are, where the server's
/// configuration is the same.
#[tokio::test]
async fn a_session_is_offered_with_other_flags() {
    let names = Names::new();
    let other = Some(Hex(vec![1, 4]));
    for (policy, authenticated) in [
        (Policy::Never, false),
        (Policy::Request, true),
        (Policy::Require, true),
    ] {
        for [first, second] in [
            [None, None],
            [None, Some(flag_80())],
            [Some(flag_80()), None],
            [Some(flag_80()), Some(flag_80())],
            [Some(flag_80()), other.clone()],
        ] {
            for aware in [true, false] {
                let client = Setup {
                    tls_flags: first.clone(),
                    ..resuming(names.client(), second.clone())
                };
                let (client, server) = if aware {
                    (client, names.server(policy))
                } else {
                    (unaware(client), unaware(names.server(policy)))
                };
                let ended = twice(client, server).await;
                assert_second(&ended[1], true, authenticated);
                for (ended, flags) in ended.iter().zip([&first, &second]) {
                    assert_eq!(ended.client.tls_flags_sent, *flags);
                    let extension = flags.as_ref().map_or(vec![0, 62, 0, 12], |flags| {
                        let length = u8::try_from(flags.0.len()).unwrap();
                        [&[0, 62, 0, length][..], &flags.0].concat()
                    });
                    let count = usize::from(flags.is_some());
                    assert_eq!(ended.written(&extension), count, "{ended:#?}");
                    let seen = flags.clone().filter(|_| aware);
                    assert_eq!(ended.server.tls_flags_received, seen);
                }
            }
        }
    }
}

/// A server on the flag has sessions of its own for each kind of client authentication.
#[tokio::test]
async fn a_session_stays_with_the_kind_of_authentication_that_made_it() {
    let names = Names::new();
    for policy in [Policy::RequestOnFlag, Policy::RequireOnFlag] {
        for (first, second, resumed) in [
            (None, None, true),
            // Asked in a full handshake: the session without authentication is not known here.
            (None, Some(flag_80()), false),
            (Some(flag_80()), None, false),
            (Some(flag_80()), Some(flag_80()), true),
        ] {
            let client = Setup {
                tls_flags: first.clone(),
                ..resuming(names.client(), second.clone())
            };
            let [first_ended, ended] = twice(client, names.server(policy)).await;
            assert_eq!(first_ended.is_authenticated(), first.is_some());
            assert_second(&ended, resumed, second.is_some());
        }
    }
}

/// Nor does a session without a certificate spare a client the refusal.
#[tokio::test]
async fn a_client_without_a_certificate_is_refused_when_its_session_meets_the_flag() {
    let names = Names::new();
    let client = Setup {
        identity: None,
        ..resuming(names.client(), Some(flag_80()))
    };
    let [_, ended] = twice(client.clone(), names.server(Policy::RequestOnFlag)).await;
    assert_second(&ended, false, false);
    let [_, ended] = twice(client, names.server(Policy::RequireOnFlag)).await;
    ended.assert_server_sent(116);
    assert_eq!(ended.server.resumed, None);
}

#[tokio::test]
async fn the_editors_copy_resumes_with_and_without_the_flag() {
    let names = Names::new();
    let rca = |setup| Setup {
        revision: Some(Revision::EditorsCopy),
        ..setup
    };
    for (first, second) in [
        (None, Some(flag_80())),
        (Some(flag_80()), None),
        (Some(flag_80()), Some(flag_80())),
    ] {
        let client = Setup {
            tls_flags: first,
            ..resuming(rca(names.client()), second)
        };
        // The flag chooses between two configurations that share their sessions.
        let [_, ended] = twice(client, rca(names.server(Policy::Require))).await;
        assert_second(&ended, true, true);
    }
}

/// A full handshake on connection 1 is judged by the flags of connection 1.
#[tokio::test]
async fn an_acknowledgement_is_held_against_the_connections_own_flags() {
    let names = Names::new();
    let server = edited(
        names.server(Policy::Request),
        &[edit(Message::CertificateRequest, 62, Some(&FLAG_80))],
    );
    for (second, is_fine) in [(Some(flag_80()), true), (None, false)] {
        let client = Setup {
            revision: Some(Revision::EditorsCopy),
            ..resuming(names.flagged(), second)
        };
        let client = Ends::new(client, server.clone());
        // Connection 0 is left out, so connection 1 has no session to offer.
        let ended = client.connect(1).await;
        if is_fine {
            ended.assert_completed();
            assert_eq!(ended.client.resumed, Some(false));
        } else {
            ended.assert_client_sent(ILLEGAL_PARAMETER);
        }
    }
}

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

#[tokio::test]
async fn a_session_is_offered_after_a_hello_retry_request() {
    let names = Names::new();
    // Other flags in the hello after HelloRetryRequest.
    let changed: &[Edit] = &[
        edit(Message::SecondClientHello, 62, None),
        edit(Message::SecondClientHello, 62, Some(&[1, 4])),
    ];
    for (edits, count) in [(&[][..], 2), (changed, 1)] {
        let client = edited(resuming(names.client(), Some(flag_80())), edits);
        let [client, server] = retrying(client, unaware(names.server(Policy::Require)));
        let ends = Ends::new(client, server);
        ends.connect(0).await.assert_completed();
        let second = ends.connect(1).await;
        assert_second(&second, true, true);
        let extension = [&[0, 62, 0, 12][..], &FLAG_80].concat();
        assert_eq!(second.written(&extension), count, "{second:#?}");
    }
}

/// RFC 8446 §4.2.11 wants `pre_shared_key` last.
#[tokio::test]
async fn flags_behind_pre_shared_key_are_refused() {
    let names = Names::new();
    let last = Edit {
        last: true,
        ..edit(Message::ClientHello, 62, Some(&FLAG_80))
    };
    let client = edited(resuming(names.client(), None), &[last]);
    for server in [
        names.server(Policy::Require),
        unaware(names.server(Policy::Require)),
    ] {
        let [first, second] = twice(client.clone(), server).await;
        assert!(first.is_authenticated());
        second.assert_server_sent(ILLEGAL_PARAMETER);
        assert_eq!(second.written(&FLAG_80), 1);
    }
}

#[tokio::test]
async fn a_tls12_session_is_offered_with_other_flags() {
    let names = Names::new();
    for second in [None, Some(flag_80())] {
        let client = resuming(tls12(names.flagged()), second);
        let [_, ended] = twice(client, names.server(Policy::Require)).await;
        assert_second(&ended, true, true);
    }
}

/// Each connection's TLS 1.2 signature covers the hello of that connection.
#[tokio::test]
async fn a_tls12_client_signs_what_it_sent_where_there_is_no_session() {
    let names = Names::new();
    let client = resuming(tls12(names.flagged()), None);
    let ended = Ends::new(client, names.server(Policy::Require))
        .connect(1)
        .await;
    assert_second(&ended, false, true);
}

fn takes_early(setup: Setup) -> Setup {
    Setup {
        early_data: true,
        ..setup
    }
}

#[track_caller]
fn assert_early(ended: &Ended, accepted: bool) {
    ended.assert_completed();
    assert_eq!(ended.client.early_data, Some(accepted), "{ended:#?}");
    let told = accepted.then_some(true);
    assert_eq!(ended.server.early_data, told, "{ended:#?}");
    assert!(ended.client.answer.is_some());
    // The request is encrypted in any case.
    assert_eq!(ended.written(REQUEST), 0);
    for report in [&ended.client, &ended.server] {
        let label = "CLIENT_EARLY_TRAFFIC_SECRET";
        let is_logged = report.key_log.iter().any(|line| line.starts_with(label));
        // A server that resumes the session derives it, whether or not it accepts early data.
        let is_needed = report.resumed == Some(true) || report == &ended.client;
        assert_eq!(is_logged, is_needed, "{report:#?}");
    }
}

#[tokio::test]
async fn early_data_is_accepted_with_the_session_that_allows_it() {
    let names = Names::new();
    for (flags, policy) in [
        (None, Policy::Never),
        (Some(flag_80()), Policy::Require),
        (Some(flag_80()), Policy::RequireOnFlag),
    ] {
        let client = Setup {
            tls_flags: flags.clone(),
            ..early(names.client(), flags)
        };
        let [first, second] = twice(client, takes_early(names.server(policy))).await;
        assert_eq!(first.client.early_data, None);
        assert_eq!(first.server.early_data, None);
        assert_second(&second, true, policy != Policy::Never);
        assert_early(&second, true);
    }
    let client = early(unaware(names.client()), Some(flag_80()));
    let server = takes_early(unaware(names.server(Policy::Require)));
    let [_, second] = twice(client, server).await;
    assert_second(&second, true, true);
    assert_early(&second, true);
}

/// The flag leads to a configuration that does not know the session.
#[tokio::test]
async fn early_data_is_refused_with_the_session_and_sent_again() {
    let names = Names::new();
    for policy in [Policy::RequestOnFlag, Policy::RequireOnFlag] {
        let client = early(names.client(), Some(flag_80()));
        let [_, second] = twice(client, takes_early(names.server(policy))).await;
        assert_second(&second, false, true);
        assert_early(&second, false);
    }
}

#[tokio::test]
async fn early_data_is_not_offered_where_the_session_does_not_allow_it() {
    let names = Names::new();
    let client = early(names.client(), Some(flag_80()));
    let [_, second] = twice(client, names.server(Policy::Request)).await;
    assert_second(&second, true, true);
    assert_eq!(second.client.early_data, None);
}

#[tokio::test]
async fn early_data_refused_by_a_hello_retry_request_is_sent_again() {
    let names = Names::new();
    let client = early(names.client(), Some(flag_80()));
    let server = takes_early(names.server(Policy::Require));
    let [client, server] = retrying(client, server);
    let [_, second] = twice(client, server).await;
    assert_second(&second, true, true);
    assert_early(&second, false);
}

/// What an edit adds stands in the hello whose early data is encrypted.
#[tokio::test]
async fn early_data_goes_behind_an_edited_hello() {
    let names = Names::new();
    let client = edited(
        early(names.client(), None),
        &[edit(Message::ClientHello, 0xfafa, Some(&[7; 40]))],
    );
    let [_, second] = twice(client, takes_early(names.server(Policy::Request))).await;
    assert_early(&second, true);
    assert_eq!(second.written(&[7; 40]), 1);
}

/// Sessions are not shared between jobs.
#[tokio::test]
async fn another_jobs_sessions_are_unknown() {
    let names = Names::new();
    let setup = resuming(names.client(), None);
    let ends = Ends::new(setup.clone(), names.server(Policy::Require));
    ends.connect(0).await.assert_completed();
    let other = Ends::new(setup, names.server(Policy::Require));
    assert_second(&other.connect(1).await, false, true);
    let ended = connect(names.client(), names.server(Policy::Require)).await;
    assert_eq!(ended.client.outcome, Outcome::Completed);
    assert_eq!(ended.client.resumed, Some(false));
}

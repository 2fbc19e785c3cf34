//! Sessions, and the early data that they allow.

use reqmtls_contract::Resumption;

use super::*;

const EARLY_SECRET: &str = "CLIENT_EARLY_TRAFFIC_SECRET ";

/// The two ends of a job that resumes.
struct Job {
    client: Arc<dyn Endpoint>,
    server: Arc<dyn Endpoint>,
}

impl Job {
    fn new(client: Setup, server: Setup) -> Self {
        Self {
            client: prepared(&peer(), Side::Client, client).unwrap(),
            server: prepared(&peer(), Side::Server, server).unwrap(),
        }
    }

    /// Connection 0, which has to complete in a full handshake.
    async fn first(&self) {
        let (client, server) = joined(&self.client, &self.server, 0).await;
        let case = format!("{client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(client.resumed, Some(false), "{case}");
        assert_eq!(server.resumed, Some(false), "{case}");
        assert_eq!(client.early_data, None, "{case}");
        assert_eq!(server.early_data, None, "{case}");
    }

    async fn second(&self) -> (ConnectionReport, ConnectionReport) {
        joined(&self.client, &self.server, 1).await
    }
}

fn resuming(names: &Names, resumption: Resumption) -> Setup {
    Setup {
        resumption: Some(resumption),
        ..names.client()
    }
}

fn early(names: &Names) -> Setup {
    let early_data = true;
    resuming(
        names,
        Resumption {
            early_data,
            ..Resumption::default()
        },
    )
}

fn accepting(names: &Names) -> Setup {
    Setup {
        early_data: true,
        ..names.server(Policy::Never)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resumes_with_flags_of_its_own() {
    let names = Names::new();
    let set = Some(Hex(FLAG_80.to_vec()));
    for version in [Version::Tls12, Version::Tls13] {
        for (first, second) in [
            (None, set.clone()),
            (set.clone(), None),
            (set.clone(), set.clone()),
        ] {
            let resumption = Resumption {
                tls_flags: second.clone(),
                ..Resumption::default()
            };
            let client = Setup {
                versions: vec![version],
                tls_flags: first,
                identity: Some(names.client.clone()),
                ..resuming(&names, resumption)
            };
            let job = Job::new(client, names.server(Policy::Request));
            job.first().await;
            let (client, server) = job.second().await;
            let case = format!("{version}: {client:#?} {server:#?}");
            assert_eq!(client.outcome, Outcome::Completed, "{case}");
            assert_eq!(server.outcome, Outcome::Completed, "{case}");
            assert_eq!(client.resumed, Some(true), "{case}");
            assert_eq!(server.resumed, Some(true), "{case}");
            assert_eq!(client.tls_flags_sent, second, "{case}");
            assert_eq!(server.tls_flags_received, second, "{case}");
            // Authentication comes with the session, both ways.
            assert!(client.peer_certificate.is_some(), "{case}");
            assert!(server.peer_certificate.is_some(), "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_made_without_a_certificate_is_resumed_where_one_would_be_asked_for() {
    let names = Names::new();
    let resumption = Resumption {
        tls_flags: Some(Hex(FLAG_80.to_vec())),
        ..Resumption::default()
    };
    let client = Setup {
        identity: Some(names.client.clone()),
        ..resuming(&names, resumption)
    };
    let job = Job::new(client, names.server(Policy::RequireOnFlag));
    job.first().await;
    let (client, server) = job.second().await;
    assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
    assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
    assert_eq!(server.resumed, Some(true));
    assert_eq!(server.peer_certificate, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_malformed_flags_beside_a_session() {
    let names = Names::new();
    for early_data in [false, true] {
        let resumption = Resumption {
            tls_flags: Some(Hex(vec![2, 1, 0])),
            early_data,
        };
        let job = Job::new(resuming(&names, resumption), accepting(&names));
        job.first().await;
        let (client, server) = job.second().await;
        let case = format!("{client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Refused, "{case}");
        assert_eq!(server.outcome, Outcome::Refused, "{case}");
        assert_eq!(server.alert_sent, Some(ILLEGAL_PARAMETER), "{case}");
        assert_eq!(client.alert_received, Some(ILLEGAL_PARAMETER), "{case}");
        assert_eq!(client.early_data, None, "{case}");
        assert_eq!(client.resumed, None, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_unknown_to_another_job() {
    let names = Names::new();
    let client = resuming(&names, Resumption::default());
    let mut job = Job::new(client, names.server(Policy::Never));
    job.first().await;
    job.server = prepared(&peer(), Side::Server, names.server(Policy::Never)).unwrap();
    let (client, server) = job.second().await;
    assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
    assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
    assert_eq!(client.resumed, Some(false));
    assert_eq!(server.resumed, Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_the_handshake_is_full() {
    let names = Names::new();
    let job = Job::new(early(&names), accepting(&names));
    let (client, server) = job.second().await;
    assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
    assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
    assert_eq!(client.resumed, Some(false));
    assert_eq!(client.early_data, None);
    assert_eq!(server.early_data, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn early_data_is_accepted() {
    let names = Names::new();
    // With the flag's number and without: the second server looks at nothing else.
    for flag in [Some(FLAG), None] {
        let client = Setup {
            tls_flags: Some(Hex(FLAG_80.to_vec())),
            ..early(&names)
        };
        let server = Setup {
            flag,
            ..accepting(&names)
        };
        let job = Job::new(client, server);
        job.first().await;
        let (client, server) = job.second().await;
        let case = format!("{client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(client.resumed, Some(true), "{case}");
        assert_eq!(server.resumed, Some(true), "{case}");
        assert_eq!(client.early_data, Some(true), "{case}");
        assert_eq!(server.early_data, Some(true), "{case}");
        assert!(client.answer.is_some(), "{case}");
        let mut secrets = client.key_log.iter();
        let secret = secrets.find(|line| line.starts_with(EARLY_SECRET));
        assert!(
            secret.is_some_and(|line| server.key_log.contains(line)),
            "{case}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_early_data_is_sent_again() {
    let names = Names::new();
    // A server that does not know the session; one that wants another key share.
    let mut unknown = Job::new(early(&names), accepting(&names));
    unknown.first().await;
    unknown.server = prepared(&peer(), Side::Server, accepting(&names)).unwrap();
    let client = Setup {
        groups: vec![Group::X25519, Group::Secp256r1],
        ..early(&names)
    };
    let server = Setup {
        groups: vec![Group::Secp256r1],
        ..accepting(&names)
    };
    let retried = Job::new(client, server);
    retried.first().await;
    for (job, resumed) in [(unknown, false), (retried, true)] {
        let (client, server) = job.second().await;
        let case = format!("{client:#?} {server:#?}");
        assert_eq!(client.outcome, Outcome::Completed, "{case}");
        assert_eq!(server.outcome, Outcome::Completed, "{case}");
        assert_eq!(client.resumed, Some(resumed), "{case}");
        assert_eq!(server.resumed, Some(resumed), "{case}");
        assert_eq!(client.early_data, Some(false), "{case}");
        assert_eq!(server.early_data, Some(false), "{case}");
        assert!(client.answer.is_some(), "{case}");
        let mut secrets = client.key_log.iter();
        assert!(secrets.any(|line| line.starts_with(EARLY_SECRET)), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn early_data_is_not_offered_with_a_session_that_does_not_allow_it() {
    let names = Names::new();
    let job = Job::new(early(&names), names.server(Policy::Never));
    job.first().await;
    let (client, server) = job.second().await;
    assert_eq!(client.outcome, Outcome::Completed, "{client:#?}");
    assert_eq!(server.outcome, Outcome::Completed, "{server:#?}");
    assert_eq!(client.resumed, Some(true));
    assert_eq!(client.early_data, None);
    assert_eq!(server.early_data, None);
}

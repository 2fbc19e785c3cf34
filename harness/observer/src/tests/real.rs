//! Connections between real ends.

use rustls::crypto::aws_lc_rs::kx_group::{SECP256R1, X25519};

use super::ends::{ClientAuth, Ends, Setup};
use crate::{
    CipherSuite, Content, DEFAULT_FLAG, Ending, KeyLog, KeyLogDifference, Label, ProtocolVersion,
    Recording, Side, Transcript,
};

fn text(recording: &Recording, log: &KeyLog) -> String {
    Transcript::observe(recording, log).text(DEFAULT_FLAG)
}

fn connected(setup: &Setup) -> String {
    let ends = Ends::new(setup);
    text(&ends.connect(), &ends.log())
}

const PLAIN: &str = "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions}
S  {Certificate}         certificates=1
S  {CertificateVerify}
S  {Finished}
C  {Finished}
C  [ApplicationData]
S  [NewSessionTicket]
S  [NewSessionTicket]
S  [ApplicationData]
C  [Alert]               warning close_notify(0)
S  [Alert]               warning close_notify(0)
";

#[test]
fn reads_a_handshake_with_each_suite() {
    for suite in [0x1301, 0x1302, 0x1303].map(CipherSuite) {
        let ends = Ends::new(&Setup {
            suite,
            ..Setup::default()
        });
        let transcript = Transcript::observe(&ends.connect(), &ends.log());
        assert_eq!(transcript.text(DEFAULT_FLAG), PLAIN, "{suite}");
        assert_eq!(transcript.cipher_suite, Some(suite));
        assert_eq!(transcript.version, Some(ProtocolVersion::TLS13));
        assert_eq!(transcript.client_ending, Ending::HalfClose);
        assert_eq!(transcript.defects, []);
    }
}

#[test]
fn reads_a_hello_retry_request() {
    let setup = Setup {
        client_groups: vec![X25519, SECP256R1],
        server_groups: vec![SECP256R1],
        ..Setup::default()
    };
    let hellos = "C  ClientHello\nS  HelloRetryRequest\nC  ClientHello\nS  ServerHello\n";
    assert_eq!(
        connected(&setup),
        PLAIN.replace("C  ClientHello\nS  ServerHello\n", hellos)
    );
}

#[test]
fn reads_client_authentication() {
    let setup = Setup {
        auth: ClientAuth::Required,
        client_has_certificate: true,
        ..Setup::default()
    };
    assert_eq!(
        connected(&setup),
        "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions}
S  {CertificateRequest}
S  {Certificate}         certificates=1
S  {CertificateVerify}
S  {Finished}
C  {Certificate}         certificates=1
C  {CertificateVerify}
C  {Finished}
C  [ApplicationData]
S  [NewSessionTicket]
S  [NewSessionTicket]
S  [ApplicationData]
C  [Alert]               warning close_notify(0)
S  [Alert]               warning close_notify(0)
"
    );
}

#[test]
fn reads_an_optional_request_that_is_declined() {
    let setup = Setup {
        auth: ClientAuth::Optional,
        ..Setup::default()
    };
    let text = connected(&setup);
    assert!(
        text.contains("C  {Certificate}         certificates=0\nC  {Finished}\n"),
        "{text}"
    );
    assert!(text.contains("S  [ApplicationData]\n"), "{text}");
}

#[test]
fn reads_the_servers_refusal_of_an_absent_certificate() {
    let setup = Setup {
        auth: ClientAuth::Required,
        ..Setup::default()
    };
    assert_eq!(
        connected(&setup),
        "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions}
S  {CertificateRequest}
S  {Certificate}         certificates=1
S  {CertificateVerify}
S  {Finished}
C  {Certificate}         certificates=0
C  {Finished}
S  [Alert]               fatal certificate_required(116)
"
    );
}

#[test]
fn reads_the_clients_refusal_of_the_servers_certificate() {
    let setup = Setup {
        client_trusts_server: false,
        ..Setup::default()
    };
    assert_eq!(
        connected(&setup),
        "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions}
S  {Certificate}         certificates=1
S  {CertificateVerify}
S  {Finished}
C  {Alert}               fatal unknown_ca(48)
"
    );
}

const RESUMED: &str = "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions}
S  {Finished}
C  {Finished}
C  [ApplicationData]
S  [NewSessionTicket]
S  [NewSessionTicket]
S  [ApplicationData]
C  [Alert]               warning close_notify(0)
S  [Alert]               warning close_notify(0)
";

#[test]
fn reads_a_resumption() {
    let ends = Ends::new(&Setup::default());
    assert_eq!(text(&ends.connect(), &ends.log()), PLAIN);
    assert_eq!(text(&ends.connect(), &ends.log()), RESUMED);
}

#[test]
fn reads_early_data_that_is_accepted() {
    let ends = Ends::new(&Setup {
        early_data: true,
        ..Setup::default()
    });
    ends.connect();
    let recording = ends.connect();
    let early = "C  (ApplicationData)\nC  (EndOfEarlyData)\nS  {EncryptedExtensions}\n";
    assert_eq!(
        text(&recording, &ends.log()),
        RESUMED.replace("S  {EncryptedExtensions}\n", early)
    );
}

#[test]
fn reads_early_data_that_is_rejected() {
    let mut ends = Ends::new(&Setup {
        early_data: true,
        ..Setup::default()
    });
    ends.connect();
    ends.refuse_early_data();
    let recording = ends.connect();
    let early = "C  (ApplicationData)\nS  {EncryptedExtensions}\n";
    assert_eq!(
        text(&recording, &ends.log()),
        RESUMED.replace("S  {EncryptedExtensions}\n", early)
    );
}

#[test]
fn follows_key_updates() {
    let ends = Ends::new(&Setup::default());
    let mut connection = ends.start();
    for _ in 0..2 {
        connection.exchange();
        connection.client.refresh_traffic_keys().unwrap();
        connection.pump();
    }
    connection.server.refresh_traffic_keys().unwrap();
    connection.exchange();
    let log = ends.log();
    let transcript = Transcript::observe(&connection.finish(), &log);
    assert_eq!(transcript.defects, []);
    let text = transcript.text(DEFAULT_FLAG);
    let of = |side: char| -> Vec<&str> {
        let lines = text.lines().filter(|line| line.starts_with(side));
        lines
            .filter_map(|line| line[3..].strip_prefix('[')?.split(']').next())
            .collect()
    };
    assert_eq!(
        of('C').iter().filter(|name| **name == "KeyUpdate").count(),
        3,
        "{text}"
    );
    assert_eq!(
        of('S').iter().filter(|name| **name == "KeyUpdate").count(),
        3,
        "{text}"
    );
    assert_eq!(
        of('C')
            .iter()
            .filter(|name| **name == "ApplicationData")
            .count(),
        3,
        "{text}"
    );
    assert!(
        text.ends_with("S  [Alert]               warning close_notify(0)\n"),
        "{text}"
    );
}

#[test]
fn says_which_secrets_are_missing() {
    let ends = Ends::new(&Setup::default());
    let other = Ends::new(&Setup::default());
    other.connect();
    assert_eq!(
        text(&ends.connect(), &other.log()),
        "\
C  ClientHello
S  ServerHello
S  (encrypted)
C  (encrypted)
! client: no secret CLIENT_HANDSHAKE_TRAFFIC_SECRET for this connection
! server: no secret SERVER_HANDSHAKE_TRAFFIC_SECRET for this connection
"
    );
}

#[test]
fn reads_on_where_only_handshake_secrets_are_missing() {
    let ends = Ends::new(&Setup::default());
    let recording = ends.connect();
    let lines = ends.log().to_string();
    let lines: Vec<_> = lines
        .lines()
        .filter(|line| !line.contains("HANDSHAKE"))
        .collect();
    assert_eq!(
        text(&recording, &KeyLog::parse(&lines.join("\n")).unwrap()),
        "\
C  ClientHello
S  ServerHello
S  (encrypted)
C  (encrypted)
C  [ApplicationData]
S  [NewSessionTicket]
S  [NewSessionTicket]
S  [ApplicationData]
C  [Alert]               warning close_notify(0)
S  [Alert]               warning close_notify(0)
! client: no secret CLIENT_HANDSHAKE_TRAFFIC_SECRET for this connection
! server: no secret SERVER_HANDSHAKE_TRAFFIC_SECRET for this connection
"
    );
}

const TLS12: &str = "\
C  ClientHello
S  ServerHello
S  Certificate           certificates=1
S  ServerKeyExchange
S  CertificateRequest
S  ServerHelloDone
C  Certificate           certificates=1
C  ClientKeyExchange
C  CertificateVerify
C  [Finished]
C  [ApplicationData]
S  [Finished]
S  [ApplicationData]
C  [Alert]               warning close_notify(0)
S  [Alert]               warning close_notify(0)
";

fn tls12(suite: u16) -> Ends {
    Ends::new(&Setup {
        suite: CipherSuite(suite),
        version: &rustls::version::TLS12,
        auth: ClientAuth::Required,
        client_has_certificate: true,
        ..Setup::default()
    })
}

#[test]
fn reads_tls12_with_each_kind_of_suite() {
    for suite in [0xc02b, 0xc02c, 0xcca9] {
        let ends = tls12(suite);
        let transcript = Transcript::observe(&ends.connect(), &ends.log());
        assert_eq!(transcript.text(DEFAULT_FLAG), TLS12, "{suite:#x}");
        assert_eq!(transcript.version, Some(ProtocolVersion::TLS12));
        assert_eq!(transcript.defects, []);
    }
}

#[test]
fn reads_tls12_without_its_secret() {
    let text = text(&tls12(0xc02b).connect(), &KeyLog::default());
    let end = "\
C  CertificateVerify
C  (encrypted)
C  [ApplicationData]
C  (encrypted alert)
S  (encrypted)
S  [ApplicationData]
S  (encrypted alert)
! client: no secret CLIENT_RANDOM for this connection
! server: no secret CLIENT_RANDOM for this connection
";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn counts_flights_and_bytes() {
    let ends = Ends::new(&Setup::default());
    let recording = ends.connect();
    let transcript = Transcript::observe(&recording, &ends.log());
    for side in Side::BOTH {
        assert_eq!(transcript.bytes(side), recording.bytes(side).len());
    }
    let sides: Vec<_> = transcript
        .flights()
        .iter()
        .map(|flight| flight.from)
        .collect();
    assert!(sides.windows(2).all(|pair| pair[0] != pair[1]), "{sides:?}");
    assert_eq!(sides[..3], [Side::Client, Side::Server, Side::Client]);
}

#[test]
fn every_byte_of_a_side_is_in_an_entry() {
    let ends = Ends::new(&Setup::default());
    let recording = ends.connect();
    let transcript = Transcript::observe(&recording, &ends.log());
    for side in Side::BOTH {
        let mut records = std::collections::BTreeSet::new();
        for entry in transcript.entries.iter().filter(|entry| entry.from == side) {
            records.extend(entry.records.clone());
            if let Content::Message(_) = entry.content {
                assert!(entry.raw.len() >= 4);
            }
        }
        assert_eq!(records.first(), Some(&0));
        assert_eq!(records.last(), Some(&(records.len() - 1)), "{records:?}");
    }
}

#[test]
fn both_ends_log_the_same_secrets() {
    let ends = Ends::new(&Setup::default());
    let transcript = Transcript::observe(&ends.connect(), &ends.log());
    let [client, server] = ends.logs();
    let random = transcript.client_random.unwrap();
    assert_eq!(KeyLog::compare(&client, &server, random), []);
    let lines = server.to_string();
    let lines: Vec<_> = lines
        .lines()
        .filter(|line| !line.starts_with("EXPORTER"))
        .collect();
    let server = KeyLog::parse(&lines.join("\n")).unwrap();
    let missing = KeyLogDifference::MissingInSecond(Label::Exporter);
    assert_eq!(KeyLog::compare(&client, &server, random), [missing]);
}

#[test]
fn a_transcript_serialises_and_back() {
    let ends = Ends::new(&Setup {
        auth: ClientAuth::Optional,
        ..Setup::default()
    });
    let transcript = Transcript::observe(&ends.connect(), &ends.log());
    let json = serde_json::to_string(&transcript).unwrap();
    assert_eq!(
        serde_json::from_str::<Transcript>(&json).unwrap(),
        transcript
    );
}

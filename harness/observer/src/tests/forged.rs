//! Connections that no real end of these tests would make.

use super::super::testing::{Forge, Keyed, block, extension, handshake};
use super::super::{
    Content, DEFAULT_FLAG, Epoch, ExtensionType, HandshakeMessage, KeyLog, Side, Transcript,
};

pub(super) const CLIENT: Side = Side::Client;
pub(super) const SERVER: Side = Side::Server;

const REQUEST_MTLS: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub(super) fn observed(forge: &Forge) -> Transcript {
    Transcript::observe(&forge.recording, &forge.log())
}

pub(super) fn text(forge: &Forge) -> String {
    observed(forge).text(DEFAULT_FLAG)
}

fn tls_flags(body: &[u8]) -> Vec<u8> {
    extension(62, body)
}

/// A certificate message with this many certificates.
pub(super) fn certificate(count: usize) -> Vec<u8> {
    let entry = [0, 0, 1, b'x', 0, 0];
    let list = entry.repeat(count);
    handshake(
        11,
        &[&[0, 0, 0, u8::try_from(list.len()).unwrap()][..], &list].concat(),
    )
}

/// A connection up to the server's Finished, the server's flight in one record.
pub(super) fn handshaking(suite: u16) -> Forge {
    let mut forge = Forge::new(suite);
    forge
        .client_hello(&[tls_flags(&REQUEST_MTLS)])
        .server_hello(false);
    let flight = [
        handshake(8, &block(&[])),
        handshake(13, &[&[0][..], &block(&[tls_flags(&[1, 8])])].concat()),
        certificate(1),
        handshake(15, &[4, 3, 0, 1, 9]),
        handshake(20, &[7; 32]),
    ];
    forge.seal(SERVER, Keyed::Handshake, 22, &flight.concat());
    forge
}

pub(super) const HANDSHAKING: &str = "\
C  ClientHello           tls_flags={request_mtls}
S  ServerHello
S  {EncryptedExtensions}
S  {CertificateRequest}  tls_flags={3}
S  {Certificate}         certificates=1
S  {CertificateVerify}
S  {Finished}
";

/// A connection of which the handshake is complete.
pub(super) fn connected(suite: u16) -> Forge {
    let mut forge = handshaking(suite);
    forge.seal(CLIENT, Keyed::Handshake, 22, &certificate(0));
    forge.seal(CLIENT, Keyed::Handshake, 22, &handshake(20, &[8; 32]));
    forge
}

pub(super) const CONNECTED: &str = "\
C  {Certificate}         certificates=0
C  {Finished}
";

#[test]
fn reads_every_suite_of_tls13() {
    for suite in 0x1301..=0x1305 {
        let mut forge = connected(suite);
        forge.seal(SERVER, Keyed::Application(0), 21, &[2, 116]);
        let alert = "S  [Alert]               fatal certificate_required(116)\n";
        assert_eq!(
            text(&forge),
            [HANDSHAKING, CONNECTED, alert].concat(),
            "{suite:#x}"
        );
    }
}

#[test]
fn prints_flags_wherever_they_stand() {
    let mut forge = Forge::new(0x1301);
    forge
        .client_hello(&[
            tls_flags(&[1, 8]),
            tls_flags(&[11, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ])
        .server_hello(false)
        .seal(
            SERVER,
            Keyed::Handshake,
            22,
            &handshake(8, &block(&[tls_flags(&[2, 1, 0])])),
        )
        .seal(CLIENT, Keyed::Handshake, 22, &handshake(20, &[8; 32]))
        .seal(
            SERVER,
            Keyed::Application(0),
            22,
            &handshake(
                4,
                &[
                    &[0, 0, 0, 60, 1, 2, 3, 4, 0, 0, 1, 9][..],
                    &block(&[tls_flags(&[])]),
                ]
                .concat(),
            ),
        );
    let entry = [&[0, 0, 1, b'x'][..], &block(&[tls_flags(&REQUEST_MTLS)])].concat();
    let length = u8::try_from(entry.len()).unwrap();
    let certificate = handshake(11, &[&[1, 5, 0, 0, length][..], &entry].concat());
    forge.seal(CLIENT, Keyed::Application(0), 22, &certificate);
    let expected = "\
C  ClientHello           tls_flags={3} tls_flags={3,request_mtls}
S  ServerHello
S  {EncryptedExtensions} tls_flags=malformed(020100: trailing zero octet)
C  {Finished}
C  [Certificate]         certificates=1 tls_flags={request_mtls}
S  [NewSessionTicket]    tls_flags=malformed(empty: empty body, expected a length octet)
! server: application keys without Finished
";
    assert_eq!(text(&forge), expected);
    let three = observed(&forge).text(3);
    let hello = "C  ClientHello           tls_flags={request_mtls} tls_flags={request_mtls,80}\n";
    assert!(three.starts_with(hello), "{three}");
}

#[test]
fn keeps_extensions_in_wire_order() {
    let mut forge = Forge::new(0x1301);
    let extensions = [
        tls_flags(&[1, 1]),
        extension(0xfe01, &[5]),
        tls_flags(&[1, 1]),
    ];
    forge.client_hello(&extensions);
    let transcript = observed(&forge);
    let message = transcript.messages(CLIENT).next().unwrap();
    let kinds: Vec<_> = message
        .extensions()
        .iter()
        .map(|extension| extension.kind)
        .collect();
    let [versions, flags] = [ExtensionType::SUPPORTED_VERSIONS, ExtensionType::TLS_FLAGS];
    assert_eq!(
        kinds,
        [versions, flags, ExtensionType::EARLY_EXPERIMENT, flags]
    );
    assert_eq!(
        transcript.entries[0].raw[..],
        forge.recording.bytes(CLIENT)[5..]
    );
}

#[test]
fn joins_a_message_that_is_split_over_records() {
    let mut forge = Forge::new(0x1302);
    forge.client_hello(&[]).server_hello(false);
    let flight = [
        handshake(8, &block(&[])),
        certificate(3),
        handshake(20, &[7; 48]),
    ]
    .concat();
    for fragment in flight.chunks(5) {
        forge.seal(SERVER, Keyed::Handshake, 22, fragment);
    }
    let transcript = observed(&forge);
    assert_eq!(
        transcript.text(DEFAULT_FLAG),
        "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions}
S  {Certificate}         certificates=3
S  {Finished}
"
    );
    let certificate = &transcript.entries[3];
    assert_eq!(certificate.records, 2..8);
    assert_eq!(certificate.wire_len, 6 * (5 + 5 + 1 + 16));
}

#[test]
fn strips_padding() {
    let mut forge = connected(0x1303);
    forge.seal_padded(CLIENT, Keyed::Application(0), &[b'x', 0, 23, 0, 0, 0, 0]);
    let transcript = observed(&forge);
    assert_eq!(
        transcript.entries.last().unwrap().content,
        Content::ApplicationData { len: 2 }
    );
}

#[test]
fn joins_application_data_but_not_across_a_message() {
    let mut forge = connected(0x1301);
    let data = |forge: &mut Forge, generation| {
        forge.seal(CLIENT, Keyed::Application(generation), 23, b"ab");
    };
    data(&mut forge, 0);
    forge.seal(SERVER, Keyed::Application(0), 23, b"between");
    data(&mut forge, 0);
    forge.seal(CLIENT, Keyed::Application(0), 22, &handshake(24, &[1]));
    data(&mut forge, 1);
    forge.seal(CLIENT, Keyed::Application(1), 22, &handshake(24, &[0]));
    data(&mut forge, 2);
    let tail = "\
C  [ApplicationData]
C  [KeyUpdate]
C  [ApplicationData]
C  [KeyUpdate]
C  [ApplicationData]
S  [ApplicationData]
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
    let transcript = observed(&forge);
    let first = transcript
        .entries
        .iter()
        .find(|entry| entry.epoch == Epoch::Application)
        .unwrap();
    assert_eq!(first.content, Content::ApplicationData { len: 4 });
    assert_eq!(first.records, 3..5);
}

#[test]
fn tells_post_handshake_authentication_from_the_main_handshake() {
    let mut forge = connected(0x1301);
    let request = handshake(13, &[&[1, 42][..], &block(&[])].concat());
    forge.seal(SERVER, Keyed::Application(0), 22, &request);
    forge.seal(
        CLIENT,
        Keyed::Application(0),
        22,
        &handshake(11, &[1, 42, 0, 0, 0]),
    );
    forge.seal(CLIENT, Keyed::Application(0), 22, &handshake(20, &[8; 32]));
    forge.seal(
        CLIENT,
        Keyed::Application(0),
        23,
        b"still under the same keys",
    );
    let tail = "\
C  [Certificate]         certificates=0
C  [Finished]
C  [ApplicationData]
S  [CertificateRequest]
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn reads_an_alert_in_clear_after_the_hellos() {
    let mut forge = handshaking(0x1301);
    forge.clear(CLIENT, 20, &[1]).clear(CLIENT, 21, &[2, 47]);
    let hellos = "S  ServerHello\n";
    let alert = "S  ServerHello\nC  Alert                 fatal illegal_parameter(47)\n";
    assert_eq!(text(&forge), HANDSHAKING.replace(hellos, alert));
}

#[test]
fn reads_a_refusal_in_clear() {
    let mut forge = Forge::new(0x1301);
    forge.client_hello(&[]).clear(SERVER, 21, &[2, 70]);
    let expected = "C  ClientHello\nS  Alert                 fatal protocol_version(70)\n";
    assert_eq!(text(&forge), expected);
}

#[test]
fn a_close_notify_comes_after_the_data_of_both_sides() {
    let mut forge = connected(0x1301);
    forge.seal(SERVER, Keyed::Application(0), 23, b"x");
    forge.seal(SERVER, Keyed::Application(0), 21, &[1, 0]);
    forge.seal(CLIENT, Keyed::Application(0), 23, b"y");
    forge.seal(CLIENT, Keyed::Application(0), 21, &[1, 0]);
    let tail = "\
C  [ApplicationData]
S  [ApplicationData]
C  [Alert]               warning close_notify(0)
S  [Alert]               warning close_notify(0)
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn a_late_refusal_reads_the_same_with_and_without_an_answer() {
    for answers in [false, true] {
        let mut forge = connected(0x1301);
        forge.seal(CLIENT, Keyed::Application(0), 23, b"asks");
        if answers {
            forge.seal(SERVER, Keyed::Application(0), 23, b"answers");
        }
        forge.seal(CLIENT, Keyed::Application(0), 21, &[2, 47]);
        let tail = "\
C  [ApplicationData]
C  [Alert]               fatal illegal_parameter(47)
";
        assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
    }
}

#[test]
fn a_refusal_by_the_server_leaves_its_data_in_the_text() {
    let mut forge = connected(0x1301);
    forge.seal(SERVER, Keyed::Application(0), 23, b"x");
    forge.seal(SERVER, Keyed::Application(0), 21, &[2, 116]);
    let tail = "\
S  [ApplicationData]
S  [Alert]               fatal certificate_required(116)
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn finds_the_suite_of_early_data_that_no_server_answered() {
    for suite in [0x1302, 0x1303, 0x1304] {
        let mut forge = Forge::new(suite);
        forge
            .client_hello(&[extension(42, &[])])
            .seal(CLIENT, Keyed::Early, 23, b"early");
        let expected = "C  ClientHello\nC  (ApplicationData)\n";
        assert_eq!(text(&forge), expected, "{suite:#x}");
    }
}

#[test]
fn reads_on_after_early_data_and_a_hello_retry_request() {
    let mut forge = Forge::new(0x1301);
    forge
        .client_hello(&[extension(42, &[])])
        .seal(CLIENT, Keyed::Early, 23, b"early");
    forge
        .server_hello(true)
        .client_hello(&[])
        .server_hello(false);
    forge.seal(CLIENT, Keyed::Handshake, 22, &handshake(20, &[8; 32]));
    let expected = "\
C  ClientHello
S  HelloRetryRequest
C  ClientHello
S  ServerHello
C  (ApplicationData)
C  {Finished}
";
    assert_eq!(text(&forge), expected);
}

#[test]
fn reads_on_after_early_data_without_its_secret() {
    let mut forge = Forge::new(0x1301);
    forge
        .client_hello(&[extension(42, &[])])
        .seal(CLIENT, Keyed::Early, 23, b"early");
    forge.server_hello(false);
    forge.seal(CLIENT, Keyed::Handshake, 22, &handshake(20, &[8; 32]));
    let lines = forge.log().to_string();
    let lines: Vec<_> = lines
        .lines()
        .filter(|line| !line.contains("EARLY"))
        .collect();
    let log = KeyLog::parse(&lines.join("\n")).unwrap();
    let expected = "\
C  ClientHello
S  ServerHello
C  (encrypted)
C  {Finished}
! client: no secret CLIENT_EARLY_TRAFFIC_SECRET for this connection
";
    assert_eq!(
        Transcript::observe(&forge.recording, &log).text(DEFAULT_FLAG),
        expected
    );
}

#[test]
fn prints_a_malformed_message_and_an_unknown_one() {
    let mut forge = Forge::new(0x1301);
    forge.client_hello(&[]).server_hello(false);
    forge.seal(SERVER, Keyed::Handshake, 22, &handshake(8, &[0, 9]));
    forge.seal(SERVER, Keyed::Handshake, 22, &handshake(99, &[1]));
    let expected = "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions} malformed(extensions needs 9 bytes, 0 left)
S  {Handshake(0x63)}
";
    assert_eq!(text(&forge), expected);
    let transcript = observed(&forge);
    assert!(matches!(
        transcript.messages(SERVER).nth(1),
        Some(HandshakeMessage::Malformed { .. })
    ));
}

#[test]
fn prints_a_reset() {
    let mut forge = handshaking(0x1301);
    let at = std::time::Duration::from_secs(9);
    forge.recording.reset(at, CLIENT);
    forge.recording.half_close(at, SERVER);
    assert_eq!(text(&forge), [HANDSHAKING, "C  (reset)\n"].concat());
}

//! Connections that no real end of these tests would make.

use crate::testing::{Forge, extension, extensions, message};
use crate::{
    Alert, AlertDescription, CipherSuite, Codepoints, Content, DEFAULT_FLAG, Epoch, ExtensionType,
    HandshakeMessage, HandshakeType, KeyLog, Side, Transcript,
};

pub(super) const CLIENT: Side = Side::Client;
pub(super) const SERVER: Side = Side::Server;

const REQUEST_MTLS: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub(super) fn text(forge: &Forge) -> String {
    forge.observe().text(DEFAULT_FLAG)
}

fn tls_flags(body: &[u8]) -> Vec<u8> {
    extension(ExtensionType::TLS_FLAGS, body)
}

/// A certificate message with this many certificates.
pub(super) fn certificate(count: usize) -> Vec<u8> {
    let entry = [0, 0, 1, b'x', 0, 0];
    let list = entry.repeat(count);
    message(
        HandshakeType::CERTIFICATE,
        &[&[0, 0, 0, u8::try_from(list.len()).unwrap()][..], &list].concat(),
    )
}

/// A connection up to the server's Finished, the server's flight in one record.
pub(super) fn handshaking(suite: u16) -> Forge {
    let mut forge = Forge::new(CipherSuite(suite));
    forge
        .client_hello(&[tls_flags(&REQUEST_MTLS)])
        .server_hello(&[]);
    let flight = [
        message(HandshakeType::ENCRYPTED_EXTENSIONS, &extensions(&[])),
        message(
            HandshakeType::CERTIFICATE_REQUEST,
            &[&[0][..], &extensions(&[tls_flags(&[1, 8])])].concat(),
        ),
        certificate(1),
        message(HandshakeType::CERTIFICATE_VERIFY, &[4, 3, 0, 1, 9]),
        message(HandshakeType::FINISHED, &[7; 32]),
    ];
    forge.messages(SERVER, Epoch::Handshake, &flight.concat());
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
    forge.messages(CLIENT, Epoch::Handshake, &certificate(0));
    forge.messages(
        CLIENT,
        Epoch::Handshake,
        &message(HandshakeType::FINISHED, &[8; 32]),
    );
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
        forge.alert(
            SERVER,
            Epoch::Application,
            Alert::fatal(AlertDescription::CERTIFICATE_REQUIRED),
        );
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
    let mut forge = Forge::new(CipherSuite(0x1301));
    forge
        .client_hello(&[
            tls_flags(&[1, 8]),
            tls_flags(&[11, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ])
        .server_hello(&[])
        .messages(
            SERVER,
            Epoch::Handshake,
            &message(
                HandshakeType::ENCRYPTED_EXTENSIONS,
                &extensions(&[tls_flags(&[2, 1, 0])]),
            ),
        )
        .messages(
            CLIENT,
            Epoch::Handshake,
            &message(HandshakeType::FINISHED, &[8; 32]),
        )
        .messages(
            SERVER,
            Epoch::Application,
            &message(
                HandshakeType::NEW_SESSION_TICKET,
                &[
                    &[0, 0, 0, 60, 1, 2, 3, 4, 0, 0, 1, 9][..],
                    &extensions(&[tls_flags(&[])]),
                ]
                .concat(),
            ),
        );
    let entry = [
        &[0, 0, 1, b'x'][..],
        &extensions(&[tls_flags(&REQUEST_MTLS)]),
    ]
    .concat();
    let length = u8::try_from(entry.len()).unwrap();
    let certificate = message(
        HandshakeType::CERTIFICATE,
        &[&[1, 5, 0, 0, length][..], &entry].concat(),
    );
    forge.messages(CLIENT, Epoch::Application, &certificate);
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
    let three = forge.observe().text(3);
    let hello = "C  ClientHello           tls_flags={request_mtls} tls_flags={request_mtls,80}\n";
    assert!(three.starts_with(hello), "{three}");
}

#[test]
fn prints_flags_under_another_known_number_with_that_number() {
    let experiment = ExtensionType::EARLY_EXPERIMENT;
    let mut forge = Forge::new(CipherSuite(0x1301));
    forge.client_hello(&[
        tls_flags(&[1, 8]),
        extension(experiment, &REQUEST_MTLS),
        // What does not decode may be something else.
        extension(experiment, &[5]),
    ]);
    let transcript = forge.observe();
    let name = "C  ClientHello          ";
    let expected = format!("{name} tls_flags={{3}} tls_flags(0xfe01)={{request_mtls}}\n");
    assert_eq!(transcript.text(DEFAULT_FLAG), expected);
    let codepoints = Codepoints {
        extension: experiment,
        flag: 3,
    };
    let malformed = "tls_flags=malformed(05: length says 5, got 0 octets)";
    let expected =
        format!("{name} tls_flags(0x003e)={{request_mtls}} tls_flags={{80}} {malformed}\n");
    assert_eq!(transcript.text(codepoints), expected);
}

#[test]
fn keeps_extensions_in_wire_order() {
    let mut forge = Forge::new(CipherSuite(0x1301));
    let extensions = [
        tls_flags(&[1, 1]),
        extension(ExtensionType::EARLY_EXPERIMENT, &[5]),
        tls_flags(&[1, 1]),
    ];
    forge.client_hello(&extensions);
    let transcript = forge.observe();
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
    let mut forge = Forge::new(CipherSuite(0x1302));
    forge.client_hello(&[]).server_hello(&[]);
    let flight = [
        message(HandshakeType::ENCRYPTED_EXTENSIONS, &extensions(&[])),
        certificate(3),
        message(HandshakeType::FINISHED, &[7; 48]),
    ]
    .concat();
    for fragment in flight.chunks(5) {
        forge.messages(SERVER, Epoch::Handshake, fragment);
    }
    let transcript = forge.observe();
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
    forge.inner(CLIENT, Epoch::Application, &[b'x', 0, 23, 0, 0, 0, 0]);
    let transcript = forge.observe();
    assert_eq!(
        transcript.entries.last().unwrap().content,
        Content::ApplicationData { len: 2 }
    );
}

#[test]
fn joins_application_data_but_not_across_a_message() {
    let mut forge = connected(0x1301);
    let data = |forge: &mut Forge| {
        forge.data(CLIENT, Epoch::Application, b"ab");
    };
    data(&mut forge);
    forge.data(SERVER, Epoch::Application, b"between");
    data(&mut forge);
    forge.messages(
        CLIENT,
        Epoch::Application,
        &message(HandshakeType::KEY_UPDATE, &[1]),
    );
    forge.next_keys(CLIENT);
    data(&mut forge);
    forge.messages(
        CLIENT,
        Epoch::Application,
        &message(HandshakeType::KEY_UPDATE, &[0]),
    );
    forge.next_keys(CLIENT);
    data(&mut forge);
    let tail = "\
C  [ApplicationData]
C  [KeyUpdate]
C  [ApplicationData]
C  [KeyUpdate]
C  [ApplicationData]
S  [ApplicationData]
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
    let transcript = forge.observe();
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
    let request = message(
        HandshakeType::CERTIFICATE_REQUEST,
        &[&[1, 42][..], &extensions(&[])].concat(),
    );
    forge.messages(SERVER, Epoch::Application, &request);
    forge.messages(
        CLIENT,
        Epoch::Application,
        &message(HandshakeType::CERTIFICATE, &[1, 42, 0, 0, 0]),
    );
    forge.messages(
        CLIENT,
        Epoch::Application,
        &message(HandshakeType::FINISHED, &[8; 32]),
    );
    forge.data(CLIENT, Epoch::Application, b"still under the same keys");
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
    forge.change_cipher_spec(CLIENT).alert(
        CLIENT,
        Epoch::Plaintext,
        Alert::fatal(AlertDescription::ILLEGAL_PARAMETER),
    );
    let hellos = "S  ServerHello\n";
    let alert = "S  ServerHello\nC  Alert                 fatal illegal_parameter(47)\n";
    assert_eq!(text(&forge), HANDSHAKING.replace(hellos, alert));
}

#[test]
fn reads_a_refusal_in_clear() {
    let mut forge = Forge::new(CipherSuite(0x1301));
    forge.client_hello(&[]).alert(
        SERVER,
        Epoch::Plaintext,
        Alert::fatal(AlertDescription::PROTOCOL_VERSION),
    );
    let expected = "C  ClientHello\nS  Alert                 fatal protocol_version(70)\n";
    assert_eq!(text(&forge), expected);
}

#[test]
fn a_close_notify_comes_after_the_data_of_both_sides() {
    let mut forge = connected(0x1301);
    forge.data(SERVER, Epoch::Application, b"x");
    forge.alert(
        SERVER,
        Epoch::Application,
        Alert::warning(AlertDescription::CLOSE_NOTIFY),
    );
    forge.data(CLIENT, Epoch::Application, b"y");
    forge.alert(
        CLIENT,
        Epoch::Application,
        Alert::warning(AlertDescription::CLOSE_NOTIFY),
    );
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
        forge.data(CLIENT, Epoch::Application, b"asks");
        if answers {
            forge.data(SERVER, Epoch::Application, b"answers");
        }
        forge.alert(
            CLIENT,
            Epoch::Application,
            Alert::fatal(AlertDescription::ILLEGAL_PARAMETER),
        );
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
    forge.data(SERVER, Epoch::Application, b"x");
    forge.alert(
        SERVER,
        Epoch::Application,
        Alert::fatal(AlertDescription::CERTIFICATE_REQUIRED),
    );
    let tail = "\
S  [ApplicationData]
S  [Alert]               fatal certificate_required(116)
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn finds_the_suite_of_early_data_that_no_server_answered() {
    for suite in [0x1302, 0x1303, 0x1304] {
        let mut forge = Forge::new(CipherSuite(suite));
        forge
            .client_hello(&[extension(ExtensionType::EARLY_DATA, &[])])
            .data(CLIENT, Epoch::EarlyData, b"early");
        let expected = "C  ClientHello\nC  (ApplicationData)\n";
        assert_eq!(text(&forge), expected, "{suite:#x}");
    }
}

#[test]
fn reads_on_after_early_data_and_a_hello_retry_request() {
    let mut forge = Forge::new(CipherSuite(0x1301));
    forge
        .client_hello(&[extension(ExtensionType::EARLY_DATA, &[])])
        .data(CLIENT, Epoch::EarlyData, b"early");
    forge
        .hello_retry_request(&[])
        .client_hello(&[])
        .server_hello(&[]);
    forge.messages(
        CLIENT,
        Epoch::Handshake,
        &message(HandshakeType::FINISHED, &[8; 32]),
    );
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
    let mut forge = Forge::new(CipherSuite(0x1301));
    forge
        .client_hello(&[extension(ExtensionType::EARLY_DATA, &[])])
        .data(CLIENT, Epoch::EarlyData, b"early");
    forge.server_hello(&[]);
    forge.messages(
        CLIENT,
        Epoch::Handshake,
        &message(HandshakeType::FINISHED, &[8; 32]),
    );
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
    let mut forge = Forge::new(CipherSuite(0x1301));
    forge.client_hello(&[]).server_hello(&[]);
    forge.messages(
        SERVER,
        Epoch::Handshake,
        &message(HandshakeType::ENCRYPTED_EXTENSIONS, &[0, 9]),
    );
    forge.messages(SERVER, Epoch::Handshake, &message(HandshakeType(99), &[1]));
    let expected = "\
C  ClientHello
S  ServerHello
S  {EncryptedExtensions} malformed(extensions needs 9 bytes, 0 left)
S  {Handshake(0x63)}
";
    assert_eq!(text(&forge), expected);
    let transcript = forge.observe();
    assert!(matches!(
        transcript.messages(SERVER).nth(1),
        Some(HandshakeMessage::Malformed { .. })
    ));
}

#[test]
fn prints_a_reset() {
    let mut forge = handshaking(0x1301);
    forge.reset(CLIENT).half_close(SERVER);
    assert_eq!(text(&forge), [HANDSHAKING, "C  (reset)\n"].concat());
}

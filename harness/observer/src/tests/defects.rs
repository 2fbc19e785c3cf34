//! What a transcript says of bytes that it cannot read.

use super::forged::{
    CLIENT, CONNECTED, HANDSHAKING, SERVER, certificate, connected, handshaking, text,
};
use crate::testing::{CLIENT_RANDOM, Forge, extension, message};
use crate::{
    Alert, AlertDescription, CipherSuite, Content, ContentType, DEFAULT_FLAG, Defect, Epoch,
    ExtensionType, HandshakeType, KeyLog, Place, Reason, Recording, Transcript,
};

#[test]
fn a_damaged_record_is_opaque_and_those_after_it_are_read() {
    let mut forge = connected(0x1301);
    let mut other = connected(0x1301);
    other.data(SERVER, Epoch::Application, b"damaged");
    let mut damaged = other.recording.bytes(SERVER);
    *damaged.last_mut().unwrap() ^= 1;
    let start = forge.recording.bytes(SERVER).len();
    forge.octets(SERVER, &damaged[start..]);
    // The forge has to pass over the record too, to seal the next one as its sender would.
    forge.skip(SERVER, Epoch::Application);
    forge.alert(
        SERVER,
        Epoch::Application,
        Alert::warning(AlertDescription::CLOSE_NOTIFY),
    );
    let tail = "\
S  (encrypted)
S  [Alert]               warning close_notify(0)
! server: record does not decrypt under application keys
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn reports_what_is_left_at_the_end() {
    let mut forge = connected(0x1301);
    forge.messages(
        SERVER,
        Epoch::Application,
        &message(HandshakeType::NEW_SESSION_TICKET, &[0; 40])[..20],
    );
    forge.octets(SERVER, &[23, 3, 3, 0, 99, 1]);
    forge.octets(CLIENT, b"GET / HTTP/1.1");
    let tail = "\
! client: bytes that are not a TLS record
! server: handshake message truncated at end of stream
! server: record truncated at end of stream
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn reports_records_after_a_closing_alert() {
    let mut forge = connected(0x1301);
    forge.alert(
        SERVER,
        Epoch::Application,
        Alert::fatal(AlertDescription::CERTIFICATE_REQUIRED),
    );
    forge.data(SERVER, Epoch::Application, b"x");
    forge.data(SERVER, Epoch::Application, b"x");
    let tail = "\
S  [Alert]               fatal certificate_required(116)
S  [ApplicationData]
! server: bytes after end: more records after a closing alert
";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn takes_nothing_for_early_data_after_a_second_client_hello() {
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
    let transcript = Transcript::observe(&forge.recording, &KeyLog::default());
    let opaque = transcript
        .entries
        .iter()
        .filter(|e| matches!(e.content, Content::Opaque { .. }));
    let epochs: Vec<_> = opaque.map(|entry| entry.epoch).collect();
    assert_eq!(epochs, [Epoch::EarlyData, Epoch::Handshake]);
}

#[test]
fn reports_records_after_close_notify_but_not_after_a_warning() {
    let mut forge = connected(0x1301);
    for description in [90, 0] {
        assert_eq!(forge.observe().defects, []);
        forge.alert(
            CLIENT,
            Epoch::Application,
            Alert::warning(AlertDescription(description)),
        );
        forge.data(CLIENT, Epoch::Application, b"x");
    }
    let (place, reason) = (Place::Record(6), Reason::AfterEnd);
    assert_eq!(
        forge.observe().defects,
        [Defect {
            side: CLIENT,
            place,
            reason
        }]
    );
}

#[test]
fn reports_a_message_that_spans_a_change_of_keys() {
    let mut forge = handshaking(0x1301);
    let [finished, certificate] = [message(HandshakeType::FINISHED, &[8; 32]), certificate(0)];
    forge.messages(
        CLIENT,
        Epoch::Handshake,
        &[&finished[..], &certificate[..3]].concat(),
    );
    forge.messages(CLIENT, Epoch::Application, &certificate[3..]);
    let transcript = forge.observe();
    assert_eq!(transcript.defects[0].reason, Reason::SpansKeyChange);
}

#[test]
fn reports_an_alert_of_the_wrong_length() {
    let mut forge = connected(0x1301);
    forge.record(CLIENT, Epoch::Application, ContentType::ALERT, &[2, 40, 0]);
    let tail = "C  [Alert]               malformed\n! client: alert of 3 bytes, expected 2\n";
    assert_eq!(text(&forge), [HANDSHAKING, CONNECTED, tail].concat());
}

#[test]
fn names_a_suite_that_it_cannot_decrypt() {
    let mut forge = Forge::new(CipherSuite(0x1306));
    forge.client_hello(&[]).server_hello(&[]).record(
        SERVER,
        Epoch::Plaintext,
        ContentType::APPLICATION_DATA,
        &[0; 40],
    );
    let transcript = Transcript::observe(&forge.recording, &KeyLog::default());
    let expected = "\
C  ClientHello
S  ServerHello
S  (encrypted)
! server: cannot decrypt cipher suite 0x1306
";
    assert_eq!(transcript.text(DEFAULT_FLAG), expected);
    assert_eq!(transcript.client_random, Some(CLIENT_RANDOM));
}

#[test]
fn a_secret_of_the_wrong_length_is_reported() {
    let forge = handshaking(0x1302);
    let transcript = Transcript::observe(&forge.recording, &Forge::new(CipherSuite(0x1301)).log());
    let text = transcript.text(DEFAULT_FLAG);
    let end = "! server: secret SERVER_HANDSHAKE_TRAFFIC_SECRET does not fit the cipher suite\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn nothing_at_all_is_a_connection_without_a_client_hello() {
    let transcript = Transcript::observe(&Recording::new(), &KeyLog::default());
    assert_eq!(transcript.text(DEFAULT_FLAG), "! client: no ClientHello\n");
}

#[test]
fn reports_a_record_of_nothing_but_padding() {
    let mut forge = connected(0x1301);
    forge.inner(CLIENT, Epoch::Application, &[0, 0, 0]);
    let transcript = forge.observe();
    let reason = Reason::NoContentType;
    let defect = Defect {
        side: CLIENT,
        place: Place::Record(3),
        reason,
    };
    assert_eq!(transcript.defects, [defect]);
}

//! The order in which octets were relayed.

use super::forged::{CLIENT, SERVER, connected, handshaking};
use crate::testing::{message, rechunked};
use crate::{Alert, AlertDescription, Content, Entry, Epoch, HandshakeType, Side, Transcript};

/// Names of entries in the order of arrival.
fn arrivals(transcript: &Transcript) -> Vec<String> {
    let entries = transcript.by_arrival().into_iter();
    let lines = entries.filter_map(|entry| transcript.line(entry, 80));
    let name = |line: String| line.split("  ").take(2).collect::<Vec<_>>().join(" ");
    lines.map(name).collect()
}

fn only(transcript: &Transcript, from: Side, wanted: fn(&Content) -> bool) -> &Entry {
    let mut entries = transcript.entries.iter();
    let entry = entries.find(|entry| entry.from == from && wanted(&entry.content));
    entry.unwrap()
}

fn is_data(content: &Content) -> bool {
    matches!(content, Content::ApplicationData { .. })
}

fn is_alert(content: &Content) -> bool {
    matches!(content, Content::Alert(_))
}

fn is_finished(content: &Content) -> bool {
    matches!(content, Content::Message(message) if message.kind() == HandshakeType::FINISHED)
}

#[test]
fn arrival_order_separates_half_rtt_data_from_data_after_the_handshake() {
    let finished = message(HandshakeType::FINISHED, &[8; 32]);
    for half_rtt in [false, true] {
        let mut forge = handshaking(0x1301);
        if half_rtt {
            forge.data(SERVER, Epoch::Application, b"early answer");
        }
        forge.messages(CLIENT, Epoch::Handshake, &finished);
        forge.data(SERVER, Epoch::Application, b"answer");
        let transcript = forge.observe();
        let finished = only(&transcript, CLIENT, is_finished);
        let data = only(&transcript, SERVER, is_data);
        assert_eq!(finished.is_complete_before(data), !half_rtt);
        assert!(
            !data.is_complete_before(finished),
            "the last of it arrived after"
        );
        // The text is the same.
        assert!(
            transcript
                .text(80)
                .ends_with("C  {Finished}\nS  [ApplicationData]\n")
        );
    }
}

#[test]
fn arrival_order_shows_what_an_alert_can_have_answered() {
    let refusal = Alert::fatal(AlertDescription::CERTIFICATE_REQUIRED);
    let tail = |forge: crate::testing::Forge| arrivals(&forge.observe())[9..].to_vec();
    let mut forge = connected(0x1301);
    forge.alert(SERVER, Epoch::Application, refusal);
    forge.data(CLIENT, Epoch::Application, b"asks");
    assert_eq!(tail(forge), ["S [Alert]", "C [ApplicationData]"]);
    let mut forge = connected(0x1301);
    forge.data(CLIENT, Epoch::Application, b"asks");
    forge.alert(SERVER, Epoch::Application, refusal);
    assert_eq!(tail(forge), ["C [ApplicationData]", "S [Alert]"]);
}

#[test]
fn a_message_of_several_records_arrives_with_its_last() {
    let mut forge = connected(0x1301);
    let ticket = message(HandshakeType::NEW_SESSION_TICKET, &[0; 40]);
    let (one, other) = ticket.split_at(9);
    let events = forge.recording.events().len();
    forge.messages(SERVER, Epoch::Application, one);
    forge.data(CLIENT, Epoch::Application, b"between");
    forge.messages(SERVER, Epoch::Application, other);
    forge.alert(
        CLIENT,
        Epoch::Application,
        Alert::warning(AlertDescription::CLOSE_NOTIFY),
    );
    let transcript = forge.observe();
    let ticket = transcript
        .entries
        .iter()
        .find(|entry| entry.raw[..] == ticket[..])
        .unwrap();
    assert_eq!((ticket.start, ticket.arrival), (events, events + 2));
    let data = only(&transcript, CLIENT, is_data);
    let close = only(&transcript, CLIENT, is_alert);
    assert!(!ticket.is_complete_before(data) && !data.is_complete_before(ticket));
    assert!(ticket.is_complete_before(close) && data.is_complete_before(close));
    assert!(!close.is_complete_before(data) && !close.is_complete_before(ticket));
}

#[test]
fn messages_of_one_record_are_in_the_order_of_their_octets() {
    let transcript = handshaking(0x1301).observe();
    let names = [
        "C ClientHello",
        "S ServerHello",
        "S {EncryptedExtensions}",
        "S {CertificateRequest}",
    ];
    assert_eq!(arrivals(&transcript)[..4], names);
    let [.., verify, finished] = &transcript.entries[..] else {
        panic!("{transcript:?}")
    };
    assert!(!verify.is_complete_before(finished) && !finished.is_complete_before(verify));
    assert!(transcript.entries[1].is_complete_before(verify));
}

#[test]
fn a_record_that_came_in_pieces_starts_with_the_first() {
    let whole = connected(0x1301);
    let pieces = rechunked(&whole.recording, &[7]);
    let transcript = Transcript::observe(&pieces, &whole.log());
    let count = |bytes: usize| bytes.div_ceil(7);
    let hello = &transcript.entries[0];
    assert_eq!((hello.start, hello.arrival), (0, count(hello.wire_len) - 1));
    let answer = &transcript.entries[1];
    assert_eq!(answer.start, count(hello.wire_len));
    assert_eq!(answer.arrival, answer.start + count(answer.wire_len) - 1);
    assert_eq!(arrivals(&transcript), arrivals(&whole.observe()));
}

#[test]
fn the_text_by_arrival_has_a_late_request_before_its_answer() {
    let request = message(HandshakeType::CERTIFICATE_REQUEST, &[1, 9, 0, 0]);
    let answer = message(HandshakeType::CERTIFICATE, &[1, 9, 0, 0, 0]);
    let mut forge = connected(0x1301);
    forge.messages(SERVER, Epoch::Application, &request);
    forge.messages(CLIENT, Epoch::Application, &answer);
    forge.reset(CLIENT);
    let transcript = forge.observe();
    let late = "S  [CertificateRequest]\nC  [Certificate]         certificates=0\nC  (reset)\n";
    let text = transcript.text_by_arrival(80);
    assert!(text.ends_with(late), "{text}");
    assert!(!transcript.text(80).ends_with(late));
}

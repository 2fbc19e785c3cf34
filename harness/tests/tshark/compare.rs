//! Two views of one connection, held against each other.

use reqmtls_observer::{HandshakeType, Side};

use super::view::{Said, View};

/// The first difference of each side, with both views in full behind it.
pub(crate) fn differences(name: &str, ours: &View, theirs: &View) -> Vec<String> {
    let sides = Side::BOTH.into_iter();
    sides
        .filter_map(|side| difference(name, side, ours.side(side), theirs.side(side)))
        .collect()
}

fn difference(name: &str, side: Side, ours: &[Said], theirs: &[Said]) -> Option<String> {
    let count = ours.len().max(theirs.len());
    let message = (0..count).find(|&number| match (ours.get(number), theirs.get(number)) {
        (Some(_), Some(Said::Undecrypted)) if is_lost_to_tshark(side, &ours[..number]) => false,
        (Some(one), Some(other)) => one != other,
        _ => true,
    })?;
    let told = |view: &[Said]| {
        view.get(message)
            .map_or("(nothing)".to_owned(), ToString::to_string)
    };
    let all = |view: &[Said]| {
        view.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Some(format!(
        "{name}: {} message {} is {} in the transcript, {} in tshark\n  transcript: {}\n  tshark:     {}",
        side.name(),
        message + 1,
        told(ours),
        told(theirs),
        all(ours),
        all(theirs),
    ))
}

/// Whether this is what tshark 4.0 cannot read: at every Finished of a client it starts its application keys
/// anew, and so loses count of what follows post-handshake authentication (RFC 8446 §4.6.2).
fn is_lost_to_tshark(side: Side, before: &[Said]) -> bool {
    let is_finished = |said: &&Said| matches!(said, Said::Message { kind, .. } if *kind == HandshakeType::FINISHED);
    side == Side::Client && before.iter().filter(is_finished).count() > 1
}

/// The comparison finds what it is there to find.
mod tests {
    use reqmtls_observer::testing::{Forge, extension, message};
    use reqmtls_observer::{
        Alert, AlertDescription, CipherSuite, Epoch, ExtensionType, Transcript,
    };
    use serde_json::{Value, json};

    use super::*;

    /// A connection of TLS 1.2 in clear up to an alert: the flag in ClientHello, and a flight of the server.
    fn transcript() -> Transcript {
        let flags = extension(ExtensionType::TLS_FLAGS, &[1, 4]);
        let flight = [
            message(HandshakeType::CERTIFICATE, &[0, 0, 0]),
            message(HandshakeType::SERVER_HELLO_DONE, &[]),
        ];
        let suite = CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256;
        let mut forge = Forge::tls12(suite);
        forge.client_hello(&[flags]).server_hello(&[]);
        forge.messages(Side::Server, Epoch::Plaintext, &flight.concat());
        let alert = Alert::fatal(AlertDescription::BAD_CERTIFICATE);
        forge.alert(Side::Client, Epoch::Plaintext, alert);
        forge.observe()
    }

    /// The same as tshark shows it.
    fn shown() -> Value {
        let frame = |port: &str, record: Value| {
            json!({"_source": {"layers": {
                "tcp": {"tcp.stream": "0", "tcp.srcport": port},
                "tls": {"tls.record": record},
            }}})
        };
        let extension = json!({
            "tls.handshake.extension.type": "62",
            "tls.handshake.extension.data": "01:04",
        });
        json!([
            frame(
                "50000",
                json!({
                    "tls.record.content_type": "22",
                    "tls.handshake": {"tls.handshake.type": "1", "Extension: Unknown": extension},
                })
            ),
            frame(
                "443",
                json!([{
                    "tls.record.content_type": "22",
                    "tls.handshake": [
                        {"tls.handshake.type": "2"},
                        {"tls.handshake.type": "11"},
                        {"tls.handshake.type": "14"},
                    ],
                }])
            ),
            frame(
                "50000",
                json!({
                    "tls.record.content_type": "21",
                    "tls.alert_message": {"tls.alert_message.level": "2", "tls.alert_message.desc": "42"},
                })
            ),
        ])
    }

    /// The differences after a change to what tshark shows.
    fn after(change: impl Fn(&mut Value)) -> String {
        let mut shown = shown();
        change(&mut shown);
        let views = View::of_each_stream(shown.to_string().as_bytes()).unwrap();
        differences("cell", &View::of(&transcript()), &views[0]).join("\n")
    }

    fn record_of(shown: &mut Value, frame: usize) -> &mut Value {
        &mut shown[frame]["_source"]["layers"]["tls"]["tls.record"]
    }

    #[test]
    fn two_equal_views_do_not_differ() {
        assert_eq!(after(|_| {}), "");
    }

    #[test]
    fn a_dropped_message_is_named() {
        let differences = after(|shown| {
            let messages = &mut record_of(shown, 1)[0]["tls.handshake"];
            messages.as_array_mut().unwrap().remove(1);
        });
        assert_eq!(
            differences,
            "cell: server message 2 is Certificate in the transcript, ServerHelloDone in tshark\n  \
             transcript: ServerHello, Certificate, ServerHelloDone\n  \
             tshark:     ServerHello, ServerHelloDone"
        );
    }

    #[test]
    fn a_message_dropped_at_the_end_is_named() {
        let differences = after(|shown| drop(shown.as_array_mut().unwrap().pop()));
        let expected = "cell: client message 2 is Alert fatal bad_certificate(42) in the transcript, (nothing) in tshark";
        assert!(differences.starts_with(expected), "{differences}");
    }

    #[test]
    fn two_swapped_messages_are_named() {
        let differences = after(|shown| {
            let messages = &mut record_of(shown, 1)[0]["tls.handshake"];
            messages.as_array_mut().unwrap().swap(1, 2);
        });
        let expected =
            "cell: server message 2 is Certificate in the transcript, ServerHelloDone in tshark";
        assert!(differences.starts_with(expected), "{differences}");
    }

    #[test]
    fn an_altered_alert_is_named() {
        for (field, value, told) in [
            (
                "tls.alert_message.desc",
                "116",
                "Alert fatal certificate_required(116)",
            ),
            (
                "tls.alert_message.level",
                "1",
                "Alert warning bad_certificate(42)",
            ),
        ] {
            let differences =
                after(|shown| record_of(shown, 2)["tls.alert_message"][field] = json!(value));
            let expected = format!(
                "cell: client message 2 is Alert fatal bad_certificate(42) in the transcript, {told} in tshark"
            );
            assert!(differences.starts_with(&expected), "{differences}");
        }
    }

    #[test]
    fn a_dropped_extension_62_is_named() {
        let differences = after(|shown| {
            let hello = &mut record_of(shown, 0)["tls.handshake"];
            hello.as_object_mut().unwrap().remove("Extension: Unknown");
        });
        let expected = "cell: client message 1 is ClientHello tls_flags=0104 in the transcript, ClientHello in tshark";
        assert!(differences.starts_with(expected), "{differences}");
    }

    #[test]
    fn another_body_of_extension_62_is_named() {
        let differences = after(|shown| {
            let hello = &mut record_of(shown, 0)["tls.handshake"];
            hello["Extension: Unknown"]["tls.handshake.extension.data"] = json!("01:08");
        });
        assert!(
            differences.contains("ClientHello tls_flags=0108 in tshark"),
            "{differences}"
        );
    }

    #[test]
    fn only_what_follows_a_second_finished_of_the_client_may_stay_undecrypted() {
        let finished = || Said::Message {
            kind: HandshakeType::FINISHED,
            tls_flags: Vec::new(),
        };
        for (side, count, lost) in [
            (Side::Client, 2, true),
            (Side::Client, 1, false),
            (Side::Server, 2, false),
        ] {
            let view = |last: Said| {
                let mut view = View::default();
                view.side_mut(side).extend((0..count).map(|_| finished()));
                view.side_mut(side).push(last);
                view
            };
            let found = differences("cell", &view(transcript_alert()), &view(Said::Undecrypted));
            assert_eq!(found.is_empty(), lost, "{side:?} {count}");
        }
    }

    /// The alert of [`transcript`].
    fn transcript_alert() -> Said {
        let view = View::of(&transcript());
        view.side(Side::Client).last().unwrap().clone()
    }

    #[test]
    fn a_record_left_undecrypted_is_named_even_if_both_could_not_read_it() {
        let differences =
            after(|shown| *record_of(shown, 2) = json!({"tls.record.opaque_type": "23"}));
        assert!(
            differences.contains("(undecrypted) in tshark"),
            "{differences}"
        );
        let mut view = View::default();
        view.side_mut(Side::Server).push(Said::Undecrypted);
        let expected =
            "cell: server message 1 is (undecrypted) in the transcript, (undecrypted) in tshark";
        assert!(differences_of(&view).starts_with(expected));
    }

    fn differences_of(view: &View) -> String {
        differences("cell", view, view).join("\n")
    }
}

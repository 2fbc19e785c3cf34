//! `tls_flags` in forged connections.

use super::forged::{CLIENT, REQUEST_MTLS, SERVER, text, tls_flags};
use crate::testing::{Forge, extension, extensions, message};
use crate::{CipherSuite, Codepoints, DEFAULT_FLAG, Epoch, ExtensionType, HandshakeType};

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
fn finds_the_number_under_which_flags_stand() {
    let experiment = ExtensionType::EARLY_EXPERIMENT;
    let found = |more: &[Vec<u8>]| {
        let mut forge = Forge::new(CipherSuite(0x1301));
        forge.client_hello(more);
        forge.observe().flags_extension()
    };
    let deployed = extension(experiment, &REQUEST_MTLS);
    assert_eq!(found(&[]), None);
    assert_eq!(found(&[extension(experiment, &[5])]), None);
    assert_eq!(found(std::slice::from_ref(&deployed)), Some(experiment));
    // That of IANA counts whatever its value is.
    let assigned = Some(ExtensionType::TLS_FLAGS);
    assert_eq!(found(&[deployed, tls_flags(&[5])]), assigned);
}

#[test]
fn reads_extensions_in_wire_order() {
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

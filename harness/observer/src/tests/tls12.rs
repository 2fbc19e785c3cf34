//! Forged connections of TLS 1.2.

use super::forged::{CLIENT, SERVER, text};
use crate::testing::{Forge, extension, message};
use crate::{
    Alert, AlertDescription, CipherSuite, Epoch, ExtensionType, HandshakeType, KeyLog, Transcript,
};

/// A connection after both Finished.
fn connected12(suite: u16) -> Forge {
    let mut forge = Forge::tls12(CipherSuite(suite));
    let flags = extension(ExtensionType::TLS_FLAGS, &[1, 8]);
    forge.client_hello(&[flags]).server_hello(&[]);
    let flight = [
        message(HandshakeType::CERTIFICATE, &[0, 0, 4, 0, 0, 1, b'x']),
        message(HandshakeType::SERVER_HELLO_DONE, &[]),
    ];
    forge.messages(SERVER, Epoch::Plaintext, &flight.concat());
    let key = message(HandshakeType::CLIENT_KEY_EXCHANGE, &[1, 9]);
    forge.messages(CLIENT, Epoch::Plaintext, &key);
    for side in [CLIENT, SERVER] {
        forge.change_cipher_spec(side);
        let finished = message(HandshakeType::FINISHED, &[7; 12]);
        forge.messages(side, Epoch::Application, &finished);
    }
    forge
}

const CONNECTED12: &str = "\
C  ClientHello           tls_flags={3}
S  ServerHello
S  Certificate           certificates=1
S  ServerHelloDone
C  ClientKeyExchange
C  [Finished]
";

#[test]
fn reads_every_suite_of_tls12() {
    let suites = (0x009c..=0x009f)
        .chain(0xc02b..=0xc02c)
        .chain(0xc02f..=0xc030);
    for suite in suites.chain(0xcca8..=0xccaa) {
        let mut forge = connected12(suite);
        forge.data(CLIENT, Epoch::Application, b"x");
        forge.data(SERVER, Epoch::Application, b"y");
        forge.alert(
            SERVER,
            Epoch::Application,
            Alert::warning(AlertDescription::CLOSE_NOTIFY),
        );
        let tail = "\
C  [ApplicationData]
S  [Finished]
S  [ApplicationData]
S  [Alert]               warning close_notify(0)
";
        assert_eq!(text(&forge), [CONNECTED12, tail].concat(), "{suite:#x}");
    }
}

#[test]
fn a_suite_of_tls12_without_an_aead_is_named() {
    let mut forge = Forge::tls12(CipherSuite(0xc013));
    forge.client_hello(&[]).server_hello(&[]);
    forge.change_cipher_spec(SERVER);
    forge.octets(SERVER, &[22, 3, 3, 0, 2, 1, 2]);
    let expected = "\
C  ClientHello
S  ServerHello
S  (encrypted)
! server: cannot decrypt cipher suite 0xc013
";
    let transcript = Transcript::observe(&forge.recording, &KeyLog::default());
    assert_eq!(transcript.text(80), expected);
}

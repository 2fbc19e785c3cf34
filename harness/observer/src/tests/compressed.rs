//! Certificates that were compressed on the wire.

use super::ends::{ClientAuth, Ends, Setup, Zlib};
use super::forged::{CLIENT, SERVER, certificate, handshaking};
use crate::testing::message;
use crate::{
    CertificateCompressionAlgorithm, Epoch, HandshakeMessage, HandshakeType, Side, Transcript,
    Unreadable,
};

#[test]
fn reads_the_compressed_certificates_of_real_ends() {
    let ends = Ends::new(&Setup {
        auth: ClientAuth::Required,
        client_has_certificate: true,
        compression: Some(&Zlib),
        ..Setup::default()
    });
    let transcript = Transcript::observe(&ends.connect(), &ends.log());
    assert_eq!(transcript.defects, []);
    let text = transcript.text(80);
    for side in ['S', 'C'] {
        let line = format!("{side}  {{CompressedCertificate}} certificates=1\n");
        assert!(text.contains(&line), "{text}");
    }
    for side in Side::BOTH {
        let mut messages = transcript.messages(side);
        let message = messages.find(|message| message.is_certificate()).unwrap();
        let HandshakeMessage::CompressedCertificate(compressed) = message else {
            panic!("{message:?}")
        };
        assert_eq!(compressed.algorithm, CertificateCompressionAlgorithm::ZLIB);
        let chain = &message.certificate().unwrap().certificates;
        assert!(compressed.uncompressed_length > chain[0].der_len && chain[0].der_len > 100);
    }
}

/// A `CompressedCertificate` by zlib of a Certificate without certificates, 4 octets long.
fn compressed(declared: u8) -> Vec<u8> {
    let stream = hex::decode("789c63606060000000040001").unwrap();
    let length = u8::try_from(stream.len()).unwrap();
    let body = [&[0, 1, 0, 0, declared, 0, 0, length][..], &stream].concat();
    message(HandshakeType::COMPRESSED_CERTIFICATE, &body)
}

#[test]
fn distinguishes_an_empty_certificate_from_one_that_cannot_be_read() {
    let mut forge = handshaking(0x1301);
    let flight = [compressed(4), compressed(5), certificate(0)].concat();
    forge.messages(CLIENT, Epoch::Handshake, &flight);
    let transcript = forge.observe();
    let tail = "\
C  {CompressedCertificate} certificates=0
C  {CompressedCertificate} unreadable(zlib: uncompressed_length says 5, got 4 bytes)
C  {Certificate}         certificates=0
";
    let text = transcript.text(80);
    assert!(text.ends_with(tail), "{text}");
    let counts = transcript.messages(CLIENT).skip(1).map(|message| {
        assert!(message.is_certificate());
        message.certificate().map(|it| it.certificates.len())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [Some(0), None, Some(0)]);
}

#[test]
fn decompresses_only_so_many_messages_of_a_side() {
    let mut forge = handshaking(0x1301);
    forge.messages(CLIENT, Epoch::Handshake, &compressed(4).repeat(17));
    forge.messages(SERVER, Epoch::Application, &compressed(4));
    let transcript = forge.observe();
    let readable = |side| {
        let messages = transcript.messages(side);
        let compressed = messages.filter_map(|message| match message {
            HandshakeMessage::CompressedCertificate(compressed) => Some(&compressed.certificate),
            _ => None,
        });
        compressed
            .map(|it| it.as_ref().err().cloned())
            .collect::<Vec<_>>()
    };
    let [of_client @ .., last] = &readable(CLIENT)[..] else {
        panic!("nothing was read")
    };
    assert_eq!(of_client, vec![None; 16]);
    assert_eq!(last, &Some(Unreadable::TooMany));
    assert_eq!(readable(SERVER), [None]);
}

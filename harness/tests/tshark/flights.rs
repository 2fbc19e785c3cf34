//! The flights of a handshake, forged as a real end would send them: Wireshark reads what is in them.

use rcgen::{CertificateParams, KeyPair};
use reqmtls_observer::testing::{Forge, extension, extensions, message};
use reqmtls_observer::{
    Alert, AlertDescription, ContentType, Epoch, ExtensionType, HandshakeType, Side,
};

/// `tls_flags` with the request mTLS flag.
const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// `signature_algorithms` and `supported_groups` of one entry each.
const ALGORITHMS: [u8; 4] = [0, 2, 4, 3];
const GROUPS: [u8; 4] = [0, 2, 0, 0x1d];

/// A connection in the making, and the certificate of both its ends.
pub(crate) struct Form {
    pub(crate) forge: Forge,
    /// The most octets of handshake messages in one record.
    pub(crate) fragment: usize,
    certificate: Vec<u8>,
}

impl Form {
    pub(crate) fn new(forge: Forge) -> Self {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Self {
            forge,
            fragment: 1 << 14,
            certificate: certificate.der().to_vec(),
        }
    }

    /// Handshake messages in as many records as they need.
    pub(crate) fn messages(&mut self, from: Side, epoch: Epoch, messages: &[Vec<u8>]) {
        for fragment in messages.concat().chunks(self.fragment) {
            self.forge.messages(from, epoch, fragment);
        }
    }

    /// A ClientHello with the flag under both known numbers, and a ServerHello.
    pub(crate) fn hellos(&mut self) {
        let flags = [ExtensionType::TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT];
        let flags = flags.map(|kind| extension(kind, &FLAG_80));
        self.forge.client_hello(&flags).server_hello(&[]);
    }

    /// The server's flight of TLS 1.3 behind ServerHello, with a CertificateRequest.
    pub(crate) fn server_flight(&mut self) {
        let flight = [
            encrypted_extensions(&[]),
            certificate_request(),
            self.certificate(),
            certificate_verify(),
            finished(),
        ];
        self.messages(Side::Server, Epoch::Handshake, &flight);
    }

    /// The client's answer to it.
    pub(crate) fn client_flight(&mut self) {
        let flight = [self.certificate(), certificate_verify(), finished()];
        self.messages(Side::Client, Epoch::Handshake, &flight);
    }

    /// A Certificate of TLS 1.3 with the flag in its entry.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        let flags = extension(ExtensionType::TLS_FLAGS, &FLAG_80);
        let entry = [long(&self.certificate), extensions(&[flags])].concat();
        let body = [&[0][..], &long(&entry)].concat();
        message(HandshakeType::CERTIFICATE, &body)
    }

    /// The server's flight of TLS 1.2 behind ServerHello, with a CertificateRequest.
    pub(crate) fn server_flight12(&mut self) {
        let mut flight = vec![self.certificate12()];
        let (server_key, _) = self.key_exchange12();
        flight.extend(server_key.map(|body| message(HandshakeType::SERVER_KEY_EXCHANGE, &body)));
        let request = [&[1, 64][..], &ALGORITHMS, &[0, 0]].concat();
        flight.push(message(HandshakeType::CERTIFICATE_REQUEST, &request));
        flight.push(message(HandshakeType::SERVER_HELLO_DONE, &[]));
        self.messages(Side::Server, Epoch::Plaintext, &flight);
    }

    /// The client's answer to it up to its Finished.
    pub(crate) fn client_flight12(&mut self) {
        let (_, client_key) = self.key_exchange12();
        let flight = [
            self.certificate12(),
            message(HandshakeType::CLIENT_KEY_EXCHANGE, &client_key),
            certificate_verify(),
        ];
        self.messages(Side::Client, Epoch::Plaintext, &flight);
        self.finish12(Side::Client);
    }

    /// The bodies of `ServerKeyExchange`, if there is one, and `ClientKeyExchange`
    /// (RFC 5246 §7.4.3, §7.4.7; RFC 8422 §5.4, §5.7).
    fn key_exchange12(&self) -> (Option<Vec<u8>>, Vec<u8>) {
        const SIGNATURE: [u8; 6] = [4, 3, 0, 2, 1, 2];
        let name = self.forge.suite().name().unwrap();
        let public = [&[0, 32][..], &[9; 32]].concat();
        if name.starts_with("TLS_RSA_") {
            (None, public)
        } else if name.starts_with("TLS_DHE_") {
            let group = [0, 1, 23, 0, 1, 5];
            (Some([&group, &public[..], &SIGNATURE].concat()), public)
        } else {
            let point = [&[32][..], &[9; 32]].concat();
            (
                Some([&[3, 0, 0x1d], &point[..], &SIGNATURE].concat()),
                point,
            )
        }
    }

    fn certificate12(&self) -> Vec<u8> {
        let list = long(&long(&self.certificate));
        message(HandshakeType::CERTIFICATE, &list)
    }

    /// A side's change of ciphers and Finished of TLS 1.2.
    pub(crate) fn finish12(&mut self, side: Side) {
        self.forge.change_cipher_spec(side);
        let finished = message(HandshakeType::FINISHED, &[7; 12]);
        self.messages(side, Epoch::Application, &[finished]);
    }

    /// A request, an answer and an orderly end.
    pub(crate) fn exchange(&mut self) {
        let close = Alert::warning(AlertDescription::CLOSE_NOTIFY);
        for side in Side::BOTH {
            self.forge.data(side, Epoch::Application, b"data");
        }
        for side in Side::BOTH {
            self.forge.alert(side, Epoch::Application, close);
            self.forge.half_close(side);
        }
    }
}

pub(crate) fn encrypted_extensions(more: &[Vec<u8>]) -> Vec<u8> {
    let groups = extension(ExtensionType::SUPPORTED_GROUPS, &GROUPS);
    let block = extensions(&[&[groups], more].concat());
    message(HandshakeType::ENCRYPTED_EXTENSIONS, &block)
}

/// A CertificateRequest of TLS 1.3.
fn certificate_request() -> Vec<u8> {
    let algorithms = extension(ExtensionType::SIGNATURE_ALGORITHMS, &ALGORITHMS);
    let body = [&[0][..], &extensions(&[algorithms])].concat();
    message(HandshakeType::CERTIFICATE_REQUEST, &body)
}

/// A CertificateVerify of either version.
fn certificate_verify() -> Vec<u8> {
    message(HandshakeType::CERTIFICATE_VERIFY, &[4, 3, 0, 2, 1, 2])
}

/// A Finished of TLS 1.3 with SHA-256 or, what nobody here checks, SHA-384.
pub(crate) fn finished() -> Vec<u8> {
    message(HandshakeType::FINISHED, &[7; 32])
}

/// The inside of a record: handshake messages with their content type and padding.
pub(crate) fn padded(messages: &[u8], padding: usize) -> Vec<u8> {
    [messages, &[ContentType::HANDSHAKE.0], &vec![0; padding]].concat()
}

/// A vector with a length of three octets.
fn long(octets: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(octets.len()).unwrap().to_be_bytes();
    [&length[..], octets].concat()
}

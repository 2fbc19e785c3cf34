//! Connections to rule on, put together message by message in the order of their arrival.

use std::time::Duration;

use reqmtls_contract::{Hex, Policy, Revision};
use reqmtls_observer::{
    Alert, AlertDescription, AlertLevel, Certificate, CertificateEntry, CertificateRequest,
    CertificateRequest12, CertificateVerify, CipherSuite, ClientHello, Content, ContentType,
    DEFAULT_FLAG, Defect, Ending, Entry, Epoch, Extension, ExtensionType, HandshakeMessage,
    HandshakeType, Octets, Octets32, Place, ProtocolVersion, Reason, ServerHello, Side,
    SignatureScheme, Transcript,
};

use crate::judge::check::{View, rule};
use crate::judge::knowledge::{Knowledge, Psk};
use crate::judge::ruling::Ruling;

pub(super) const CLIENT: Side = Side::Client;
pub(super) const SERVER: Side = Side::Server;

/// `tls_flags` with the request mTLS flag.
pub(super) const FLAG: &[u8] = &[11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// `tls_flags` with flag 3, which nobody knows.
pub(super) const OTHER: &[u8] = &[1, 8];

pub(super) fn extension(kind: u16, body: &[u8]) -> Extension {
    let kind = ExtensionType(kind);
    let body = body.into();
    Extension { kind, body }
}

pub(super) fn tls_flags(body: &[u8]) -> Vec<Extension> {
    vec![extension(62, body)]
}

/// `tls_flags` with the request mTLS flag, as extensions of a message.
pub(super) fn flag() -> Vec<Extension> {
    tls_flags(FLAG)
}

/// `tls_flags` with a flag that nobody knows.
pub(super) fn other() -> Vec<Extension> {
    tls_flags(OTHER)
}

/// `post_handshake_auth`
pub(super) fn late() -> Vec<Extension> {
    vec![extension(49, &[])]
}

/// A connection in the making. Both ends know `tls_flags` and sign as they should, under draft-02; nothing else is
/// known. Both directions are closed in the end, and which one first is not known.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) transcript: Transcript,
    pub(super) knowledge: Knowledge,
}

impl Scene {
    pub(super) fn new() -> Self {
        let mut knowledge = Knowledge::none(DEFAULT_FLAG, Revision::Draft02);
        for side in Side::BOTH {
            knowledge.end_mut(side).knows_flags = Some(true);
            knowledge.end_mut(side).signature_verifies = Some(true);
        }
        let transcript = Transcript {
            client_random: None,
            version: None,
            cipher_suite: None,
            entries: Vec::new(),
            client_ending: Ending::HalfClose,
            server_ending: Ending::HalfClose,
            ended_first: None,
            flights: Vec::new(),
            defects: Vec::new(),
        };
        Self {
            transcript,
            knowledge,
        }
    }

    /// Changes what is known.
    pub(super) fn known(mut self, change: impl FnOnce(&mut Knowledge)) -> Self {
        change(&mut self.knowledge);
        self
    }

    /// Under the editor's copy.
    pub(super) fn rca(self) -> Self {
        self.known(|it| it.revision = Revision::EditorsCopy)
    }

    /// An end does not know `tls_flags`.
    pub(super) fn unaware(self, side: Side) -> Self {
        self.known(|it| it.end_mut(side).knows_flags = Some(false))
    }

    pub(super) fn policy(self, policy: Policy) -> Self {
        self.known(|it| it.policy = Some(policy))
    }

    pub(super) fn has_certificate(self, has_one: bool) -> Self {
        self.known(|it| it.client_has_certificate = Some(has_one))
    }

    pub(super) fn spoiling(self, signer: Side) -> Self {
        self.known(|it| it.end_mut(signer).signature_verifies = Some(false))
    }

    pub(super) fn psk(self, psk: Psk) -> Self {
        self.known(|it| it.psk = Some(psk))
    }

    pub(super) fn proposing(self, flags: &[u8]) -> Self {
        self.known(|it| it.proposed = Some(Some(Hex(flags.to_vec()))))
    }

    /// The server reports that it completed the connection and regards the client as unauthenticated.
    pub(super) fn reporting_nobody(self) -> Self {
        self.known(|it| it.authenticated = Some(None))
    }

    pub(super) fn push(mut self, from: Side, epoch: Epoch, content: Content) -> Self {
        let entries = &self.transcript.entries;
        let arrival = entries.len();
        let record = entries.iter().filter(|entry| entry.from == from).count();
        self.transcript.entries.push(Entry {
            from,
            epoch,
            at: Duration::ZERO,
            start: arrival,
            arrival,
            records: record..record + 1,
            wire_len: 0,
            content,
            raw: Octets::default(),
        });
        self
    }

    pub(super) fn message(self, from: Side, epoch: Epoch, message: HandshakeMessage) -> Self {
        self.push(from, epoch, Content::Message(message))
    }

    /// A ClientHello that offers TLS 1.3, with more extensions.
    pub(super) fn hello(self, extensions: &[Extension]) -> Self {
        let versions = extension(43, &[4, 3, 4, 3, 3]);
        self.bare_hello(&[&[versions], extensions].concat())
    }

    pub(super) fn bare_hello(self, extensions: &[Extension]) -> Self {
        self.any_hello(CipherSuite::TLS13_AES_128_GCM_SHA256, extensions)
    }

    pub(super) fn any_hello(self, suite: CipherSuite, extensions: &[Extension]) -> Self {
        let hello = HandshakeMessage::ClientHello(ClientHello {
            random: Octets32([1; 32]),
            legacy_version: ProtocolVersion::TLS12,
            session_id_len: 0,
            cipher_suites: vec![suite],
            extensions: extensions.to_vec(),
        });
        self.message(CLIENT, Epoch::Plaintext, hello)
    }

    pub(super) fn retry(self, extensions: &[Extension]) -> Self {
        let retry = HandshakeMessage::HelloRetryRequest(server_hello(&[3, 4], extensions));
        self.message(SERVER, Epoch::Plaintext, retry)
    }

    pub(super) fn server_hello(mut self, extensions: &[Extension]) -> Self {
        self.transcript.version = Some(ProtocolVersion::TLS13);
        let hello = HandshakeMessage::ServerHello(server_hello(&[3, 4], extensions));
        self.message(SERVER, Epoch::Plaintext, hello)
    }

    /// A ServerHello of TLS 1.2.
    pub(super) fn server_hello12(mut self, extensions: &[Extension]) -> Self {
        self.transcript.version = Some(ProtocolVersion::TLS12);
        let hello = HandshakeMessage::ServerHello(server_hello(&[3, 3], extensions));
        self.message(SERVER, Epoch::Plaintext, hello)
    }

    pub(super) fn request12(self) -> Self {
        let request = HandshakeMessage::CertificateRequest12(CertificateRequest12 {
            certificate_types: Vec::new(),
            signature_schemes: Vec::new(),
            authorities: Vec::new(),
        });
        self.message(SERVER, Epoch::Plaintext, request)
    }

    pub(super) fn encrypted(self, extensions: &[Extension]) -> Self {
        let extensions = extensions.to_vec();
        let message = HandshakeMessage::EncryptedExtensions { extensions };
        self.message(SERVER, Epoch::Handshake, message)
    }

    /// A CertificateRequest with `signature_algorithms`; after the handshake its context is the octet 7.
    pub(super) fn request(self, epoch: Epoch, extensions: &[Extension]) -> Self {
        let algorithms = extension(13, &[0, 2, 8, 7]);
        self.bare_request(
            epoch,
            &context(epoch),
            &[&[algorithms], extensions].concat(),
        )
    }

    pub(super) fn bare_request(self, epoch: Epoch, context: &[u8], more: &[Extension]) -> Self {
        let request = HandshakeMessage::CertificateRequest(CertificateRequest {
            context: context.into(),
            extensions: more.to_vec(),
        });
        self.message(SERVER, epoch, request)
    }

    pub(super) fn certificate(
        self,
        from: Side,
        epoch: Epoch,
        count: usize,
        extensions: &[Extension],
    ) -> Self {
        let entry = CertificateEntry {
            sha256: Octets32([9; 32]),
            der_len: 1,
            extensions: extensions.to_vec(),
        };
        let certificate = HandshakeMessage::Certificate(Certificate {
            context: context(epoch),
            certificates: vec![entry; count],
        });
        self.message(from, epoch, certificate)
    }

    /// A message of which only the type is known.
    pub(super) fn other(self, from: Side, epoch: Epoch, kind: HandshakeType) -> Self {
        self.message(from, epoch, HandshakeMessage::Other { kind })
    }

    pub(super) fn malformed(self, from: Side, epoch: Epoch, kind: HandshakeType) -> Self {
        let reason = "forged".to_owned();
        self.message(from, epoch, HandshakeMessage::Malformed { kind, reason })
    }

    pub(super) fn verify(self, from: Side, epoch: Epoch) -> Self {
        let scheme = SignatureScheme::ED25519;
        let verify = HandshakeMessage::CertificateVerify(CertificateVerify { scheme });
        self.message(from, epoch, verify)
    }

    pub(super) fn finished(self, from: Side, epoch: Epoch) -> Self {
        self.message(from, epoch, HandshakeMessage::Finished)
    }

    pub(super) fn ticket(self, extensions: &[Extension]) -> Self {
        let extensions = extensions.to_vec();
        let ticket = HandshakeMessage::NewSessionTicket {
            lifetime: 60,
            extensions,
        };
        self.message(SERVER, Epoch::Application, ticket)
    }

    /// An alert at level fatal.
    pub(super) fn alert(self, from: Side, epoch: Epoch, description: u8) -> Self {
        self.any_alert(from, epoch, AlertLevel::FATAL, description)
    }

    pub(super) fn any_alert(self, from: Side, epoch: Epoch, level: AlertLevel, number: u8) -> Self {
        let description = AlertDescription(number);
        self.push(from, epoch, Content::Alert(Alert { level, description }))
    }

    /// The client refuses a message of the handshake.
    pub(super) fn client_sends(self, description: u8) -> Self {
        self.alert(CLIENT, Epoch::Handshake, description)
    }

    /// The server refuses what it received, under application keys.
    pub(super) fn server_sends(self, description: u8) -> Self {
        self.alert(SERVER, Epoch::Application, description)
    }

    /// The server refuses ClientHello.
    pub(super) fn server_refuses(self, description: u8) -> Self {
        self.alert(SERVER, Epoch::Plaintext, description)
    }

    pub(super) fn data(self, from: Side) -> Self {
        let content = Content::ApplicationData { len: 10 };
        self.push(from, Epoch::Application, content)
    }

    pub(super) fn close_notify(self, from: Side) -> Self {
        self.any_alert(from, Epoch::Application, AlertLevel::WARNING, 0)
    }

    pub(super) fn unreadable(self, from: Side, epoch: Epoch) -> Self {
        let (content_type, len) = (ContentType::APPLICATION_DATA, 19);
        self.push(from, epoch, Content::Opaque { content_type, len })
    }

    pub(super) fn ending(mut self, of: Side, ending: Ending) -> Self {
        match of {
            Side::Client => self.transcript.client_ending = ending,
            Side::Server => self.transcript.server_ending = ending,
        }
        self
    }

    /// A side is the first to close.
    pub(super) fn ends(mut self, side: Side) -> Self {
        self.transcript.ended_first = Some(side);
        self
    }

    pub(super) fn after_end(mut self, side: Side) -> Self {
        let (place, reason) = (Place::Record(3), Reason::AfterEnd);
        let defect = Defect {
            side,
            place,
            reason,
        };
        self.transcript.defects.push(defect);
        self
    }

    /// The server's flight from ServerHello to Finished, with a CertificateRequest if there are extensions for it.
    pub(super) fn server_flight(self, request: Option<&[Extension]>) -> Self {
        let scene = self.server_hello(&[]).encrypted(&[]);
        let scene = match request {
            Some(extensions) => scene.request(Epoch::Handshake, extensions),
            None => scene,
        };
        scene.server_authenticated()
    }

    /// The server's flight from Certificate to Finished.
    pub(super) fn server_authenticated(self) -> Self {
        self.certificate(SERVER, Epoch::Handshake, 1, &[])
            .verify(SERVER, Epoch::Handshake)
            .finished(SERVER, Epoch::Handshake)
    }

    /// The client's flight, with as many certificates if it was asked.
    pub(super) fn client_flight(self, certificates: Option<usize>) -> Self {
        let mut scene = self;
        if let Some(count) = certificates {
            scene = scene.certificate(CLIENT, Epoch::Handshake, count, &[]);
        }
        if certificates.is_some_and(|count| count > 0) {
            scene = scene.verify(CLIENT, Epoch::Handshake);
        }
        scene.finished(CLIENT, Epoch::Handshake)
    }

    /// A server that authenticates with a pre-shared key.
    pub(super) fn psk_hellos(self, hello: &[Extension], selected: &[Extension]) -> Self {
        let psk = [extension(41, &[0, 0])];
        self.hello(&[hello, &psk].concat())
            .server_hello(&[selected, &psk].concat())
            .encrypted(&[])
    }

    /// An answer of the client to a request after the handshake.
    pub(super) fn late_answer(self, certificates: usize) -> Self {
        let scene = self.certificate(CLIENT, Epoch::Application, certificates, &[]);
        let scene = match certificates {
            0 => scene,
            _ => scene.verify(CLIENT, Epoch::Application),
        };
        scene.finished(CLIENT, Epoch::Application)
    }

    /// Request, answer and orderly end.
    pub(super) fn completed(self) -> Self {
        self.data(CLIENT)
            .data(SERVER)
            .close_notify(CLIENT)
            .close_notify(SERVER)
    }

    pub(super) fn rulings(&self) -> Vec<Ruling> {
        rule(&View::new(&self.transcript, &self.knowledge))
    }

    /// The rulings of one requirement.
    pub(super) fn rulings_of(&self, id: &str) -> Vec<Ruling> {
        let mut rulings = self.rulings();
        rulings.retain(|ruling| ruling.requirement.as_str() == id);
        rulings
    }
}

/// A handshake as far as the server's Finished, with a CertificateRequest.
pub(super) fn asked() -> Scene {
    Scene::new().hello(&[]).server_flight(Some(&[]))
}

/// The same without one.
pub(super) fn not_asked() -> Scene {
    Scene::new().hello(&[]).server_flight(None)
}

/// A connection that completes, of a client that is asked and has no certificate if there are extensions for
/// CertificateRequest.
pub(super) fn complete(hello: &[Extension], request: Option<&[Extension]>) -> Scene {
    let scene = Scene::new().hello(hello).server_flight(request);
    scene.client_flight(request.map(|_| 0)).completed()
}

fn server_hello(version: &[u8], extensions: &[Extension]) -> ServerHello {
    ServerHello {
        random: Octets32([2; 32]),
        legacy_version: ProtocolVersion::TLS12,
        session_id_len: 0,
        cipher_suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
        extensions: [&[extension(43, version)], extensions].concat(),
    }
}

fn context(epoch: Epoch) -> Octets {
    match epoch {
        Epoch::Application => Octets(vec![7]),
        _ => Octets::default(),
    }
}

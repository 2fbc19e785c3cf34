//! Connections to rule on.

use std::time::Duration;

use reqmtls_contract::{ConnectionReport, Edit, Hex, Identity, Message, Policy, Revision, Setup};

use super::super::{End, Ruling, Verdict, View, rule};
use reqmtls_observer::{
    Alert, AlertDescription, AlertLevel, Certificate, CertificateEntry, CertificateRequest,
    CertificateRequest12, CertificateVerify, CipherSuite, ClientHello, Content, ContentType,
    DEFAULT_FLAG, Defect, Ending, Entry, Epoch, Extension, ExtensionType, HandshakeMessage, Octets,
    Octets32, Place, ProtocolVersion, Reason, ServerHello, Side, SignatureScheme, Transcript,
};

pub(super) const CLIENT: Side = Side::Client;
pub(super) const SERVER: Side = Side::Server;

/// `tls_flags` with the request mTLS flag.
pub(super) const FLAG: &[u8] = &[11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// `tls_flags` with flag 3, which nobody knows.
pub(super) const OTHER: &[u8] = &[1, 8];

pub(super) fn extension(kind: u16, body: &[u8]) -> Extension {
    let kind = ExtensionType(kind);
    Extension {
        kind,
        body: body.into(),
    }
}

pub(super) fn tls_flags(body: &[u8]) -> Vec<Extension> {
    vec![extension(62, body)]
}

/// A connection in the making. Both ends know `tls_flags`, follow revision `rm`, and close in order
/// unless something else is said.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) transcript: Transcript,
    pub(super) client: Setup,
    pub(super) server: Setup,
    pub(super) report: ConnectionReport,
    pub(super) revision: Revision,
    pub(super) connection: u32,
}

impl Scene {
    pub(super) fn new() -> Self {
        let setup = Setup {
            flag: Some(DEFAULT_FLAG),
            ..Setup::default()
        };
        Self {
            transcript: Transcript {
                client_random: None,
                version: None,
                cipher_suite: None,
                entries: Vec::new(),
                client_ending: Ending::HalfClose,
                server_ending: Ending::HalfClose,
                flights: Vec::new(),
                defects: Vec::new(),
            },
            client: setup.clone(),
            server: setup,
            report: ConnectionReport::default(),
            revision: Revision::Rm,
            connection: 0,
        }
    }

    /// Under the editor's copy.
    pub(super) fn rca(mut self) -> Self {
        self.revision = Revision::Rca;
        self
    }

    /// An end does not know `tls_flags`.
    pub(super) fn unknowing(mut self, side: Side) -> Self {
        self.setup(side).flag = None;
        self
    }

    pub(super) fn policy(mut self, policy: Policy) -> Self {
        self.server.policy = Some(policy);
        self
    }

    /// The client has a certificate.
    pub(super) fn identity(mut self) -> Self {
        self.client.identity = Some(Identity {
            certificates: String::new(),
            private_key: String::new(),
        });
        self
    }

    pub(super) fn setup(&mut self, side: Side) -> &mut Setup {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    pub(super) fn editing_flags(mut self) -> Self {
        self.client.edits.push(Edit {
            message: Message::ClientHello,
            extension: 62,
            data: None,
            last: false,
        });
        self
    }

    pub(super) fn sending_flags(mut self, flags: &[u8]) -> Self {
        self.client.tls_flags = Some(Hex(flags.to_vec()));
        self
    }

    pub(super) fn push(mut self, from: Side, epoch: Epoch, content: Content) -> Self {
        let event = self.transcript.entries.len();
        self.transcript.entries.push(Entry {
            from,
            epoch,
            at: Duration::ZERO,
            start: event,
            arrival: event,
            records: 0..1,
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
        let hello = ClientHello {
            random: Octets32([1; 32]),
            legacy_version: ProtocolVersion::TLS12,
            session_id_len: 0,
            cipher_suites: vec![CipherSuite::TLS13_AES_128_GCM_SHA256],
            extensions: extensions.to_vec(),
        };
        let hello = HandshakeMessage::ClientHello(hello);
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

    /// A CertificateRequest; after the handshake its context is the octet 7.
    pub(super) fn request(self, epoch: Epoch, extensions: &[Extension]) -> Self {
        let request = HandshakeMessage::CertificateRequest(CertificateRequest {
            context: context(epoch),
            extensions: extensions.to_vec(),
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

    pub(super) fn alert(self, from: Side, epoch: Epoch, description: u8) -> Self {
        let level = AlertLevel::FATAL;
        let description = AlertDescription(description);
        self.push(from, epoch, Content::Alert(Alert { level, description }))
    }

    pub(super) fn data(self, from: Side) -> Self {
        self.push(
            from,
            Epoch::Application,
            Content::ApplicationData { len: 10 },
        )
    }

    pub(super) fn close_notify(self, from: Side) -> Self {
        let (level, description) = (AlertLevel::WARNING, AlertDescription::CLOSE_NOTIFY);
        let alert = Content::Alert(Alert { level, description });
        self.push(from, Epoch::Application, alert)
    }

    pub(super) fn ending(mut self, of: Side, ending: Ending) -> Self {
        match of {
            Side::Client => self.transcript.client_ending = ending,
            Side::Server => self.transcript.server_ending = ending,
        }
        self
    }

    pub(super) fn after_end(mut self, side: Side) -> Self {
        let (place, reason) = (Place::Record(3), Reason::AfterEnd);
        self.transcript.defects.push(Defect {
            side,
            place,
            reason,
        });
        self
    }

    /// The server's flight from ServerHello to Finished.
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
        let scene = match certificates {
            Some(count) => {
                let scene = self.certificate(CLIENT, Epoch::Handshake, count, &[]);
                if count > 0 {
                    scene.verify(CLIENT, Epoch::Handshake)
                } else {
                    scene
                }
            }
            None => self,
        };
        scene.finished(CLIENT, Epoch::Handshake)
    }

    /// Request, answer and orderly end.
    pub(super) fn completed(self) -> Self {
        self.data(CLIENT)
            .data(SERVER)
            .close_notify(CLIENT)
            .close_notify(SERVER)
    }

    pub(super) fn rulings(&self) -> Vec<Ruling> {
        let report = ConnectionReport::default();
        rule(&View {
            transcript: &self.transcript,
            client: End {
                setup: &self.client,
                report: &report,
            },
            server: End {
                setup: &self.server,
                report: &self.report,
            },
            flag: DEFAULT_FLAG,
            revision: self.revision,
            connection: self.connection,
        })
    }

    /// What one requirement says, in short.
    pub(super) fn says(&self, id: &str) -> Vec<String> {
        let rulings = self.rulings().into_iter();
        rulings
            .filter(|ruling| ruling.requirement.id == id)
            .map(|ruling| match ruling.verdict {
                Verdict::Kept(side) => format!("{} kept", side.name()),
                Verdict::Told(Some(side)) => format!("{} told", side.name()),
                Verdict::Told(None) => "told".to_owned(),
                Verdict::Broken { side, .. } => format!("{} broken", side.name()),
                Verdict::Tension { follows, against } => format!("{follows} over {against}"),
            })
            .collect()
    }

    /// The only ruling of a requirement.
    pub(super) fn ruling(&self, id: &str) -> Ruling {
        let mut rulings = self.rulings();
        rulings.retain(|ruling| ruling.requirement.id == id);
        assert_eq!(rulings.len(), 1, "{rulings:?}");
        rulings.remove(0)
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

/// A record that does not decrypt.
pub(super) fn unreadable() -> Content {
    let (content_type, len) = (ContentType::APPLICATION_DATA, 19);
    Content::Opaque { content_type, len }
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

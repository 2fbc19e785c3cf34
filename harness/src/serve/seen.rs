//! What a connection shows of its client, as data for scripts and for pages.

use reqmtls_contract::{Policy, Revision};
use reqmtls_observer::{
    CipherSuite, ClientHello, Codepoints, ExtensionType, HandshakeMessage, Octets32,
    ProtocolVersion, Side, TlsFlags,
};
use reqmtls_vocabulary::NamedGroup;
use serde::Serialize;

use crate::judge::requirement::Id;
use crate::judge::{Connection, Party};

/// The most entries of one list that a client can make long.
const MOST: usize = 200;

/// What one connection shows of its client.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Seen {
    /// The version that was negotiated.
    pub(super) version: Option<String>,
    /// By which revision it is judged.
    pub(super) revision: Revision,
    /// The policy of the server.
    pub(super) policy: Option<Policy>,
    /// Whether each ClientHello sets the request mTLS flag; absent where one is malformed.
    pub(super) request_mtls: Option<bool>,
    /// Each ClientHello; there are two after a HelloRetryRequest.
    pub(super) client_hellos: Vec<Hello>,
    /// Whether the server asked for a certificate.
    pub(super) certificate_requested: bool,
    /// What the client sent when it was asked.
    pub(super) client_certificate: Presented,
    /// Whether it resumed a session.
    pub(super) resumed: bool,
    /// What is wrong.
    pub(super) findings: Vec<Wrong>,
    /// What passed by now, line by line.
    pub(super) transcript: Vec<String>,
}

/// One ClientHello.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Hello {
    pub(super) versions: Vec<String>,
    /// In the order of the wire.
    pub(super) extensions: Vec<Named>,
    pub(super) groups: Vec<String>,
    pub(super) cipher_suites: Vec<String>,
    /// Every `tls_flags`, under whatever number it is known.
    pub(super) tls_flags: Vec<Flags>,
}

/// An extension.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Named {
    pub(super) number: u16,
    pub(super) name: String,
}

/// One `tls_flags`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Flags {
    /// The number of the extension.
    pub(super) extension: u16,
    /// Its content, hexadecimal; of a long one the start.
    pub(super) octets: String,
    /// The flags that are set.
    pub(super) set: Vec<u16>,
    /// Why it is malformed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) malformed: Option<String>,
}

/// What a client sent of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Presented {
    /// No Certificate message.
    Nothing,
    /// One without a certificate.
    Empty,
    /// One that cannot be read.
    Unread,
    /// A certificate, by its SHA-256.
    Sha256(Octets32),
}

/// A requirement that is violated.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Wrong {
    pub(super) id: Id,
    pub(super) document: String,
    pub(super) statement: &'static str,
    pub(super) side: Party,
    pub(super) got: String,
    pub(super) expected: String,
}

impl Seen {
    pub(super) fn of(connection: &Connection) -> Self {
        let Connection {
            transcript,
            knowledge,
            facts,
            rulings,
        } = connection;
        let codepoints = knowledge.codepoints();
        let hellos = transcript
            .messages(Side::Client)
            .filter_map(|message| match message {
                HandshakeMessage::ClientHello(hello) => Some(hello),
                _ => None,
            });
        let client_hellos: Vec<_> = hellos
            .take(2)
            .map(|hello| Hello::of(hello, codepoints))
            .collect();
        let findings = rulings.iter().filter_map(|ruling| {
            let finding = ruling.finding()?;
            let requirement = ruling.requirement.get();
            Some(Wrong {
                id: ruling.requirement,
                document: requirement.citation(),
                statement: requirement.statement,
                side: finding.party,
                got: finding.got,
                expected: finding.expected,
            })
        });
        let text = transcript.text_by_arrival(codepoints);
        Self {
            version: transcript.version.map(|version| version.to_string()),
            revision: knowledge.revision,
            policy: knowledge.policy,
            request_mtls: request(&client_hellos, codepoints),
            client_hellos,
            certificate_requested: facts.certificate_request,
            client_certificate: Presented::of(connection),
            resumed: facts.resumed,
            findings: findings.take(MOST).collect(),
            transcript: text.lines().take(MOST).map(str::to_owned).collect(),
        }
    }
}

/// Whether each ClientHello sets the flag.
fn request(hellos: &[Hello], codepoints: Codepoints) -> Option<bool> {
    let mut is_set = !hellos.is_empty();
    for hello in hellos {
        let mut of_hello = hello.tls_flags.iter();
        let of_number = of_hello.find(|flags| flags.extension == codepoints.extension.0);
        match of_number {
            Some(flags) if flags.malformed.is_some() => return None,
            Some(flags) => is_set &= flags.set.contains(&codepoints.flag),
            None => is_set = false,
        }
    }
    Some(is_set)
}

impl Hello {
    fn of(hello: &ClientHello, codepoints: Codepoints) -> Self {
        let body = |kind| {
            let mut extensions = hello.extensions.iter();
            let found = extensions.find(|extension| extension.kind == kind);
            found.map(|extension| &extension.body[..])
        };
        let list = |body: Option<&[u8]>, header: usize| -> Vec<u16> {
            let list = body.and_then(|body| body.get(header..)).unwrap_or_default();
            let numbers = list.as_chunks().0.iter();
            numbers
                .take(MOST)
                .map(|it| u16::from_be_bytes(*it))
                .collect()
        };
        let versions = match body(ExtensionType::SUPPORTED_VERSIONS) {
            Some(body) => list(Some(body), 1),
            None => vec![hello.legacy_version.0],
        };
        let groups = list(body(ExtensionType::SUPPORTED_GROUPS), 2);
        let extensions = hello.extensions.iter().take(MOST);
        let tls_flags = hello.extensions.iter().filter_map(|extension| {
            let decoded = extension.tls_flags(codepoints);
            let decoded =
                decoded.or_else(|| extension.tls_flags_of_another_number(codepoints).map(Ok))?;
            let octets = extension.body.get(..MOST).unwrap_or(&extension.body);
            Some(Flags {
                extension: extension.kind.0,
                octets: hex::encode(octets),
                malformed: decoded.as_ref().err().map(ToString::to_string),
                set: decoded
                    .as_ref()
                    .map(TlsFlags::flags)
                    .unwrap_or_default()
                    .to_vec(),
            })
        });
        Self {
            versions: named(&versions, |number| ProtocolVersion(number).to_string()),
            extensions: extensions
                .map(|extension| Named {
                    number: extension.kind.0,
                    name: grease(extension.kind.0).unwrap_or_else(|| extension.kind.to_string()),
                })
                .collect(),
            groups: named(&groups, |number| NamedGroup(number).to_string()),
            cipher_suites: hello
                .cipher_suites
                .iter()
                .take(MOST)
                .map(|suite| grease(suite.0).unwrap_or_else(|| CipherSuite(suite.0).to_string()))
                .collect(),
            tls_flags: tls_flags.take(MOST).collect(),
        }
    }
}

fn named(numbers: &[u16], name: impl Fn(u16) -> String) -> Vec<String> {
    let names = numbers
        .iter()
        .map(|number| grease(*number).unwrap_or_else(|| name(*number)));
    names.collect()
}

/// The name of a number that means nothing (RFC 8701 §2).
fn grease(number: u16) -> Option<String> {
    let [high, low] = number.to_be_bytes();
    (high == low && low & 0x0f == 0x0a).then(|| format!("GREASE {number:#06x}"))
}

impl Presented {
    fn of(connection: &Connection) -> Self {
        if let Some(sha256) = connection.facts.client_certificate {
            return Self::Sha256(sha256);
        }
        let mut sent = connection.transcript.messages(Side::Client);
        match sent.find(|message| message.is_certificate()) {
            None => Self::Nothing,
            Some(message) if message.certificate().is_some() => Self::Empty,
            Some(_) => Self::Unread,
        }
    }
}

//! What is looked up in a connection, gathered in one pass.

use std::collections::{HashMap, HashSet};

use reqmtls_observer::{
    Alert, AlertDescription, AlertLevel, CertificateRequest, ClientHello, Codepoints, Content,
    Entry, Epoch, Extension, ExtensionType, HandshakeMessage, HandshakeType, ProtocolVersion,
    ServerHello, Side, Transcript,
};

use super::view::Sent;

/// What is looked up in a connection.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) client: Spoken<'a>,
    pub(super) server: Spoken<'a>,
    pub(super) hellos: Vec<Hello<'a>>,
    pub(super) server_hello: Option<(&'a Entry, &'a ServerHello)>,
    pub(super) requests: Vec<Request<'a>>,
    pub(super) has_malformed_request: bool,
    /// The place of the first request of each context.
    by_context: HashMap<&'a [u8], usize>,
}

/// What one side sent.
#[derive(Debug, Default)]
pub(super) struct Spoken<'a> {
    pub(super) entries: Vec<&'a Entry>,
    pub(super) messages: Vec<Sent<'a>>,
    pub(super) error: Option<(&'a Entry, Alert)>,
    pub(super) close_notify: Option<&'a Entry>,
    pub(super) finished: Option<&'a Entry>,
    pub(super) is_unreadable: bool,
    /// The types of all extensions that it sent, GREASE left out.
    pub(super) kinds: HashSet<ExtensionType>,
}

/// A ClientHello.
#[derive(Debug)]
pub(in crate::judge) struct Hello<'a> {
    pub(in crate::judge) entry: &'a Entry,
    pub(in crate::judge) body: &'a ClientHello,
    /// The types of its extensions, GREASE left out: nobody has to answer that, RFC 8701 §3.1.
    pub(in crate::judge) kinds: HashSet<ExtensionType>,
    pub(in crate::judge) flags: Flags,
}

/// A CertificateRequest of TLS 1.3.
#[derive(Debug)]
pub(in crate::judge) struct Request<'a> {
    pub(in crate::judge) sent: Sent<'a>,
    pub(in crate::judge) body: &'a CertificateRequest,
    pub(in crate::judge) kinds: HashSet<ExtensionType>,
    pub(in crate::judge) flags: Flags,
}

/// The flags that a message sets in well-formed `tls_flags`.
#[derive(Debug, Default)]
pub(in crate::judge) struct Flags(HashSet<u16>);

impl<'a> Index<'a> {
    pub(super) fn of(transcript: &'a Transcript, codepoints: Codepoints) -> Self {
        let mut index = Self {
            client: Spoken::of(transcript, Side::Client),
            server: Spoken::of(transcript, Side::Server),
            hellos: Vec::new(),
            server_hello: None,
            requests: Vec::new(),
            has_malformed_request: false,
            by_context: HashMap::new(),
        };
        let hellos = index.client.messages.iter().filter_map(|sent| {
            let HandshakeMessage::ClientHello(hello) = sent.message else {
                return None;
            };
            Some(Hello {
                entry: sent.entry,
                body: hello,
                kinds: kinds(&hello.extensions),
                flags: Flags::of(&hello.extensions, codepoints),
            })
        });
        index.hellos = hellos.take(2).collect();
        for sent in &index.server.messages {
            match sent.message {
                HandshakeMessage::ServerHello(hello) => {
                    index.server_hello.get_or_insert((sent.entry, hello));
                }
                HandshakeMessage::CertificateRequest(request) => {
                    let place = index.requests.len();
                    index.by_context.entry(&request.context).or_insert(place);
                    index.requests.push(Request {
                        sent: *sent,
                        body: request,
                        kinds: kinds(&request.extensions),
                        flags: Flags::of(&request.extensions, codepoints),
                    });
                }
                HandshakeMessage::Malformed { kind, .. } => {
                    index.has_malformed_request |= *kind == HandshakeType::CERTIFICATE_REQUEST;
                }
                _ => {}
            }
        }
        index
    }

    /// The first request with a context.
    pub(super) fn request_of(&self, context: &[u8]) -> Option<&Request<'a>> {
        let place = self.by_context.get(context)?;
        self.requests.get(*place)
    }
}

impl<'a> Spoken<'a> {
    fn of(transcript: &'a Transcript, side: Side) -> Self {
        let is_tls12 = transcript
            .version
            .is_some_and(|it| it < ProtocolVersion::TLS13);
        let entries = transcript.entries.iter();
        let mut spoken = Self {
            entries: entries.filter(|entry| entry.from == side).collect(),
            ..Self::default()
        };
        // In canonical order `close_notify` stands last. Messages of one record are in the order of its octets.
        spoken.entries.sort_by_key(|entry| entry.records.start);
        for entry in spoken.entries.iter().copied() {
            match &entry.content {
                Content::Message(message) => {
                    if *message == HandshakeMessage::Finished {
                        spoken.finished.get_or_insert(entry);
                    }
                    spoken.kinds.extend(kinds(message.extensions()));
                    spoken.messages.push(Sent { entry, message });
                }
                Content::Alert(alert) if alert.is_close_notify() => {
                    spoken.close_notify.get_or_insert(entry);
                }
                Content::Alert(alert) if is_error(*alert, is_tls12) => {
                    spoken.error.get_or_insert((entry, *alert));
                }
                Content::Opaque { .. } | Content::Malformed { .. } => {
                    spoken.is_unreadable |= entry.epoch != Epoch::EarlyData;
                }
                Content::Alert(_) | Content::ApplicationData { .. } | Content::ChangeCipherSpec => {
                }
            }
        }
        spoken
    }
}

impl Hello<'_> {
    /// Whether it offers TLS 1.3: `supported_versions` is one length octet, then two octets for each version,
    /// RFC 9846 §4.3.1 (RFC 8446 §4.2.1).
    pub(in crate::judge) fn offers_tls13(&self) -> bool {
        let mut extensions = self.body.extensions.iter();
        let versions = extensions.find(|it| it.kind == ExtensionType::SUPPORTED_VERSIONS);
        let octets = versions.and_then(|it| it.body.get(1..)).unwrap_or_default();
        octets.chunks_exact(2).any(|version| version == [3, 4])
    }
}

impl Flags {
    fn of(extensions: &[Extension], codepoints: Codepoints) -> Self {
        let decoded = extensions
            .iter()
            .filter_map(|it| it.tls_flags(codepoints)?.ok());
        Self(decoded.flat_map(|flags| flags.flags().to_vec()).collect())
    }

    pub(in crate::judge) fn contains(&self, flag: u16) -> bool {
        self.0.contains(&flag)
    }
}

fn kinds<'e>(extensions: impl IntoIterator<Item = &'e Extension>) -> HashSet<ExtensionType> {
    let kinds = extensions.into_iter().map(|extension| extension.kind);
    kinds.filter(|kind| !is_grease(*kind)).collect()
}

/// Whether an alert ends the connection because something is wrong: in TLS 1.3 whatever its level, RFC 9846 §6
/// (RFC 8446 §6); before it the level decides, RFC 5246 §7.2.
fn is_error(alert: Alert, is_tls12: bool) -> bool {
    let closes = [
        AlertDescription::CLOSE_NOTIFY,
        AlertDescription::USER_CANCELED,
    ];
    if is_tls12 {
        alert.level == AlertLevel::FATAL
    } else {
        !closes.contains(&alert.description)
    }
}

/// Whether a number is reserved to be unknown to everybody, RFC 8701 §2: 0x0a0a, 0x1a1a, …, 0xfafa.
pub(in crate::judge) fn is_grease(kind: ExtensionType) -> bool {
    let [high, low] = kind.0.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

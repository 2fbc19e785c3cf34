//! One connection as the checks see it: what is known, and the questions that checks ask.

use reqmtls_contract::Policy;
use reqmtls_observer::{
    Alert, Defect, Ending, Entry, Epoch, ExtensionType, HandshakeMessage, Octets32,
    ProtocolVersion, Side, TlsFlags, TlsFlagsError, Transcript,
};
use reqmtls_observer::{Certificate, Extension, HandshakeType, ServerHello};

use super::index::{Hello, Index, Request, Spoken};
use super::offence::{Offence, Offences};
use crate::judge::knowledge::Knowledge;

/// One connection as the checks see it. Made once, so that each check is linear in what passed.
#[derive(Debug)]
pub struct View<'a> {
    pub(in crate::judge) knowledge: &'a Knowledge,
    transcript: &'a Transcript,
    index: Index<'a>,
    offences: [Offences<'a>; 2],
}

/// A handshake message with the entry that carries it.
#[derive(Clone, Copy, Debug)]
pub(in crate::judge) struct Sent<'a> {
    pub(in crate::judge) entry: &'a Entry,
    pub(in crate::judge) message: &'a HandshakeMessage,
}

impl Sent<'_> {
    /// Whether the message belongs to the time after the handshake.
    pub(in crate::judge) fn is_late(&self) -> bool {
        self.entry.epoch == Epoch::Application
    }
}

/// The certificates of a Certificate or `CompressedCertificate`.
#[derive(Clone, Copy, Debug)]
pub(in crate::judge) enum Chain<'a> {
    /// They were read.
    Read(&'a Certificate),
    /// They are compressed or malformed: what depends on them is not judged.
    Unread,
}

/// Whether the `ClientHellos` set the request flag.
#[derive(Clone, Copy, Debug)]
pub(in crate::judge) enum FlagSet<'a> {
    /// Each does; this is the first.
    Always(&'a Entry),
    /// None does.
    Never,
    /// One does and the other does not, or there is none: what the server has to make of that is not determined.
    Unclear,
}

/// What a response answers.
#[derive(Clone, Copy, Debug)]
pub(in crate::judge) enum Asked<'v, 'a> {
    /// The `ClientHellos` before it.
    Hellos(&'v [Hello<'a>]),
    /// The CertificateRequest with its context, if there is one.
    Request(Option<&'v Request<'a>>),
}

impl<'a> View<'a> {
    /// Reads the transcript once, from its first entry to its last.
    #[must_use]
    pub fn new(transcript: &'a Transcript, knowledge: &'a Knowledge) -> Self {
        let index = Index::of(transcript, knowledge.codepoints());
        let offences = [Offences::default(), Offences::default()];
        let mut view = Self {
            knowledge,
            transcript,
            index,
            offences,
        };
        view.offences = Side::BOTH.map(|receiver| Offences::of(&view, receiver));
        view
    }

    /// An entry's line in the text of the transcript.
    pub(in crate::judge) fn line(&self, entry: &Entry) -> Option<String> {
        self.transcript.line(entry, self.knowledge.codepoints())
    }

    /// The first entry of that kind, by side and by the order of its octets.
    pub(in crate::judge) fn find(&self, wanted: impl Fn(&Entry) -> bool) -> Option<&'a Entry> {
        let mut entries = Side::BOTH.into_iter().flat_map(|side| self.entries(side));
        entries.find(|entry| wanted(entry))
    }

    pub(in crate::judge) fn client_random(&self) -> Option<Octets32> {
        self.transcript.client_random
    }

    pub(in crate::judge) fn defects(&self) -> &'a [Defect] {
        &self.transcript.defects
    }

    fn of(&self, side: Side) -> &Spoken<'a> {
        match side {
            Side::Client => &self.index.client,
            Side::Server => &self.index.server,
        }
    }

    /// What a side sent, in the order of its octets.
    pub(in crate::judge) fn entries(
        &self,
        from: Side,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> {
        counted(self.of(from).entries.iter().copied())
    }

    /// The handshake messages of a side, in the order of its octets.
    pub(in crate::judge) fn sent(&self, from: Side) -> impl DoubleEndedIterator<Item = Sent<'a>> {
        counted(self.of(from).messages.iter().copied())
    }

    /// Handshake messages of a side behind one of its entries.
    pub(in crate::judge) fn sent_after(&self, entry: &'a Entry) -> impl Iterator<Item = Sent<'a>> {
        let mut rest = self.sent(entry.from);
        rest.find(|sent| std::ptr::eq(sent.entry, entry));
        rest
    }

    /// The first two `ClientHellos`; there is a second one after HelloRetryRequest only.
    pub(in crate::judge) fn hellos(&self) -> &[Hello<'a>] {
        &self.index.hellos
    }

    /// The ServerHello, not a HelloRetryRequest.
    pub(in crate::judge) fn server_hello(&self) -> Option<(&'a Entry, &'a ServerHello)> {
        self.index.server_hello
    }

    /// Every CertificateRequest of TLS 1.3.
    pub(in crate::judge) fn requests(&self) -> impl Iterator<Item = &Request<'a>> {
        counted(self.index.requests.iter())
    }

    /// The first CertificateRequest of the main handshake.
    pub(in crate::judge) fn main_request(&self) -> Option<&Request<'a>> {
        self.requests().find(|request| !request.sent.is_late())
    }

    /// Every CertificateRequest after the handshake.
    pub(in crate::judge) fn late_requests(&self) -> impl Iterator<Item = &Request<'a>> {
        self.requests().filter(|request| request.sent.is_late())
    }

    /// A side's Finished of the main handshake, which is its first.
    pub(in crate::judge) fn finished(&self, side: Side) -> Option<&'a Entry> {
        self.of(side).finished
    }

    /// The first error alert of a side.
    pub(in crate::judge) fn error(&self, from: Side) -> Option<(&'a Entry, Alert)> {
        self.of(from).error
    }

    /// The first error alert of the connection.
    pub(in crate::judge) fn first_error(&self) -> Option<(&'a Entry, Alert)> {
        let errors = Side::BOTH.into_iter().filter_map(|side| self.error(side));
        errors.min_by_key(|(entry, _)| entry.arrival)
    }

    /// The `close_notify` of a side.
    pub(in crate::judge) fn close_notify(&self, from: Side) -> Option<&'a Entry> {
        self.of(from).close_notify
    }

    /// Whether something of a side could not be read, which may have been anything. Early data that the server
    /// does not accept is of no weight.
    pub(in crate::judge) fn is_unreadable(&self, from: Side) -> bool {
        self.of(from).is_unreadable
    }

    /// How a side's direction ended.
    pub(in crate::judge) fn ending(&self, of: Side) -> Ending {
        self.transcript.ending(of)
    }

    /// The side that ended first: by `close_notify`, or by closing its direction.
    pub(in crate::judge) fn ended_first(&self) -> Option<Side> {
        let closed = Side::BOTH.into_iter();
        let closed = closed.filter_map(|side| self.close_notify(side));
        let first = closed.min_by_key(|entry| entry.arrival);
        first.map_or(self.transcript.ended_first, |entry| Some(entry.from))
    }

    /// Whether TLS 1.3 was negotiated, or would be if the server had not refused ClientHello.
    pub(in crate::judge) fn is_tls13(&self) -> bool {
        let accepted = self.knowledge.server_accepts_tls13.unwrap_or(true);
        match self.transcript.version {
            Some(version) => version == ProtocolVersion::TLS13,
            None => accepted && self.hellos().first().is_some_and(Hello::offers_tls13),
        }
    }

    /// Whether the server authenticates with a pre-shared key, RFC 9846 §4.3.11 (RFC 8446 §4.2.11).
    pub(in crate::judge) fn uses_psk(&self) -> bool {
        self.selects(ExtensionType::PRE_SHARED_KEY)
    }

    /// Whether ServerHello carries an extension.
    pub(in crate::judge) fn selects(&self, kind: ExtensionType) -> bool {
        self.server_hello().is_some_and(|(_, hello)| {
            counted(hello.extensions.iter()).any(|extension| extension.kind == kind)
        })
    }

    /// Whether a ClientHello carries an extension.
    pub(in crate::judge) fn offers(&self, kind: ExtensionType) -> bool {
        self.hellos()
            .iter()
            .any(|hello| hello.kinds.contains(&kind))
    }

    /// Whether the `ClientHellos` set the request flag.
    pub(in crate::judge) fn flag(&self) -> FlagSet<'a> {
        let flag = self.knowledge.flag;
        let mut set = self.hellos().iter().map(|hello| hello.flags.contains(flag));
        match (self.hellos().first(), set.next()) {
            (Some(hello), Some(true)) if set.all(|set| set) => FlagSet::Always(hello.entry),
            (Some(_), Some(false)) if set.all(|set| !set) => FlagSet::Never,
            _ => FlagSet::Unclear,
        }
    }

    /// The first ClientHello, if each one sets the request flag.
    pub(in crate::judge) fn flagged_hello(&self) -> Option<&'a Entry> {
        match self.flag() {
            FlagSet::Always(entry) => Some(entry),
            FlagSet::Never | FlagSet::Unclear => None,
        }
    }

    /// Whether an end implements `tls_flags`, as is known or as it shows by sending the extension; to any other it is
    /// an unknown extension.
    pub(in crate::judge) fn knows_flags(&self, side: Side) -> Option<bool> {
        let sends = self.has_sent(side, self.knowledge.codepoints().extension);
        let known = self.knowledge.end(side).knows_flags;
        known.or(sends.then_some(true))
    }

    /// Whether an end is known to implement `tls_flags`.
    pub(in crate::judge) fn knows(&self, side: Side) -> bool {
        self.knows_flags(side) == Some(true)
    }

    /// Whether the server's policy is on the flag.
    pub(in crate::judge) fn is_on_flag(&self) -> bool {
        self.knowledge.policy.is_some_and(Policy::is_on_flag)
    }

    /// Whether a side sent an extension of that type in any message.
    pub(in crate::judge) fn has_sent(&self, side: Side, kind: ExtensionType) -> bool {
        self.of(side).kinds.contains(&kind)
    }

    /// What a response answers, RFC 9846 §4.3 (RFC 8446 §4.2); `None` for what is no response, or if what it
    /// answers is not to be seen.
    pub(in crate::judge) fn asked(&self, sent: Sent<'_>) -> Option<Asked<'_, 'a>> {
        let hellos = self.hellos();
        let seen = |hellos| Some(Asked::Hellos(hellos)).filter(|_| !self.hellos().is_empty());
        match (sent.message, sent.entry.from) {
            (HandshakeMessage::HelloRetryRequest(_), _) => seen(&hellos[..hellos.len().min(1)]),
            (
                HandshakeMessage::ServerHello(_) | HandshakeMessage::EncryptedExtensions { .. },
                _,
            )
            | (HandshakeMessage::Certificate(_), Side::Server) => seen(hellos),
            (HandshakeMessage::Certificate(certificate), Side::Client) => {
                let hidden = self.is_unreadable(Side::Server) || self.index.has_malformed_request;
                let request = self.index.request_of(&certificate.context);
                (!hidden).then_some(Asked::Request(request))
            }
            _ => None,
        }
    }

    /// Whether every CertificateRequest of the server could be read.
    pub(in crate::judge) fn sees_requests(&self) -> bool {
        !self.is_unreadable(Side::Server) && !self.index.has_malformed_request
    }

    /// The value of `tls_flags`, if an extension is that.
    pub(in crate::judge) fn tls_flags(
        &self,
        extension: &Extension,
    ) -> Option<Result<TlsFlags, TlsFlagsError>> {
        extension.tls_flags(self.knowledge.codepoints())
    }

    /// Whether a message carries `tls_flags`, of whatever value.
    pub(in crate::judge) fn carries_flags(&self, message: &HandshakeMessage) -> bool {
        let carrier = self.knowledge.codepoints().extension;
        counted(message.extensions().into_iter()).any(|extension| extension.kind == carrier)
    }

    /// Whether a message sets the request flag in well-formed `tls_flags`.
    pub(in crate::judge) fn sets_flag(&self, message: &HandshakeMessage) -> bool {
        let flag = self.knowledge.flag;
        let mut values = counted(message.extensions().into_iter());
        values.any(|it| matches!(self.tls_flags(it), Some(Ok(flags)) if flags.contains(flag)))
    }

    /// What a side must not accept and the requirement names the answer to, if that is to be judged: nobody
    /// has to answer what comes behind something else that ends the connection.
    pub(in crate::judge) fn offence(&self, receiver: Side, id: &str) -> Option<&Offence<'a>> {
        self.offences_to(receiver).judged(self, receiver, id)
    }

    /// Whether a side received something for which it has or may have to end the connection.
    pub(in crate::judge) fn may_refuse(&self, receiver: Side) -> bool {
        self.offences_to(receiver).exist()
    }

    fn offences_to(&self, receiver: Side) -> &Offences<'a> {
        match receiver {
            Side::Client => &self.offences[0],
            Side::Server => &self.offences[1],
        }
    }
}

impl Asked<'_, '_> {
    /// Whether the corresponding request carries an extension. What a client may take out of its second
    /// ClientHello is asked for by the second alone; who takes out anything else violates TLS-9, and asked for it.
    pub(in crate::judge) fn asks_for(&self, kind: ExtensionType) -> bool {
        match self {
            Self::Hellos(hellos) => {
                let in_last = hellos.last().is_some_and(|it| it.kinds.contains(&kind));
                let removable = [ExtensionType::EARLY_DATA, ExtensionType::PRE_SHARED_KEY];
                in_last
                    || (!removable.contains(&kind)
                        && hellos.iter().any(|it| it.kinds.contains(&kind)))
            }
            Self::Request(request) => request.is_some_and(|it| it.kinds.contains(&kind)),
        }
    }

    /// Whether the corresponding request sets a flag.
    pub(in crate::judge) fn proposes(&self, flag: u16) -> bool {
        match self {
            Self::Hellos(hellos) => hellos.iter().any(|hello| hello.flags.contains(flag)),
            Self::Request(request) => request.is_some_and(|it| it.flags.contains(flag)),
        }
    }
}

/// The certificates of a message, if it is Certificate or `CompressedCertificate`.
pub(in crate::judge) fn chain(message: &HandshakeMessage) -> Option<Chain<'_>> {
    let kinds = [
        HandshakeType::CERTIFICATE,
        HandshakeType::COMPRESSED_CERTIFICATE,
    ];
    let unread = || kinds.contains(&message.kind()).then_some(Chain::Unread);
    message.certificate().map(Chain::Read).or_else(unread)
}

/// Counts what the checks look at, for the test that judging is linear.
pub(in crate::judge) fn counted<T>(
    items: impl DoubleEndedIterator<Item = T>,
) -> impl DoubleEndedIterator<Item = T> {
    items.inspect(|_| {
        #[cfg(test)]
        super::tests::linear::visit();
    })
}

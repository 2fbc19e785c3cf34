//! Messages that call for an answer, and which alert answers them.

use reqmtls_contract::Revision;

use super::View;
use super::view::{Sent, blocks, carries, flags, has_duplicate, sets};
use reqmtls_observer::{
    AlertDescription, Epoch, ExtensionType, HandshakeMessage, Side, TlsFlagsError,
};

/// Why a receiver must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `tls_flags` all zero or with trailing zero octets.
    Zeros,
    /// `tls_flags` without any flag octets.
    ZeroLength,
    /// `tls_flags` of which the length octet is not the number of octets that follow.
    Length,
    /// An extension twice in one block. No document names an alert for it.
    Duplicate,
    /// A flag in HelloRetryRequest, ServerHello, EncryptedExtensions or Certificate that was not proposed.
    UnsolicitedFlag,
    /// An extension in one of these messages that was not requested.
    UnsolicitedExtension,
    /// An extension that every implementation knows, in a message that it is not specified for.
    NotSpecified,
    /// The request flag in CertificateRequest, without the client's.
    Unasked,
    /// The request flag in another message of the server.
    MisplacedByServer,
    /// The request flag in Certificate of the client.
    MisplacedByClient,
}

/// An alert and the requirement that demands it.
pub(super) type Demand = (AlertDescription, &'static str);

impl Fault {
    /// The alerts that answer it, the first the one of the requirement that speaks of it.
    ///
    /// `tls_flags` that do not parse are invalid (47, draft-ietf-tls-tlsflags §2), and do not fit the syntax
    /// `<1..255>`, which is a decode error (50, RFC 8446 §6).
    pub(in crate::judge) fn demands(self) -> &'static [Demand] {
        const ILLEGAL: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;
        const DECODE: AlertDescription = AlertDescription::DECODE_ERROR;
        match self {
            Self::Zeros => &[(ILLEGAL, "TF-3")],
            Self::ZeroLength | Self::Length => &[(ILLEGAL, "TF-4"), (DECODE, "TF-1")],
            Self::Duplicate => &[],
            Self::UnsolicitedFlag => &[(ILLEGAL, "TF-7")],
            Self::UnsolicitedExtension => &[(AlertDescription::UNSUPPORTED_EXTENSION, "TLS-7")],
            Self::NotSpecified => &[(ILLEGAL, "TLS-8")],
            Self::Unasked => &[(ILLEGAL, "RCA-6")],
            Self::MisplacedByServer => &[(ILLEGAL, "RCA-7")],
            Self::MisplacedByClient => &[(ILLEGAL, "RCA-8")],
        }
    }
}

impl From<TlsFlagsError> for Fault {
    fn from(error: TlsFlagsError) -> Self {
        match error {
            TlsFlagsError::AllZero | TlsFlagsError::TrailingZero => Self::Zeros,
            TlsFlagsError::Empty | TlsFlagsError::ZeroLength => Self::ZeroLength,
            TlsFlagsError::LengthMismatch { .. } => Self::Length,
        }
    }
}

/// The first message that a receiver must not go on after, and everything that is wrong with it.
pub(super) struct Offence<'a> {
    pub(super) sent: Sent<'a>,
    pub(super) faults: Vec<Fault>,
}

/// The first offence that a side receives in a TLS 1.3 connection: nobody has to answer a second one.
pub(in crate::judge) fn offence<'a>(view: &View<'a>, receiver: Side) -> Option<Offence<'a>> {
    if !view.is_tls13() {
        return None;
    }
    view.sent(receiver.peer()).find_map(|sent| {
        let faults = faults(view, receiver, sent);
        (!faults.is_empty()).then_some(Offence { sent, faults })
    })
}

fn faults(view: &View<'_>, receiver: Side, sent: Sent<'_>) -> Vec<Fault> {
    let message = sent.message;
    let mut faults = Vec::new();
    if has_duplicate(message) {
        faults.push(Fault::Duplicate);
    }
    if receiver == Side::Client && has_unspecified(view, message) {
        faults.push(Fault::NotSpecified);
    }
    let requests = requests(view, sent);
    if requests.as_ref().is_some_and(|requests| {
        RESPONSES
            .iter()
            .any(|kind| carries(message, *kind) && !requests.iter().any(|it| carries(it, *kind)))
    }) {
        faults.push(Fault::UnsolicitedExtension);
    }
    if view.knows(receiver) {
        faults.extend(
            blocks(message)
                .iter()
                .flatten()
                .filter_map(|extension| extension.tls_flags(view.flag)?.err().map(Fault::from)),
        );
        if requests.is_some_and(|requests| has_unsolicited_flag(message, &requests)) {
            faults.push(Fault::UnsolicitedFlag);
        }
        faults.extend(misplaced(view, receiver, message));
    }
    faults
}

/// The extensions of this field that a response may carry only if they were requested.
const RESPONSES: [ExtensionType; 2] = [ExtensionType::TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT];

/// The messages that a response answers (RFC 8446 §4.2); `None` for what is no response.
pub(in crate::judge) fn requests<'a>(
    view: &View<'a>,
    sent: Sent<'_>,
) -> Option<Vec<&'a HandshakeMessage>> {
    let hellos = || {
        view.sent(Side::Client)
            .map(|sent| sent.message)
            .filter(|message| matches!(message, HandshakeMessage::ClientHello(_)))
    };
    match (sent.message, sent.entry.from) {
        (HandshakeMessage::HelloRetryRequest(_), _) => Some(hellos().take(1).collect()),
        (HandshakeMessage::ServerHello(_) | HandshakeMessage::EncryptedExtensions { .. }, _)
        | (HandshakeMessage::Certificate(_), Side::Server) => Some(hellos().collect()),
        (HandshakeMessage::Certificate(certificate), Side::Client) => {
            let of_same_context = |message: &&HandshakeMessage| match message {
                HandshakeMessage::CertificateRequest(it) => it.context == certificate.context,
                _ => false,
            };
            let requests = view.requests().map(|sent| sent.message);
            Some(requests.filter(of_same_context).collect())
        }
        _ => None,
    }
}

pub(in crate::judge) fn has_unsolicited_flag(
    message: &HandshakeMessage,
    requests: &[&HandshakeMessage],
) -> bool {
    let proposed = |flag: &u16| requests.iter().any(|request| sets(request, *flag));
    !flags(message).iter().all(proposed)
}

/// The request flag where the editor's copy does not allow it.
fn misplaced(view: &View<'_>, receiver: Side, message: &HandshakeMessage) -> Option<Fault> {
    if view.knowledge.revision != Revision::EditorsCopy || !sets(message, view.knowledge.flag) {
        return None;
    }
    match (message, receiver) {
        (HandshakeMessage::ClientHello(_), Side::Server) => None,
        (HandshakeMessage::CertificateRequest(_), Side::Client) => {
            view.flagged_hello().is_none().then_some(Fault::Unasked)
        }
        (_, Side::Client) => Some(Fault::MisplacedByServer),
        (_, Side::Server) => Some(Fault::MisplacedByClient),
    }
}

/// Whether a message of the server has an extension of RFC 8446 §9.2 that the client offered and
/// that is specified for other messages.
fn has_unspecified(view: &View<'_>, message: &HandshakeMessage) -> bool {
    let extensions = message.extensions();
    extensions.iter().any(|extension| {
        let specified = match extension.kind {
            ExtensionType::SUPPORTED_VERSIONS | ExtensionType::KEY_SHARE => matches!(
                message,
                HandshakeMessage::ServerHello(_) | HandshakeMessage::HelloRetryRequest(_)
            ),
            ExtensionType::SUPPORTED_GROUPS => {
                matches!(message, HandshakeMessage::EncryptedExtensions { .. })
            }
            ExtensionType::SIGNATURE_ALGORITHMS => {
                matches!(message, HandshakeMessage::CertificateRequest(_))
            }
            _ => true,
        };
        !specified && view.hellos().any(|(_, hello)| hello.offers(extension.kind))
    })
}

/// Whether a message belongs to the time after the handshake.
pub(in crate::judge) fn is_after_handshake(sent: Sent<'_>) -> bool {
    sent.entry.epoch == Epoch::Application
}

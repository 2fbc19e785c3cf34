//! What to edit.

use std::slice;

/// Which end of a connection edits the messages that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end that sends ClientHello.
    Client,
    /// The end that sends ServerHello.
    Server,
}

/// A handshake message with an extension block that can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Message {
    /// Every ClientHello.
    ClientHello,
    /// The first ClientHello only.
    FirstClientHello,
    /// The ClientHello that answers a HelloRetryRequest.
    SecondClientHello,
    /// Every ClientHello that offers a session of TLS 1.3, by `pre_shared_key`.
    ClientHelloWithPsk,
    /// Every ClientHello that does not.
    ClientHelloWithoutPsk,
    /// ServerHello, but not a HelloRetryRequest.
    ServerHello,
    /// HelloRetryRequest, a ServerHello with a special random (RFC 9846 §4.2.3 (RFC 8446 §4.1.3)).
    HelloRetryRequest,
    /// EncryptedExtensions.
    EncryptedExtensions,
    /// CertificateRequest of TLS 1.3.
    CertificateRequest,
    /// Every entry of this side's own Certificate of TLS 1.3.
    Certificate,
    /// The first entry of this side's own Certificate of TLS 1.3.
    CertificateFirstEntry,
    /// NewSessionTicket of TLS 1.3.
    NewSessionTicket,
}

impl Message {
    fn sent_by(self, side: Side) -> bool {
        match self {
            Self::ClientHello
            | Self::FirstClientHello
            | Self::SecondClientHello
            | Self::ClientHelloWithPsk
            | Self::ClientHelloWithoutPsk => side == Side::Client,
            Self::Certificate | Self::CertificateFirstEntry => true,
            Self::ServerHello
            | Self::HelloRetryRequest
            | Self::EncryptedExtensions
            | Self::CertificateRequest
            | Self::NewSessionTicket => side == Side::Server,
        }
    }

    pub(super) fn is_encrypted(self) -> bool {
        matches!(
            self,
            Self::EncryptedExtensions
                | Self::CertificateRequest
                | Self::Certificate
                | Self::CertificateFirstEntry
                | Self::NewSessionTicket
        )
    }
}

/// Where an extension is inserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Position {
    /// Last, but before `pre_shared_key`, which must itself be last in a
    /// ClientHello (RFC 9846 §4.3.11 (RFC 8446 §4.2.11)).
    #[default]
    BeforePreSharedKey,
    /// Last in any case, even after `pre_shared_key`.
    Last,
}

/// What to do to an extension block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Put an extension in, whether or not there is one of its type.
    Insert {
        /// The `ExtensionType`.
        extension: u16,
        /// The `extension_data`, as it is, 65535 octets at most.
        body: Vec<u8>,
        /// Where.
        position: Position,
    },
    /// Take all extensions of a type out.
    Remove {
        /// The `ExtensionType`.
        extension: u16,
    },
}

/// One change to one kind of message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// The message.
    pub message: Message,
    /// What happens to it.
    pub change: Change,
}

/// Changes to the messages of one side, made in order.
///
/// ```
/// use rustls_tlsflags::seam::{Edits, Message};
///
/// let trailing_zero_octet = Edits::new().insert(Message::ClientHello, 62, [2, 1, 0]);
/// assert_eq!(trailing_zero_octet.iter().count(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// No change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an extension into a message, before `pre_shared_key`.
    #[must_use]
    pub fn insert(self, message: Message, extension: u16, body: impl Into<Vec<u8>>) -> Self {
        self.insert_at(message, extension, body, Position::default())
    }

    /// Puts an extension into a message.
    #[must_use]
    pub fn insert_at(
        self,
        message: Message,
        extension: u16,
        body: impl Into<Vec<u8>>,
        position: Position,
    ) -> Self {
        let body = body.into();
        self.with(Edit {
            message,
            change: Change::Insert {
                extension,
                body,
                position,
            },
        })
    }

    /// Takes all extensions of a type out of a message.
    #[must_use]
    pub fn remove(self, message: Message, extension: u16) -> Self {
        self.with(Edit {
            message,
            change: Change::Remove { extension },
        })
    }

    /// Adds one edit after the others.
    #[must_use]
    pub fn with(mut self, edit: Edit) -> Self {
        self.0.push(edit);
        self
    }

    /// The edits, in order.
    pub fn iter(&self) -> slice::Iter<'_, Edit> {
        self.0.iter()
    }

    /// Whether there is no edit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some message is edited that only exists encrypted.
    pub(super) fn touch_encrypted(&self) -> bool {
        self.0.iter().any(|edit| edit.message.is_encrypted())
    }

    /// By how many octets these edits make a message of each named kind grow, at most.
    pub(super) fn growth(&self) -> usize {
        let grown = self.0.iter().map(|edit| match &edit.change {
            Change::Insert { body, .. } => 4 + body.len(),
            Change::Remove { .. } => 0,
        });
        grown.sum()
    }

    /// Whether `side` can make all of these edits.
    pub(super) fn check(&self, side: Side) -> Result<(), SeamError> {
        for edit in &self.0 {
            let message = edit.message;
            if !message.sent_by(side) {
                return Err(SeamError::NotSent { message, side });
            }
            if let Change::Insert { body, .. } = &edit.change {
                let limit = if message.is_encrypted() {
                    super::MAX_GROWTH - 4
                } else {
                    usize::from(u16::MAX)
                };
                if body.len() > limit {
                    return Err(SeamError::BodyTooLong {
                        message,
                        length: body.len(),
                        limit,
                    });
                }
            }
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Edits {
    type Item = &'a Edit;
    type IntoIter = slice::Iter<'a, Edit>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Why edits cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeamError {
    /// The message is not one that this side sends.
    #[error("a {side:?} does not send {message:?}, so it cannot edit it")]
    NotSent {
        /// The message named by an edit.
        message: Message,
        /// The side that would have to send it.
        side: Side,
    },
    /// An extension is longer than the message could take.
    #[error("extension of {length} octets in {message:?}: expected {limit} at most")]
    BodyTooLong {
        /// The message named by the edit.
        message: Message,
        /// The length of the extension's body, in octets.
        length: usize,
        /// The greatest length, in octets.
        limit: usize,
    },
    /// A configuration was built with another provider.
    #[error("the configuration was not built with a {side:?} provider of rustls-tlsflags")]
    ForeignProvider {
        /// The side of the configuration.
        side: Side,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_does_not_send_server_hello() {
        let edits = Edits::new().insert(Message::ServerHello, 62, [1, 1]);
        assert_eq!(edits.check(Side::Server), Ok(()));
        assert_eq!(
            edits.check(Side::Client),
            Err(SeamError::NotSent {
                message: Message::ServerHello,
                side: Side::Client
            })
        );
    }

    #[test]
    fn rejects_body_longer_than_an_encrypted_message_may_grow() {
        let edits = Edits::new().insert(Message::CertificateRequest, 62, vec![0; 1021]);
        assert_eq!(
            edits.check(Side::Server),
            Err(SeamError::BodyTooLong {
                message: Message::CertificateRequest,
                length: 1021,
                limit: 1020
            })
        );
    }
}

//! Misbehaviour: extensions put into messages, and taken out of them.

use reqmtls_contract::{Edit, Group, Hex, Message, Policy, Setup};
use reqmtls_observer::{ExtensionType, HandshakeMessage};
use reqmtls_vocabulary::Side;

use super::super::Trouble;
use super::super::capability::PRIVATE;
use super::{Bench, Shown, ensure};

/// What is put in.
const DATA: [u8; 2] = [1, 2];
/// An extension that every ClientHello has, and that a handshake can do without.
const SERVER_NAME: u16 = 0;

impl Bench<'_> {
    /// Each message that the side sends carries what the job puts into it; ClientHello lacks what it takes out.
    pub(crate) async fn edits(&self, side: Side) -> Result<(), Trouble> {
        let messages: &[Message] = match side {
            Side::Client => &[
                Message::ClientHello,
                Message::FirstClientHello,
                Message::SecondClientHello,
                Message::Certificate,
            ],
            Side::Server => &[
                Message::ServerHello,
                Message::HelloRetryRequest,
                Message::EncryptedExtensions,
                Message::CertificateRequest,
                Message::Certificate,
                Message::NewSessionTicket,
            ],
        };
        for message in messages {
            for last in [false, true] {
                let put = Edit {
                    message: *message,
                    extension: PRIVATE,
                    data: Some(Hex(DATA.to_vec())),
                    last,
                };
                let shown = self.edited(side, put).await?;
                let kinds = shown.extensions(side, *message);
                let place = kinds.iter().position(|kind| kind.0 == PRIVATE);
                let ends = place.is_some_and(|place| place + 1 == kinds.len());
                ensure(place.is_some() && (ends || !last), || {
                    let end = if last { " at the very end" } else { "" };
                    format!(
                        "got {message} without the extension that was put into it{end}; the transcript:\n{}",
                        shown.text()
                    )
                })?;
            }
        }
        if side == Side::Client {
            let take = Edit {
                message: Message::ClientHello,
                extension: SERVER_NAME,
                data: None,
                last: false,
            };
            let shown = self.edited(side, take).await?;
            let kinds = shown.extensions(side, Message::ClientHello);
            ensure(kinds.iter().all(|kind| kind.0 != SERVER_NAME), || {
                "got client_hello with the extension that was taken out of it".to_owned()
            })?;
        }
        Ok(())
    }

    /// A connection with HelloRetryRequest where the edit needs one, and CertificateRequest.
    async fn edited(&self, side: Side, edit: Edit) -> Result<Shown, Trouble> {
        let retries = matches!(
            edit.message,
            Message::SecondClientHello | Message::HelloRetryRequest
        );
        let groups = |all: &[Group]| if retries { all.to_vec() } else { Vec::new() };
        let mut client = Setup {
            groups: groups(&[Group::X25519, Group::Secp256r1]),
            ..self.material.authenticated()
        };
        let mut server = Setup {
            groups: groups(&[Group::Secp256r1]),
            ..self.material.server(Policy::Request)
        };
        match side {
            Side::Client => client.edits = vec![edit],
            Side::Server => server.edits = vec![edit],
        }
        self.once(side, client, server).await
    }
}

impl Shown {
    /// The extensions of the last message of that name.
    fn extensions(&self, from: Side, message: Message) -> Vec<ExtensionType> {
        let messages: Vec<_> = self.observed.transcript.messages(from).collect();
        let is_it = |it: &&HandshakeMessage| match message {
            Message::ClientHello | Message::FirstClientHello | Message::SecondClientHello => {
                matches!(it, HandshakeMessage::ClientHello(_))
            }
            Message::ServerHello => matches!(it, HandshakeMessage::ServerHello(_)),
            Message::HelloRetryRequest => matches!(it, HandshakeMessage::HelloRetryRequest(_)),
            Message::EncryptedExtensions => {
                matches!(it, HandshakeMessage::EncryptedExtensions { .. })
            }
            Message::CertificateRequest => matches!(it, HandshakeMessage::CertificateRequest(_)),
            Message::Certificate => it.is_certificate(),
            Message::NewSessionTicket => matches!(it, HandshakeMessage::NewSessionTicket { .. }),
        };
        let found = messages.into_iter().rfind(is_it);
        let extensions = found.map(HandshakeMessage::extensions).unwrap_or_default();
        extensions.into_iter().map(|it| it.kind).collect()
    }
}

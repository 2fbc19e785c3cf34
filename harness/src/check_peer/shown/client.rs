//! What a client declares.

use reqmtls_contract::{Edit, Hex, Message, Policy, Resumption, Revision, Setup, TLS_FLAGS};
use reqmtls_observer::{Epoch, HandshakeType};
use reqmtls_vocabulary::Side;

use super::super::Trouble;
use super::super::capability::{EXTENSION, FLAG, FLAG_80};
use super::{Bench, Shown, ensure, extension, octets, same};
use crate::scenario::Valid;

const SERVER_NAME: u16 = 0;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const POST_HANDSHAKE_AUTH: u16 = 49;

/// Values of `tls_flags`, well formed and malformed, that are sent exactly so.
const VALUES: [&[u8]; 7] = [
    &FLAG_80,
    &[1, 1],
    &[],
    &[0],
    &[1, 0],
    &[2, 1],
    &[3, 0, 0, 0],
];

/// The alert `decrypt_error`.
const DECRYPT_ERROR: u8 = 51;

impl Bench<'_> {
    async fn as_client(&self, client: Setup, server: Setup) -> Result<Shown, Trouble> {
        self.completed(Side::Client, client, server).await
    }

    fn never(&self) -> Setup {
        self.material.server(Policy::Never)
    }

    /// Handshake, request, answer and close, of an unmodified library that sends its `server_name`.
    pub(crate) async fn client(&self) -> Result<(), Trouble> {
        let shown = self.as_client(self.material.client(), self.never()).await?;
        let hello = shown.hello()?;
        let flags = extension(hello, TLS_FLAGS);
        same(
            "tls_flags of a client whose job names none",
            flags,
            None,
            octets,
        )?;
        let name = crate::scenario::SERVER_NAME.as_bytes();
        let sent = extension(hello, SERVER_NAME).unwrap_or_default();
        ensure(sent.ends_with(name), || {
            format!("got server_name {}, expected the job's", octets(Some(sent)))
        })?;
        let offered = extension(hello, POST_HANDSHAKE_AUTH);
        same(
            "post_handshake_auth without being asked for",
            offered,
            None,
            octets,
        )
    }

    /// The server's certificate has to be of the job's name, and of an issuer that the job trusts.
    pub(crate) async fn client_verifies(&self) -> Result<(), Trouble> {
        let other_name = Setup {
            server_name: Some("other.reqmtls.test".to_owned()),
            ..self.material.client()
        };
        let strangers = Valid::generate(None).map_err(|error| error.to_string())?;
        let other_issuer = Setup {
            trust_anchors: Some(strangers.authority),
            ..self.material.client()
        };
        for client in [other_name, other_issuer] {
            let shown = self.once(Side::Client, client, self.never()).await?;
            shown.refused_by(Side::Client)?;
        }
        Ok(())
    }

    /// A client that is asked sends its identity, or an empty Certificate.
    pub(crate) async fn client_identity(&self) -> Result<(), Trouble> {
        let server = || self.material.server(Policy::Request);
        let shown = self
            .as_client(self.material.authenticated(), server())
            .await?;
        ensure(shown.observed.facts.authenticated.is_some(), || {
            "got no certificate of a client that has one and is asked".to_owned()
        })?;
        let shown = self.as_client(self.material.client(), server()).await?;
        ensure(shown.observed.facts.authenticated.is_none(), || {
            "got a certificate of a client that has none".to_owned()
        })
    }

    /// `tls_flags` is sent exactly so.
    pub(crate) async fn client_tls_flags(&self) -> Result<(), Trouble> {
        for value in VALUES {
            let client = Setup {
                tls_flags: Some(Hex(value.to_vec())),
                ..self.material.client()
            };
            let shown = self.as_client(client, self.never()).await?;
            let got = extension(shown.hello()?, TLS_FLAGS);
            same("tls_flags in ClientHello", got, Some(value), octets)?;
        }
        Ok(())
    }

    /// A client with a flag refuses flags that it did not solicit, and malformed ones.
    pub(crate) async fn client_flag(&self) -> Result<(), Trouble> {
        let knowing = Setup {
            flag: Some(FLAG),
            ..self.material.client()
        };
        self.as_client(knowing.clone(), self.never()).await?;
        for (message, data) in [
            (Message::EncryptedExtensions, &FLAG_80[..]),
            (Message::CertificateRequest, &[1, 0]),
        ] {
            let server = inserting(message, data, self.material.server(Policy::Request));
            let shown = self.once(Side::Client, knowing.clone(), server).await?;
            shown.refused_by(Side::Client)?;
        }
        // A flag of the server's own is no answer.
        let server = inserting(
            Message::CertificateRequest,
            &[1, 1],
            self.material.server(Policy::Request),
        );
        self.as_client(knowing, server).await.map(drop)
    }

    /// `tls_flags` has the job's number.
    pub(crate) async fn client_extension(&self) -> Result<(), Trouble> {
        let client = Setup {
            extension: Some(EXTENSION),
            tls_flags: Some(Hex(FLAG_80.to_vec())),
            ..self.material.client()
        };
        let shown = self.as_client(client, self.never()).await?;
        let hello = shown.hello()?;
        let got = extension(hello, EXTENSION);
        same("extension 0xfe01", got, Some(&FLAG_80[..]), octets)?;
        same("extension 62", extension(hello, TLS_FLAGS), None, octets)
    }

    /// In the editor's copy CertificateRequest acknowledges the flag, for those who set it alone.
    pub(crate) async fn client_editors_copy(&self) -> Result<(), Trouble> {
        let client = |set: bool| Setup {
            flag: Some(FLAG),
            revision: Some(Revision::EditorsCopy),
            tls_flags: set.then(|| Hex(FLAG_80.to_vec())),
            ..self.material.authenticated()
        };
        let server = Setup {
            revision: Some(Revision::EditorsCopy),
            ..self.material.on_flag(Policy::RequestOnFlag)
        };
        self.as_client(client(true), server).await?;
        let server = inserting(
            Message::CertificateRequest,
            &FLAG_80,
            self.material.server(Policy::Request),
        );
        let shown = self.once(Side::Client, client(false), server).await?;
        shown.refused_by(Side::Client)
    }

    /// Connection 1 offers the session of connection 0, with flags of its own.
    pub(crate) async fn client_resumption(&self) -> Result<(), Trouble> {
        let later = self.has("client.tls-flags").then(|| Hex(FLAG_80.to_vec()));
        let expected = later.clone();
        let client = Setup {
            resumption: Some(Resumption {
                tls_flags: later,
                early_data: false,
            }),
            ..self.material.client()
        };
        let (_, second) = self.twice(Side::Client, client, self.never()).await?;
        second.completed()?;
        ensure(second.observed.facts.resumed, || {
            format!(
                "got no resumed session in connection 1; the transcript:\n{}",
                second.text()
            )
        })?;
        let hello = second.hello()?;
        let got = extension(hello, TLS_FLAGS);
        let expected = expected.as_ref().map(|data| &data.0[..]);
        same("tls_flags of connection 1", got, expected, octets)?;
        let got = extension(hello, EARLY_DATA);
        same("early_data without being asked for", got, None, octets)
    }

    /// The request of connection 1 goes as early data.
    pub(crate) async fn client_early_data(&self) -> Result<(), Trouble> {
        let client = Setup {
            resumption: Some(Resumption {
                tls_flags: None,
                early_data: true,
            }),
            ..self.material.client()
        };
        let server = Setup {
            early_data: true,
            ..self.never()
        };
        let (first, second) = self.twice(Side::Client, client, server).await?;
        let offered = extension(first.hello()?, PRE_SHARED_KEY);
        same("pre_shared_key in connection 0", offered, None, octets)?;
        second.completed()?;
        ensure(second.sent_early_data(), || {
            format!(
                "got no early data in connection 1; the transcript:\n{}",
                second.text()
            )
        })
    }

    /// `post_handshake_auth` is offered.
    pub(crate) async fn client_post_handshake_auth(&self) -> Result<(), Trouble> {
        let client = Setup {
            post_handshake_auth: true,
            ..self.material.client()
        };
        let shown = self.as_client(client, self.never()).await?;
        let got = extension(shown.hello()?, POST_HANDSHAKE_AUTH);
        same("post_handshake_auth", got, Some(&[][..]), octets)
    }

    /// The signature in CertificateVerify does not verify.
    pub(crate) async fn client_bad_certificate_verify(&self) -> Result<(), Trouble> {
        let client = Setup {
            bad_certificate_verify: true,
            ..self.material.authenticated()
        };
        let server = self.material.server(Policy::Require);
        let shown = self.once(Side::Client, client, server).await?;
        shown.is_refused_with(Side::Server, DECRYPT_ERROR)?;
        let kind = HandshakeType::CERTIFICATE_VERIFY;
        ensure(shown.sent(Side::Client, kind, Epoch::Handshake), || {
            "got no CertificateVerify, expected one that does not verify".to_owned()
        })
    }
}

impl Shown {
    /// The end on this side refused the other one with an alert.
    pub(super) fn is_refused_with(&self, side: Side, description: u8) -> Result<(), Trouble> {
        self.refused_by(side)?;
        let alert = self.observed.facts.alert;
        let got = alert.map(|(_, alert)| alert.description.0);
        let show = |it: Option<u8>| it.map_or("none".to_owned(), |it| it.to_string());
        same("the alert", got, Some(description), show)
    }
}

/// An end that puts a value of `tls_flags` into a message.
pub(super) fn inserting(message: Message, data: &[u8], setup: Setup) -> Setup {
    let edit = Edit {
        message,
        extension: TLS_FLAGS,
        data: Some(Hex(data.to_vec())),
        last: false,
    };
    Setup {
        edits: vec![edit],
        ..setup
    }
}

//! What a server declares.

use reqmtls_contract::{
    Answer, Edit, Hex, Message, Policy, Resumption, Revision, Sessions, Setup, TLS_FLAGS,
};
use reqmtls_observer::{Epoch, ExtensionType, HandshakeMessage, HandshakeType};
use reqmtls_vocabulary::Side;

use super::super::Trouble;
use super::super::capability::{EXTENSION, FLAG_80};
use super::{Bench, Shown, ensure, octets, same};

/// The alert `decrypt_error`.
const DECRYPT_ERROR: u8 = 51;

impl Bench<'_> {
    async fn as_server(&self, client: Setup, server: Setup) -> Result<Shown, Trouble> {
        self.completed(Side::Server, client, server).await
    }

    /// A client that sends flags.
    fn sending(&self, data: &[u8]) -> Setup {
        Setup {
            tls_flags: Some(Hex(data.to_vec())),
            ..self.material.authenticated()
        }
    }

    /// Handshake, request, answer and close; to an unmodified library `tls_flags` is unknown, malformed or not.
    pub(crate) async fn server(&self) -> Result<(), Trouble> {
        let plain = self.material.plain(Side::Server);
        for client in [
            self.material.client(),
            self.sending(&FLAG_80),
            self.sending(&[1, 0]),
        ] {
            let shown = self.as_server(client, plain.clone()).await?;
            shown.is_answered(&Answer::default())?;
        }
        Ok(())
    }

    /// A policy decides who is asked, and what becomes of a client without a certificate.
    pub(crate) async fn policy(&self, policy: Policy) -> Result<(), Trouble> {
        if policy == Policy::PostHandshake {
            return self.post_handshake().await;
        }
        let server = if policy.is_on_flag() {
            self.material.on_flag(policy)
        } else {
            self.material.server(policy)
        };
        for set in [false, true] {
            for present in [false, true] {
                let client = Setup {
                    tls_flags: set.then(|| Hex(FLAG_80.to_vec())),
                    identity: present.then(|| self.material.valid().client.clone()),
                    ..self.material.client()
                };
                let shown = self.once(Side::Server, client, server.clone()).await?;
                let asks = policy.requests(set);
                let facts = &shown.observed.facts;
                let case = format!("a client with flag {set} and certificate {present}");
                same(
                    format!("{case}: CertificateRequest"),
                    facts.certificate_request,
                    asks,
                    |it| it.to_string(),
                )?;
                if asks && policy.requires() && !present {
                    shown.refused_by(Side::Server)?;
                } else {
                    shown.completed()?;
                    same(
                        format!("{case}: authenticated"),
                        facts.authenticated.is_some(),
                        asks && present,
                        |it| it.to_string(),
                    )?;
                }
            }
        }
        Ok(())
    }

    /// A server asks after the handshake who offered to be asked, and nobody else.
    async fn post_handshake(&self) -> Result<(), Trouble> {
        let server = self.material.server(Policy::PostHandshake);
        for offers in [false, true] {
            let client = Setup {
                post_handshake_auth: offers,
                ..self.material.authenticated()
            };
            let shown = self.as_server(client, server.clone()).await?;
            let kind = HandshakeType::CERTIFICATE_REQUEST;
            same(
                format!("CertificateRequest after the handshake to a client that offers {offers}"),
                shown.sent(Side::Server, kind, Epoch::Application),
                offers,
                |it| it.to_string(),
            )?;
            ensure(!shown.observed.facts.certificate_request, || {
                "got CertificateRequest in the main handshake, expected it after".to_owned()
            })?;
        }
        Ok(())
    }

    /// A server that asks refuses a certificate that it does not accept, under `request` too.
    pub(crate) async fn server_verifies(&self) -> Result<(), Trouble> {
        let client = Setup {
            identity: Some(self.material.certificates.untrusted.clone()),
            ..self.material.client()
        };
        let server = self.material.server(Policy::Request);
        let shown = self.once(Side::Server, client, server).await?;
        shown.refused_by(Side::Server)
    }

    /// A server with a flag says what flags came, and refuses malformed ones under every policy.
    pub(crate) async fn server_flag(&self) -> Result<(), Trouble> {
        let server = self.material.on_flag(Policy::Never);
        let shown = self
            .as_server(self.sending(&FLAG_80), server.clone())
            .await?;
        shown.is_answered(&Answer {
            client_certificate: None,
            tls_flags: Some(Hex(FLAG_80.to_vec())),
        })?;
        for data in [&[][..], &[0], &[1, 0], &[2, 1], &[1, 1, 1]] {
            let client = self.sending(data);
            let shown = self.once(Side::Server, client, server.clone()).await?;
            shown.refused_by(Side::Server)?;
        }
        Ok(())
    }

    /// `tls_flags` has the job's number.
    pub(crate) async fn server_extension(&self) -> Result<(), Trouble> {
        let edit = |extension| Edit {
            message: Message::ClientHello,
            extension,
            data: Some(Hex(FLAG_80.to_vec())),
            last: false,
        };
        for (extension, expected) in [(EXTENSION, true), (TLS_FLAGS, false)] {
            let client = Setup {
                edits: vec![edit(extension)],
                ..self.material.authenticated()
            };
            let server = Setup {
                extension: Some(EXTENSION),
                ..self.material.on_flag(Policy::Never)
            };
            let shown = self.as_server(client, server).await?;
            shown.is_answered(&Answer {
                client_certificate: None,
                tls_flags: expected.then(|| Hex(FLAG_80.to_vec())),
            })?;
        }
        Ok(())
    }

    /// In the editor's copy CertificateRequest carries the flag that the client set, and no other.
    pub(crate) async fn server_editors_copy(&self) -> Result<(), Trouble> {
        for policy in [Policy::Request, Policy::RequestOnFlag] {
            if !self.has(&format!("server.policy.{policy}")) {
                continue;
            }
            let server = Setup {
                revision: Some(Revision::EditorsCopy),
                ..self.material.on_flag(policy)
            };
            for (data, expected) in [(&FLAG_80[..], Some(&FLAG_80[..])), (&[1, 1], None)] {
                let shown = self.as_server(self.sending(data), server.clone()).await?;
                let got = shown.acknowledgement();
                same("tls_flags in CertificateRequest", got, expected, octets)?;
            }
        }
        Ok(())
    }

    /// Which sessions are resumed where the decision to ask has changed in between, and that others are.
    pub(crate) async fn sessions(&self, sessions: Sessions) -> Result<(), Trouble> {
        let server = |policy| Setup {
            sessions: Some(sessions),
            ..policy
        };
        let client = |later: Option<Hex>| Setup {
            resumption: Some(Resumption {
                tls_flags: later,
                early_data: false,
            }),
            ..self.material.authenticated()
        };
        let plain = server(self.material.server(Policy::Never));
        let (_, second) = self.twice(Side::Server, client(None), plain).await?;
        second.is_resumed(true)?;
        let on_flag = "server.policy.request-on-flag";
        if !(self.has("server.flag") && self.has(on_flag)) {
            return Ok(());
        }
        let on_flag = server(self.material.on_flag(Policy::RequestOnFlag));
        let changed = client(Some(Hex(FLAG_80.to_vec())));
        let (_, second) = self.twice(Side::Server, changed, on_flag).await?;
        second.is_resumed(sessions == Sessions::Shared)
    }

    /// Early data is accepted where the job says so, and only there.
    pub(crate) async fn server_early_data(&self) -> Result<(), Trouble> {
        let client = Setup {
            resumption: Some(Resumption {
                tls_flags: None,
                early_data: true,
            }),
            ..self.material.client()
        };
        for accepts in [true, false] {
            let server = Setup {
                early_data: accepts,
                ..self.material.server(Policy::Never)
            };
            let (_, second) = self.twice(Side::Server, client.clone(), server).await?;
            second.completed()?;
            let mut messages = second.observed.transcript.messages(Side::Server);
            let got = messages.any(|message| {
                let is_encrypted = matches!(message, HandshakeMessage::EncryptedExtensions { .. });
                let mut extensions = message.extensions().into_iter();
                is_encrypted && extensions.any(|it| it.kind == ExtensionType::EARLY_DATA)
            });
            let what = format!("early data accepted by a server with early_data = {accepts}");
            same(what, got, accepts, |it| it.to_string())?;
        }
        Ok(())
    }

    /// The signature in CertificateVerify does not verify.
    pub(crate) async fn server_bad_certificate_verify(&self) -> Result<(), Trouble> {
        let server = Setup {
            bad_certificate_verify: true,
            ..self.material.server(Policy::Never)
        };
        let shown = self
            .once(Side::Server, self.material.client(), server)
            .await?;
        shown.is_refused_with(Side::Client, DECRYPT_ERROR)
    }
}

impl Shown {
    /// What the server answered, as its client hands it on.
    fn is_answered(&self, expected: &Answer) -> Result<(), Trouble> {
        let got = self.evidence.client.answer.as_ref();
        let show = |it: Option<&Answer>| serde_json::json!(it).to_string();
        same("the server's answer", got, Some(expected), show)
    }

    fn is_resumed(&self, expected: bool) -> Result<(), Trouble> {
        self.completed()?;
        let got = self.observed.facts.resumed;
        same("connection 1 resumed", got, expected, |it| it.to_string())
    }

    /// The value of `tls_flags` in CertificateRequest.
    fn acknowledgement(&self) -> Option<&[u8]> {
        let messages = self.observed.transcript.messages(Side::Server);
        let mut requests =
            messages.filter(|it| matches!(it, HandshakeMessage::CertificateRequest(_)));
        let mut extensions = requests.next()?.extensions().into_iter();
        let found = extensions.find(|it| it.kind == ExtensionType(TLS_FLAGS))?;
        Some(&found.body[..])
    }
}

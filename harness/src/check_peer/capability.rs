//! Every capability of the contract, and a job that needs it: `prepared` where it is declared, `unsupported` where it
//! is not.

use std::net::SocketAddr;

use reqmtls_contract::{
    CipherSuite, Description, Edit, Group, Hex, Job, Keys, Message, Policy, Reply, Resumption,
    Revision, Sessions, Setup, Side, Version,
};
use serde_json::{Value, json};

use super::Trouble;
use super::asks::side;
use super::line::{Line, unexpected};
use crate::scenario::{Certificates, SERVER_NAME, Valid};

/// The number of the request mTLS flag, and the `extension_data` that sets it alone.
pub(super) const FLAG: u16 = 80;
pub(super) const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Another number for the extension: that of the deployed experiment.
pub(super) const EXTENSION: u16 = 0xfe01;
/// An extension of no meaning, for private use.
pub(super) const PRIVATE: u16 = 0xff77;

/// Of what setups are made.
pub(super) struct Material {
    pub(super) certificates: Certificates,
}

impl Material {
    /// The certificates with keys for ECDSA on P-256.
    pub(super) fn valid(&self) -> &Valid {
        self.certificates.valid(None)
    }

    /// A client or server of which nothing is asked: an unmodified library.
    pub(super) fn plain(&self, side: Side) -> Setup {
        let anchors = Some(self.valid().authority.clone());
        match side {
            Side::Client => Setup {
                trust_anchors: anchors,
                server_name: Some(SERVER_NAME.to_owned()),
                ..Setup::default()
            },
            Side::Server => Setup {
                trust_anchors: anchors,
                identity: Some(self.valid().server.clone()),
                ..Setup::default()
            },
        }
    }

    pub(super) fn client(&self) -> Setup {
        self.plain(Side::Client)
    }

    /// A client with a certificate.
    pub(super) fn authenticated(&self) -> Setup {
        Setup {
            identity: Some(self.valid().client.clone()),
            ..self.client()
        }
    }

    /// The same end with certificates of other keys, its own and those that it trusts.
    pub(super) fn with_keys(&self, keys: Keys, side: Side, setup: Setup) -> Setup {
        let valid = self.certificates.valid(Some(keys));
        let own = match side {
            Side::Client => &valid.client,
            Side::Server => &valid.server,
        };
        Setup {
            keys: Some(keys),
            trust_anchors: Some(valid.authority.clone()),
            identity: setup.identity.map(|_| own.clone()),
            ..setup
        }
    }

    pub(super) fn server(&self, policy: Policy) -> Setup {
        Setup {
            policy: Some(policy),
            ..self.plain(Side::Server)
        }
    }

    /// A server that implements `tls_flags`.
    pub(super) fn on_flag(&self, policy: Policy) -> Setup {
        Setup {
            flag: Some(FLAG),
            ..self.server(policy)
        }
    }

    /// A job that needs the capability, and what makes no sense without.
    fn needing(&self, capability: &str) -> Option<Job> {
        let (head, key) = capability.split_once('.').unwrap_or((capability, ""));
        let shared = |setup: Setup| (Side::Client, setup);
        let client = self.client();
        let (side, setup) = match (head, key) {
            ("client", "") => (Side::Client, client),
            ("server", "") => (Side::Server, self.plain(Side::Server)),
            ("version", name) => shared(Setup {
                versions: vec![name.parse().ok()?],
                ..client
            }),
            ("group", name) => shared(Setup {
                groups: vec![name.parse().ok()?],
                ..client
            }),
            ("cipher", name) => shared(Setup {
                cipher_suites: vec![name.parse().ok()?],
                ..client
            }),
            ("keys", name) => shared(self.with_keys(name.parse().ok()?, Side::Client, client)),
            (side, key) => {
                let side: Side = side.parse().ok()?;
                (side, self.needing_key(side, key)?)
            }
        };
        Some(Job {
            id: format!("needs {capability}"),
            side,
            setup,
        })
    }

    fn needing_key(&self, side: Side, key: &str) -> Option<Setup> {
        let plain = self.plain(side);
        let edit = Edit {
            message: Message::Certificate,
            extension: PRIVATE,
            data: Some(Hex(vec![1])),
            last: false,
        };
        if let Some(name) = key.strip_prefix("policy.") {
            let policy: Policy = name.parse().ok()?;
            return Some(Setup {
                flag: policy.is_on_flag().then_some(FLAG),
                ..self.server(policy)
            });
        }
        if let Some(name) = key.strip_prefix("sessions.") {
            let sessions = Some(name.parse().ok()?);
            return Some(Setup { sessions, ..plain });
        }
        Some(match (side, key) {
            (_, "flag") => Setup {
                flag: Some(FLAG),
                ..plain
            },
            (_, "extension") => Setup {
                extension: Some(EXTENSION),
                ..plain
            },
            (_, "revision.editors-copy") => Setup {
                flag: Some(FLAG),
                revision: Some(Revision::EditorsCopy),
                ..plain
            },
            (_, "edits") => Setup {
                edits: vec![edit],
                ..plain
            },
            (_, "bad-certificate-verify") => Setup {
                bad_certificate_verify: true,
                identity: Some(self.valid().client.clone()),
                ..plain
            },
            (Side::Server, "early-data") => Setup {
                early_data: true,
                ..plain
            },
            (Side::Client, "early-data") => Setup {
                resumption: Some(Resumption {
                    early_data: true,
                    ..Resumption::default()
                }),
                ..plain
            },
            (Side::Client, "resumption") => Setup {
                resumption: Some(Resumption::default()),
                ..plain
            },
            (Side::Client, "tls-flags") => Setup {
                tls_flags: Some(Hex(FLAG_80.to_vec())),
                ..plain
            },
            (Side::Client, "post-handshake-auth") => Setup {
                post_handshake_auth: true,
                ..plain
            },
            _ => return None,
        })
    }
}

/// Every capability that there is, and what it is.
pub(crate) fn all() -> Vec<(String, &'static str)> {
    let both = [
        (
            "flag",
            "It implements `tls_flags` and the flag: refuses malformed and unsolicited flags.",
        ),
        ("extension", "`tls_flags` under another number than 62."),
        (
            "revision.editors-copy",
            "The flag as the editor's copy of the draft has it.",
        ),
        (
            "early-data",
            "Early data with a resumed session: sent, or accepted.",
        ),
        (
            "edits",
            "Misbehaviour: extensions put into its messages, or taken out.",
        ),
        (
            "bad-certificate-verify",
            "Misbehaviour: a CertificateVerify that does not verify.",
        ),
    ];
    let client = [
        (
            "client.tls-flags",
            "`tls_flags` in ClientHello, octet for octet as the job has it.",
        ),
        (
            "client.resumption",
            "A second connection that offers the session of the first.",
        ),
        (
            "client.post-handshake-auth",
            "It offers `post_handshake_auth`.",
        ),
    ];
    let side = Side::BOTH.map(|side| (side.to_string(), "It can be that end."));
    let version = Version::ALL
        .iter()
        .map(|it| (format!("version.{it}"), it.about()));
    let group = Group::ALL
        .iter()
        .map(|it| (format!("group.{it}"), it.about()));
    let cipher = CipherSuite::ALL
        .iter()
        .map(|it| (format!("cipher.{it}"), it.about()));
    let keys = Keys::ALL
        .iter()
        .map(|it| (format!("keys.{it}"), it.about()));
    let both = Side::BOTH
        .into_iter()
        .flat_map(|side| both.map(|(key, about)| (format!("{side}.{key}"), about)));
    let client = client.map(|(name, about)| (name.to_owned(), about));
    let policy = Policy::ALL
        .iter()
        .map(|it| (format!("server.policy.{it}"), it.about()));
    let sessions = Sessions::ALL
        .iter()
        .map(|it| (format!("server.sessions.{it}"), it.about()));
    let names = side
        .into_iter()
        .chain(version)
        .chain(group)
        .chain(cipher)
        .chain(keys);
    names
        .chain(both)
        .chain(client)
        .chain(policy)
        .chain(sessions)
        .collect()
}

/// The declared capabilities are the contract's, and make at least one end that can take part.
pub(super) fn declares(description: &Description) -> Result<(), Trouble> {
    let all = all();
    let unknown: Vec<_> = description
        .capabilities
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !all.iter().any(|(known, _)| known == name))
        .collect();
    if !unknown.is_empty() {
        let text = unknown.join(", ");
        return Err(format!("got capabilities that the contract does not have: {text}").into());
    }
    let has = |prefix: &str| {
        let mut names = description.capabilities.iter();
        names.any(|(name, _)| name.starts_with(prefix))
    };
    for (missing, expected) in [
        (
            !description.capabilities.has("client") && !description.capabilities.has("server"),
            "client or server",
        ),
        (!has("version."), "at least one version"),
    ] {
        if missing {
            return Err(format!(
                "got capabilities without {expected}, expected what the peer can do"
            )
            .into());
        }
    }
    Ok(())
}

/// What is declared is prepared, and what is not is answered `unsupported` with what is lacking.
pub(super) async fn prepares_what_it_declares(
    address: SocketAddr,
    description: &Description,
    material: &Material,
) -> Result<(), Trouble> {
    let capabilities = &description.capabilities;
    let mut line = Line::control(address).await?;
    for (capability, _) in all() {
        let Some(mut job) = material.needing(&capability) else {
            continue;
        };
        let is_shared = job.side == Side::Client && !capability.starts_with("client");
        if is_shared && !capabilities.has("client") {
            job.side = Side::Server;
            job.setup = Setup {
                identity: Some(material.certificates.valid(job.setup.keys).server.clone()),
                server_name: None,
                ..job.setup
            };
        }
        let what = format!("prepare of a job that needs {}", job.needs().join(", "));
        let reply = line.ask(&json!({ "ask": "prepare", "job": job })).await?;
        match (reply, capabilities.missing(&job)) {
            (Reply::Prepared {}, None) => {}
            (Reply::Unsupported { capability }, Some(_))
                if job.needs().contains(&capability) && !capabilities.has(&capability) => {}
            (other, None) => {
                return Err(unexpected(
                    &what,
                    &other,
                    "prepared: the description has it",
                ));
            }
            (other, Some(missing)) => {
                let expected = format!("unsupported with the capability {missing:?}");
                return Err(unexpected(&what, &other, &expected));
            }
        }
    }
    Ok(())
}

/// Names that the contract does not have are answered `unsupported`, never `prepared`.
pub(super) async fn names_what_it_does_not_know(
    address: SocketAddr,
    description: &Description,
    material: &Material,
) -> Result<(), Trouble> {
    let side = side(description);
    let mut setups: Vec<(Side, &str, Value, String)> = vec![
        (
            side,
            "no-such-capability",
            json!(true),
            "setup.no-such-capability".to_owned(),
        ),
        (
            side,
            "versions",
            json!(["tls1.9"]),
            "version.tls1.9".to_owned(),
        ),
        (
            side,
            "groups",
            json!(["sect163k1"]),
            "group.sect163k1".to_owned(),
        ),
        (
            side,
            "cipher_suites",
            json!(["TLS_NULL"]),
            "cipher.TLS_NULL".to_owned(),
        ),
        (side, "keys", json!("dsa"), "keys.dsa".to_owned()),
        (
            side,
            "revision",
            json!("draft-99"),
            format!("{side}.revision.draft-99"),
        ),
    ];
    if description.capabilities.has("server") {
        for (key, name) in [
            ("policy", "server.policy.sometimes"),
            ("sessions", "server.sessions.sometimes"),
        ] {
            setups.push((Side::Server, key, json!("sometimes"), name.to_owned()));
        }
    }
    let mut line = Line::control(address).await?;
    for (side, key, value, expected) in setups {
        let mut setup = json!(material.plain(side));
        setup[key] = value;
        let what = format!("prepare of a job with {key} {}", setup[key]);
        let job = json!({ "id": what, "side": side, "setup": setup });
        match line.ask(&json!({ "ask": "prepare", "job": job })).await? {
            Reply::Unsupported { capability } if capability == expected => {}
            other => {
                let expected = format!("unsupported with the capability {expected:?}");
                return Err(unexpected(&what, &other, &expected));
            }
        }
    }
    Ok(())
}

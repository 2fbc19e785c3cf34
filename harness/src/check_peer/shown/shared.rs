//! What both sides have in common: versions, groups, cipher suites, keys, and connections side by side.

use futures_util::future::try_join_all;
use reqmtls_contract::{CipherSuite, Group, Keys, Policy, Setup, Version};
use reqmtls_observer::{ClientHello, HandshakeMessage, ProtocolVersion, SignatureScheme};
use reqmtls_vocabulary::Side;

use super::super::Trouble;
use super::{Bench, Shown, ensure, extension, same};

/// The extensions that are looked into.
const SUPPORTED_GROUPS: u16 = 10;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;
/// How many connections run at once.
const AT_ONCE: usize = 32;

impl Bench<'_> {
    /// Connections of different jobs side by side.
    pub(crate) async fn many(&self, side: Side) -> Result<(), Trouble> {
        let (client, server) = (self.material.client(), self.material.server(Policy::Never));
        let all = (0..AT_ONCE).map(|_| self.completed(side, client.clone(), server.clone()));
        try_join_all(all).await.map(drop)
    }

    /// A declared version is what is negotiated, and a client offers no other.
    pub(crate) async fn version(&self, side: Side, version: Version) -> Result<(), Trouble> {
        let only = |setup: Setup| Setup {
            versions: vec![version],
            ..setup
        };
        let (client, server) = (self.material.client(), self.material.server(Policy::Never));
        let (client, server) = match side {
            Side::Client => (only(client), server),
            Side::Server => (client, only(server)),
        };
        let shown = self.completed(side, client, server).await?;
        let number = match version {
            Version::Tls12 => ProtocolVersion::TLS12,
            Version::Tls13 => ProtocolVersion::TLS13,
        };
        let show = |it: Option<ProtocolVersion>| it.map_or("none".to_owned(), |it| it.to_string());
        let got = shown.observed.transcript.version;
        same("the negotiated version", got, Some(number), show)?;
        let offered = extension(shown.hello()?, SUPPORTED_VERSIONS).unwrap_or_default();
        let mut others = offered.get(1..).unwrap_or_default().chunks_exact(2);
        let other = others.find(|it| is_version(it) && it[..] != number.0.to_be_bytes());
        ensure(side == Side::Server || other.is_none(), || {
            format!("got {other:02x?} in supported_versions of a client of {version} alone")
        })
    }

    /// A declared group is the one that is used, and the only one with a key share in ClientHello.
    pub(crate) async fn group(&self, side: Side, group: Group) -> Result<(), Trouble> {
        let only = |setup: Setup| Setup {
            groups: vec![group],
            versions: vec![Version::Tls13],
            ..setup
        };
        let client = only(self.material.client());
        let server = only(self.material.server(Policy::Never));
        let shown = self.completed(side, client, server).await?;
        if side == Side::Client {
            let hello = shown.hello()?;
            same("supported_groups", groups(hello), vec![number(group)], list)?;
            same(
                "the key shares in ClientHello",
                shares(hello),
                vec![number(group)],
                list,
            )?;
        }
        Ok(())
    }

    /// Groups come in the order of preference, with a key share for the first; a server that takes another asks
    /// for it, and everything else of ClientHello is sent again.
    pub(crate) async fn retry(&self, side: Side) -> Result<(), Trouble> {
        let mut declared = Group::ALL
            .iter()
            .copied()
            .filter(|group| self.has(&format!("group.{group}")));
        let (Some(first), Some(second)) = (declared.next(), declared.next()) else {
            let reason = "fewer than two groups are declared";
            return Err(Trouble::Skipped(reason.to_owned()));
        };
        let flags = Some(reqmtls_contract::Hex(
            super::super::capability::FLAG_80.to_vec(),
        ));
        let client = Setup {
            groups: vec![first, second],
            tls_flags: flags.filter(|_| side == Side::Server || self.has("client.tls-flags")),
            ..self.material.client()
        };
        let server = Setup {
            groups: vec![second],
            ..self.material.server(Policy::Never)
        };
        let sent = client.tls_flags.clone();
        let shown = self.completed(side, client, server).await?;
        let hellos = shown.hellos();
        let [one, two] = hellos[..] else {
            return Err(format!(
                "got {} ClientHello messages, expected two; the transcript:\n{}",
                hellos.len(),
                shown.text()
            )
            .into());
        };
        if side == Side::Client {
            let expected = vec![number(first), number(second)];
            same("supported_groups", groups(one), expected, list)?;
            same(
                "the key shares of the first ClientHello",
                shares(one),
                vec![number(first)],
                list,
            )?;
        }
        same(
            "the key shares of the second ClientHello",
            shares(two),
            vec![number(second)],
            list,
        )?;
        let expected = sent.as_ref().map(|data| &data.0[..]);
        for hello in hellos {
            let got = extension(hello, reqmtls_contract::TLS_FLAGS);
            same(
                "tls_flags in each ClientHello",
                got,
                expected,
                super::octets,
            )?;
        }
        Ok(())
    }

    /// A declared cipher suite is the one that is negotiated, and the only one of TLS 1.3 that a client offers.
    pub(crate) async fn cipher(&self, side: Side, suite: CipherSuite) -> Result<(), Trouble> {
        let only = |setup: Setup| Setup {
            cipher_suites: vec![suite],
            versions: vec![Version::Tls13],
            ..setup
        };
        let client = only(self.material.client());
        let server = only(self.material.server(Policy::Never));
        let shown: Shown = self.completed(side, client, server).await?;
        let name = shown.observed.transcript.cipher_suite;
        let name = name.map_or("none".to_owned(), |it| it.to_string());
        ensure(name.starts_with(suite.as_str()), || {
            format!("got the cipher suite {name}, expected {suite}")
        })?;
        let mut offered = shown.hello()?.cipher_suites.iter();
        let tls13 = |it: u16| it >> 8 == 0x13;
        let count = offered.clone().filter(|it| tls13(it.0)).count();
        let has = offered.any(|it| it.to_string().starts_with(suite.as_str()));
        ensure(side == Side::Server || (count == 1 && has), || {
            format!("got {count} cipher suites of TLS 1.3 in ClientHello, expected {suite} alone")
        })
    }

    /// With declared keys an end proves its own certificate, and accepts the other's.
    pub(crate) async fn keys(&self, side: Side, keys: Keys) -> Result<(), Trouble> {
        let only = |side: Side, setup: Setup| Setup {
            versions: vec![Version::Tls13],
            ..self.material.with_keys(keys, side, setup)
        };
        let client = only(Side::Client, self.material.authenticated());
        let server = only(Side::Server, self.material.server(Policy::Request));
        let shown = self.completed(side, client, server).await?;
        for signer in Side::BOTH {
            let scheme = shown.scheme(signer);
            let got = scheme.map_or("none".to_owned(), |it| it.to_string());
            ensure(scheme.is_some_and(|it| fits(keys, it)), || {
                format!(
                    "the scheme in CertificateVerify of the {signer}: got {got}, expected one of a key for {keys}"
                )
            })?;
        }
        Ok(())
    }
}

impl Shown {
    /// The scheme in a side's CertificateVerify.
    fn scheme(&self, side: Side) -> Option<SignatureScheme> {
        let mut messages = self.observed.transcript.messages(side);
        messages.find_map(|message| match message {
            HandshakeMessage::CertificateVerify(verify) => Some(verify.scheme),
            _ => None,
        })
    }
}

/// Whether such a key makes signatures of this scheme in TLS 1.3.
fn fits(keys: Keys, scheme: SignatureScheme) -> bool {
    match keys {
        Keys::Rsa => matches!(
            scheme,
            SignatureScheme::RSA_PSS_RSAE_SHA256
                | SignatureScheme::RSA_PSS_RSAE_SHA384
                | SignatureScheme::RSA_PSS_RSAE_SHA512
        ),
        Keys::Ed25519 => scheme == SignatureScheme::ED25519,
    }
}

/// GREASE (RFC 8701) is no version and no group.
fn is_grease(octets: &[u8]) -> bool {
    matches!(octets, [high, low] if high == low && low & 0x0f == 0x0a)
}

fn is_version(octets: &[u8]) -> bool {
    !is_grease(octets)
}

/// A group's number in the TLS Supported Groups registry.
fn number(group: Group) -> u16 {
    match group {
        Group::X25519 => 0x001d,
        Group::Secp256r1 => 0x0017,
        Group::Secp384r1 => 0x0018,
        Group::X25519Mlkem768 => 0x11ec,
    }
}

/// The groups in `supported_groups`.
fn groups(hello: &ClientHello) -> Vec<u16> {
    let body = extension(hello, SUPPORTED_GROUPS).unwrap_or_default();
    let pairs = body.get(2..).unwrap_or_default().chunks_exact(2);
    pairs
        .filter(|it| !is_grease(it))
        .map(|it| u16::from_be_bytes([it[0], it[1]]))
        .collect()
}

/// The groups in `key_share`.
fn shares(hello: &ClientHello) -> Vec<u16> {
    let body = extension(hello, KEY_SHARE).unwrap_or_default();
    let mut rest = body.get(2..).unwrap_or_default();
    let mut shares = Vec::new();
    while let [group_high, group_low, high, low, after @ ..] = rest {
        if !is_grease(&[*group_high, *group_low]) {
            shares.push(u16::from_be_bytes([*group_high, *group_low]));
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = after.get(length..).unwrap_or_default();
    }
    shares
}

#[expect(clippy::needless_pass_by_value, reason = "as a value is shown")]
fn list(numbers: Vec<u16>) -> String {
    format!("{numbers:#06x?}")
        .replace("\n    ", " ")
        .replace(",\n", " ")
}

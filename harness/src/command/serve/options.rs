//! The options of `reqmtls serve`, and how the servers are set up that they ask for.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqmtls_contract::{Identity, Peer, Policy, Revision, Setup, Side, TLS_FLAGS};
use reqmtls_peer_rustls::{Rustls, Trust};
use rustls::pki_types::DnsName;

use crate::command::capture::read_file;
use crate::command::root::Root;
use crate::command::run::number;
use crate::judge::Knowledge;
use crate::scenario::{self, Case, Certificates, MAX_FLAG, Material, Setups};
use crate::serve::NAMES;

const EXAMPLES: &str = "\
Examples:
  reqmtls serve                                            asks on the flag, at 127.0.0.1:4433
  reqmtls serve --policy request@4433 --policy require@4434
  reqmtls serve --policy never --policy require.localhost=require
                                                           by the name that the client sends, at one port
  reqmtls serve --misbehave unsolicited/set/server-hello/unknown
  reqmtls serve --once 1 --json                            one connection, for a script

  curl --cacert results/latest/serve/authority.pem https://localhost:4433/json

Each connection is printed and judged as it ends. Over HTTP the client gets what its own
connection shows, as a page or as JSON (`Accept: application/json`, or the path /json).

Exit codes:
  0  nothing is violated
  1  something is violated
  2  bad usage
  3  an address cannot be listened at
  4  no connection of TLS 1.3";

/// What to serve, and for whom.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4433")]
    pub(super) listen: SocketAddr,
    /// Permit an address that others than this machine can reach
    #[arg(long)]
    pub(super) any_address: bool,
    /// When the server asks for a certificate: never, request, require, request-on-flag or require-on-flag; with @PORT
    /// behind it at a port of its own; with NAME= before it for clients that send this name, where the others get what
    /// has no name; as often as wanted [default: request-on-flag]
    #[arg(long, value_name = "[NAME=]POLICY[@PORT]", value_parser = At::from_str)]
    pub(super) policy: Vec<At>,
    /// Be the misbehaving server of this case instead
    #[arg(long, value_name = "CASE", conflicts_with = "policy")]
    pub(super) misbehave: Option<String>,
    /// The revision of the request mTLS flag: draft-02 or editors-copy
    #[arg(long, value_name = "REVISION", default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    pub(super) revision: Revision,
    /// The number of the request mTLS flag
    #[arg(long, default_value_t = reqmtls_observer::DEFAULT_FLAG, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_FLAG)))]
    pub(super) flag: u16,
    /// The number of the extension `tls_flags`: 62, or 0xfe01 as the deployed experiment has it
    #[arg(long, default_value_t = TLS_FLAGS, value_name = "NUMBER", value_parser = number)]
    pub(super) extension: u16,
    /// Whether the clients implement `tls_flags` [true without a value; default: who sends it does, of others it is not
    /// known]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    client_knows_flags: Option<bool>,
    /// The server's certificate and what is between it and its authority, PEM [default: made up, for localhost]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(super) cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
    /// Accept only certificates that these authorities have issued, PEM [default: anybody's whose signature verifies]
    #[arg(long, value_name = "FILE")]
    pub(super) client_ca: Option<PathBuf>,
    /// Where the certificate of the made-up authority goes [default: results/latest/serve/authority.pem]
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    pub(super) authority: Option<PathBuf>,
    /// The protocols of ALPN, preferred first, e.g. http/1.1 [default: no such extension]
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',')]
    alpn: Vec<String>,
    /// The most seconds that one connection may take; a request must have come in half of it
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// End after N connections
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) once: Option<u32>,
    /// Write one line of JSON for each connection
    #[arg(long)]
    pub(super) json: bool,
    /// Write the connections with their secrets as pcapng, for Wireshark and `reqmtls judge`
    #[arg(long, value_name = "FILE")]
    pub(super) capture: Option<PathBuf>,
}

/// A policy, the port where it holds, and for which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) server_name: Option<String>,
    pub(super) policy: Policy,
    pub(super) port: Option<u16>,
}

impl At {
    /// What holds where nothing else is said.
    fn default_at(port: Option<u16>) -> Self {
        Self {
            server_name: None,
            policy: Policy::RequestOnFlag,
            port,
        }
    }
}

impl fmt::Display for At {
    /// What a server is called: where it listens stands elsewhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(server_name) = &self.server_name {
            write!(f, "{server_name}=")?;
        }
        write!(f, "{}", self.policy)
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (server_name, text) = match text.split_once('=') {
            None => (None, text),
            Some((name, text)) => {
                let name = DnsName::try_from(name)
                    .map_err(|_| format!("got name {name:?}, expected one such as a.localhost"))?;
                (Some(name.to_lowercase_owned().as_ref().to_owned()), text)
            }
        };
        let (policy, port) = match text.split_once('@') {
            None => (text, None),
            Some((policy, port)) => {
                let parsed = port
                    .parse()
                    .map_err(|_| format!("got port {port:?}, expected a number from 0 to 65535"))?;
                (policy, Some(parsed))
            }
        };
        match policy.parse()? {
            Policy::PostHandshake => Err(
                "got post-handshake, which rustls does not have; expected never, request, require, request-on-flag or require-on-flag".to_owned(),
            ),
            policy => Ok(Self {
                server_name,
                policy,
                port,
            }),
        }
    }
}

/// One server to be.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Its policy, or the case that it plays.
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) setup: Setup,
    pub(super) knowledge: Knowledge,
    /// Those at the same address, each for clients that send its name.
    pub(super) named: Vec<(String, Self)>,
}

impl Arguments {
    pub(super) fn deadline(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    pub(super) fn protocols(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let protocols = self.alpn.iter().map(|protocol| {
            let length = protocol.len();
            if (1..=255).contains(&length) {
                Ok(protocol.as_bytes().to_vec())
            } else {
                Err(anyhow!(
                    "got an --alpn protocol of {length} octets, expected 1 to 255"
                ))
            }
        });
        protocols.collect()
    }

    pub(super) fn trust(&self) -> Trust {
        if self.client_ca.is_some() {
            Trust::Anchors
        } else {
            Trust::Anybody
        }
    }

    /// The names that a made-up certificate is for.
    pub(super) fn names(&self) -> Vec<&str> {
        let named = self
            .policy
            .iter()
            .filter_map(|at| at.server_name.as_deref());
        NAMES.iter().copied().chain(named).collect()
    }

    /// The identity that was given.
    pub(super) fn identity(&self) -> anyhow::Result<Option<Identity>> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else {
            return Ok(None);
        };
        Ok(Some(Identity {
            certificates: pem(cert)?,
            private_key: pem(key)?,
        }))
    }

    /// The servers, with these certificates.
    pub(super) fn wanted(
        &self,
        certificates: Certificates,
        root: impl Fn() -> anyhow::Result<Root>,
    ) -> anyhow::Result<Vec<Wanted>> {
        if !self.any_address && !self.listen.ip().is_loopback() {
            bail!(
                "got --listen {}, which others than this machine may reach; --any-address permits that",
                self.listen
            );
        }
        let material = Material {
            certificates,
            extension: self.extension,
            flag: self.flag,
            revision: self.revision,
        };
        if let Some(case) = &self.misbehave {
            return Ok(vec![self.misbehaving(case, &material, &root()?)?]);
        }
        let (named, unnamed): (Vec<_>, Vec<_>) =
            (self.policy.iter()).partition(|at| at.server_name.is_some());
        let mut addresses = Vec::new();
        for at in unnamed {
            addresses.push((at.port, self.following(at, &material)?));
        }
        if self.policy.is_empty() {
            addresses.push((None, self.following(&At::default_at(None), &material)?));
        }
        for at in named {
            let place = addresses.iter().position(|(port, _)| *port == at.port);
            let place = if let Some(place) = place {
                place
            } else {
                let first = self.following(&At::default_at(at.port), &material)?;
                addresses.push((at.port, first));
                addresses.len() - 1
            };
            let others = &mut addresses[place].1.named;
            let server_name = at.server_name.clone().unwrap_or_default();
            if others.iter().any(|(other, _)| *other == server_name) {
                bail!("got two policies for {server_name} at one port, expected one");
            }
            others.push((server_name, self.following(at, &material)?));
        }
        Ok(addresses.into_iter().map(|(_, wanted)| wanted).collect())
    }

    fn following(&self, at: &At, material: &Material) -> anyhow::Result<Wanted> {
        let setup = Setup {
            policy: Some(at.policy),
            // Under every policy: so that it knows flags and says what is wrong with them.
            flag: Some(material.flag),
            extension: Some(material.extension).filter(|number| *number != TLS_FLAGS),
            revision: Some(material.revision).filter(|it| *it != Revision::Draft02),
            identity: Some(material.certificates.p256.server.clone()),
            trust_anchors: self.anchors(material)?,
            ..Setup::default()
        };
        let mut address = self.listen;
        if let Some(port) = at.port {
            address.set_port(port);
        }
        Ok(Wanted {
            name: at.to_string(),
            address,
            knowledge: self.knowledge(&setup, &setup),
            setup,
            named: Vec::new(),
        })
    }

    fn misbehaving(&self, id: &str, material: &Material, root: &Root) -> anyhow::Result<Wanted> {
        let case = find(id, self.revision, root)?;
        let setups = Setups::of(&case.settings, material);
        let (declared, mut setup) = (setups.declared.server, setups.actual.server);
        if !case.misbehaves(Side::Server) && declared == setup {
            bail!(
                "got case {id}, in which the server does as it should; expected one in which it misbehaves"
            );
        }
        setup.trust_anchors = self.anchors(material)?;
        let mut knowledge = self.knowledge(&declared, &setup);
        knowledge.server.misbehaves = true;
        Ok(Wanted {
            name: id.to_owned(),
            address: self.listen,
            setup,
            knowledge,
            named: Vec::new(),
        })
    }

    /// The authorities that are named. The contract wants some, where anybody's certificate is accepted too.
    fn anchors(&self, material: &Material) -> anyhow::Result<Option<String>> {
        Ok(Some(match &self.client_ca {
            Some(path) => pem(path)?,
            None => material.certificates.p256.authority.clone(),
        }))
    }

    fn knowledge(&self, declared: &Setup, actual: &Setup) -> Knowledge {
        let mut knowledge = Knowledge {
            extension: self.extension,
            ..Knowledge::none(self.flag, self.revision)
        }
        .of_server(declared);
        let capabilities = Rustls::new().describe().capabilities;
        knowledge.client.knows_flags = self.client_knows_flags;
        knowledge.server.provenance = Some(capabilities.provenance(Side::Server, actual));
        knowledge
    }
}

/// The case of that id.
fn find(id: &str, revision: Revision, root: &Root) -> anyhow::Result<Case> {
    let scenarios = root.scenarios()?;
    let scenarios: Vec<_> = scenarios
        .into_iter()
        .filter(|scenario| scenario.is_of(revision))
        .collect();
    let cases = || scenarios.iter().flat_map(|scenario| &scenario.cases);
    if let Some(case) = cases().find(|case| case.id.as_str() == id) {
        return Ok(case.clone());
    }
    let servers = cases().filter(|case| case.misbehaves(Side::Server));
    let near = scenario::nearest(id, servers.map(|case| case.id.as_str()));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    bail!("got --misbehave {id:?}, which is no case of revision {revision}{near}")
}

fn pem(path: &std::path::Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read_file(path)?).ok();
    let text = text.filter(|text| text.contains("-----BEGIN "));
    text.with_context(|| format!("{}: expected PEM", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_may_have_a_port_and_a_name() {
        let at = |name: Option<&str>, policy, port| {
            let server_name = name.map(str::to_owned);
            Ok(At {
                server_name,
                policy,
                port,
            })
        };
        assert_eq!("never".parse(), at(None, Policy::Never, None));
        assert_eq!("require@0".parse(), at(None, Policy::Require, Some(0)));
        let named = at(Some("a.localhost"), Policy::Require, Some(1));
        assert_eq!("A.localhost=require@1".parse(), named);
        for (text, word) in [
            ("a b=require", "a b"),
            ("=require", "expected one such as a.localhost"),
            ("require@x", "port"),
            ("often", "often"),
            ("post-handshake", "rustls"),
        ] {
            let error = text.parse::<At>().unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}

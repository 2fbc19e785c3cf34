//! Arguments of `probe`, and the plan that they make.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqmtls_contract::{Identity, Revision};
use tokio::net::TcpStream;

use super::super::capture::read_file;
use super::super::run::number;
use super::seconds;
use crate::probe::{Plan, Starttls, Whose, is_baseline, plays, rfc9500, scenarios};
use crate::scenario::{Case, Certificates, MAX_FLAG, Material, Selector};

/// Connections in a second to a server that is not on this machine, unless --rate says otherwise.
const RATE: u32 = 10;

const EXAMPLES: &str = "\
Examples:
  reqmtls probe localhost:4433                            whom it asks, and how it takes flags
  reqmtls probe example.org:443 --identity rfc9500        with a certificate under the public test key of RFC 9500
  reqmtls probe mail.example.org:25 --starttls smtp
  reqmtls probe localhost:4433 'encoding/*' --json        these cases alone, every connection as JSON
  reqmtls probe localhost:4433 --capture probe.pcapng     and then: reqmtls judge probe.pcapng

It makes some fifty connections, one after the other. Of the server nothing is known but what it shows: a policy that
it should have is not judged.

Exit codes:
  0  nothing is violated
  1  something is violated
  2  bad usage
  3  the server was not reached, does not do TLS 1.3, or stopped to answer
  4  nothing was selected";

/// Whom to probe, and how.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The server: a name or an address, IPv6 in brackets, and a port
    #[arg(value_name = "HOST:PORT", value_parser = Target::from_str)]
    pub(super) target: Target,
    /// Cases by id or its first segments, `*` for any one segment, e.g. 'encoding/*' [default: all that can be played]
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// The name that ClientHello carries [default: HOST]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Protocols of ALPN, preferred first, e.g. h2,http/1.1 [default: no such extension]
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',')]
    alpn: Vec<String>,
    /// What stands before TLS: smtp, imap or postgres
    #[arg(long, value_name = "PROTOCOL", value_parser = Starttls::from_str)]
    starttls: Option<Starttls>,
    /// What is sent once TLS stands [default: an HTTP/1.1 request, or what ends a session of --starttls]
    #[arg(long, value_name = "TEXT")]
    request: Option<String>,
    /// The certificate chain to present, PEM, end entity first
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// A certificate to present that is made on the spot: rfc9500, under the test key testECCP256 of RFC 9500 §2.3
    #[arg(long, value_name = "IDENTITY", value_parser = ["rfc9500"], conflicts_with = "cert")]
    identity: Option<String>,
    /// The number of the request mTLS flag
    #[arg(long, default_value_t = reqmtls_observer::DEFAULT_FLAG, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_FLAG)))]
    flag: u16,
    /// The number of the extension `tls_flags`: 62, or 0xfe01 as the deployed experiment has it
    #[arg(long, default_value_t = reqmtls_contract::TLS_FLAGS, value_name = "NUMBER", value_parser = number)]
    extension: u16,
    /// The revision of the request mTLS flag: draft-02 or editors-copy
    #[arg(long, value_name = "REVISION", default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
    /// Whether the server implements `tls_flags` [true without a value; default: as it shows]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    server_knows_flags: Option<bool>,
    /// The most seconds that one connection may take
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// The most milliseconds that an answer is awaited, and then the server's close
    #[arg(long, default_value_t = 1000, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(10..=60_000))]
    wait: u64,
    /// The most seconds that all of it may take
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    limit: u64,
    /// The most connections in a second, 0 for no limit [default: 10, and no limit on loopback]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=1000))]
    rate: Option<u32>,
    /// Write one JSON document with every connection
    #[arg(long)]
    pub(super) json: bool,
    /// Write the cases as XML in the form of `JUnit`
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write every connection with its secrets as pcapng, for Wireshark and `reqmtls judge`
    #[arg(long, value_name = "FILE")]
    pub(super) capture: Option<PathBuf>,
    /// Name each case on stderr as it is played
    #[arg(long, short)]
    pub(super) verbose: bool,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    host: String,
    port: u16,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("got {text}, expected HOST:PORT such as example.org:443 or [::1]:443");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0);
        let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok().then_some(address),
            None => Some(host).filter(|host| !host.is_empty() && !host.contains(':')),
        };
        Ok(Self {
            host: host.ok_or_else(wrong)?.to_owned(),
            port: port.ok_or_else(wrong)?,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Target {
    /// Its address: where it has several, the first that takes a connection, else the first.
    async fn resolve(&self, patience: Duration) -> anyhow::Result<SocketAddr> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found = found
            .await
            .with_context(|| format!("cannot look up {}", self.host))?;
        let found: Vec<_> = found.collect();
        let Some(first) = found.first() else {
            bail!("{} has no address", self.host);
        };
        for address in found.iter().filter(|_| found.len() > 1) {
            let taken = tokio::time::timeout(patience, TcpStream::connect(address));
            if matches!(taken.await, Ok(Ok(_))) {
                return Ok(*address);
            }
        }
        Ok(*first)
    }
}

impl Arguments {
    /// Whose the certificate is that is presented.
    pub(super) fn whose(&self) -> Whose {
        match (&self.cert, &self.identity) {
            (Some(_), _) => Whose::Given,
            (None, Some(_)) => Whose::Rfc9500,
            (None, None) => Whose::MadeUp,
        }
    }

    /// Where the server is.
    pub(super) async fn address(&self) -> anyhow::Result<SocketAddr> {
        self.target.resolve(seconds(self.timeout)).await
    }

    /// What to do; `None`: there is no such case.
    pub(super) fn plan(&self, address: SocketAddr) -> anyhow::Result<Option<Plan>> {
        let mut certificates = Certificates::generate().context("cannot make certificates")?;
        let identity = self.identity()?;
        let has_identity = identity.is_some();
        certificates.p256.client = identity.unwrap_or_else(|| certificates.untrusted.clone());
        let material = Material {
            certificates,
            extension: self.extension,
            flag: self.flag,
            revision: self.revision,
        };
        let scenarios = scenarios(&material)?;
        let selectors = self.cases.iter();
        let selectors: Vec<_> = selectors
            .map(|pattern| Selector::parse(pattern, &scenarios))
            .collect::<Result<_, _>>()?;
        let is_chosen =
            |case: &Case| selectors.is_empty() || selectors.iter().any(|it| it.matches(&case.id));
        let chosen = plays(&scenarios, is_chosen, &material, has_identity);
        if chosen.plays.is_empty() {
            return Ok(None);
        }
        let is_played = |case: &Case| is_chosen(case) || is_baseline(case);
        let plays = plays(&scenarios, is_played, &material, has_identity);
        let server_name = self.server_name.clone();
        let server_name = server_name.unwrap_or_else(|| self.target.host.clone());
        let request = match (&self.request, self.starttls) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(protocol)) => protocol.request().to_vec(),
            (None, None) => format!(
                "GET / HTTP/1.1\r\nHost: {server_name}\r\nUser-Agent: reqmtls\r\nConnection: close\r\n\r\n"
            )
            .into_bytes(),
        };
        let rate = self
            .rate
            .unwrap_or(if is_loopback(address.ip()) { 0 } else { RATE });
        let pause = seconds(1).checked_div(rate).unwrap_or_default();
        Ok(Some(Plan {
            address,
            server_name,
            alpn: self.alpn.iter().map(|it| it.clone().into_bytes()).collect(),
            starttls: self.starttls,
            request,
            plays,
            material,
            server_knows_flags: self.server_knows_flags,
            timeout: seconds(self.timeout),
            wait: Duration::from_millis(self.wait),
            pause,
            limit: seconds(self.limit),
        }))
    }

    /// The certificate that the user wants presented.
    fn identity(&self) -> anyhow::Result<Option<Identity>> {
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            let read = |path: &PathBuf| -> anyhow::Result<String> {
                let text = String::from_utf8(read_file(path)?);
                text.with_context(|| format!("{}: expected PEM", path.display()))
            };
            return Ok(Some(Identity {
                certificates: read(cert)?,
                private_key: read(key)?,
            }));
        }
        if self.identity.is_some() {
            return Ok(Some(rfc9500().context("cannot make a certificate")?));
        }
        Ok(None)
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        let read = |text| Target::from_str(text).map(|target| target.to_string());
        for text in ["localhost:4433", "127.0.0.1:443", "[::1]:443"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        for text in [
            "localhost",
            ":443",
            "localhost:0",
            "::1:443",
            "[localhost]:1",
            "a:66000",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("expected HOST:PORT"), "{error}");
        }
    }
}

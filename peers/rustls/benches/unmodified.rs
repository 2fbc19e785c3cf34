//! What this crate costs, against unmodified tokio-rustls.
//!
//! `cargo bench -p rustls-tlsflags` runs both in turn, round by round, on one thread and over streams in memory. It
//! prints the median of the rounds' ratios: above 1, this crate is the faster one, or takes more memory. Rates are by
//! processor time, as Linux counts it, so that other programs matter little.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig, WantsVersions};
use rustls_tlsflags::{
    ClientAuthPolicy, Codepoints, Flags, Revision, ServerConfigs, TlsFlagsAcceptor,
    TlsFlagsConnector, editors_copy,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 21;

/// In one round.
const HANDSHAKES: usize = 400;

/// In one round, from the server to the client.
const OCTETS: usize = 256 << 20;

/// Idle at once.
const CONNECTIONS: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Unmodified,
    /// The client sets the flag, and the server looks at it.
    Flag,
    /// The server acknowledges it, too, and each end watches the other's flags.
    EditorsCopy,
}

/// A connector and an acceptor.
enum Ends {
    Unmodified(TlsConnector, TlsAcceptor),
    Ours(TlsFlagsConnector, TlsFlagsAcceptor),
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

type Streams = (Box<dyn Duplex>, Box<dyn Duplex>);

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, who] = &arguments[..]
        && flag == "--memory"
    {
        println!("{}", runtime.block_on(idle(by_name(who)?))?);
        return Ok(());
    }
    for ours in [Who::Flag, Who::EditorsCopy] {
        println!("{}:", name(ours));
        for (what, resumes) in [("full handshakes", false), ("resumed handshakes", true)] {
            let [base, ours] = [Who::Unmodified, ours].map(|who| Ends::new(who, resumes));
            let (base, ours) = (base?, ours?);
            let rates = pairs(
                || runtime.block_on(base.handshakes()),
                || runtime.block_on(ours.handshakes()),
            )?;
            report(what, "/s", HANDSHAKES, &rates);
        }
        let base = runtime.block_on(Ends::new(Who::Unmodified, false)?.connect())?;
        let ours_streams = runtime.block_on(Ends::new(ours, false)?.connect())?;
        let (mut base, mut ours_streams) = (base, ours_streams);
        let rates = pairs(
            || runtime.block_on(transfer(&mut base)),
            || runtime.block_on(transfer(&mut ours_streams)),
        )?;
        report("application data", " MB/s", OCTETS >> 20, &rates);
        let [base, ours] = [Who::Unmodified, ours].map(memory);
        let (base, ours) = (base?, ours?);
        println!(
            "  memory of an idle connection, both ends: {base} and {ours} octets, ratio {:.3}",
            ratio(ours, base)
        );
    }
    Ok(())
}

fn name(who: Who) -> &'static str {
    match who {
        Who::Unmodified => "unmodified",
        Who::Flag => "flag",
        Who::EditorsCopy => "editors-copy",
    }
}

fn by_name(text: &str) -> Result<Who> {
    [Who::Unmodified, Who::Flag, Who::EditorsCopy]
        .into_iter()
        .find(|who| name(*who) == text)
        .ok_or_else(|| format!("got '{text}', expected unmodified, flag or editors-copy").into())
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}

/// How long each takes, round by round.
fn pairs(
    mut base: impl FnMut() -> Result<Duration>,
    mut ours: impl FnMut() -> Result<Duration>,
) -> Result<Vec<[Duration; 2]>> {
    let mut pairs = Vec::new();
    for round in 0..=ROUNDS {
        let pair = if round % 2 == 0 {
            let base = base()?;
            [base, ours()?]
        } else {
            let ours = ours()?;
            [base()?, ours]
        };
        if round > 0 {
            pairs.push(pair);
        }
    }
    Ok(pairs)
}

#[expect(clippy::cast_precision_loss, reason = "whole numbers are shown")]
fn report(what: &str, unit: &str, count: usize, pairs: &[[Duration; 2]]) {
    let median = |of: &dyn Fn(&[Duration; 2]) -> f64| {
        let mut all: Vec<f64> = pairs.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let rate = |which: usize| count as f64 / median(&|pair| pair[which].as_secs_f64());
    println!(
        "  {what}: {:.0} and {:.0}{unit}, ratio {:.3}",
        rate(0),
        rate(1),
        median(&|pair| pair[0].as_secs_f64() / pair[1].as_secs_f64())
    );
}

impl Ends {
    fn new(who: Who, resumes: bool) -> Result<Self> {
        let base = aws_lc_rs::default_provider();
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key)?;
        let identity =
            |name: &str| -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
                let key = KeyPair::generate()?;
                let params = CertificateParams::new([name.to_owned()])?;
                let certificate = params.signed_by(&key, &authority)?;
                Ok((
                    vec![certificate.der().clone()],
                    PrivateKeyDer::try_from(key.serialize_der())?,
                ))
            };
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        let roots = Arc::new(roots);

        let (chain, key) = identity("client.test")?;
        let client_roots = Arc::clone(&roots);
        let configure = move |builder: ConfigBuilder<ClientConfig, WantsVersions>| {
            let mut config = builder
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_root_certificates(client_roots)
                .with_client_auth_cert(chain, key)?;
            if !resumes {
                config.resumption = Resumption::disabled();
            }
            Ok(config)
        };
        let server = |provider: Arc<CryptoProvider>| -> Result<ServerConfig> {
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::clone(&roots),
                Arc::new(base.clone()),
            );
            let (chain, key) = identity("server.test")?;
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_client_cert_verifier(verifier.build()?)
                .with_single_cert(chain, key)?;
            if !resumes {
                config.session_storage = Arc::new(NoServerSessionStorage {});
            }
            Ok(config)
        };
        let mut connector = TlsFlagsConnector::builder(Flags::request_mtls());
        let provider = match who {
            Who::Unmodified => {
                let builder = ClientConfig::builder_with_provider(Arc::new(base.clone()));
                let connector = TlsConnector::from(Arc::new(configure(builder)?));
                let acceptor = TlsAcceptor::from(Arc::new(server(Arc::new(base.clone()))?));
                return Ok(Self::Unmodified(connector, acceptor));
            }
            Who::Flag => Arc::new(base.clone()),
            Who::EditorsCopy => {
                connector = connector.refuse_unsolicited(Revision::EditorsCopy);
                editors_copy::server_provider(&base, Codepoints::default())
            }
        };
        let connector = connector.build(&base, configure)?;
        let configs = ServerConfigs::new().required(server(provider)?);
        let acceptor = TlsFlagsAcceptor::new(configs, ClientAuthPolicy::Require)?;
        Ok(Self::Ours(connector, acceptor))
    }

    /// A connection, with an octet each way.
    async fn connect(&self) -> Result<Streams> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (mut client, mut server) = self.shake(near, far).await?;
        client.write_all(&[1]).await?;
        client.flush().await?;
        server.read_exact(&mut [0]).await?;
        server.write_all(&[2]).await?;
        server.flush().await?;
        client.read_exact(&mut [0]).await?;
        Ok((client, server))
    }

    async fn shake(&self, near: DuplexStream, far: DuplexStream) -> Result<Streams> {
        let name = ServerName::try_from("server.test")?;
        Ok(match self {
            Self::Unmodified(connector, acceptor) => {
                let (client, server) =
                    tokio::try_join!(connector.connect(name, near), acceptor.accept(far))?;
                (Box::new(client), Box::new(server))
            }
            Self::Ours(connector, acceptor) => {
                let server = async { Ok(acceptor.accept(far).await) };
                let (client, server) = tokio::try_join!(connector.connect(name, near), server)?;
                (Box::new(client), Box::new(server?.stream))
            }
        })
    }

    async fn handshakes(&self) -> Result<Duration> {
        let begin = processor_time()?;
        for _ in 0..HANDSHAKES {
            self.connect().await?;
        }
        Ok(processor_time()?.saturating_sub(begin))
    }
}

async fn transfer((client, server): &mut Streams) -> Result<Duration> {
    let begin = processor_time()?;
    let chunk = vec![5; 1 << 16];
    let write = async {
        for _ in 0..OCTETS / chunk.len() {
            server.write_all(&chunk).await?;
        }
        server.flush().await
    };
    let read = async {
        let mut buffer = vec![0; 1 << 16];
        for _ in 0..OCTETS / buffer.len() {
            client.read_exact(&mut buffer).await?;
        }
        Ok(())
    };
    tokio::try_join!(write, read)?;
    Ok(processor_time()?.saturating_sub(begin))
}

/// What this thread has taken so far.
fn processor_time() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next();
    let nanoseconds = nanoseconds.ok_or("expected nanoseconds in /proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Octets that one connection takes, both ends together, measured in a process of its own.
fn memory(who: Who) -> Result<usize> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--memory", name(who)])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim()
        .parse()
        .map_err(|error| format!("got '{text}', expected a number of octets: {error}").into())
}

async fn idle(who: Who) -> Result<usize> {
    let ends = Ends::new(who, false)?;
    // What is made once is not counted.
    let mut connections = vec![ends.connect().await?];
    connections.reserve(CONNECTIONS);
    let before = resident()?;
    for _ in 0..CONNECTIONS {
        connections.push(ends.connect().await?);
    }
    Ok((resident()? - before) / CONNECTIONS)
}

/// Octets of memory that this process has, as Linux tells.
fn resident() -> Result<usize> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: usize = number
        .ok_or("expected VmRSS in /proc/self/status")?
        .parse()?;
    Ok(kilobytes * 1024)
}

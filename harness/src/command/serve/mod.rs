//! `reqmtls serve`: the reference as a server for anybody's client.

mod options;
mod output;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;

pub(super) use self::options::Arguments;
use self::options::Wanted;
use self::output::Output;
use super::root::Root;
use super::{EXIT_FINDINGS, EXIT_NOTHING, EXIT_PEER, block_on, complain, interrupted};
use crate::report::{write_secret, write_whole};
use crate::scenario::Certificates;
use crate::serve::{Door, Limits, Plan, Website, serve};

/// The most connections at once.
const AT_ONCE: usize = 64;
/// What open connections get at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until the most connections have been taken or Ctrl-C, with each connection on stdout as it ends.
pub(super) fn obey(
    root: impl Fn() -> anyhow::Result<Root>,
    arguments: &Arguments,
) -> anyhow::Result<u8> {
    let certificates = Certificates::generate_for(&arguments.names());
    let mut certificates = certificates.context("cannot make certificates")?;
    let given = arguments.identity()?;
    let is_made_up = given.is_none();
    if let Some(identity) = given {
        certificates.p256.server = identity;
    }
    let wanted = arguments.wanted(certificates.clone(), &root)?;
    if is_made_up {
        let authority = match &arguments.authority {
            Some(path) => path.clone(),
            None => root()?.folder.join("results/latest/serve/authority.pem"),
        };
        hand_out(&certificates, &authority)?;
    }
    let output = Output::new(arguments.json, arguments.capture.as_deref())?;
    block_on(run(arguments, wanted, output))
}

/// Writes the authority's certificate, and beside it a client's that it has issued, with its key.
fn hand_out(certificates: &Certificates, authority: &Path) -> anyhow::Result<()> {
    let client = authority.with_file_name("client.pem");
    write_whole(authority, certificates.p256.authority.as_bytes())?;
    let identity = &certificates.p256.client;
    let both = format!("{}{}", identity.certificates, identity.private_key);
    write_secret(&client, both.as_bytes())?;
    complain(&format!("authority: {}", authority.display()));
    complain(&format!("client certificate and key: {}", client.display()));
    Ok(())
}

async fn run(arguments: &Arguments, wanted: Vec<Wanted>, mut output: Output) -> anyhow::Result<u8> {
    let limits = Limits {
        at_once: AT_ONCE,
        in_all: arguments.once,
        deadline: arguments.deadline(),
        grace: GRACE,
    };
    let mut doors = Vec::new();
    for wanted in wanted {
        let asked = wanted.address;
        let listener = match TcpListener::bind(asked).await {
            Ok(listener) => listener,
            Err(error) => {
                complain(&format!("error: cannot listen at {asked}: {error}"));
                return Ok(EXIT_PEER);
            }
        };
        doors.push(Arc::new(door(arguments, wanted, listener, &limits)?));
    }
    let stop = interrupted()?;
    let served = serve(&doors, limits, stop, |served| output.connection(&served));
    served.await?;
    let (judged, violating) = (output.judged, output.violating);
    output.finish()?;
    Ok(match (judged, violating) {
        (0, _) => {
            complain("got no connection of TLS 1.3");
            EXIT_NOTHING
        }
        (_, 0) => 0,
        _ => EXIT_FINDINGS,
    })
}

fn door(
    arguments: &Arguments,
    mut wanted: Wanted,
    listener: TcpListener,
    limits: &Limits,
) -> anyhow::Result<Door> {
    let address = listener.local_addr()?;
    let named = std::mem::take(&mut wanted.named);
    announce(&wanted.name, "localhost", address);
    let mut door = plan(arguments, wanted)?
        .at(listener, limits)
        .context("cannot serve so")?;
    for (server_name, wanted) in named {
        announce(&wanted.name, &server_name, address);
        let plan = plan(arguments, wanted)?;
        door.add(server_name, plan, limits)
            .context("cannot serve so")?;
    }
    if !address.ip().is_loopback() {
        complain(&format!(
            "warning: others than this machine can reach {address}"
        ));
    }
    Ok(door)
}

fn plan(arguments: &Arguments, wanted: Wanted) -> anyhow::Result<Plan> {
    Ok(Plan {
        name: wanted.name,
        setup: wanted.setup,
        knowledge: wanted.knowledge,
        protocols: arguments.protocols()?,
        trust: arguments.trust(),
        pages: Arc::new(Website),
    })
}

fn announce(name: &str, host: &str, address: SocketAddr) {
    let port = address.port();
    if address.ip().is_loopback() {
        complain(&format!("{name}: https://{host}:{port}/"));
    } else {
        complain(&format!("{name}: https://{address}/"));
    }
}

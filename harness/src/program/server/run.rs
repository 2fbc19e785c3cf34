//! A server in a folder of its own under each of its policies, and a probe of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use reqmtls_contract::Revision;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, timeout};

use super::manifest::{Policy, ServerManifest};
use super::result::{Row, Server};
use crate::probe::{Judged, Plan, ProbeError, Probed, judge, plays, probe, scenarios};
use crate::program::place::Place;
use crate::program::process::{Ended, Start};
use crate::program::run::{PREPARATION, ProgramError, folder, write};
use crate::scenario::{Certificates, Material};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(20);
/// How often a connection is tried until then.
const TRY: Duration = Duration::from_millis(20);
/// How long an answer is awaited.
const WAIT: Duration = Duration::from_millis(300);

/// What is the same for every server.
#[derive(Debug)]
pub(crate) struct Servers<'a> {
    pub(crate) certificates: &'a Certificates,
    /// The folder of the manifests.
    pub(crate) programs: PathBuf,
    /// The number of the request mTLS flag.
    pub(crate) flag: u16,
}

impl Servers<'_> {
    /// Probes a server under each of its policies, and hands over what each probe leaves behind.
    ///
    /// # Errors
    ///
    /// What keeps there from being a result.
    pub(crate) async fn run(
        &self,
        manifest: &ServerManifest,
        mut emit: impl FnMut(Policy, &Probed, &Judged) -> io::Result<()>,
    ) -> Result<Server, ProgramError> {
        if let Some(tool) = manifest.missing() {
            return Err(ProgramError::Missing(tool.name().to_owned(), tool.source()));
        }
        let version = self.version(manifest).await?;
        let mut rows = Vec::new();
        for policy in manifest.policies.keys() {
            let (probed, judged) = Box::pin(self.probed(manifest, *policy)).await?;
            emit(*policy, &probed, &judged)?;
            rows.push(Row::of(*policy, &probed, &judged));
        }
        Ok(Server {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            version,
            note: manifest.note.clone(),
            rows,
        })
    }

    async fn version(&self, manifest: &ServerManifest) -> Result<String, ProgramError> {
        let folder = folder()?;
        let place = self.place(folder.path().into(), 0);
        let ended = run(manifest, &place, &manifest.version).await?;
        let mut lines = ended.stdout.lines().chain(ended.stderr.lines());
        let line = lines.find(|line| line.contains(|c: char| c.is_ascii_digit()));
        let line = line.ok_or_else(|| ProgramError::Version(manifest.version.join(" ")))?;
        let plain = line.trim().chars().filter(|c| !c.is_control());
        Ok(plain.take(120).collect())
    }

    async fn probed(
        &self,
        manifest: &ServerManifest,
        policy: Policy,
    ) -> Result<(Probed, Judged), ProgramError> {
        let folder = folder()?;
        // Free now; who takes it in between is seen, for the program then ends.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await?
            .local_addr()?
            .port();
        let place = self.place(folder.path().into(), port);
        self.prepare(manifest, policy, &place).await?;
        let plan = self.plan(manifest, port)?;
        let command = manifest.command(policy);
        let command: Vec<_> = command.iter().map(|word| place.fill(word)).collect();
        let env = manifest.env.iter();
        let env = env.map(|(name, value)| {
            let value = place.fill(&manifest.text(value, policy));
            (name.clone(), value)
        });
        let mark = place.folder.to_string_lossy();
        let start = Start {
            command: &command,
            env: &env.collect(),
            folder: &place.folder,
            input: "",
            mark: &mark,
            deadline: START + plan.limit,
        };
        let work = async {
            timeout(START, listening(plan.address))
                .await
                .map_err(|_| format!("does not listen within {} s", START.as_secs()))?;
            probe(&plan, |_| {})
                .await
                .map_err(|error: ProbeError| error.to_string())
        };
        let failed = |reason| ProgramError::Preparation {
            command: format!("{} ({policy})", manifest.name),
            reason,
        };
        match Box::pin(start.during(work)).await? {
            Ok(Ok(probed)) => {
                if let Some(reason) = probed.stopped {
                    return Err(failed(format!("the probe stopped: {reason}")));
                }
                let judged = judge(&plan, &probed);
                Ok((probed, judged))
            }
            Ok(Err(reason)) => Err(failed(reason)),
            Err(ended) => Err(failed(said(&ended))),
        }
    }

    /// Writes what the server finds in its folder, and runs what comes before it.
    async fn prepare(
        &self,
        manifest: &ServerManifest,
        policy: Policy,
        place: &Place,
    ) -> Result<(), ProgramError> {
        let server = &self.certificates.p256.server;
        let both = format!("{}{}", server.certificates, server.private_key);
        let file = |name: &str| place.folder.join(name);
        write(&file("authority.pem"), &self.certificates.p256.authority)?;
        write(&file("server.pem"), &server.certificates)?;
        write(&file("server-key.pem"), &server.private_key)?;
        write(&file("server-both.pem"), &both)?;
        for (name, content) in &manifest.files {
            write(&file(name), &place.fill(&manifest.text(content, policy)))?;
        }
        for command in &manifest.prepare {
            let ended = run(manifest, place, command).await?;
            if ended.exit != Some(0) {
                return Err(ProgramError::Preparation {
                    command: command.join(" "),
                    reason: said(&ended),
                });
            }
        }
        Ok(())
    }

    fn plan(&self, manifest: &ServerManifest, port: u16) -> Result<Plan, ProgramError> {
        let material = Material {
            certificates: self.certificates.clone(),
            extension: reqmtls_contract::TLS_FLAGS,
            flag: self.flag,
            revision: Revision::Draft02,
        };
        let scenarios = scenarios(&material)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let request = match (&manifest.request, manifest.starttls) {
            (Some(request), _) => request.clone().into_bytes(),
            (None, Some(protocol)) => protocol.request().to_vec(),
            (None, None) => {
                b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec()
            }
        };
        Ok(Plan {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            server_name: "localhost".to_owned(),
            alpn: Vec::new(),
            starttls: manifest.starttls,
            request,
            plays: plays(&scenarios, |_| true, &material, true),
            material,
            server_knows_flags: None,
            timeout: Duration::from_secs(5),
            wait: WAIT,
            pause: Duration::ZERO,
            limit: Duration::from_mins(2),
        })
    }

    fn place(&self, folder: PathBuf, port: u16) -> Place {
        Place {
            folder,
            programs: self.programs.clone(),
            port,
        }
    }
}

/// Ready once somebody listens.
async fn listening(address: SocketAddr) {
    let mut tries = interval(TRY);
    loop {
        tries.tick().await;
        if TcpStream::connect(address).await.is_ok() {
            return;
        }
    }
}

/// Runs a command to its end.
async fn run(manifest: &ServerManifest, place: &Place, command: &[String]) -> io::Result<Ended> {
    let command: Vec<_> = command.iter().map(|word| place.fill(word)).collect();
    let mark = place.folder.to_string_lossy();
    let start = Start {
        command: &command,
        env: &manifest.env,
        folder: &place.folder,
        input: "",
        mark: &mark,
        deadline: PREPARATION,
    };
    start.run().await
}

/// What a program that ended says.
fn said(ended: &Ended) -> String {
    let code = ended.exit.map_or_else(
        || "its deadline".to_owned(),
        |code| format!("exit code {code}"),
    );
    let mut lines = ended.stderr.lines().chain(ended.stdout.lines());
    match lines.rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!("ended with {code}: {line}"),
        None => format!("ended with {code}"),
    }
}

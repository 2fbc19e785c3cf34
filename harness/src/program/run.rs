//! Programs against the reference: each case of each program in a folder, at a port and with a server of its own.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqmtls_contract::{Identity, PrepareError, Setup};
use reqmtls_peer_rustls::Trust;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::case::{CASES, Case, Certificate};
use super::manifest::{IDENTITY, Manifest};
use super::page::Word;
use super::place::Place;
use super::process::{Ended, Start};
use super::result::{Cell, Outcome, Program, text};
use super::wire::{Connection, Course};
use crate::judge::Knowledge;
use crate::scenario::Certificates;
use crate::serve::{Door, Limits, Plan, Served, serve};

/// How long a command may take that comes before the program.
pub(super) const PREPARATION: Duration = Duration::from_mins(1);

/// The most connections that a program may open at once; a browser opens a handful.
const AT_ONCE: usize = 64;

/// The most connections in all: of what retries without an end, these show enough.
const IN_ALL: u32 = 200;

/// What connections get to end once the program has.
const GRACE: Duration = Duration::from_secs(5);

/// The password of a PKCS #12 file.
const PASSWORD: &str = "reqmtls";

/// Why there is no result of a program.
#[derive(Debug, Error)]
pub(crate) enum ProgramError {
    /// The machine lacks something.
    #[error("{0}: not found ({1})")]
    Missing(String, String),
    /// A command that comes before it did not do what it is for.
    #[error("{command}: {reason}")]
    Preparation {
        /// The command.
        command: String,
        /// What it says.
        reason: String,
    },
    /// It did not say its version.
    #[error("got no version from {0}")]
    Version(String),
    /// The reference could not be set up.
    #[error(transparent)]
    Reference(#[from] PrepareError),
    /// Something of the machine.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What is the same for every program.
#[derive(Debug)]
pub(crate) struct Cases<'a> {
    pub(crate) certificates: &'a Certificates,
    /// The folder of the manifests.
    pub(crate) programs: PathBuf,
    /// The number of the request mTLS flag.
    pub(crate) flag: u16,
}

impl Cases<'_> {
    /// Runs a program through every case, and hands over each connection with its name.
    ///
    /// # Errors
    ///
    /// What keeps there from being a result.
    pub(crate) async fn run(
        &self,
        manifest: &Manifest,
        mut emit: impl FnMut(Served) -> io::Result<()>,
    ) -> Result<Program, ProgramError> {
        if let Some(tool) = manifest.missing() {
            return Err(ProgramError::Missing(tool.name().to_owned(), tool.source()));
        }
        let version = self.version(manifest).await?;
        let mut cells = Vec::new();
        let has_none = |case: &&Case| case.certificate == Certificate::None;
        let cases = CASES.iter();
        for case in cases.filter(|case| manifest.identity.is_some() || has_none(case)) {
            cells.push(self.cell(manifest, *case, &mut emit).await?);
        }
        Ok(Program {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            kind: manifest.kind,
            version,
            note: manifest.note.clone(),
            cells,
        })
    }

    async fn version(&self, manifest: &Manifest) -> Result<String, ProgramError> {
        let folder = folder()?;
        let place = self.place(folder.path(), 0);
        let Ended { stdout, stderr, .. } =
            command(manifest, &place, None, &manifest.version, PREPARATION).await?;
        let mut lines = stdout.lines().chain(stderr.lines());
        let line = lines.find(|line| line.contains(|c: char| c.is_ascii_digit()));
        let line = line.ok_or_else(|| ProgramError::Version(manifest.version.join(" ")))?;
        Ok(line
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(120)
            .collect())
    }

    fn place(&self, folder: &Path, port: u16) -> Place {
        Place {
            folder: folder.to_owned(),
            programs: self.programs.clone(),
            port,
        }
    }

    async fn cell(
        &self,
        manifest: &Manifest,
        case: Case,
        emit: &mut impl FnMut(Served) -> io::Result<()>,
    ) -> Result<Cell, ProgramError> {
        let folder = folder()?;
        let word = format!("word{:016x}", RandomState::new().build_hasher().finish());
        let limits = Limits {
            at_once: AT_ONCE,
            in_all: Some(IN_ALL),
            // The program's deadline is to pass before the server's own do.
            deadline: manifest.deadline() * 3,
            grace: GRACE,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let place = self.place(folder.path(), listener.local_addr()?.port());
        let identity = match case.certificate {
            Certificate::None => None,
            Certificate::Fits => Some(&self.certificates.p256.client),
            Certificate::Other => Some(&self.certificates.untrusted),
        };
        self.prepare(manifest, &place, identity).await?;
        let door = Arc::new(self.door(manifest, case, &word, listener, &limits)?);
        let (ended, stop) = oneshot::channel();
        let program = async {
            let filled = filled(manifest, identity.is_some());
            let run = command(manifest, &place, identity, &filled, manifest.deadline()).await;
            // The server may have taken all that it takes.
            let _ = ended.send(());
            run
        };
        let mut served = Vec::new();
        let doors = [door];
        let stop = async {
            drop(stop.await);
        };
        let serving = serve(&doors, limits, stop, |connection| {
            served.push(connection);
            Ok(())
        });
        let (run, serving) = tokio::join!(program, serving);
        serving?;
        let ended = run?;
        served.sort_by_key(|connection| connection.number);
        let connections: Vec<_> = served
            .iter()
            .map(|served| {
                Connection::of(&served.recorded, served.after_stop && ended.exit.is_none())
            })
            .collect();
        for connection in served {
            emit(connection)?;
        }
        let is_answered = connections.iter().any(|it| it.course == Course::Answered);
        let outcome = Outcome::of(manifest.shows, &ended, &word, is_answered);
        Ok(Cell {
            case,
            outcome,
            exit: ended.exit,
            text: text(manifest, &ended, &place).filter(|_| outcome != Outcome::Completed),
            connections,
        })
    }

    fn door(
        &self,
        manifest: &Manifest,
        case: Case,
        word: &str,
        listener: TcpListener,
        limits: &Limits,
    ) -> Result<Door, PrepareError> {
        let setup = Setup {
            policy: Some(case.policy),
            flag: Some(self.flag).filter(|_| case.policy.is_on_flag()),
            identity: Some(self.certificates.p256.server.clone()),
            trust_anchors: Some(self.certificates.p256.authority.clone()),
            ..Setup::default()
        };
        let knowledge = Knowledge::none(self.flag, reqmtls_contract::Revision::Draft02);
        let plan = Plan {
            name: format!("{} {case}", manifest.name),
            knowledge: knowledge.of_server(&setup),
            setup,
            protocols: Vec::new(),
            trust: if case.names_authority {
                Trust::Anchors
            } else {
                Trust::Anybody
            },
            pages: Arc::new(Word(word.to_owned())),
        };
        plan.at(listener, limits)
    }

    /// Writes what the program finds in its folder, and runs what comes before it.
    async fn prepare(
        &self,
        manifest: &Manifest,
        place: &Place,
        identity: Option<&Identity>,
    ) -> Result<(), ProgramError> {
        let folder = &place.folder;
        write(
            &folder.join("authority.pem"),
            &self.certificates.p256.authority,
        )?;
        if let Some(identity) = identity {
            let Identity {
                certificates,
                private_key,
            } = identity;
            write(&folder.join("client.pem"), certificates)?;
            write(&folder.join("client-key.pem"), private_key)?;
            write(
                &folder.join("client-both.pem"),
                &format!("{certificates}{private_key}"),
            )?;
        }
        let given = manifest.identity.as_ref().filter(|_| identity.is_some());
        let files = given.iter().flat_map(|given| &given.files);
        for (name, content) in manifest.files.iter().chain(files) {
            write(&folder.join(name), &place.fill(content))?;
        }
        let mut commands = Vec::new();
        if identity.is_some() && manifest.uses("{pkcs12}") {
            let convert = format!(
                "openssl pkcs12 -export -in {{certificate}} -inkey {{key}} -out {{pkcs12}} -passout pass:{PASSWORD} -name client"
            );
            commands.push(convert.split(' ').map(str::to_owned).collect());
        }
        commands.extend(manifest.prepare.iter().cloned());
        commands.extend(given.iter().flat_map(|given| given.prepare.iter().cloned()));
        for command in commands {
            let ended = self::command(manifest, place, identity, &command, PREPARATION).await?;
            if ended.exit != Some(0) {
                return Err(ProgramError::Preparation {
                    command: command.join(" "),
                    reason: text(manifest, &ended, place)
                        .unwrap_or_else(|| format!("got exit code {:?}", ended.exit)),
                });
            }
        }
        Ok(())
    }
}

/// The program's command, with its certificate or without one.
fn filled(manifest: &Manifest, has_identity: bool) -> Vec<String> {
    let given = manifest.identity.as_ref().filter(|_| has_identity);
    let arguments = given.map(|given| &given.arguments[..]).unwrap_or_default();
    let words = manifest.command.iter().flat_map(|word| {
        if word == IDENTITY {
            arguments
        } else {
            std::slice::from_ref(word)
        }
    });
    words.cloned().collect()
}

async fn command(
    manifest: &Manifest,
    place: &Place,
    identity: Option<&Identity>,
    command: &[String],
    deadline: Duration,
) -> io::Result<Ended> {
    let command: Vec<_> = command.iter().map(|word| place.fill(word)).collect();
    let given = manifest.identity.as_ref().filter(|_| identity.is_some());
    let env = manifest
        .env
        .iter()
        .chain(given.iter().flat_map(|given| &given.env));
    let env = env
        .map(|(name, value)| (name.clone(), place.fill(value)))
        .collect();
    let mark = place.folder.to_string_lossy();
    let start = Start {
        command: &command,
        env: &env,
        folder: &place.folder,
        input: &place.fill(&manifest.input),
        mark: &mark,
        deadline,
    };
    start.run().await
}

pub(super) fn folder() -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("reqmtls-").tempdir()
}

/// Writes a file that its owner alone can read.
pub(super) fn write(path: &Path, content: &str) -> io::Result<()> {
    use io::Write;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content.as_bytes())
}

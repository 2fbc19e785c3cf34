//! Builds what a peer is made of: its steps run, its package compiled static, and its tests.

mod cache;
mod command;
mod install;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use thiserror::Error;

use self::cache::Cache;
use self::command::{cargo, host_target, members, run, show};
use super::image::Program;
use super::manifest::Manifest;
use super::tool::Tool;

pub use self::install::{InstallError, install, installing, missing};

/// Why a peer could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The machine lacks tools.
    #[error("missing {}", list(.0))]
    MissingTools(Vec<Tool>),
    /// A command could not be started.
    #[error("cannot start {command}: {source}")]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// A command failed.
    #[error("{command} failed ({status}); its last lines:\n{tail}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        tail: String,
    },
    /// The same, with all that it wrote.
    #[error("{error}\nall of it: {log}")]
    Logged {
        /// What failed.
        error: Box<BuildError>,
        /// The file.
        log: PathBuf,
    },
    /// A file of the build or of the cache cannot be used.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everything went well, but there is no program.
    #[error("{0} was not built, though the build succeeded")]
    NoProgram(PathBuf),
    /// The harness was compiled for a machine that cargo cannot be asked for.
    #[error("cannot tell the host's target: {0}")]
    Target(String),
}

impl BuildError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

fn list(tools: &[Tool]) -> String {
    let names: Vec<_> = tools
        .iter()
        .map(|tool| format!("{} ({})", tool.name(), tool.source()))
        .collect();
    names.join(", ")
}

/// Builds a peer's program unless it is current, and says where it is.
///
/// A package is built static unless it is dynamic, and in a folder that all checkouts share. So neither the flags nor the lock of an ordinary
/// build get in its way, and the C parts are built once.
pub async fn build(
    root: &Path,
    manifest: &Manifest,
    mut progress: impl FnMut(&str),
) -> Result<Program, BuildError> {
    if let Some(program) = &manifest.built {
        return Ok(program.clone());
    }
    let path = root
        .join("target/peers")
        .join(format!("{}.log", manifest.name));
    let mut log = Log::create(&path)?;
    let logged = |line: &str| {
        log.line(line);
        progress(line);
    };
    match make(root, manifest, logged).await {
        Err(error @ BuildError::Failed { .. }) => Err(BuildError::Logged {
            error: Box::new(error),
            log: path,
        }),
        outcome => outcome,
    }
}

async fn make(
    root: &Path,
    manifest: &Manifest,
    mut progress: impl FnMut(&str),
) -> Result<Program, BuildError> {
    let place = Place::prepare(root, manifest, &mut progress).await?;
    let Some(package) = &manifest.package else {
        let program = made(manifest, &place.out);
        return if program.path.is_file() {
            Ok(program)
        } else {
            Err(BuildError::NoProgram(program.path))
        };
    };
    let lock = place.enter(root, &mut progress).await?;
    let mut command = place.cargo("build");
    command.args(["--locked", "--package", package]);
    command.current_dir(root);
    let name = format!("cargo build --package {package}");
    run(command, &name, &lock, &mut progress).await?;
    let built = place.target.join(&place.host).join("release").join(package);
    if !built.is_file() {
        return Err(BuildError::NoProgram(built));
    }
    let program = compiled(root, manifest);
    // While the lock is held: another checkout's build would put its own program there.
    cache::copy(&built, &program.path)?;
    Ok(program)
}

/// Runs the lints and the tests of a peer's package where it is built.
pub async fn test(
    root: &Path,
    manifest: &Manifest,
    mut progress: impl FnMut(&str),
) -> Result<(), BuildError> {
    let Some(package) = &manifest.package else {
        return Ok(());
    };
    let place = Place::prepare(root, manifest, &mut progress).await?;
    let lock = place.enter(root, &mut progress).await?;
    for (verb, more) in [
        ("clippy", &["--all-targets", "--", "-D", "warnings"][..]),
        ("test", &[]),
    ] {
        let mut command = place.cargo(verb);
        command.args(["--locked", "--package", package]);
        command.args(more).current_dir(root);
        let name = format!("cargo {verb} --package {package}");
        show(command, &name, &lock).await?;
    }
    Ok(())
}

/// What a build wrote.
struct Log(fs::File);

impl Log {
    fn create(path: &Path) -> Result<Self, BuildError> {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(BuildError::file(folder))?;
        Ok(Self(
            fs::File::create(path).map_err(BuildError::file(path))?,
        ))
    }

    fn line(&mut self, line: &str) {
        // A disk that is full fails the build itself.
        let _ = writeln!(self.0, "{line}");
    }
}

/// A peer's program, if it is built already; a package's may be older than its source.
#[must_use]
pub fn built(root: &Path, manifest: &Manifest) -> Option<Program> {
    if let Some(program) = &manifest.built {
        return Some(program.clone());
    }
    let program = if manifest.package.is_some() {
        compiled(root, manifest)
    } else {
        made(manifest, &out(root, manifest).ok()?)
    };
    Some(program).filter(|program| program.path.is_file())
}

/// The program of a package; each checkout keeps its own.
fn compiled(root: &Path, manifest: &Manifest) -> Program {
    Program {
        loads: manifest.loads.clone(),
        ..Program::alone(root.join("target").join("peers").join(&manifest.name))
    }
}

/// The program that the manifest names, in the peer's folder or in what its steps make.
fn made(manifest: &Manifest, out: &Path) -> Program {
    let fill = |word: &String| word.replace("{out}", &out.to_string_lossy());
    let path = manifest.program.as_ref().map(fill).unwrap_or_default();
    let arguments: Vec<_> = manifest.arguments.iter().map(fill).collect();
    Program {
        path: manifest.folder.join(path),
        folder: (arguments != manifest.arguments).then(|| out.to_owned()),
        arguments,
        loads: manifest.loads.clone(),
    }
}

/// Where the manifest's steps put what they make.
fn out(root: &Path, manifest: &Manifest) -> Result<PathBuf, BuildError> {
    let name = format!("{}-{}", manifest.name, cache::key(root, manifest)?);
    Ok(Cache::locate(root).folder("prepared").join(name))
}

/// Where and with what a package is built.
struct Place {
    cache: Cache,
    env: BTreeMap<String, String>,
    /// What the manifest's steps made.
    out: PathBuf,
    target: PathBuf,
    host: String,
    /// Whether the program links the installed libraries.
    dynamic: bool,
}

impl Place {
    /// Looks for the tools, and runs the manifest's steps unless that is done already.
    async fn prepare(
        root: &Path,
        manifest: &Manifest,
        progress: &mut impl FnMut(&str),
    ) -> Result<Self, BuildError> {
        let missing: Vec<_> = manifest
            .tools
            .iter()
            .filter(|tool| !tool.is_present())
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Err(BuildError::MissingTools(missing));
        }
        let cache = Cache::locate(root);
        let out = out(root, manifest)?;
        let name = out.file_name().unwrap_or_default().to_owned();
        if !manifest.prepare.is_empty() {
            prepare(&cache, &out, manifest, progress).await?;
        }
        let fill = |(name, value): (&String, &String)| {
            let value = value.replace("{out}", &out.to_string_lossy());
            (name.clone(), value)
        };
        let steps = manifest.prepare.iter().flat_map(|step| &step.env);
        Ok(Self {
            env: manifest.env.iter().chain(steps).map(fill).collect(),
            target: cache.folder("build").join(&name),
            host: host_target().await?,
            dynamic: manifest.dynamic,
            out,
            cache,
        })
    }

    /// Waits until nobody else builds there, and makes the place this checkout's.
    ///
    /// Cargo knows the packages of a workspace by their places in it and by the times of their files. So those of
    /// another checkout would pass for this one's.
    async fn enter(
        &self,
        root: &Path,
        progress: &mut impl FnMut(&str),
    ) -> Result<fs::File, BuildError> {
        let lock = self.cache.lock(&self.target, progress).await?;
        let owner = self.target.join("checkout");
        let own = root.as_os_str().as_encoded_bytes();
        if fs::read(&owner).is_ok_and(|owner| owner == own) || !self.target.is_dir() {
            fs::create_dir_all(&self.target).map_err(BuildError::file(&self.target))?;
        } else {
            let mut command = self.cargo("clean");
            for package in members(root).await? {
                command.args(["--package", &package]);
            }
            command.arg("--quiet").current_dir(root);
            let name = "cargo clean of the workspace's packages";
            run(command, name, &lock, progress).await?;
        }
        fs::write(&owner, own).map_err(BuildError::file(&owner))?;
        Ok(lock)
    }

    fn cargo(&self, verb: &str) -> tokio::process::Command {
        let mut command = cargo();
        command
            .args([verb, "--release", "--target", &self.host, "--target-dir"])
            .arg(&self.target)
            .envs(&self.env);
        if !self.dynamic {
            command.env("RUSTFLAGS", "-C target-feature=+crt-static");
        }
        command
    }
}

/// Makes a peer's prepared folder, which is there whole or not at all.
async fn prepare(
    cache: &Cache,
    out: &Path,
    manifest: &Manifest,
    progress: &mut impl FnMut(&str),
) -> Result<(), BuildError> {
    if out.is_dir() {
        return Ok(());
    }
    let lock = cache.lock(out, progress).await?;
    if out.is_dir() {
        return Ok(());
    }
    let parent = cache.folder("prepared");
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let name = format!("unfinished-{name}");
    // What a harness left that was killed; its steps are gone, or the lock would be theirs.
    drop(fs::remove_dir_all(parent.join(&name)));
    let unfinished = tempfile::Builder::new()
        .prefix(&name)
        .rand_bytes(0)
        .tempdir_in(&parent)
        .map_err(BuildError::file(&parent))?;
    for step in &manifest.prepare {
        let place = unfinished.path().to_string_lossy();
        let words: Vec<_> = step
            .command
            .iter()
            .map(|word| word.replace("{out}", &place))
            .collect();
        let [program, arguments @ ..] = words.as_slice() else {
            continue;
        };
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).current_dir(&manifest.folder);
        run(command, &words.join(" "), &lock, progress).await?;
    }
    // Whoever runs the program may read it.
    let readable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(unfinished.path(), readable).map_err(BuildError::file(out))?;
    fs::rename(unfinished.path(), out).map_err(BuildError::file(out))?;
    // It has another name now.
    drop(unfinished.keep());
    Ok(())
}

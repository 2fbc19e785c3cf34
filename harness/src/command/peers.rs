//! `reqmtls peers`: what there is to run against.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use reqmtls_contract::{Description, Peer, Provenance};
use reqmtls_peer_rustls::Rustls;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::root::Root;
use super::{EXIT_FINDINGS, EXIT_PEER, check_peer, complain, json};
use crate::peer::manifest::Manifest;
use crate::peer::tool::Tool;
use crate::peer::{Program, RunningPeer, build};

/// Arguments of `peers`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(super) struct Arguments {
    /// Only these peers
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Install what building them needs and this machine lacks, where it has apt-get
    #[arg(long)]
    install: bool,
    /// Build them
    #[arg(long)]
    build: bool,
    /// Build them, run their own lints and tests, and check that they follow the peer contract
    #[arg(long)]
    test: bool,
    /// Write one JSON document
    #[arg(long, conflicts_with_all = ["install", "build", "test"])]
    json: bool,
}

/// A peer: how it is built, what that needs, what it is and can do.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    /// How its program comes to be.
    build: String,
    about: &'a str,
    /// Commands that run before.
    prepare: Vec<String>,
    tools: Vec<ListedTool<'a>>,
    /// Absent as long as it is not built.
    description: Option<Description>,
}

#[derive(Serialize)]
struct ListedTool<'a> {
    name: &'a str,
    present: bool,
    /// Where it is to be had.
    source: String,
    /// Whether it can be installed only by hand, so that most machines lack it.
    rare: bool,
}

pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let manifests = root.peers()?;
    let root = &root.folder;
    check_names(&manifests, &arguments.names)?;
    // A peer that only some machines can build is left to who names it, but for a list.
    let works = arguments.install || arguments.build || arguments.test;
    let named = |it: &&Manifest| {
        let is_here = it.unpackaged().is_none_or(Tool::is_present);
        (arguments.names.is_empty() && (is_here || !works)) || arguments.names.contains(&it.name)
    };
    let manifests: Vec<_> = manifests.iter().filter(named).collect();
    if !works {
        let listed = manifests.iter().map(|it| Listed::of(root, it));
        return list(&listed.collect::<Vec<_>>(), arguments.json);
    }
    let runtime = Runtime::new().context("cannot start the runtime")?;
    if arguments.install {
        let tools: Vec<_> = manifests.iter().flat_map(|it| &it.tools).collect();
        let code = install(&runtime, &tools);
        if code != 0 {
            return Ok(code);
        }
    }
    let mut code = 0;
    for (place, manifest) in manifests.iter().enumerate() {
        // Versions behind one program have its lints and tests in common.
        let mut before = manifests[..place].iter();
        let is_tested = before.any(|it| it.package.is_some() && it.package == manifest.package);
        let built = match arguments {
            Arguments { test: true, .. } => test(root, manifest, is_tested, &runtime)?,
            Arguments { build: true, .. } => make(root, manifest, &runtime),
            _ => 0,
        };
        code = code.max(built);
    }
    Ok(code)
}

/// Checks that there are peers of these names.
pub(super) fn check_names(peers: &[Manifest], names: &[String]) -> anyhow::Result<()> {
    let known: Vec<_> = peers.iter().map(|it| it.name.as_str()).collect();
    match names.iter().find(|it| !known.contains(&it.as_str())) {
        Some(name) => bail!("got peer {name}, expected one of {}", known.join(", ")),
        None => Ok(()),
    }
}

/// Builds a peer; its program.
fn program(root: &Path, manifest: &Manifest, runtime: &Runtime) -> Option<Program> {
    let progress = |line: &str| complain(&format!("{}: {line}", manifest.name));
    match runtime.block_on(build::build(root, manifest, progress)) {
        Ok(program) => {
            complain(&format!(
                "{}: built {}",
                manifest.name,
                program.path.display()
            ));
            Some(program)
        }
        Err(error) => {
            complain(&format!("{}: not built: {error}", manifest.name));
            None
        }
    }
}

fn make(root: &Path, manifest: &Manifest, runtime: &Runtime) -> u8 {
    if manifest.in_process {
        complain(&format!("{}: compiled into the harness", manifest.name));
        return 0;
    }
    match program(root, manifest, runtime) {
        Some(_) => 0,
        None => EXIT_PEER,
    }
}

/// Tests a peer: what its package tests, then the contract. For one that is compiled in, both are among the
/// workspace's tests.
fn test(
    root: &Path,
    manifest: &Manifest,
    is_tested: bool,
    runtime: &Runtime,
) -> anyhow::Result<u8> {
    if manifest.in_process {
        complain(&format!("{}: among the workspace's tests", manifest.name));
        return Ok(0);
    }
    let Some(program) = program(root, manifest, runtime) else {
        return Ok(EXIT_PEER);
    };
    let progress = |line: &str| complain(&format!("{}: {line}", manifest.name));
    if !is_tested && let Err(error) = runtime.block_on(build::test(root, manifest, progress)) {
        complain(&format!("{}: {error}", manifest.name));
        return Ok(EXIT_FINDINGS);
    }
    check_peer::check(runtime, &program, None)
}

/// Installs what is missing, and says what that was.
pub(super) fn install(runtime: &Runtime, tools: &[&Tool]) -> u8 {
    let packages = build::missing(tools.iter().copied());
    if !packages.is_empty() {
        complain(&build::installing(&packages));
    }
    match runtime.block_on(build::install(tools)) {
        Ok(packages) if packages.is_empty() => complain("nothing to install"),
        Ok(_) => complain("installed"),
        Err(error) => {
            complain(&format!("error: {error}"));
            return EXIT_PEER;
        }
    }
    0
}

impl<'a> Listed<'a> {
    fn of(root: &Path, manifest: &'a Manifest) -> Self {
        let build = match (&manifest.package, &manifest.program) {
            _ if manifest.in_process => "compiled into the harness".to_owned(),
            (Some(package), _) if manifest.dynamic => {
                format!("cargo package {package}, with the installed libraries")
            }
            (Some(package), _) => format!("cargo package {package}, static"),
            (_, program) => {
                let words = program.iter().chain(&manifest.arguments);
                let words: Vec<_> = words.map(String::as_str).collect();
                format!("program {}", words.join(" "))
            }
        };
        let tools = manifest.tools.iter().map(|tool| ListedTool {
            name: tool.name(),
            present: tool.is_present(),
            source: tool.source(),
            rare: tool.variable.is_some(),
        });
        Self {
            name: &manifest.name,
            build,
            about: &manifest.about,
            prepare: manifest
                .prepare
                .iter()
                .map(|it| it.command.join(" "))
                .collect(),
            tools: tools.collect(),
            description: if manifest.in_process {
                Some(Rustls::new().describe())
            } else {
                describe_built(root, manifest)
            },
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {}", self.name, self.build)?;
        for line in self.about.lines() {
            writeln!(out, "  {line}")?;
        }
        for command in &self.prepare {
            writeln!(out, "  first: {command}")?;
        }
        for tool in &self.tools {
            let state = if tool.present { "present" } else { "missing" };
            writeln!(out, "  needs {}: {state} ({})", tool.name, tool.source)?;
        }
        let Some(description) = &self.description else {
            return writeln!(out, "  not built yet: reqmtls run builds it");
        };
        writeln!(out, "  library: {}", description.library)?;
        for provenance in Provenance::ALL {
            let of = description.capabilities.iter();
            let of = of.filter(|(_, it)| it == provenance);
            let names: Vec<_> = of.map(|(name, _)| name).collect();
            if !names.is_empty() {
                writeln!(out, "  {provenance}: {}", names.join(" "))?;
            }
        }
        Ok(())
    }
}

fn list(peers: &[Listed<'_>], as_json: bool) -> anyhow::Result<u8> {
    if as_json {
        json(&peers)?;
    } else {
        let mut out = io::stdout().lock();
        peers.iter().try_for_each(|peer| peer.write(&mut out))?;
    }
    let mut tools = peers.iter().flat_map(|peer| &peer.tools);
    let lacks = tools.any(|tool| !tool.present && !tool.rare);
    Ok(if lacks { EXIT_PEER } else { 0 })
}

/// Asks a peer that is already built; building one takes minutes and is for `run`.
fn describe_built(root: &Path, manifest: &Manifest) -> Option<Description> {
    let program = build::built(root, manifest)?;
    let runtime = Runtime::new().ok()?;
    runtime.block_on(async {
        let peer = RunningPeer::process(&manifest.name, &program).await.ok()?;
        let description = peer.description.clone();
        peer.stop().await;
        Some(description)
    })
}

//! `reqmtls image`: an image that runs cells wherever there is an engine.

use std::env;
use std::io::{self, Write};

use anyhow::{Context, anyhow};
use clap::Args;

use super::peers::check_names;
use super::root::Root;
use super::{EXIT_PEER, block_on, complain};
use crate::peer::{Engine, Runner, build};

/// Arguments of `image`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// These peers beside the reference, built where they are not [default: all that are built]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Makes the image, and says its name on stdout.
pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let peers = root.peers()?;
    check_names(&peers, &arguments.names)?;
    block_on(async {
        // Before anything is built.
        let engine = match Engine::connect().await {
            Ok(engine) => engine,
            Err(reason) => {
                complain(&format!("error: no container engine answers: {reason}"));
                return Ok(EXIT_PEER);
            }
        };
        let harness = env::current_exe().context("cannot tell where this program is")?;
        let runner = Runner::new(&harness).await;
        let mut runner = runner.map_err(|reason| anyhow!("{}: {reason}", harness.display()))?;
        for (name, path) in root.files(&peers) {
            runner.add_file(&name, path);
        }
        for peer in peers.iter().filter(|peer| !peer.in_process) {
            let name = &peer.name;
            let is_named = arguments.names.contains(name);
            if !is_named && !arguments.names.is_empty() {
                continue;
            }
            if !is_named && build::built(&root.folder, peer).is_none() {
                complain(&format!(
                    "{name}: left out, it is not built: reqmtls peers --build {name}"
                ));
                continue;
            }
            // What is built may be older than its source.
            let progress = |line: &str| complain(&format!("{name}: {line}"));
            let program = match build::build(&root.folder, peer, progress).await {
                Ok(program) => program,
                Err(error) => {
                    complain(&format!("{name}: not built: {error}"));
                    return Ok(EXIT_PEER);
                }
            };
            match runner.add_peer(name, &program).await {
                Ok(()) => complain(&format!("{name}: {}", program.path.display())),
                Err(reason) if is_named => {
                    complain(&format!("{name}: cannot be in an image: {reason}"));
                    return Ok(EXIT_PEER);
                }
                Err(reason) => complain(&format!("{name}: left out: {reason}")),
            }
        }
        let image = runner.make(&engine).await?;
        writeln!(io::stdout(), "{image}")?;
        Ok(0)
    })
}

//! `reqmtls programs`: real programs against the reference, and the chapter of what they do.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::Args;
use reqmtls_contract::Peer;
use reqmtls_observer::DEFAULT_FLAG;
use reqmtls_observer::capture::Writer;
use reqmtls_peer_rustls::Rustls;

use super::probe::add_all;
use super::{EXIT_PEER, block_on, complain, interrupted, peers};
use crate::peer::tool::Tool;
use crate::probe::{Judged, Probed};
use crate::program::{
    Cases, Cell, Manifest, Missing, Program, Results, Server, ServerManifest, Servers, chapter,
};
use crate::report::{CaptureFile, Growing, plain, write_whole};
use crate::scenario::{Certificates, nearest};
use crate::serve::Served;

const ABOUT: &str = "\
Starts each client against the reference, once for each case, and says what its user sees
and what the wire shows; and each server under each policy that it has, and probes it. Without names all of them run, and results/programs.md and
results/programs.json are written. A capture of each program is left in
results/latest/programs/.

What a program does is a result and no failure.

Exit codes:
  0  every program that was asked for has run
  2  bad usage or a bad manifest
  3  a program is missing or could not be made ready, or the run was interrupted";

/// Which programs.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(super) struct Arguments {
    /// Only these
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// List them, with what the machine lacks
    #[arg(long)]
    list: bool,
    /// Write the chapter of results/programs.json once more, and start nothing
    #[arg(long, conflicts_with_all = ["list", "install", "names"])]
    chapter: bool,
    /// Run the servers alone, and put what they do in the place of what results/programs.json has of servers
    #[arg(long, conflicts_with_all = ["list", "chapter", "names"])]
    servers: bool,
    /// Install the Debian packages of what the machine lacks, and end
    #[arg(long, conflicts_with = "list")]
    install: bool,
}

pub(super) fn obey(root: &Path, arguments: &Arguments) -> anyhow::Result<u8> {
    if arguments.chapter {
        return rewrite(&root.join("results"));
    }
    let folder = root.join("peers").join("programs");
    let all = Chosen {
        clients: Manifest::load_all(&folder)?,
        servers: ServerManifest::load_all(&folder)?,
    };
    let mut chosen = all.selected(&arguments.names)?;
    if arguments.servers {
        chosen.clients.clear();
    }
    if arguments.list {
        return chosen.list();
    }
    if arguments.install {
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        let tools: Vec<_> = chosen.tools().collect();
        return Ok(peers::install(&runtime, &tools));
    }
    let certificates =
        Certificates::generate_for(crate::serve::NAMES).context("cannot make certificates")?;
    let work = Work {
        cases: Cases {
            certificates: &certificates,
            programs: folder.clone(),
            flag: DEFAULT_FLAG,
        },
        servers: Servers {
            certificates: &certificates,
            programs: folder,
            flag: DEFAULT_FLAG,
        },
        captures: root.join("results/latest/programs"),
    };
    let stop = interrupted()?;
    let done = block_on(async {
        anyhow::Ok(tokio::select! {
            results = work.all(&chosen) => Some(results),
            () = stop => None,
        })
    })?;
    let Some(results) = done else {
        complain("interrupted: nothing is written");
        return Ok(EXIT_PEER);
    };
    let mut results = results?;
    let is_whole = results.missing.is_empty();
    if arguments.servers {
        let servers = std::mem::take(&mut results);
        results = read_results(&root.join("results").join("programs.json"))?;
        let is_server = |missing: &Missing| chosen.servers.iter().any(|it| it.name == missing.name);
        results.missing.retain(|missing| !is_server(missing));
        results.missing.extend(servers.missing);
        results.servers = servers.servers;
    }
    if arguments.names.is_empty() {
        let json = serde_json::to_string_pretty(&results)? + "\n";
        let place = root.join("results");
        write_whole(&place.join("programs.json"), json.as_bytes())?;
        write_whole(&place.join("programs.md"), chapter(&results).as_bytes())?;
        complain(&format!("results: {}", place.join("programs.md").display()));
    }
    Ok(if is_whole { 0 } else { EXIT_PEER })
}

/// Writes the chapter of the results that there are.
fn rewrite(results: &Path) -> anyhow::Result<u8> {
    let read = read_results(&results.join("programs.json"))?;
    write_whole(&results.join("programs.md"), chapter(&read).as_bytes())?;
    Ok(0)
}

fn read_results(path: &Path) -> anyhow::Result<Results> {
    Results::read(path).with_context(|| path.display().to_string())
}

/// Programs of either role.
struct Chosen {
    clients: Vec<Manifest>,
    servers: Vec<ServerManifest>,
}

impl Chosen {
    fn names(&self) -> impl Iterator<Item = &str> {
        let clients = self.clients.iter().map(|it| it.name.as_str());
        clients.chain(self.servers.iter().map(|it| it.name.as_str()))
    }

    fn tools(&self) -> impl Iterator<Item = &Tool> {
        let clients = self.clients.iter().flat_map(|it| &it.tools);
        clients.chain(self.servers.iter().flat_map(|it| &it.tools))
    }

    /// Those of these names; all without one.
    fn selected(mut self, names: &[String]) -> anyhow::Result<Self> {
        for name in names {
            if !self.names().any(|it| it == *name) {
                let near = nearest(name, self.names());
                let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
                bail!("got program {name:?}{near}; --list shows them all");
            }
        }
        let is_wanted = |name: &String| names.is_empty() || names.contains(name);
        self.clients.retain(|it| is_wanted(&it.name));
        self.servers.retain(|it| is_wanted(&it.name));
        Ok(self)
    }

    fn list(&self) -> anyhow::Result<u8> {
        let mut out = io::stdout().lock();
        let clients = self.clients.iter();
        let clients = clients.map(|it| (&it.name, &it.title, it.missing()));
        let servers = self.servers.iter();
        let servers = servers.map(|it| (&it.name, &it.title, it.missing()));
        for (name, title, missing) in clients.chain(servers) {
            match missing {
                None => writeln!(out, "{name:20} {title}")?,
                Some(tool) => writeln!(
                    out,
                    "{name:20} {title}: missing {} ({})",
                    tool.name(),
                    tool.source()
                )?,
            }
        }
        Ok(0)
    }
}

struct Work<'a> {
    cases: Cases<'a>,
    servers: Servers<'a>,
    captures: PathBuf,
}

impl Work<'_> {
    async fn all(&self, chosen: &Chosen) -> anyhow::Result<Results> {
        let mut results = Results {
            reference: Rustls::new().describe().library,
            ..Results::default()
        };
        for manifest in &chosen.clients {
            match self.one(manifest).await? {
                Ok(program) => {
                    print(&program)?;
                    results.programs.push(program);
                }
                Err(reason) => {
                    complain(&format!("missing: {}: {reason}", manifest.name));
                    let name = manifest.name.clone();
                    results.missing.push(Missing { name, reason });
                }
            }
        }
        for manifest in &chosen.servers {
            match Box::pin(self.one_server(manifest)).await? {
                Ok(server) => {
                    print_server(&server)?;
                    results.servers.push(server);
                }
                Err(reason) => {
                    complain(&format!("missing: {}: {reason}", manifest.name));
                    let name = manifest.name.clone();
                    results.missing.push(Missing { name, reason });
                }
            }
        }
        Ok(results)
    }

    /// Probes one server under each of its policies, and leaves the capture.
    async fn one_server(
        &self,
        manifest: &ServerManifest,
    ) -> anyhow::Result<Result<Server, String>> {
        let path = self.captures.join(format!("{}.pcapng", manifest.name));
        let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let mut file = CaptureFile::create(&path, start.unwrap_or_default())?;
        let add = |policy, probed: &Probed, judged: &Judged| {
            add_all(
                &mut file,
                &format!("{} {policy} ", manifest.name),
                probed,
                judged,
            )
        };
        Ok(match Box::pin(self.servers.run(manifest, add)).await {
            Ok(server) => {
                file.finish()?;
                Ok(server)
            }
            Err(error) => Err(error.to_string()),
        })
    }

    /// Runs one program and leaves its capture.
    async fn one(&self, manifest: &Manifest) -> anyhow::Result<Result<Program, String>> {
        let path = self.captures.join(format!("{}.pcapng", manifest.name));
        let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let file = Growing::create(&path, 0o600)?;
        let mut writer = Writer::new(file, start.unwrap_or_default()).map_err(plain)?;
        let run = self.cases.run(manifest, |served: Served| {
            let note = serde_json::to_string(&served.recorded.knowledge)?;
            let name = &served.recorded.name;
            writer.secrets(&served.key_log).map_err(plain)?;
            writer
                .connection(name, &note, &served.recording)
                .map_err(plain)
        });
        Ok(match run.await {
            Ok(program) => {
                writer.into_inner().finish()?;
                Ok(program)
            }
            Err(error) => Err(error.to_string()),
        })
    }
}

/// A line for each policy, and the verdict.
fn print_server(server: &Server) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}", server.title, server.version)?;
    for row in &server.rows {
        writeln!(out, "  {}", row.policy)?;
        for sentence in &row.sentences {
            writeln!(out, "    {sentence}")?;
        }
        for id in &row.violates {
            writeln!(out, "    violates {id}")?;
        }
    }
    Ok(())
}

/// A line for each case.
fn print(program: &Program) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}", program.title, program.version)?;
    for cell in &program.cells {
        let Cell {
            case,
            outcome,
            exit,
            text,
            connections,
        } = cell;
        let exit = exit.map_or_else(
            || "no exit code".to_owned(),
            |exit| format!("exit code {exit}"),
        );
        writeln!(out, "  {case}: {outcome}, {exit}")?;
        for connection in connections {
            writeln!(out, "    {connection}")?;
        }
        if let Some(text) = text {
            writeln!(out, "    {text:?}")?;
        }
    }
    Ok(())
}

//! `reqmtls merge`: the results of all shards of a run put together.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use indexmap::IndexMap;

use super::complain;
use super::root::Root;
use super::run::exit_code;
use crate::report::{Detail, Folder, RESULT, Reporter, Stored, Tally, Terminal, replay};
use crate::run::{self, Ended, Event, Missing, Peer, Sharded, Started};
use crate::scenario::Sightings;

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The result.jsonl of every shard
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,
    /// Where the result goes [default: where that of a run goes]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// The result of one shard, without its cells.
struct Part<'a> {
    path: &'a Path,
    started: Started,
    sharded: Sharded,
    peers: Vec<Peer>,
    missing: Vec<Missing>,
    cells: usize,
    ended: Ended,
}

/// Checks that the results are those of one run, writes that run's, and returns its exit code.
pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let parts = arguments.results.iter().map(|path| read(path));
    let mut parts: Vec<Part> = parts.collect::<Result<_, _>>()?;
    check(&mut parts)?;
    let (first, extension) = (&parts[0], parts[0].started.extension);
    let latest = root.results(first.started.revision).join("latest");
    let known = root.material()?.known;
    // Another folder than that of the runs is somebody's own: the result, without secrets and whole or absent, joins
    // what is there.
    let _folder = arguments
        .to
        .is_none()
        .then(|| Folder::take(&latest))
        .transpose()?;
    let to = arguments.to.clone().unwrap_or(latest);
    let mut stored = Stored::create(&to.join(RESULT))?;
    let mut terminal = Terminal::stderr(Detail::Quiet);
    let mut tally = Tally::default();
    events(&parts, Sightings::new(&known, extension), |event| {
        // A stderr that is closed is no reason to write no result.
        drop(terminal.event(&event));
        drop(tally.event(&event));
        stored.event(&event).context("the result is not whole")
    })?;
    complain(&format!("result: {}", to.display()));
    Ok(exit_code(&tally))
}

/// Reads a result but for what its cells show.
fn read(path: &Path) -> anyhow::Result<Part<'_>> {
    let mut begin = None;
    let (mut peers, mut missing, mut count, mut end) = (Vec::new(), Vec::new(), 0, None);
    let mut cells = HashSet::new();
    let mut wrong = None;
    replay(path, |event| match event {
        Event::Started(started) => begin = started.sharded.clone().map(|it| (started, it)),
        Event::Up(peer) => peers.push(peer),
        Event::Missing(peer) => missing.push(peer),
        Event::Cells { count: announced } => count = announced,
        Event::Cell(cell, _) => {
            let name = format!("cell {} {}", cell.case, cell.pairing());
            let (client, server) = (&cell.client.peer, &cell.server.peer);
            let shard = begin.as_ref().map(|(_, sharded)| sharded.shard);
            if let Some(shard) = shard.filter(|it| !it.has(&cell.case, client, server)) {
                wrong.get_or_insert(format!("{name} is not of shard {shard}"));
            }
            if !cells.insert((cell.case.clone(), client.clone(), server.clone())) {
                wrong.get_or_insert(format!("{name} is there twice"));
            }
        }
        Event::Ended(ended) => end = Some(ended),
        _ => {}
    })
    .with_context(|| path.display().to_string())?;
    let (Some((started, sharded)), Some(ended)) = (begin, end) else {
        bail!(
            "{}: expected the result of a run with --shard",
            path.display()
        );
    };
    if cells.len() != count {
        wrong.get_or_insert(format!("got {} cells, expected {count}", cells.len()));
    }
    match wrong {
        Some(wrong) => bail!("{}: {wrong}", path.display()),
        None => Ok(Part {
            path,
            started,
            sharded,
            peers,
            missing,
            cells: count,
            ended,
        }),
    }
}

impl Part<'_> {
    /// What it says of a peer that was up.
    fn peer(&self, name: &str) -> Option<String> {
        let peer = self.peers.iter().find(|peer| peer.name == name)?;
        Some(format!("{} ({})", peer.description.library, peer.mode))
    }

    /// Whether it has the value that another part has.
    fn agrees(
        &self,
        name: &str,
        got: Option<String>,
        expected: Option<String>,
        other: &Part<'_>,
    ) -> anyhow::Result<()> {
        if got == expected {
            return Ok(());
        }
        let [got, expected] = [got, expected].map(|it| it.unwrap_or("none".to_owned()));
        bail!(
            "{}: got {name} {got}, expected {expected} as in {}",
            self.path.display(),
            other.path.display()
        )
    }

    fn is_missing(&self, name: &str) -> bool {
        self.missing.iter().any(|it| it.name == name)
    }

    /// What all shards of a run have in common, peers aside.
    fn common(&self) -> BTreeMap<&'static str, String> {
        let Sharded {
            shard,
            harness,
            selection,
            narrowed: _,
        } = &self.sharded;
        let started = &self.started;
        let of_run = [
            ("harness", harness.clone()),
            ("selection", selection.clone()),
            ("number of shards", shard.of.to_string()),
            ("revision", started.revision.to_string()),
            ("extension", started.extension.to_string()),
            ("flag", started.flag.to_string()),
        ];
        of_run.into()
    }
}

/// The peers of all parts, each as it is in the first that has it.
fn peers<'a>(parts: &'a [Part]) -> IndexMap<&'a str, (&'a Peer, &'a Part<'a>)> {
    let mut peers = IndexMap::new();
    for part in parts {
        for peer in &part.peers {
            peers.entry(&*peer.name).or_insert((peer, part));
        }
    }
    peers
}

/// Who was missing, with the reasons, and the shards where not all lacked it for the same one.
fn missing(parts: &[Part]) -> Vec<Missing> {
    let mut missing: IndexMap<&str, IndexMap<&str, Vec<String>>> = IndexMap::new();
    for part in parts {
        for Missing { name, reason } in &part.missing {
            let shards = missing.entry(name).or_default().entry(reason).or_default();
            shards.push(part.sharded.shard.to_string());
        }
    }
    let said = |(reason, shards): (&str, Vec<String>)| match shards.len() {
        count if count == parts.len() => reason.to_owned(),
        _ => format!("in shard {}: {reason}", shards.join(", ")),
    };
    let missing = missing.into_iter().map(|(name, reasons)| Missing {
        name: name.to_owned(),
        reason: reasons.into_iter().map(said).collect::<Vec<_>>().join("; "),
    });
    missing.collect()
}

/// Sorts the shards, and checks that they are all those of one run.
fn check(parts: &mut [Part]) -> anyhow::Result<()> {
    parts.sort_by_key(|part| part.sharded.shard.number);
    let first = &parts[0];
    let expected = first.common();
    for part in &parts[1..] {
        for (name, got) in part.common() {
            part.agrees(name, Some(got), expected.get(name).cloned(), first)?;
        }
    }
    for (name, (_, of)) in peers(parts) {
        // Where a peer is missing, nothing is known of it.
        for part in parts.iter().filter(|part| !part.is_missing(name)) {
            part.agrees(&format!("peer {name}"), part.peer(name), of.peer(name), of)?;
        }
    }
    for of in parts.iter() {
        for Missing { name, .. } in &of.missing {
            let is_known = |part: &&Part| part.is_missing(name) || part.peer(name).is_some();
            if let Some(part) = parts.iter().find(|part| !is_known(part)) {
                let expected = Some("missing".to_owned());
                part.agrees(&format!("peer {name}"), None, expected, of)?;
            }
        }
    }
    for pair in parts.windows(2) {
        let shard = pair[0].sharded.shard;
        if shard == pair[1].sharded.shard {
            let paths = [pair[0].path.display(), pair[1].path.display()];
            bail!(
                "shard {shard} is there twice: {} and {}",
                paths[0],
                paths[1]
            );
        }
    }
    let is_there = |number: &u32| parts.iter().any(|it| it.sharded.shard.number == *number);
    let of = first.sharded.shard.of;
    let missing = (1..=of).filter(|number| !is_there(number));
    let missing: Vec<_> = missing.map(|number| format!("{number}/{of}")).collect();
    if !missing.is_empty() {
        bail!("expected every shard, got none of {}", missing.join(", "));
    }
    Ok(())
}

/// The events of the whole run.
fn events(
    parts: &[Part],
    mut sightings: Sightings<'_>,
    mut emit: impl FnMut(Event) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let first = &parts[0];
    let times = parts.iter().map(|part| part.started.time);
    emit(Event::Started(Started {
        time: times.fold(f64::INFINITY, f64::min),
        sharded: None,
        ..first.started.clone()
    }))?;
    let peers = peers(parts);
    for (peer, _) in peers.values() {
        emit(Event::Up((*peer).clone()))?;
    }
    let missing = missing(parts);
    let is_whole = !first.sharded.narrowed && missing.is_empty();
    missing
        .into_iter()
        .map(Event::Missing)
        .try_for_each(&mut emit)?;
    let count = parts.iter().map(|part| part.cells).sum();
    emit(Event::Cells { count })?;
    let library = |name: &str| {
        let (peer, _) = peers.get(name)?;
        Some(&*peer.description.library)
    };
    for part in parts {
        let mut outcome = Ok(());
        replay(part.path, |mut event| {
            match &mut event {
                Event::Cell(cell, _) => run::mark(cell, &mut sightings, library),
                Event::Lost(_) => {}
                _ => return,
            }
            if outcome.is_ok() {
                outcome = emit(event);
            }
        })
        .with_context(|| part.path.display().to_string())?;
        outcome?;
    }
    let mut ended = first.ended.clone();
    if is_whole {
        ended.stale = sightings.stale();
    }
    for part in &parts[1..] {
        // They ran side by side.
        let (all, its) = (&mut ended.timings, &part.ended.timings);
        all.peers = all.peers.max(its.peers);
        all.cells = all.cells.max(its.cells);
        all.stop = all.stop.max(its.stop);
        ended.time = ended.time.max(part.ended.time);
        ended.interrupted |= part.ended.interrupted;
    }
    emit(Event::Ended(ended))
}

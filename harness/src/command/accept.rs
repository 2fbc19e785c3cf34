//! `reqmtls accept`: the transcripts of the last run become the accepted ones.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use clap::Args;
use reqmtls_contract::Revision;

use super::root::Root;
use super::{EXIT_NOTHING, complain};
use crate::judge::Conformance;
use crate::report::{RESULT, counted, replay, write_whole};
use crate::run::{self, Accepted, Cell, Event, LIBRARIES, Libraries};
use crate::scenario::{CaseId, Selector};

/// Arguments of `accept`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only these cases, by id or its first segments, `*` for any one segment
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// The revision that the run was of
    #[arg(long, default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
    /// Where results went [default: results/ of the root, or its editors-copy/]
    #[arg(long, value_name = "DIR", env = "REQMTLS_RESULTS")]
    results: Option<PathBuf>,
}

/// The transcripts of a scenario, by case and pairing; of a cell that was not judged, none.
type Transcripts = BTreeMap<(CaseId, String), Option<String>>;

/// Takes over, and says on stdout what.
pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let revision = arguments.revision;
    let published = root.results(revision);
    let results = arguments.results.as_ref().unwrap_or(&published);
    let result = results.join("latest").join(RESULT);
    let mut scenarios = root.scenarios()?;
    scenarios.retain(|scenario| scenario.is_of(revision));
    let selectors = arguments.cases.iter();
    let selectors = selectors
        .map(|pattern| Selector::parse(pattern, &scenarios))
        .collect::<Result<Vec<_>, _>>()?;
    let mut found: BTreeMap<String, Transcripts> = BTreeMap::new();
    let (mut failed, mut interrupted, mut extension) = (Vec::new(), false, 0);
    let mut libraries = Libraries::new();
    replay(&result, |event| match event {
        Event::Started(started) => extension = started.extension,
        Event::Up(peer) => {
            libraries.insert(peer.name, peer.description.library);
        }
        Event::Cell(cell, _) => {
            let is_chosen =
                selectors.is_empty() || selectors.iter().any(|it| it.matches(&cell.case));
            if !is_chosen {
                return;
            }
            if cell.conformance == Conformance::Failed {
                failed.push(format!("{} {}", cell.case, cell.pairing()));
            }
            let of = found.entry(cell.case.scenario().to_owned()).or_default();
            of.insert(
                (cell.case.clone(), cell.pairing()),
                transcript(&cell, extension),
            );
        }
        Event::Ended(ended) => interrupted = ended.interrupted,
        _ => {}
    })
    .with_context(|| {
        format!(
            "cannot use the last run, {}; --results names another folder",
            result.display()
        )
    })?;
    if interrupted {
        bail!("the last run was interrupted; a whole one can be accepted");
    }
    if let Some(first) = failed.first() {
        bail!(
            "{} of it failed, the first of them {first}: what they show is nobody's behaviour",
            counted(failed.len(), "cell")
        );
    }
    let folder = published.join("snapshots");
    let mut changed = 0;
    for scenario in &scenarios {
        let accepted = Accepted::load(&folder, [&*scenario.id])?;
        let transcripts = found.remove(&scenario.id).unwrap_or_default();
        // Who has transcripts that stay may have them of another version.
        for case in &scenario.cases {
            for (pairing, _) in accepted.of_case(&case.id) {
                if !transcripts.contains_key(&(case.id.clone(), pairing.to_owned())) {
                    libraries.retain(|peer, _| !pairing.split("--").any(|it| it == peer));
                }
            }
        }
        let order: Vec<&CaseId> = scenario.cases.iter().map(|case| &case.id).collect();
        changed += accept(&folder, &scenario.id, &order, transcripts)?;
    }
    let versions = accept_libraries(&folder, libraries)?;
    if versions > 0 {
        let peers = counted(versions, "peer");
        complain(&format!("noted the versions of the libraries of {peers}"));
    }
    writeln!(io::stdout(), "accepted: {}", counted(changed, "transcript"))?;
    Ok(if changed + versions == 0 {
        EXIT_NOTHING
    } else {
        0
    })
}

fn transcript(cell: &Cell, extension: u16) -> Option<String> {
    cell.is_judged().then(|| cell.comparable(extension))
}

/// Notes which libraries the accepted transcripts are of; returns how many are others than before.
fn accept_libraries(folder: &Path, libraries: Libraries) -> anyhow::Result<usize> {
    let mut all = Accepted::load(folder, [])?.libraries().clone();
    let mut changed = 0;
    for (peer, library) in libraries {
        changed += usize::from(all.get(&peer) != Some(&library));
        all.insert(peer, library);
    }
    if changed > 0 {
        let text = serde_json::to_string_pretty(&all)? + "\n";
        write_whole(&folder.join(LIBRARIES), text.as_bytes())?;
    }
    Ok(changed)
}

/// Writes a scenario's snapshot with these transcripts in place of its own; returns how many are others than before.
fn accept(
    folder: &Path,
    scenario: &str,
    order: &[&CaseId],
    transcripts: Transcripts,
) -> anyhow::Result<usize> {
    let accepted = Accepted::load(folder, [scenario])?;
    let mut all: BTreeMap<(usize, String), String> = BTreeMap::new();
    for (number, case) in order.iter().enumerate() {
        for (pairing, text) in accepted.of_case(case) {
            all.insert((number, pairing.to_owned()), text.to_owned());
        }
    }
    let mut changed = 0;
    for ((case, pairing), text) in transcripts {
        let Some(number) = order.iter().position(|it| **it == case) else {
            continue;
        };
        let key = (number, pairing);
        let before = match text {
            Some(text) => {
                let text = text.trim_end().to_owned();
                let before = all.insert(key.clone(), text);
                before.as_ref() == all.get(&key)
            }
            None => all.remove(&key).is_none(),
        };
        changed += usize::from(!before);
    }
    if changed == 0 {
        return Ok(0);
    }
    let cells: Vec<_> = all
        .iter()
        .filter_map(|((number, pairing), text)| {
            let (client, server) = pairing.split_once("--")?;
            Some((order[*number], client, server, text.clone()))
        })
        .collect();
    let path = folder.join(format!("{scenario}.snap"));
    let text = run::snapshot(cells);
    let text = format!("{}{}\n", run::SNAPSHOT_HEAD, text.trim_end());
    write_whole(&path, text.as_bytes())?;
    Ok(changed)
}

//! `reqmtls explain`: one cell of the last run, with everything that led to its verdict.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqmtls_contract::Revision;
use reqmtls_vocabulary::words;
use serde::Serialize;

use super::capture::{Capture, read_file};
use super::root::Root;
use super::{complain, json};
use crate::judge::Conformance;
use crate::report::paint::{of_conformance, painted};
use crate::report::{CAPTURE, RESULT, WHOLE, counted, options, replay, reproduction};
use crate::run::{Accepted, Cell, Drift, Event, Started};
use crate::scenario::Selector;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The case by its id or its first segments, `*` for any one segment
    case: String,
    /// The pairing: CLIENT--SERVER [default: all are listed]
    pairing: Option<String>,
    /// The revision that the run was of
    #[arg(long, default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
    /// Where results went [default: results/ of the root, or its editors-copy/]
    #[arg(long, value_name = "DIR", env = "REQMTLS_RESULTS")]
    results: Option<PathBuf>,
    /// Write the cell's connections there as pcapng, with their secrets: Wireshark and reqmtls judge read it decrypted
    #[arg(long, value_name = "FILE", requires = "pairing")]
    capture: Option<PathBuf>,
    /// Write one JSON document
    #[arg(long)]
    json: bool,
}

words! {
    /// A run whose cells can be explained.
    enum Which {
        /// The last run, of whatever cells.
        Last = "last",
        /// The last run of all cells.
        Whole = "last-whole",
    }
}

impl Which {
    /// Where it is, below `latest/`.
    fn folder(self, latest: &Path) -> PathBuf {
        match self {
            Self::Last => latest.to_owned(),
            Self::Whole => latest.join(WHOLE),
        }
    }
}

/// A cell, and what else there is to say of it.
#[derive(Serialize)]
struct Explained<'a> {
    run: Which,
    cell: &'a Cell,
    /// The accepted transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a str>,
    /// The command that runs it alone.
    alone: String,
}

/// A pairing of a case.
#[derive(Serialize)]
struct Listed<'a> {
    pairing: &'a str,
    run: Which,
    conformance: Conformance,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Drift>,
}

/// A cell as a run has it, and what that run was of.
struct Found {
    run: Which,
    started: Rc<Started>,
    cell: Cell,
}

/// The cells of a case by their pairings, each as the last run has it that has it.
type Cells = BTreeMap<String, Found>;

/// How many cases are named at most where one is expected.
const NAMED: usize = 20;

/// Explains a cell on stdout; without a pairing, lists those of the case.
pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let published = root.results(arguments.revision);
    let results = arguments.results.as_ref().unwrap_or(&published);
    let latest = results.join("latest");
    let cells = find(&latest, arguments)?;
    let Some(pairing) = &arguments.pairing else {
        list(&cells, arguments.json)?;
        return Ok(0);
    };
    let Found { run, started, cell } = cells.get(pairing).ok_or_else(|| {
        let pairings = cells.keys().map(String::as_str).collect::<Vec<_>>();
        anyhow!(
            "got pairing {pairing:?}, expected one that the last run has: {}",
            pairings.join(", ")
        )
    })?;
    let accepted = Accepted::load(&published.join("snapshots"), [cell.case.scenario()])?;
    let explained = Explained {
        run: *run,
        cell,
        accepted: accepted.get(&cell.case, pairing),
        alone: reproduction(&options(started), cell),
    };
    if let Some(path) = &arguments.capture {
        let of_run = run.folder(&latest).join(CAPTURE);
        let capture = Capture::read(&read_file(&of_run)?, None, &of_run.display().to_string())?;
        let count = capture.extract(&format!("{} {pairing}", cell.case), path)?;
        complain(&format!(
            "capture: {}, {}",
            path.display(),
            counted(count, "connection")
        ));
    }
    if arguments.json {
        json(&explained)?;
        return Ok(0);
    }
    let mut text = String::new();
    // A String takes whatever is written to it.
    let _ = text::explain(&mut text, &explained, started.extension);
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(0)
}

/// Reads the last run, and the last whole one for what the last one has not. Of several cases that match, it is an
/// error.
fn find(latest: &Path, arguments: &Arguments) -> anyhow::Result<Cells> {
    let selector = Selector::of(&arguments.case);
    let (mut cases, mut matching, mut cells) = (BTreeSet::new(), BTreeSet::new(), Cells::new());
    for run in [Which::Last, Which::Whole] {
        let path = run.folder(latest).join(RESULT);
        let is_found = |pairing| cells.contains_key(pairing);
        if run == Which::Whole
            && (arguments.pairing.as_ref().is_some_and(is_found) || !path.exists())
        {
            break;
        }
        // What the last run has one case of is meant, whatever else a whole run has.
        let meant = matching.first().cloned();
        let mut of_run = None;
        let read = replay(&path, |event| match event {
            Event::Started(started) => of_run = Some(Rc::new(started)),
            Event::Cell(cell, _) => {
                let is_meant = match &meant {
                    Some(meant) => cell.case == *meant,
                    None => selector.matches(&cell.case),
                };
                if is_meant {
                    matching.insert(cell.case.clone());
                }
                if let (true, Some(started)) = (is_meant && matching.len() == 1, &of_run) {
                    let started = Rc::clone(started);
                    let pairing = cell.pairing();
                    let cell = *cell;
                    cells.entry(pairing).or_insert(Found { run, started, cell });
                } else {
                    cases.insert(cell.case);
                }
            }
            _ => {}
        });
        read.with_context(|| {
            let command = command(arguments.revision, &arguments.case);
            format!(
                "cannot use the {run} run, {}; `{command}` makes one, and --results names another folder",
                path.display()
            )
        })?;
    }
    if matching.len() > 1 {
        let (count, more) = (matching.len(), matching.len().saturating_sub(NAMED));
        let named = matching.iter().take(NAMED);
        let named: Vec<_> = named.map(|case| format!("\n  {case}")).collect();
        let more = match more {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        bail!(
            "got {:?}, which matches {count} cases, expected one:{}{more}",
            arguments.case,
            named.concat()
        );
    }
    if let Err(error) = Selector::among(&arguments.case, cases.iter().chain(&matching)) {
        let run = command(arguments.revision, &arguments.case);
        bail!("the last run: {error} (`{run}` runs it, if there is one)");
    }
    Ok(cells)
}

/// Lists the pairings with their verdicts.
fn list(cells: &Cells, as_json: bool) -> anyhow::Result<()> {
    let listed = cells
        .iter()
        .map(|(pairing, Found { run, cell, .. })| Listed {
            pairing,
            run: *run,
            conformance: cell.conformance,
            drift: cell.drift,
        });
    let listed: Vec<_> = listed.collect();
    if as_json {
        return json(&listed);
    }
    let width = cells.keys().map(String::len).max().unwrap_or_default();
    let mut out = anstream::stdout().lock();
    for Listed {
        pairing,
        run,
        conformance,
        drift,
    } in listed
    {
        let style = of_conformance(conformance);
        let drift = drift.map_or("-", Drift::as_str);
        let conformance = painted(style, format_args!("{conformance:11}"));
        writeln!(out, "{pairing:width$}  {conformance}  {drift:7}  {run}")?;
    }
    Ok(())
}

/// The command that runs a selection.
fn command(revision: Revision, selection: &str) -> String {
    match revision {
        Revision::Draft02 => format!("reqmtls run {selection}"),
        Revision::EditorsCopy => format!("reqmtls run --revision {revision} {selection}"),
    }
}

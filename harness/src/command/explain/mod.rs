//! `reqmtls explain`: one cell of the last run, with everything that led to its verdict.

mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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
use crate::report::{CAPTURE, RESULT, WHOLE, replay, reproduction};
use crate::run::{Accepted, Cell, Drift, Event};
use crate::scenario::{CaseId, nearest};

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The case's id
    case: String,
    /// The pairing: CLIENT--SERVER [default: all are listed]
    pairing: Option<String>,
    /// The revision that the run was of
    #[arg(long, default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
    /// Where results went [default: results/ of the root]
    #[arg(long, value_name = "DIR")]
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

/// The cells of a case by their pairings, each as the last run has it that has it.
type Cells = BTreeMap<String, (Which, Cell)>;

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
    let (run, cell) = cells.get(pairing).ok_or_else(|| {
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
        alone: command(arguments.revision, &reproduction(cell)),
    };
    if let Some(path) = &arguments.capture {
        let of_run = run.folder(&latest).join(CAPTURE);
        let capture = Capture::read(&read_file(&of_run)?, None, &of_run.display().to_string())?;
        let count = capture.extract(&format!("{} {pairing}", cell.case), path)?;
        complain(&format!("capture: {}, {count} connections", path.display()));
    }
    if arguments.json {
        json(&explained)?;
        return Ok(0);
    }
    let mut text = String::new();
    // A String takes whatever is written to it.
    let _ = text::explain(&mut text, &explained);
    io::stdout().write_all(text.as_bytes())?;
    Ok(0)
}

/// Reads the last run, and the last whole one for what the last one has not.
fn find(latest: &Path, arguments: &Arguments) -> anyhow::Result<Cells> {
    let (mut cases, mut cells) = (Vec::new(), Cells::new());
    for run in [Which::Last, Which::Whole] {
        let path = run.folder(latest).join(RESULT);
        let is_found = |pairing| cells.contains_key(pairing);
        if run == Which::Whole
            && (arguments.pairing.as_ref().is_some_and(is_found) || !path.exists())
        {
            break;
        }
        let read = replay(&path, |event| {
            let Event::Cell(cell, _) = event else { return };
            if cell.case.as_str() == arguments.case {
                cells.entry(cell.pairing()).or_insert((run, *cell));
            } else if !cases.contains(&cell.case) {
                cases.push(cell.case);
            }
        });
        read.with_context(|| {
            let command = command(arguments.revision, &arguments.case);
            format!(
                "cannot use the {run} run, {}; `{command}` makes one, and --results names another folder",
                path.display()
            )
        })?;
    }
    if cells.is_empty() {
        let part = format!("{}/", arguments.case);
        let whole = cases.iter().map(CaseId::as_str);
        let whole: Vec<_> = whole.filter(|case| case.starts_with(&part)).collect();
        if !whole.is_empty() {
            bail!(
                "got {:?}, expected one whole case: {}",
                arguments.case,
                whole.join(", ")
            );
        }
        let near = nearest(&arguments.case, cases.iter().map(CaseId::as_str));
        let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
        let run = command(arguments.revision, &arguments.case);
        bail!(
            "the last run has no case {:?}{near} (`{run}` runs it, if there is one)",
            arguments.case
        );
    }
    Ok(cells)
}

/// Lists the pairings with their verdicts.
fn list(cells: &Cells, as_json: bool) -> anyhow::Result<()> {
    let listed = cells.iter().map(|(pairing, (run, cell))| Listed {
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
    let mut out = io::stdout().lock();
    for Listed {
        pairing,
        run,
        conformance,
        drift,
    } in listed
    {
        let drift = drift.map_or("-", Drift::as_str);
        writeln!(out, "{pairing:width$}  {conformance:11}  {drift:7}  {run}")?;
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

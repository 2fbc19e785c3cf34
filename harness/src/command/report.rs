//! `reqmtls report`: every report rendered again from a stored result.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use reqmtls_contract::Revision;

use super::complain;
use super::root::{Material, Root};
use crate::report::{self, RESULT, Subject, replay};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A result.jsonl that a run left [default: that of the last run]
    #[arg(value_name = "RESULT")]
    result: Option<PathBuf>,
    /// Where the reports go [default: the folder of the result]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// The revision that the run was of
    #[arg(long, default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    revision: Revision,
}

/// Reads the result, and writes the reports.
pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let revision = arguments.revision;
    let last = || root.results(revision).join("latest").join(RESULT);
    let result = arguments.result.clone().unwrap_or_else(last);
    let folder = arguments.to.clone();
    let folder = folder.or_else(|| Some(result.parent()?.to_owned()));
    let folder = folder.unwrap_or_default();
    let Material {
        scenarios,
        peers,
        notes,
        ..
    } = root.material()?;
    let of_revision = scenarios.into_iter().filter(|it| it.is_of(revision));
    let names = peers.into_iter().map(|peer| peer.name).collect();
    let subject = Subject::new(revision, of_revision.collect(), names, notes);
    let subject = subject.with_programs(&root.folder.join("results/programs.json"))?;
    let mut reporters = report::files(subject, &folder, None);
    let mut failure = None;
    replay(&result, |event| {
        for reporter in &mut reporters {
            if let Err(error) = reporter.event(&event) {
                failure.get_or_insert(error);
            }
        }
    })
    .with_context(|| result.display().to_string())?;
    if let Some(error) = failure {
        return Err(error).context("the reports are not whole");
    }
    complain(&format!("reports: {}", folder.display()));
    Ok(0)
}

//! Which cases run on which peers, as commands take it.

use std::str::FromStr;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use reqmtls_contract::Revision;

use super::root::{Material, Root};
use crate::peer::manifest::Manifest;
use crate::peer::tool::Tool;
use crate::report::Notes;
use crate::scenario::{Case, Known, Pairings, Scenario, Selector};

/// Arguments that select.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Cases by id or its first segments, `*` for any one segment, e.g. request-mtls/*/absent
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// Only these peers as client
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    client: Vec<String>,
    /// Only these peers as server
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    server: Vec<String>,
    /// Who runs against whom, whatever the scenarios say: every or with-reference
    #[arg(long, value_name = "PAIRINGS", value_parser = Pairings::from_str)]
    pub(super) pairings: Option<Pairings>,
    /// The revision of the request mTLS flag: draft-02 or editors-copy
    #[arg(long, value_name = "REVISION", default_value_t = Revision::Draft02, value_parser = Revision::from_str)]
    pub(super) revision: Revision,
}

/// What a selection comes to.
pub(super) struct Selected {
    pub(super) scenarios: Vec<Scenario>,
    pub(super) known: Known,
    pub(super) notes: Notes,
    pub(super) cases: Vec<Arc<Case>>,
    pub(super) peers: Vec<Manifest>,
    pub(super) clients: Vec<String>,
    pub(super) servers: Vec<String>,
    /// Whether it is everything.
    pub(super) whole: bool,
    /// Whether some peers are not to play.
    pub(super) narrowed: bool,
    /// Whether every machine can run it.
    pub(super) everywhere: bool,
    /// The peers that are left out unless they are named, and what they lack.
    pub(super) left_out: Vec<String>,
}

impl Selection {
    /// Reads scenarios and peers, and selects.
    pub(super) fn select(&self, root: &Root) -> anyhow::Result<Selected> {
        let Material {
            scenarios,
            peers,
            known,
            notes,
        } = root.material()?;
        let (scenarios, others): (Vec<_>, Vec<_>) = scenarios
            .into_iter()
            .partition(|it| it.is_of(self.revision));
        let mut selectors = Vec::new();
        for pattern in &self.cases {
            match Selector::parse(pattern, &scenarios) {
                Ok(selector) => selectors.push(selector),
                Err(error) => match Selector::parse(pattern, &others) {
                    Ok(_) => bail!(
                        "no case of revision {} matches {pattern:?}; --revision {} has some",
                        self.revision,
                        other(self.revision)
                    ),
                    Err(_) => return Err(error.into()),
                },
            }
        }
        let cases = scenarios.iter().flat_map(|scenario| &scenario.cases);
        let chosen =
            |case: &&Case| selectors.is_empty() || selectors.iter().any(|it| it.matches(&case.id));
        let cases = cases.filter(chosen).cloned().map(Arc::new).collect();
        let narrowed = !self.client.is_empty() || !self.server.is_empty();
        Ok(Selected {
            cases,
            known,
            notes,
            clients: players(&peers, &self.client, "--client")?,
            servers: players(&peers, &self.server, "--server")?,
            whole: self.cases.is_empty() && !narrowed && self.pairings.is_none(),
            narrowed,
            everywhere: !peers
                .iter()
                .any(|it| it.unpackaged().is_some_and(Tool::is_present)),
            left_out: if self.client.is_empty() || self.server.is_empty() {
                left_out(&peers)
            } else {
                Vec::new()
            },
            scenarios,
            peers,
        })
    }
}

fn left_out(peers: &[Manifest]) -> Vec<String> {
    let absent = peers.iter().filter_map(|peer| {
        let tool = peer.unpackaged().filter(|tool| !tool.is_present())?;
        Some(format!(
            "peer {}: left out, {} is not set: {}",
            peer.name,
            tool.name(),
            tool.source()
        ))
    });
    absent.collect()
}

fn other(revision: Revision) -> Revision {
    match revision {
        Revision::Draft02 => Revision::EditorsCopy,
        Revision::EditorsCopy => Revision::Draft02,
    }
}

fn players(peers: &[Manifest], wanted: &[String], option: &str) -> anyhow::Result<Vec<String>> {
    if wanted.is_empty() {
        let here = peers
            .iter()
            .filter(|it| it.unpackaged().is_none_or(Tool::is_present));
        return Ok(here.map(|peer| peer.name.clone()).collect());
    }
    let names: Vec<_> = peers.iter().map(|peer| peer.name.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        bail!(
            "got {option} {unknown}, expected one of {}",
            names.join(", ")
        );
    }
    Ok(wanted.to_vec())
}

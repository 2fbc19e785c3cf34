//! `reqmtls list`: what a run would take.

use std::io::{self, Write};

use clap::Args;
use reqmtls_contract::Revision;
use reqmtls_vocabulary::Side;
use serde::Serialize;

use super::root::Root;
use super::selection::{Selected, Selection};
use super::{EXIT_NOTHING, json};
use crate::peer::manifest::Manifest;
use crate::report::counted;
use crate::run::{Candidate, MISBEHAVING, pairs};
use crate::scenario::{Case, CaseId, Pairings};

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Write one JSON document, which has the pairings of each case too
    #[arg(long)]
    json: bool,
}

/// What a run would take.
#[derive(Serialize)]
struct Listed<'a> {
    revision: Revision,
    scenarios: Vec<ListedScenario<'a>>,
    clients: &'a [String],
    servers: &'a [String],
}

#[derive(Serialize)]
struct ListedScenario<'a> {
    id: &'a str,
    title: &'a str,
    cases: Vec<ListedCase<'a>>,
}

#[derive(Serialize)]
struct ListedCase<'a> {
    id: &'a CaseId,
    /// `CLIENT--SERVER`: one cell each.
    pairings: Vec<String>,
}

/// Lists scenarios with their cases, the peers, and how many cells that makes.
pub(super) fn obey(root: &Root, arguments: &Arguments) -> anyhow::Result<u8> {
    let selected = arguments.selection.select(root)?;
    let listed = Listed::of(&selected, &arguments.selection);
    if arguments.json {
        json(&listed)?;
    } else {
        io::stdout().write_all(listed.text().as_bytes())?;
    }
    Ok(if selected.cases.is_empty() {
        EXIT_NOTHING
    } else {
        0
    })
}

impl<'a> Listed<'a> {
    fn of(selected: &'a Selected, selection: &Selection) -> Self {
        let peers: Vec<_> = selected.peers.iter().map(Unstarted).collect();
        let (clients, servers) = (&selected.clients, &selected.servers);
        let label = |case: &Case, side, place: usize| {
            let name: &str = &selected.peers[place].name;
            if case.misbehaves(side) {
                MISBEHAVING
            } else {
                name
            }
            .to_owned()
        };
        let case = |case: &'a Case| ListedCase {
            id: &case.id,
            pairings: pairs(case, &peers, clients, servers, selection.pairings)
                .into_iter()
                .map(|(client, server)| {
                    label(case, Side::Client, client) + "--" + &label(case, Side::Server, server)
                })
                .collect(),
        };
        let scenarios = selected.scenarios.iter().map(|scenario| {
            let cases = selected.cases.iter();
            let of_it = cases.filter(|it| it.id.scenario() == scenario.id);
            ListedScenario {
                id: &scenario.id,
                title: &scenario.title,
                cases: of_it.map(|it| case(it)).collect(),
            }
        });
        Self {
            revision: selection.revision,
            scenarios: scenarios.filter(|it| !it.cases.is_empty()).collect(),
            clients,
            servers,
        }
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        let (mut cases, mut cells) = (0, 0);
        for ListedScenario {
            id,
            title,
            cases: of_it,
        } in &self.scenarios
        {
            lines.push(format!("{id}: {title} ({})", counted(of_it.len(), "case")));
            lines.extend(of_it.iter().map(|case| format!("  {}", case.id)));
            cases += of_it.len();
            cells += of_it.iter().map(|case| case.pairings.len()).sum::<usize>();
        }
        lines.push(format!("clients: {}", self.clients.join(", ")));
        lines.push(format!("servers: {}", self.servers.join(", ")));
        let (cases, cells) = (counted(cases, "case"), counted(cells, "cell"));
        lines.push(format!("would run: {cases}, {cells}\n"));
        lines.join("\n")
    }
}

/// A peer that is not started: what it can do is not known, and who breaks rules is taken to be the reference.
struct Unstarted<'a>(&'a Manifest);

impl Candidate for Unstarted<'_> {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn is_reference(&self) -> bool {
        self.0.reference
    }

    fn keeps_to_reference(&self) -> bool {
        self.0.pairings == Some(Pairings::WithReference)
    }

    fn can_misbehave(&self, _case: &Case, _side: Side) -> bool {
        self.0.reference
    }
}

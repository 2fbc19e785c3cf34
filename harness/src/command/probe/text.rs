//! What a probe found, as text for people: the verdict first, then each finding once.

use std::fmt::{self, Write};

use indexmap::IndexSet;

use super::options::Arguments;
use crate::command::connection;
use crate::probe::{Grouped, Judged, LeftOut, Outcome, Plan, Probed};
use crate::report::counted;

/// How many cases of a finding are named.
const NAMED: usize = 3;

/// The whole of it.
pub(super) struct Text<'a> {
    /// The server, as it was given.
    pub(super) given: &'a str,
    pub(super) arguments: &'a Arguments,
    pub(super) plan: &'a Plan,
    pub(super) probed: &'a Probed,
    pub(super) judged: &'a Judged,
    pub(super) groups: &'a [Grouped],
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            given,
            arguments,
            plan,
            probed,
            judged,
            groups,
        } = self;
        let material = &plan.material;
        let connections = probed.played.iter().map(|it| it.connections.len());
        let connections: usize = connections.sum();
        writeln!(
            out,
            "{given}: revision {}, flag {} in extension {}, {}\n",
            material.revision,
            material.flag,
            material.extension,
            counted(connections, "connection")
        )?;
        for sentence in judged.verdict.sentences() {
            writeln!(out, "  {sentence}")?;
        }
        let (violated, others): (Vec<_>, Vec<_>) = groups.iter().partition(|it| it.is_violated());
        section(out, "violated", &violated)?;
        section(out, "where documents disagree", &others)?;
        writeln!(out)?;
        odd(out, probed)?;
        if judged.knows_flags == Some(true) && plan.server_knows_flags.is_none() {
            writeln!(
                out,
                "what it does depends on the flags: judged as a server that implements tls_flags"
            )?;
        }
        for LeftOut { reason, cases } in &probed.left_out {
            let scenarios = cases.iter().filter_map(|it| it.split('/').next());
            let scenarios: IndexSet<_> = scenarios.collect();
            let scenarios: Vec<_> = scenarios.into_iter().collect();
            let count = counted(cases.len(), "client");
            writeln!(
                out,
                "left out: {count} of {}: {reason}",
                scenarios.join(", ")
            )?;
        }
        if let Some(reason) = &probed.stopped {
            writeln!(out, "stopped before the end: {reason}")?;
        }
        match &arguments.capture {
            Some(path) => {
                let path = path.display();
                writeln!(out, "reqmtls judge {path} explains every connection")
            }
            None => writeln!(
                out,
                "--json and --capture FILE write every connection; reqmtls judge FILE explains each"
            ),
        }
    }
}

fn section(out: &mut impl Write, title: &str, groups: &[&Grouped]) -> fmt::Result {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for group in groups {
        connection::ruling(out, &group.ruling)?;
        let named = &group.cases[..group.cases.len().min(NAMED)];
        let more = group.cases.len() - named.len();
        write!(out, "    in {}", named.join(", "))?;
        if more > 0 {
            write!(out, " and {more} more")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The clients whose connections ended as no verdict says.
fn odd(out: &mut impl Write, probed: &Probed) -> fmt::Result {
    for played in &probed.played {
        for connected in &played.connections {
            let is_odd = matches!(
                connected.seen.outcome,
                Outcome::ClientRefused | Outcome::Unfinished | Outcome::NotReached
            );
            if is_odd {
                let id = &played.play.id;
                let reaction = connected.seen.reaction();
                let error = connected.error.as_deref().unwrap_or("no error");
                writeln!(out, "note: {id}: the server {reaction} ({error})")?;
            }
        }
    }
    Ok(())
}

//! `requirements.md`: which cases exercise which requirement, and why no end violates it where that is so.

use std::collections::BTreeMap;

use reqmtls_vocabulary::Side;

use super::collect::{Collected, Kind};
use super::page::{Page, cell, command};
use super::subject::Subject;
use crate::judge::Party;
use crate::judge::requirement::{self, Check, Id};

/// How many cells show something, and the first of their cases.
#[derive(Clone, Copy, Default)]
struct Count {
    cells: usize,
    case: Option<usize>,
}

/// What is counted of one requirement and one party.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Satisfied,
    /// Informational, or documents disagree.
    Choice,
    /// By an end that misbehaves on purpose.
    OnPurpose,
    Violated,
}

pub(super) fn requirements(subject: &Subject, run: &Collected) -> String {
    let mut page = Page::default();
    page.line(format_args!(
        "# Which cases exercise which requirement\n\n\
         Written by `{}`; `cargo test` holds it against a run of its own. The numbers are those of cells, self-tests \
         included, before one of their cases. *Satisfied*: an end could have violated it and did not. *Choice*: it \
         leaves the choice, or another document wants something else. *On purpose*: an end that misbehaves on \
         purpose violated it, and was found to. *Violated*: an end violated it that was to obey. Each id leads to the \
         sentence, and has its statement in this project's words as its title.\n",
        command(run, "")
    ));
    page.line(format_args!(
        "| id | level | place | end | satisfied | choice | on purpose | violated | why not violated |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    ));
    let counts = counts(run);
    for row in requirement::applicable(subject.revision()) {
        let id = Id::from(row);
        let linked = format!(
            "[{id}]({} \"{}\")",
            row.link(),
            cell(&row.statement.replace('"', "'"))
        );
        let reason = match row.check {
            Check::Unobservable(reason) => reason,
            Check::Observed(_) => row.unviolated.unwrap_or_default(),
        };
        let parties: Vec<Party> = if row.binds.is_empty() {
            vec![Party::Documents]
        } else {
            row.binds.iter().copied().map(Party::from).collect()
        };
        for party in parties {
            let count = |column| {
                let count = counts.get(&(id, party, column)).copied();
                let count = count.unwrap_or_default();
                count.case.map_or_else(
                    || "–".to_owned(),
                    |case| format!("{} `{}`", count.cells, subject.case(case).id),
                )
            };
            page.line(format_args!(
                "| {linked} | {} | {} | {party} | {} | {} | {} | {} | {} |",
                row.level,
                row.citation(),
                count(Column::Satisfied),
                count(Column::Choice),
                count(Column::OnPurpose),
                count(Column::Violated),
                reason,
            ));
        }
    }
    page.0
}

fn counts(run: &Collected) -> BTreeMap<(Id, Party, Column), Count> {
    let mut counts: BTreeMap<(Id, Party, Column), Count> = BTreeMap::new();
    for seen in run.cells.iter().filter(|seen| seen.is_judged()) {
        let mut of_cell: Vec<_> = seen
            .rulings
            .iter()
            .map(|brief| {
                let misbehaves = |side: Side| seen.player(side).misbehaves;
                let column = match brief.kind {
                    Kind::Satisfied => Column::Satisfied,
                    Kind::Informational | Kind::Tension { .. } => Column::Choice,
                    Kind::Violated if brief.party.side().is_some_and(misbehaves) => {
                        Column::OnPurpose
                    }
                    Kind::Violated => Column::Violated,
                };
                (brief.requirement, brief.party, column)
            })
            .collect();
        of_cell.sort_unstable();
        of_cell.dedup();
        for key in of_cell {
            let count = counts.entry(key).or_default();
            count.cells += 1;
            count.case.get_or_insert(seen.case);
        }
    }
    counts
}

//! Markdown under construction.

use std::fmt::{Arguments, Write};

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::collect::{Collected, Seen};
use super::subject::Subject;
use crate::judge::requirement::Id;

/// Text under construction.
#[derive(Debug, Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    pub(super) fn line(&mut self, arguments: Arguments<'_>) {
        // A String takes whatever is written to it.
        let _ = self.0.write_fmt(arguments);
        self.0.push('\n');
    }
}

/// The command that runs a selection alone, as it was run.
pub(super) fn command(run: &Collected, selection: &str) -> String {
    let space = if selection.is_empty() { "" } else { " " };
    format!("reqmtls run{}{space}{selection}", run.options)
}

/// The command that runs one cell alone. Who plays an end that misbehaves is not for choice.
pub(super) fn alone(subject: &Subject, run: &Collected, seen: &Seen) -> String {
    let mut selection = subject.case(seen.case).id.to_string();
    for side in Side::BOTH {
        let player = seen.player(side);
        if !player.misbehaves {
            // A String takes whatever is written to it.
            let _ = write!(selection, " --{side} {}", player.peer);
        }
    }
    command(run, &selection)
}

/// A requirement's id, linked to its sentence.
pub(super) fn link(id: Id) -> String {
    format!("[{id}]({})", id.get().link())
}

/// Requirements, each linked.
pub(super) fn links(ids: &[Id]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| link(*id)).collect();
    ids.join(", ")
}

/// A requirement with its level, place and sentence.
pub(super) fn sentence(id: Id) -> String {
    let row = id.get();
    format!(
        "{} ({}, {}): {}",
        link(id),
        row.level,
        row.citation(),
        row.statement
    )
}

/// Who did something, so that no library is named for what is not its own.
pub(super) fn whose(peers: &[&str], provenance: Provenance) -> String {
    let names = listed(peers);
    match provenance {
        Provenance::Library => format!("unmodified {names}"),
        Provenance::Glue => format!("glue in front of {names}"),
        Provenance::Patch => format!("{names} with a patch kept here"),
        Provenance::Reference => format!("the reference ({names})"),
    }
}

/// `a, b and c`
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 cell`, `2 cells`
pub(crate) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Text in which what looks like HTML is not.
pub(super) fn text(text: &str) -> String {
    text.replace('<', "&lt;")
}

/// Text that a peer wrote: what looks like HTML or Markdown is not, in a cell of a table neither.
pub(in super::super) fn foreign(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '<' => plain.push_str("&lt;"),
            '\\' | '`' | '[' | ']' | '*' | '_' | '~' | '|' => plain.extend(['\\', character]),
            character => plain.push(character),
        }
    }
    // GitHub makes links of addresses.
    plain.replace("://", "\\://").replace("www.", "www\\.")
}

/// Such text inside a cell of a table.
pub(super) fn cell(inside: &str) -> String {
    text(inside).replace('|', "\\|").replace('\n', " ")
}

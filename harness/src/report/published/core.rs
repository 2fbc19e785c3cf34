//! The core question at the end of a run: a matrix for a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use reqmtls_vocabulary::Side;

use super::CORE;
use super::sign::Sign;
use crate::judge::Conformance;
use crate::run::Cell;

/// The width of a column.
const STEP: usize = 3;

/// What stands for a cell whose case an end cannot do.
const UNSUPPORTED: char = '.';

/// The cells of the core question: client and server, and what each came to.
#[derive(Debug, Default)]
pub(in crate::report) struct Core(BTreeMap<(String, String), String>);

impl Core {
    /// Takes a cell, if it is of that case.
    pub(in crate::report) fn take(&mut self, cell: &Cell) {
        if cell.case.as_str() == CORE {
            let pairing = (
                cell.client.label().to_owned(),
                cell.server.label().to_owned(),
            );
            self.0.insert(pairing, words(cell));
        }
    }

    /// The matrix and what its letters mean, in lines of at most `width` characters; nothing where one pairing or none
    /// had the case.
    pub(in crate::report) fn text(&self, width: usize) -> String {
        let mut out = String::new();
        if self.0.len() < 2 {
            return out;
        }
        let names: BTreeSet<_> = self
            .0
            .keys()
            .flat_map(|(client, server)| [client, server])
            .collect();
        let names: Vec<_> = (1..).zip(names).collect();
        let letters = self.letters();
        let longest = names
            .iter()
            .map(|(_, name)| name.len())
            .max()
            .unwrap_or_default();
        let head = longest + STEP + 1;
        let columns = (width.saturating_sub(head) / STEP).max(1);
        // A String takes whatever is written to it.
        let _ = writeln!(out, "{CORE}: clients down, servers across");
        for servers in names.chunks(columns) {
            let numbers = servers.iter().map(|(at, _)| format!("{at:STEP$}"));
            let numbers: Vec<_> = numbers.collect();
            let _ = writeln!(out, "{:head$}{}", "", numbers.concat());
            for (at, client) in &names {
                let letter = |server: &String| {
                    let words = self.0.get(&((*client).clone(), server.clone()));
                    words.map_or(' ', |words| letters[words.as_str()])
                };
                let row = servers.iter().map(|(_, server)| letter(server));
                let row: Vec<_> = row.map(|letter| format!("{letter:>STEP$}")).collect();
                let row = row.concat();
                // Who is a server alone has no row.
                if !row.trim().is_empty() {
                    let _ = writeln!(out, "{at:STEP$} {client:longest$}{}", row.trim_end());
                }
            }
        }
        for (words, letter) in letters {
            let _ = writeln!(out, "{letter}  {words}");
        }
        let lines = out
            .lines()
            .map(|line| line.chars().take(width).chain(['\n']));
        lines.flatten().collect()
    }

    /// A letter for each thing that cells came to.
    fn letters(&self) -> BTreeMap<&str, char> {
        let mut left = ('A'..='Z').chain('a'..='z');
        let all: BTreeSet<_> = self.0.values().map(String::as_str).collect();
        let letter = |words| match words {
            "unsupported" => UNSUPPORTED,
            _ => left.next().unwrap_or('?'),
        };
        all.iter()
            .copied()
            .zip(all.iter().copied().map(letter))
            .collect()
    }
}

/// What a cell came to; of one that shows nothing, its conformance.
fn words(cell: &Cell) -> String {
    let signs = Sign::of(cell).into_iter();
    let signs: Vec<_> = signs.map(|(_, sign)| sign.words(Side::Server)).collect();
    match cell.conformance {
        Conformance::Conforms if !signs.is_empty() => signs.join(", "),
        Conformance::Deviates => format!("{}: a finding", signs.join(", ")),
        other => other.to_string(),
    }
}

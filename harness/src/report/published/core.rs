//! The core question at the end of a run: a matrix for a terminal.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;
use reqmtls_vocabulary::Side;

use super::super::paint::{of_conformance, painted};
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
pub(in crate::report) struct Core(BTreeMap<(String, String), (String, Conformance)>);

impl Core {
    /// Takes a cell, if it is of that case.
    pub(in crate::report) fn take(&mut self, cell: &Cell) {
        if cell.case.as_str() == CORE {
            let pairing = (
                cell.client.label().to_owned(),
                cell.server.label().to_owned(),
            );
            self.0.insert(pairing, (words(cell), cell.conformance));
        }
    }

    /// The matrix and what its letters mean, in colour and in lines of at most `width` characters; nothing where one
    /// pairing or none had the case.
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
        let styles: BTreeMap<char, Style> = letters.values().copied().collect();
        // Letters have a colour from the column `first` to the column `last`.
        let mut line = |text: &str, first: usize, last: usize| {
            for (at, character) in text.trim_end().chars().take(width).enumerate() {
                let style = styles.get(&character);
                match style.filter(|_| (first..last).contains(&at)) {
                    Some(style) => out.push_str(&painted(*style, character)),
                    None => out.push(character),
                }
            }
            out.push('\n');
        };
        line(&format!("{CORE}: clients down, servers across"), 0, 0);
        for servers in names.chunks(columns) {
            let numbers = servers.iter().map(|(at, _)| format!("{at:STEP$}"));
            let numbers: Vec<_> = numbers.collect();
            line(&format!("{:head$}{}", "", numbers.concat()), 0, 0);
            for (at, client) in &names {
                let letter = |server: &String| {
                    let cell = self.0.get(&((*client).clone(), server.clone()));
                    cell.map_or(' ', |(words, _)| letters[words.as_str()].0)
                };
                let row = servers.iter().map(|(_, server)| letter(server));
                let row: Vec<_> = row.map(|letter| format!("{letter:>STEP$}")).collect();
                let row = row.concat();
                // Who is a server alone has no row.
                if !row.trim().is_empty() {
                    line(&format!("{at:STEP$} {client:longest$}{row}"), head, width);
                }
            }
        }
        for (words, (letter, _)) in letters {
            line(&format!("{letter}  {words}"), 0, 1);
        }
        out
    }

    /// A letter for each thing that cells came to, and its colour.
    fn letters(&self) -> BTreeMap<&str, (char, Style)> {
        let mut left = ('A'..='Z').chain('a'..='z');
        let all: BTreeMap<_, _> = self
            .0
            .values()
            .map(|(words, conformance)| (words.as_str(), *conformance))
            .collect();
        let letter = |(words, conformance)| {
            let letter = match conformance {
                Conformance::Unsupported => UNSUPPORTED,
                _ => left.next().unwrap_or('?'),
            };
            (words, (letter, of_conformance(conformance)))
        };
        all.into_iter().map(letter).collect()
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

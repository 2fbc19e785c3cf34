//! What came out: of each program in each case, as data that the chapter is made of.

use std::fs;
use std::io;
use std::path::Path;

use reqmtls_vocabulary::words;
use serde::{Deserialize, Serialize};

use super::case::Case;
use super::manifest::{Kind, Manifest, Shows};
use super::place::Place;
use super::process::Ended;
use super::server::Server;
use super::wire::{Connection, Course};

/// The most characters of a program's own words.
const MOST_TEXT: usize = 240;

words! {
    /// What a program comes to, as its user sees it.
    pub enum Outcome {
        /// It has what it asked for.
        Completed = "completed",
        /// It says by its exit code that it has not.
        Failed = "failed",
        /// It has not, and its exit code is 0.
        Silent = "silent",
        /// It was still there at its deadline.
        Hung = "hung",
    }
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The library of the server that they met.
    pub reference: String,
    /// The programs.
    pub programs: Vec<Program>,
    /// The servers.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// Those that were not there.
    pub missing: Vec<Missing>,
}

impl Results {
    /// Reads them from a `programs.json`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not what `reqmtls programs` writes.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The name of its manifest.
    pub name: String,
    /// What readers know it by.
    pub title: String,
    /// What kind of program it is.
    pub kind: Kind,
    /// What it says of its version.
    pub version: String,
    /// What readers should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it did, a cell for each case.
    pub cells: Vec<Cell>,
}

/// A program that was not there, or could not be made ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The name of its manifest.
    pub name: String,
    /// What is lacking.
    pub reason: String,
}

/// One program in one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The case.
    pub case: Case,
    /// What the user sees.
    pub outcome: Outcome,
    /// The exit code; absent if it did not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// What it says, if it did not complete: one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the wire shows, in the order in which connections were taken.
    pub connections: Vec<Connection>,
}

impl Cell {
    /// How many connections went so.
    #[must_use]
    pub fn count(&self, course: Course) -> usize {
        let mut connections = self.connections.iter();
        let of_course = connections.by_ref().filter(|it| it.course == course);
        of_course.count()
    }
}

impl Outcome {
    /// What a program's end and the wire show together: it is not complete unless the server answered it.
    pub(super) fn of(shows: Shows, ended: &Ended, word: &str, is_answered: bool) -> Self {
        let is_shown = match shows {
            Shows::Output => ended.stdout.contains(word),
            Shows::Exit => true,
        };
        match ended.exit {
            None => Self::Hung,
            Some(0) if is_shown && is_answered => Self::Completed,
            Some(0) => Self::Silent,
            Some(_) => Self::Failed,
        }
    }
}

/// What a program says: one line of its own words, without what differs from run to run.
pub(super) fn text(manifest: &Manifest, ended: &Ended, place: &Place) -> Option<String> {
    let lines = || ended.stdout.lines().chain(ended.stderr.lines());
    let from = manifest.error_from.as_deref();
    let found = from.and_then(|from| {
        let mut places = lines().filter_map(|line| line.find(from).map(|at| &line[at..]));
        places.next()
    });
    let last = |text: &'_ str| {
        let mut lines = text.lines().rev().map(str::trim);
        lines.find(|line| !line.is_empty()).map(str::to_owned)
    };
    // The last line of what did not end says nothing of why.
    if found.is_none() && ended.exit.is_none() {
        return None;
    }
    let line = found.map(str::to_owned);
    let line = line
        .or_else(|| last(&ended.stderr))
        .or_else(|| last(&ended.stdout))?;
    let line = plain(&place.generalise(&line));
    let mut short: String = line.chars().take(MOST_TEXT).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    Some(short)
}

/// A line without control characters and what terminals take for commands.
fn plain(line: &str) -> String {
    let (mut plain, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic());
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    plain.push_str(rest);
    let spaced = plain.replace(|c: char| c.is_control(), " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit: Option<i32>, stdout: &str, stderr: &str) -> Ended {
        Ended {
            exit,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn an_exit_code_of_0_alone_is_no_success() {
        let of = |shows, exit, out, answered| {
            Outcome::of(shows, &ended(exit, out, ""), "word", answered)
        };
        assert_eq!(
            of(Shows::Output, Some(0), "a word", true),
            Outcome::Completed
        );
        assert_eq!(of(Shows::Output, Some(0), "", true), Outcome::Silent);
        assert_eq!(of(Shows::Output, Some(0), "a word", false), Outcome::Silent);
        assert_eq!(of(Shows::Exit, Some(0), "", true), Outcome::Completed);
        assert_eq!(of(Shows::Exit, Some(0), "", false), Outcome::Silent);
        assert_eq!(of(Shows::Output, Some(35), "a word", true), Outcome::Failed);
        assert_eq!(of(Shows::Exit, None, "a word", true), Outcome::Hung);
    }

    #[test]
    fn text_is_one_plain_line() {
        let manifest = |key: &str| {
            let text = format!(
                "title = 'x'\nrole = 'client'\nkind = 'library'\nversion = ['x']\ncommand = ['x']\nshows = 'exit'\n{key}\n[[tool]]\nprogram = 'sh'\npackage = 'dash'\n"
            );
            Manifest::parse("x", &text).unwrap()
        };
        let place = Place {
            folder: "/cell".into(),
            programs: "/p".into(),
            port: 4433,
        };
        let ended = ended(
            Some(1),
            "out\n",
            "1A: error:0A: \u{1b}[31malert\u{1b}[0m at 4433\n  last\u{7} /cell\n\n",
        );
        let text = |key| text(&manifest(key), &ended, &place).unwrap();
        assert_eq!(text(""), "last FOLDER");
        assert_eq!(text("error_from = 'error:'"), "error:0A: alert at PORT");
        assert_eq!(text("error_from = 'absent'"), "last FOLDER");
    }
}

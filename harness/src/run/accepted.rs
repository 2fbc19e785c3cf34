//! Accepted transcripts: `results/snapshots/<scenario>.snap`, a block for each case and distinct transcript,
//! with the pairings that show it.
//!
//! `cargo test` writes and reviews them with insta; a run only reads them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{self, Write};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::event::Drift;
use crate::scenario::CaseId;

/// The accepted transcripts of the scenarios of a run.
#[derive(Debug, Default)]
pub struct Accepted {
    /// By scenario, then by values and pairing.
    scenarios: HashMap<String, HashMap<(String, String), String>>,
    libraries: Libraries,
}

/// By the names of peers, what they said of their libraries when their transcripts were accepted.
pub type Libraries = BTreeMap<String, String>;

/// The file of [`Libraries`], beside the snapshots.
pub const LIBRARIES: &str = "libraries.json";

/// A snapshot that cannot be used.
#[derive(Debug, Error)]
#[error("{path}: {what}")]
pub struct AcceptedError {
    path: PathBuf,
    what: String,
}

impl Accepted {
    /// Reads the snapshots of these scenarios; where there is no file, nothing has been accepted.
    ///
    /// # Errors
    ///
    /// A file that exists and cannot be read, or is not what [`text`] writes.
    pub fn load<'a>(
        folder: &Path,
        scenarios: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, AcceptedError> {
        let path = folder.join(LIBRARIES);
        let libraries = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Libraries::new()),
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        let mut accepted = Self {
            libraries: libraries.map_err(|what| AcceptedError { path, what })?,
            ..Self::default()
        };
        for scenario in scenarios {
            if accepted.scenarios.contains_key(scenario) {
                continue;
            }
            let path = folder.join(format!("{scenario}.snap"));
            let blocks = match fs::read_to_string(&path) {
                Ok(text) => parse(&text),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(HashMap::new()),
                Err(error) => Err(format!("cannot be read: {error}")),
            };
            let blocks = blocks.map_err(|what| AcceptedError { path, what })?;
            accepted.scenarios.insert(scenario.to_owned(), blocks);
        }
        Ok(accepted)
    }

    /// The accepted transcript of a cell.
    #[must_use]
    pub fn get(&self, case: &CaseId, pairing: &str) -> Option<&str> {
        let cells = self.scenarios.get(case.scenario())?;
        let key = (case.values().to_owned(), pairing.to_owned());
        cells.get(&key).map(String::as_str)
    }

    /// What the peers said of their libraries.
    #[must_use]
    pub fn libraries(&self) -> &Libraries {
        &self.libraries
    }

    /// The accepted transcripts of a case, by pairing.
    pub fn of_case(&self, case: &CaseId) -> impl Iterator<Item = (&str, &str)> {
        let cells = self.scenarios.get(case.scenario()).into_iter().flatten();
        let values = case.values().to_owned();
        cells
            .filter(move |((of, _), _)| *of == values)
            .map(|((_, pairing), text)| (pairing.as_str(), text.as_str()))
    }

    /// How a cell's transcript stands to the accepted one.
    #[must_use]
    pub fn drift(&self, case: &CaseId, pairing: &str, transcript: &str) -> Drift {
        match self.get(case, pairing) {
            Some(accepted) if accepted == transcript.trim_end() => Drift::Same,
            Some(_) => Drift::Changed,
            None => Drift::New,
        }
    }
}

/// Where a transcript is not the accepted one for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The number of the line, from 1.
    pub line: usize,
    /// What has been accepted; absent: its end.
    pub accepted: Option<&'a str>,
    /// What is there; absent: its end.
    pub got: Option<&'a str>,
}

/// The first line in which a transcript is not the accepted one.
#[must_use]
pub fn difference<'a>(accepted: &'a str, got: &'a str) -> Option<Difference<'a>> {
    let (mut accepted, mut got) = (accepted.trim_end().lines(), got.trim_end().lines());
    for line in 1.. {
        match (accepted.next(), got.next()) {
            (None, None) => break,
            (accepted, got) if accepted == got => {}
            (accepted, got) => {
                return Some(Difference {
                    line,
                    accepted,
                    got,
                });
            }
        }
    }
    None
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |text: Option<&'_ str>| text.unwrap_or("(its end)").to_owned();
        writeln!(f, "  accepted: {}", end(self.accepted))?;
        write!(f, "  got:      {}", end(self.got))
    }
}

/// What stands in front of a snapshot's text, as insta writes it.
pub const HEAD: &str = "---\nsource: harness/tests/matrix.rs\n---\n";

/// The text of a scenario's snapshot: a block for each case and distinct transcript, the one that most pairings
/// show first. The cells of a case stand together, each a case, a client, a server and a transcript.
#[must_use]
pub fn text<'a>(cells: impl IntoIterator<Item = (&'a CaseId, &'a str, &'a str, String)>) -> String {
    let mut cases: Vec<(&CaseId, BTreeMap<String, Pairs<'a>>)> = Vec::new();
    for (case, client, server, transcript) in cells {
        if cases.last().is_none_or(|(last, _)| *last != case) {
            cases.push((case, BTreeMap::new()));
        }
        if let Some((_, blocks)) = cases.last_mut() {
            let transcript = transcript.trim_end().to_owned();
            blocks
                .entry(transcript)
                .or_default()
                .insert((client, server));
        }
    }
    let mut text = String::new();
    for (case, blocks) in cases {
        let mut blocks: Vec<_> = blocks.into_iter().collect();
        blocks.sort_by_key(|(_, pairs)| (usize::MAX - pairs.len(), pairs.first().copied()));
        // A String takes whatever is written to it.
        let _ = writeln!(text, "# {}", case.values());
        for (transcript, pairs) in blocks {
            let _ = writeln!(text, "## {}\n{transcript}\n", pairings(&pairs));
        }
    }
    text
}

type Pairs<'a> = BTreeSet<(&'a str, &'a str)>;

/// `{a,b}--{c,d}, a--e`: the clients that share their servers together.
fn pairings(pairs: &Pairs<'_>) -> String {
    let mut servers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (client, server) in pairs {
        servers.entry(client).or_default().push(server);
    }
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (client, servers) in servers {
        match groups.iter_mut().find(|(_, others)| *others == servers) {
            Some((clients, _)) => clients.push(client),
            None => groups.push((vec![client], servers)),
        }
    }
    let set = |names: &[&str]| match names {
        [one] => (*one).to_owned(),
        several => format!("{{{}}}", several.join(",")),
    };
    let groups: Vec<_> = groups
        .iter()
        .map(|(clients, servers)| format!("{}--{}", set(clients), set(servers)))
        .collect();
    groups.join(", ")
}

/// What [`text`] wrote, by values and pairing.
fn parse(text: &str) -> Result<HashMap<(String, String), String>, String> {
    // insta puts a head between two lines of `---` in front.
    let head = text
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"));
    let (skipped, body) = match head {
        Some((head, body)) => (head.lines().count() + 2, body),
        None => (0, text),
    };
    let mut cells = HashMap::new();
    let mut case: Option<&str> = None;
    let mut block: Option<(Vec<String>, String)> = None;
    let mut close = |case: Option<&str>, block: Option<(Vec<String>, String)>| {
        let (Some(case), Some((pairings, transcript))) = (case, block) else {
            return;
        };
        for pairing in pairings {
            cells.insert((case.to_owned(), pairing), transcript.trim_end().to_owned());
        }
    };
    for (number, line) in (skipped + 1..).zip(body.lines()) {
        if let Some(pairings) = line.strip_prefix("## ") {
            close(case, block.take());
            let pairings = expand(pairings).ok_or_else(|| {
                format!("line {number}: got {line:?}, expected pairings such as \"## {{a,b}}--c\"")
            })?;
            block = Some((pairings, String::new()));
        } else if let Some(values) = line.strip_prefix("# ") {
            close(case, block.take());
            case = Some(values);
        } else if let (Some(_), Some((_, transcript))) = (case, &mut block) {
            transcript.push_str(line);
            transcript.push('\n');
        } else if !line.is_empty() {
            return Err(format!(
                "line {number}: got {line:?}, expected \"# \" and the values of a case"
            ));
        }
    }
    close(case, block);
    Ok(cells)
}

/// Every pairing that a line of pairings names.
fn expand(text: &str) -> Option<Vec<String>> {
    let mut pairings = Vec::new();
    for group in text.split(", ") {
        let (clients, servers) = group.split_once("--")?;
        let names = |set: &str| -> Option<Vec<String>> {
            let inner = match set.strip_prefix('{') {
                Some(rest) => rest.strip_suffix('}')?,
                None => set,
            };
            let names: Vec<_> = inner.split(',').map(str::to_owned).collect();
            names.iter().all(|name| !name.is_empty()).then_some(names)
        };
        let servers = names(servers)?;
        for client in names(clients)? {
            pairings.extend(servers.iter().map(|server| format!("{client}--{server}")));
        }
    }
    Some(pairings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(values: &str) -> CaseId {
        serde_json::from_value(format!("some/{values}").into()).unwrap()
    }

    fn written() -> String {
        let (absent, present) = (case("set/absent"), case("set/present"));
        let hello = "C  ClientHello\nS  ServerHello\n";
        text([
            (&absent, "a", "a", hello.to_owned()),
            (&absent, "a", "b", hello.to_owned()),
            (&absent, "b", "a", hello.to_owned()),
            (&absent, "b", "b", hello.to_owned()),
            (&absent, "c", "a", "C  ClientHello\n".to_owned()),
            (
                &present,
                "a",
                "a",
                "-- connection 0\nC  ClientHello\n".to_owned(),
            ),
        ])
    }

    fn accepted(text: &str) -> Result<Accepted, AcceptedError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("some.snap"), text).unwrap();
        Accepted::load(folder.path(), ["some"])
    }

    #[test]
    fn transcripts_stand_once_with_the_pairings_that_show_them() {
        let expected = "\
# set/absent
## {a,b}--{a,b}
C  ClientHello
S  ServerHello

## c--a
C  ClientHello

# set/present
## a--a
-- connection 0
C  ClientHello

";
        assert_eq!(written(), expected);
    }

    #[test]
    fn what_was_written_is_the_same_when_read() {
        let head = "---\nsource: harness/tests/matrix.rs\nexpression: text\n---\n";
        for text in [written(), format!("{head}{}", written())] {
            let accepted = accepted(&text).unwrap();
            let hello = "C  ClientHello\nS  ServerHello\n";
            assert_eq!(
                accepted.drift(&case("set/absent"), "b--a", hello),
                Drift::Same
            );
            assert_eq!(
                accepted.drift(&case("set/absent"), "c--a", "C  ClientHello"),
                Drift::Same
            );
            assert_eq!(
                accepted.drift(&case("set/absent"), "c--a", hello),
                Drift::Changed
            );
            assert_eq!(
                accepted.drift(&case("set/absent"), "c--b", hello),
                Drift::New
            );
            assert_eq!(
                accepted.drift(&case("unset/absent"), "a--a", hello),
                Drift::New
            );
        }
    }

    #[test]
    fn a_damaged_snapshot_is_an_error_with_its_line() {
        let damaged = |from, to| {
            let error = accepted(&written().replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            error.split_once("some.snap: ").unwrap().1.to_owned()
        };
        assert_eq!(
            damaged("## {a,b}--{a,b}", "## {a,b--{a,b}"),
            "line 2: got \"## {a,b--{a,b}\", expected pairings such as \"## {a,b}--c\""
        );
        assert_eq!(
            damaged("# set/absent\n## {a,b}--{a,b}\n", ""),
            "line 1: got \"C  ClientHello\", expected \"# \" and the values of a case"
        );
    }

    #[test]
    fn a_file_that_is_not_utf8_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("some.snap"), [0xff]).unwrap();
        let error = Accepted::load(folder.path(), ["some"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn a_difference_is_the_first_line_that_is_another_or_an_end() {
        let found = |accepted: &str, got: &str| {
            let found = difference(accepted, got);
            found.map(|found| format!("{}\n{found}", found.line))
        };
        assert_eq!(found("C  one\nS  two", "C  one\nS  two\n"), None);
        assert_eq!(
            found("C  one\nS  two\nS  3", "C  one\nS  2\nS  three").as_deref(),
            Some("2\n  accepted: S  two\n  got:      S  2")
        );
        assert_eq!(
            found("C  one\n", "C  one\nS  two").as_deref(),
            Some("2\n  accepted: (its end)\n  got:      S  two")
        );
    }

    #[test]
    fn a_missing_file_has_accepted_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let accepted = Accepted::load(folder.path(), ["some"]).unwrap();
        assert_eq!(
            accepted.drift(&case("a"), "a--b", "C  ClientHello"),
            Drift::New
        );
    }
}

//! `result.jsonl`: everything that a run produced but for octets, a line of JSON for each event. One model, by
//! which it is written and read back, and from which its JSON Schema derives.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Reporter;
use super::file::Growing;
use crate::run::{Cell, Ended, Event, Lost, Missing, Peer, Started};

/// Its name.
pub const RESULT: &str = "result.jsonl";

/// The version of the lines; grows when a key changes its meaning or goes, and with new words and kinds of lines. New
/// keys may come without.
pub const SCHEMA: u32 = 4;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// The first: the version of the lines, and what the run is of.
    Run {
        /// The version of the lines.
        #[schemars(extend("const" = SCHEMA))]
        schema: u32,
        /// What the run is of.
        started: Started,
    },
    /// A peer that takes part.
    Peer(Peer),
    /// A peer that is not there.
    Missing(Missing),
    /// A peer that was lost.
    Lost(Lost),
    /// How many cells there are in all, once every peer is up that will be; some may stand before it.
    Cells(usize),
    /// A cell, in the order in which they ended.
    Cell(Box<Cell>),
    /// The last: how the run ended.
    Ended(Ended),
}

/// The JSON Schema of a line. It takes keys that it does not know: they may come within a version.
#[must_use]
pub fn result_schema() -> String {
    let open = RecursiveTransform(|schema: &mut Schema| {
        if schema.get("additionalProperties") == Some(&false.into()) {
            schema.remove("additionalProperties");
        }
    });
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.with_transform(open).into_generator();
    let mut schema = generator.into_root_schema_for::<Line>();
    schema.insert("title".to_owned(), "A line of result.jsonl".into());
    format!("{:#}\n", schema.as_value())
}

/// Writes the lines as the events come.
#[derive(Debug)]
pub struct Lines<W>(pub W);

/// A file of them, at its place once it is whole.
#[derive(Debug)]
pub struct Stored(Option<Lines<Growing>>);

impl Stored {
    /// Writes to the file that will be at `path`.
    ///
    /// # Errors
    ///
    /// What the file system fails with.
    pub fn create(path: &Path) -> io::Result<Self> {
        Growing::create(path, 0o644).map(|file| Self(Some(Lines(file))))
    }
}

impl<W: Write> Reporter for Lines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let line = match event {
            Event::Started(started) => Line::Run {
                schema: SCHEMA,
                started: started.clone(),
            },
            Event::Up(peer) => Line::Peer(peer.clone()),
            Event::Missing(missing) => Line::Missing(missing.clone()),
            Event::Lost(lost) => Line::Lost(lost.clone()),
            Event::Cells { count } => Line::Cells(*count),
            Event::Cell(cell, _) => Line::Cell(cell.clone()),
            Event::Ended(ended) => Line::Ended(ended.clone()),
            Event::Notice(_) | Event::Building { .. } | Event::Interrupted => return Ok(()),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.0.write_all(&text)
    }
}

impl Reporter for Stored {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if let Some(lines) = &mut self.0 {
            lines.event(event)?;
        }
        match event {
            Event::Ended(_) => self.0.take().map_or(Ok(()), |lines| lines.0.finish()),
            _ => Ok(()),
        }
    }
}

/// A stored result that cannot be used.
#[derive(Debug, Error)]
pub enum StoredError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A line is not what a run writes.
    #[error("line {number}: {error}")]
    Line {
        /// The line's number, from 1.
        number: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// The file does not begin as a run's does, or was written by another version.
    #[error("got {got}, expected a result of version {SCHEMA}")]
    Version {
        /// What stands there.
        got: String,
    },
    /// The last line is missing.
    #[error("the result is cut short: its last line is missing")]
    Cut,
    /// Cells are missing, or there are more than it says, though the run was not interrupted.
    #[error("got {got} cells, expected {expected}")]
    Cells {
        /// How many there are.
        got: usize,
        /// How many it says that there are.
        expected: usize,
    },
}

/// The events of a stored run, as they came; without the octets.
///
/// # Errors
///
/// The file cannot be read, or is not what a run writes. Events before that are taken.
pub fn replay(path: &Path, mut take: impl FnMut(Event)) -> Result<(), StoredError> {
    let mut has_begun = false;
    let (mut got, mut expected) = (0, 0);
    for (number, text) in (1..).zip(BufReader::new(File::open(path)?).lines()) {
        let line =
            serde_json::from_str(&text?).map_err(|error| StoredError::Line { number, error })?;
        let event = match line {
            Line::Run { schema, .. } if schema != SCHEMA => {
                let got = format!("version {schema}");
                return Err(StoredError::Version { got });
            }
            Line::Run { started, .. } => Event::Started(started),
            _ if !has_begun => {
                let got = "another first line".to_owned();
                return Err(StoredError::Version { got });
            }
            Line::Peer(peer) => Event::Up(peer),
            Line::Missing(missing) => Event::Missing(missing),
            Line::Lost(lost) => Event::Lost(lost),
            Line::Cells(count) => {
                expected = count;
                Event::Cells { count }
            }
            Line::Cell(cell) => {
                got += 1;
                Event::Cell(cell, Vec::new())
            }
            Line::Ended(ended) if got != expected && !ended.interrupted => {
                return Err(StoredError::Cells { got, expected });
            }
            Line::Ended(ended) => {
                take(Event::Ended(ended));
                return Ok(());
            }
        };
        has_begun = true;
        take(event);
    }
    Err(StoredError::Cut)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqmtls_contract::{Provenance, Revision};

    use super::*;
    use crate::judge::Conformance;
    use crate::run::{Connection, Label, Player, Reason, Timings};

    fn cell() -> Cell {
        let player = |peer: &str| Player {
            peer: peer.to_owned(),
            provenance: Provenance::Glue,
            misbehaves: false,
        };
        Cell {
            case: serde_json::from_value("some/case".into()).unwrap(),
            client: player("a"),
            server: player("b"),
            conformance: Conformance::Failed,
            drift: None,
            accepted: None,
            findings: Vec::new(),
            caught: Vec::new(),
            reason: Some(Reason::Failed(vec!["it broke".to_owned()])),
            connections: vec![Connection {
                label: Label::Flags(vec![0..=7, 9..=9]),
                text: "C  ClientHello\n".to_owned(),
                bypassed: false,
                facts: None,
                rulings: Vec::new(),
                flights_to_proof: None,
                flights: Vec::new(),
                client_report: None,
                server_report: None,
            }],
            repeats: None,
            milliseconds: 7,
        }
    }

    fn events() -> Vec<Event> {
        vec![
            Event::Started(Started {
                time: 1.5,
                extension: 62,
                flag: 80,
                revision: Revision::Draft02,
                sharded: None,
            }),
            Event::Notice("no line".to_owned()),
            Event::Cells { count: 1 },
            Event::Cell(Box::new(cell()), Vec::new()),
            Event::Ended(Ended {
                time: 2.5,
                interrupted: false,
                stale: Vec::new(),
                timings: Timings {
                    cells: Duration::from_millis(9),
                    ..Timings::default()
                },
            }),
        ]
    }

    fn written() -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.jsonl");
        let mut stored = Stored::create(&path).unwrap();
        for event in events() {
            stored.event(&event).unwrap();
        }
        std::fs::read_to_string(path).unwrap()
    }

    fn replayed(text: &str) -> Result<Vec<Event>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.jsonl");
        std::fs::write(&path, text).unwrap();
        let mut events = Vec::new();
        replay(&path, |event| events.push(event)).map_err(|error| error.to_string())?;
        Ok(events)
    }

    #[test]
    fn what_was_written_is_the_same_when_read() {
        let text = written();
        assert_eq!(text.lines().count(), 4);
        let events = replayed(&text).unwrap();
        let cells = events.iter().find_map(|event| match event {
            Event::Cell(cell, traces) if traces.is_empty() => Some(&**cell),
            _ => None,
        });
        assert_eq!(cells, Some(&cell()));
        assert!(matches!(&events[3], Event::Ended(ended) if ended.time > 2.0));
    }

    #[test]
    fn a_result_of_another_version_or_cut_short_or_with_a_gap_is_an_error() {
        let text = written();
        let other = text.replacen("\"schema\":4", "\"schema\":3", 1);
        assert_eq!(
            replayed(&other).unwrap_err(),
            "got version 3, expected a result of version 4"
        );
        let (rest, _) = text.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(
            replayed(rest).unwrap_err(),
            "the result is cut short: its last line is missing"
        );
        let (before, rest) = text.split_once("{\"cell\"").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        let without = format!("{before}{after}");
        assert_eq!(replayed(&without).unwrap_err(), "got 0 cells, expected 1");
        let interrupted = without.replace("\"interrupted\":false", "\"interrupted\":true");
        assert_eq!(replayed(&interrupted).unwrap().len(), 3);
        let (_, rest) = text.split_once('\n').unwrap();
        assert_eq!(
            replayed(rest).unwrap_err(),
            "got another first line, expected a result of version 4"
        );
        let damaged = text.replacen("milliseconds", "minutes", 1);
        assert!(
            replayed(&damaged)
                .unwrap_err()
                .starts_with("line 3: missing field `milliseconds`")
        );
    }

    #[test]
    fn the_schema_beside_the_results_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/result.schema.json");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == result_schema(),
            "not current: reqmtls schema result > results/result.schema.json"
        );
    }

    #[test]
    fn a_key_of_a_later_program_is_taken() {
        let later = written().replace("\"milliseconds\"", "\"later\":1,\"milliseconds\"");
        assert_eq!(replayed(&later).unwrap().len(), events().len() - 1);
    }
}

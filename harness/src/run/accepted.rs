//! Accepted transcripts: `results/snapshots/<scenario>/<client>--<server>.snap`, one block a case.
//!
//! `cargo test` writes and reviews them with insta; a run only reads them.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

/// How a cell's transcript stands to the accepted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// It is the accepted one.
    Same,
    /// It differs.
    Changed,
    /// None has been accepted.
    New,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::New => "new",
        })
    }
}

/// The text of a snapshot: a block for each case, in the scenario's order.
#[must_use]
pub fn text<'a>(cases: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let blocks: Vec<_> = cases
        .into_iter()
        .map(|(case, transcript)| format!("# {case}\n{}\n", transcript.trim_end()))
        .collect();
    blocks.join("\n")
}

/// The accepted transcripts of one scenario on one pairing, by case.
#[derive(Debug, Default)]
pub struct Accepted(HashMap<String, String>);

impl Accepted {
    /// Reads them; where there is no file, nothing has been accepted.
    ///
    /// # Errors
    ///
    /// A file that exists and cannot be read.
    pub fn load(snapshots: &Path, scenario: &str, pairing: &str) -> std::io::Result<Self> {
        match fs::read_to_string(snapshots.join(scenario).join(format!("{pairing}.snap"))) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Self {
        // insta puts a head between two lines of `---` in front.
        let body = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"));
        let body = body.map_or(text, |(_, body)| body);
        let blocks = body
            .split("# ")
            .skip(1)
            .filter_map(|block| block.split_once('\n'));
        Self(
            blocks
                .map(|(case, lines)| (case.to_owned(), lines.trim_end().to_owned()))
                .collect(),
        )
    }

    /// The accepted transcript of a case.
    #[must_use]
    pub fn get(&self, case: &str) -> Option<&str> {
        self.0.get(case).map(String::as_str)
    }

    /// How a case's transcript stands to the accepted one.
    #[must_use]
    pub fn drift(&self, case: &str, transcript: &str) -> Drift {
        match self.0.get(case) {
            Some(accepted) if accepted == transcript.trim_end() => Drift::Same,
            Some(_) => Drift::Changed,
            None => Drift::New,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Accepted {
        let text = text([
            ("set/absent", "C  ClientHello\nS  ServerHello\n"),
            ("set/present", "C  ClientHello\n"),
        ]);
        Accepted::parse(&format!(
            "---\nsource: harness/tests/matrix.rs\nexpression: text\n---\n{text}"
        ))
    }

    #[test]
    fn what_was_written_is_the_same_when_read() {
        assert_eq!(
            accepted().drift("set/absent", "C  ClientHello\nS  ServerHello\n"),
            Drift::Same
        );
        assert_eq!(
            accepted().drift("set/present", "C  ClientHello"),
            Drift::Same
        );
    }

    #[test]
    fn another_transcript_is_changed_and_another_case_new() {
        assert_eq!(
            accepted().drift("set/present", "S  ServerHello"),
            Drift::Changed
        );
        assert_eq!(
            accepted().drift("unset/present", "C  ClientHello"),
            Drift::New
        );
    }

    #[test]
    fn a_missing_file_has_accepted_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let accepted = Accepted::load(folder.path(), "some", "a--b").unwrap();
        assert_eq!(accepted.drift("case", "C  ClientHello"), Drift::New);
    }
}

//! Scenarios: declarative files, read with care and expanded to cases.

mod alert;
mod axis;
mod choice;
mod diagnostic;
mod expand;
mod file;
mod nearest;
mod select;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub use self::{
    alert::{ALERTS, Alert},
    axis::{AXES, Axis, Certificate, Cipher, End, Flag, Groups, Policy, Settings, Versions},
    choice::{Choice, Word},
    diagnostic::{Diagnostic, Diagnostics},
    select::{Selector, SelectorError},
};

/// The file beside the scenarios that is none.
const KNOWN_DEVIATIONS: &str = "known-deviations.toml";

/// One file under `scenarios/`.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its ending.
    pub id: String,
    /// What it shows, in one line.
    pub title: String,
    /// The document that it tests.
    pub document: String,
    /// The axes that it varies, in the order of the file.
    pub axes: Vec<&'static str>,
    /// Every point of its axes.
    pub cases: Vec<Case>,
}

/// One point of a scenario's axes.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's id and the values of its axes, with `/` between.
    pub id: String,
    /// The value of every axis.
    pub settings: Settings,
    /// What the scenario expects.
    pub expected: Expected,
}

/// How a connection is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With answer and orderly close.
    Completed,
    /// With a fatal alert of the server.
    Refused,
}

/// What a scenario expects of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether the server sends CertificateRequest in the main handshake.
    pub certificate_request: bool,
    /// How the connection ends.
    pub outcome: Outcome,
    /// The alerts by which it may end, if it is refused.
    pub alerts: Vec<Alert>,
    /// Whether the server authenticates the client.
    pub authenticated: bool,
    /// The requirements from which that follows.
    pub because: Vec<&'static str>,
}

/// Reads every scenario of a folder, sorted by id.
///
/// # Errors
///
/// Everything that is wrong with any of the files, or that there is none.
pub fn load_dir(folder: &Path) -> Result<Vec<Scenario>, Diagnostics> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Diagnostic::of_file(path, format!("cannot be read: {error}"))
    };
    let mut files = BTreeMap::new();
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "toml") && name != KNOWN_DEVIATIONS {
            files.insert(name, path);
        }
    }
    if files.is_empty() {
        return Err(Diagnostic::of_file(
            folder,
            "no scenario here, expected at least one file NAME.toml",
        )
        .into());
    }
    let mut scenarios = Vec::new();
    let mut diagnostics = Diagnostics::default();
    for path in files.values() {
        let read = fs::read(path).map_err(|error| unreadable(path, error).into());
        let parsed = read.and_then(|octets| {
            let text = String::from_utf8(octets)
                .map_err(|error| Diagnostic::of_file(path, format!("not UTF-8: {error}")))?;
            parse(path, &text)
        });
        match parsed {
            Ok(scenario) => scenarios.push(scenario),
            Err(more) => diagnostics.extend(more),
        }
    }
    if diagnostics.is_empty() {
        Ok(scenarios)
    } else {
        Err(diagnostics)
    }
}

/// Reads one scenario.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse(path: &Path, text: &str) -> Result<Scenario, Diagnostics> {
    let id = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(kebab) {
        let text =
            "got this file name, expected lower-case letters, digits and hyphens before .toml";
        return Err(Diagnostic::of_file(path, text).into());
    }
    let file = file::File::parse(path, text)?;
    expand::expand(&id, path, text, &file)
}

impl Policy {
    /// Whether it asks only the clients that set the flag.
    #[must_use]
    pub fn is_on_flag(self) -> bool {
        matches!(self, Self::RequestOnFlag | Self::RequireOnFlag)
    }
}

#[cfg(test)]
mod tests;

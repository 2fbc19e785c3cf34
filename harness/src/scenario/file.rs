//! One scenario file as its keys and values, each with its place.

use reqmtls_contract::Revision;
use reqmtls_vocabulary::Side;
use toml_edit::{Document, TableLike};

use super::diagnostic::{Diagnostic, Diagnostics, Mistake, Place, Source};
use super::expectation::{Exclude, Expect, Varied};
use super::nearest::nearest;
use super::reader::{At, Entry, Reader, quoted};
use super::{AXES, Axis, Pairings, Value};
use crate::judge::requirement::Document as Paper;

/// Every key of a scenario.
pub(super) const KEYS: [&str; 11] = [
    "title",
    "document",
    "about",
    "revision",
    "misbehaving",
    "pairings",
    "sweep",
    "axes",
    "setup",
    "expect",
    "exclude",
];
/// Those that it must have.
pub(super) const REQUIRED: [&str; 4] = ["title", "document", "axes", "expect"];

const WHAT_IT_NEEDS: &str =
    "a scenario has `title`, `document`, [axes] and at least one [[expect]]";

/// An axis with some of its values.
pub(super) type Choices = (&'static Axis, Vec<&'static Value>);

/// A value that an axis has in every case, and the place of the axis.
pub(super) type Fixed = (At<&'static Axis>, &'static Value);

/// The contents of a file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) about: Option<String>,
    pub(super) document: Paper,
    pub(super) revisions: Vec<Revision>,
    pub(super) misbehaving: Vec<At<Side>>,
    pub(super) pairings: Pairings,
    /// Where it says so, if the client's edit goes through every flag.
    pub(super) sweep: Option<Place>,
    pub(super) axes: At<Vec<At<Choices>>>,
    pub(super) setup: Vec<Fixed>,
    pub(super) expect: Vec<Expect>,
    pub(super) exclude: Vec<Exclude>,
}

impl File {
    /// Reads a file's text.
    pub(super) fn parse(source: Source<'_>) -> Result<Self, Diagnostics> {
        let document = Document::parse(source.text).map_err(|error| {
            let message = format!("not TOML: {}", error.message());
            let place = error.span().unwrap_or(source.text.len()..source.text.len());
            Mistake::new(message, place, "here").in_source(&source)
        })?;
        if document.as_table().is_empty() {
            let message = format!("the file is empty, {WHAT_IT_NEEDS}");
            return Err(Diagnostic::of_file(source.path, message).into());
        }
        let mut reader = Reader {
            source,
            wrong: Diagnostics::default(),
        };
        let file = reader.file(document.as_table());
        file.filter(|_| reader.wrong.is_empty()).ok_or(reader.wrong)
    }
}

impl Reader<'_> {
    fn file(&mut self, table: &dyn TableLike) -> Option<File> {
        self.keys(table, &KEYS);
        self.required_keys(table);
        let entry = |name| Entry::find(table, name);
        let title = entry("title").and_then(|entry| self.text(&entry));
        let about = entry("about").and_then(|entry| self.text(&entry));
        let document = entry("document").and_then(|entry| self.document(&entry));
        let revisions = entry("revision").map(|entry| self.revisions(&entry));
        let misbehaving = entry("misbehaving").map(|entry| self.misbehaving(&entry));
        let pairings = entry("pairings").and_then(|entry| self.pairings(&entry));
        let sweep = entry("sweep").and_then(|entry| self.truth(&entry));
        let before = self.wrong.len();
        let axes = entry("axes").and_then(|entry| self.axes(&entry));
        let setup = entry("setup").map(|entry| self.setup(&entry, axes.as_ref()));
        let setup = setup.unwrap_or_default();
        let varied = Varied {
            axes: axes.as_ref().map_or(&[], |axes| &axes.value),
            setup: &setup,
            whole: axes.is_some() && self.wrong.len() == before,
        };
        let mut expect = Vec::new();
        for At { value, place } in entry("expect").map_or(vec![], |entry| self.tables(&entry)) {
            expect.push(self.expect(value, place, &varied));
        }
        let mut exclude = Vec::new();
        for At { value, place } in entry("exclude").map_or(vec![], |entry| self.tables(&entry)) {
            exclude.extend(self.exclude(value, place, &varied));
        }
        Some(File {
            title: title?.value,
            about: about.map(|at| at.value),
            document: document?,
            revisions: revisions.unwrap_or_else(|| vec![Revision::Draft02]),
            misbehaving: misbehaving.unwrap_or_default(),
            pairings: pairings.unwrap_or(Pairings::Every),
            sweep: sweep.filter(|at| at.value).map(|at| at.place),
            axes: axes?,
            setup,
            expect,
            exclude,
        })
    }

    /// Reports the required keys that are not there. One that is misspelt is not missing too.
    fn required_keys(&mut self, table: &dyn TableLike) {
        let unknown = table.iter().filter(|(key, _)| !KEYS.contains(key));
        let misspelt: Vec<_> = unknown.filter_map(|(key, _)| nearest(key, KEYS)).collect();
        for key in REQUIRED {
            if table.get(key).is_none() && !misspelt.contains(&key) {
                let text = self.source.text;
                let first_line = 0..text.find('\n').unwrap_or(text.len());
                let mistake = Mistake::new(format!("no `{key}`"), first_line, "in this file");
                self.report(mistake.note(WHAT_IT_NEEDS));
            }
        }
    }

    fn document(&mut self, entry: &Entry<'_>) -> Option<Paper> {
        let At { value, place } = self.text(entry)?;
        let found = Paper::ALL.iter().find(|paper| paper.title() == value);
        if found.is_none() {
            let titles: Vec<_> = Paper::ALL.iter().map(|paper| paper.title()).collect();
            self.unknown("document", &value, place, &titles);
        }
        found.copied()
    }

    fn revisions(&mut self, entry: &Entry<'_>) -> Vec<Revision> {
        let texts = self.text_or_texts(entry).unwrap_or_default().into_iter();
        let chosen = texts.filter_map(|text| self.choose("revision", text, Revision::ALL));
        chosen.map(|at| at.value).collect()
    }

    fn misbehaving(&mut self, entry: &Entry<'_>) -> Vec<At<Side>> {
        let texts = self.text_or_texts(entry).unwrap_or_default().into_iter();
        let chosen = texts.filter_map(|text| self.choose("side", text, Side::ALL));
        chosen.collect()
    }

    fn pairings(&mut self, entry: &Entry<'_>) -> Option<Pairings> {
        let text = self.text(entry)?;
        let chosen = self.choose("value of `pairings`:", text, Pairings::ALL)?;
        Some(chosen.value)
    }

    /// `[axes]`
    fn axes(&mut self, entry: &Entry<'_>) -> Option<At<Vec<At<Choices>>>> {
        let table = self.table(entry)?;
        if table.is_empty() {
            let label = "expected at least one axis with its values";
            self.report(Mistake::new("no axes", entry.place(), label));
            return None;
        }
        let mut found = Vec::new();
        for entry in Entry::all(table) {
            let Some(axis) = self.axis(&entry) else {
                continue;
            };
            let texts = self.texts(&entry).map_or(vec![], |at| at.value);
            let values = texts.into_iter().filter_map(|text| self.value(axis, &text));
            found.push(At {
                value: (axis, values.collect()),
                place: entry.key.clone(),
            });
        }
        Some(At {
            value: found,
            place: entry.place(),
        })
    }

    /// `[setup]`
    fn setup(&mut self, entry: &Entry<'_>, varied: Option<&At<Vec<At<Choices>>>>) -> Vec<Fixed> {
        let Some(table) = self.table(entry) else {
            return Vec::new();
        };
        let varied = varied.map_or(&[][..], |axes| &axes.value);
        let mut fixed = Vec::new();
        for entry in Entry::all(table) {
            let Some(axis) = self.axis(&entry) else {
                continue;
            };
            if let Some(varied) = varied.iter().find(|varied| varied.value.0 == axis) {
                let message = format!("`{}` is both fixed and varied", axis.name);
                let mistake = Mistake::new(message, entry.key.clone(), "fixed here");
                self.report(mistake.and(varied.place.clone(), "varied here"));
            }
            let text = self.text(&entry);
            let Some(value) = text.and_then(|text| self.value(axis, &text)) else {
                continue;
            };
            let place = entry.key.clone();
            fixed.push((At { value: axis, place }, value));
        }
        fixed
    }

    /// The axis that a key names.
    pub(super) fn axis(&mut self, entry: &Entry<'_>) -> Option<&'static Axis> {
        let found = Axis::find(entry.name);
        if found.is_none() {
            let names: Vec<_> = AXES.iter().map(|axis| axis.name).collect();
            let dotted = |axis: &&Axis| axis.name.strip_prefix(entry.name)?.strip_prefix('.');
            match AXES.iter().find(|axis| dotted(axis).is_some()) {
                // `client.flag = …` without quotes is a table `client` with a key `flag`.
                Some(axis) if entry.item.is_table_like() => {
                    let message = format!("unknown axis {}", quoted(entry.name));
                    let label = format!("expected the name in quotes: \"{}\"", axis.name);
                    self.report(Mistake::new(message, entry.key.clone(), label));
                }
                _ => self.unknown("axis", entry.name, entry.key.clone(), &names),
            }
        }
        found
    }

    /// The value of an axis that a text names.
    pub(super) fn value(&mut self, axis: &Axis, text: &At<String>) -> Option<&'static Value> {
        let found = axis.value(&text.value);
        if found.is_none() {
            let names: Vec<_> = axis.values.iter().map(|value| value.name).collect();
            let kind = format!("value of `{}`:", axis.name);
            self.unknown(&kind, &text.value, text.place.clone(), &names);
        }
        found
    }
}

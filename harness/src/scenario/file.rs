//! One scenario file as its keys and values, each with its place.

use std::ops::Range;
use std::path::Path;

use toml_edit::{Array, Document, Item, Table, TableLike, Value};

use super::axis::{AXES, Axis};
use super::choice::Word;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::nearest::nearest;
use super::{ALERTS, Alert, Outcome};
use crate::conformance::requirement;

const KEYS: [&str; 5] = ["title", "document", "axes", "setup", "expect"];
const EXPECT_KEYS: [&str; 6] = [
    "when",
    "certificate_request",
    "outcome",
    "alert",
    "authenticated",
    "because",
];

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Range<usize>,
}

/// An axis with some of its values.
pub(super) type Choices = (&'static Axis, Vec<&'static Word>);

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) document: String,
    pub(super) axes: Vec<Choices>,
    pub(super) setup: Vec<Choices>,
    pub(super) expect: Vec<Expect>,
}

/// One `[[expect]]`.
#[derive(Debug)]
pub(super) struct Expect {
    pub(super) place: Range<usize>,
    pub(super) when: Vec<Choices>,
    pub(super) certificate_request: Option<At<bool>>,
    pub(super) outcome: Option<At<Outcome>>,
    pub(super) alerts: Option<At<Vec<Alert>>>,
    pub(super) authenticated: Option<At<bool>>,
    pub(super) because: Vec<&'static str>,
}

impl File {
    /// Reads a file's text.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Diagnostics> {
        let mut reader = Reader {
            path,
            text,
            diagnostics: Diagnostics::default(),
        };
        let file = match Document::parse(text) {
            Ok(document) => reader.file(document.as_table()),
            Err(error) => {
                let place = error.span().unwrap_or(0..0);
                reader.wrong(error.message(), place, "not TOML");
                Self::default()
            }
        };
        if reader.diagnostics.is_empty() {
            Ok(file)
        } else {
            Err(reader.diagnostics)
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    diagnostics: Diagnostics,
}

impl Reader<'_> {
    fn wrong(&mut self, message: &str, place: Range<usize>, label: &str) {
        self.diagnostics.push(Diagnostic::at(
            self.path, self.text, message, place, label, None,
        ));
    }

    /// About a word that is none of those that may stand there.
    fn unknown(&mut self, kind: &str, word: &str, place: Range<usize>, valid: &[&str]) {
        let label = match nearest(word, valid.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {}", valid.join(", ")),
        };
        self.wrong(&format!("unknown {kind} `{word}`"), place, &label);
    }

    fn wrong_type(&mut self, name: &str, got: &Item, expected: &str) {
        let place = got.span().unwrap_or(0..0);
        let message = format!("`{name}`: got {}, expected {expected}", got.type_name());
        self.wrong(&message, place, "of the wrong type");
    }

    fn file(&mut self, table: &Table) -> File {
        let mut file = File::default();
        self.check_keys(table, &KEYS);
        let whole = 0..self.text.find('\n').unwrap_or(self.text.len());
        for key in ["title", "document", "axes", "expect"] {
            if !table.contains_key(key) {
                let label = "expected title, document, [axes] and at least one [[expect]]";
                self.wrong(
                    &format!("no `{key}` in this scenario"),
                    whole.clone(),
                    label,
                );
            }
        }
        if let Some(item) = table.get("title") {
            file.title = self
                .text_of("title", item)
                .map(|at| at.value)
                .unwrap_or_default();
        }
        if let Some(item) = table.get("document")
            && let Some(At { value, place }) = self.text_of("document", item)
        {
            let titles: Vec<_> = requirement::Document::ALL
                .iter()
                .map(|document| document.title())
                .collect();
            if !titles.contains(&value.as_str()) {
                self.unknown("document", &value, place, &titles);
            }
            file.document = value;
        }
        if let Some(item) = table.get("axes") {
            file.axes = self.choices("axes", item, &AXES.iter().collect::<Vec<_>>());
            for (axis, values) in &file.axes {
                let twice = values
                    .iter()
                    .enumerate()
                    .find(|(index, value)| values[..*index].contains(value));
                if let Some((_, value)) = twice {
                    let place = item
                        .as_table()
                        .and_then(|table| table.get(axis.name)?.span());
                    let message = format!(
                        "`{}` of axis `{}` stands there twice",
                        value.name, axis.name
                    );
                    self.wrong(&message, place.unwrap_or(0..0), "expected each value once");
                }
            }
        }
        if let Some(item) = table.get("setup") {
            let free = AXES
                .iter()
                .filter(|axis| !file.axes.iter().any(|(used, _)| used.name == axis.name));
            file.setup = self.choices("setup", item, &free.collect::<Vec<_>>());
        }
        match table.get("expect") {
            Some(Item::ArrayOfTables(tables)) => {
                let axes: Vec<_> = file.axes.iter().map(|(axis, _)| *axis).collect();
                file.expect = tables
                    .iter()
                    .map(|table| self.expect(table, &axes))
                    .collect();
            }
            Some(other) => self.wrong_type("expect", other, "[[expect]] tables"),
            None => {}
        }
        file
    }

    fn check_keys(&mut self, table: &dyn TableLike, valid: &[&str]) {
        for (name, item) in table.iter() {
            if !valid.contains(&name) {
                let place = table
                    .key(name)
                    .and_then(toml_edit::Key::span)
                    .or(item.span());
                self.unknown("key", name, place.unwrap_or(0..0), valid);
            }
        }
    }

    /// A table of axes, each with one value or a list.
    fn choices(&mut self, name: &str, item: &Item, axes: &[&'static Axis]) -> Vec<Choices> {
        let Some(table) = item.as_table_like() else {
            self.wrong_type(name, item, "a table of axes");
            return Vec::new();
        };
        let names: Vec<_> = axes.iter().map(|axis| axis.name).collect();
        self.check_keys(table, &names);
        let mut chosen = Vec::new();
        for (name, item) in table.iter() {
            let Some(found) = axes.iter().find(|axis| axis.name == name) else {
                continue;
            };
            let texts = match item {
                Item::Value(Value::String(_)) => self.text_of(name, item).into_iter().collect(),
                Item::Value(Value::Array(array)) => self.texts_of(name, array),
                other => {
                    self.wrong_type(name, other, "a value or a list of values");
                    continue;
                }
            };
            if texts.is_empty() {
                self.wrong(
                    &format!("`{name}` has no values"),
                    item.span().unwrap_or(0..0),
                    "expected at least one",
                );
            }
            let valid: Vec<_> = found.values.iter().map(|value| value.name).collect();
            let mut values = Vec::new();
            for At { value, place } in texts {
                match found.value(&value) {
                    Some(word) => values.push(word),
                    None => self.unknown(&format!("value of `{name}`:"), &value, place, &valid),
                }
            }
            chosen.push((*found, values));
        }
        chosen
    }

    fn expect(&mut self, table: &Table, axes: &[&'static Axis]) -> Expect {
        self.check_keys(table, &EXPECT_KEYS);
        let place = table.span().unwrap_or(0..0);
        let when = table
            .get("when")
            .map(|item| self.choices("when", item, axes));
        let mut expect = Expect {
            place: place.clone(),
            when: when.unwrap_or_default(),
            certificate_request: table
                .get("certificate_request")
                .and_then(|item| self.bool_of("certificate_request", item)),
            outcome: table.get("outcome").and_then(|item| self.outcome(item)),
            alerts: table.get("alert").and_then(|item| self.alerts(item)),
            authenticated: table
                .get("authenticated")
                .and_then(|item| self.bool_of("authenticated", item)),
            because: Vec::new(),
        };
        if let (
            Some(At {
                value: Outcome::Completed,
                ..
            }),
            Some(alerts),
        ) = (&expect.outcome, &expect.alerts)
        {
            let label = "a completed connection has no alert";
            self.wrong(
                "`alert` beside `outcome = \"completed\"`",
                alerts.place.clone(),
                label,
            );
        }
        if let (
            Some(At {
                value: Outcome::Refused,
                place,
            }),
            None,
        ) = (&expect.outcome, &expect.alerts)
        {
            self.wrong(
                "`outcome = \"refused\"` without `alert`",
                place.clone(),
                "expected the alerts that may end it",
            );
        }
        match table.get("because") {
            Some(Item::Value(Value::Array(array))) if !array.is_empty() => {
                for At { value, place } in self.texts_of("because", array) {
                    if let Some(found) = requirement::find(&value) {
                        expect.because.push(found.id);
                        continue;
                    }
                    let label = requirement::nearest(&value).map_or_else(
                        || "expected an id such as RM-3".to_owned(),
                        |near| format!("did you mean `{}`?", near.id),
                    );
                    self.wrong(&format!("unknown requirement `{value}`"), place, &label);
                }
            }
            Some(other) => self.wrong_type(
                "because",
                other,
                "a list of requirement ids that is not empty",
            ),
            None => self.wrong(
                "no `because` in this expectation",
                place,
                "expected the requirement ids that it follows from",
            ),
        }
        expect
    }

    fn outcome(&mut self, item: &Item) -> Option<At<Outcome>> {
        let At { value, place } = self.text_of("outcome", item)?;
        let value = match value.as_str() {
            "completed" => Outcome::Completed,
            "refused" => Outcome::Refused,
            other => {
                self.unknown("outcome", other, place, &["completed", "refused"]);
                return None;
            }
        };
        Some(At { value, place })
    }

    fn alerts(&mut self, item: &Item) -> Option<At<Vec<Alert>>> {
        let Item::Value(Value::Array(array)) = item else {
            self.wrong_type("alert", item, "a list of alert names");
            return None;
        };
        let names: Vec<_> = ALERTS.iter().map(|alert| alert.name).collect();
        let mut alerts = Vec::new();
        for At { value, place } in self.texts_of("alert", array) {
            match Alert::find(&value) {
                Some(alert) => alerts.push(alert),
                None => self.unknown("alert", &value, place, &names),
            }
        }
        Some(At {
            value: alerts,
            place: array.span().unwrap_or(0..0),
        })
    }

    fn text_of(&mut self, name: &str, item: &Item) -> Option<At<String>> {
        if let Some(text) = item.as_str() {
            return Some(At {
                value: text.to_owned(),
                place: item.span().unwrap_or(0..0),
            });
        }
        self.wrong_type(name, item, "a string");
        None
    }

    fn bool_of(&mut self, name: &str, item: &Item) -> Option<At<bool>> {
        if let Some(value) = item.as_bool() {
            return Some(At {
                value,
                place: item.span().unwrap_or(0..0),
            });
        }
        self.wrong_type(name, item, "true or false");
        None
    }

    fn texts_of(&mut self, name: &str, array: &Array) -> Vec<At<String>> {
        let mut texts = Vec::new();
        for value in array {
            match value.as_str() {
                Some(text) => texts.push(At {
                    value: text.to_owned(),
                    place: value.span().unwrap_or(0..0),
                }),
                None => self.wrong_type(name, &Item::Value(value.clone()), "strings"),
            }
        }
        texts
    }
}

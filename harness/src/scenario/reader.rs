//! Typed reading of TOML tables, with a diagnostic for a value of another type.

use std::fmt::Display;

use toml_edit::{Item, Key, TableLike, Value};

use super::diagnostic::{Diagnostics, Mistake, Place, Source};
use super::nearest::nearest;

/// A list of words longer than this is shown only where no word of it is near.
const LONG: usize = 12;

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// One `key = value`, or one table under its header.
#[derive(Clone, Debug)]
pub(super) struct Entry<'d> {
    pub(super) name: &'d str,
    /// Where the key stands.
    pub(super) key: Place,
    pub(super) item: &'d Item,
}

impl<'d> Entry<'d> {
    /// Every entry of a table, in the order of the file.
    pub(super) fn all(table: &'d dyn TableLike) -> Vec<Self> {
        let entry = |(name, item): (&'d str, &'d Item)| {
            let key = table.key(name).and_then(Key::span).or(item.span());
            let key = key.unwrap_or_default();
            Self { name, key, item }
        };
        table.iter().map(entry).collect()
    }

    /// The entry of that name.
    pub(super) fn find(table: &'d dyn TableLike, name: &str) -> Option<Self> {
        Self::all(table)
            .into_iter()
            .find(|entry| entry.name == name)
    }

    /// Where the value stands.
    pub(super) fn place(&self) -> Place {
        self.item.span().unwrap_or_else(|| self.key.clone())
    }
}

/// Reads one file and collects what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    pub(super) wrong: Diagnostics,
}

impl Reader<'_> {
    pub(super) fn report(&mut self, mistake: Mistake) {
        self.wrong.push(mistake.in_source(&self.source));
    }

    /// Reports a word that is none of those that may stand there.
    pub(super) fn unknown(&mut self, kind: &str, word: &str, place: Place, valid: &[&str]) {
        let near = nearest(word, valid.iter().copied());
        let label = near.map_or_else(
            || format!("not a known {}", kind.trim_end_matches(':')),
            |near| format!("did you mean `{near}`?"),
        );
        let mistake = Mistake::new(format!("unknown {kind} {}", quoted(word)), place, label);
        let list = one_of(valid);
        let hide = near.is_some() && valid.len() > LONG;
        self.report(if hide { mistake } else { mistake.note(list) });
    }

    /// One of these words.
    pub(super) fn choose<T: Copy + Display>(
        &mut self,
        kind: &str,
        text: At<String>,
        words: &[T],
    ) -> Option<At<T>> {
        let At { value, place } = text;
        let names: Vec<_> = words.iter().map(ToString::to_string).collect();
        if let Some(index) = names.iter().position(|name| *name == value) {
            let value = words[index];
            return Some(At { value, place });
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        self.unknown(kind, &value, place, &names);
        None
    }

    /// Reports the keys of a table that are none of those that it may have.
    pub(super) fn keys(&mut self, table: &dyn TableLike, valid: &[&str]) {
        for entry in Entry::all(table) {
            if !valid.contains(&entry.name) {
                self.unknown("key", entry.name, entry.key, valid);
            }
        }
    }

    /// A string that is not blank.
    pub(super) fn text(&mut self, entry: &Entry<'_>) -> Option<At<String>> {
        let place = entry.place();
        let Some(text) = entry.item.as_str() else {
            self.wrong_type(entry.name, entry.item.type_name(), "a string", place);
            return None;
        };
        if text.trim().is_empty() {
            let message = format!("`{}` is empty", entry.name);
            self.report(Mistake::new(message, place, "expected some text"));
            return None;
        }
        Some(At {
            value: text.to_owned(),
            place,
        })
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, entry: &Entry<'_>) -> Option<At<bool>> {
        let place = entry.place();
        let truth = entry.item.as_bool();
        if truth.is_none() {
            let got = entry.item.type_name();
            self.wrong_type(entry.name, got, "true or false", place.clone());
        }
        truth.map(|value| At { value, place })
    }

    /// `true`, `false`, or one of these words.
    pub(super) fn truth_or_word<T: Copy>(
        &mut self,
        entry: &Entry<'_>,
        truth: fn(bool) -> T,
        words: &[(&str, T)],
    ) -> Option<At<T>> {
        let place = entry.place();
        let text = entry.item.as_str();
        let word = words.iter().find(|(word, _)| text == Some(*word));
        let value = word.map(|(_, value)| *value);
        let value = value.or_else(|| entry.item.as_bool().map(truth));
        if let Some(value) = value {
            return Some(At { value, place });
        }
        let mut expected = "true, false".to_owned();
        for (index, (word, _)) in (1..).zip(words) {
            let before = if index == words.len() { " or" } else { "," };
            expected.extend([before, " \"", word, "\""]);
        }
        if let Some(text) = text {
            let message = format!("unknown value of `{}`: {}", entry.name, quoted(text));
            let label = format!("expected {expected}");
            self.report(Mistake::new(message, place, label));
        } else {
            self.wrong_type(entry.name, entry.item.type_name(), &expected, place);
        }
        None
    }

    /// A list of strings that has at least one and none twice.
    pub(super) fn texts(&mut self, entry: &Entry<'_>) -> Option<At<Vec<At<String>>>> {
        let place = entry.place();
        let Some(array) = entry.item.as_array() else {
            self.wrong_type(
                entry.name,
                entry.item.type_name(),
                "a list of strings",
                place,
            );
            return None;
        };
        if array.is_empty() {
            let message = format!("`{}` is an empty list", entry.name);
            self.report(Mistake::new(message, place, "expected at least one string"));
            return None;
        }
        let mut texts: Vec<At<String>> = Vec::new();
        for (index, value) in array.iter().enumerate() {
            let place = value.span().unwrap_or_else(|| place.clone());
            let Some(text) = value.as_str() else {
                let name = format!("{}[{index}]", entry.name);
                self.wrong_type(&name, value.type_name(), "a string", place);
                return None;
            };
            if let Some(first) = texts.iter().find(|before| before.value == text) {
                let message = format!("{} occurs twice in `{}`", quoted(text), entry.name);
                let mistake = Mistake::new(message, place, "expected each once");
                self.report(mistake.and(first.place.clone(), "first here"));
            } else {
                let value = text.to_owned();
                texts.push(At { value, place });
            }
        }
        Some(At {
            value: texts,
            place,
        })
    }

    /// One string, or a list as [`Self::texts`] reads it.
    pub(super) fn text_or_texts(&mut self, entry: &Entry<'_>) -> Option<Vec<At<String>>> {
        match entry.item {
            Item::Value(Value::Array(_)) => Some(self.texts(entry)?.value),
            Item::Value(Value::String(_)) => Some(vec![self.text(entry)?]),
            other => {
                let expected = "a string or a list of strings";
                self.wrong_type(entry.name, other.type_name(), expected, entry.place());
                None
            }
        }
    }

    /// A table under its header or in braces.
    pub(super) fn table<'d>(&mut self, entry: &Entry<'d>) -> Option<&'d dyn TableLike> {
        let table = entry.item.as_table_like();
        if table.is_none() {
            let got = entry.item.type_name();
            self.wrong_type(entry.name, got, "a table", entry.place());
        }
        table
    }

    /// Tables under headers in double brackets, or a list of tables in braces; at least one.
    pub(super) fn tables<'d>(&mut self, entry: &Entry<'d>) -> Vec<At<&'d dyn TableLike>> {
        let at = |table: &'d dyn TableLike, place: Option<Place>| At {
            value: table,
            place: place.unwrap_or_else(|| entry.key.clone()),
        };
        let expected = format!("[[{}]] tables", entry.name);
        match entry.item {
            Item::ArrayOfTables(tables) => {
                let tables = tables.iter();
                tables.map(|table| at(table, table.span())).collect()
            }
            Item::Value(Value::Array(array)) if !array.is_empty() => {
                let mut tables = Vec::new();
                for value in array {
                    let place = value.span().unwrap_or_else(|| entry.place());
                    match value.as_inline_table() {
                        Some(table) => tables.push(at(table, Some(place))),
                        None => self.wrong_type(entry.name, value.type_name(), &expected, place),
                    }
                }
                tables
            }
            Item::Value(Value::Array(_)) => {
                let message = format!("`{}` is an empty list", entry.name);
                let label = format!("expected {expected}");
                self.report(Mistake::new(message, entry.place(), label));
                Vec::new()
            }
            other => {
                self.wrong_type(entry.name, other.type_name(), &expected, entry.place());
                Vec::new()
            }
        }
    }

    fn wrong_type(&mut self, name: &str, got: &str, expected: &str, place: Place) {
        let label = format!("expected {expected}");
        self.report(Mistake::new(
            format!("`{name}`: got {}, expected {expected}", with_article(got)),
            place,
            label,
        ));
    }
}

/// A word of the file, on one line and not too long for it.
pub(super) fn quoted(word: &str) -> String {
    const MOST: usize = 60;
    let cut = word.chars().count() > MOST;
    let start: String = word.chars().take(MOST).collect();
    let end = if cut { "…" } else { "" };
    format!("`{}{end}`", start.escape_debug())
}

/// ``expected one of `this`, `that` ``
pub(super) fn one_of(valid: &[&str]) -> String {
    let valid: Vec<_> = valid.iter().map(|word| format!("`{word}`")).collect();
    format!("expected one of {}", valid.join(", "))
}

/// The name of a TOML type in a sentence.
fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {type_name}")
}

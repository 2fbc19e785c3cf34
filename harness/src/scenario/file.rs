//! One scenario file as its keys and values, each with its place.

use reqmtls_contract::{Outcome, Revision};
use reqmtls_vocabulary::{AlertDescription, Side};
use std::str::FromStr;

use toml_edit::{Document, TableLike};

use super::diagnostic::{Diagnostic, Diagnostics, Mistake, Place, Source};
use super::nearest::nearest;
use super::reader::{At, Entry, Reader, one_of, quoted};
use super::{AXES, Axis, Pairings, Value};
use crate::judge::Requested;
use crate::judge::requirement::{self, Document as Paper, Id};

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
/// What an expectation says of its cases.
pub(super) const FIELDS: [&str; 7] = [
    "certificate_request",
    "outcome",
    "alert",
    "refused_by",
    "authenticated",
    "resumed",
    "violates",
];
/// Every key of an `[[expect]]`.
pub(super) const EXPECT_KEYS: [&str; 10] = [
    "when",
    "certificate_request",
    "outcome",
    "alert",
    "refused_by",
    "authenticated",
    "resumed",
    "violates",
    "because",
    "note",
];
/// Every key of an `[[exclude]]`.
pub(super) const EXCLUDE_KEYS: [&str; 2] = ["when", "reason"];

/// How a connection may be expected to end.
pub(super) const OUTCOMES: [Outcome; 2] = [Outcome::Completed, Outcome::Refused];

const WHAT_IT_NEEDS: &str =
    "a scenario has `title`, `document`, [axes] and at least one [[expect]]";

/// A closed set of words, by name.
trait Words: FromStr + 'static {
    fn names() -> Vec<&'static str>;
}

macro_rules! words {
    ($($type:ty)+) => { $(
        impl Words for $type {
            fn names() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.as_str()).collect()
            }
        }
    )+ };
}

words!(Pairings Requested Revision Side);

/// An axis with some of its values.
pub(super) type Choices = (&'static Axis, Vec<&'static Value>);

/// What a file says.
#[derive(Debug)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) about: Option<String>,
    pub(super) document: Paper,
    pub(super) revisions: Vec<Revision>,
    pub(super) misbehaving: Vec<At<Side>>,
    pub(super) pairings: Pairings,
    /// Whether the client's edit goes through every flag.
    pub(super) sweep: bool,
    pub(super) axes: At<Vec<Choices>>,
    pub(super) setup: Vec<(&'static Axis, &'static Value)>,
    pub(super) expect: Vec<Expect>,
    pub(super) exclude: Vec<Exclude>,
}

/// One `[[expect]]`.
#[derive(Debug)]
pub(super) struct Expect {
    pub(super) place: Place,
    pub(super) when: Vec<Choices>,
    pub(super) certificate_request: Option<At<Requested>>,
    pub(super) outcomes: Option<At<Vec<Outcome>>>,
    pub(super) alerts: Option<At<Vec<AlertDescription>>>,
    pub(super) refused_by: Option<At<Side>>,
    /// `None` inside: either.
    pub(super) authenticated: Option<At<Option<bool>>>,
    pub(super) resumed: Option<At<bool>>,
    pub(super) violates: Vec<Id>,
    pub(super) because: Vec<Id>,
    pub(super) note: Option<String>,
}

/// One `[[exclude]]`.
#[derive(Debug)]
pub(super) struct Exclude {
    pub(super) place: Place,
    pub(super) when: Vec<Choices>,
    pub(super) reason: String,
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

/// What the conditions of a file may name.
struct Varied<'a> {
    axes: &'a [Choices],
    setup: &'a [(&'static Axis, &'static Value)],
    /// Whether `[axes]` could be read whole; if not, what it lacks is no news.
    whole: bool,
}

impl Reader<'_> {
    fn file(&mut self, table: &dyn TableLike) -> Option<File> {
        self.keys(table, &KEYS);
        // A key that is misspelt is not missing too.
        let misspelt: Vec<_> = table
            .iter()
            .filter(|(key, _)| !KEYS.contains(key))
            .filter_map(|(key, _)| nearest(key, KEYS))
            .collect();
        for key in REQUIRED {
            if table.get(key).is_none() && !misspelt.contains(&key) {
                let first = 0..self
                    .source
                    .text
                    .find('\n')
                    .unwrap_or(self.source.text.len());
                let mistake = Mistake::new(format!("no `{key}`"), first, "in this file");
                self.tell(mistake.note(WHAT_IT_NEEDS));
            }
        }
        let entry = |name| Entry::find(table, name);
        let title = entry("title").and_then(|entry| self.text(&entry));
        let about = entry("about").and_then(|entry| self.text(&entry));
        let document = entry("document").and_then(|entry| self.document(&entry));
        let revisions = entry("revision").map(|entry| self.revisions(&entry));
        let misbehaving = entry("misbehaving").and_then(|entry| self.text_or_texts(&entry));
        let misbehaving = misbehaving.unwrap_or_default().into_iter();
        let misbehaving = misbehaving.filter_map(|text| self.choose("side", text));
        let misbehaving = misbehaving.collect();
        let pairings = entry("pairings").and_then(|entry| self.text(&entry));
        let pairings = pairings.and_then(|text| self.choose("value of `pairings`:", text));
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
            misbehaving,
            pairings: pairings.map_or(Pairings::Every, |at| at.value),
            sweep: sweep.is_some_and(|at| at.value),
            axes: axes?,
            setup,
            expect,
            exclude,
        })
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
        let chosen = texts.filter_map(|text| self.choose("revision", text));
        chosen.map(|at| at.value).collect()
    }

    /// One of a closed set of words.
    fn choose<T: Words>(&mut self, kind: &str, text: At<String>) -> Option<At<T>> {
        let At { value, place } = text;
        if let Ok(value) = value.parse() {
            return Some(At { value, place });
        }
        self.unknown(kind, &value, place, &T::names());
        None
    }

    /// `[axes]`
    fn axes(&mut self, entry: &Entry<'_>) -> Option<At<Vec<Choices>>> {
        let table = self.table(entry)?;
        if table.is_empty() {
            let label = "expected at least one axis with its values";
            self.tell(Mistake::new("no axes", entry.place(), label));
            return None;
        }
        let mut found = Vec::new();
        for entry in Entry::all(table) {
            let Some(axis) = self.axis(&entry) else {
                continue;
            };
            let texts = self.texts(&entry).map_or(vec![], |at| at.value);
            let values = texts.into_iter().filter_map(|text| self.value(axis, &text));
            found.push((axis, values.collect()));
        }
        Some(At {
            value: found,
            place: entry.place(),
        })
    }

    /// `[setup]`
    fn setup(
        &mut self,
        entry: &Entry<'_>,
        varied: Option<&At<Vec<Choices>>>,
    ) -> Vec<(&'static Axis, &'static Value)> {
        let Some(table) = self.table(entry) else {
            return Vec::new();
        };
        let mut fixed = Vec::new();
        for entry in Entry::all(table) {
            let Some(axis) = self.axis(&entry) else {
                continue;
            };
            if let Some(varied) = varied
                && varied.value.iter().any(|(other, _)| *other == axis)
            {
                let message = format!("`{}` is both fixed and varied", axis.name);
                let mistake = Mistake::new(message, entry.key.clone(), "fixed here");
                self.tell(mistake.and(varied.place.clone(), "varied here"));
            }
            let text = self.text(&entry);
            fixed.extend(text.and_then(|text| Some((axis, self.value(axis, &text)?))));
        }
        fixed
    }

    /// The axis that a key names.
    fn axis(&mut self, entry: &Entry<'_>) -> Option<&'static Axis> {
        let found = Axis::find(entry.name);
        if found.is_none() {
            let names: Vec<_> = AXES.iter().map(|axis| axis.name).collect();
            let dotted = |axis: &&Axis| axis.name.strip_prefix(entry.name)?.strip_prefix('.');
            match AXES.iter().find(|axis| dotted(axis).is_some()) {
                // `client.flag = …` without quotes is a table `client` with a key `flag`.
                Some(axis) if entry.item.is_table_like() => {
                    let message = format!("unknown axis {}", quoted(entry.name));
                    let label = format!("expected the name in quotes: \"{}\"", axis.name);
                    self.tell(Mistake::new(message, entry.key.clone(), label));
                }
                _ => self.unknown("axis", entry.name, entry.key.clone(), &names),
            }
        }
        found
    }

    fn value(&mut self, axis: &Axis, text: &At<String>) -> Option<&'static Value> {
        let found = axis.value(&text.value);
        if found.is_none() {
            let names: Vec<_> = axis.values.iter().map(|value| value.name).collect();
            let kind = format!("value of `{}`:", axis.name);
            self.unknown(&kind, &text.value, text.place.clone(), &names);
        }
        found
    }

    /// Axes of this file, each with the values that meet the condition.
    fn when(&mut self, entry: &Entry<'_>, varied: &Varied<'_>) -> Vec<Choices> {
        let Some(table) = self.table(entry) else {
            return Vec::new();
        };
        let mut when = Vec::new();
        for entry in Entry::all(table) {
            let Some(axis) = self.axis(&entry) else {
                continue;
            };
            let here = varied.axes.iter().find(|(other, _)| *other == axis);
            if here.is_none() && varied.whole {
                let fixed = varied.setup.iter().any(|(other, _)| *other == axis);
                let label = if fixed {
                    "fixed by [setup]"
                } else {
                    "not among [axes]"
                };
                let names: Vec<_> = varied.axes.iter().map(|(axis, _)| axis.name).collect();
                let message = format!("`{}` is not varied in this file", axis.name);
                let mistake = Mistake::new(message, entry.key.clone(), label);
                self.tell(mistake.note(one_of(&names)));
            }
            let mut values = Vec::new();
            for text in self.text_or_texts(&entry).unwrap_or_default() {
                let Some(value) = self.value(axis, &text) else {
                    continue;
                };
                if let Some((_, here)) = here
                    && varied.whole
                    && !here.contains(&value)
                {
                    let names: Vec<_> = here.iter().map(|value| value.name).collect();
                    let message = format!("no case has `{}` = `{}`", axis.name, value.name);
                    let label = "not among its values in [axes]";
                    let mistake = Mistake::new(message, text.place, label);
                    self.tell(mistake.note(one_of(&names)));
                }
                values.push(value);
            }
            when.push((axis, values));
        }
        when
    }

    fn expect(&mut self, table: &dyn TableLike, place: Place, varied: &Varied<'_>) -> Expect {
        self.keys(table, &EXPECT_KEYS);
        let entry = |name| Entry::find(table, name);
        if !FIELDS.iter().any(|field| table.get(field).is_some()) {
            let mistake = Mistake::new("an expectation of nothing", place.clone(), "this one");
            self.tell(mistake.note(one_of(&FIELDS)));
        }
        let refused_by = entry("refused_by").and_then(|entry| self.text(&entry));
        Expect {
            when: entry("when").map_or(vec![], |entry| self.when(&entry, varied)),
            certificate_request: entry("certificate_request").and_then(|e| self.requested(&e)),
            outcomes: entry("outcome").and_then(|entry| self.outcomes(&entry)),
            alerts: entry("alert").and_then(|entry| self.alerts(&entry)),
            refused_by: refused_by.and_then(|text| self.choose("side", text)),
            authenticated: entry("authenticated").and_then(|entry| self.truth_or_any(&entry)),
            resumed: entry("resumed").and_then(|entry| self.truth(&entry)),
            violates: entry("violates").map_or(vec![], |entry| self.requirements(&entry)),
            because: self.because(entry("because").as_ref(), &place),
            note: entry("note").and_then(|entry| Some(self.text(&entry)?.value)),
            place,
        }
    }

    /// `true`, `false`, or one of the words.
    fn requested(&mut self, entry: &Entry<'_>) -> Option<At<Requested>> {
        if entry.item.is_str() {
            let text = self.text(entry)?;
            return self.choose("value of `certificate_request`:", text);
        }
        let At { value, place } = self.truth(entry)?;
        let value = if value { Requested::Yes } else { Requested::No };
        Some(At { value, place })
    }

    /// `true`, `false`, or `"any"`.
    fn truth_or_any(&mut self, entry: &Entry<'_>) -> Option<At<Option<bool>>> {
        if entry.item.as_str() == Some("any") {
            let place = entry.place();
            return Some(At { value: None, place });
        }
        let At { value, place } = self.truth(entry)?;
        let value = Some(value);
        Some(At { value, place })
    }

    fn outcomes(&mut self, entry: &Entry<'_>) -> Option<At<Vec<Outcome>>> {
        let mut value = Vec::new();
        for text in self.text_or_texts(entry)? {
            if let Some(outcome) = OUTCOMES
                .iter()
                .find(|outcome| outcome.as_str() == text.value)
            {
                value.push(*outcome);
            } else {
                let names = OUTCOMES.map(Outcome::as_str);
                self.unknown("outcome", &text.value, text.place, &names);
            }
        }
        value.sort_unstable();
        Some(At {
            value,
            place: entry.place(),
        })
    }

    fn alerts(&mut self, entry: &Entry<'_>) -> Option<At<Vec<AlertDescription>>> {
        let At { value, place } = self.texts(entry)?;
        let mut alerts = Vec::new();
        for text in value {
            if let Some(alert) = AlertDescription::find(&text.value) {
                alerts.push(alert);
            } else {
                let known = AlertDescription::KNOWN.iter();
                let names: Vec<_> = known.filter_map(|alert| alert.name()).collect();
                self.unknown("alert", &text.value, text.place, &names);
            }
        }
        // Which alert comes first means nothing, and equal expectations may differ in it.
        alerts.sort_unstable();
        Some(At {
            value: alerts,
            place,
        })
    }

    fn because(&mut self, entry: Option<&Entry<'_>>, place: &Place) -> Vec<Id> {
        let Some(entry) = entry else {
            let label = "expected the requirements that it follows from";
            self.tell(Mistake::new("no `because`", place.clone(), label));
            return Vec::new();
        };
        self.requirements(entry)
    }

    fn requirements(&mut self, entry: &Entry<'_>) -> Vec<Id> {
        let mut found = Vec::new();
        for At { value, place } in self.texts(entry).map_or(vec![], |at| at.value) {
            if let Some(id) = Id::find(&value) {
                found.push(id);
                continue;
            }
            let label = requirement::nearest(&value).map_or_else(
                || "not a known requirement".to_owned(),
                |near| format!("did you mean `{}`?", near.id),
            );
            let message = format!("unknown requirement {}", quoted(&value));
            let mistake = Mistake::new(message, place, label);
            self.tell(mistake.note(format!("expected one of {}", ranges_of_ids())));
        }
        found
    }

    fn exclude(
        &mut self,
        table: &dyn TableLike,
        place: Place,
        varied: &Varied<'_>,
    ) -> Option<Exclude> {
        self.keys(table, &EXCLUDE_KEYS);
        for key in EXCLUDE_KEYS {
            if table.get(key).is_none() {
                let label = "expected which combinations to leave out, and why";
                let message = format!("no `{key}` in this exclusion");
                self.tell(Mistake::new(message, place.clone(), label));
            }
        }
        let when = Entry::find(table, "when").map(|entry| self.when(&entry, varied));
        let reason = Entry::find(table, "reason").and_then(|entry| self.text(&entry));
        Some(Exclude {
            place,
            when: when?,
            reason: reason?.value,
        })
    }
}

/// `RM-1 to RM-5, …`
fn ranges_of_ids() -> String {
    let range = |paper: &Paper| {
        let mut rows = requirement::all().filter(|row| row.document() == *paper);
        let first = rows.next()?.id;
        Some(format!("{first} to {}", rows.next_back()?.id))
    };
    let ranges: Vec<_> = Paper::ALL.iter().filter_map(range).collect();
    ranges.join(", ")
}

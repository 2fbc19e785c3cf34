//! What a file says of its cases: `[[expect]]` and `[[exclude]]`, each with its condition.

use reqmtls_contract::Outcome;
use reqmtls_vocabulary::{AlertDescription, Side};
use toml_edit::TableLike;

use super::diagnostic::{Mistake, Place};
use super::file::{Choices, Fixed};
use super::reader::{At, Entry, Reader, one_of, quoted};
use crate::judge::Requested;
use crate::judge::requirement::{self, Document, Id};

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
/// Those that expect nothing by themselves.
const BESIDE: [&str; 3] = ["when", "because", "note"];
/// Every key of an `[[exclude]]`.
pub(super) const EXCLUDE_KEYS: [&str; 2] = ["when", "reason"];

/// How a connection may be expected to end.
pub(super) const OUTCOMES: [Outcome; 2] = [Outcome::Completed, Outcome::Refused];

/// What `certificate_request` may be beside `true` and `false`.
pub(super) const REQUESTED_WORDS: [Requested; 2] = [Requested::OnFlag, Requested::Any];

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
    pub(super) violates: Vec<At<Id>>,
    pub(super) because: Vec<At<Id>>,
    pub(super) note: Option<String>,
}

/// One `[[exclude]]`.
#[derive(Debug)]
pub(super) struct Exclude {
    pub(super) place: Place,
    pub(super) when: Vec<Choices>,
    pub(super) reason: String,
}

/// What the conditions of a file may name.
pub(super) struct Varied<'a> {
    pub(super) axes: &'a [At<Choices>],
    pub(super) setup: &'a [Fixed],
    /// Whether `[axes]` and `[setup]` were read without a mistake. If not, conditions are not compared with
    /// them: the mistakes there would be reported again.
    pub(super) whole: bool,
}

impl Reader<'_> {
    /// One `[[expect]]`.
    pub(super) fn expect(
        &mut self,
        table: &dyn TableLike,
        place: Place,
        varied: &Varied<'_>,
    ) -> Expect {
        self.keys(table, &EXPECT_KEYS);
        let mut fields = EXPECT_KEYS.to_vec();
        fields.retain(|key| !BESIDE.contains(key));
        if !fields.iter().any(|field| table.get(field).is_some()) {
            let message = "this expectation expects nothing";
            let mistake = Mistake::new(message, place.clone(), "this one");
            self.report(mistake.note(one_of(&fields)));
        }
        let entry = |name| Entry::find(table, name);
        Expect {
            when: entry("when").map_or(vec![], |entry| self.when(&entry, varied)),
            certificate_request: entry("certificate_request").and_then(|it| self.requested(&it)),
            outcomes: entry("outcome").and_then(|entry| self.outcomes(&entry)),
            alerts: entry("alert").and_then(|entry| self.alerts(&entry)),
            refused_by: entry("refused_by").and_then(|entry| self.refused_by(&entry)),
            authenticated: entry("authenticated")
                .and_then(|it| self.truth_or_word(&it, Some, &[("any", None)])),
            resumed: entry("resumed").and_then(|entry| self.truth(&entry)),
            violates: entry("violates").map_or(vec![], |entry| self.requirements(&entry)),
            because: self.because(entry("because").as_ref(), &place),
            note: entry("note").and_then(|entry| Some(self.text(&entry)?.value)),
            place,
        }
    }

    /// One `[[exclude]]`.
    pub(super) fn exclude(
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
                self.report(Mistake::new(message, place.clone(), label));
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
            let here = varied.axes.iter().find(|here| here.value.0 == axis);
            if here.is_none() && varied.whole {
                let is_fixed = varied.setup.iter().any(|(fixed, _)| fixed.value == axis);
                let label = if is_fixed {
                    "fixed by [setup]"
                } else {
                    "not among [axes]"
                };
                let names: Vec<_> = varied.axes.iter().map(|here| here.value.0.name).collect();
                let message = format!("`{}` is not varied in this file", axis.name);
                let mistake = Mistake::new(message, entry.key.clone(), label);
                self.report(mistake.note(one_of(&names)));
            }
            let mut values = Vec::new();
            for text in self.text_or_texts(&entry).unwrap_or_default() {
                let Some(value) = self.value(axis, &text) else {
                    continue;
                };
                if let Some(At { value: here, .. }) = here
                    && varied.whole
                    && !here.1.contains(&value)
                {
                    let names: Vec<_> = here.1.iter().map(|value| value.name).collect();
                    let message = format!("no case has `{}` = `{}`", axis.name, value.name);
                    let label = "not among its values in [axes]";
                    let mistake = Mistake::new(message, text.place, label);
                    self.report(mistake.note(one_of(&names)));
                }
                values.push(value);
            }
            when.push((axis, values));
        }
        when
    }

    fn requested(&mut self, entry: &Entry<'_>) -> Option<At<Requested>> {
        let truth = |yes| if yes { Requested::Yes } else { Requested::No };
        let words = REQUESTED_WORDS.map(|word| (word.as_str(), word));
        self.truth_or_word(entry, truth, &words)
    }

    fn refused_by(&mut self, entry: &Entry<'_>) -> Option<At<Side>> {
        let text = self.text(entry)?;
        self.choose("side", text, Side::ALL)
    }

    fn outcomes(&mut self, entry: &Entry<'_>) -> Option<At<Vec<Outcome>>> {
        let texts = self.text_or_texts(entry)?.into_iter();
        let chosen = texts.filter_map(|text| self.choose("outcome", text, &OUTCOMES));
        Some(sorted(chosen, entry.place()))
    }

    fn alerts(&mut self, entry: &Entry<'_>) -> Option<At<Vec<AlertDescription>>> {
        let At { value, place } = self.texts(entry)?;
        let texts = value.into_iter();
        let chosen = texts.filter_map(|text| self.choose("alert", text, AlertDescription::KNOWN));
        Some(sorted(chosen, place))
    }

    fn because(&mut self, entry: Option<&Entry<'_>>, place: &Place) -> Vec<At<Id>> {
        let Some(entry) = entry else {
            let label = "expected the requirements that it follows from";
            self.report(Mistake::new("no `because`", place.clone(), label));
            return Vec::new();
        };
        self.requirements(entry)
    }

    fn requirements(&mut self, entry: &Entry<'_>) -> Vec<At<Id>> {
        let mut found = Vec::new();
        for At { value, place } in self.texts(entry).map_or(vec![], |at| at.value) {
            if let Some(value) = Id::find(&value) {
                found.push(At { value, place });
                continue;
            }
            let label = requirement::nearest(&value).map_or_else(
                || "not a known requirement".to_owned(),
                |near| format!("did you mean `{}`?", near.id),
            );
            let message = format!("unknown requirement {}", quoted(&value));
            let mistake = Mistake::new(message, place, label);
            self.report(mistake.note(format!("expected one of {}", ranges_of_ids())));
        }
        found
    }
}

/// A set: the order in the file means nothing, so that expectations that differ in it are equal.
fn sorted<T: Ord>(chosen: impl Iterator<Item = At<T>>, place: Place) -> At<Vec<T>> {
    let mut value: Vec<_> = chosen.map(|at| at.value).collect();
    value.sort_unstable();
    At { value, place }
}

/// `RM-1 to RM-5, …`
fn ranges_of_ids() -> String {
    let range = |document: &Document| {
        let mut rows = requirement::all().filter(|row| row.document() == *document);
        let first = rows.next()?.id;
        Some(format!("{first} to {}", rows.next_back()?.id))
    };
    let ranges: Vec<_> = Document::ALL.iter().filter_map(range).collect();
    ranges.join(", ")
}

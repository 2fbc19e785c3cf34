//! What is wrong with a scenario file, where, and what was expected.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Octets of a file's text.
pub(super) type Place = Range<usize>;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    file: String,
    message: String,
    position: Option<(usize, usize)>,
    rendered: String,
}

/// Everything that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostic {
    /// About a file or folder as a whole.
    pub(super) fn of_file(path: &Path, message: impl fmt::Display) -> Self {
        let file = path.display().to_string();
        Self {
            rendered: format!("error: {file}: {message}"),
            message: message.to_string(),
            position: None,
            file,
        }
    }

    /// The file or folder.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Line and column, both from 1, the column in characters; nothing if it is about a whole file.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }
}

impl fmt::Display for Diagnostic {
    /// Plain text of several lines, with the lines of the file that show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

impl Diagnostics {
    /// Each, in the order in which they were found.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{diagnostic}")?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}

/// A file's name and text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// Line and column of an octet, both from 1, the column in characters.
    pub(super) fn position(&self, octet: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(octet)];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// A place that lies within the text and splits no character.
    fn within(&self, place: &Place) -> Place {
        let start = self.text.floor_char_boundary(place.start);
        start..self.text.ceil_char_boundary(place.end).max(start)
    }
}

/// A diagnostic in the making: about a place in a file.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    message: String,
    place: Place,
    label: String,
    also: Vec<(Place, String)>,
    notes: Vec<String>,
}

impl Mistake {
    /// `label` stands under the place: what is wrong with it, or what was expected.
    pub(super) fn new(message: impl Into<String>, place: Place, label: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place,
            label: label.into(),
            also: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A second place that has to do with it.
    pub(super) fn and(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }

    /// A sentence below the lines of the file.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(super) fn in_source(self, source: &Source<'_>) -> Diagnostic {
        let place = source.within(&self.place);
        let position = source.position(place.start);
        let file = source.path.display().to_string();
        let mut snippet = Snippet::source(source.text)
            .path(file.as_str())
            .annotation(AnnotationKind::Primary.span(place).label(self.label));
        for (place, label) in self.also {
            let place = source.within(&place);
            snippet = snippet.annotation(AnnotationKind::Context.span(place).label(label));
        }
        let group = Level::ERROR
            .primary_title(self.message.as_str())
            .element(snippet)
            .elements(self.notes.into_iter().map(|note| Level::NOTE.message(note)));
        let rendered = Renderer::plain().render(&[group]);
        Diagnostic {
            rendered,
            file,
            message: self.message,
            position: Some(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\nß = \"ü\"\n";

    fn source() -> Source<'static> {
        Source {
            path: Path::new("some.toml"),
            text: TEXT,
        }
    }

    #[test]
    fn columns_count_characters() {
        let quote = TEXT.find('"').unwrap();
        assert_eq!(source().position(quote), (2, 5));
        assert_eq!(source().position(0), (1, 1));
        assert_eq!(source().position(1000), (3, 1));
    }

    #[test]
    fn renders_the_column_that_it_reports() {
        let place = TEXT.find("ü").unwrap();
        let found =
            Mistake::new("unexpected letter", place..place + 2, "here").in_source(&source());
        assert_eq!(found.position(), Some((2, 6)));
        assert!(found.to_string().contains("some.toml:2:6"), "{found}");
    }

    #[test]
    fn places_beyond_the_text_or_within_a_character_are_moved() {
        let letter = TEXT.find("ü").unwrap();
        for place in [0..1000, 1000..2000, letter + 1..letter + 1, 0..0] {
            let found = Mistake::new("misplaced", place, "here").in_source(&source());
            assert!(found.to_string().contains("misplaced"));
        }
    }
}

//! What is wrong with a scenario file, where, and what would be right.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic(String);

impl Diagnostic {
    /// About a file or folder as a whole.
    pub(super) fn of_file(path: &Path, message: impl fmt::Display) -> Self {
        Self(format!("error: {}: {message}", path.display()))
    }

    /// About a place in a file, and possibly about a second one.
    pub(super) fn at(
        path: &Path,
        text: &str,
        message: &str,
        place: Range<usize>,
        label: &str,
        second: Option<(Range<usize>, &str)>,
    ) -> Self {
        let name = path.display().to_string();
        let clamp = |range: Range<usize>| range.start.min(text.len())..range.end.min(text.len());
        let mut snippet = Snippet::source(text)
            .path(name)
            .annotation(AnnotationKind::Primary.span(clamp(place)).label(label));
        if let Some((range, label)) = second {
            snippet = snippet.annotation(AnnotationKind::Context.span(clamp(range)).label(label));
        }
        let group = Level::ERROR.primary_title(message).element(snippet);
        Self(Renderer::plain().render(&[group]))
    }
}

/// Everything that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self
            .0
            .iter()
            .map(|diagnostic| diagnostic.0.as_str())
            .collect();
        f.write_str(&texts.join("\n\n"))
    }
}

impl Error for Diagnostics {}

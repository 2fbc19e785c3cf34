//! Colours of what people read at a terminal. None says what no word says: they are stripped wherever nobody sees them.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::judge::{Conformance, Verdict};
use crate::run::Drift;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is known not to be as it should be, or another than before.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) fn painted(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A count with its word; of none, plain.
pub(crate) fn count(style: Style, count: usize, word: impl Display) -> String {
    let text = format!("{count} {word}");
    if count == 0 {
        return text;
    }
    painted(style, text)
}

pub(crate) fn of_conformance(conformance: Conformance) -> Style {
    match conformance {
        Conformance::Conforms => GOOD,
        Conformance::Deviates => ODD,
        Conformance::Unsupported => QUIET,
        Conformance::Failed => BAD,
    }
}

pub(crate) fn of_drift(drift: Drift) -> Style {
    match drift {
        Drift::Same => GOOD,
        Drift::Changed => BAD,
        Drift::New => ODD,
    }
}

pub(crate) fn of_verdict(verdict: &Verdict) -> Style {
    match verdict {
        Verdict::Satisfied => Style::new(),
        Verdict::Informational => QUIET,
        Verdict::Violated { .. } => BAD,
        Verdict::Tension { .. } => ODD,
    }
}

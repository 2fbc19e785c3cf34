//! What is wrong with what was decoded, after which requirement, and what a receiver has to answer.

use std::fmt;

use crate::judge::check;
use crate::judge::requirement::{Id, Level};
use reqmtls_observer::{AlertDescription, TlsFlagsError};

/// Something that breaks a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// What is wrong.
    what: String,
    /// The ids of the requirements that say so.
    requirements: &'static [&'static str],
    /// The alerts that a receiver may end the connection with, and what demands them.
    answers: &'static [(AlertDescription, &'static str)],
}

impl Breach {
    /// A malformed `tls_flags`.
    pub(super) fn of_flags(error: TlsFlagsError) -> Self {
        Self {
            what: format!("tls_flags: {error}"),
            requirements: match error {
                TlsFlagsError::Empty | TlsFlagsError::ZeroLength => &["TF-1", "TF-4", "TF-5"],
                TlsFlagsError::LengthMismatch { .. } => &["TF-1", "TF-4"],
                TlsFlagsError::AllZero | TlsFlagsError::TrailingZero => &["TF-2", "TF-3"],
            },
            answers: check::answers(error),
        }
    }

    /// An extension that stands more than once in one block.
    pub(super) fn repeated(extension: &str, count: usize) -> Self {
        Self {
            what: format!("{extension} stands {count} times, expected at most once"),
            requirements: &["TLS-8"],
            answers: &[],
        }
    }

    /// Extensions behind the one that has to be last.
    pub(super) fn after_pre_shared_key(extensions: &[String]) -> Self {
        Self {
            what: format!(
                "{} after pre_shared_key, which has to be the last extension (RFC 8446 §4.2.11)",
                extensions.join(", ")
            ),
            requirements: &[],
            answers: &[(AlertDescription::ILLEGAL_PARAMETER, "RFC 8446 §4.2.11")],
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "malformed: {}", self.what)?;
        for id in self.requirements {
            writeln!(f, "  {}", cite(id))?;
        }
        if self.answers.is_empty() {
            return f.write_str("  a receiver may refuse it; no document names the alert");
        }
        let answers = self
            .answers
            .iter()
            .map(|(alert, demanded)| format!("{alert}({}) ({demanded})", alert.0));
        let answers: Vec<_> = answers.collect();
        write!(
            f,
            "  a receiver answers with fatal {}",
            answers.join(" or ")
        )
    }
}

/// A requirement with its document, key word and sentence.
pub(super) fn cite(id: &str) -> String {
    let Some(requirement) = Id::find(id).map(Id::get) else {
        return id.to_owned();
    };
    let citation = requirement.citation();
    match requirement.level {
        Level::Statement => format!("{id} ({citation}): {}", requirement.statement),
        level => format!("{id} ({citation}, {level}): {}", requirement.statement),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_breach_cites_requirements_that_exist() {
        let errors = [
            TlsFlagsError::Empty,
            TlsFlagsError::ZeroLength,
            TlsFlagsError::LengthMismatch {
                declared: 1,
                got: 2,
            },
            TlsFlagsError::AllZero,
            TlsFlagsError::TrailingZero,
        ];
        let mut breaches: Vec<_> = errors.into_iter().map(Breach::of_flags).collect();
        breaches.push(Breach::repeated("tls_flags", 2));
        for id in breaches.iter().flat_map(|breach| breach.requirements) {
            assert!(Id::find(id).map(Id::get).is_some(), "{id}");
        }
    }
}

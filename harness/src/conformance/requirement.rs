//! The requirements that the harness judges by, as data.
//!
//! A requirement is one normative sentence of one document, in this project's
//! own words, under an id that scenarios, findings and reports cite. The
//! documents themselves win where a statement here is unclear.

mod rca;
mod rm;
mod tf;
mod tls;

use std::{fmt, sync::LazyLock};

/// One normative sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `RM-3`: the document's short name and a number within it.
    pub id: &'static str,
    /// How binding the sentence is.
    pub level: Level,
    /// Where the sentence stands.
    pub document: Document,
    /// The section, or several with a comma between; empty where none is recorded.
    pub section: &'static str,
    /// The sentence, in this project's words.
    pub statement: &'static str,
}

impl Requirement {
    /// How reports cite it: `RFC 8446 §4.4.2.4`, or the document alone where no section is recorded.
    #[must_use]
    pub fn citation(&self) -> String {
        let sections = self
            .section
            .split(", ")
            .filter(|section| !section.is_empty());
        let cited: Vec<String> = sections.map(|section| format!("§{section}")).collect();
        format!("{} {}", self.document.title(), cited.join(", "))
            .trim_end()
            .to_owned()
    }
}

/// How binding a requirement is, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// MUST
    Must,
    /// MUST NOT
    MustNot,
    /// SHOULD
    Should,
    /// SHOULD NOT
    ShouldNot,
    /// MAY
    May,
    /// SHALL
    Shall,
    /// A definition or an explanation without a key word.
    Statement,
}

impl Level {
    /// Whether breaking the requirement breaks the document: MUST, MUST NOT and SHALL.
    #[must_use]
    pub fn is_mandatory(self) -> bool {
        matches!(self, Self::Must | Self::MustNot | Self::Shall)
    }

    /// The key word, `–` where there is none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
            Self::Shall => "SHALL",
            Self::Statement => "–",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A document that states requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Document {
    /// The request mTLS flag; revisions -01 and -02 say the same as -00.
    Rm,
    /// Its editor's copy of June 2025, where the flag is called `request_client_auth`.
    Rca,
    /// The flags extension; -15 and -16 have the same rules.
    Tf,
    /// TLS 1.3.
    Tls,
}

impl Document {
    /// Every document, in the order of [`all`].
    pub const ALL: &'static [Self] = &[Self::Rm, Self::Rca, Self::Tf, Self::Tls];

    /// The name that ids begin with.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::Rm => "RM",
            Self::Rca => "RCA",
            Self::Tf => "TF",
            Self::Tls => "TLS",
        }
    }

    /// The name that scenarios and citations use.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Rm => "draft-jhoyla-req-mtls-flag-00",
            Self::Rca => "draft-jhoyla-req-mtls-flag, editor's copy of June 2025",
            Self::Tf => "draft-ietf-tls-tlsflags",
            Self::Tls => "RFC 8446",
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// Every requirement, by document and number.
#[must_use]
pub fn all() -> &'static [Requirement] {
    static ALL: LazyLock<Vec<Requirement>> =
        LazyLock::new(|| [rm::ROWS, rca::ROWS, tf::ROWS, tls::ROWS].concat());
    &ALL
}

/// The requirement of that id, exactly as written.
#[must_use]
pub fn find(id: &str) -> Option<&'static Requirement> {
    all().iter().find(|requirement| requirement.id == id)
}

/// What somebody who wrote `id` may have meant, if anything is close.
///
/// Within a known document that is the nearest number; elsewhere the nearest spelling.
#[must_use]
pub fn nearest(id: &str) -> Option<&'static Requirement> {
    let id = id.trim().to_uppercase().replace('_', "-");
    if let Some((document, number)) = split(&id) {
        let near = all()
            .iter()
            .filter_map(|requirement| Some((requirement, split(requirement.id)?)))
            .filter(|(_, (other, _))| *other == document)
            .min_by_key(|(_, (_, other))| other.abs_diff(number));
        if let Some((requirement, _)) = near {
            return Some(requirement);
        }
    }
    all()
        .iter()
        .map(|requirement| {
            (
                strsim::damerau_levenshtein(&id, requirement.id),
                requirement,
            )
        })
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, requirement)| requirement)
}

/// `RM-3` as its document's short name and its number.
fn split(id: &str) -> Option<(&str, u32)> {
    let (document, number) = id.split_once('-')?;
    Some((document, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_counted() {
        let count = |document| all().iter().filter(|row| row.document == document).count();
        let counts: Vec<usize> = Document::ALL.iter().copied().map(count).collect();
        assert_eq!(counts, [5, 9, 10, 12]);
        assert_eq!(all().len(), 36);
    }

    #[test]
    fn ids_are_a_document_and_consecutive_numbers_in_order() {
        for document in Document::ALL {
            let rows = all().iter().filter(|row| row.document == *document);
            for (row, number) in rows.zip(1..) {
                assert_eq!(row.id, format!("{}-{number}", document.short()));
            }
        }
        assert!(all().is_sorted_by_key(|row| row.document));
    }

    #[test]
    fn ids_are_unique_and_found() {
        for row in all() {
            assert_eq!(all().iter().filter(|other| other.id == row.id).count(), 1);
            assert_eq!(find(row.id), Some(row));
        }
        assert_eq!(find("RM-0"), None);
        assert_eq!(find("rm-1"), None);
    }

    #[test]
    fn statements_are_one_tidy_line() {
        for row in all() {
            assert!(!row.statement.is_empty(), "{}", row.id);
            assert!(!row.statement.contains(['\n', '|']), "{}", row.id);
            assert!(!row.statement.contains("  "), "{}", row.id);
            assert!(!row.statement.ends_with('.'), "{}", row.id);
        }
    }

    #[test]
    fn sections_are_recorded_for_two_documents() {
        for row in all() {
            let recorded = matches!(row.document, Document::Rm | Document::Tls);
            assert_eq!(!row.section.is_empty(), recorded, "{}", row.id);
        }
    }

    #[test]
    fn citations_name_document_and_sections() {
        let citation = |id| find(id).map(Requirement::citation).unwrap();
        assert_eq!(citation("RM-3"), "draft-jhoyla-req-mtls-flag-00 §4");
        assert_eq!(citation("TLS-5"), "RFC 8446 §4.4.2.4, §6.2");
        assert_eq!(citation("TF-1"), "draft-ietf-tls-tlsflags");
    }

    #[test]
    fn nearest_keeps_the_document_and_takes_the_nearest_number() {
        let near = |id| nearest(id).map(|row| row.id);
        assert_eq!(near("RM-9"), Some("RM-5"));
        assert_eq!(near("TLS-0"), Some("TLS-1"));
        assert_eq!(near("rm_3"), Some("RM-3"));
        assert_eq!(near("RMM-3"), Some("RM-3"));
        assert_eq!(near("TSL-12"), Some("TLS-12"));
        assert_eq!(near("RFC 8446"), None);
    }

    #[test]
    fn three_levels_are_mandatory() {
        let mandatory = [Level::Must, Level::MustNot, Level::Shall];
        let others = [
            Level::Should,
            Level::ShouldNot,
            Level::May,
            Level::Statement,
        ];
        assert!(mandatory.into_iter().all(Level::is_mandatory));
        assert!(!others.into_iter().any(Level::is_mandatory));
        assert_eq!(find("TF-10").unwrap().level, Level::Shall);
        assert_eq!(find("RCA-4").unwrap().level.to_string(), "SHOULD NOT");
    }
}

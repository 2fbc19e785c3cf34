//! The requirements that the harness judges by: one entry each, in one place.
//!
//! A requirement is one normative sentence of one document, in this project's own words, under an id that
//! scenarios, findings and reports cite. Its entry has all there is about it: where the sentence stands, how
//! binding it is, which sides it binds, its check, and, where no end here can violate it, why. The documents
//! themselves win where a statement here is unclear.

mod document;
mod rca;
mod rm;
mod tf;
mod tls;

use std::fmt;

use reqmtls_contract::Revision;
use reqmtls_vocabulary::{Side, words};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::check::{Shown, View};

pub use self::document::{Document, Section, Source};

/// One normative sentence.
#[derive(Debug)]
pub struct Requirement {
    /// `RM-3`: the document's short name and a number within it.
    pub id: &'static str,
    /// How binding the sentence is.
    pub level: Level,
    /// Where it stands; at least one place.
    pub sections: &'static [Section],
    /// The sentence, in this project's words.
    pub statement: &'static str,
    /// The sides that it binds; none where it is about the documents.
    pub binds: &'static [Side],
    /// How it is checked.
    pub check: Check,
    /// Why no end here violates it, where that is so.
    pub unviolated: Option<&'static str>,
}

/// How a requirement is checked.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// By what the transcript shows.
    Observed(fn(&View<'_>) -> Vec<Shown>),
    /// Not at all: why no transcript can show it.
    Unobservable(&'static str),
}

words! {
    /// How binding a requirement is, in the words of RFC 2119.
    pub enum Level {
        /// An absolute requirement.
        Must = "MUST",
        /// An absolute prohibition.
        MustNot = "MUST NOT",
        /// An absolute requirement, in other words.
        Shall = "SHALL",
        /// A recommendation.
        Should = "SHOULD",
        /// A recommendation against.
        ShouldNot = "SHOULD NOT",
        /// A permission.
        May = "MAY",
        /// A definition or an explanation without a key word.
        Statement = "–",
        /// No document has the sentence: this project concludes it.
        Inference = "inference",
    }
}

const CLIENT: &[Side] = &[Side::Client];
const SERVER: &[Side] = &[Side::Server];
const BOTH: &[Side] = &[Side::Client, Side::Server];
const NOBODY: &[Side] = &[];

/// Why a permission is never violated.
const FREE: Option<&str> = Some("a permission: either choice is right");
/// Why a recommendation is never violated.
const RECOMMENDED: Option<&str> = Some("a recommendation: reported, and never a violation");
/// Why what the messages themselves are cannot be violated.
const NO_SEAM: Option<&str> =
    Some("the misbehaving end edits extensions, and neither adds messages nor leaves them out");

/// Why alerts and their levels cannot be violated.
const NO_ALERT: Option<&str> = Some("the misbehaving end edits extensions, and chooses no alerts");

impl Requirement {
    /// The document that it is of.
    #[must_use]
    pub fn document(&self) -> Document {
        let short = self.id.split_once('-').map_or(self.id, |(short, _)| short);
        Document::ALL
            .iter()
            .copied()
            .find(|it| it.as_str() == short)
            .unwrap_or(Document::Tls)
    }

    /// How reports cite it: `RFC 9846 §4.5.1.3 (RFC 8446 §4.4.2.4)`.
    #[must_use]
    pub fn citation(&self) -> String {
        document::citation(self.sections)
    }

    /// Where to read it.
    #[must_use]
    pub fn link(&self) -> String {
        self.sections
            .first()
            .map_or_else(String::new, Section::link)
    }
}

/// Every requirement, by document and number.
#[must_use]
pub fn all() -> impl DoubleEndedIterator<Item = &'static Requirement> + Clone {
    let tables: [&'static [Requirement]; 4] = [rm::ROWS, rca::ROWS, tf::ROWS, tls::ROWS];
    tables.into_iter().flatten()
}

/// The requirements that apply under a revision, in the order of the table.
pub fn applicable(revision: Revision) -> impl Iterator<Item = &'static Requirement> {
    all().filter(move |requirement| match requirement.document() {
        Document::Rm => revision == Revision::Draft02,
        Document::Rca => revision == Revision::EditorsCopy,
        Document::Tf | Document::Tls => true,
    })
}

/// The id of a requirement that there is.
#[derive(Clone, Copy, JsonSchema)]
#[schemars(transparent)]
pub struct Id(
    #[schemars(with = "String", regex(pattern = "^[A-Z]+-[0-9]+$"))] &'static Requirement,
);

impl Id {
    /// The requirement of that id, exactly as written.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        all().find(|requirement| requirement.id == id).map(Self)
    }

    /// The requirement.
    #[must_use]
    pub fn get(self) -> &'static Requirement {
        self.0
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.id
    }

    /// The place of the requirement in the table.
    fn place(self) -> usize {
        all()
            .position(|other| other.id == self.0.id)
            .unwrap_or(usize::MAX)
    }
}

impl From<&'static Requirement> for Id {
    fn from(requirement: &'static Requirement) -> Self {
        Self(requirement)
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Id {}

impl std::hash::Hash for Id {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

/// In the order of the table: `TLS-9` before `TLS-10`.
impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.id)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::find(&text).ok_or_else(|| {
            de::Error::custom(format!("got {text:?}, expected the id of a requirement"))
        })
    }
}

/// What somebody who wrote `id` may have meant, if anything is close.
///
/// Within a known document that is the nearest number; elsewhere the nearest spelling.
#[must_use]
pub fn nearest(id: &str) -> Option<&'static Requirement> {
    let id = id.trim().to_uppercase().replace('_', "-");
    if let Some((document, number)) = split(&id) {
        let near = all()
            .filter_map(|requirement| Some((requirement, split(requirement.id)?)))
            .filter(|(_, (other, _))| *other == document)
            .min_by_key(|(_, (_, other))| other.abs_diff(number));
        if let Some((requirement, _)) = near {
            return Some(requirement);
        }
    }
    all()
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
        let count = |document| all().filter(|row| row.document() == document).count();
        let counts: Vec<usize> = Document::ALL.iter().copied().map(count).collect();
        assert_eq!(counts, [5, 12, 13, 22]);
    }

    #[test]
    fn ids_are_a_document_and_consecutive_numbers_in_order() {
        for document in Document::ALL {
            let rows = all().filter(|row| row.document() == *document);
            for (row, number) in rows.zip(1..) {
                assert_eq!(row.id, format!("{document}-{number}"));
            }
        }
        assert!(all().is_sorted_by_key(Requirement::document));
    }

    #[test]
    fn ids_are_found_and_ordered_as_in_the_table() {
        for row in all() {
            assert_eq!(Id::find(row.id), Some(row.into()));
        }
        assert_eq!(Id::find("RM-0"), None);
        assert_eq!(Id::find("rm-1"), None);
        assert!(Id::find("TLS-9") < Id::find("TLS-10"));
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
    fn what_is_about_an_end_binds_a_side() {
        for row in all() {
            assert_eq!(row.binds.is_empty(), row.id == "TF-13", "{}", row.id);
        }
    }

    #[test]
    fn citations_name_document_and_sections_and_the_former_ones() {
        let citation = |id| Id::find(id).unwrap().get().citation();
        assert_eq!(citation("RM-3"), "draft-jhoyla-req-mtls-flag-00 §4");
        assert_eq!(citation("TLS-4"), "RFC 9846 §4.5.1.3 (RFC 8446 §4.4.2.4)");
        assert_eq!(
            citation("TLS-5"),
            "RFC 9846 §4.5.1.2, §4.5.1.3 (RFC 8446 §4.4.2.2, §4.4.2.4)"
        );
        assert_eq!(citation("TF-1"), "draft-ietf-tls-tlsflags-16 §2");
        assert_eq!(citation("TLS-22"), "RFC 8879 §4");
    }

    #[test]
    fn links_lead_to_the_section() {
        let link = |id| Id::find(id).unwrap().get().link();
        assert_eq!(
            link("TLS-4"),
            "https://www.rfc-editor.org/rfc/rfc9846#section-4.5.1.3"
        );
        assert_eq!(
            link("TF-13"),
            "https://datatracker.ietf.org/doc/html/draft-ietf-tls-tlsflags-16#section-3.1"
        );
        assert!(all().all(|row| row.link().starts_with("https://")));
    }

    #[test]
    fn nearest_stays_in_the_document_and_takes_the_nearest_number() {
        let near = |id| nearest(id).map(|row| row.id);
        assert_eq!(near("RM-9"), Some("RM-5"));
        assert_eq!(near("TLS-0"), Some("TLS-1"));
        assert_eq!(near("rm_3"), Some("RM-3"));
        assert_eq!(near("RMM-3"), Some("RM-3"));
        assert_eq!(near("TSL-12"), Some("TLS-12"));
        assert_eq!(near("RFC 8446"), None);
    }
}

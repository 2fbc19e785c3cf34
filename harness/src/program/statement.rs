//! What is said of the programs in words, each sentence with those that it is true of.

use std::fmt::{self, Write};

use reqmtls_contract::Policy;

use super::case::{Case, Certificate};
use super::result::{Cell, Outcome, Program, Results};
use super::wire::{Course, Sent};

/// How many programs are named at most where only what matters most is said.
const FEW: usize = 4;

/// A program in a case, if it was put before it.
pub(super) fn cell(program: &Program, case: Case) -> Option<&Cell> {
    program.cells.iter().find(|cell| cell.case == case)
}

pub(super) const fn case(policy: Policy, certificate: Certificate) -> Case {
    Case {
        policy,
        certificate,
        names_authority: true,
    }
}

/// A sentence without its subject, and whether it is true of a program with this cell.
type Sentence = (&'static str, fn(&Program, &Cell) -> bool);

/// What is said under one heading of the programs in one case.
struct Group {
    title: &'static str,
    /// How it begins where only what matters most is said; absent: there it is not.
    short: Option<&'static str>,
    case: Case,
    /// What can be said, and of whom.
    sentences: &'static [Sentence],
}

/// What is said, in the order of the page.
const GROUPS: &[Group] = &[
    Group {
        title: "A server asks everyone, and the client has no certificate",
        short: Some("Asked without a certificate"),
        case: case(Policy::Request, Certificate::None),
        sentences: &[
            ("complete, and drop no connection before", |_, cell| {
                cell.outcome == Outcome::Completed && cell.count(Course::Dropped) == 0
            }),
            ("complete, and drop connections before", |_, cell| {
                cell.outcome == Outcome::Completed && cell.count(Course::Dropped) > 0
            }),
            ("do not complete", |_, cell| {
                cell.outcome != Outcome::Completed
            }),
        ],
    },
    Group {
        title: "… the client has a certificate that fits",
        short: Some("Asked with a certificate that fits"),
        case: case(Policy::Request, Certificate::Fits),
        sentences: &[
            ("send it and complete", |_, cell| {
                cell.outcome == Outcome::Completed && sends(cell)
            }),
            ("complete and do not send it", |_, cell| {
                cell.outcome == Outcome::Completed && !sends(cell)
            }),
            (
                "do not complete, though they do without a certificate: asking everyone hurts most who has one",
                |program, cell| {
                    cell.outcome != Outcome::Completed
                        && completes(program, case(Policy::Request, Certificate::None))
                },
            ),
            (
                "do not complete, with a certificate or without",
                |program, cell| {
                    cell.outcome != Outcome::Completed
                        && !completes(program, case(Policy::Request, Certificate::None))
                },
            ),
        ],
    },
    Group {
        title: "… the client has a certificate of another authority than the server names",
        short: None,
        case: case(Policy::Request, Certificate::Other),
        sentences: &[
            ("send it and do not complete", |_, cell| {
                sends(cell) && cell.outcome != Outcome::Completed
            }),
            ("do not send it and complete", |_, cell| {
                !sends(cell) && cell.outcome == Outcome::Completed
            }),
            ("do something else", |_, cell| {
                sends(cell) == (cell.outcome == Outcome::Completed)
            }),
        ],
    },
    Group {
        title: "A server requires a certificate of everyone, and the client has none",
        short: None,
        case: case(Policy::Require, Certificate::None),
        sentences: &[
            ("fail and say something of a certificate", |_, cell| {
                cell.outcome == Outcome::Failed && speaks_of_certificates(cell)
            }),
            ("fail and say nothing of a certificate", |_, cell| {
                cell.outcome == Outcome::Failed && !speaks_of_certificates(cell)
            }),
            (
                "end with exit code 0 and without what was asked for",
                |_, cell| cell.outcome == Outcome::Silent,
            ),
            (
                "do not end by themselves within their deadline",
                |_, cell| cell.outcome == Outcome::Hung,
            ),
            ("complete", |_, cell| cell.outcome == Outcome::Completed),
            ("are refused on more than one connection", |_, cell| {
                cell.count(Course::Refused) > 1
            }),
        ],
    },
    Group {
        title: "The same server asks on the flag, and the client has no certificate",
        short: Some("The same server, which asks on the flag"),
        case: case(Policy::RequestOnFlag, Certificate::None),
        sentences: ON_FLAG,
    },
    Group {
        title: "… the client has a certificate that fits",
        short: None,
        case: case(Policy::RequestOnFlag, Certificate::Fits),
        sentences: ON_FLAG,
    },
];

const ON_FLAG: &[Sentence] = &[
    (
        "are not asked on any connection, and complete",
        |_, cell| cell.outcome == Outcome::Completed && !is_asked(cell),
    ),
    ("are asked", |_, cell| is_asked(cell)),
    ("do not complete", |_, cell| {
        cell.outcome != Outcome::Completed
    }),
];

fn completes(program: &Program, case: Case) -> bool {
    cell(program, case).is_some_and(|cell| cell.outcome == Outcome::Completed)
}

fn is_asked(cell: &Cell) -> bool {
    cell.connections.iter().any(|it| it.asked)
}

fn sends(cell: &Cell) -> bool {
    cell.connections
        .iter()
        .any(|it| it.sent == Sent::Certificate)
}

fn speaks_of_certificates(cell: &Cell) -> bool {
    let text = cell.text.as_deref().unwrap_or_default();
    // Browsers and libraries shorten the word.
    text.to_lowercase().contains("cert")
}

impl Group {
    /// How many programs were put before the case, and each sentence with those that it is true of.
    fn said<'a>(&self, results: &'a Results) -> (usize, Vec<(&'static str, Vec<&'a str>)>) {
        let programs = results.programs.iter();
        let cells: Vec<_> = programs
            .filter_map(|program| Some((program, cell(program, self.case)?)))
            .collect();
        let said = self.sentences.iter().map(|(text, is_so)| {
            let of = cells.iter().filter(|(program, cell)| is_so(program, cell));
            (*text, of.map(|(program, _)| &*program.title).collect())
        });
        (cells.len(), said.collect())
    }
}

/// Whom each sentence is true of.
pub(super) fn words(out: &mut String, results: &Results) -> fmt::Result {
    for group in GROUPS {
        writeln!(out, "## {}\n", group.title)?;
        let (all, said) = group.said(results);
        for (text, names) in said {
            let of = match names.len() {
                0 => "none".to_owned(),
                count if count == all => format!("all {count}"),
                count => format!("{count} of {all}: {}", names.join(", ")),
            };
            writeln!(out, "* **{text}**: {of}")?;
        }
        writeln!(out)?;
    }
    on_flag(out, results)
}

/// What matters most of it, as a list in Markdown; programs by their names where they are few.
#[must_use]
pub fn statements(results: &Results) -> String {
    let mut list = String::new();
    for group in GROUPS {
        let Some(short) = group.short else { continue };
        let (all, said) = group.said(results);
        let said = said.into_iter().filter(|(_, names)| !names.is_empty());
        let said = said.map(|(text, names)| match names.len() {
            count if count == all => format!("all {all} {text}"),
            count if count <= FEW => format!("{count} of {all} {text} ({})", names.join(", ")),
            count => format!("{count} of {all} {text}"),
        });
        let said: Vec<_> = said.collect();
        if !said.is_empty() {
            // A String takes whatever is written to it.
            let _ = writeln!(list, "* **{short}**: {}.", said.join("; "));
        }
    }
    list
}

/// How often the server on the flag asked.
fn on_flag(out: &mut String, results: &Results) -> fmt::Result {
    let cells = results.programs.iter().flat_map(|program| &program.cells);
    let (on_flag, others): (Vec<_>, Vec<_>) = cells
        .filter(|cell| cell.case.policy != Policy::Never)
        .partition(|cell| cell.case.policy.is_on_flag());
    let count = |cells: &[&Cell]| {
        let connections = || cells.iter().flat_map(|cell| &cell.connections);
        (
            connections().filter(|it| it.asked).count(),
            connections().count(),
        )
    };
    let ((asked, all), (others_asked, others_all)) = (count(&on_flag), count(&others));
    writeln!(
        out,
        "In all, the server that asks everyone or requires a certificate of everyone asked on {others_asked} of {others_all} connections, and the one that asks on the flag on {asked} of {all}.\n"
    )
}

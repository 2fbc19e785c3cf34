//! The chapter of results that says what happens when a server asks everyone. Every statement is made of the results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use reqmtls_contract::Policy;

use super::case::{CASES, Case, Certificate};
use super::result::{Cell, Outcome, Program, Results};
use super::wire::{Course, Sent};
use crate::judge::requirement::Id;

/// Alert `certificate_required` (RFC 9846 §6.2 (RFC 8446 §6.2)).
const CERTIFICATE_REQUIRED: u8 = 116;

/// How many programs are named at most where only what matters most is said.
const FEW: usize = 4;

/// The most characters of a version in a table.
const MOST_VERSION: usize = 60;

const INTRODUCTION: &str = "\
The draft says that asking every client for a certificate breaks clients, and that a flag mends it. Here are real
programs, each once against the reference in each case, in a folder of its own. The server listens at `localhost`.
Programs trust its authority, and their output has to show a word of its answer, but for those with a note.

The server is the same, under four policies; *on the flag* it asks the clients alone that set the request mTLS flag. A
cell says what the user gets, then what the wire shows of each connection. *Dropped*: the client closed it when it was
asked, without an alert. *Left*: it closed it without a request. *Open*: it was still open at the deadline. Numbers in
brackets are alerts.
";

/// The chapter in Markdown.
#[must_use]
pub fn chapter(results: &Results) -> String {
    let mut text = String::new();
    // A String takes whatever is written to it.
    let _ = write(&mut text, results);
    text
}

fn write(out: &mut String, results: &Results) -> fmt::Result {
    writeln!(out, "<!-- Written by `reqmtls programs`. -->\n")?;
    writeln!(out, "# What happens when a server asks everyone\n")?;
    writeln!(out, "{INTRODUCTION}")?;
    writeln!(
        out,
        "{} programs met the reference ({}). `reqmtls programs` makes this page and `programs.json` beside it, and leaves a capture of every row in `results/latest/programs/`.\n",
        results.programs.len(),
        results.reference
    )?;
    words(out, results)?;
    table(out, results, "Without a certificate", Certificate::None)?;
    table(out, results, "With a certificate", Certificate::Fits)?;
    own_words(out, results)?;
    violations(out, results)?;
    super::server::servers(out, &results.servers)?;
    if !results.missing.is_empty() {
        writeln!(out, "## Missing\n")?;
        for missing in &results.missing {
            writeln!(out, "* {}: {}", missing.name, escaped(&missing.reason))?;
        }
    }
    Ok(())
}

/// A program in a case, if it was put before it.
fn cell(program: &Program, case: Case) -> Option<&Cell> {
    program.cells.iter().find(|cell| cell.case == case)
}

const fn case(policy: Policy, certificate: Certificate) -> Case {
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
fn words(out: &mut String, results: &Results) -> fmt::Result {
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

/// A table: a row for each program, a column for each case of a kind.
fn table(
    out: &mut String,
    results: &Results,
    title: &str,
    certificate: Certificate,
) -> fmt::Result {
    let is_of = |case: &&Case| {
        (case.certificate == Certificate::None) == (certificate == Certificate::None)
    };
    let cases: Vec<_> = CASES.iter().filter(is_of).collect();
    let heads: Vec<_> = cases.iter().map(|case| head(**case)).collect();
    writeln!(out, "## {title}\n")?;
    writeln!(out, "| program | version | {} |", heads.join(" | "))?;
    writeln!(out, "| --- | --- |{}", " --- |".repeat(cases.len()))?;
    for program in &results.programs {
        let cells = cases.iter().map(|case| cell(program, **case));
        if certificate != Certificate::None && cells.clone().all(|cell| cell.is_none()) {
            continue;
        }
        let cells: Vec<_> = cells
            .map(|cell| cell.map_or_else(|| "–".to_owned(), short))
            .collect();
        writeln!(
            out,
            "| {} | {} | {} |",
            program.title,
            escaped(&version(program)),
            cells.join(" | ")
        )?;
    }
    let cannot: Vec<_> = results
        .programs
        .iter()
        .filter(|program| cases.iter().all(|case| cell(program, **case).is_none()))
        .map(|program| program.title.as_str())
        .collect();
    if !cannot.is_empty() {
        writeln!(out, "\nNot given one: {}.", cannot.join(", "))?;
    }
    let notes = results
        .programs
        .iter()
        .filter_map(|program| Some((program, program.note.as_ref()?)));
    if certificate == Certificate::None {
        writeln!(out)?;
        for (program, note) in notes {
            writeln!(out, "* {}: {note}", program.title)?;
        }
    }
    writeln!(out)
}

/// A version in a table: of a long line the start.
fn version(program: &Program) -> String {
    let mut short: String = program.version.chars().take(MOST_VERSION).collect();
    if short.len() < program.version.len() {
        short.push('…');
    }
    short
}

fn head(case: Case) -> String {
    let policy = match case.policy {
        Policy::Never => "asks nobody",
        Policy::Request => "asks everyone",
        Policy::Require => "requires of everyone",
        Policy::RequestOnFlag => "asks on the flag",
        Policy::RequireOnFlag => "requires on the flag",
        Policy::PostHandshake => "asks after the handshake",
    };
    match (case.certificate, case.names_authority) {
        (Certificate::None | Certificate::Fits, _) => policy.to_owned(),
        (Certificate::Other, true) => format!("{policy}, certificate of another authority"),
        (Certificate::Other, false) => format!("{policy} and names no authority, the same"),
    }
}

/// One cell: what the user gets, then the wire.
fn short(cell: &Cell) -> String {
    let outcome = match (cell.outcome, cell.exit) {
        (Outcome::Completed, _) => "completes".to_owned(),
        (Outcome::Failed, exit) => format!("fails, exit code {}", exit.unwrap_or(-1)),
        (Outcome::Silent, _) => "exit code 0, but no page".to_owned(),
        (Outcome::Hung, _) => "does not end".to_owned(),
    };
    let mut wire: Vec<String> = Vec::new();
    for connection in &cell.connections {
        let sent = match (connection.asked, connection.sent) {
            (_, Sent::Certificate) => "certificate, ",
            (true, Sent::Empty) => "empty Certificate, ",
            _ => "",
        };
        let alert = connection
            .alert
            .map_or_else(String::new, |alert| format!(" ({alert})"));
        wire.push(format!("{sent}{}{alert}", connection.course));
    }
    let mut counted: Vec<(String, usize)> = Vec::new();
    for text in wire {
        match counted.last_mut() {
            Some((last, count)) if *last == text => *count += 1,
            _ => counted.push((text, 1)),
        }
    }
    let wire: Vec<_> = counted
        .into_iter()
        .map(|(text, count)| {
            if count > 1 {
                format!("{count} × {text}")
            } else {
                text
            }
        })
        .collect();
    if wire.is_empty() {
        return format!("{outcome}: no connection");
    }
    format!("{outcome}: {}", wire.join("; "))
}

/// What programs say where they do not complete.
fn own_words(out: &mut String, results: &Results) -> fmt::Result {
    writeln!(out, "## In their own words\n")?;
    writeln!(
        out,
        "What a user reads where a server requires a certificate and the client has none; alert {CERTIFICATE_REQUIRED} is `certificate_required`.\n"
    )?;
    writeln!(out, "| program | exit code | text |\n| --- | --- | --- |")?;
    for program in &results.programs {
        let Some(cell) = cell(program, case(Policy::Require, Certificate::None)) else {
            continue;
        };
        let exit = cell
            .exit
            .map_or_else(|| "none".to_owned(), |exit| exit.to_string());
        let text = cell.text.as_deref().map_or_else(
            || "nothing".to_owned(),
            |text| format!("`{}`", escaped(text).replace('`', "'")),
        );
        writeln!(out, "| {} | {exit} | {text} |", program.title)?;
    }
    writeln!(out)
}

/// Requirements that programs violate, each with whose connections show it.
fn violations(out: &mut String, results: &Results) -> fmt::Result {
    writeln!(out, "## What they violate\n")?;
    let mut by_id: BTreeMap<Id, Vec<&str>> = BTreeMap::new();
    for program in &results.programs {
        let connections = program.cells.iter().flat_map(|cell| &cell.connections);
        let ids: BTreeSet<_> = connections
            .flat_map(|it| it.violates.iter().copied())
            .collect();
        for id in ids {
            by_id.entry(id).or_default().push(&program.title);
        }
    }
    if by_id.is_empty() {
        writeln!(out, "Nothing that these connections show.")?;
    }
    for (id, names) in by_id {
        let requirement = id.get();
        let (citation, statement) = (requirement.citation(), requirement.statement);
        writeln!(
            out,
            "* {id}, {citation}: {statement}. {}.",
            names.join(", ")
        )?;
    }
    writeln!(out)
}

/// Text in a table of Markdown.
pub(super) fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Connection;
    use crate::program::manifest::Kind;

    fn results(outcome: Outcome, text: &str) -> Results {
        let connection = |course, sent| Connection {
            asked: true,
            sent,
            course,
            alert: None,
            version: None,
            violates: Vec::new(),
        };
        let cell = |case| Cell {
            case,
            outcome,
            exit: Some(0),
            text: Some(text.to_owned()),
            connections: vec![
                connection(Course::Dropped, Sent::Nothing),
                connection(Course::Dropped, Sent::Nothing),
                connection(Course::Answered, Sent::Empty),
            ],
        };
        Results {
            reference: "rustls".to_owned(),
            programs: vec![Program {
                name: "some".to_owned(),
                title: "Some".to_owned(),
                kind: Kind::Library,
                version: "1 | <2>".to_owned(),
                note: None,
                cells: CASES.iter().map(|case| cell(*case)).collect(),
            }],
            servers: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn statements_follow_from_results() {
        let text = chapter(&results(Outcome::Completed, ""));
        assert!(
            text.contains("* **complete, and drop connections before**: all 1\n"),
            "{text}"
        );
        assert!(text.contains("* **do not complete**: none\n"), "{text}");
        assert!(
            text.contains(
                "| Some | 1 \\| &lt;2> | completes: 2 × dropped; empty Certificate, answered |"
            ),
            "{text}"
        );
        let results = results(Outcome::Failed, "no cert`");
        let expected = "\
* **Asked without a certificate**: all 1 do not complete.
* **Asked with a certificate that fits**: all 1 do not complete, with a certificate or without.
* **The same server, which asks on the flag**: all 1 are asked; all 1 do not complete.
";
        assert_eq!(statements(&results), expected);
        let text = chapter(&results);
        assert!(
            text.contains("* **fail and say something of a certificate**: all 1\n"),
            "{text}"
        );
        assert!(text.contains("| Some | 0 | `no cert'` |"), "{text}");
    }
}

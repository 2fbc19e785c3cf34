//! The chapter of results that says what happens when a server asks everyone. Every statement is made of the results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use reqmtls_contract::Policy;

use super::case::{CASES, Case, Certificate};
use super::result::{Cell, Outcome, Program, Results};
use super::statement::{case, cell, words};
use super::wire::Sent;
use crate::judge::requirement::Id;

/// Alert `certificate_required` (RFC 9846 §6.2 (RFC 8446 §6.2)).
const CERTIFICATE_REQUIRED: u8 = 116;

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
    use crate::program::{Course, statements};

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

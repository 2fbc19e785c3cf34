//! `index.html`: the whole of a run in one file without scripts of others, which asks nobody for anything.

mod store;
mod svg;

use std::io;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;
use serde::Serialize;
use serde_json::ser::Formatter;
use sha2::{Digest, Sha256};

use super::collect::{Collected, Seen};
use super::page::{Page, counted};
use super::peer_pages::peer_pages;
use super::subject::Subject;
use super::{CORE, PAGES, differences, findings, headlines, tensions, unsupported};
use crate::judge::Conformance;
use crate::judge::requirement;
use crate::run::{Missing, Peer};

pub(super) use self::store::Store;

use self::store::Said;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

#[derive(Template)]
#[template(path = "page.html")]
struct Html<'a> {
    title: String,
    revision: &'static str,
    policy: String,
    style: &'static str,
    script: &'static str,
    summary: Vec<(String, usize)>,
    peers: usize,
    cells: usize,
    table: String,
    programs: String,
    met: &'a str,
    core: Vec<(&'a str, Vec<Square>)>,
    servers: Vec<&'a str>,
    sections: Vec<Section>,
    list: Vec<Listed<'a>>,
    missing: &'a [Missing],
    pages: Vec<(String, String)>,
    data: String,
}

/// A peer in the list of peers.
struct Listed<'a> {
    name: &'a str,
    library: &'a str,
    counts: Vec<Count>,
}

/// How many cells, and where they are.
struct Count {
    cells: usize,
    link: Option<String>,
}

/// A cell of the core matrix.
struct Square {
    /// Its sign; absent: it is not run.
    sign: Option<String>,
    class: &'static str,
    words: String,
    link: String,
}

/// A chapter.
struct Section {
    id: &'static str,
    title: &'static str,
    html: String,
}

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    /// What `reqmtls run` needs to run its cells as they ran.
    options: &'a str,
    scenarios: Vec<Table<'a>>,
    peers: Vec<Column<'a>>,
    requirements: Vec<Sentence>,
    store: &'a Store,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<Said<'a>>,
}

#[derive(Serialize)]
struct Table<'a> {
    id: &'a str,
    title: &'a str,
    document: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    axes: Vec<&'static str>,
    self_test: bool,
    cases: Vec<&'a str>,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    library: &'a str,
}

#[derive(Serialize)]
struct Sentence {
    id: &'static str,
    level: &'static str,
    citation: String,
    link: String,
    statement: &'static str,
}

/// The page of a run. With `said` it has what ends say of themselves, which may differ from run to run.
pub(super) fn page(
    subject: &Subject,
    run: &Collected,
    store: &Store,
    said: bool,
) -> Result<String, askama::Error> {
    let revision = subject.revision().as_str();
    let servers: Vec<&str> = run.peers.iter().map(|peer| &*peer.name).collect();
    let count = |wanted| {
        run.cells
            .iter()
            .filter(|it| it.conformance == wanted)
            .count()
    };
    let summary = Conformance::ALL
        .iter()
        .map(|it| (it.to_string(), count(*it)));
    let pages = peer_pages(subject, run).into_iter();
    Html {
        title: format!("reqmtls: who asks whom for a certificate ({revision})"),
        revision,
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        summary: summary.collect(),
        peers: run.peers.len(),
        cells: run.cells.len(),
        table: markdown(&unbroken(headlines::table(subject, run, PAGES))),
        programs: markdown(subject.programs()),
        met: subject.met(),
        core: core(subject, run, &servers),
        servers,
        sections: sections(subject, run),
        list: run.peers.iter().map(|peer| listed(run, peer)).collect(),
        missing: &run.missing,
        pages: pages.map(|(name, text)| (name, markdown(&text))).collect(),
        data: data(subject, run, store, said)?,
    }
    .render()
}

fn listed<'a>(run: &Collected, peer: &'a Peer) -> Listed<'a> {
    let name = &*peer.name;
    let plays = |seen: &Seen, side: Side| seen.player(side).label() == name;
    let cells = run
        .cells
        .iter()
        .filter(|seen| Side::BOTH.into_iter().any(|side| plays(seen, side)));
    let of = |wanted: Conformance| {
        let cells = cells.clone().filter(|it| it.conformance == wanted).count();
        let link = (cells > 0).then(|| format!("#matrix?peer={name}&verdict={wanted}"));
        Count { cells, link }
    };
    let is_about = |seen: &&Seen| {
        let mut sides = Side::BOTH.into_iter();
        sides.any(|side| plays(seen, side) && seen.is_blamed(side))
    };
    let about = Count {
        cells: cells.clone().filter(is_about).count(),
        link: None,
    };
    Listed {
        name,
        library: &peer.description.library,
        counts: vec![
            of(Conformance::Conforms),
            of(Conformance::Deviates),
            about,
            of(Conformance::Unsupported),
            of(Conformance::Failed),
        ],
    }
}

/// The core question as a picture; none where the run has no cell of it.
pub(super) fn picture(subject: &Subject, run: &Collected) -> Result<Option<String>, askama::Error> {
    let servers: Vec<&str> = run.peers.iter().map(|peer| &*peer.name).collect();
    let rows = core(subject, run, &servers);
    if rows.is_empty() {
        return Ok(None);
    }
    let title = "A client with a certificate sets the flag, and the server requires one on the flag: rows are clients, columns servers";
    svg::svg(title, &servers, &rows).map(Some)
}

/// The script that stands in the page and no other may run, and nothing may be fetched.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let (script, style) = (digest(SCRIPT), digest(STYLE));
    format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; \
         base-uri 'none'; form-action 'none'"
    )
}

fn core<'a>(
    subject: &Subject,
    run: &'a Collected,
    names: &[&'a str],
) -> Vec<(&'a str, Vec<Square>)> {
    let of_case = |seen: &&Seen| subject.case(seen.case).id.as_str() == CORE;
    let cells: Vec<&Seen> = run.cells.iter().filter(of_case).collect();
    let square = |client: &str, server: &str| {
        let seen = cells.iter().find(|seen| seen.column() == (client, server));
        let Some(seen) = seen else {
            return Square {
                sign: None,
                class: "none",
                words: "not run: versions meet the reference and themselves".to_owned(),
                link: String::new(),
            };
        };
        let (sign, class) = match seen.conformance {
            Conformance::Unsupported => ("n/a".to_owned(), "unsupported"),
            Conformance::Failed => ("FAILED".to_owned(), "failed"),
            Conformance::Deviates => (format!("{} !", sign(seen)), "deviates"),
            Conformance::Conforms => (sign(seen), "conforms"),
        };
        Square {
            sign: Some(sign),
            class,
            words: seen.conformance.to_string(),
            link: format!("#cell/{CORE}/{client}--{server}"),
        }
    };
    if cells.is_empty() {
        return Vec::new();
    }
    let row = |client: &'a str| {
        let squares = names.iter().map(|server| square(client, server));
        (client, squares.collect())
    };
    names.iter().copied().map(row).collect()
}

/// What a judged cell came to; of one without facts, that it conforms or not.
fn sign(seen: &Seen) -> String {
    if seen.text.is_empty() {
        return seen.conformance.to_string();
    }
    seen.text.to_string()
}

fn sections(subject: &Subject, run: &Collected) -> Vec<Section> {
    let mut sections = Vec::new();
    for provenance in Provenance::ALL {
        let (id, title) = match provenance {
            Provenance::Library => ("library", "What unmodified libraries do"),
            Provenance::Glue => (
                "glue",
                "What an application gets that builds the flag on a library's public API",
            ),
            Provenance::Patch => ("patch", "What libraries do with a patch kept here"),
            Provenance::Reference => ("reference", "What the reference does"),
        };
        let (cells, blamed) = findings::count(subject, run, *provenance);
        if cells == 0 {
            continue;
        }
        let mut page = Page::default();
        page.line(format_args!(
            "{} with such an end, {blamed} of them with a finding about it.\n",
            counted(cells, "cell")
        ));
        headlines::of_ends(&mut page, subject, run, *provenance);
        findings::of_ends(&mut page, subject, run, *provenance);
        sections.push(section(id, title, &page));
    }
    let mut page = Page::default();
    findings::of_documents(&mut page, subject, run);
    tensions::tensions(&mut page, subject, run);
    sections.push(section(
        "documents",
        "Findings about the documents, and where they disagree",
        &page,
    ));
    let mut page = Page::default();
    differences::differences(&mut page, subject, run);
    sections.push(section(
        "differences",
        "Where implementations differ, though each may",
        &page,
    ));
    let mut page = Page::default();
    unsupported::unsupported(&mut page, subject, run);
    sections.push(section("lacks", "What peers lack", &page));
    sections
}

fn section(id: &'static str, title: &'static str, page: &Page) -> Section {
    Section {
        id,
        title,
        html: markdown(&page.0),
    }
}

/// Markdown as HTML. What was HTML in it stands there as text, links to the pages of peers lead to their parts of this
/// page, and headings stand below the page's own.
fn markdown(text: &str) -> String {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let page = dest_url
                .strip_prefix("peers/")
                .and_then(|rest| rest.strip_suffix(".md"));
            let dest_url = match page {
                Some(name) => format!("#peer/{name}").into(),
                None if dest_url.starts_with("https://") => dest_url,
                None => "#".into(),
            };
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            })
        }
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => Event::Start(Tag::Heading {
            level: below(level),
            id,
            classes,
            attrs,
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        other => other,
    });
    let mut out = String::new();
    html::push_html(&mut out, parser);
    // A table may be wider than a window.
    out.replace("<table>", "<div class=\"wide\" tabindex=\"0\"><table>")
        .replace("</table>", "</table></div>")
}

/// Marks stay on the line of what they mark.
fn unbroken(table: String) -> String {
    let marks = ["⚠", "ᵍ", "ᵖ", "ʳ"].into_iter();
    marks.fold(table, |table, mark| {
        table.replace(&format!(" {mark}"), &format!("\u{a0}{mark}"))
    })
}

fn below(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from(level as usize + 1).unwrap_or(HeadingLevel::H6)
}

fn data(
    subject: &Subject,
    run: &Collected,
    store: &Store,
    said: bool,
) -> Result<String, askama::Error> {
    let scenarios = subject.scenarios().iter().map(|scenario| Table {
        id: &scenario.id,
        title: &scenario.title,
        document: scenario.document.title(),
        about: scenario.about.as_deref(),
        axes: scenario.axes.iter().map(|axis| axis.name).collect(),
        self_test: scenario.self_test,
        cases: scenario.cases.iter().map(|case| case.id.as_str()).collect(),
    });
    let peers = run.peers.iter().map(|peer| Column {
        name: &peer.name,
        library: &peer.description.library,
    });
    let requirements = requirement::applicable(subject.revision()).map(|row| Sentence {
        id: row.id,
        level: row.level.as_str(),
        citation: row.citation(),
        link: row.link(),
        statement: row.statement,
    });
    let data = Data {
        options: &run.options,
        scenarios: scenarios.collect(),
        peers: peers.collect(),
        requirements: requirements.collect(),
        store,
        said: said.then(|| store.said()),
    };
    let mut json = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, InScript);
    let written = data.serialize(&mut serializer);
    written.map_err(|error| askama::Error::Custom(error.into()))?;
    String::from_utf8(json).map_err(|error| askama::Error::Custom(error.into()))
}

/// JSON as it stands inside a script element: only `<` ends that, and JSON has it in texts alone.
struct InScript;

impl Formatter for InScript {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut parts = fragment.split('<');
        writer.write_all(parts.next().unwrap_or_default().as_bytes())?;
        parts.try_for_each(|part| {
            writer.write_all(b"\\u003c")?;
            writer.write_all(part.as_bytes())
        })
    }
}

//! `matrix.md`: rows are cases, columns pairings. Holds nothing that differs from run to run.

mod findings;
mod savings;
mod table;
mod tensions;

pub(crate) use self::findings::reproduction;

use std::fmt::{Arguments, Write};

use reqmtls_contract::Revision;

use crate::event::Run;
use crate::scenario::Scenario;

/// The matrix of a run, for every scenario that it touched.
#[must_use]
pub fn markdown(run: &Run, scenarios: &[Scenario]) -> String {
    let mut page = Page::default();
    page.line(format_args!(
        "# Who asks whom for a certificate, and what ends a handshake\n"
    ));
    page.line(format_args!(
        "Revision of the request mTLS flag: {}. Written by `{}`; `cargo test` holds it against a run of its own.\n",
        document(run.revision),
        command(run.revision, ""),
    ));
    page.line(format_args!("| peer | library |\n| --- | --- |"));
    for peer in &run.peers {
        page.line(format_args!(
            "| {} | {} |",
            peer.name, peer.description.library
        ));
    }
    for (peer, reason) in &run.missing {
        let reason = reason.lines().next().unwrap_or_default();
        page.line(format_args!("| {peer} | {reason} |"));
    }
    page.line(format_args!(
        "\nContents: findings, tensions between the documents, what the flag saves, what is unsupported, the tables."
    ));
    findings::deviations(&mut page, run);
    tensions::tensions(&mut page, run);
    savings::savings(&mut page, run, scenarios);
    findings::unsupported(&mut page, run);
    table::tables(&mut page, run, scenarios);
    page.0
}

/// Text under construction.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, arguments: Arguments<'_>) {
        // A String takes whatever is written to it.
        let _ = self.0.write_fmt(arguments);
        self.0.push('\n');
    }
}

fn document(revision: Revision) -> &'static str {
    match revision {
        Revision::Draft02 => "draft-jhoyla-req-mtls-flag-00 to -02 (`rm`)",
        Revision::EditorsCopy => "the editor's copy of June 2025 (`rca`)",
    }
}

/// The command that runs a selection alone.
pub(crate) fn command(revision: Revision, selection: &str) -> String {
    let revision = match revision {
        Revision::Draft02 => "",
        Revision::EditorsCopy => " --revision rca",
    };
    let space = if selection.is_empty() { "" } else { " " };
    format!("reqmtls run{revision}{space}{selection}")
}

/// `1 cell`, `2 cells`
fn cells(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} cell{plural}")
}

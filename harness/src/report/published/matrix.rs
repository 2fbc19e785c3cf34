//! `matrix.md`: what unmodified libraries do first, the tables last.

use reqmtls_contract::{Provenance, Revision};

use super::collect::Collected;
use super::differences::differences;
use super::page::{Page, command, counted};
use super::peers::peers;
use super::savings::savings;
use super::sign::BYPASSED;
use super::subject::Subject;
use super::tables::{legend, tables};
use super::tensions::tensions;
use super::unsupported::unsupported;
use super::{PAGES, findings, headlines};

pub(super) fn matrix(subject: &Subject, run: &Collected) -> String {
    let mut page = Page::default();
    let revision = match subject.revision() {
        Revision::Draft02 => "draft-jhoyla-req-mtls-flag-02, whose rules are those of -00 and -01",
        Revision::EditorsCopy => "its editor's copy of June 2025",
    };
    page.line(format_args!(
        "# Who asks whom for a certificate, and what ends a handshake\n\n\
         Revision of the request mTLS flag: {revision}. Written by `{}`; `cargo test` holds it against a run of its \
         own. `reqmtls` stands for `cargo run --release --`. In this sequence: the peers, each with a page of its own; all in one table; what unmodified libraries \
         do; what an application gets that builds the flag on a library's public API; what libraries do with a patch \
         kept here; what the reference does; findings about the documents; where documents disagree; where \
         implementations differ, though each may; what the flag saves; what peers lack; the tables.",
        command(run, "")
    ));
    peers(&mut page, run);
    let table = headlines::table(subject, run, PAGES);
    if !table.is_empty() {
        page.line(format_args!(
            "\n## In one table\n\nWhat each did, with alerts by their numbers, `ᵍ` by glue, `ᵖ` with a patch, `ʳ` by the \
             reference, and otherwise by the unmodified library; {BYPASSED} without the authentication that the policy \
             requires. The questions in full follow.\n\n{}",
            table.trim_end()
        ));
    }
    for provenance in Provenance::ALL {
        let title = match provenance {
            Provenance::Library => "What unmodified libraries do",
            Provenance::Glue => {
                "What an application gets that builds the flag on a library's public API"
            }
            Provenance::Patch => "What libraries do with a patch kept here",
            Provenance::Reference => "What the reference does",
        };
        let (cells, blamed) = findings::count(subject, run, *provenance);
        page.line(format_args!("\n## {title}\n"));
        if cells == 0 {
            page.line(format_args!("No cell of this run shows it."));
            continue;
        }
        page.line(format_args!(
            "{} with such an end, {blamed} of them with a finding about it.\n",
            counted(cells, "cell")
        ));
        headlines::of_ends(&mut page, subject, run, *provenance);
        findings::of_ends(&mut page, subject, run, *provenance);
    }
    page.line(format_args!("\n## Findings about the documents\n"));
    findings::of_documents(&mut page, subject, run);
    tensions(&mut page, subject, run);
    differences(&mut page, subject, run);
    savings(&mut page, subject, run);
    unsupported(&mut page, subject, run);
    legend(&mut page);
    page.line(format_args!("\n## Tables"));
    tables(&mut page, subject, run);
    page.0
}

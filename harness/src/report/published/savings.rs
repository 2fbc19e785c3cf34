//! What the flag is there to save: the same authentication after the handshake and in it, side by side.

use reqmtls_contract::{Policy, Provenance};
use reqmtls_vocabulary::Side;

use super::collect::{Collected, Seen};
use super::page::{Page, alone, whose};
use super::subject::Subject;

pub(super) fn savings(page: &mut Page, subject: &Subject, run: &Collected) {
    page.line(format_args!("\n## What the flag saves\n"));
    let certificate = ("client.certificate", "present");
    let after = subject.find(&[
        certificate,
        ("server.policy", Policy::PostHandshake.as_str()),
        ("client.post-handshake-auth", "offered"),
    ]);
    let by_flag = subject.find(&[
        certificate,
        ("server.policy", Policy::RequireOnFlag.as_str()),
        ("client.flag", "set"),
    ]);
    let mut rows = Vec::new();
    for seen in proven(run, &after) {
        let mut others = proven(run, &by_flag);
        let other = others.find(|other| other.column() == seen.column());
        rows.extend(other.map(|other| (seen, other)));
    }
    if rows.is_empty() {
        page.line(format_args!(
            "No pairing of this run authenticates after the handshake."
        ));
        return;
    }
    page.line(format_args!(
        "The same client, authenticated after the handshake and in it because of the flag: flights until the server \
         has the client's CertificateVerify. A flight is what one side sends of handshake messages, tickets left out, \
         without the other's between.\n"
    ));
    page.line(format_args!(
        "| client → server | after the handshake | by the flag | round trips saved |\n| --- | --- | --- | --- |"
    ));
    for (after, by_flag) in rows {
        let count = |seen: &Seen| seen.flights.unwrap_or_default();
        page.line(format_args!(
            "| {} → {} | {} (`{}`) | {} (`{}`) | {} |",
            end(by_flag, Side::Client),
            end(by_flag, Side::Server),
            count(after),
            alone(subject, after),
            count(by_flag),
            alone(subject, by_flag),
            count(after).saturating_sub(count(by_flag)) / 2,
        ));
    }
}

fn proven<'a>(run: &'a Collected, cases: &[usize]) -> impl Iterator<Item = &'a Seen> {
    let cells = run.cells.iter();
    cells.filter(|seen| cases.contains(&seen.case) && seen.flights.is_some())
}

fn end(seen: &Seen, side: Side) -> String {
    let player = seen.player(side);
    let provenance = seen.provenance(side).unwrap_or(Provenance::Reference);
    whose(&[&player.peer], provenance)
}

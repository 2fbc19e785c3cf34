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
        "| clients → servers | after the handshake | by the flag | round trips saved |\n| --- | --- | --- | --- |"
    ));
    for (clients, servers, (after, by_flag)) in fold(rows) {
        let count = |seen: &Seen| seen.flights.unwrap_or_default();
        page.line(format_args!(
            "| {} → {} | {} (`{}`) | {} (`{}`) | {} |",
            whose(&clients, provenance(by_flag, Side::Client)),
            whose(&servers, provenance(by_flag, Side::Server)),
            count(after),
            alone(subject, run, after),
            count(by_flag),
            alone(subject, run, by_flag),
            count(after).saturating_sub(count(by_flag)) / 2,
        ));
    }
}

/// Connections after the handshake and by the flag.
type Both<'a> = (&'a Seen, &'a Seen);

/// Clients that save the same with the same servers, in one row; an example of each.
fn fold(rows: Vec<Both<'_>>) -> Vec<(Vec<&str>, Vec<&str>, Both<'_>)> {
    let alike = |(after, by_flag): &Both<'_>| {
        let of = |side| provenance(by_flag, side);
        (
            after.flights,
            by_flag.flights,
            of(Side::Client),
            of(Side::Server),
        )
    };
    let mut by_client: Vec<(&str, Vec<&str>, Both<'_>)> = Vec::new();
    for both in rows {
        let name = |side| &*both.1.player(side).peer;
        let (client, server) = (name(Side::Client), name(Side::Server));
        let same =
            |it: &&mut (&str, Vec<&str>, Both<'_>)| it.0 == client && alike(&it.2) == alike(&both);
        match by_client.iter_mut().find(same) {
            Some((_, servers, _)) => servers.push(server),
            None => by_client.push((client, vec![server], both)),
        }
    }
    let mut folded: Vec<(Vec<&str>, Vec<&str>, Both<'_>)> = Vec::new();
    for (client, servers, both) in by_client {
        let same = |it: &&mut (Vec<&str>, Vec<&str>, Both<'_>)| {
            it.1 == servers && alike(&it.2) == alike(&both)
        };
        match folded.iter_mut().find(same) {
            Some((clients, _, _)) => clients.push(client),
            None => folded.push((vec![client], servers, both)),
        }
    }
    folded
}

fn proven<'a>(run: &'a Collected, cases: &[usize]) -> impl Iterator<Item = &'a Seen> {
    let cells = run.cells.iter();
    cells.filter(|seen| cases.contains(&seen.case) && seen.flights.is_some())
}

fn provenance(seen: &Seen, side: Side) -> Provenance {
    seen.provenance(side).unwrap_or(Provenance::Reference)
}

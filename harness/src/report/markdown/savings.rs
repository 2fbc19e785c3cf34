//! What the flag is there to save: the same authentication after the handshake and in it, side by side.

use super::{Page, command};
use crate::conformance::{Conformance, Outcome};
use crate::event::{CellResult, Connection, Run};
use crate::scenario::{Certificate, Flag, Policy, PostHandshakeAuth, Scenario, Settings};
use reqmtls_observer::{HandshakeMessage, Side};

pub(super) fn savings(page: &mut Page, run: &Run, scenarios: &[Scenario]) {
    page.line(format_args!("\n## What the flag saves\n"));
    let find = |wanted: fn(&Settings) -> bool, pairing: &str| {
        let cases = scenarios.iter().flat_map(|scenario| &scenario.cases);
        let wanted = |case: &&crate::scenario::Case| {
            wanted(&case.settings) && case.settings.client_certificate == Certificate::Present
        };
        cases.filter(wanted).find_map(|case| {
            let mut cells = run.cells.iter();
            cells.find(|cell| {
                cell.case == case.id && cell.pairing() == pairing && authenticated(cell)
            })
        })
    };
    let mut pairings: Vec<String> = run.cells.iter().map(CellResult::pairing).collect();
    pairings.sort_unstable();
    pairings.dedup();
    let pairs = pairings.iter().filter_map(|pairing| {
        let after = find(
            |settings| {
                settings.server_policy == Policy::PostHandshake
                    && settings.client_post_handshake_auth == PostHandshakeAuth::Offered
                    && settings.client_flag == Flag::Unset
            },
            pairing,
        )?;
        let by_flag = find(
            |settings| {
                settings.server_policy == Policy::RequireOnFlag && settings.client_flag == Flag::Set
            },
            pairing,
        )?;
        Some((pairing, after, by_flag))
    });
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        page.line(format_args!(
            "No pairing that ran can authenticate after the handshake."
        ));
        return;
    }
    page.line(format_args!(
        "The same client, authenticated after the handshake and in it because of the flag: flights until the server \
         has the client's CertificateVerify. A flight is what one side sends without the other's bytes between. \
         `reqmtls explain` shows the flights and bytes of each.\n"
    ));
    page.line(format_args!(
        "| pairing | after the handshake | by the flag | round trips saved |\n| --- | --- | --- | --- |"
    ));
    for (pairing, after, by_flag) in pairs {
        let [after, by_flag] = [after, by_flag].map(|cell| {
            let flights = cell.connections.last().and_then(flights_to_proof);
            (
                flights.unwrap_or(0),
                command(run.revision, &super::findings::alone(cell)),
            )
        });
        page.line(format_args!(
            "| {pairing} | {} (`{}`) | {} (`{}`) | {} |",
            after.0,
            after.1,
            by_flag.0,
            by_flag.1,
            after.0.saturating_sub(by_flag.0) / 2,
        ));
    }
}

fn authenticated(cell: &CellResult) -> bool {
    cell.conformance == Conformance::Conforms
        && cell.facts().is_some_and(|facts| {
            facts.outcome == Outcome::Completed && facts.authenticated.is_some() && !facts.resumed
        })
}

/// How many flights there are up to the one that ends with the client's CertificateVerify.
fn flights_to_proof(connection: &Connection) -> Option<usize> {
    let transcript = &connection.transcript;
    let mut entries = transcript.entries.iter();
    let proof = entries.find(|entry| {
        let message = entry.message();
        entry.from == Side::Client
            && matches!(message, Some(HandshakeMessage::CertificateVerify(_)))
    })?;
    let begun = |flight: &&reqmtls_observer::Flight| flight.at <= proof.at;
    Some(transcript.flights().iter().filter(begun).count())
}

//! What is judged, as text for people: what is violated first, what is satisfied folded to the ids.

use std::fmt::{self, Display, Write};

use reqmtls_vocabulary::Side;

use super::Count;
use crate::command::connection;
use crate::judge::{Knowledge, Party, Recorded, Ruling, Verdict};
use crate::report::counted;
use crate::report::paint::{of_verdict, painted};

/// One connection, with its rulings.
pub(in crate::command) fn judged(
    out: &mut impl Write,
    recorded: &Recorded,
    rulings: &[Ruling],
) -> fmt::Result {
    connection::describe(out, recorded)?;
    writeln!(out, "known: {}", known(&recorded.knowledge))?;
    if !recorded.is_whole() {
        writeln!(
            out,
            "not all of it can be read: what depends on the rest is not judged"
        )?;
    }
    let is_violated = |verdict: &Verdict| matches!(verdict, Verdict::Violated { .. });
    let is_tension = |verdict: &Verdict| matches!(verdict, Verdict::Tension { .. });
    group(out, "violated", rulings, is_violated)?;
    group(out, "where documents disagree", rulings, is_tension)?;
    group(out, "informational", rulings, |verdict| {
        *verdict == Verdict::Informational
    })?;
    for party in Party::ALL {
        satisfied(out, *party, rulings)?;
    }
    if rulings.is_empty() {
        writeln!(out, "no requirement can be judged")?;
    }
    Ok(())
}

fn group(
    out: &mut impl Write,
    title: &str,
    rulings: &[Ruling],
    belongs: impl Fn(&Verdict) -> bool,
) -> fmt::Result {
    let mut rulings = rulings.iter().filter(|ruling| belongs(&ruling.verdict));
    let Some(first) = rulings.next() else {
        return Ok(());
    };
    writeln!(out, "{}", painted(of_verdict(&first.verdict), title))?;
    connection::ruling(out, first)?;
    rulings.try_for_each(|ruling| connection::ruling(out, ruling))
}

fn satisfied(out: &mut impl Write, party: Party, rulings: &[Ruling]) -> fmt::Result {
    let is_satisfied =
        |ruling: &&Ruling| ruling.party == party && ruling.verdict == Verdict::Satisfied;
    let satisfied = rulings.iter().filter(is_satisfied);
    let mut ids: Vec<_> = satisfied.map(|ruling| ruling.requirement).collect();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    writeln!(out, "satisfied by the {party}: {}", ids.join(", "))
}

/// What is known beyond the octets, in the words of the options.
fn known(knowledge: &Knowledge) -> String {
    let mut words = vec![
        format!("revision {}", knowledge.revision),
        format!("flag {}", knowledge.flag),
    ];
    let mut add = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{name} {value}")));
    };
    for side in Side::BOTH {
        let end = knowledge.end(side);
        add(&format!("{side}-knows-flags"), text(end.knows_flags));
        add(&format!("{side} of provenance"), text(end.provenance));
        let misbehaves = end.misbehaves.then(|| "on purpose".to_owned());
        add(&format!("{side} breaks rules"), misbehaves);
    }
    add("server-policy", text(knowledge.policy));
    add(
        "client-has-certificate",
        text(knowledge.client_has_certificate),
    );
    add("psk", text(knowledge.psk));
    words.join(", ")
}

fn text(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The last line.
pub(super) fn summary(count: Count) -> String {
    let Count {
        judged,
        violating,
        partial,
        older: _,
    } = count;
    format!(
        "{} judged: {violating} with violations, {partial} of which not all can be read",
        counted(judged, "connection")
    )
}

//! A page for each peer: what it is, what it violates, what it does otherwise than most, and than its relatives.

use std::collections::{BTreeMap, BTreeSet};

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::collect::{Collected, Seen};
use super::findings;
use super::fold;
use super::headlines;
use super::notes::Difference;
use super::page::{Page, command, counted, foreign, text};
use super::subject::Subject;
use super::unsupported;
use crate::run::Peer;

/// What one end did in one case towards one other end.
struct Behaviour<'a> {
    seen: &'a Seen,
    peer: &'a str,
    words: String,
}

/// What all ends did in one place, and what most did, if there is one such thing.
struct Compared<'a> {
    behaviours: Vec<Behaviour<'a>>,
    usual: Option<String>,
}

/// Where ends can be compared: case, side, whether the library is unmodified, and the other end.
type Place<'a> = (usize, Side, bool, &'a str);

/// What two ends do in the same place: words of the one and of the other, why, and in which cases of which side.
type Otherwise = BTreeMap<(Side, String, String, String), BTreeSet<usize>>;

/// Every peer's page, by its name.
pub(super) fn peer_pages(subject: &Subject, run: &Collected) -> Vec<(String, String)> {
    let places = places(subject, run);
    let pages = run
        .peers
        .iter()
        .map(|peer| (peer.name.clone(), page(subject, run, &places, peer).0));
    pages.collect()
}

fn places<'a>(subject: &Subject, run: &'a Collected) -> BTreeMap<Place<'a>, Compared<'a>> {
    let mut places: BTreeMap<Place<'_>, Vec<Behaviour<'_>>> = BTreeMap::new();
    for seen in run.cells.iter().filter(|seen| seen.is_judged()) {
        for side in Side::BOTH {
            let Some(provenance) = seen.provenance(side) else {
                continue;
            };
            if subject.case(seen.case).self_test {
                continue;
            }
            let other = seen.player(side.peer()).label();
            let words: BTreeSet<_> = seen.signs.iter().map(|sign| sign.words(side)).collect();
            let words = words.into_iter().collect::<Vec<_>>().join(" / ");
            let is_unmodified = provenance == Provenance::Library;
            let place = (seen.case, side, is_unmodified, other);
            places.entry(place).or_default().push(Behaviour {
                seen,
                peer: &seen.player(side).peer,
                words,
            });
        }
    }
    let compared = |(place, behaviours): (_, Vec<Behaviour<'a>>)| {
        let usual = most(&behaviours).cloned();
        (place, Compared { behaviours, usual })
    };
    places.into_iter().map(compared).collect()
}

/// The numbers of the notes that stand on a page.
pub(super) fn explained(subject: &Subject, run: &Collected) -> BTreeSet<usize> {
    let places = places(subject, run);
    let family = |name: &str| {
        let mut peers = run.peers.iter();
        peers.find(|it| it.name == name).map(|it| &it.family)
    };
    let mut numbers = BTreeSet::new();
    for ((_, side, _, _), Compared { behaviours, usual }) in &places {
        for own in behaviours {
            let is_unusual = usual.as_ref().is_some_and(|words| *words != own.words);
            let is_listed = is_unusual
                || behaviours.iter().any(|other| {
                    other.words != own.words && family(other.peer) == family(own.peer)
                });
            if is_listed {
                numbers.extend(note(subject, own.seen, *side));
            }
        }
    }
    numbers
}

fn page(
    subject: &Subject,
    run: &Collected,
    places: &BTreeMap<Place<'_>, Compared<'_>>,
    peer: &Peer,
) -> Page {
    let mut page = Page::default();
    let name = &*peer.name;
    page.line(format_args!(
        "# {name}\n\n{}. Written by `{}`.\n",
        foreign(&peer.description.library),
        command(run, "")
    ));
    page.line(format_args!("{}", peer.about.trim_end()));
    for (what, of_ours) in [("Glue", &peer.glue), ("Patch", &peer.patch)] {
        if let Some(of_ours) = of_ours {
            page.line(format_args!("\n{what}: {}.", text(of_ours)));
        }
    }
    page.line(format_args!("\n## In short\n"));
    headlines::of_peer(&mut page, subject, run, name);
    page.line(format_args!("\n## What it violates"));
    findings::of_peer(&mut page, subject, run, name);
    page.line(format_args!("\n## What it does otherwise than most\n"));
    let otherwise = compare(subject, places, name, |it| it.usual.as_ref());
    write(&mut page, subject, &otherwise, "most");
    let relatives = run
        .peers
        .iter()
        .filter(|it| it.family == peer.family && it.name != name);
    for relative in relatives {
        page.line(format_args!(
            "\n## What it does otherwise than {} ({})\n",
            relative.name,
            foreign(&relative.description.library)
        ));
        let otherwise = compare(subject, places, name, |it| {
            let mut behaviours = it.behaviours.iter();
            let behaviour = behaviours.find(|behaviour| behaviour.peer == relative.name)?;
            Some(&behaviour.words)
        });
        write(&mut page, subject, &otherwise, &relative.name);
        let abilities = |it: &Peer| -> BTreeSet<String> {
            let names = it
                .description
                .capabilities
                .iter()
                .map(|(name, _)| name.to_owned());
            names.collect()
        };
        let (own, others) = (abilities(peer), abilities(relative));
        for (who, has) in [
            ("It alone can", own.difference(&others)),
            ("It cannot", others.difference(&own)),
        ] {
            let names: Vec<_> = has.map(|name| format!("`{name}`")).collect();
            if !names.is_empty() {
                page.line(format_args!("* {who}: {}", names.join(", ")));
            }
        }
    }
    page.line(format_args!("\n## What it lacks\n"));
    unsupported::of_peer(&mut page, subject, run, name);
    page
}

/// What the greatest number of ends did, if there is one such.
fn most<'a>(behaviours: &'a [Behaviour<'_>]) -> Option<&'a String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for behaviour in behaviours {
        *counts.entry(&behaviour.words).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    let mut first = counts.iter().filter(|(_, count)| **count == most);
    match (first.next(), first.next()) {
        (Some((words, _)), None) => Some(words),
        _ => None,
    }
}

/// Where a peer does otherwise than `other` says.
fn compare<'a>(
    subject: &Subject,
    places: &'a BTreeMap<Place<'_>, Compared<'_>>,
    name: &str,
    other: impl Fn(&'a Compared<'_>) -> Option<&'a String>,
) -> Otherwise {
    let mut otherwise = Otherwise::new();
    for ((case, side, _, _), compared) in places {
        let mut behaviours = compared.behaviours.iter();
        let Some(own) = behaviours.find(|behaviour| behaviour.peer == name) else {
            continue;
        };
        let Some(words) = other(compared).filter(|words| **words != own.words) else {
            continue;
        };
        let why = why(subject, own.seen, *side);
        let key = (*side, own.words.clone(), words.clone(), why);
        otherwise.entry(key).or_default().insert(*case);
    }
    otherwise
}

/// Why a side does so, as far as that is noted.
fn why(subject: &Subject, seen: &Seen, side: Side) -> String {
    if let Some(known) = known(seen, side) {
        return known.to_owned();
    }
    note(subject, seen, side)
        .map(|number| &subject.notes().differences[number])
        .map_or_else(|| "not explained yet".to_owned(), Difference::why)
}

/// Why a side does so, where that is a known deviation.
fn known(seen: &Seen, side: Side) -> Option<&str> {
    let mut own = seen.findings.iter().filter(|it| it.party == side.into());
    own.find_map(|finding| finding.known.as_deref())
}

/// The number of the note on what a side does, unless it is a known deviation.
fn note(subject: &Subject, seen: &Seen, side: Side) -> Option<usize> {
    if known(seen, side).is_some() {
        return None;
    }
    let case = &subject.case(seen.case).id;
    let peer = &*seen.player(side).peer;
    let mut notes = subject.notes().differences.iter();
    notes.position(|note| note.matches(case, side) && note.is_about(peer))
}

fn write(page: &mut Page, subject: &Subject, otherwise: &Otherwise, than: &str) {
    if otherwise.is_empty() {
        page.line(format_args!("Nothing."));
    }
    for ((side, own, others, why), cases) in otherwise {
        let cases: Vec<_> = cases.iter().copied().collect();
        page.line(format_args!(
            "* as {side}, in {}: **{own}**; {than}: {others}\n  * {}\n  * why: {}",
            counted(cases.len(), "case"),
            fold::cases(subject, &cases),
            text(why)
        ));
    }
}

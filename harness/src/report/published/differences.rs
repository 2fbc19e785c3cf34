//! Where implementations differ, though each may: who does what most do, who otherwise, and what permits it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::collect::{Collected, Kind, Seen};
use super::fold;
use super::notes::Difference;
use super::page::{Page, alone, counted, sentence, text, whose};
use super::peer_pages;
use super::sign::{BYPASSED, Sign};
use super::subject::Subject;

/// Cases in which the same peers of one side split in the same way.
struct Split<'a> {
    scenario: usize,
    side: Side,
    /// What each peer did.
    signs: BTreeMap<&'a str, Vec<Sign>>,
    provenances: BTreeMap<&'a str, BTreeSet<Provenance>>,
    cases: BTreeSet<usize>,
    note: Option<usize>,
    /// A cell that shows what a minority did.
    example: &'a Seen,
}

impl Split<'_> {
    fn is_bypassed(&self) -> bool {
        self.signs.values().flatten().any(|sign| sign.bypassed)
    }
}

pub(super) fn differences(page: &mut Page, subject: &Subject, run: &Collected) {
    page.line(format_args!(
        "\n## Where implementations differ, though each may\n"
    ));
    page.line(format_args!(
        "Ends of the same side in the same case towards the same other end, without findings. Of each: what most do, \
         who does otherwise, whose behaviour that is, and which sentence permits it."
    ));
    bypassed(page, subject, run);
    let mut topics: Vec<Vec<Split<'_>>> = Vec::new();
    for split in splits(subject, run) {
        let about = |split: &Split<'_>| (split.scenario, split.side, split.note);
        match topics.iter_mut().find(|it| about(&it[0]) == about(&split)) {
            Some(topic) => topic.push(split),
            None => topics.push(vec![split]),
        }
    }
    topics.sort_by_key(|topic| (!topic.iter().any(Split::is_bypassed), topic[0].scenario));
    if topics.is_empty() {
        page.line(format_args!("\nThey differ nowhere."));
    }
    for topic in &topics {
        write(page, subject, run, topic);
    }
}

/// The notes that explain nothing that this run shows, though their cases belong to its revision.
pub(super) fn unused(subject: &Subject, run: &Collected) -> Vec<String> {
    let mut used = peer_pages::explained(subject, run);
    used.extend(splits(subject, run).iter().filter_map(|split| split.note));
    let notes = subject.notes().differences.iter();
    let is_ours = |note: &Difference| {
        let mut cases = subject.cases();
        cases.any(|case| note.matches(&case.id, note.side))
    };
    (0..)
        .zip(notes)
        .filter(|(number, note)| !used.contains(number) && is_ours(note))
        .map(|(number, note)| {
            let cases = note.patterns.join(", ");
            format!(
                "[[difference]] number {} ({cases}) explains no difference of this run",
                number + 1
            )
        })
        .collect()
}

/// Who completes without authentication although the policy requires a certificate.
fn bypassed(page: &mut Page, subject: &Subject, run: &Collected) {
    let mut found: BTreeMap<(Provenance, usize, &str), Vec<&Seen>> = BTreeMap::new();
    for seen in &run.cells {
        let is_bypassed = seen.signs.iter().any(|sign| sign.bypassed);
        let is_published = !subject.case(seen.case).self_test;
        if let (true, true, Some(provenance)) =
            (is_published, is_bypassed, seen.provenance(Side::Server))
        {
            let peer = &*seen.player(Side::Server).peer;
            let key = (provenance, subject.place(peer), peer);
            found.entry(key).or_default().push(seen);
        }
    }
    if found.is_empty() {
        return;
    }
    page.line(format_args!(
        "\n### {BYPASSED} Completed without authentication, though the policy requires a certificate of this client\n"
    ));
    for ((provenance, _, peer), cells) in found {
        let mut cases: Vec<_> = cells.iter().map(|seen| seen.case).collect();
        cases.dedup();
        page.line(format_args!(
            "* **{}**: {} in {}. `{}`",
            whose(&[peer], provenance),
            counted(cells.len(), "cell"),
            fold::cases(subject, &cases),
            alone(subject, run, cells[0])
        ));
    }
}

fn splits<'a>(subject: &Subject, run: &'a Collected) -> Vec<Split<'a>> {
    let mut splits: Vec<Split<'a>> = Vec::new();
    // The ends of a side in one case, by the other end.
    let mut ends: BTreeMap<(usize, Side, &str), Vec<&Seen>> = BTreeMap::new();
    for seen in run.cells.iter().filter(|seen| seen.is_judged()) {
        for side in Side::BOTH {
            let is_comparable = seen.provenance(side).is_some()
                && !seen.is_blamed(side)
                && !is_torn(seen, side)
                && !subject.case(seen.case).self_test;
            if is_comparable {
                let other = seen.player(side.peer()).label();
                let key = (seen.case, side, other);
                ends.entry(key).or_default().push(seen);
            }
        }
    }
    for ((case, side, _), cells) in ends {
        let signs: BTreeMap<&str, Vec<Sign>> = cells
            .iter()
            .map(|seen| (&*seen.player(side).peer, seen.signs.to_vec()))
            .collect();
        let distinct: BTreeSet<_> = signs.values().collect();
        if distinct.len() < 2 {
            continue;
        }
        let id = &subject.case(case).id;
        let mut notes = subject.notes().differences.iter();
        let note = notes.position(|note| note.matches(id, side));
        let scenarios = subject.scenarios().iter();
        let scenario = scenarios.take_while(|it| it.id != id.scenario()).count();
        let is_same = |split: &Split<'_>| {
            (split.scenario, split.side, split.note) == (scenario, side, note)
                && split.signs == signs
        };
        let place = splits.iter().position(is_same);
        let place = place.unwrap_or_else(|| {
            splits.push(Split {
                scenario,
                side,
                example: minority(&cells),
                signs: signs.clone(),
                provenances: BTreeMap::new(),
                cases: BTreeSet::new(),
                note,
            });
            splits.len() - 1
        });
        let split = &mut splits[place];
        split.cases.insert(case);
        for seen in cells {
            let of = split.provenances.entry(&seen.player(side).peer);
            of.or_default().extend(seen.provenance(side));
        }
    }
    splits
}

/// Whether what a side did follows one document against another: that has a chapter of its own.
fn is_torn(seen: &Seen, side: Side) -> bool {
    let mut rulings = seen.rulings.iter();
    rulings.any(|brief| brief.party == side.into() && matches!(brief.kind, Kind::Tension { .. }))
}

/// A cell that goes on without the authentication that is required, or else one with what the fewest peers do.
fn minority<'a>(cells: &[&'a Seen]) -> &'a Seen {
    let mut counts: HashMap<&[Sign], usize> = HashMap::new();
    for seen in cells {
        *counts.entry(&seen.signs).or_default() += 1;
    }
    let rarest = cells.iter().rev().min_by_key(|seen| {
        let is_bypassed = seen.signs.iter().any(|sign| sign.bypassed);
        (!is_bypassed, counts[&*seen.signs])
    });
    rarest.expect("a split has cells")
}

/// Splits of one scenario and side that have one explanation, or none.
fn write(page: &mut Page, subject: &Subject, run: &Collected, topic: &[Split<'_>]) {
    let Split {
        scenario,
        side,
        note,
        ..
    } = topic[0];
    let is_bypassed = topic.iter().any(Split::is_bypassed);
    let mark = if is_bypassed {
        format!("{BYPASSED} ")
    } else {
        String::new()
    };
    let title = &subject.scenarios()[scenario].title;
    page.line(format_args!("\n### {mark}{title}: {side}s\n"));
    for split in topic {
        write_split(page, subject, run, split);
    }
    let Some(note) = note.map(|note| &subject.notes().differences[note]) else {
        page.line(format_args!("* why: not explained yet"));
        return;
    };
    for id in &note.permits {
        page.line(format_args!("* documents: {}", sentence(*id)));
    }
    for section in &note.sections {
        page.line(format_args!("* documents: {section}"));
    }
    page.line(format_args!("* why: {}", text(&note.why())));
}

fn write_split(page: &mut Page, subject: &Subject, run: &Collected, split: &Split<'_>) {
    let cases: Vec<usize> = split.cases.iter().copied().collect();
    page.line(format_args!("* {}", fold::cases(subject, &cases)));
    let mut classes: Vec<(&Vec<Sign>, Vec<&str>)> = Vec::new();
    for (peer, signs) in &split.signs {
        match classes.iter_mut().find(|(others, _)| *others == signs) {
            Some((_, peers)) => peers.push(peer),
            None => classes.push((signs, vec![peer])),
        }
    }
    for (_, peers) in &mut classes {
        peers.sort_by_key(|peer| subject.place(peer));
    }
    classes.sort_by_key(|(_, peers)| (usize::MAX - peers.len(), subject.place(peers[0])));
    let most = classes[0].1.len();
    let is_tied = classes.len() > 1 && classes[1].1.len() == most;
    for (signs, peers) in &classes {
        let role = match (is_tied, peers.len() == most) {
            (true, _) => "one way",
            (false, true) => "most",
            (false, false) => "otherwise",
        };
        let words: Vec<_> = signs.iter().map(|sign| sign.words(split.side)).collect();
        let who: Vec<_> = peers
            .iter()
            .map(|peer| {
                let of = split.provenances[peer].iter();
                let of: Vec<_> = of.map(|provenance| provenance.as_str()).collect();
                format!("{peer} ({})", of.join(", "))
            })
            .collect();
        let who = who.join(", ");
        page.line(format_args!("  * {role}: {who}: {}", words.join(" / ")));
    }
    page.line(format_args!("  * `{}`", alone(subject, run, split.example)));
}

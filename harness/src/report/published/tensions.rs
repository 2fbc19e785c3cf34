//! Where documents disagree: which sentence each implementation follows.

use reqmtls_contract::Provenance;

use super::collect::{Collected, Kind, Seen};
use super::page::{Page, alone, counted, sentence, whose};
use super::subject::Subject;
use crate::judge::Party;
use crate::judge::requirement::Id;

/// What an end did that follows one sentence against another.
struct Choice<'a> {
    party: Party,
    peer: &'a str,
    provenance: Option<Provenance>,
    follows: Id,
    got: &'a str,
    seen: Vec<&'a Seen>,
}

pub(super) fn tensions(page: &mut Page, subject: &Subject, run: &Collected) {
    page.line(format_args!("\n## Where documents disagree\n"));
    page.line(format_args!(
        "And whom each implementation follows. An alert that answers the well-formed value as well shows nothing \
         about a malformed one, and is not counted."
    ));
    let mut pairs: Vec<([Id; 2], Vec<Choice<'_>>)> = Vec::new();
    let published = |seen: &&Seen| !subject.case(seen.case).self_test;
    for seen in run.cells.iter().filter(published) {
        for brief in &*seen.rulings {
            let Kind::Tension { follows, against } = brief.kind else {
                continue;
            };
            let pair = [follows.min(against), follows.max(against)];
            let at = pairs.iter().position(|(other, _)| *other == pair);
            let at = at.unwrap_or_else(|| {
                pairs.push((pair, Vec::new()));
                pairs.len() - 1
            });
            let choices = &mut pairs[at].1;
            let side = brief.party.side();
            let peer = side.map_or("", |side| &*seen.player(side).peer);
            let got = brief.got.as_deref().unwrap_or_default();
            let provenance = side.and_then(|side| seen.provenance(side));
            let key = (brief.party, peer, provenance, follows, got);
            let of =
                |it: &Choice<'_>| (it.party, it.peer, it.provenance, it.follows, it.got) == key;
            match choices.iter_mut().find(|choice| of(choice)) {
                // Two requirements of one cell may say the same.
                Some(choice) if choice.seen.last().is_some_and(|it| std::ptr::eq(*it, seen)) => {}
                Some(choice) => choice.seen.push(seen),
                None => choices.push(Choice {
                    party: brief.party,
                    peer,
                    provenance,
                    follows,
                    got,
                    seen: vec![seen],
                }),
            }
        }
    }
    pairs.sort_by_key(|(pair, _)| *pair);
    for ([one, other], mut choices) in pairs {
        page.line(format_args!("\n### {one} and {other}\n"));
        page.line(format_args!("* {}\n* {}\n", sentence(one), sentence(other)));
        page.line(format_args!(
            "| who | follows | by | shown by |\n| --- | --- | --- | --- |"
        ));
        choices.sort_by_key(|it| (it.provenance, it.party, subject.place(it.peer), it.follows));
        for choice in &choices {
            // An end that misbehaves on purpose shows nobody's choice.
            let Some(provenance) = choice.provenance else {
                continue;
            };
            page.line(format_args!(
                "| {}, {} | **{}** | {} | {}, `{}` |",
                whose(&[choice.peer], provenance),
                choice.party,
                choice.follows,
                choice.got,
                counted(choice.seen.len(), "cell"),
                alone(subject, run, choice.seen[0]),
            ));
        }
    }
}

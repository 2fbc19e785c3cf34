//! The questions that matter most, answered from the cells: the README's findings and those of the matrix are
//! these.

use std::collections::{BTreeMap, BTreeSet};

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::collect::Collected;
use super::notes::Headline;
use super::page::{Page, command, whose};
use super::sign::Sign;
use super::subject::Subject;

/// What ends of one provenance do.
pub(super) struct Answer {
    pub(super) provenance: Provenance,
    /// `unmodified openssl: alert …`
    pub(super) text: String,
}

/// The questions that this run asks, with their answers: unmodified libraries first.
pub(super) fn answered<'a>(
    subject: &'a Subject,
    run: &Collected,
) -> impl Iterator<Item = (&'a Headline, Vec<Answer>)> {
    let headlines = subject.notes().headlines.iter();
    let answered = headlines.map(|headline| (headline, answers(subject, run, headline)));
    answered
        .filter(|(_, answers)| !answers.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

/// What each peer that `is_wanted` did in the cases of a headline, as `show` puts it.
fn done<'a>(
    subject: &Subject,
    run: &'a Collected,
    headline: &Headline,
    is_wanted: impl Fn(&str) -> bool,
    show: impl Fn(Sign, Side) -> String,
) -> BTreeMap<(Provenance, usize, &'a str), BTreeSet<String>> {
    let mut done: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for seen in &run.cells {
        let side = headline.side;
        let peer = &*seen.player(side).peer;
        if !is_wanted(peer) {
            continue;
        }
        let case = subject.case(seen.case);
        let (true, Some(provenance)) = (headline.matches(&case.id), seen.provenance(side)) else {
            continue;
        };
        if !seen.is_judged() || case.self_test {
            continue;
        }
        let shown = seen.signs.iter().map(|sign| show(*sign, side));
        let key = (provenance, subject.place(peer), peer);
        done.entry(key).or_default().extend(shown);
    }
    done
}

fn answers(subject: &Subject, run: &Collected, headline: &Headline) -> Vec<Answer> {
    let done = done(subject, run, headline, |_| true, Sign::words);
    let mut alike: Vec<(Provenance, BTreeSet<String>, Vec<&str>)> = Vec::new();
    for ((provenance, _, peer), words) in done {
        let same = |it: &&mut (Provenance, BTreeSet<String>, Vec<&str>)| {
            it.0 == provenance && it.1 == words
        };
        match alike.iter_mut().find(same) {
            Some((_, _, peers)) => peers.push(peer),
            None => alike.push((provenance, words, vec![peer])),
        }
    }
    let alike = alike.into_iter();
    alike
        .map(|(provenance, words, peers)| answer(provenance, &peers, words))
        .collect()
}

fn answer(provenance: Provenance, peers: &[&str], words: BTreeSet<String>) -> Answer {
    let words: Vec<_> = words.into_iter().collect();
    Answer {
        provenance,
        text: format!("{}: {}", whose(peers, provenance), words.join(", or ")),
    }
}

/// The answers about ends of a provenance.
pub(super) fn of_ends(page: &mut Page, subject: &Subject, run: &Collected, of: Provenance) {
    for (headline, answers) in answered(subject, run) {
        let answers: Vec<_> = answers
            .iter()
            .filter(|answer| answer.provenance == of)
            .map(|answer| &*answer.text)
            .collect();
        if !answers.is_empty() {
            line(page, run, headline, &answers);
        }
    }
}

/// The answers about a peer.
pub(super) fn of_peer(page: &mut Page, subject: &Subject, run: &Collected, name: &str) {
    for headline in &subject.notes().headlines {
        let done = done(subject, run, headline, |peer| peer == name, Sign::words);
        let answers: Vec<_> = done
            .into_iter()
            .map(|((provenance, _, peer), words)| answer(provenance, &[peer], words))
            .collect();
        let answers: Vec<_> = answers.iter().map(|answer| &*answer.text).collect();
        if !answers.is_empty() {
            line(page, run, headline, &answers);
        }
    }
}

/// The README's findings: a table of all peers, with a column for each question that has a short form.
/// `pages` is where the peers' pages are, seen from the table.
pub(super) fn table(subject: &Subject, run: &Collected, pages: &str) -> String {
    let asked: Vec<(&str, BTreeMap<&str, String>)> = subject
        .notes()
        .headlines
        .iter()
        .filter_map(|headline| Some((headline.short.as_deref()?, cells(subject, run, headline))))
        .filter(|(_, cells)| !cells.is_empty())
        .collect();
    let mut page = Page::default();
    if asked.is_empty() {
        return page.0;
    }
    let row = |page: &mut Page, cells: &mut dyn Iterator<Item = String>| {
        page.line(format_args!(
            "| {} |",
            cells.collect::<Vec<_>>().join(" | ")
        ));
    };
    let heads = asked.iter().map(|(head, _)| (*head).to_owned());
    row(
        &mut page,
        &mut std::iter::once("peer".to_owned()).chain(heads),
    );
    row(&mut page, &mut (0..=asked.len()).map(|_| "---".to_owned()));
    for peer in &run.peers {
        let of_peer = asked.iter().map(|(_, cells)| {
            let cell = cells.get(&*peer.name);
            cell.map_or_else(|| "–".to_owned(), Clone::clone)
        });
        let name = format!("[{}]({pages}/{}.md)", peer.name, peer.name);
        row(&mut page, &mut std::iter::once(name).chain(of_peer));
    }
    page.0
}

/// What each peer did, by its name; marked where it is not the unmodified library's.
fn cells<'a>(
    subject: &Subject,
    run: &'a Collected,
    headline: &Headline,
) -> BTreeMap<&'a str, String> {
    let mut cells: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((provenance, _, peer), shown) in done(subject, run, headline, |_| true, Sign::short) {
        let mark = match provenance {
            Provenance::Library => "",
            Provenance::Glue => " ᵍ",
            Provenance::Patch => " ᵖ",
            Provenance::Reference => " ʳ",
        };
        let shown: Vec<_> = shown.into_iter().collect();
        let cell = format!("{}{mark}", shown.join(" or "));
        cells.entry(peer).or_default().push(cell);
    }
    let joined = |(peer, cells): (_, Vec<String>)| (peer, cells.join(", "));
    cells.into_iter().map(joined).collect()
}

fn line(page: &mut Page, run: &Collected, headline: &Headline, answers: &[&str]) {
    page.line(format_args!(
        "* **{}**: {}. `{}`",
        headline.question,
        answers.join("; "),
        command(run, &headline.pattern)
    ));
}

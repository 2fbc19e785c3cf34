//! The questions that matter most, answered from the cells: the README's findings and those of the matrix are
//! these.

use std::collections::{BTreeMap, BTreeSet};

use reqmtls_contract::Provenance;

use super::collect::Collected;
use super::notes::Headline;
use super::page::{Page, command, whose};
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

fn answers(subject: &Subject, run: &Collected, headline: &Headline) -> Vec<Answer> {
    let mut done: BTreeMap<(Provenance, usize, &str), BTreeSet<String>> = BTreeMap::new();
    for seen in &run.cells {
        let side = headline.side;
        let case = subject.case(seen.case);
        let (true, Some(provenance)) = (headline.matches(&case.id), seen.provenance(side)) else {
            continue;
        };
        if !seen.is_judged() || case.self_test {
            continue;
        }
        let peer = &*seen.player(side).peer;
        let words = seen.signs.iter().map(|sign| sign.words(side));
        let key = (provenance, subject.place(peer), peer);
        done.entry(key).or_default().extend(words);
    }
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
    let answer = |(provenance, words, peers): (Provenance, BTreeSet<String>, Vec<&str>)| {
        let words: Vec<_> = words.into_iter().collect();
        Answer {
            provenance,
            text: format!("{}: {}", whose(&peers, provenance), words.join(", or ")),
        }
    };
    alike.into_iter().map(answer).collect()
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
            line(page, subject, headline, &answers);
        }
    }
}

/// The README's findings.
pub(super) fn findings(subject: &Subject, run: &Collected) -> String {
    let mut page = Page::default();
    for (headline, answers) in answered(subject, run) {
        let answers: Vec<_> = answers.iter().map(|answer| &*answer.text).collect();
        line(&mut page, subject, headline, &answers);
    }
    page.0
}

fn line(page: &mut Page, subject: &Subject, headline: &Headline, answers: &[&str]) {
    page.line(format_args!(
        "* **{}**: {}. `{}`",
        headline.question,
        answers.join("; "),
        command(subject.revision(), &headline.pattern)
    ));
}

//! What violates a requirement or an expectation: whose behaviour it is, where it shows, why if that is known.

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::collect::{Collected, Seen};
use super::fold;
use super::page::{Page, alone, counted, links, text, whose};
use super::subject::Subject;
use crate::judge::{Finding, Party};

/// Findings that say the same of the same end.
struct Group<'a> {
    peer: Option<&'a str>,
    finding: &'a Finding,
    seen: Vec<&'a Seen>,
}

/// The findings about ends of a provenance.
pub(super) fn of_ends(page: &mut Page, subject: &Subject, run: &Collected, of: Provenance) {
    let groups = groups(subject, run, |_, finding| finding.provenance == Some(of));
    if groups.is_empty() {
        page.line(format_args!("\nNo findings."));
        return;
    }
    page.line(format_args!("\nFindings:\n"));
    for group in &groups {
        let peer = group.peer.unwrap_or_default();
        let who = format!("**{}** as {}", whose(&[peer], of), group.finding.party);
        write(page, subject, run, group, &who);
    }
}

/// The findings about a peer, whatever shows them.
pub(super) fn of_peer(page: &mut Page, subject: &Subject, run: &Collected, name: &str) {
    let groups = groups(subject, run, |peer, _| peer == Some(name));
    page.line(format_args!(""));
    if groups.is_empty() {
        page.line(format_args!("Nothing that was looked at."));
    }
    for group in groups {
        let of = group.finding.provenance.unwrap_or(Provenance::Glue);
        let who = format!("**{}** as {}", whose(&[name], of), group.finding.party);
        write(page, subject, run, &group, &who);
    }
}

/// The findings about documents.
pub(super) fn of_documents(page: &mut Page, subject: &Subject, run: &Collected) {
    let groups = groups(subject, run, |_, finding| finding.party == Party::Documents);
    for group in &groups {
        write(page, subject, run, group, "**the documents**");
    }
    if groups.is_empty() {
        page.line(format_args!("None."));
    }
}

fn groups<'a>(
    subject: &Subject,
    run: &'a Collected,
    is_wanted: impl Fn(Option<&str>, &Finding) -> bool,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let published = |seen: &&Seen| !subject.case(seen.case).self_test;
    for seen in run.cells.iter().filter(published) {
        for finding in &seen.findings {
            let peer = finding.party.side().map(|side| &*seen.player(side).peer);
            if !is_wanted(peer, finding) {
                continue;
            }
            let is_alike = |group: &&mut Group<'_>| {
                group.peer == peer && says_the_same(group.finding, finding)
            };
            match groups.iter_mut().find(is_alike) {
                Some(group) => group.seen.push(seen),
                None => groups.push(Group {
                    peer,
                    finding,
                    seen: vec![seen],
                }),
            }
        }
    }
    groups
}

fn says_the_same(one: &Finding, other: &Finding) -> bool {
    let about = |it: &Finding| (it.party, it.provenance, it.inferred);
    about(one) == about(other)
        && one.requirements == other.requirements
        && (&one.got, &one.expected, &one.known) == (&other.got, &other.expected, &other.known)
}

fn write(page: &mut Page, subject: &Subject, run: &Collected, group: &Group<'_>, who: &str) {
    let Finding {
        requirements,
        message,
        got,
        expected,
        inferred,
        known,
        ..
    } = group.finding;
    let ids = if requirements.is_empty() {
        "peer contract".to_owned()
    } else {
        links(requirements)
    };
    let inferred = if *inferred {
        " This is a conclusion of this project, in no document."
    } else {
        ""
    };
    page.line(format_args!(
        "* {who} ({ids}): {got}; expected {expected}. {}.{inferred}",
        counted(group.seen.len(), "cell")
    ));
    let mut cases: Vec<usize> = group.seen.iter().map(|seen| seen.case).collect();
    cases.dedup();
    page.line(format_args!("  * cases: {}", fold::cases(subject, &cases)));
    if let Some(message) = message {
        page.line(format_args!("  * shown by: `{}`", message.trim_end()));
    }
    if let Some(known) = known {
        page.line(format_args!("  * why: {}", text(known)));
    } else if group.finding.party.side().is_some() {
        page.line(format_args!("  * why: not known yet"));
    }
    page.line(format_args!("  * `{}`", alone(subject, run, group.seen[0])));
}

/// How many cells show an end of a provenance, and in how many of them it has a finding.
pub(super) fn count(subject: &Subject, run: &Collected, of: Provenance) -> (usize, usize) {
    let shows = |seen: &Seen, side| seen.provenance(side) == Some(of);
    let of_cells = run.cells.iter().filter(|seen| {
        seen.is_judged()
            && !subject.case(seen.case).self_test
            && Side::BOTH.into_iter().any(|side| shows(seen, side))
    });
    let cells: Vec<_> = of_cells.collect();
    let blamed = cells.iter().filter(|seen| {
        let mut sides = Side::BOTH.into_iter();
        sides.any(|side| shows(seen, side) && seen.is_blamed(side))
    });
    (cells.len(), blamed.count())
}

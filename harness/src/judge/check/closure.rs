//! How a connection ends (RFC 8446 §6).

use super::answer::{from, name};
use super::{Shown, Verdict, View};
use reqmtls_observer::{Content, Ending, Reason, Side};

/// TLS-10, for each side that spoke: after its fatal alert it sends nothing more; after a fatal alert of
/// either side it closes; and without one it sends `close_notify` before it closes. What it
/// had under way when the other end's alert came is not held against it.
pub(in crate::judge) fn closes(view: &View<'_>) -> Vec<Shown> {
    let sides = Side::BOTH.into_iter();
    sides.filter_map(|side| closing(view, side)).collect()
}

fn closing(view: &View<'_>, side: Side) -> Option<Shown> {
    view.entries(side).next()?;
    let alerts = || {
        view.entries(side).filter_map(|entry| match entry.content {
            Content::Alert(alert) if alert.is_last(view.transcript.version) => Some((entry, alert)),
            _ => None,
        })
    };
    let mut defects = view.transcript.defects.iter();
    if defects.any(|defect| defect.side == side && defect.reason == Reason::AfterEnd) {
        let (entry, alert) = alerts().next()?;
        let got = format!("records after {}", name(alert.description));
        return Some(Shown::violated(view, side, entry, got, "none"));
    }
    let is_open = view.transcript.ending(side) == Ending::Open;
    let fatal = view.fatal(side).map(|found| (side, found));
    let received = view.fatal(side.peer()).map(|found| (side.peer(), found));
    if let Some((sender, (entry, alert))) = fatal.or(received) {
        let alert = from(alert, sender);
        return Some(if is_open {
            let got = format!("the {} still open after {alert}", side.name());
            Shown::violated(view, side, entry, got, "its direction closed")
        } else {
            Shown::satisfied(view, side, entry, format!("closed after {alert}"))
        });
    }
    if let Some(entry) = view.close_notify(side) {
        return Some(Shown::satisfied(view, side, entry, "close_notify"));
    }
    if is_open || view.is_unreadable(side) {
        return None;
    }
    let expected = "close_notify before its direction closes".to_owned();
    let verdict = Verdict::Violated { expected };
    let got = format!("an end of the {} without close_notify", side.name());
    Some(Shown::of(view, side, verdict, None, got))
}

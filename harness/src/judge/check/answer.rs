//! How a side answered what it must not accept.

use super::offence::{Demand, Fault, Offence, is_after_handshake, offence};
use super::view::Sent;
use super::{Shown, Verdict, View, tension};
use reqmtls_observer::{Alert, AlertDescription, Ending, Entry, Epoch, Side};

/// What a side did after it received a message.
pub(super) enum Answer<'a> {
    /// It sent this fatal alert, its first.
    Alert(&'a Entry, Alert),
    /// It went on.
    WentOn,
    /// It ended without an alert.
    Ended,
    /// The transcript does not tell: it may not have seen the message, or its answer cannot be read.
    Unknown,
}

/// What a side did after it received a message of TLS 1.3.
///
/// A transcript's order does not tell what came first in two directions, so an alert is held to be
/// the answer unless the side sent it too early, or sent data although the handshake had to end.
pub(in crate::judge) fn answer<'a>(view: &View<'a>, receiver: Side, sent: Sent<'_>) -> Answer<'a> {
    let late = is_after_handshake(sent);
    let went_on = if late {
        view.close_notify(receiver).is_some()
    } else {
        view.sent_data(receiver) || has_finished_after(view, receiver, sent)
    };
    match view.fatal(receiver) {
        Some((entry, _)) if late && entry.epoch != Epoch::Application => Answer::Unknown,
        Some(_) if !late && view.sent_data(receiver) => Answer::WentOn,
        Some((entry, alert)) => Answer::Alert(entry, alert),
        None if view.is_unreadable(receiver) => Answer::Unknown,
        None if went_on => Answer::WentOn,
        None if view.fatal(receiver.peer()).is_some() => Answer::Unknown,
        None if view.transcript.ending(receiver) == Ending::Open => Answer::Unknown,
        None => Answer::Ended,
    }
}

/// Whether the receiver's Finished shows that it accepted a message: its own comes after all that
/// the other end sent before, but the server's comes before the client's Certificate.
fn has_finished_after(view: &View<'_>, receiver: Side, sent: Sent<'_>) -> bool {
    let follows = receiver == Side::Client || sent.entry.epoch == Epoch::Plaintext;
    follows && view.finished(receiver).is_some()
}

/// How strictly a document asks for its alert.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// "MUST generate a fatal alert": an end without one breaks it.
    Generate,
    /// "MUST terminate with an alert": the alert has to be this one if any is sent (RFC 8446 §6.2).
    Terminate,
}

/// Holds both receivers to the alert that a fault in the first offending message calls for.
pub(in crate::judge) fn held(view: &View<'_>, fault: Fault, manner: Manner) -> Vec<Shown> {
    let sides = Side::BOTH.into_iter();
    sides
        .filter_map(|receiver| {
            let offence = offence(view, receiver)?;
            if !offence.faults.contains(&fault) {
                return None;
            }
            hold(view, receiver, &offence, fault, manner)
        })
        .collect()
}

fn hold(
    view: &View<'_>,
    receiver: Side,
    offence: &Offence<'_>,
    fault: Fault,
    manner: Manner,
) -> Option<Shown> {
    // Who sees an extension twice may stop there, and no document says with which alert.
    if offence.faults.contains(&Fault::Duplicate) {
        return tell(view, receiver, offence.sent);
    }
    let wanted: Vec<_> = fault.demands().iter().map(|(it, _)| name(*it)).collect();
    let expected = format!("{} from the {}", wanted.join(" or "), receiver.name());
    let entry = offence.sent.entry;
    Some(match answer(view, receiver, offence.sent) {
        Answer::Unknown => return None,
        Answer::Alert(at, alert) => {
            let verdict = match weigh(alert.description, fault, &offence.faults) {
                Weight::Right => Verdict::Satisfied,
                Weight::Between(follows, against) => tension(follows, against),
                Weight::Wrong => Verdict::Violated { expected },
            };
            Shown::of(view, receiver, verdict, Some(at), from(alert, receiver))
        }
        Answer::Ended if manner == Manner::Terminate => {
            Shown::informational(view, receiver, entry, silence(receiver))
        }
        Answer::Ended => Shown::violated(view, receiver, entry, silence(receiver), expected),
        Answer::WentOn => Shown::violated(view, receiver, entry, going_on(receiver), expected),
    })
}

/// What an alert is worth as the answer to a message.
enum Weight {
    /// It is the one that is demanded.
    Right,
    /// The first requirement demands it, the second demands another.
    Between(&'static str, &'static str),
    /// Nothing demands it.
    Wrong,
}

/// Weighs an alert as the answer to one fault, in a message that may have others.
fn weigh(alert: AlertDescription, fault: Fault, all: &[Fault]) -> Weight {
    let own = fault.demands();
    let demands = || {
        let others = all.iter().flat_map(|fault| fault.demands());
        own.iter().chain(others)
    };
    let Some((_, follows)) = demands().find(|(wanted, _)| *wanted == alert) else {
        return Weight::Wrong;
    };
    // TF-4 names its alert; the other one of the syntax is of weight only where it was sent. TF-5
    // names none: there both readings are told.
    let is_named = own.first().is_some_and(|(wanted, _)| *wanted == alert);
    let is_settled = |demand: &Demand| fault == Fault::Length && is_named && own.contains(demand);
    match demands().find(|demand| demand.0 != alert && !is_settled(demand)) {
        Some((_, against)) => Weight::Between(follows, against),
        None => Weight::Right,
    }
}

/// What a receiver did, where no document says what it has to do.
pub(in crate::judge) fn tell(view: &View<'_>, receiver: Side, sent: Sent<'_>) -> Option<Shown> {
    let entry = sent.entry;
    Some(match answer(view, receiver, sent) {
        Answer::Unknown => return None,
        Answer::Alert(at, alert) => Shown::informational(view, receiver, at, from(alert, receiver)),
        Answer::Ended => Shown::informational(view, receiver, entry, silence(receiver)),
        Answer::WentOn => Shown::informational(view, receiver, entry, going_on(receiver)),
    })
}

/// `illegal_parameter(47) from the client`
pub(in crate::judge) fn from(alert: Alert, side: Side) -> String {
    format!("{} from the {}", name(alert.description), side.name())
}

/// `illegal_parameter(47)`
pub(in crate::judge) fn name(alert: AlertDescription) -> String {
    match alert.name() {
        Some(name) => format!("{name}({})", alert.0),
        None => format!("alert {}", alert.0),
    }
}

fn silence(side: Side) -> String {
    format!("an end of the {} without an alert", side.name())
}

fn going_on(side: Side) -> String {
    format!("the {} went on", side.name())
}

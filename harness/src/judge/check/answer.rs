//! What a side did after it received a message, and what requirements say of that.

use reqmtls_observer::{Alert, AlertDescription, Content, Entry, Epoch, HandshakeMessage, Side};

use super::offence::Offence;
use super::view::Sent;
use super::{Shown, Verdict, View, tension};

/// What a side did after it received a message.
#[derive(Clone, Copy, Debug)]
pub(in crate::judge) enum Answer<'a> {
    /// It sent this error alert, its first.
    Alert(&'a Entry, Alert),
    /// It continued, as this entry shows.
    Continued(&'a Entry),
    /// It ended the connection, before the other side did and without an error alert.
    Ended,
    /// The transcript does not show it.
    Unknown,
}

/// What a side did after it received a message of TLS 1.3.
///
/// An error alert is the answer if the message was there before it and the side sent no application data in
/// between: what ends the connection late, ends it. Without one, the side continued if what it sent shows
/// that. Where the order of arrival does not decide, and where something of the side is not readable, the
/// answer is not known; nor is it where the other side was the first to end.
pub(in crate::judge) fn answer<'a>(view: &View<'a>, receiver: Side, sent: Sent<'a>) -> Answer<'a> {
    let error = view.error(receiver);
    let before = |at: &&'a Entry| error.is_none_or(|(alert, _)| precedes(at, alert));
    if let Some(proof) = proof(view, receiver, sent).filter(before) {
        return Answer::Continued(proof);
    }
    match (error, finished_past(view, receiver, sent)) {
        (Some((at, alert)), _) if sent.entry.is_complete_before(at) => Answer::Alert(at, alert),
        (None, Some(finished)) => Answer::Continued(finished),
        (None, None) if is_silent(view, receiver, sent) => Answer::Ended,
        _ => Answer::Unknown,
    }
}

/// Whether a side was the first to end, and nothing shows that it had an alert to send or to receive. After the
/// handshake, who closes in order may do so without having read the message.
fn is_silent(view: &View<'_>, side: Side, sent: Sent<'_>) -> bool {
    let is_refused = view.error(side.peer()).is_some();
    let is_in_order = sent.is_late() && view.close_notify(side).is_some();
    let is_hidden = is_refused || is_in_order || view.is_unreadable(side);
    view.ended_first() == Some(side) && !is_hidden
}

/// Whether an entry of a side was sent before another of the same side.
fn precedes(entry: &Entry, other: &Entry) -> bool {
    entry.records.start < other.records.start
}

/// What shows beyond doubt that a side accepted a message.
fn proof<'a>(view: &View<'a>, receiver: Side, sent: Sent<'a>) -> Option<&'a Entry> {
    match (receiver, sent.message) {
        _ if sent.is_late() => late_proof(view, receiver, sent),
        (Side::Client, HandshakeMessage::HelloRetryRequest(_)) => {
            view.hellos().get(1).map(|hello| hello.entry)
        }
        // A client that has not sent its Finished sends no data, and a server that has not sent its own neither.
        (Side::Client, _) => view.entries(receiver).find(|entry| is_progress(entry)),
        (Side::Server, _) if sent.entry.epoch == Epoch::Plaintext => {
            view.entries(receiver).find(|entry| is_progress(entry))
        }
        (Side::Server, _) => completed(view, sent),
    }
}

/// A side's own Finished behind a message that it has to read before: without an error alert it shows that the
/// side went past the message.
fn finished_past<'a>(view: &View<'a>, receiver: Side, sent: Sent<'a>) -> Option<&'a Entry> {
    let is_before = receiver == Side::Client || sent.entry.epoch == Epoch::Plaintext;
    let finished = view
        .finished(receiver)
        .filter(|_| is_before && !sent.is_late());
    finished.filter(|finished| sent.entry.is_complete_before(finished))
}

/// What a side sends once it is done with the handshake.
fn is_progress(entry: &Entry) -> bool {
    entry.epoch == Epoch::Application
        && match &entry.content {
            Content::ApplicationData { .. } | Content::Message(_) => true,
            Content::Alert(alert) => alert.is_close_notify(),
            _ => false,
        }
}

/// What shows that the server accepted a message of the client's last flight. It may send application data
/// before it has read that flight, so only what arrived behind the client's Finished shows it; NewSessionTicket
/// does in any case if the server asked for a certificate, for then it cannot come before,
/// RFC 9846 §4.7.1 (RFC 8446 §4.6.1). `close_notify` does not: there are servers that refuse a client by it.
fn completed<'a>(view: &View<'a>, sent: Sent<'a>) -> Option<&'a Entry> {
    let is_finished = |it: &Sent<'_>| *it.message == HandshakeMessage::Finished;
    let finished = view.sent_after(sent.entry).find(is_finished)?.entry;
    let asked = view.main_request().is_some();
    let is_ticket = |entry: &Entry| {
        let message = entry.message();
        matches!(message, Some(HandshakeMessage::NewSessionTicket { .. }))
    };
    let mut entries = view
        .entries(Side::Server)
        .filter(|entry| is_progress(entry) && !matches!(entry.content, Content::Alert(_)));
    let shown = entries.find(|it| it.arrival > finished.arrival || (asked && is_ticket(it)));
    // A server that reports whether it authenticated the client has completed the handshake.
    let is_done = view.finished(Side::Server).is_some() && view.error(Side::Server).is_none();
    let is_reported = view.knowledge.authenticated.is_some() && is_done;
    shown.or(is_reported.then_some(finished))
}

/// What shows that a side read a message that came after the handshake: the other side sent application data
/// behind it, and after that has begun to arrive there is something of the side. What it sends before may have
/// crossed the message.
fn late_proof<'a>(view: &View<'a>, receiver: Side, sent: Sent<'a>) -> Option<&'a Entry> {
    if receiver == Side::Server {
        return completed(view, sent);
    }
    let is_data = |entry: &Entry| matches!(entry.content, Content::ApplicationData { .. });
    let mut behind = view.entries(receiver.peer());
    let data = behind.find(|entry| is_data(entry) && sent.entry.is_complete_before(entry))?;
    let mut entries = view.entries(receiver).filter(|entry| is_progress(entry));
    entries.find(|entry| entry.arrival > data.start)
}

/// Requirements that demand the alert itself ("MUST generate", "MUST send"): an end without one violates them.
/// The others demand that it is this one if any is sent, RFC 9846 §6.2 (RFC 8446 §6.2).
const GENERATED: [&str; 4] = ["TF-3", "TF-7", "RCA-6", "TLS-14"];

/// Holds both receivers to the alert that a requirement demands.
pub(in crate::judge) fn held(view: &View<'_>, id: &'static str) -> Vec<Shown> {
    let receivers = Side::BOTH.into_iter();
    let by_receiver = |receiver| {
        let offence = view.offence(receiver, id)?;
        Some(hold(view, receiver, offence, id))
    };
    receivers.filter_map(by_receiver).flatten().collect()
}

fn hold(view: &View<'_>, receiver: Side, offence: &Offence<'_>, id: &'static str) -> Vec<Shown> {
    let answer = answer(view, receiver, offence.sent);
    // Who sees an extension twice may stop there, and no document says with which alert.
    if offence.is_excused {
        return reported(view, receiver, offence.sent, answer)
            .into_iter()
            .collect();
    }
    let own = offence.demands.iter().find(|(_, by)| *by == id);
    let Some((wanted, _)) = own.copied() else {
        return Vec::new();
    };
    let expected = format!("alert {}", name(wanted));
    match answer {
        Answer::Alert(at, alert) => {
            let got = sent_by(receiver, alert);
            let shown = |verdict| Shown::of(view, receiver, verdict, Some(at), &got);
            let verdicts = weigh(alert.description, wanted, offence, id);
            if verdicts.is_empty() {
                return vec![shown(Verdict::Violated { expected })];
            }
            verdicts.into_iter().map(shown).collect()
        }
        Answer::Continued(at) => {
            vec![Shown::violated(
                view,
                receiver,
                at,
                continued(receiver),
                expected,
            )]
        }
        Answer::Ended if GENERATED.contains(&id) => {
            let got = ended(receiver);
            vec![Shown::violated(
                view,
                receiver,
                offence.sent.entry,
                got,
                expected,
            )]
        }
        Answer::Ended | Answer::Unknown => reported(view, receiver, offence.sent, answer)
            .into_iter()
            .collect(),
    }
}

/// What an alert is worth by a requirement that demands another one or the same; nothing if it violates it.
fn weigh(
    alert: AlertDescription,
    wanted: AlertDescription,
    offence: &Offence<'_>,
    id: &'static str,
) -> Vec<Verdict> {
    let others = || offence.demands.iter().filter(|(_, by)| *by != id);
    if alert == wanted {
        let against = others().filter(|(other, _)| *other != alert);
        let tensions: Vec<_> = against.map(|(_, other)| tension(id, other)).collect();
        return if tensions.is_empty() {
            vec![Verdict::Satisfied]
        } else {
            tensions
        };
    }
    let followed = others().filter(|(other, _)| *other == alert);
    let tensions: Vec<_> = followed.map(|(_, other)| tension(other, id)).collect();
    // A sender may conceal the specific alert, RFC 9846 §6.2; and what is right for one that implements `tls_flags` is
    // held against nobody who may do so.
    let may_be_right =
        alert == AlertDescription::GENERAL_ERROR || offence.possible.contains(&alert);
    if tensions.is_empty() && may_be_right {
        return vec![Verdict::Informational];
    }
    tensions
}

/// What a receiver did, where no document says what it has to do.
pub(in crate::judge) fn reported(
    view: &View<'_>,
    receiver: Side,
    sent: Sent<'_>,
    answer: Answer<'_>,
) -> Option<Shown> {
    let (entry, got) = match answer {
        Answer::Unknown => return None,
        Answer::Alert(at, alert) => (at, sent_by(receiver, alert)),
        Answer::Ended => (sent.entry, ended(receiver)),
        Answer::Continued(at) => (at, continued(receiver)),
    };
    Some(Shown::informational(view, receiver, entry, got))
}

/// `client sent illegal_parameter(47)`
pub(in crate::judge) fn sent_by(side: Side, alert: Alert) -> String {
    format!("{side} sent {}", name(alert.description))
}

/// `illegal_parameter(47)`
pub(crate) fn name(alert: AlertDescription) -> String {
    match alert.name() {
        Some(name) => format!("{name}({})", alert.0),
        None => format!("alert {}", alert.0),
    }
}

/// `client continued`
pub(in crate::judge) fn continued(side: Side) -> String {
    format!("{side} continued")
}

/// `client ended without an alert`
pub(in crate::judge) fn ended(side: Side) -> String {
    format!("{side} ended without an alert")
}

/// The alerts by which an extension is refused; the first two have other uses as well.
pub(super) fn is_about_extensions(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::ILLEGAL_PARAMETER
            | AlertDescription::DECODE_ERROR
            | AlertDescription::UNSUPPORTED_EXTENSION
    )
}

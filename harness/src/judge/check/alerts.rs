//! Alerts and the end of a connection, RFC 9846 §6 (RFC 8446 §6).

use reqmtls_observer::{Alert, AlertDescription, AlertLevel, Content, Ending, Entry, Reason, Side};

use super::answer::{name, sent_by};
use super::{Shown, Verdict, View};

/// TLS-10, for each direction by itself. One that is open when the recording stops shows nothing; who has sent or
/// received an error alert may close without `close_notify`; and behind a reset of the other side nobody can
/// send any. What a side had under way when the other side's alert arrived is not held against it.
pub(in crate::judge) fn closes(view: &View<'_>) -> Vec<Shown> {
    let sides = Side::BOTH.into_iter().filter(|_| view.is_tls13());
    sides.filter_map(|side| closing(view, side)).collect()
}

fn closing(view: &View<'_>, side: Side) -> Option<Shown> {
    view.entries(side).next()?;
    if view
        .defects()
        .iter()
        .any(|it| it.side == side && it.reason == Reason::AfterEnd)
    {
        let (entry, alert) = alerts(view, side).find(|(_, alert)| ends(*alert))?;
        let got = format!("{side} sent more after {}", name(alert.description));
        return Some(Shown::violated(view, side, entry, got, "nothing more"));
    }
    let is_open = view.ending(side) == Ending::Open;
    let other = side.peer();
    let (own, received) = (view.error(side), view.error(other));
    if let Some((entry, alert)) = own.or(received) {
        let sender = if own.is_some() { side } else { other };
        let got = format!(
            "{side} closed after {sender} sent {}",
            name(alert.description)
        );
        return (!is_open).then(|| Shown::satisfied(view, side, entry, got));
    }
    if let Some(entry) = view.close_notify(side) {
        let got = format!("{side} sent close_notify(0)");
        return Some(Shown::satisfied(view, side, entry, got));
    }
    // The document asks for close_notify here too; libraries end a handshake that the other side closed as one whose
    // transport failed, and take an alert at level fatal for an error. Shown, and held against nobody.
    if let Some(entry) = view.close_notify(other) {
        let is_fatal =
            matches!(entry.content, Content::Alert(alert) if alert.level == AlertLevel::FATAL);
        if is_fatal || view.finished(side).is_none() {
            let when = if is_fatal { "" } else { " before its Finished" };
            let level = if is_fatal { "fatal " } else { "" };
            let got = format!("{side} closed{when}, after {other} sent {level}close_notify(0)");
            return (!is_open).then(|| Shown::informational(view, side, entry, got));
        }
    }
    // After a reset nobody can send, and to whom the other closes without a word there is nothing to say.
    let is_mute = view.entries(other).next().is_none();
    let is_torn =
        (view.ending(other) == Ending::Reset || is_mute) && view.ended_first() == Some(other);
    if is_open || is_torn || view.is_unreadable(side) {
        return None;
    }
    let expected = "close_notify before its direction closes".to_owned();
    let got = format!("{side} closed without close_notify");
    Some(Shown::of(
        view,
        side,
        Verdict::Violated { expected },
        None,
        got,
    ))
}

fn alerts<'a>(view: &View<'a>, side: Side) -> impl Iterator<Item = (&'a Entry, Alert)> {
    view.entries(side).filter_map(|entry| match entry.content {
        Content::Alert(alert) => Some((entry, alert)),
        _ => None,
    })
}

/// Whether nothing follows an alert from the side that sent it.
fn ends(alert: Alert) -> bool {
    alert.description != AlertDescription::USER_CANCELED
}

/// TLS-20. A side that has received an error alert sends nothing more.
pub(in crate::judge) fn closes_after_cancel(view: &View<'_>) -> Vec<Shown> {
    let by_side = |side: Side| {
        let is_cancel = |alert: Alert| alert.description == AlertDescription::USER_CANCELED;
        let (entry, _) = alerts(view, side).find(|(_, alert)| is_cancel(*alert))?;
        if view.close_notify(side).is_some() {
            let got = "close_notify(0) after user_canceled(90)";
            return Some(Shown::satisfied(view, side, entry, got));
        }
        let expected = "close_notify(0) after user_canceled(90)";
        if let Some((_, alert)) = view.error(side) {
            let got = format!("{} after user_canceled(90)", sent_by(side, alert));
            return Some(Shown::violated(view, side, entry, got, expected));
        }
        let is_open = view.ending(side) == Ending::Open;
        if is_open || view.is_unreadable(side) || view.error(side.peer()).is_some() {
            return None;
        }
        let got = format!("{side} closed after user_canceled(90)");
        Some(Shown::violated(view, side, entry, got, expected))
    };
    let sides = Side::BOTH.into_iter().filter(|_| view.is_tls13());
    sides.filter_map(by_side).collect()
}

/// TLS-21, of the alerts that RFC 9846 §6.1 and §6.2 list: `user_canceled` has a usual level only, and of those that
/// are not listed it says how they are received.
pub(in crate::judge) fn levels(view: &View<'_>) -> Vec<Shown> {
    let by_side = |side: Side| {
        let mut satisfied = None;
        for (entry, alert) in alerts(view, side) {
            let Some(level) = level(alert.description) else {
                continue;
            };
            let got = format!("{side} sent {alert}");
            if alert.level != level {
                return Some(Shown::violated(
                    view,
                    side,
                    entry,
                    got,
                    format!("level {level}"),
                ));
            }
            satisfied.get_or_insert((entry, got));
        }
        satisfied.map(|(entry, got)| Shown::satisfied(view, side, entry, got))
    };
    let sides = Side::BOTH.into_iter().filter(|_| view.is_tls13());
    sides.filter_map(by_side).collect()
}

/// The level at which an alert has to be sent.
fn level(alert: AlertDescription) -> Option<AlertLevel> {
    const ERRORS: [u8; 26] = [
        10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 109, 110, 112, 113,
        115, 116, 117, 120,
    ];
    match alert {
        AlertDescription::CLOSE_NOTIFY => Some(AlertLevel::WARNING),
        alert => ERRORS.contains(&alert.0).then_some(AlertLevel::FATAL),
    }
}

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{ConnectionReport, Hex};

/// The alert by which a side says that it sends nothing more (RFC 9846 §6.1).
const CLOSE_NOTIFY: u8 = 0;

/// What the callbacks of a library report of one connection, until it goes into the connection's report.
#[derive(Debug, Default)]
pub struct State {
    /// Key log lines.
    pub key_log: Vec<String>,
    /// The error alert that the end sent first.
    pub alert_sent: Option<u8>,
    /// The error alert that it received first.
    pub alert_received: Option<u8>,
    /// Server: the `extension_data` of `tls_flags` in each ClientHello that came.
    pub hellos: Vec<Option<Hex>>,
    /// Client: the `extension_data` of `tls_flags` that goes into ClientHello.
    pub tls_flags: Option<Hex>,
}

/// Shared by the callbacks of one connection and its end.
#[derive(Clone, Debug, Default)]
pub struct ConnectionState(Arc<Mutex<State>>);

impl ConnectionState {
    /// A state of a connection that is to send these flags.
    #[must_use]
    pub fn sending(tls_flags: Option<Hex>) -> Self {
        Self(Arc::new(Mutex::new(State {
            tls_flags,
            ..State::default()
        })))
    }

    /// The state, to be read or changed.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a key log line.
    pub fn log_key(&self, line: impl Into<String>) {
        self.lock().key_log.push(line.into());
    }

    /// Notes an error alert, if it is the first in its direction. `close_notify` is none, at whatever level.
    pub fn note_alert(&self, sent: bool, description: u8) {
        if description == CLOSE_NOTIFY {
            return;
        }
        let mut state = self.lock();
        let alert = if sent {
            &mut state.alert_sent
        } else {
            &mut state.alert_received
        };
        alert.get_or_insert(description);
    }

    /// Notes the `tls_flags` of a ClientHello, well formed or not; whether they are those of the one before.
    pub fn note_hello(&self, tls_flags: Option<&[u8]>) -> bool {
        let tls_flags = tls_flags.map(Hex::from);
        let mut state = self.lock();
        let as_before = state
            .hellos
            .last()
            .is_none_or(|before| *before == tls_flags);
        state.hellos.push(tls_flags);
        as_before
    }

    /// Moves what was noted to the report.
    pub fn report(&self, report: &mut ConnectionReport) {
        let mut state = self.lock();
        report.key_log = std::mem::take(&mut state.key_log);
        report.alert_sent = state.alert_sent;
        report.alert_received = state.alert_received;
        report.tls_flags_sent.clone_from(&state.tls_flags);
        report.tls_flags_received = state.hellos.last().cloned().flatten();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_alert_of_each_direction_counts() {
        let state = ConnectionState::default();
        state.note_alert(true, 116);
        state.note_alert(true, 42);
        state.note_alert(false, CLOSE_NOTIFY);
        state.note_alert(false, 47);
        let mut report = ConnectionReport::default();
        state.report(&mut report);
        assert_eq!(
            (report.alert_sent, report.alert_received),
            (Some(116), Some(47))
        );
    }

    #[test]
    fn a_second_hello_is_compared_with_the_first() {
        let state = ConnectionState::default();
        assert!(state.note_hello(Some(&[1, 1])));
        assert!(state.note_hello(Some(&[1, 1])));
        assert!(!state.note_hello(None));
    }
}

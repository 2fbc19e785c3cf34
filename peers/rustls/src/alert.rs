//! Alerts in the clear.

use rustls::AlertDescription;

/// A record with a fatal alert (RFC 9846 §6 (RFC 8446 §6)), for an end that has no keys yet.
pub(crate) fn fatal(description: AlertDescription) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, description.into()]
}

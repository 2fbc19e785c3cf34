//! Alerts (RFC 8446 §6).

use std::fmt;

use reqmtls_vocabulary::{AlertDescription, AlertLevel};
use serde::{Deserialize, Serialize};

/// An alert as it stood on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its level; TLS 1.3 gives it no meaning, and it is kept all the same.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
    /// An alert of level fatal, as every error alert is sent (RFC 9846 §6 (RFC 8446 §6)).
    #[must_use]
    pub fn fatal(description: AlertDescription) -> Self {
        let level = AlertLevel::FATAL;
        Self { level, description }
    }

    /// An alert of level warning, as closure alerts are sent (RFC 9846 §6.1 (RFC 8446 §6.1)).
    #[must_use]
    pub fn warning(description: AlertDescription) -> Self {
        let level = AlertLevel::WARNING;
        Self { level, description }
    }

    /// Reads an alert record's content, which holds exactly one alert of two octets.
    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let &[level, description] = content else {
            return None;
        };
        Some(Self {
            level: AlertLevel(level),
            description: AlertDescription(description),
        })
    }

    /// Whether this is the orderly end of a side's data.
    #[must_use]
    pub fn is_close_notify(self) -> bool {
        self.description == AlertDescription::CLOSE_NOTIFY
    }

    /// Whether it ends the connection because something is wrong. In TLS 1.3 every alert but
    /// `close_notify` and `user_canceled` does, whatever its level (RFC 8446 §6).
    #[must_use]
    pub fn is_fatal(self) -> bool {
        self.level == AlertLevel::FATAL
            || !(self.is_close_notify() || self.description == AlertDescription::USER_CANCELED)
    }

    /// Whether nothing may follow from the side that sent it: `close_notify`
    /// and every error alert (RFC 8446 §6.1, §6.2).
    #[must_use]
    pub fn is_final(self) -> bool {
        self.is_close_notify() || self.level != AlertLevel::WARNING
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, description } = self;
        match description.name() {
            Some(name) => write!(f, "{level} {name}({})", description.0),
            None => write!(f, "{level} {description}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_level_name_and_number() {
        let alert = Alert::decode(&[2, 116]).unwrap();
        assert_eq!(alert.to_string(), "fatal certificate_required(116)");
        let alert = Alert::decode(&[1, 0]).unwrap();
        assert_eq!(alert.to_string(), "warning close_notify(0)");
    }

    #[test]
    fn prints_unknown_values_in_hexadecimal() {
        assert_eq!(Alert::decode(&[3, 0xfa]).unwrap().to_string(), "0x03 0xfa");
    }

    #[test]
    fn rejects_anything_but_two_octets() {
        assert_eq!(Alert::decode(&[2]), None);
        assert_eq!(Alert::decode(&[2, 40, 2]), None);
        assert_eq!(Alert::decode(&[]), None);
    }
}

//! Alerts (RFC 9846 §6 (RFC 8446 §6); for TLS 1.2 RFC 5246 §7.2).

use std::fmt;

use reqmtls_vocabulary::{AlertDescription, AlertLevel, ProtocolVersion};
use serde::{Deserialize, Serialize};

/// An alert as it stood on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert {
    /// Its level, which means something in TLS 1.2 only.
    pub level: AlertLevel,
    /// Its description.
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

    /// Whether this is `close_notify`, the orderly end of a side's data.
    #[must_use]
    pub fn is_close_notify(self) -> bool {
        self.description == AlertDescription::CLOSE_NOTIFY
    }

    /// Whether this is a closure alert of TLS 1.3: `close_notify` or `user_canceled`, whatever its level
    /// (RFC 9846 §6.1 (RFC 8446 §6.1)).
    #[must_use]
    pub fn is_closure(self) -> bool {
        self.is_close_notify() || self.description == AlertDescription::USER_CANCELED
    }

    /// Whether this is an error alert of TLS 1.3: any other one, whatever its level, and known or not
    /// (RFC 9846 §6, §6.2 (RFC 8446 §6, §6.2)).
    #[must_use]
    pub fn is_error(self) -> bool {
        !self.is_closure()
    }

    /// Whether this ends the connection with an error. In TLS 1.3 that is its kind: [`Alert::is_error`]. In TLS 1.2
    /// it is its level, whatever its description (RFC 5246 §7.2). Where no version was negotiated, TLS 1.3 decides.
    #[must_use]
    pub fn is_fatal(self, version: Option<ProtocolVersion>) -> bool {
        if version.is_some_and(|version| version < ProtocolVersion::TLS13) {
            self.level != AlertLevel::WARNING
        } else {
            self.is_error()
        }
    }

    /// Whether its sender may send nothing after it: `close_notify`, and what ends the connection with an error.
    /// What follows `user_canceled` is to be read, and is `close_notify` at last
    /// (RFC 9846 §6.1, §6.2 (RFC 8446 §6.1, §6.2)).
    #[must_use]
    pub fn is_last(self, version: Option<ProtocolVersion>) -> bool {
        self.is_close_notify() || self.is_fatal(version)
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

    const LEVELS: [AlertLevel; 3] = [AlertLevel::WARNING, AlertLevel::FATAL, AlertLevel(3)];

    fn alert(level: AlertLevel, description: u8) -> Alert {
        let description = AlertDescription(description);
        Alert { level, description }
    }

    #[test]
    fn in_tls13_the_kind_of_an_alert_decides_and_not_its_level() {
        for version in [None, Some(ProtocolVersion::TLS13)] {
            for (level, description) in LEVELS
                .into_iter()
                .flat_map(|level| (0..=u8::MAX).map(move |description| (level, description)))
            {
                let alert = alert(level, description);
                let is_closure = matches!(description, 0 | 90);
                assert_eq!(alert.is_closure(), is_closure, "{alert}");
                assert_eq!(alert.is_error(), !is_closure, "{alert}");
                assert_eq!(alert.is_fatal(version), !is_closure, "{alert}");
                assert_eq!(alert.is_last(version), description != 90, "{alert}");
            }
        }
    }

    #[test]
    fn before_tls13_the_level_of_an_alert_decides() {
        for version in [ProtocolVersion::TLS10, ProtocolVersion::TLS12].map(Some) {
            for description in 0..=u8::MAX {
                for level in LEVELS {
                    let alert = alert(level, description);
                    let is_fatal = level != AlertLevel::WARNING;
                    assert_eq!(alert.is_fatal(version), is_fatal, "{alert}");
                    let is_last = is_fatal || description == 0;
                    assert_eq!(alert.is_last(version), is_last, "{alert}");
                }
            }
        }
    }
}

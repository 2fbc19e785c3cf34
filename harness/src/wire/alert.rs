//! Alerts (RFC 8446 §6).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::registry;

registry! {
    /// An alert's level.
    AlertLevel(u8), "2" {
        WARNING = 1 "warning",
        FATAL = 2 "fatal",
    }
}

registry! {
    /// An alert's description (IANA registry "TLS Alerts").
    AlertDescription(u8), "2" {
        CLOSE_NOTIFY = 0 "close_notify",
        UNEXPECTED_MESSAGE = 10 "unexpected_message",
        BAD_RECORD_MAC = 20 "bad_record_mac",
        DECRYPTION_FAILED = 21 "decryption_failed",
        RECORD_OVERFLOW = 22 "record_overflow",
        DECOMPRESSION_FAILURE = 30 "decompression_failure",
        HANDSHAKE_FAILURE = 40 "handshake_failure",
        NO_CERTIFICATE = 41 "no_certificate",
        BAD_CERTIFICATE = 42 "bad_certificate",
        UNSUPPORTED_CERTIFICATE = 43 "unsupported_certificate",
        CERTIFICATE_REVOKED = 44 "certificate_revoked",
        CERTIFICATE_EXPIRED = 45 "certificate_expired",
        CERTIFICATE_UNKNOWN = 46 "certificate_unknown",
        ILLEGAL_PARAMETER = 47 "illegal_parameter",
        UNKNOWN_CA = 48 "unknown_ca",
        ACCESS_DENIED = 49 "access_denied",
        DECODE_ERROR = 50 "decode_error",
        DECRYPT_ERROR = 51 "decrypt_error",
        TOO_MANY_CIDS_REQUESTED = 52 "too_many_cids_requested",
        EXPORT_RESTRICTION = 60 "export_restriction",
        PROTOCOL_VERSION = 70 "protocol_version",
        INSUFFICIENT_SECURITY = 71 "insufficient_security",
        INTERNAL_ERROR = 80 "internal_error",
        INAPPROPRIATE_FALLBACK = 86 "inappropriate_fallback",
        USER_CANCELED = 90 "user_canceled",
        NO_RENEGOTIATION = 100 "no_renegotiation",
        MISSING_EXTENSION = 109 "missing_extension",
        UNSUPPORTED_EXTENSION = 110 "unsupported_extension",
        CERTIFICATE_UNOBTAINABLE = 111 "certificate_unobtainable",
        UNRECOGNIZED_NAME = 112 "unrecognized_name",
        BAD_CERTIFICATE_STATUS_RESPONSE = 113 "bad_certificate_status_response",
        BAD_CERTIFICATE_HASH_VALUE = 114 "bad_certificate_hash_value",
        UNKNOWN_PSK_IDENTITY = 115 "unknown_psk_identity",
        CERTIFICATE_REQUIRED = 116 "certificate_required",
        GENERAL_ERROR = 117 "general_error",
        NO_APPLICATION_PROTOCOL = 120 "no_application_protocol",
        ECH_REQUIRED = 121 "ech_required",
    }
}

/// An alert as it stood on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its level; TLS 1.3 gives it no meaning, and it is kept all the same.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
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
